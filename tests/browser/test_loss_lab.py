"""The loss lab in Chromium: the ratio acts while it is dragged, and mines what Python mines."""

from __future__ import annotations

import re

import pytest

from ssd.checkpoints import find_model, model_names, read_weights
from ssd.data.synthetic import synthetic_scene
from ssd.figures.canvas_source import canvas_script
from ssd.figures.learning_costs import costs_blob
from ssd.losses import LossConfig
from ssd.matching import assign, match
from ssd.prediction import Predictor
from ssd.training.lab import loss_lab
from tests.browser.test_canvas import Canvas
from tests.browser.test_pages import link, wait_for_link
from tests.browser.waiting import still
from tests.training.test_lab import a_lab

needs_shapes = pytest.mark.skipif(
    "shapes" not in model_names(), reason="the model `shapes` is not shipped here"
)

SLIDER = "input[type=range][aria-label='Hard negatives for each positive']"
SEED = 4
MINE_IN_BROWSER = """
({ data, ratios }) => ratios.map((ratio) => {
  const costs = ssdCanvas.readBlob(data);
  const states = ssdCanvas.mine(costs, ratio);
  return { states: [...states], count: costs.sums.count, ...ssdCanvas.lossAt(costs) };
})
"""
RATIOS = (0.0, 0.5, 1.0, 2.5, 3.0, 7.5, 10.0)


@pytest.fixture
def lab(open_tab, app_url):
    """Open the loss lab and wait until it is drawn."""

    def opened(query: str = "", **options) -> Canvas:
        tab = open_tab(f"{app_url}/learning?learn=loss+lab&seed={SEED}{query}", **options)
        tab.set_default_timeout(90_000)
        tab.wait_for_selector("canvas.ssd-canvas[data-loss]")
        still(tab)
        return Canvas(tab)

    return opened


def python_report(ratio: float):
    """What Python says about the page's scene."""
    loaded = read_weights(find_model("shapes"))
    predictor, sample = Predictor(loaded.model, sha256=loaded.sha256), synthetic_scene(SEED)
    config, anchors, target = predictor.config, predictor.anchors, sample.target
    output = predictor.predict(sample.picture)
    told = assign(
        match(target.boxes, anchors.boxes), anchors, gt_boxes=target.boxes, gt_labels=target.labels,
        coder=config.coder,
    )  # fmt: skip
    return loss_lab(
        output.codes, output.logits, anchors=anchors, assignment=told, coder=config.coder,
        activation=config.activation, config=LossConfig(negative_ratio=ratio), class_names=config.class_names,
    ).report  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("objects", [2, 0])
def test_the_browser_mines_what_python_mines(tab, seed, objects):
    tab.add_script_tag(content=canvas_script())
    blob = costs_blob(a_lab(objects=objects, seed=seed)[0], object_names=("cat", "dog")[:objects])

    answers = tab.evaluate(MINE_IN_BROWSER, {"data": dict(blob.data), "ratios": list(RATIOS)})

    for ratio, answer in zip(RATIOS, answers, strict=True):
        lab, _, _ = a_lab(LossConfig(negative_ratio=ratio), objects=objects, seed=seed)
        mined = [state == 4 for state in answer["states"]]
        assert mined == lab.report.mined[0].tolist()
        assert answer["count"] == lab.report.num_negative
        assert answer["total"] == pytest.approx(float(lab.report.total), rel=1e-5)
        assert answer["boxes"] == pytest.approx(float(lab.report.localisation), rel=1e-5)


@pytest.mark.parametrize("kind", ["bce", "focal"])
def test_without_a_ratio_every_negative_counts_in_the_browser_too(tab, kind):
    tab.add_script_tag(content=canvas_script())
    lab, _, _ = a_lab(LossConfig(confidence=kind))
    blob = costs_blob(lab, object_names=("cat", "dog"))

    answer = tab.evaluate(MINE_IN_BROWSER, {"data": dict(blob.data), "ratios": [None]})[0]

    assert answer["count"] == lab.report.num_negative
    assert answer["total"] == pytest.approx(float(lab.report.total), rel=1e-5)


