"""What a person does on the canvas, done in Chromium, and what Python hears of it."""

from __future__ import annotations

import json
import re

import pytest

from ssd.anchors import make_anchors
from ssd.boxes import area
from ssd.config import anchor_preset
from tests.browser.waiting import expect

DRAGS = 12


class Canvas:
    """One canvas in a tab, addressed in units of the picture."""

    def __init__(self, tab):
        self.tab = tab
        self.node = tab.locator("canvas.ssd-canvas").first
        tab.wait_for_selector("canvas.ssd-canvas[data-ver]")
        tab.wait_for_timeout(150)

    def data(self, name: str) -> str:
        return self.node.get_attribute(f"data-{name}")

    def point(self, x: float, y: float) -> tuple[float, float]:
        """From units of the picture to pixels of the tab: the picture lies centred."""
        box = self.node.bounding_box()
        width, height = self.size()
        scale = min(box["width"] / width, box["height"] / height)
        left = box["x"] + (box["width"] - width * scale) / 2
        top = box["y"] + (box["height"] - height * scale) / 2
        return left + x * width * scale, top + y * height * scale

    def size(self) -> tuple[int, int]:
        sizes = self.node.evaluate("(node) => [node.dataset.width, node.dataset.height]")
        return int(sizes[0]), int(sizes[1])

    def drag(self, start: tuple[float, float], end: tuple[float, float], *, drop: bool = True) -> None:
        self.tab.mouse.move(*self.point(*start))
        self.tab.mouse.down()
        self.tab.mouse.move(*self.point(*end), steps=8)
        if drop:
            self.tab.mouse.up()

    def click(self, x: float, y: float) -> None:
        self.tab.mouse.click(*self.point(x, y))

    def settled(self, revision: int) -> None:
        """Wait until Python has answered that revision."""
        self.tab.wait_for_selector(f"canvas.ssd-canvas[data-answered='{revision}']")
        self.tab.wait_for_timeout(120)

    def wait(self, name: str, value: object) -> None:
        self.tab.wait_for_selector(f"canvas.ssd-canvas[data-{name}='{value}']")

    def python(self) -> dict:
        """What Python has written on the page."""
        return json.loads(self.tab.locator("[data-testid=stCode] code").inner_text())


@pytest.fixture
def canvas(open_tab, canvas_url):
    """A function that opens a canvas in some mode."""
    return lambda query="", **options: Canvas(open_tab(f"{canvas_url}/?{query}", **options))


def test_dragging_an_object_changes_the_anchors_before_python_hears_of_it(canvas):
    shown = canvas("mode=matching")
    before = shown.data("positive")

    shown.drag((0.2, 0.4), (0.4, 0.45), drop=False)
    shown.tab.wait_for_timeout(100)
    during, heard = shown.data("positive"), shown.python()["heard"]
    shown.tab.mouse.up()
    shown.settled(1)

    assert during != before
    assert heard == []
    assert shown.python()["heard"][0][0] == 1
    assert shown.python()["objects"][0][:2] == pytest.approx([0.3, 0.2], abs=0.02)


def test_dragging_twice_quickly_keeps_the_last_position(canvas):
    shown = canvas("mode=matching&wait=0.6")  # Python answers late

    shown.drag((0.2, 0.4), (0.3, 0.4))
    shown.drag((0.3, 0.4), (0.4, 0.4))
    shown.settled(2)

    assert shown.python()["objects"][0][0] == pytest.approx(0.3, abs=0.02)
    assert shown.data("objects") == "3"


def test_many_quick_drags_end_where_the_hand_ended(canvas):
    shown = canvas("mode=matching&wait=0.15")

    for turn in range(DRAGS):
        x = 0.2 + 0.02 * turn
        shown.drag((x, 0.4), (x + 0.02, 0.4))
    shown.settled(DRAGS)

    assert shown.python()["objects"][0][0] == pytest.approx(0.1 + 0.02 * DRAGS, abs=0.02)


