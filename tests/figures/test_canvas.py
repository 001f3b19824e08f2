"""What crosses to the canvas, and what is believed of what comes back."""

from __future__ import annotations

import base64
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ssd.anchors import make_anchors
from ssd.config import SelectionConfig, anchor_preset
from ssd.detections import select
from ssd.errors import DataError
from ssd.figures.blobs import anchors_blob, candidates_blob, picture_blob
from ssd.figures.canvas import (
    AnchorState,
    CanvasObject,
    CanvasView,
    LiveMatching,
    anchor_states,
    canvas_payload,
)
from ssd.figures.canvas_events import NO_EVENTS, CanvasEvents, read_events
from ssd.figures.canvas_source import canvas_script, page_css, page_script
from ssd.figures.colours import CLASS_COLOURS, LINES, class_colours, line
from ssd.figures.sentences import SENTENCES, object_sentences
from ssd.limits import MAX_CANVAS_OBJECTS
from ssd.matching import match

PICTURE = picture_blob(b"bytes", width_px=640, height_px=480, alt="a dog")
CONFIG = anchor_preset("ssd300-voc").anchors
ANCHORS = make_anchors(CONFIG)


def read_column(text: str, kind: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), dtype=np.dtype(kind).newbyteorder("<"))


def test_anchors_cross_as_the_levels_they_are_made_from():
    data = anchors_blob(CONFIG).data
    finest, level = data["levels"][0], ANCHORS.levels[0]

    assert data["count"] == len(ANCHORS)
    assert [len(each["shapes"]) for each in data["levels"]] == [4, 6, 6, 6, 4, 4]
    assert (finest["grid"], finest["step"], finest["first"]) == ([38, 38], list(level.step_wh), 0.5)
    assert finest["shapes"] == [list(shape) for shape in level.shapes_wh]
    assert len(json.dumps(dict(data))) < 3000


@pytest.mark.parametrize(("name", "column_first"), [("lesson-multi", True), ("ssd512-voc", False)])
def test_the_lessons_cells_run_column_by_column(name, column_first):
    assert anchors_blob(anchor_preset(name).anchors).data["column_first"] is column_first


def test_candidates_come_back_bit_for_bit():
    boxes = torch.tensor([[0.0, 0.0, 0.5, 0.5], [0.0, 0.0, 0.5, 0.45], [0.6, 0.1, 0.9, 0.8]])
    picked = select(boxes, torch.tensor([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3]]), config=SelectionConfig())

    data = candidates_blob(picked, class_names=["dog", "cat"], floor=0.01).data

    assert np.array_equal(read_column(data["scores"], "f4"), picked.scores.numpy())
    assert read_column(data["fate"], "u1").tolist() == picked.fate.tolist()
    assert read_column(data["by"], "i4").tolist() == picked.suppressed_by.tolist()
    assert read_column(data["decayed"], "f4").tolist() == picked.decayed.tolist()
    assert read_column(data["decayed_by"], "i4").tolist() == picked.decayed_by.tolist()


def test_limits_and_answers_cross_with_the_view_that_the_browser_may_move():
    boxes = torch.tensor([[0.0, 0.0, 0.5, 0.5], [0.6, 0.1, 0.9, 0.8]])
    config = SelectionConfig(nms_threshold=0.6, top_k=7, max_detections=9, nms_kind="soft", soft_sigma=0.3)
    blob = candidates_blob(
        select(boxes, torch.tensor([[0.9], [0.8]]), config=config), class_names=["dog"], floor=0.01
    )
    view = CanvasView(mode="detections", picture=PICTURE, candidates=blob)

    still = canvas_payload(view).light
    moved = canvas_payload(replace(view, limits=config, answers=torch.tensor([-1, 3]), nms_step=4)).light

    names = ("nms", "top_k", "cap", "agnostic", "nms_kind", "sigma", "nms_step")
    assert [still[name] for name in (*names, "answers")] == [None] * 8
    assert [moved[name] for name in names] == [0.6, 7, 9, False, "soft", 0.3, 4]
    assert read_column(moved["answers"], "i2").tolist() == [-1, 3]


def test_a_blob_is_named_by_its_content():
    same = picture_blob(b"bytes", width_px=640, height_px=480, alt="a dog")
    other = picture_blob(b"bytes", width_px=640, height_px=481, alt="a dog")

    assert PICTURE.digest == same.digest
    assert PICTURE.digest != other.digest


def test_the_light_part_of_a_payload_weighs_about_a_kilobyte():
    blob = anchors_blob(CONFIG)
    three = [CanvasObject((0.1, 0.2, 0.3, 0.4), "dog")] * 3
    view = CanvasView(mode="matching", picture=PICTURE, anchors=blob, objects=three, matching=LiveMatching())

    payload = canvas_payload(view)

    assert len(json.dumps(dict(payload.light))) < 1500
    assert {each.digest for each in payload.blobs} == {PICTURE.digest, blob.digest}


