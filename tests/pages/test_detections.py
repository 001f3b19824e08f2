"""The detections page: real boxes of a shipped model, or a word why there are none."""

from __future__ import annotations

import contextlib
import io
import json
import re
from dataclasses import replace

import pytest
import torch

from pages.shared import verdicts
from ssd.checkpoints import model_names
from tests.pages.reading import texts
from tests.telling import scene_with

CASE = verdicts.case_of
SPOKEN = {"found": "FOUND", "suppressed": "SUPPRESSED", "score too low": "LOW_SCORE"}
pytestmark = pytest.mark.skipif(
    "shapes" not in model_names(), reason="the model `shapes` is not shipped here"
)


@pytest.mark.slow
def test_the_python_of_the_page_finds_as_many_boxes_and_the_same_verdicts(open_page):
    seed = scene_with(*SPOKEN, score=0.3)
    app = open_page("detections", seed=str(seed), score="0.3")
    app.session_state["python"] = True
    app.run()
    code = next(block.value for block in app.code if "Predictor" in block.value)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(code, {})  # noqa: S102

    assert "score_threshold=0.3, nms_threshold=0.45" in code
    boxes, names = printed.getvalue().splitlines()
    lines = sorted(
        (line for line in canvas(app)["verdicts"] if line["at"][0] == "object"), key=lambda line: line["at"]
    )
    said = [SPOKEN.get(line["verdict"]) for line in lines]
    assert (int(boxes), eval(names)) == (kept(app), said)  # noqa: S307
    assert {"FOUND", "SUPPRESSED", "LOW_SCORE"} <= set(said)


def kept(app):
    """How many boxes the page says it keeps."""
    return int(re.search(r"keeps (\d+) of", texts(app)).group(1))


@pytest.mark.parametrize(
    "scene", [{"source": "photographs", "photograph": "coffee"}, {"source": "lesson scenes"}]
)
def test_a_picture_that_no_shipped_model_knows_gets_no_boxes_but_ways_on(open_page, scene):
    app = open_page("detections", **scene)

    assert "No model here knows this picture" in texts(app)
    assert app.exception == []
    assert "candidates." not in texts(app)


@pytest.mark.skipif("voc5" not in model_names(), reason="the model `voc5` is not shipped here")
@pytest.mark.parametrize("photograph", ["chelsea", "astronaut"])
def test_the_cat_and_the_astronaut_are_looked_at_by_the_model_for_photographs(open_page, photograph):
    app = open_page("detections", source="photographs", photograph=photograph)
    app.session_state["python"] = True
    app.run()

    assert app.exception == []
    assert "No model here knows this picture" not in texts(app)
    assert "one of 5 classes" in texts(app)
    assert any("find_model('voc5')" in block.value for block in app.code)


def test_a_model_that_was_chosen_for_the_wrong_picture_shows_nothing_either(open_page):
    app = open_page("detections", source="photographs", model="shapes")

    assert "No model here knows this picture" in texts(app)