def test_a_corner_resizes_the_selected_object(canvas):
    shown = canvas("mode=matching")
    shown.drag((0.2, 0.4), (0.2, 0.41))  # selects it
    shown.settled(1)
    x1, y1, x2, y2, _ = shown.python()["objects"][0]

    shown.drag((x2, y2), (x2 + 0.05, y2 + 0.1))
    shown.settled(2)

    assert shown.python()["objects"][0][:4] == pytest.approx([x1, y1, x2 + 0.05, y2 + 0.1], abs=0.015)


def test_a_drawn_object_has_the_chosen_class_and_can_be_deleted_and_brought_back(canvas):
    shown = canvas("mode=matching")
    shown.tab.locator("select.ssd-name").select_option("person")

    shown.drag((0.5, 0.1), (0.6, 0.4))
    shown.settled(1)
    drawn = shown.python()["objects"][-1]
    shown.tab.keyboard.press("Delete")
    shown.settled(2)
    left = len(shown.python()["objects"])
    shown.tab.keyboard.press("Control+z")
    shown.settled(3)

    assert drawn[4] == "person"
    assert drawn[:4] == pytest.approx([0.5, 0.1, 0.6, 0.4], abs=0.015)
    assert left == 3
    assert shown.python()["objects"][-1] == drawn


def test_a_click_selects_the_smallest_anchor_under_the_cursor(canvas):
    shown = canvas("mode=anchors&fixed=1&preset=lesson-4x4")

    shown.click(0.6, 0.3)  # column 2, row 1 of 4: the lesson's cells run column by column
    shown.settled(1)

    assert shown.python()["selected_anchor"] == 9


@pytest.mark.parametrize(
    ("point", "anchor"),
    [((0.6, 0.3), 9), ((0.97, 0.97), 15), ((0.02, 0.9), 3), ((0.26, 0.4), 5)],
    ids=["another cell", "the far corner", "the near edge", "its own cell"],
)
def test_where_one_cell_is_shown_a_click_chooses_the_cell_that_lies_there(canvas, point, anchor):
    shown = canvas("mode=anchors&fixed=1&preset=lesson-4x4&cell=5")  # column 1, row 1
    shown.wait("n", 1)

    shown.click(*point)
    if anchor != 5:
        shown.settled(1)

    shown.wait("selected-anchor", anchor)
    assert shown.python()["selected_anchor"] == anchor


def test_the_shape_stays_in_another_cell_and_an_outline_there_is_the_cells_own(canvas):
    anchors = make_anchors(anchor_preset("ssd300-voc").anchors)
    of_level = (anchors.level == 3).nonzero().flatten()
    row, column, shape = (field[of_level] for field in (anchors.row, anchors.column, anchors.shape))
    middle = int(of_level[(row == 2) & (column == 2) & (shape == 3)])
    corner = int(of_level[(row == 4) & (column == 0) & (shape == 3)])
    largest = int(of_level[(row == 2) & (column == 2) & (shape == 1)])
    x1, y1, _, _ = anchors.boxes[largest].tolist()
    shown = canvas(f"mode=anchors&fixed=1&cell={middle}")
    shown.wait("n", 6)

    shown.click(x1, y1)
    shown.wait("selected-anchor", largest)
    shown.click(0.5, 0.5)  # within the cell, where all its anchors lie
    shown.tab.wait_for_selector(f"canvas.ssd-canvas:not([data-selected-anchor='{largest}'])")
    smallest = int(shown.data("selected-anchor"))
    shown.click(x1 / 4, 0.97)

    shown.wait("selected-anchor", corner + smallest - middle)
    assert area(anchors.boxes[[smallest]]) == pytest.approx(
        area(anchors.boxes[middle - 3 : middle + 3]).min().item(), rel=1e-6
    )
    assert shown.data("n") == "6"


