"""One-file lessons, opened from disk with the network off: what the page shows, and live."""

from __future__ import annotations

import re

import pytest
import torch

from ssd.anchors import make_anchors
from ssd.checkpoints import find_model, read_weights
from ssd.cli import main
from ssd.config import SelectionConfig, anchor_preset
from ssd.data.lessons import lesson_scene
from ssd.data.synthetic import synthetic_scene
from ssd.figures.blobs import anchors_blob, picture_blob
from ssd.figures.canvas import CanvasObject, CanvasView, LiveMatching
from ssd.figures.scene_views import canvas_objects
from ssd.figures.sentences import object_sentences
from ssd.figures.takeaway import LessonWords, lesson_file, level_guides
from ssd.figures.takeaway_words import DRAWN_HERE, LESSON_PAGES
from ssd.matching import match
from ssd.prediction import Predictor
from tests.browser.test_canvas import Canvas
from tests.browser.test_pages import explorer, needs_shapes  # noqa: F401
from tests.browser.waiting import expect, still

HOSTILE = "</script><img src=x onerror=alert(1)>"
SEED = 4
FATES = ("kept", "beyond_top_k", "suppressed", "beyond_cap")
ANCHORS = make_anchors(anchor_preset("ssd300-voc").anchors)
COUNTS = ("mode", "n", "positive", "forced", "ignored", "orphans", "count", "objects", "threshold", "kept",
          "above", "missed", "score", "width", "height")  # fmt: skip


@pytest.fixture
def offline(open_tab):
    """A function that opens a file without a network; asking for anything else fails the test."""
    asked, dialogs = [], []

    def opened(path, *, part="", **options):
        tab = open_tab(offline=True, **options)
        tab.on("request", lambda request: asked.append(request.url))
        tab.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
        tab.goto(path.as_uri() + part)
        return Canvas(tab)

    yield opened
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert dialogs == []


def write(folder, *, name="dog and ball", mode="matching", title=None, **more):
    """The file of a lesson scene."""
    scene = lesson_scene(name)
    height, width = scene.sample.picture.shape[1:]
    preset = anchor_preset(scene.anchors)
    view = {
        "picture": picture_blob(b"", width_px=width, height_px=height, alt="a scene"),
        "anchors": anchors_blob(preset.anchors),
        "objects": canvas_objects(scene.sample.target, class_names=scene.class_names),
        "class_names": scene.class_names,
    }
    if mode in ("matching", "assignment"):
        view["matching"] = LiveMatching(scene.rule, scene.threshold, scene.strict)
        view |= {"threshold_slider": True, "editable": True, "panel": True}
    words = LessonWords(
        title or mode.capitalize(), title or name, LESSON_PAGES[mode], ("As it was.",), DRAWN_HERE
    )
    guides = level_guides(preset.anchors, network=scene.anchors) if mode == "anchors" else ()
    content = lesson_file(
        CanvasView(mode=mode, **{**view, **more}), picture=scene.sample.picture, words=words, guides=guides
    )
    path = folder / "lesson.html"
    path.write_bytes(content)
    return path


def state(canvas):
    """The lesson as it stands."""
    return canvas.tab.evaluate("ssdLesson()")


def python_says(canvas, *, anchors=ANCHORS):
    """What Python finds for the objects, the rule and the threshold of the file, and its sentences."""
    now = state(canvas)
    boxes = torch.tensor([each["box"] for each in now["objects"]], dtype=torch.float32).reshape(-1, 4)
    rule = now["matching"]
    found = match(boxes, anchors.boxes, rule=rule["rule"], threshold=now["threshold"], strict=rule["strict"])
    sentences = object_sentences(found, anchors, names=[each["name"] for each in now["objects"]])
    counts = {
        "positive": int(found.positive.sum()),
        "forced": int(found.forced.sum()),
        "orphans": int(found.orphan.sum()),
    }
    return {name: str(count) for name, count in counts.items()}, list(sentences)


