"""Verdicts in Chromium: read why an object was missed, click its knob, and see it found."""

from __future__ import annotations

import pytest
import torch

from ssd.anchors import make_anchors
from ssd.checkpoints import model_names
from ssd.coding import decode
from ssd.config import CoderConfig, GridAnchors, anchor_preset
from ssd.figures.canvas_source import canvas_script
from ssd.figures.inspector import followed
from ssd.figures.verdict_case import VerdictLine
from ssd.prediction import PictureOutput
from tests import telling
from tests.browser.test_canvas import Canvas
from tests.browser.test_pages import link, wait_for_link
from tests.browser.waiting import expect, still
from tests.telling import Telling

needs_shapes = pytest.mark.skipif(
    "shapes" not in model_names(), reason="the model `shapes` is not shipped here"
)

DECODE_IN_BROWSER = """
({ follows, shares }) => follows.map((follow) => shares.map((share) => ssdCanvas.decodedAt(follow, share)))
"""
SHARES = (0.0, 0.25, 0.5, 0.77, 1.0)


@pytest.fixture
def detections(open_tab, app_url):
    """The page on a scene that was looked for."""

    def opened(scene: Telling, query: str = "", **options) -> Canvas:
        tab = open_tab(f"{app_url}/detections?seed={scene.seed}{query}", **options)
        tab.set_default_timeout(90_000)
        tab.wait_for_selector("canvas.ssd-canvas[data-ver]")
        still(tab)
        return Canvas(tab)

    return opened


def line(canvas: Canvas, said: VerdictLine):
    """The panel's line about one object or box."""
    return canvas.tab.locator(".ssd-line").filter(has_text=f"{said.title} · {said.verdict}").first


def knob(canvas: Canvas, said: VerdictLine):
    """The button that mends it."""
    return canvas.tab.locator(".ssd-knob").filter(has_text=said.button).first


@needs_shapes
def test_a_verdict_is_read_its_knob_clicked_and_the_object_found(detections):
    scene = telling.suppressed()
    canvas, star = detections(scene), scene.line

    assert int(canvas.data("missed")) == telling.missed(scene.lines)
    assert star.text in line(canvas, star).inner_text()

    line(canvas, star).click()
    canvas.wait("selected-object", star.at[1])
    canvas.wait("blamed", 2)  # the suppressor and the suppressed box
    knob(canvas, star).click()
    canvas.wait("missed", telling.missed(scene.at(**star.remedy)))
    threshold = wait_for_link(canvas.tab, "nms")
    still(canvas.tab)

    assert float(threshold) == pytest.approx(star.remedy["nms_threshold"])
    found = canvas.tab.locator(".ssd-line").filter(has_text=f"{star.title}: found by {star.name}")
    expect(found.first).to_be_visible()
    assert link(canvas.tab)["object"] == [str(star.at[1])]


@needs_shapes
def test_the_score_knob_moves_the_slider_and_finds_what_scored_too_low(detections):
    scene = telling.too_low()
    canvas, faint = detections(scene), scene.line

    knob(canvas, faint).click()
    score = float(wait_for_link(canvas.tab, "score"))
    still(canvas.tab)

    slider = canvas.tab.locator("input[type=range][aria-label='Score threshold']")
    assert score == pytest.approx(faint.remedy["score_threshold"])
    assert score == pytest.approx(float(slider.input_value()))
    found = canvas.tab.locator(".ssd-line").filter(has_text=f"{faint.title}: found by {faint.name}")
    expect(found.first).to_be_visible()


@needs_shapes
def test_a_false_positive_says_what_is_wrong_and_goes_with_its_knob(detections):
    scene = telling.badly_placed()
    canvas, said = detections(scene), scene.line
    wrong = line(canvas, said)

    assert said.text in wrong.inner_text() and "is needed." in said.text

    wrong.click()
    canvas.wait("blamed", 1)
    knob(canvas, said).click()
    wait_for_link(canvas.tab, "score")
    still(canvas.tab)

    expect(canvas.tab.locator(".ssd-line:visible").filter(has_text=said.title)).to_have_count(0)


