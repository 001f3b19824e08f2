"""What the page's widgets ask for is on the canvas before Python has answered, and Python agrees."""

from __future__ import annotations

import pytest

from tests.browser.test_canvas import Canvas
from tests.browser.waiting import still

NUMBERS = ("positive", "forced", "ignored", "orphans", "threshold", "n", "selected-anchor")
STRICT = "[data-testid=stSidebar] label:has(input[type=checkbox])"
THRESHOLD = "[data-testid=stSidebar] [data-testid=stSlider] input"
# An object as large as the picture: its jaccard with an anchor of a quarter is the threshold.
WHOLE = "source=lesson+scenes&objects=ABAAAAAA______&anchors=lesson-multi&threshold=0.25"
LEVELS = ".st-key-level_choice button"


class Held:
    """The way to the server: what the browser says can be kept back for a while."""

    def __init__(self) -> None:
        self.kept: list | None = None

    def route(self, socket) -> None:
        """Stand between the page and its server."""
        server = socket.connect_to_server()
        socket.on_message(
            lambda words: self.kept.append((server, words)) if self.kept is not None else server.send(words)
        )

    def release(self) -> None:
        """Let everything through, now and from now on."""
        kept, self.kept = self.kept or [], None
        for server, words in kept:
            server.send(words)


@pytest.fixture
def held(open_tab, app_url):
    """Open a page whose messages to the server can be kept back."""

    def opened(path: str) -> tuple[Canvas, Held]:
        tab, way = open_tab(), Held()
        tab.route_web_socket("**/_stcore/stream", way.route)
        tab.set_default_timeout(120_000)
        tab.goto(f"{app_url}/{path}")
        tab.wait_for_selector("canvas.ssd-canvas[data-ver]")
        still(tab)
        tab.wait_for_timeout(1000)
        way.kept = []
        return Canvas(tab), way

    return opened


def numbers(canvas: Canvas) -> list[str]:
    return [canvas.data(name) for name in NUMBERS]


def pixels(canvas: Canvas) -> str:
    """What the canvas shows, as a PNG's bytes."""
    return canvas.node.evaluate("node => node.toDataURL()")


def assert_ahead_and_agreed(canvas: Canvas, way: Held, *moves, look=numbers) -> None:
    """Each move changes the canvas while Python hears nothing; told, Python changes nothing more."""
    for number, move in enumerate(moves):
        way.kept = []
        before, told = look(canvas), canvas.data("told")

        move(canvas.tab)
        canvas.tab.wait_for_timeout(400)
        ahead = look(canvas)
        assert ahead != before, f"move {number}"
        assert canvas.data("told") == told, f"move {number}"

        way.release()
        canvas.tab.wait_for_selector(f"canvas.ssd-canvas:not([data-told='{told}'])")
        still(canvas.tab)
        assert look(canvas) == ahead, f"move {number}"


def choose_bipartite(tab) -> None:
    tab.locator("[data-testid=stSidebar] [data-testid=stSelectbox]:has-text('Matching rule') input").click()
    tab.get_by_role("option", name="bipartite", exact=True).click()


def press_right(tab) -> None:
    tab.locator(THRESHOLD).focus()
    for _ in range(5):
        tab.keyboard.press("ArrowRight")


@pytest.mark.parametrize(
    ("scene", "move"),
    [
        (WHOLE, lambda tab: tab.locator(STRICT).click()),
        ("source=lesson+scenes&lesson=orphan+pair", choose_bipartite),
        ("seed=4", press_right),
    ],
    ids=["strict", "rule", "threshold"],
)
def test_the_matching_follows_the_sidebar_before_python_answers(held, scene, move):
    canvas, way = held(f"matching?{scene}")

    assert_ahead_and_agreed(canvas, way, move)


def test_a_slider_is_followed_while_it_is_dragged(held):
    canvas, way = held("assignment?seed=4")
    before, told = canvas.data("positive"), canvas.data("told")
    box = (
        canvas.tab.locator("[data-testid=stSidebar] [data-testid=stSliderThumbValue]")
        .locator("..")
        .bounding_box()
    )

    canvas.tab.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    canvas.tab.mouse.down()
    canvas.tab.mouse.move(box["x"] - 30, box["y"] + box["height"] / 2, steps=5)
    canvas.tab.wait_for_timeout(200)
    during = canvas.data("positive")
    canvas.tab.mouse.up()
    way.release()

    assert int(during) > int(before)
    assert told == "1" or canvas.data("told") >= told


