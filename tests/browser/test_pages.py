"""What a visitor does on the pages, done in Chromium against the explorer itself."""

from __future__ import annotations

import io
import re
from urllib.parse import parse_qs, urlparse

import pytest
from PIL import Image

from ssd.checkpoints import model_names
from ssd.data.synthetic import synthetic_scene
from tests.browser.test_canvas import Canvas
from tests.browser.waiting import expect, still

PAGES = ("", "anchors", "matching", "assignment", "detections")
needs_shapes = pytest.mark.skipif(
    "shapes" not in model_names(), reason="the model `shapes` is not shipped here"
)

DOG = "source=lesson+scenes"  # its first scene: a dog, a ball, a bird


@pytest.fixture
def explorer(open_tab, app_url):
    """Open a page of the explorer and wait until it is drawn."""

    def opened(path: str, **options):
        tab = open_tab(f"{app_url}/{path}", **options)
        tab.set_default_timeout(60_000)
        tab.wait_for_selector("[data-testid=stSidebar] img")
        still(tab)
        return tab

    return opened


def go_to(tab, page: str, mode: str) -> None:
    """To another page, as a person goes: by its name at the top."""
    tab.get_by_role("link", name=page).first.click()
    tab.wait_for_selector(f"canvas.ssd-canvas[data-mode={mode}]")
    still(tab)


def link(tab) -> dict[str, list[str]]:
    """The parts of the address."""
    return parse_qs(urlparse(tab.url).query)


def wait_for_link(tab, key: str) -> str:
    """Wait until the address has that part."""
    tab.wait_for_url(re.compile(rf"[?&]{key}="))
    return link(tab)[key][0]


@pytest.mark.parametrize("page", PAGES)
def test_a_page_opens_without_a_complaint_and_fits_every_screen(open_tab, app_url, page):
    tab = open_tab(f"{app_url}/{page}?seed=4")
    tab.wait_for_selector(
        "canvas.ssd-canvas[data-ver]" if page else "[data-testid=stMain] img", timeout=60_000
    )
    still(tab)

    assert_fits(tab)
    if page:  # controls, picture and verdict need no scrolling
        picture = tab.locator("canvas.ssd-canvas").first.bounding_box()
        assert picture["y"] + picture["height"] <= 900
        assert picture["width"] > 450

    tab.emulate_media(color_scheme="dark")
    still(tab)
    assert_fits(tab)

    tab.set_viewport_size({"width": 400, "height": 800})
    tab.reload()
    tab.wait_for_selector("canvas.ssd-canvas[data-ver]" if page else "[data-testid=stMain] img")
    still(tab)
    assert_fits(tab)
    if not page:  # all four stages on the first screen of a phone
        last = tab.locator(".st-key-pipeline [data-testid=stColumn] img").nth(3).bounding_box()
        assert last["y"] + last["height"] <= 800


def assert_fits(tab) -> None:
    """No complaint, the title below the bar, and nothing beyond the right border."""
    assert tab.locator("[data-testid=stException]").count() == 0
    bar = tab.locator("[data-testid=stHeader]").bounding_box()
    assert tab.locator("[data-testid=stMain] h1").first.bounding_box()["y"] >= bar["y"] + bar["height"]
    assert tab.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth - innerWidth") <= 0


def test_the_score_slider_changes_the_count_while_it_moves(explorer):
    if "shapes" not in model_names():
        pytest.skip("the model `shapes` is not shipped here")
    canvas = Canvas(explorer("detections?seed=4&score=0.05"))
    slider = canvas.tab.locator("input[type=range][aria-label='Score threshold']")
    box = slider.bounding_box()
    before = int(canvas.data("above"))

    canvas.tab.mouse.move(box["x"] + box["width"] * 0.06, box["y"] + box["height"] / 2)
    canvas.tab.mouse.down()
    canvas.tab.mouse.move(box["x"] + box["width"] * 0.97, box["y"] + box["height"] / 2, steps=6)
    canvas.tab.wait_for_timeout(150)
    during = int(canvas.data("above"))
    canvas.tab.mouse.up()
    still(canvas.tab)

    assert during < before
    assert float(wait_for_link(canvas.tab, "score")) > 0.9
    assert int(canvas.data("above")) == during