@needs_shapes
def test_hard_negatives_change_while_the_ratio_is_dragged_and_the_link_keeps_it(lab):
    canvas = lab()
    before, loss = int(canvas.data("mined")), float(canvas.data("loss"))
    report = python_report(3.0)
    assert (before, loss) == (report.num_negative, pytest.approx(float(report.total), rel=1e-4))
    box = canvas.tab.locator(SLIDER).bounding_box()

    canvas.tab.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] / 2)
    canvas.tab.mouse.down()
    canvas.tab.mouse.move(box["x"] + box["width"] * 0.99, box["y"] + box["height"] / 2, steps=6)
    canvas.tab.wait_for_timeout(200)
    during, in_link = int(canvas.data("mined")), link(canvas.tab)
    canvas.tab.mouse.up()

    assert during > before
    assert "ratio" not in in_link  # Python has not heard of it yet
    assert float(wait_for_link(canvas.tab, "ratio")) == float(canvas.data("ratio"))
    still(canvas.tab)
    assert int(canvas.data("mined")) == during == python_report(float(canvas.data("ratio"))).num_negative


@needs_shapes
def test_a_link_with_a_ratio_opens_with_it(lab):
    canvas = lab("&ratio=1.5")

    assert float(canvas.data("ratio")) == 1.5
    assert int(canvas.data("mined")) == python_report(1.5).num_negative


@needs_shapes
def test_a_link_with_a_ratio_that_is_none_opens_with_three(lab):
    assert float(lab("&ratio=nan").data("ratio")) == 3.0  # others: tests/pages/test_sliders.py


@needs_shapes
def test_an_object_that_is_moved_costs_anew(lab):
    canvas = lab()
    target = synthetic_scene(SEED).target
    x1, y1, x2, y2 = target.boxes[-1].tolist()
    before = canvas.data("loss")

    canvas.drag(((x1 + x2) / 2, (y1 + y2) / 2), (min((x1 + x2) / 2 + 0.15, 0.9), (y1 + y2) / 2))
    wait_for_link(canvas.tab, "objects")
    canvas.tab.wait_for_selector(f"canvas.ssd-canvas[data-loss]:not([data-loss='{before}'])")

    assert float(canvas.data("loss")) > float(before)


@needs_shapes
@pytest.mark.parametrize(
    "looks", [{"width": 400, "height": 800}, {"color_scheme": "dark"}], ids=["narrow", "dark"]
)
def test_the_lab_fits_the_screen(lab, looks):
    tab = lab("&loss_tab=loss+curves", **looks).tab

    assert tab.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth - innerWidth") <= 0
    assert tab.locator("[data-testid=stException]").count() == 0


@needs_shapes
def test_the_focal_curve_follows_gamma_while_it_is_dragged(lab):
    tab = lab("&loss_tab=loss+curves").tab
    slider = tab.locator("input[type=range][aria-label='γ of focal']")
    tab.locator(".legendtext", has_text="γ 2").wait_for()
    box = slider.bounding_box()

    tab.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + box["height"] / 2)
    tab.mouse.down()
    tab.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + box["height"] / 2, steps=8)
    value = float(slider.input_value())
    tab.locator(".legendtext", has_text=f"γ {value:g}").wait_for()  # the hand is still on it
    tab.mouse.up()

    assert value > 2
    assert float(wait_for_link(tab, "gamma")) == value


@needs_shapes
def test_a_link_with_an_alpha_or_gamma_that_is_none_opens_with_the_usual_ones(lab):
    tab = lab("&alpha=nan&gamma=&loss_tab=loss+curves").tab

    tab.locator(".legendtext", has_text=re.compile("focal, α 0.25, γ 2$")).wait_for()
