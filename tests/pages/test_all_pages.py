"""What holds on every page: it opens, it obeys its controls, it survives bad links, its code runs."""

from __future__ import annotations

import contextlib
import io
import json
import re

import pytest

from pages.shared import judged
from ssd.config import ANCHOR_PRESETS
from ssd.matching import match
from tests.pages.reading import texts

PAGES = ("home", "anchors", "matching", "assignment", "learning", "detections")
LEAKS = re.compile(r'Traceback|site-packages|File "/|0x[0-9a-f]{6,}|weights_only')


def errors(app):
    return [*app.exception, *app.error]


@pytest.mark.parametrize("page", PAGES)
def test_a_page_opens_on_a_synthetic_scene(open_page, page):
    app = open_page(page)

    assert errors(app) == []
    assert app.title[0].value in (page.capitalize(), "SSD Explorer")
    assert "shapes-37" in texts(app)


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("scene", ["worked example", "orphan pair", "empty meadow"])
def test_a_page_opens_on_every_kind_of_lesson_scene(open_page, page, scene):
    app = open_page(page, source="lesson scenes", lesson=scene)

    assert errors(app) == []
    assert scene in texts(app)


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_a_page_opens_on_photographs(open_page, page):
    app = open_page(page, source="photographs")

    assert errors(app) == []


@pytest.mark.parametrize("page", PAGES)
def test_the_rule_in_the_sidebar_changes_what_a_page_works_with(open_page, page):
    app = open_page(page)
    app.sidebar.selectbox(key="rule").set_value("overwrite").run()

    assert errors(app) == []
    assert app.session_state["scene"].rule == "overwrite"


@pytest.mark.parametrize("page", PAGES)
def test_an_upload_that_is_no_picture_is_an_error_in_words_and_the_rest_stays(open_page, page):
    app = open_page(page, source="upload")
    app.session_state["refusals"] = ["x.jpg: This is not a JPEG, PNG, WebP or BMP picture."]
    app.run()

    assert errors(app) == []
    assert "⚠ x.jpg: This is not a JPEG" in texts(app)
    assert not LEAKS.search(texts(app))


