"""NMS on the canvas: limits that act while they are dragged, and every step of it, in Chromium."""

from __future__ import annotations

import re

import pytest

from tests.browser.test_canvas import Canvas
from tests.browser.waiting import expect

LIVE = "mode=detections&fixed=1&live=1&panel=1"
MANY = f"{LIVE}&everywhere=1"


@pytest.fixture
def canvas(open_tab, canvas_url):
    """A function that opens a canvas in some mode."""
    return lambda query=LIVE, **options: Canvas(open_tab(f"{canvas_url}/?{query}", **options))


def slide(shown: Canvas, label: str, share: float, *, drop: bool = True) -> None:
    """Drag the thumb of a slider to a share of its way."""
    slider = shown.tab.locator(f"input[type=range][aria-label='{label}']")
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    at = slider.evaluate("(s) => (s.value - s.min) / (s.max - s.min)")
    inner, y = box["width"] - 18, box["y"] + box["height"] / 2
    shown.tab.mouse.move(box["x"] + 9 + at * inner, y)
    shown.tab.mouse.down()
    shown.tab.mouse.move(box["x"] + 9 + share * inner, y, steps=6)
    shown.tab.wait_for_timeout(150)
    if drop:
        shown.tab.mouse.up()


def kept(shown: Canvas) -> int:
    return int(shown.data("kept"))


def pythons(shown: Canvas) -> int:
    """How many Python keeps at the limits that it has heard of; the text may come after the canvas."""
    for _ in range(50):
        if [heard[0] for heard in shown.python()["heard"]][-1:] == [int(shown.data("revision"))]:
            break
        shown.tab.wait_for_timeout(100)
    return shown.python()["kept"]


def words(shown: Canvas) -> str:
    return shown.tab.locator(".ssd-step-words").inner_text()


@pytest.mark.parametrize(
    ("label", "share", "name"), [("NMS threshold", 0.95, "nms"), ("Top-k of each class", 0.1, "topK")]
)
def test_a_limit_acts_while_it_is_dragged_and_python_agrees(canvas, label, share, name):
    shown = canvas()
    before = kept(shown)

    slide(shown, label, share, drop=False)
    during, heard = kept(shown), shown.python()["heard"]
    shown.tab.mouse.up()
    shown.settled(1)

    assert during != before
    assert heard == []
    assert kept(shown) == during == pythons(shown)
    assert shown.node.evaluate(f"(node) => node.dataset.{name}") not in ("0.45", "400")


@pytest.mark.parametrize("chip", ["nms-agnostic", "nms-soft"])
def test_a_switch_of_nms_acts_at_once_and_python_agrees(canvas, chip):
    shown = canvas(f"{LIVE}&score=0.1&nms=0.2")
    before = kept(shown)

    shown.tab.locator(f"button[data-chip={chip}]").click()
    shown.tab.wait_for_timeout(60)
    at_once = kept(shown)
    shown.settled(1)

    assert at_once != before
    assert kept(shown) == at_once == pythons(shown)


def test_soft_nms_has_its_sigma_which_acts_while_it_is_dragged(canvas):
    shown = canvas()
    slide(shown, "Score threshold", 0.3)
    shown.settled(1)
    shown.tab.locator("button[data-chip=nms-soft]").click()
    shown.settled(2)
    before = kept(shown)

    slide(shown, "Soft-NMS sigma", 0.0, drop=False)
    during = kept(shown)
    shown.tab.mouse.up()
    shown.settled(3)

    assert during < before
    assert kept(shown) == during == pythons(shown)


def test_the_limits_move_by_keys(canvas):
    shown = canvas()
    shown.tab.locator("input[aria-label='NMS threshold']").focus()

    shown.tab.keyboard.press("ArrowRight")
    shown.settled(1)

    assert shown.node.get_attribute("data-nms") == "0.46"
    assert kept(shown) == pythons(shown)


def test_beyond_two_thousand_candidates_a_limit_acts_on_release_and_says_so(canvas):
    shown = canvas(MANY)
    before = kept(shown)

    slide(shown, "NMS threshold", 0.5, drop=False)
    during, said = kept(shown), shown.tab.locator(".ssd-status").inner_text()
    shown.tab.mouse.up()
    shown.settled(1)

    assert int(shown.data("above")) > 2000
    assert during == before
    assert re.fullmatch(r"[\d,]+ candidates: above 2,000 the new limit acts when you let go\.", said)
    assert kept(shown) == pythons(shown) < before
    assert "let go" not in shown.tab.locator(".ssd-status").inner_text()


def test_the_same_candidates_are_live_again_where_the_score_leaves_fewer(canvas):
    shown = canvas(MANY)
    slide(shown, "Score threshold", 0.9)
    shown.settled(1)
    before = kept(shown)

    slide(shown, "NMS threshold", 0.3, drop=False)
    during = kept(shown)
    shown.tab.mouse.up()
    shown.settled(2)

    assert during < before
    assert kept(shown) == during == pythons(shown)