def test_states_cost_one_byte_an_anchor():
    states = torch.zeros(len(ANCHORS), dtype=torch.uint8)
    states[5] = int(AnchorState.FORCED)
    view = CanvasView(mode="assignment", picture=PICTURE, anchors=anchors_blob(CONFIG), states=states)

    sent = read_column(canvas_payload(view).light["states"], "u1")

    assert len(sent) == 8732
    assert sent[5] == AnchorState.FORCED


def test_hits_cross_as_pairs_of_candidate_and_object():
    boxes = torch.tensor([[0.0, 0.0, 0.5, 0.5], [0.6, 0.1, 0.9, 0.8]])
    picked = select(boxes, torch.tensor([[0.9], [0.8]]), config=SelectionConfig())
    blob = candidates_blob(picked, class_names=["dog"], floor=0.01)

    view = CanvasView(mode="detections", picture=PICTURE, candidates=blob, hits=torch.tensor([-1, 3]))

    assert canvas_payload(view).light["hits"] == [[1, 3]]


@pytest.mark.parametrize(
    ("view", "words"),
    [
        (CanvasView(mode="anchors", picture=PICTURE), "anchors_blob"),
        (CanvasView(mode="detections", picture=PICTURE), "candidates_blob"),
        (
            CanvasView(
                mode="matching",
                picture=PICTURE,
                anchors=anchors_blob(CONFIG),
                states=torch.zeros(5, dtype=torch.uint8),
            ),
            "8732",
        ),
    ],
    ids=["anchors mode without anchors", "detections without candidates", "states of another length"],
)
def test_parts_that_do_not_fit_are_refused(view, words):
    with pytest.raises(DataError, match=words):
        canvas_payload(view)


def test_states_tell_forced_from_positive_and_hard_from_easy_negatives():
    anchors = torch.tensor(
        [[0.0, 0.0, 0.5, 1.0], [0.5, 0.0, 1.0, 1.0], [0.0, 0.0, 0.1, 0.1], [0.9, 0.9, 1.0, 1.0]]
    )
    objects = torch.tensor([[0.0, 0.0, 0.5, 0.9], [0.5, 0.0, 0.6, 0.5]])
    found = match(objects, anchors)
    hard = torch.tensor([True, False, True, False])

    states = anchor_states(found, hard_negative=hard, hidden=torch.tensor([False, False, False, True]))

    assert states.tolist() == [
        AnchorState.POSITIVE,
        AnchorState.FORCED,
        AnchorState.HARD_NEGATIVE,
        AnchorState.HIDDEN,
    ]


def test_states_leave_the_match_as_it_was():
    found = match(torch.tensor([[0.0, 0.0, 0.5, 0.9]]), ANCHORS.boxes)
    before = found.matched_gt.clone()

    anchor_states(found, hard_negative=torch.ones(len(ANCHORS), dtype=torch.bool))

    assert torch.equal(found.matched_gt, before)


def test_every_state_of_an_anchor_has_a_line():
    assert {state.name.lower() for state in AnchorState} - {"hidden"} <= set(LINES)


def test_an_object_that_lost_its_anchor_says_to_whom():
    boxes = torch.tensor([[0.20, 0.22, 0.52, 0.28], [0.20, 0.21, 0.52, 0.28]])  # facts.md, the orphan pair

    said = object_sentences(match(boxes, ANCHORS.boxes, rule="overwrite"), ANCHORS, names=["dog", "cat"])

    assert said[0] == "dog: orphan, no anchor; its best, 0.48 on level 1, went to cat"
    assert said[1].startswith("cat: 1 anchor, best 0.56 on level 1")


def test_the_dog_of_the_first_voc_picture_has_fifteen_anchors():
    dog = torch.tensor([[47 / 353, 239 / 500, 195 / 353, 371 / 500]])

    said = object_sentences(match(dog, ANCHORS.boxes), ANCHORS, names=["dog"])

    assert said == ("dog: 15 anchors, best 0.68 on level 2",)


def test_two_objects_of_a_class_are_told_apart():
    boxes = torch.tensor([[0.1, 0.1, 0.4, 0.4], [0.6, 0.6, 0.9, 0.9], [0.1, 0.5, 0.4, 0.9]])

    said = object_sentences(match(boxes, ANCHORS.boxes), ANCHORS, names=["dog", "cat", "dog"])

    assert [each.split(":")[0] for each in said] == ["dog 1", "cat", "dog 2"]