def file_says(canvas):
    """The same, as the file shows it."""
    lines = canvas.tab.locator(".ssd-lines .ssd-line:visible").all_inner_texts()
    counts = {name: canvas.data(name) for name in ("positive", "forced", "orphans")}
    return counts, [line.strip() for line in lines]


def take_away(tab, folder):
    """Press the page's button; the file that comes."""
    box = tab.locator("[data-testid=stExpander]", has_text="Download").first
    box.locator("summary").click()
    button = tab.get_by_role("button", name="One-file lesson")
    button.wait_for()
    still(tab)
    with tab.expect_download() as download:
        button.click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


@pytest.mark.parametrize(
    ("link", "name"),
    [
        ("matching?source=lesson+scenes&rule=overwrite&threshold=0.4", "matching-dog-and-ball.html"),
        ("matching?source=photographs&photograph=motorcycle", "matching-motorcycle.html"),
        ("assignment?source=lesson+scenes&lesson=crowded", "assignment-"),
        (
            "anchors?source=photographs&photograph=chelsea&levels=0.1.2.4.5&show=whole+level",
            "anchors-chelsea.html",
        ),
        pytest.param("detections?seed=4&score=0.3", "detections-", marks=needs_shapes),
    ],
)
def test_the_file_of_a_page_shows_the_counts_of_the_page(explorer, offline, tmp_path, link, name):  # noqa: F811
    tab = explorer(link)
    page = Canvas(tab)
    wanted = {count: page.data(count) for count in COUNTS}

    path = take_away(tab, tmp_path)
    file = offline(path)

    assert path.name.startswith(name)
    assert path.stat().st_size < 2_000_000
    assert {count: file.data(count) for count in COUNTS} == wanted


def test_a_threshold_moved_in_the_file_gives_pythons_match(offline, tmp_path):
    file = offline(write(tmp_path))
    slider = file.tab.get_by_label("Match threshold, live")
    before = file_says(file)

    slider.focus()
    for _ in range(18):
        file.tab.keyboard.press("ArrowRight")
    file.wait("threshold", 0.68)

    assert file_says(file) == python_says(file)
    assert file_says(file) != before


def test_an_object_dragged_in_the_file_gives_pythons_match(offline, tmp_path):
    file = offline(write(tmp_path))
    before = state(file)["objects"][0]["box"]

    file.drag((0.29, 0.58), (0.6, 0.42))
    file.wait("answered", 1)

    assert state(file)["objects"][0]["box"][0] == pytest.approx(before[0] + 0.31, abs=0.02)
    assert file_says(file) == python_says(file)


def test_a_rule_chosen_in_the_file_makes_the_orphan_that_it_makes_in_python(offline, tmp_path):
    file = offline(write(tmp_path, name="orphan pair"))
    overwritten = file_says(file)

    file.tab.get_by_role("button", name="bipartite").click()
    file.wait("orphans", 0)

    assert overwritten[0]["orphans"] == "1"
    assert file_says(file) == python_says(file)
    assert "every object keeps one" in file.tab.locator(".remark").inner_text()


def test_the_sign_of_the_threshold_counts_as_in_python(offline, tmp_path):
    grid = make_anchors(anchor_preset("lesson-4x4").anchors)
    half = [CanvasObject((0.0, 0.0, 0.125, 0.25), "half a cell")]  # jaccard exactly .5 with anchor 0
    rule = LiveMatching("bipartite", 0.5)
    file = offline(write(tmp_path, name="worked example", objects=half, matching=rule))
    reached = file_says(file)

    file.tab.get_by_role("button", name=">", exact=True).click()
    file.wait("forced", 1)

    assert reached[0] == {"positive": "1", "forced": "0", "orphans": "0"}
    assert file_says(file) == python_says(file, anchors=grid)