@pytest.mark.parametrize("page", ["matching", pytest.param("detections", marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "link",
    [
        {"source": "../../etc/passwd"},
        {"source": "folder\x00"},
        {"anchors": "resnet", "rule": "none", "model": "../../etc/passwd"},
        {"seed": "999999"},
        {"seed": "-1"},
        {"seed": "1e9"},
        {"seed": "nan"},
        {"seed": "٣"},
        {"source": "lesson scenes", "lesson": "no such scene"},
        {"objects": "A" * 10_000},
        {"objects": "<script>alert(1)</script>"},
        {"anchor": "99999999", "object": "-3", "detection": "x", "score": "7", "levels": "9.x.1"},
        {"anchors": "custom", "knobs": "g!999999!1!1_1"},
        {"anchors": "custom"},
        {"threshold": "7", "nms": "NaN", "topk": "-5"},
    ],
    ids=lambda link: ",".join(link)[:40],
)  # fmt: skip
def test_a_bad_link_falls_back_with_a_note(open_page, page, link):
    app = open_page(page, **link)

    assert errors(app) == []
    assert not LEAKS.search(texts(app))
    assert app.session_state["scene"].sample.picture.shape[0] == 3


@pytest.mark.slow
@pytest.mark.parametrize("page", [*PAGES, "your_data", "results"])
def test_a_link_that_is_bad_in_every_part_still_opens(open_page, page, monkeypatch):
    monkeypatch.setattr(judged, "NUM_SCENES", 2)
    link = {"source": "x", "anchors": "custom", "knobs": "g", "objects": "x", "anchor": "x", "model": "x"}
    app = open_page(page, **link)

    assert errors(app) == []
    assert len(app.info) >= 4


@pytest.mark.parametrize(
    ("link", "words"),
    [
        ({"source": "../../etc/passwd"}, "asks for a source that is not here"),
        ({"anchors": "resnet"}, "asks for a preset of anchors"),
        ({"seed": "999999"}, "9,999"),
        ({"source": "lesson scenes", "lesson": "x"}, "asks for a scene that is not here"),
        ({"objects": "A" * 10_000}, "too long"),
        ({"objects": "abc"}, "14 letters"),
        ({"anchor": "99999999"}, "nothing is selected"),
        ({"anchors": "custom"}, "knobs of this link cannot be read"),
        ({"source": "upload"}, "does not travel"),
        ({"source": "camera"}, "does not travel"),
        ({"threshold": "nan"}, "match threshold outside 0.05–0.95"),
        ({"threshold": "-3"}, "match threshold outside"),
        ({"nms": "NaN", "topk": "-5"}, "NMS threshold outside[^$]*top-k outside 1–1000"),
    ],
)
def test_a_bad_link_says_what_was_left_out(open_page, link, words):
    app = open_page("matching", **link)

    assert re.search(words, "\n".join(each.value for each in app.info))


def test_a_number_beyond_the_last_is_the_nearest(open_page):
    assert open_page("matching", seed="999999").session_state["seed"] == 9999
    assert open_page("matching", seed="-7").session_state["seed"] == 1


def test_a_link_rebuilds_drawn_objects_selection_and_settings(open_page):
    from ssd.data.drawn import DrawnObject, drawn_to_text

    text = drawn_to_text([DrawnObject(2, (0.1, 0.2, 0.5, 0.9))])
    app = open_page(
        "matching", seed="7", objects=text, anchor="42", object="0", anchors="paper", rule="overwrite"
    )
    scene = app.session_state["scene"]

    assert (scene.name, scene.anchor, scene.object, scene.anchors_name, scene.rule) == (
        "shapes-7", 42, 0, "paper", "overwrite",
    )  # fmt: skip
    assert scene.objects.labels.tolist() == [2]
    assert scene.objects.boxes[0].tolist() == pytest.approx([0.1, 0.2, 0.5, 0.9], abs=1e-5)
    assert app.query_params["objects"] == text


def test_another_scene_forgets_what_was_drawn_on_the_one_before(open_page):
    app = open_page("matching", objects="none", object="0")
    app.sidebar.number_input(key="seed").set_value(3).run()

    assert len(app.session_state["scene"].objects.labels) > 0
    assert "objects" not in app.query_params


def test_a_lesson_scene_brings_its_settings_and_takes_them_along_when_left(open_page):
    app = open_page("matching")
    app.sidebar.selectbox(key="source").set_value("lesson scenes").run()
    app.sidebar.selectbox(key="lesson").set_value("worked example").run()
    scene = app.session_state["scene"]
    assert (scene.anchors_name, scene.rule, scene.strict) == ("lesson-4x4", "overwrite", True)

    app.sidebar.selectbox(key="source").set_value("synthetic").run()

    assert app.session_state["scene"].anchors_name == "ssd300-voc"


def test_a_link_to_a_lesson_scene_with_usual_settings_keeps_them(open_page):
    changed = open_page("matching", source="lesson scenes", lesson="worked example")
    changed.sidebar.selectbox(key="anchors").set_value("ssd300-voc").run()
    changed.sidebar.selectbox(key="rule").set_value("bipartite").run()

    app = open_page("matching", source="lesson scenes", lesson="worked example", settings="usual")

    assert changed.query_params["settings"] == "usual"
    assert app.session_state["scene"].anchors_name == "ssd300-voc"


@pytest.mark.parametrize("name", ANCHOR_PRESETS)
def test_every_anchor_preset_can_be_chosen(open_page, name):
    app = open_page("anchors", anchors=name)

    assert errors(app) == []
    assert len(app.session_state["scene"].config.levels()) >= 1


def test_the_jaccard_table_marks_both_maxima(open_page):
    app = open_page("matching", source="lesson scenes", lesson="worked example")
    found = [json.loads(each.proto.json) for each in app.get("bidi_component") if each.proto.json]
    grid = next(each for each in found if "column_best" in each)

    assert len(grid["anchors"]) == 16
    for row in grid["rows"]:
        assert row["values"][row["best"]] == max(row["values"])
        assert row["texts"][row["best"]] == f"{max(row['values']):.2f}"
    for column, best in enumerate(grid["column_best"]):
        values = [row["values"][column] for row in grid["rows"]]
        assert best is None if max(values) == 0 else values[best] == max(values)


def test_copied_python_says_where_it_runs(open_page):
    app = open_page("anchors")
    app.session_state["python"] = True
    app.run()

    assert app.code[-1].value.startswith("# Run this in the folder of SSD Explorer")


def run_code(app):
    """Run what "Copy as Python" gives once it is opened; what it prints."""
    app.session_state["python"] = True
    app.run()
    code = next(block.value for block in app.code if "import" in block.value)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(code, {})  # noqa: S102
    return printed.getvalue()


@pytest.mark.parametrize(
    "link",
    [
        {"seed": "4"},
        {"source": "lesson scenes", "lesson": "worked example"},
        {"source": "lesson scenes", "lesson": "empty meadow"},
        {"seed": "4", "anchors": "custom", "knobs": "g!4_2!0.7_1!1_1*1_0.5"},
    ],
    ids=["synthetic", "worked", "empty", "knobs"],
)
def test_the_python_of_the_matching_page_gives_the_numbers_of_the_page(open_page, link):
    app = open_page("matching", **link)
    scene = app.session_state["scene"]
    from ssd.anchors import make_anchors

    found = match(
        scene.objects.boxes,
        make_anchors(scene.config).boxes,
        rule=scene.rule,
        threshold=scene.threshold,
        strict=scene.strict,
    )
    wanted = [int(found.positive.sum()), int(found.forced.sum()), int(found.orphan.sum())]

    assert [int(word) for word in run_code(app).split()] == wanted


def test_the_python_of_the_anchors_page_counts_the_anchors_of_the_page(open_page):
    app = open_page("anchors", anchors="ssd512-voc")

    assert run_code(app).startswith("24564 ")
    assert "anchors 24,564" in texts(app)


def test_the_python_of_the_assignment_page_gives_the_labels_of_the_page(open_page):
    app = open_page("assignment", source="lesson scenes", lesson="worked example", tab="label list")

    assert "[13,  1,  1,  1]" in run_code(app)
    assert any("'sofa', 'bg', 'diningtable', 'chair', 'bg'" in block.value for block in app.code)


def test_a_scene_that_a_button_opened_is_named_in_the_link(open_page):
    app = open_page("matching", seed="4")
    next(button for button in app.button if button.label == "Orphan pair").click().run()
    copied = {key: app.query_params[key] for key in app.query_params}
    copied |= {"source": "lesson scenes"}  # bound to its widget: the browser writes it

    again = open_page("matching", **copied)

    assert copied["which"] == "orphan pair"
    assert again.session_state["scene"].name == "orphan pair"
    assert again.session_state["scene"].rule == "overwrite"


def test_a_number_beyond_the_last_stays_in_the_link(open_page):
    app = open_page("matching", seed="999999")

    assert open_page("matching", which=app.query_params["which"]).session_state["seed"] == 9999