def test_shift_and_an_arrow_go_from_cell_to_cell_and_not_beyond_the_grid(canvas):
    shown = canvas("mode=anchors&fixed=1&preset=lesson-4x4&cell=5")
    shown.wait("n", 1)
    shown.node.focus()

    for key, anchor in (("Right", 9), ("Down", 10), ("Down", 11), ("Down", 11), ("Left", 7), ("Up", 6)):
        shown.tab.keyboard.press(f"Shift+Arrow{key}")
        shown.wait("selected-anchor", anchor)

    assert shown.data("n") == "1"


def test_a_click_beside_everything_clears_the_selection(canvas):
    shown = canvas("mode=matching&preset=lesson-4x4")
    shown.click(0.2, 0.4)
    shown.settled(1)

    shown.tab.keyboard.press("Escape")
    shown.settled(2)

    assert shown.python().get("selected_object") is None
    assert shown.python().get("selected_anchor") is None


def test_the_score_slider_acts_while_it_moves_and_python_hears_on_release(canvas):
    shown = canvas("mode=detections&fixed=1")
    before = int(shown.data("above"))
    slider = shown.tab.locator("input[type=range][aria-label='Score threshold']")
    box = slider.bounding_box()
    y = box["y"] + box["height"] / 2

    shown.tab.mouse.move(box["x"] + box["width"] * 0.5, y)
    shown.tab.mouse.down()
    shown.tab.mouse.move(box["x"] + box["width"] * 0.2, y, steps=6)
    shown.tab.wait_for_timeout(100)
    during, heard = int(shown.data("above")), shown.python()["heard"]
    shown.tab.mouse.up()
    shown.settled(1)

    assert during > before
    assert heard == []
    assert shown.python()["score"] == pytest.approx(float(shown.data("score")))


def test_the_score_slider_moves_by_keys(canvas):
    shown = canvas("mode=detections&fixed=1")
    shown.tab.locator("input[type=range][aria-label='Score threshold']").focus()

    shown.tab.keyboard.press("ArrowRight")
    shown.settled(1)

    assert shown.python()["score"] == 0.51


def test_a_level_is_switched_off_by_its_chip(canvas):
    shown = canvas("mode=anchors&fixed=1")
    all_of_them = int(shown.data("n"))

    shown.tab.locator("button[data-chip=level-0]").click()
    shown.settled(1)

    assert all_of_them == 8732
    assert int(shown.data("n")) == 8732 - 5776
    assert shown.python()["hidden_levels"] == [0]


def test_arrow_keys_step_through_pictures_or_move_the_selected_object(canvas):
    shown = canvas("mode=matching")
    shown.node.focus()
    shown.tab.keyboard.press("ArrowRight")
    shown.tab.wait_for_timeout(400)
    stepped = shown.python()["heard"]
    shown.tab.keyboard.press("Tab")
    shown.settled(1)
    before = shown.python()["objects"][0][0]

    shown.tab.keyboard.press("Shift+ArrowRight")
    shown.settled(2)

    assert stepped == [[0, [], 1]]
    assert shown.python()["objects"][0][0] == pytest.approx(before + 10 / shown.size()[0], abs=1e-4)


def test_h_hides_every_box(canvas):
    shown = canvas("mode=matching")
    shown.node.focus()

    shown.tab.keyboard.press("h")
    shown.wait("n", 0)
    shown.tab.keyboard.press("h")
    shown.tab.wait_for_timeout(100)

    assert shown.data("n") != "0"


def test_zoom_keeps_what_lies_under_the_cursor(canvas):
    shown = canvas("mode=anchors&fixed=1&preset=lesson-4x4")
    where = shown.point(0.6, 0.3)
    shown.tab.mouse.move(*where)

    shown.tab.keyboard.down("Control")
    shown.tab.mouse.wheel(0, -300)
    shown.tab.keyboard.up("Control")
    shown.tab.wait_for_timeout(150)
    shown.tab.mouse.click(*where)
    shown.settled(1)

    assert float(shown.data("zoom")) > 2
    assert shown.python()["selected_anchor"] == 9