def test_an_object_can_be_drawn_and_deleted_and_everything_begun_again(offline, tmp_path):
    file = offline(write(tmp_path))
    opened = file_says(file)

    file.tab.locator("canvas.ssd-canvas").focus()
    file.tab.keyboard.press("n")
    file.wait("objects", 4)
    drawn = file_says(file), python_says(file)
    file.tab.keyboard.press("Delete")
    file.wait("objects", 3)
    file.tab.get_by_role("button", name="overwrite").click()
    file.tab.get_by_role("button", name="Start again").click()
    file.wait("revision", 0)

    assert drawn[0] == drawn[1]
    assert file_says(file) == opened
    assert state(file)["matching"]["rule"] == "bipartite"


def test_levels_cells_and_the_receptive_field_follow_the_hand(offline, tmp_path):
    path = write(
        tmp_path,
        mode="anchors",
        hidden_levels=(0, 1, 3, 4, 5),
        cell_only=True,
        grid_level=2,
        level_chips=False,
    )
    file = offline(path)
    assert file.data("n") == "6"

    file.tab.get_by_role("button", name="3", exact=True).click()
    file.tab.get_by_role("button", name="whole level").click()
    file.wait("n", ANCHORS.per_level[3])
    file.tab.get_by_role("button", name="Receptive field").click()
    middle = state(file)
    file.click(0.06, 0.06)  # the smallest anchor there belongs to the corner's cell
    file.tab.wait_for_function("was => ssdLesson().selected_anchor !== was", arg=middle["selected_anchor"])
    corner = state(file)

    assert int(ANCHORS.level[middle["selected_anchor"]]) == 3
    assert corner["grid_level"] == 3
    guide = level_guides(anchor_preset("ssd300-voc").anchors, network="ssd300-voc")[3]
    row, column = int(ANCHORS.row[corner["selected_anchor"]]), int(ANCHORS.column[corner["selected_anchor"]])
    (x1, x2), (y1, y2) = guide.columns[column], guide.rows[row]
    assert corner["receptive_field"] == pytest.approx([x1, y1, x2, y2])
    assert f"row {row}, column {column}" in file.tab.locator("#beside").inner_text()


@pytest.fixture(scope="module")
def shapes():
    """The shipped model of drawn shapes, and what it says about a crowded scene."""
    loaded = read_weights(find_model("shapes"))
    predictor = Predictor(loaded.model, sha256=loaded.sha256)
    return predictor, predictor.predict(synthetic_scene(SEED).picture)


@needs_shapes
@pytest.mark.parametrize(
    ("moves", "limits"),
    [
        ({"NMS threshold": 0.8}, {"nms_threshold": 0.8}),
        ({"NMS threshold": 0.1, "Score threshold": 0.05}, {"nms_threshold": 0.1, "score_threshold": 0.05}),
        ({"nms-agnostic": None, "NMS threshold": 0.25}, {"nms_threshold": 0.25, "class_agnostic": True}),
        ({"Top-k of each class": 2}, {"top_k": 2}),
        ({"nms-soft": None, "Soft-NMS sigma": 0.2}, {"nms_kind": "soft", "soft_sigma": 0.2}),
    ],
    ids=lambda value: " ".join(value),
)
def test_limits_moved_in_the_file_give_pythons_selection(offline, tmp_path, shapes, moves, limits):
    predictor, output = shapes
    path = tmp_path / "shapes.html"
    words = ["--page", "detections", "--model", "shapes", "--score", "0.1", "--out", str(path)]
    assert main(["lesson-file", f"synthetic:{SEED}", *words]) == 0
    file = offline(path)
    before = fates(file)

    for name, value in moves.items():
        move(file, name, value)
    config = SelectionConfig(**{"score_threshold": 0.1, **limits})
    picked = predictor.select(output, config)
    file.tab.wait_for_timeout(200)

    counts = picked.fate.bincount(minlength=4).tolist()
    assert before == python_fates(predictor.select(output, SelectionConfig(0.1)))
    assert fates(file) == python_fates(picked)
    assert sum(counts) == len(picked.scores) == int(file.data("above"))


def move(file, name, value):
    """A slider to a value (top-k: a place of its list), or a switch."""
    if value is None:
        file.tab.locator(f"[data-chip={name}]").click()
        return
    slider = file.tab.get_by_label(name, exact=True)
    at = 1 if name.startswith("Top-k") else value
    slider.fill(str(at))
    slider.dispatch_event("change")