def test_a_report_comes_back_as_it_was_sent():
    sent = {
        "scene": "s",
        "revision": 4,
        "changed": ["objects", "score"],
        "objects": [{"box": [0.1, 0.2, 0.5, 0.75], "name": "dog", "ignored": True, "editable": False}],
        "selected_anchor": 8262,
        "score": 0.35,
        "nms": 0.6,
        "top_k": 50,
        "cap": 100,
        "agnostic": True,
        "nms_kind": "soft",
        "sigma": 0.25,
        "nms_step": 17,
        "hidden_levels": [0, 2],
        "hidden_classes": ["cat"],
    }

    assert read_events(sent, {"by": -1, "number": 1}) == CanvasEvents(
        changed=frozenset({"objects", "score"}),
        scene="s",
        revision=4,
        objects=(CanvasObject((0.1, 0.2, 0.5, 0.75), "dog", ignored=True, editable=False),),
        selected_anchor=8262,
        score=0.35,
        nms=0.6,
        top_k=50,
        cap=100,
        agnostic=True,
        nms_kind="soft",
        sigma=0.25,
        nms_step=17,
        hidden_levels=(0, 2),
        hidden_classes=("cat",),
        step=-1,
    )


@pytest.mark.parametrize(
    "box",
    [
        [0.5, 0.1, 0.2, 0.4],
        [0.1, 0.1, 0.1, 0.4],
        [float("nan"), 0.1, 0.2, 0.4],
        [0.1, 0.1, 1.5, 0.4],
        [0.1, 0.1, 0.4],
        ["0.1", 0.1, 0.2, 0.4],
        [True, 0.1, 0.2, 0.4],
        None,
    ],
    ids=[
        "inverted",
        "no width",
        "not a number",
        "outside",
        "three numbers",
        "text",
        "a truth value",
        "nothing",
    ],
)
def test_a_box_that_is_none_is_left_out(box):
    good = {"box": [0.1, 0.1, 0.2, 0.2], "name": "dog"}

    read = read_events({"objects": [{"box": box, "name": "dog"}, good]}).objects

    assert read == (CanvasObject((0.1, 0.1, 0.2, 0.2), "dog"),)


def test_a_name_that_is_too_long_is_left_out():
    assert read_events({"objects": [{"box": [0.1, 0.1, 0.2, 0.2], "name": "x" * 65}]}).objects == ()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("nms", 1.5),
        ("top_k", 0),
        ("top_k", 2.5),
        ("cap", -1),
        ("agnostic", "yes"),
        ("nms_kind", "linear"),
        ("nms_kind", ["soft"]),
        ("sigma", float("inf")),
        ("nms_step", -1),
    ],
)
def test_a_limit_that_is_none_is_left_out(name, value):
    assert getattr(read_events({"revision": 1, "changed": [name], name: value}), name) is None


def test_no_more_objects_are_read_than_the_limit():
    one = {"box": [0.1, 0.1, 0.2, 0.2], "name": "dog"}

    assert len(read_events({"objects": [one] * (MAX_CANVAS_OBJECTS + 5)}).objects) == MAX_CANVAS_OBJECTS


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = st.sampled_from([*vars(NO_EVENTS), "by", "box", "name"])


@given(view=JSON | st.dictionaries(FIELDS, JSON), step=JSON | st.dictionaries(FIELDS, JSON))
def test_whatever_the_browser_sends_becomes_a_sound_report(view, step):
    events = read_events(view, step)

    assert events.step in (-1, 0, 1)
    assert events.score is None or 0 <= events.score <= 1
    assert events.changed <= set(vars(NO_EVENTS))
    assert all(0 <= value <= 1 for each in events.objects for value in each.box)


def test_the_script_holds_pythons_tables():
    script = canvas_script()

    assert json.dumps(SENTENCES["matched"]) in script
    assert LINES["forced"].colour in script
    assert "</" not in script.replace("<\\/", "")


def test_each_component_of_the_page_is_a_module_with_one_entry():
    for name in ("library", "store", "canvas", "drop"):
        assert page_script(name).count("export default function") == 1
    assert "ssd-drop" in page_css("drop")


def test_only_the_library_carries_the_whole_script():
    assert len(page_script("canvas")) < 2000
    assert len(page_script("library")) > 50_000


def contrast_with_white(colour: str) -> float:
    """WCAG 2's ratio."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 1.05 / (0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05)


@pytest.mark.parametrize("colour", CLASS_COLOURS)
def test_white_letters_can_be_read_on_every_class_chip(colour):
    assert contrast_with_white(colour) >= 4.5


def test_as_many_classes_as_colours_all_look_different():
    names = [f"class {i}" for i in range(len(CLASS_COLOURS))]

    assert len(set(class_colours(names).values())) == len(names)


def test_kinds_that_lie_side_by_side_differ_in_colour_and_in_dash():
    groups = [("positive", "forced", "ignored"), ("kept", "suppressed", "below"), ("true_positive", "missed")]

    for kinds in groups:
        assert len({line(kind).colour for kind in kinds}) == len(kinds)
        assert len({line(kind).dash_px for kind in kinds}) == len(kinds)