def test_another_picture_takes_the_place_of_what_was_dragged(canvas):
    shown = canvas("mode=matching")
    shown.drag((0.2, 0.4), (0.4, 0.45), drop=False)

    shown.tab.locator("[data-testid=stNumberInputStepUp]").evaluate("(node) => node.click()")
    shown.wait("scene", "scene 2")
    shown.tab.mouse.up()
    shown.tab.wait_for_timeout(300)

    assert shown.python()["heard"] == []
    assert shown.python()["objects"][0][0] == 0.1


def test_the_threshold_of_a_slider_on_the_page_reaches_the_canvas(canvas):
    shown = canvas("mode=matching")
    before = int(shown.data("positive"))
    shown.tab.locator("[data-testid=stSlider] input").focus()

    for _ in range(10):
        shown.tab.keyboard.press("ArrowLeft")
    shown.tab.wait_for_timeout(800)

    assert int(shown.data("positive")) > before


def test_a_thumbnail_reports_nothing_and_has_no_toolbar(canvas):
    shown = canvas("mode=matching&static=1")

    shown.drag((0.2, 0.4), (0.4, 0.45))
    shown.tab.wait_for_timeout(300)

    assert shown.python()["heard"] == []
    expect(shown.tab.locator(".ssd-bar")).not_to_be_visible()


def test_the_text_alternative_names_the_picture_its_objects_and_the_counts(canvas):
    shown = canvas("mode=matching")
    shown.tab.wait_for_timeout(700)

    label = shown.node.get_attribute("aria-label")
    spoken = shown.tab.locator("ul.ssd-spoken li").all_inner_texts()

    assert re.fullmatch(r"A scene with shapes\. 3 objects\. \d+ positive of 8,732 anchors\.", label)
    assert spoken[0].startswith("dog: from ")
    assert any(text.startswith("dog: ") and "best" in text for text in spoken)


def test_a_name_with_markup_is_shown_as_text(canvas):
    shown = canvas("mode=matching&drop=1")
    picture = {
        "name": "<img src=x onerror=alert(1)>.png",
        "mimeType": "image/png",
        "buffer": b"not a picture",
    }

    shown.tab.locator("input[type=file]").set_input_files(picture)
    shown.tab.wait_for_function("() => document.body.innerText.includes('onerror')")
    shown.tab.wait_for_timeout(400)

    assert shown.python()["files"] == [["<img src=x onerror=alert(1)>.png", 13, "", 1, 1]]
    assert shown.tab.locator("img[src='x']").count() == 0


def test_pictures_cross_one_by_one_and_large_ones_stay_behind(canvas):
    shown = canvas("mode=matching&drop=1")
    files = [{"name": f"{i}.jpg", "mimeType": "image/jpeg", "buffer": bytes(1000 + i)} for i in range(3)]
    large = {"name": "large.jpg", "mimeType": "image/jpeg", "buffer": bytes(10_100_000)}

    shown.tab.locator("input[type=file]").set_input_files([*files, large])
    shown.tab.wait_for_function("() => document.body.innerText.includes('make the picture smaller')")

    heard = shown.python()["files"]
    assert [each[:2] for each in heard] == [
        ["0.jpg", 1000],
        ["1.jpg", 1001],
        ["2.jpg", 1002],
        ["large.jpg", 0],
    ]
    assert "10 MB" in heard[3][2]


def test_more_than_twenty_pictures_are_refused_together(canvas):
    shown = canvas("mode=matching&drop=1")
    files = [{"name": f"{i}.jpg", "mimeType": "image/jpeg", "buffer": b"x"} for i in range(21)]

    shown.tab.locator("input[type=file]").set_input_files(files)
    shown.tab.wait_for_function("() => document.body.innerText.includes('20 pictures at a time')")

    assert [each[1] for each in shown.python()["files"]] == [0]