@needs_shapes
def test_a_step_back_takes_back_what_was_set_on_the_canvas(explorer):
    canvas = Canvas(explorer("detections?seed=4"))
    slider = canvas.tab.locator("input[type=range][aria-label='Score threshold']")
    before = canvas.data("above")

    slider.fill("0.1")
    wait_for_link(canvas.tab, "score")
    still(canvas.tab)
    assert canvas.data("above") != before
    canvas.tab.wait_for_timeout(600)
    canvas.tab.go_back()

    canvas.tab.wait_for_selector(f"canvas.ssd-canvas[data-above='{before}']")
    still(canvas.tab)
    assert "score" not in link(canvas.tab)
    assert slider.input_value() == "0.5"


def test_a_step_back_finds_a_lesson_scene_with_its_own_rule(explorer):
    tab = explorer("matching?source=lesson+scenes&lesson=orphan+pair")
    rule = tab.get_by_label("Matching rule")
    expect(rule).to_have_value("overwrite")
    go_to(tab, "Assignment", "assignment")
    still(tab)

    tab.go_back()
    tab.wait_for_url("**/matching?**")
    still(tab)

    expect(rule).to_have_value("overwrite")
    assert "settings" not in link(tab)


@pytest.mark.parametrize("page", ["matching", "assignment"])
def test_a_button_that_sets_everything_shows_what_its_link_shows(explorer, page):
    canvas = Canvas(explorer(page))
    canvas.tab.get_by_role("button", name="Worked example").click()
    canvas.tab.wait_for_selector("canvas.ssd-canvas[data-positive='3']")
    still(canvas.tab)

    assert [canvas.data(name) for name in ("threshold", "positive", "forced")] == ["0.5", "3", "3"]

    canvas.tab.locator("[data-testid=stSidebar] [data-testid=stSlider] input").focus()
    canvas.tab.keyboard.press("ArrowRight")
    canvas.tab.wait_for_selector("canvas.ssd-canvas[data-threshold='0.51']")


def test_the_dog_is_dragged_and_anchors_change_hands(explorer):
    canvas = Canvas(explorer(f"matching?{DOG}"))
    sentence = canvas.tab.get_by_text(re.compile(r"^dog: \d+ anchor")).first
    before, positive = sentence.inner_text(), canvas.data("positive")

    canvas.drag((0.29, 0.58), (0.55, 0.45))
    objects = wait_for_link(canvas.tab, "objects")
    still(canvas.tab)

    assert canvas.data("positive") != positive or sentence.inner_text() != before
    assert len(objects) == 3 * 14
    expect(canvas.tab.get_by_text("dog and ball · edited")).to_have_count(1)


def test_a_copied_link_rebuilds_the_view(explorer, open_tab):
    canvas = Canvas(explorer(f"matching?{DOG}&rule=overwrite&threshold=0.4"))
    canvas.drag((0.29, 0.58), (0.5, 0.5))
    wait_for_link(canvas.tab, "objects")
    still(canvas.tab)
    wanted = [canvas.data(name) for name in ("positive", "forced", "objects", "scene")]

    copy = Canvas(explorer(canvas.tab.url.split("/", 3)[3]))

    assert [copy.data(name) for name in ("positive", "forced", "objects", "scene")] == wanted
    assert link(copy.tab) == link(canvas.tab)


def test_what_was_drawn_comes_along_to_the_next_page(explorer):
    canvas = Canvas(explorer(f"matching?{DOG}"))
    canvas.drag((0.29, 0.58), (0.5, 0.5))
    objects = wait_for_link(canvas.tab, "objects")
    still(canvas.tab)

    canvas.tab.get_by_role("link", name="Assignment").first.click()
    canvas.tab.wait_for_url(re.compile("/assignment"))

    assert wait_for_link(canvas.tab, "objects") == objects
    expect(canvas.tab.get_by_text("dog and ball · edited")).to_have_count(1)


def test_an_object_is_drawn_and_deleted(explorer):
    canvas = Canvas(explorer("matching?source=lesson+scenes&lesson=empty+meadow"))
    canvas.drag((0.3, 0.3), (0.6, 0.8))
    canvas.wait("objects", 1)
    assert len(wait_for_link(canvas.tab, "objects")) == 14
    still(canvas.tab)

    canvas.tab.keyboard.press("Delete")
    canvas.wait("objects", 0)
    still(canvas.tab)

    assert link(canvas.tab).get("objects") == ["none"]


