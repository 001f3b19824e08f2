"""The detections page: real boxes of a shipped model, or a word why there are none."""

from __future__ import annotations

import contextlib
import io
import re

import pytest

from ssd.checkpoints import model_names
from tests.pages.reading import texts

pytestmark = pytest.mark.skipif(
    "shapes" not in model_names(), reason="the model `shapes` is not shipped here"
)


def test_the_python_of_the_page_finds_as_many_boxes_as_the_page(open_page):
    app = open_page("detections", seed="4", score="0.3")
    app.session_state["python"] = True
    app.run()
    code = next(block.value for block in app.code if "Predictor" in block.value)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(code, {})  # noqa: S102

    assert "score_threshold=0.3, nms_threshold=0.45" in code
    assert int(printed.getvalue()) == kept(app)


def kept(app):
    """How many boxes the page says it keeps."""
    return int(re.search(r"keeps (\d+) of", texts(app)).group(1))


@pytest.mark.parametrize("source", ["photographs", "lesson scenes"])
def test_a_picture_that_no_shipped_model_knows_gets_no_boxes_but_ways_on(open_page, source):
    app = open_page("detections", source=source)

    assert "No model here knows this picture" in texts(app)
    assert app.exception == []
    assert "candidates." not in texts(app)


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


def test_no_slider_runs_the_network(open_page, monkeypatch):
    from ssd.prediction import Predictor

    app = open_page("detections", seed="11")
    monkeypatch.setattr(Predictor, "predict", lambda *_: pytest.fail("the network ran again"))
    app.session_state["kept"] = {**app.session_state["kept"], "nms": "0.3"}  # as the canvas reports it
    app.run()
    app.segmented_control(key="preset").set_value("evaluation").run()

    assert app.exception == []
    assert app.session_state["kept"]["score"] == "0.01"


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
