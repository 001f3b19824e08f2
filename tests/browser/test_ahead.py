"""What the page's widgets ask for is on the canvas before Python has answered, and Python agrees."""

from __future__ import annotations

import pytest

from tests.browser.test_canvas import Canvas
from tests.browser.test_pages import still

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


def assert_ahead_and_agreed(canvas: Canvas, way: Held, move) -> None:
    """A move changes the canvas while Python hears nothing; told, Python changes nothing more."""
    before, told = numbers(canvas), canvas.data("told")

    move(canvas.tab)
    canvas.tab.wait_for_timeout(400)
    ahead = numbers(canvas)
    assert ahead != before
    assert canvas.data("told") == told

    way.release()
    canvas.tab.wait_for_selector(f"canvas.ssd-canvas:not([data-told='{told}'])")
    still(canvas.tab)
    assert numbers(canvas) == ahead


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


@pytest.mark.parametrize("level", [1, 3])
@pytest.mark.parametrize("show", ["one+cell", "whole+level"])
def test_a_level_is_shown_before_python_answers(held, level, show):
    canvas, way = held(f"anchors?seed=4&show={show}")

    assert_ahead_and_agreed(canvas, way, lambda tab: tab.locator(LEVELS).nth(level + 1).click())


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