def test_nms_is_followed_step_by_step_with_a_sentence_each(canvas):
    shown = canvas()
    shown.tab.locator("button[data-chip=nms-steps]").click()
    shown.wait("step", 0)
    start = words(shown)
    said = []
    for step in range(1, int(shown.data("steps"))):
        shown.tab.locator("button[aria-label^='One step (']").click()
        shown.wait("step", step)
        said.append(words(shown))

    by = shown.python()["by"]
    assert re.fullmatch(r"\d+ candidates score more than 0\.5\. The one with the highest score .*", start)
    assert sum("leaves: its jaccard with" in each for each in said) == sum(index >= 0 for index in by)
    assert sum("it stays" in each for each in said) == sum(index < 0 for index in by)
    assert all(re.search(r"is 0\.\d+, above 0\.45\.", each) for each in said if "leaves" in each)
    assert said[-1] == f"No box is left: NMS keeps {kept(shown)} of {len(by)} candidates."
    assert shown.tab.locator("button[aria-label^='One step (']").is_disabled()


def test_the_steps_are_reached_by_keys_alone(canvas):
    shown = canvas()
    shown.node.focus()
    shown.tab.keyboard.press("s")
    shown.wait("step", 0)
    shown.tab.keyboard.press("ArrowRight")
    shown.wait("step", 1)
    first = words(shown)
    shown.tab.keyboard.press("PageDown")
    shown.tab.wait_for_selector("canvas.ssd-canvas:not([data-step='1'])")
    second, at = words(shown), int(shown.data("step"))
    shown.tab.keyboard.press("PageUp")
    shown.wait("step", 1)
    shown.tab.keyboard.press("End")
    shown.wait("step", int(shown.data("steps")) - 1)
    shown.tab.keyboard.press("ArrowLeft")
    shown.wait("step", int(shown.data("steps")) - 2)
    shown.tab.keyboard.press("Home")
    shown.wait("step", 0)
    shown.tab.keyboard.press("Escape")
    shown.wait("step", "")

    assert at > 1
    assert first != second
    assert "it stays" in first
    assert "it stays" in second
    expect(shown.tab.locator(".ssd-player")).not_to_be_visible()
    assert [step for *_, step in shown.python()["heard"] if step] == []  # the picture stays


def test_nms_plays_by_itself_pauses_and_goes_on(canvas):
    shown = canvas()
    shown.node.focus()
    shown.tab.keyboard.press("s")
    shown.wait("step", 0)

    shown.tab.keyboard.press(" ")
    shown.wait("playing", "true")
    shown.wait("step", 3)
    shown.tab.keyboard.press(" ")
    shown.wait("playing", "false")
    paused = shown.data("step")
    shown.tab.wait_for_timeout(1200)
    still = shown.data("step")
    shown.tab.keyboard.press("End")
    shown.tab.keyboard.press(" ")
    shown.wait("step", 2)

    assert still == paused


def test_python_hears_of_a_step_once_it_rests_and_the_canvas_stays_there(canvas):
    shown = canvas()
    shown.tab.locator("button[data-chip=nms-steps]").click()
    for _ in range(4):
        shown.tab.locator("button[aria-label^='One step (']").click()
    shown.settled(1)
    pythons(shown)

    assert shown.python()["nms_step"] == 4
    assert shown.data("step") == "4"
    assert shown.python()["heard"] == [[1, ["nms_step"], 0]]


def test_a_step_survives_a_limit_that_leaves_fewer(canvas):
    shown = canvas()
    shown.node.focus()
    shown.tab.keyboard.press("s")
    shown.wait("step", 0)  # the canvas is painted, and says so, with the next frame
    steps = int(shown.data("steps"))
    shown.tab.keyboard.press("End")
    shown.wait("step", steps - 1)

    slide(shown, "Score threshold", 0.6, drop=False)
    shown.tab.wait_for_selector(f"canvas.ssd-canvas:not([data-steps='{steps}'])")
    fewer = int(shown.data("steps"))
    shown.tab.mouse.up()

    assert fewer < steps
    assert int(shown.data("step")) == fewer - 1
    assert words(shown).startswith("No box is left")


def test_soft_nms_says_how_far_each_score_falls(canvas):
    shown = canvas()
    shown.tab.locator("button[data-chip=nms-soft]").click()
    shown.settled(1)
    shown.node.focus()
    shown.tab.keyboard.press("s")
    said = set()
    for _ in range(12):
        shown.tab.keyboard.press("ArrowRight")
        shown.tab.wait_for_timeout(30)
        said.add(re.sub(r"\d\.\d+", "#", words(shown)))

    assert any(
        re.fullmatch(r"\w+ # falls to #(, not above #, and leaves)?: its jaccard with \w+ # is #\.", s)
        for s in said
    )


def test_the_player_fits_a_narrow_screen(canvas):
    shown = canvas(width=400)
    shown.tab.locator("button[data-chip=nms-steps]").click()
    shown.wait("step", 0)

    player = shown.tab.locator(".ssd-player").bounding_box()
    assert player["x"] + player["width"] <= 400
    assert shown.tab.evaluate("document.documentElement.scrollWidth") <= 400


@pytest.mark.slow
def test_soft_nms_of_too_many_candidates_still_follows_the_score_exactly(canvas):
    shown = canvas(MANY)
    shown.tab.locator("button[data-chip=nms-soft]").click()
    shown.settled(1)
    soft = kept(shown)

    slide(shown, "Score threshold", 0.65, drop=False)
    during, above = kept(shown), int(shown.data("above"))
    shown.tab.mouse.up()
    shown.settled(2)

    assert above > 2000
    assert during < soft
    assert kept(shown) == during == pythons(shown)