def choose_preset(name):
    """Another set of anchors, in the sidebar."""

    def choose(tab) -> None:
        tab.locator("[data-testid=stSidebar] [data-testid=stSelectbox]:has-text('Anchors') input").click()
        tab.get_by_role("option", name=name, exact=True).click()

    return choose


@pytest.mark.parametrize(
    ("page", "presets"),
    [
        ("matching?seed=4", ["ssd512-voc", "lesson-multi"]),
        ("assignment?seed=4", ["ssdlite320-coco"]),
        ("anchors?seed=4", ["lesson-multi"]),
        ("anchors?seed=4&show=whole+level&levels=0.2.3.4.5", ["ssd512-voc"]),
        ("anchors?seed=4&anchor=40", ["lesson-144"]),
    ],
)
def test_a_preset_of_anchors_is_shown_before_python_answers(held, page, presets):
    canvas, way = held(page)

    assert_ahead_and_agreed(canvas, way, *map(choose_preset, presets))


def press_in(key: str):
    """Arrows in a slider."""

    def press(tab) -> None:
        tab.locator(f".st-key-{key} input").focus()
        for _ in range(8):
            tab.keyboard.press("ArrowRight")

    return press


def write_in(key: str, text: str):
    """Another text, and Enter."""

    def write(tab) -> None:
        tab.locator(f".st-key-{key} input").fill(text)
        tab.keyboard.press("Enter")

    return write


LESSON = "anchors?seed=4&anchors=lesson-multi&side=knobs&show=whole+level"


@pytest.mark.parametrize(
    ("page", "turns"),
    [
        (
            "anchors?seed=4&side=knobs",
            [
                press_in("knob_size"),
                lambda tab: tab.locator(".st-key-knob_wide button").first.click(),
                write_in("knob_cells", "7"),
                write_in("knob_step", ""),
            ],
        ),
        ("anchors?seed=4&side=knobs&show=whole+level", [press_in("knob_extra")]),
        (
            "anchors?seed=4&side=knobs&anchors=ssd300-coco&levels=0.1.2.3.4",
            [lambda tab: tab.get_by_text("Limit width").click()],
        ),
        (
            LESSON,
            [
                write_in("knob_grids", "5 3"),
                write_in("knob_zooms", "0.5 1"),
                write_in("knob_ratios", "1:1 1:0.3"),
            ],
        ),
    ],
    ids=["size, ratios, cells, step", "extra", "limit", "grids, zooms, pairs"],
)
def test_a_knob_is_followed_before_python_answers(held, page, turns):
    canvas, way = held(page)

    assert_ahead_and_agreed(canvas, way, *turns, look=pixels)


@pytest.mark.parametrize("show", ["one+cell", "whole+level"])
def test_a_level_is_shown_before_python_answers(held, show):
    canvas, way = held(f"anchors?seed=4&show={show}")

    assert_ahead_and_agreed(
        canvas, way, *(lambda tab, n=n: tab.locator(LEVELS).nth(n).click() for n in (2, 4))
    )


def test_what_is_done_on_the_canvas_is_newer_than_the_widgets(held):
    canvas, way = held("matching?seed=4")
    canvas.tab.locator(STRICT).click()
    press_right(canvas.tab)
    canvas.tab.wait_for_timeout(300)

    slider = canvas.tab.locator("input[type=range][aria-label='Match threshold, live']")
    slider.fill("0.3")
    way.release()
    canvas.tab.wait_for_url("**threshold=0.3*")
    still(canvas.tab)

    assert float(canvas.data("threshold")) == pytest.approx(0.3)


def test_of_two_widgets_the_last_that_was_moved_has_the_last_word(held):
    canvas, way = held("matching?seed=4")
    press_right(canvas.tab)
    choose_preset("lesson-multi")(canvas.tab)  # brings its source's .4
    canvas.tab.wait_for_selector("canvas.ssd-canvas[data-threshold='0.4']")
    way.release()
    still(canvas.tab)
    way.kept = []

    press_right(canvas.tab)

    canvas.tab.wait_for_selector("canvas.ssd-canvas[data-threshold='0.45']")
    way.release()
    still(canvas.tab)
    assert canvas.data("threshold") == "0.45"