def test_a_later_run_costs_little_more_than_its_news(open_tab, canvas_url):
    tab = open_tab()
    received = []
    tab.on("websocket", lambda socket: socket.on("framereceived", lambda frame: received.append(len(frame))))
    tab.goto(f"{canvas_url}/?mode=matching")
    shown = Canvas(tab)
    tab.wait_for_timeout(500)
    first = sum(received)
    received.clear()

    for turn in range(3):
        shown.drag((0.2, 0.4), (0.2, 0.41))
        shown.settled(turn + 1)

    assert first > 150_000  # script and picture
    assert sum(received) / 3 < 12_000


def test_no_picture_is_fetched_from_the_server(open_tab, canvas_url):
    tab = open_tab()
    asked = []
    tab.on("request", lambda request: asked.append(request.url))

    tab.goto(f"{canvas_url}/?mode=matching")
    Canvas(tab)

    assert [url for url in asked if url.startswith(f"{canvas_url}/media/")] == []
    assert [url for url in asked if url.startswith("http") and not url.startswith(canvas_url)] == []


def test_the_canvas_fits_a_narrow_screen(canvas):
    shown = canvas("mode=matching&panel=1", width=400)

    assert shown.node.bounding_box()["width"] <= 400
    assert shown.tab.evaluate("document.documentElement.scrollWidth") <= 400


def touch(shown, steps: list[tuple[float, float]]) -> None:
    """One finger along the steps, in units of the picture, as the browser's own input."""
    session = shown.tab.context.new_cdp_session(shown.tab)
    for kind, step in zip(["touchStart", *["touchMove"] * (len(steps) - 1)], steps, strict=True):
        x, y = shown.point(*step)
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
        shown.tab.wait_for_timeout(30)
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_a_finger_drags_an_object(canvas):
    shown = canvas("mode=matching", width=400, has_touch=True, is_mobile=True)
    shown.node.scroll_into_view_if_needed()

    touch(shown, [(0.2, 0.4), (0.25, 0.45), (0.3, 0.5), (0.35, 0.5)])
    shown.settled(1)

    assert shown.python()["objects"][0][:2] == pytest.approx([0.25, 0.25], abs=0.03)


def test_a_finger_beside_the_objects_draws_only_with_the_tool_for_it(canvas):
    shown = canvas("mode=matching", width=400, has_touch=True, is_mobile=True)
    shown.node.scroll_into_view_if_needed()

    touch(shown, [(0.52, 0.1), (0.55, 0.2), (0.58, 0.3)])
    shown.tab.wait_for_timeout(300)
    without = shown.data("objects")
    shown.tab.locator("button[aria-label^='Draw']").click()
    shown.node.scroll_into_view_if_needed()
    touch(shown, [(0.52, 0.1), (0.55, 0.2), (0.58, 0.3)])
    shown.settled(1)

    assert without == "3"
    assert shown.python()["objects"][3][:4] == pytest.approx([0.52, 0.1, 0.58, 0.3], abs=0.03)


def test_two_canvases_share_a_page(canvas):
    shown = canvas("mode=matching&twice=1")
    shown.tab.locator("canvas.ssd-canvas[data-ver]").nth(1).wait_for()

    shown.drag((0.2, 0.4), (0.4, 0.45))
    shown.settled(1)
    small = shown.tab.locator("canvas.ssd-canvas").nth(1)
    shown.tab.wait_for_timeout(300)

    assert small.get_attribute("data-positive") == shown.data("positive")


def test_reloading_the_tab_brings_the_canvas_back(canvas):
    shown = canvas("mode=matching")
    before = shown.data("positive")

    shown.tab.reload()
    again = Canvas(shown.tab)

    assert again.data("positive") == before


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_toolbar_follows_the_theme(canvas, theme):
    shown = canvas("mode=matching", color_scheme=theme)

    ink = shown.tab.locator(".ssd-chip").first.evaluate("(node) => getComputedStyle(node).color")
    lightness = sum(int(part) for part in re.findall(r"\d+", ink)[:3]) / 3

    assert (lightness > 128) == (theme == "dark")