def fates(file):
    """How many boxes each limit leaves, as the chips have it."""
    chips = {kind: file.tab.locator(f"[data-chip={kind}] b").inner_text() for kind in FATES}
    return {kind: int(text.replace(",", "")) for kind, text in chips.items()}


def python_fates(picked):
    """The same, of a selection."""
    counts = picked.fate.bincount(minlength=len(FATES)).tolist()
    return dict(zip(FATES, counts, strict=True))


@needs_shapes
def test_verdicts_of_the_page_step_back_when_a_limit_moves(explorer, offline, tmp_path):  # noqa: F811
    tab = explorer(f"detections?seed={SEED}&score=0.9")
    file = offline(take_away(tab, tmp_path))
    verdicts = state(file)["verdicts"]

    move(file, "Score threshold", 0.5)
    file.tab.wait_for_function("() => ssdLesson().verdicts === null")
    move(file, "Score threshold", 0.9)
    file.tab.wait_for_function("() => ssdLesson().verdicts !== null")

    assert verdicts
    assert state(file)["verdicts"] == verdicts


def test_names_that_look_like_markup_stay_words(offline, tmp_path):
    objects = [CanvasObject((0.1, 0.1, 0.6, 0.9), HOSTILE)]
    file = offline(write(tmp_path, title=HOSTILE, objects=objects, class_names=(HOSTILE,)))

    assert file.tab.locator("h1").inner_text() == f"{HOSTILE} {HOSTILE}"
    assert HOSTILE in file_says(file)[1][0]
    assert file.tab.locator("img").count() == 0
    assert file_says(file) == python_says(file)


def test_a_script_that_was_put_into_the_file_does_not_run(open_tab, tmp_path):
    path = write(tmp_path)
    text = path.read_text()
    evil = "<img src=x onerror='window.bad=1'></main><script>window.bad = 2</script>"
    path.write_text(text.replace("</main>", evil))
    blocked = []
    context = open_tab().context.browser.new_context(offline=True)
    tab = context.new_page()
    tab.on("console", lambda message: blocked.append(message.text))
    tab.goto(path.as_uri())
    canvas = Canvas(tab)

    assert tab.evaluate("window.bad") is None
    assert sum("Content Security Policy" in text for text in blocked) >= 2
    assert canvas.data("positive") == "38"
    context.close()


@pytest.mark.parametrize("mode", ["matching", "anchors"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_file_fits_a_phone_and_follows_the_theme(offline, tmp_path, mode, scheme):
    file = offline(write(tmp_path, mode=mode), width=400, height=800, color_scheme=scheme)
    wider = file.tab.evaluate("document.documentElement.scrollWidth - innerWidth")
    ground = file.tab.evaluate("getComputedStyle(document.body).backgroundColor")
    brightness = sum(map(int, re.findall(r"\d+", ground)[:3]))

    assert wider <= 0
    assert (brightness < 200) == (scheme == "dark")
    assert file.node.bounding_box()["width"] > 340


def test_the_whole_lesson_fits_a_laptops_screen(offline, tmp_path):
    file = offline(write(tmp_path))

    assert file.tab.evaluate("document.documentElement.scrollHeight") <= 900
    assert file.node.bounding_box()["height"] > 450


def test_a_lesson_works_inside_a_locked_frame_of_another_page(open_tab, tmp_path):
    path = write(tmp_path)
    around = tmp_path / "slides.html"
    around.write_text(
        f'<iframe sandbox="allow-scripts" width=900 height=700 src="{path.name}#bare"></iframe>'
    )
    tab = open_tab(around.as_uri(), offline=True)
    frame = tab.frame_locator("iframe")
    frame.locator("canvas.ssd-canvas[data-positive='38']").wait_for()

    assert frame.locator("h1").is_hidden()
    expect(frame.locator("#source")).to_be_visible()