def test_weights_that_are_not_on_this_machine_are_offered_with_size_and_source(
    open_page, monkeypatch, tmp_path
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    app = open_page("detections", model="ssdlite320_mobilenet_v3_large")

    assert " MB from " in texts(app)
    assert any("Fetch" in button.label for button in app.button)


@pytest.mark.slow
def test_no_slider_runs_the_network(open_page, monkeypatch):
    from ssd.prediction import Predictor

    app = open_page("detections", seed="11")
    monkeypatch.setattr(Predictor, "predict", lambda *_: pytest.fail("the network ran again"))
    app.session_state["kept"]["nms"] = "0.3"
    app.run()
    app.segmented_control(key="preset").set_value("evaluation").run()

    assert app.exception == []
    assert app.session_state["kept"]["score"] == "0.01"


@pytest.mark.slow
def test_a_named_set_of_limits_takes_back_what_was_moved(open_page):
    app = open_page("detections", seed="4", score="0.05", nms="0.9", agnostic="true", nmskind="soft")
    app.session_state["python"] = True
    app.run()
    moved = next(block.value for block in app.code if "Predictor" in block.value)
    app.segmented_control(key="preset").set_value("evaluation").run()
    usual = next(block.value for block in app.code if "Predictor" in block.value)

    assert "nms_threshold=0.9" in moved
    assert "class_agnostic=True, nms_kind='soft'" in moved
    assert "score_threshold=0.01, nms_threshold=0.45" in usual
    assert "max_detections=200, class_agnostic=False, nms_kind='hard'" in usual


@pytest.mark.parametrize("link", [{"nms": "7"}, {"topk": "x"}, {"sigma": "nan"}, {"nmskind": "linear"}])
def test_a_limit_of_a_link_that_is_none_leaves_the_usual_one(open_page, link):
    app = open_page("detections", seed="4", **link)
    app.session_state["python"] = True
    app.run()
    code = next(block.value for block in app.code if "Predictor" in block.value)

    assert app.exception == []
    assert "nms_threshold=0.45, top_k=400" in code
    assert "nms_kind='hard', soft_sigma=0.5" in code


def test_a_link_to_a_model_that_is_not_here_says_so(open_page):
    app = open_page("detections", model="resnet-9000")

    assert "model that is not here" in texts(app)
    assert kept(app) >= 0


def test_a_clicked_box_tells_who_suppressed_it_and_follows_its_anchor(open_page):
    app = open_page("detections", seed="4", detection="0")

    assert "stays, and suppresses" in texts(app)
    assert "Predicted code" in texts(app)


def canvas(app) -> dict:
    """What the canvas was given."""
    found = [json.loads(each.proto.json) for each in app.get("bidi_component") if each.proto.json]
    return next(each for each in found if isinstance(each, dict) and "verdicts" in each)


def verdict_of(app, title: str) -> dict:
    """What the page says of one object or box."""
    return next(line for line in canvas(app)["verdicts"] if line["title"] == title)


def test_a_missed_object_has_a_verdict_a_culprit_and_the_knob_that_finds_it(open_page):
    line = verdict_of(open_page("detections", seed="16"), "star 1")

    assert line["verdict"] == "suppressed"
    assert re.match(r"star 0\.\d\d overlaps its box star 0\.\d\d by 0\.\d\d; the NMS thresh", line["text"])
    assert [box["kind"] for box in line["boxes"]] == ["kept", "suppressed"]
    assert set(line["remedy"]) == {"nms_threshold"}
    assert line["effect"].startswith("finds it")


def test_the_score_of_the_button_finds_the_object_it_was_offered_for(open_page):
    square = verdict_of(open_page("detections", seed="16"), "square")
    threshold = square["remedy"]["score_threshold"]

    assert square["verdict"] == "score too low"
    assert (
        verdict_of(open_page("detections", seed="16", score=f"{threshold}"), "square")["verdict"] == "found"
    )


def test_every_kept_box_is_either_wrong_with_a_reason_or_has_found_an_object(open_page):
    app = open_page("detections", seed="16")
    lines = canvas(app)["verdicts"]
    wrong = [line for line in lines if line["at"][0] == "detection"]
    found = [line for line in lines if line["verdict"] == "found"]

    assert len(wrong) + len(found) == kept(app)
    assert {line["verdict"] for line in wrong} <= {
        "duplicate",
        "wrong class",
        "badly placed",
        "on background",
    }


def test_a_selected_object_is_followed_from_its_anchor_to_its_fate(open_page):
    app = open_page("detections", seed="16", object="2", travel="0.25")
    said, shown = texts(app), canvas(app)

    assert (shown["selected_object"], shown["travel"]) == (2, 0.25)
    assert f"Follow anchor {shown['follow']['index']:,}" in [box.label for box in app.expander]
    for title in (
        "Anchor",
        "Matched object",
        "Encoded target",
        "Predicted code",
        "Decoded box",
        "Loss terms",
        "Hard-negative rank",
        "Class scores",
        "NMS fate",
    ):
        assert f"\n{title}\n" in said


@pytest.mark.slow
def test_a_click_diagnoses_nothing_again_and_a_new_limit_does(open_page, monkeypatch):
    app = open_page("detections", seed="16")
    calls = []
    monkeypatch.setattr(verdicts, "case_of", lambda *given: calls.append(given) or CASE(*given))
    app.session_state["kept"]["object"] = "2"
    app.run()
    clicked = len(calls)
    app.session_state["kept"]["score"] = "0.2"
    app.run()

    assert (clicked, len(calls)) == (0, 1)


def test_a_picture_without_objects_has_no_verdicts_and_says_how_to_get_them(open_page):
    app = open_page("detections", seed="16", objects="none")

    assert canvas(app)["verdicts"] is None
    assert "draw them on the Matching page" in texts(app)


def test_a_box_below_the_score_threshold_says_so(open_page):
    app = open_page("detections", seed="16", detection="200")

    assert "is below the score threshold 0.50." in texts(app)


def test_a_selected_object_keeps_its_place_among_those_that_are_matched(open_page):
    scene = open_page("detections", seed="16", object="3").session_state["scene"]
    ignored = torch.zeros(len(scene.sample.target), dtype=torch.bool)
    ignored[1] = True
    target = replace(scene.sample.target, difficult=ignored)
    among = replace(scene, sample=replace(scene.sample, target=target))

    assert (scene.matched_object, among.matched_object) == (3, 2)
    assert replace(among, object=1).matched_object is None