def test_a_clicked_anchor_is_followed_through_the_pipeline(explorer):
    canvas = Canvas(explorer("anchors?seed=4&anchors=lesson-4x4&show=whole+level"))
    canvas.click(0.62, 0.37)
    anchor = wait_for_link(canvas.tab, "anchor")
    still(canvas.tab)

    assert anchor == "9"  # column 2, row 1 of four by four, column by column
    expect(canvas.tab.get_by_text("Follow anchor 9")).to_be_visible()


def test_the_arrow_keys_step_through_the_scenes(explorer):
    canvas = Canvas(explorer("matching?seed=4"))
    scene = canvas.data("scene")
    canvas.node.focus()
    canvas.tab.keyboard.press("ArrowRight")
    canvas.tab.wait_for_selector(f"canvas.ssd-canvas:not([data-scene='{scene}'])")

    assert wait_for_link(canvas.tab, "seed") == "5"


def test_the_rule_repaints_the_picture_and_moves_nothing(explorer):
    canvas = Canvas(explorer("matching?source=lesson+scenes&lesson=orphan+pair"))
    before, forced = canvas.node.bounding_box(), canvas.data("forced")
    canvas.tab.get_by_text(re.compile("kayak: orphan")).first.wait_for()

    canvas.tab.locator("[data-testid=stSidebar] [data-testid=stSelectbox]").nth(3).locator("input").click()
    canvas.tab.get_by_role("option", name="bipartite").click()
    canvas.wait("forced", int(forced) + 1)
    still(canvas.tab)

    expect(canvas.tab.get_by_text(re.compile("kayak: orphan"))).to_have_count(0)
    assert canvas.node.bounding_box() == before


def picture_file(kind: str = "PNG", size: tuple[int, int] = (120, 90)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, (200, 120, 40)).save(buffer, kind)
    return buffer.getvalue()


def shapes_file() -> bytes:
    """A synthetic scene as a picture of somebody's own."""
    buffer = io.BytesIO()
    pixels = synthetic_scene(4).picture.permute(1, 2, 0).numpy()
    Image.fromarray(pixels).resize((480, 480)).save(buffer, "PNG")
    return buffer.getvalue()


def test_a_bad_upload_is_explained_and_a_good_one_is_shown(explorer):
    tab = explorer("matching?source=upload")
    chooser = tab.locator("input[type=file]")
    chooser.set_input_files(
        {"name": "**b**.jpg", "mimeType": "image/jpeg", "buffer": b"hello, not a picture"}
    )
    tab.get_by_text(re.compile("not a JPEG, PNG, WebP or BMP")).wait_for()
    assert tab.get_by_text(re.compile(r"\*\*b\*\*\.jpg")).count() >= 1  # shown as it is, no markup

    chooser.set_input_files({"name": "mine.png", "mimeType": "image/png", "buffer": picture_file()})
    canvas = Canvas(tab)
    canvas.wait("width", 120)
    still(tab)

    assert canvas.size() == (120, 90)
    assert canvas.data("objects") == "0"
    assert "objects" not in link(tab)
    assert "media" not in "".join(tab.locator("img").evaluate_all("all => all.map(i => i.src)"))


def test_an_earlier_upload_stays_behind_the_newest(explorer):
    tab = explorer("matching?source=upload")
    canvas = Canvas(tab)
    before, following = (tab.get_by_role("button", name=name, exact=True) for name in "◀▶")
    expect(before).to_be_disabled()
    chooser = tab.locator("input[type=file]")
    for name, width in (("first.png", 120), ("second.png", 300)):
        picture = picture_file(size=(width, 90))
        chooser.set_input_files({"name": name, "mimeType": "image/png", "buffer": picture})
        canvas.wait("width", width)
        still(tab)

    before.click()
    canvas.wait("width", 120)
    expect(tab.locator("[data-testid=stSidebar]")).to_contain_text("first.png")
    following.click()
    canvas.wait("width", 300)