@needs_shapes
def test_while_a_limit_is_dragged_the_verdicts_step_back_until_python_has_new_ones(detections):
    scene = telling.too_low()
    canvas = detections(scene)
    slider = canvas.tab.locator("input[type=range][aria-label='Score threshold']")
    box = slider.bounding_box()
    verdicts = canvas.tab.locator(".ssd-lines")

    canvas.tab.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    canvas.tab.mouse.down()
    canvas.tab.mouse.move(box["x"] + box["width"] * 0.2, box["y"] + box["height"] / 2, steps=4)
    canvas.tab.wait_for_selector(".ssd-lines.ssd-stale")
    canvas.tab.mouse.up()
    canvas.tab.wait_for_selector(".ssd-lines:not(.ssd-stale)")

    assert f"{scene.line.title}: found" in verdicts.inner_text()


@needs_shapes
def test_an_anchor_travels_to_its_box_and_the_link_remembers_how_far(detections):
    scene = telling.suppressed()
    canvas = detections(scene, f"&object={scene.line.at[1]}")
    slider = canvas.tab.get_by_label("From anchor to decoded box")
    end = canvas.tab.locator(".ssd-follow output").inner_text()

    slider.focus()
    for _ in range(10):
        canvas.tab.keyboard.press("ArrowLeft")
    canvas.wait("travel", 0.9)
    wait_for_link(canvas.tab, "travel")
    still(canvas.tab)
    there = canvas.tab.locator(".ssd-follow output").inner_text()

    assert end.startswith("100 % of the code, jaccard 0.")
    assert there.startswith("90 % of the code, jaccard 0.")
    assert link(canvas.tab)["travel"] == ["0.9"]


@needs_shapes
def test_a_link_opens_with_its_object_its_blamed_boxes_and_its_anchor_on_the_way(detections):
    scene = telling.suppressed()
    at = str(scene.line.at[1])
    canvas = detections(scene, f"&object={at}&travel=0.4")

    assert (canvas.data("selected-object"), canvas.data("blamed"), canvas.data("travel")) == (at, "2", "0.4")
    assert canvas.tab.locator(".ssd-follow output").inner_text().startswith("40 % of the code")
    expect(canvas.tab.get_by_text("Hard-negative rank")).to_be_visible()


@needs_shapes
def test_picture_verdict_and_knob_stand_together_without_scrolling(detections):
    scene = telling.suppressed()
    canvas = detections(scene)
    said, button = line(canvas, scene.line).bounding_box(), knob(canvas, scene.line).bounding_box()

    for box in (canvas.node.bounding_box(), said, button):
        assert box["y"] + box["height"] <= 900
    assert said["x"] > canvas.node.bounding_box()["x"] + canvas.node.bounding_box()["width"]


@pytest.mark.parametrize(
    "coder", [CoderConfig(), CoderConfig(variances=(1.0, 0.3)), CoderConfig(kind="tanh")]
)
def test_the_browser_decodes_any_share_of_a_code_as_python_does(tab, coder):
    tab.add_script_tag(content=canvas_script())
    dice = torch.Generator().manual_seed(5)
    follows, expected = [], []
    for config in (GridAnchors(grids=(3, 1)), anchor_preset("ssd300-voc").anchors):
        anchors = make_anchors(config)
        codes = torch.randn(len(anchors), 4, generator=dice) * torch.tensor([3.0, 3.0, 6.0, 12.0])
        output = PictureOutput(boxes=codes, scores=codes, codes=codes, logits=codes, seconds=0.1)
        rows = torch.randint(len(anchors), (40,), generator=dice).tolist()
        follows += [followed(row, anchors=anchors, output=output, coder=coder) for row in rows]
        decoded = [decode(codes * share, anchors, coder=coder)[rows] for share in SHARES]
        expected.append(torch.stack(decoded, dim=1))

    answer = tab.evaluate(DECODE_IN_BROWSER, {"follows": follows, "shares": list(SHARES)})

    torch.testing.assert_close(torch.tensor(answer), torch.cat(expected), rtol=1e-5, atol=1e-6)
    assert float(torch.cat(expected)[:, 0].sub(torch.tensor(answer)[:, 0]).abs().max()) < 1e-6