def test_an_object_drawn_on_an_own_picture_is_matched_but_does_not_travel(explorer):
    tab = explorer("matching?source=upload")
    tab.locator("input[type=file]").set_input_files(
        {"name": "mine.png", "mimeType": "image/png", "buffer": picture_file(size=(300, 200))}
    )
    canvas = Canvas(tab)
    canvas.wait("width", 300)
    still(tab)

    canvas.drag((0.2, 0.2), (0.6, 0.8))
    canvas.wait("objects", 1)
    still(tab)

    assert int(canvas.data("positive")) > 0
    assert "objects" not in link(tab)


def test_an_unknown_page_leads_home(open_tab, app_url, chromium):
    context = chromium.new_context()
    tab = context.new_page()  # Streamlit itself writes the missing page to the console
    tab.goto(f"{app_url}/no-such-page")
    tab.get_by_text("Page not found").wait_for(timeout=60_000)
    tab.wait_for_selector("[data-testid=stMain] img", timeout=60_000)
    context.close()


@pytest.mark.parametrize(
    "link_text",
    [
        "seed=999999",
        "source=../../etc/passwd",
        "model=../../etc/passwd",
        "objects=%ff%fe&anchor=-1",
        "seed=1&seed=2&seed=x",
    ],
)
def test_a_bad_link_opens_the_page_with_a_note_or_without_the_part(explorer, link_text):
    tab = explorer(f"detections?{link_text}")

    assert tab.locator("[data-testid=stException]").count() == 0
    assert "passwd" not in tab.locator("[data-testid=stMain]").inner_text()


def test_a_link_of_a_thousand_parts_opens_quickly(explorer):
    parts = "&".join(f"k{n}=v" for n in range(1000))
    tab = explorer(f"matching?{parts}")

    expect(tab.locator("canvas.ssd-canvas")).to_have_count(1)


def test_a_tour_leads_to_its_scene(explorer):
    tab = explorer("")
    tab.get_by_role("link", name=re.compile("Drag the dog")).click()
    tab.wait_for_url(re.compile("/matching"))
    tab.wait_for_selector("canvas.ssd-canvas[data-ver]")

    assert wait_for_link(tab, "source") == "lesson scenes"
    assert "tour" not in link(tab)


def test_nothing_is_asked_from_another_machine(chromium, app_url):
    context = chromium.new_context()
    asked = []
    context.on("request", lambda request: asked.append(request.url))
    tab = context.new_page()
    for page in PAGES:
        tab.goto(f"{app_url}/{page}")
        tab.wait_for_selector("[data-testid=stSidebar] img", timeout=60_000)
        still(tab)
    context.close()

    assert {urlparse(url).hostname for url in asked if not url.startswith(("data:", "blob:"))} == {
        "localhost"
    }


def test_a_pages_own_controls_survive_another_page_and_stand_in_the_link(explorer):
    tab = explorer("anchors?seed=4")
    tab.get_by_role("radio", name="whole level").click()
    assert wait_for_link(tab, "show") == "whole level"
    still(tab)
    go_to(tab, "Detections", "detections")
    tab.locator("input[aria-label='NMS threshold']").focus()
    tab.keyboard.press("ArrowRight")
    assert wait_for_link(tab, "nms") == "0.46"
    still(tab)

    go_to(tab, "Anchors", "anchors")
    assert wait_for_link(tab, "show") == "whole level"
    assert int(Canvas(tab).data("n")) > 100
    go_to(tab, "Detections", "detections")

    assert wait_for_link(tab, "nms") == "0.46"
    assert Canvas(tab).data("nms") == "0.46"


@pytest.mark.parametrize("page", ["matching", "assignment"])
def test_the_match_threshold_acts_while_it_is_dragged_and_python_agrees(explorer, page):
    canvas = Canvas(explorer(f"{page}?seed=4"))
    slider = canvas.tab.locator("input[type=range][aria-label='Match threshold, live']")
    box, before = slider.bounding_box(), int(canvas.data("positive"))

    canvas.tab.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] / 2)
    canvas.tab.mouse.down()
    canvas.tab.mouse.move(box["x"] + box["width"] * 0.15, box["y"] + box["height"] / 2, steps=6)
    canvas.tab.wait_for_timeout(150)
    during = int(canvas.data("positive"))
    canvas.tab.mouse.up()
    asked = float(wait_for_link(canvas.tab, "threshold"))
    still(canvas.tab)

    assert during > before
    assert asked == pytest.approx(float(canvas.data("threshold")))
    assert int(canvas.data("positive")) == during
    expect(canvas.tab.locator("[data-testid=stSidebar]").get_by_text(f"{asked:.2f}")).to_have_count(1)


@needs_shapes
def test_the_nms_threshold_acts_while_it_is_dragged_and_the_page_keeps_as_many(explorer):
    canvas = Canvas(explorer("detections?seed=4&score=0.05"))
    slider = canvas.tab.locator("input[type=range][aria-label='NMS threshold']")
    box, before = slider.bounding_box(), int(canvas.data("kept"))

    canvas.tab.mouse.move(box["x"] + box["width"] * 0.45, box["y"] + box["height"] / 2)
    canvas.tab.mouse.down()
    canvas.tab.mouse.move(box["x"] + box["width"] * 0.95, box["y"] + box["height"] / 2, steps=6)
    canvas.tab.wait_for_timeout(150)
    during = int(canvas.data("kept"))
    canvas.tab.mouse.up()
    asked = float(wait_for_link(canvas.tab, "nms"))
    canvas.tab.get_by_text(re.compile(f"Score 0.05 keeps {during} of")).wait_for()

    assert during > before
    assert asked == float(canvas.data("nms")) > 0.8
    assert int(canvas.data("kept")) == during


@needs_shapes
def test_a_link_opens_nms_at_its_step(explorer):
    canvas = Canvas(explorer("detections?seed=4&score=0.05&nmskind=soft&sigma=0.3&step=5"))
    sentence = canvas.tab.locator(".ssd-step-words").inner_text()

    assert canvas.data("step") == "5"
    assert canvas.node.evaluate("(node) => [node.dataset.nmsKind, node.dataset.sigma]") == ["soft", "0.3"]
    assert "falls to" in sentence or "it stays" in sentence


@needs_shapes
def test_objects_that_the_score_keeps_out_turn_yellow(explorer):
    canvas = Canvas(explorer("detections?seed=4&score=0.05"))
    assert canvas.data("missed") == "0"
    slider = canvas.tab.locator("input[type=range][aria-label='Score threshold']")
    slider.focus()
    slider.press("End")
    canvas.wait("kept", 0)

    assert canvas.tab.locator(".ssd-status").inner_text().count("0 found") == 1
    assert canvas.data("missed") == canvas.data("objects")


@needs_shapes
def test_an_object_on_an_own_picture_gets_a_class_and_counts(explorer):
    tab = explorer("matching?source=upload")
    tab.locator("input[type=file]").set_input_files(
        {"name": "mine.png", "mimeType": "image/png", "buffer": shapes_file()}
    )
    canvas = Canvas(tab)
    canvas.wait("width", 480)
    still(tab)
    canvas.drag((0.05, 0.05), (0.4, 0.5))
    canvas.wait("objects", 1)
    tab.get_by_label("Class of a drawn object").select_option("circle")
    still(tab)

    go_to(tab, "Detections", "detections")

    expect(tab.locator(".ssd-numbers").get_by_text("recall")).to_be_visible()
    tab.locator(".ssd-line:visible").filter(has_text=re.compile("^circle( ·|:)")).first.wait_for()


def test_a_refused_upload_says_what_stays(explorer):
    tab = explorer("matching?source=upload")
    tab.locator("input[type=file]").set_input_files(
        {"name": "x.jpg", "mimeType": "image/jpeg", "buffer": b"hello, not a picture"}
    )

    tab.get_by_text("what was on the screen before is still there").wait_for()


def test_a_setting_of_the_sidebar_leaves_the_rest_of_the_page_alone(explorer):
    canvas = Canvas(explorer("matching?source=lesson+scenes&lesson=orphan+pair"))
    canvas.tab.evaluate("document.querySelector('h1').dataset.mine = 'kept'")
    canvas.tab.locator("[data-testid=stSidebar] label:has(input[type=checkbox])").click()
    wait_for_link(canvas.tab, "strict")
    still(canvas.tab)

    assert canvas.tab.evaluate("document.querySelector('h1').dataset.mine") == "kept"
