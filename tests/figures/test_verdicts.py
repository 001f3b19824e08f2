"""Verdicts in words: each sentence names the stage, the box to blame and the numbers."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest
import torch

from ssd.config import SelectionConfig
from ssd.diagnosis import FalsePositive, Verdict, false_positives, training_cover
from ssd.figures.canvas import CanvasView, canvas_payload, picture_blob
from ssd.figures.colours import LINES
from ssd.figures.verdict_case import Case, Taught
from ssd.figures.verdicts import false_positive_lines, object_lines
from ssd.matching import match
from tests.diagnosis.scenes import Answer, random_answer
from tests.diagnosis.test_remedies import trials_on

NAMES = ("dog", "cat", "star")
ONE, TWO = [0.0, 0.0, 0.5, 0.4], [0.2, 0.0, 0.7, 0.4]  # jaccard 3/7


def case_of(answer: Answer, taught: Taught | None = None) -> Case:
    picked, result = answer.picked(), answer.result()
    classes = [NAMES[label - 1] for label in answer.gt_labels.tolist()]
    return Case(
        boxes=answer.boxes,
        picked=picked,
        config=answer.config,
        result=result,
        diagnosis=answer.diagnosis(),
        wrong=false_positives(result, evaluation_iou=answer.evaluation_iou),
        class_names=NAMES,
        titles=[f"{name} {g}" for g, name in enumerate(classes)],
        object_classes=classes,
        levels=torch.zeros(len(answer.boxes), dtype=torch.int64),
        taught=taught,
        evaluation_iou=answer.evaluation_iou,
    )


def helped(answer: Answer, taught: Taught | None = None):
    """The lines of the objects, with the remedies."""
    case = case_of(answer, taught)
    return object_lines(case, {g: trials_on(answer).finding(g) for g in range(len(answer.gt_labels))})


def scene(boxes, scores, objects, labels, **limits) -> Answer:
    none = torch.zeros(len(labels), dtype=torch.bool)
    return Answer(
        torch.tensor(boxes),
        torch.tensor(scores),
        SelectionConfig(**limits),
        torch.tensor(objects),
        torch.tensor(labels),
        none,
    )


def line_of(lines, g: int):
    return next(line for line in lines if line.at == ("object", g))


def test_a_low_score_is_told_with_the_threshold_that_it_missed_and_the_way_down():
    line = helped(scene([ONE], [[0.3, 0.1, 0.0]], [ONE], [1], score_threshold=0.5))[0]

    assert (line.title, line.verdict) == ("dog 0", "score too low")
    assert line.text == "Its best box (jaccard 1.00) says dog 0.30; the score threshold is 0.50."
    assert (line.button, line.effect) == ("Score threshold 0.50 → 0.30", "finds it")
    assert line.remedy == {"score_threshold": 0.3}
    assert line.boxes[0].word == "dog 0.30"


def test_a_suppressed_object_names_who_did_it_and_whom_that_box_found():
    scores = [[0.9, 0.0, 0.0], [0.8, 0.0, 0.0]]
    line = line_of(helped(scene([ONE, TWO], scores, [ONE, TWO], [1, 1], nms_threshold=0.3)), 1)

    assert line.verdict == "suppressed"
    assert line.text == (
        "dog 0.90, which found dog 0, overlaps its box dog 0.80 by 0.43; the NMS threshold is 0.30."
    )
    assert line.button == "NMS threshold 0.30 → 0.43"
    assert [(box.word, box.kind) for box in line.boxes] == [
        ("dog 0.90", "true_positive"),
        ("dog 0.80", "suppressed"),
    ]


def test_soft_nms_tells_from_what_to_what_the_score_fell():
    scores = [[0.9, 0.0, 0.0], [0.8, 0.0, 0.0]]
    limits = {"nms_kind": "soft", "soft_sigma": 0.1, "score_threshold": 0.3}
    line = line_of(helped(scene([ONE, TWO], scores, [ONE, TWO], [1, 1], **limits)), 1)

    assert line.text.startswith("Soft-NMS lowers its box dog 0.80 to dog 0.13: dog 0.90, which found dog 0,")
    assert (line.button, line.remedy) == ("Hard NMS", {"nms_kind": "hard"})


def test_the_wrong_class_is_named_beside_the_score_of_the_right_one():
    line = helped(scene([ONE], [[0.3, 0.8, 0.0]], [ONE], [1], score_threshold=0.5))[0]

    assert line.verdict == "wrong class"
    assert line.text == "The best box there (jaccard 1.00) says cat 0.80; the highest dog score is 0.30."
    assert line.boxes[0].kind == "false_positive"


def test_top_k_and_cap_tell_the_place_of_the_box():
    boxes = [[0.0, 0.0, 0.2, 0.1], [0.3, 0.0, 0.5, 0.1], [0.6, 0.0, 0.8, 0.1]]
    scores = [[0.9, 0.0, 0.0], [0.8, 0.0, 0.0], [0.7, 0.0, 0.0]]

    cut = helped(scene(boxes, scores, boxes[2:], [1], top_k=2))[0]
    capped = helped(scene(boxes, scores, boxes[2:], [1], max_detections=2))[0]

    assert cut.text == "Its best box, dog 0.70, is number 3 of its class; top-k lets 2 reach NMS."
    assert cut.button == "Top-k 2 → 3"
    assert capped.text == "Its best box, dog 0.70, is number 3 after NMS; the cap keeps 2."
    assert (capped.button, capped.remedy) == ("Cap 2 → 3", {"max_detections": 3})


def test_a_claimed_box_names_the_object_that_it_counts_for():
    objects = [[0.0, 0.0, 0.5, 0.4], [0.1, 0.0, 0.6, 0.4]]
    line = line_of(helped(scene([ONE], [[0.9, 0.0, 0.0]], objects, [1, 1])), 1)

    assert line.text == (
        "The only box left on it, dog 0.90, overlaps dog 0 more (1.00 against 0.67) and counts for it."
    )
    assert line.effect == "No limit helps: training must give it a box of its own."
    assert line.button == ""


ANCHORS = torch.tensor([[0.0, 0.0, 0.1, 0.1], [0.3, 0.3, 0.4, 0.4], [0.6, 0.6, 0.98, 0.98]])


@pytest.mark.parametrize(
    ("box", "advice"),
    [
        ([0.6, 0.6, 0.98, 0.98], "The anchors fit it (best jaccard 1.00)"),
        ([0.3, 0.3, 0.7, 0.5], "Its best anchor has jaccard 0.12 only: add anchors near 256 × 96 px."),
    ],
)
def test_without_a_box_the_advice_depends_on_what_the_anchors_can_do(box, advice):
    gt = torch.tensor([box])
    found = match(gt, ANCHORS)
    taught = Taught(training_cover(found), "bipartite", found.best_overlap, found.anchors_per_object.tolist())

    line = helped(scene([[0.0, 0.0, 0.1, 0.3]], [[0.9, 0.0, 0.0]], [box], [1]), taught)[0]

    assert line.verdict == "no box"
    assert line.effect.startswith(f"No limit helps. {advice}")


def test_an_orphan_is_told_which_rule_took_its_anchor():
    objects = [[0.20, 0.22, 0.52, 0.28], [0.20, 0.21, 0.52, 0.28]]
    anchors = torch.tensor([[0.18, 0.2, 0.5, 0.32]])
    found = match(torch.tensor(objects), anchors, rule="overwrite")
    taught = Taught(training_cover(found), "overwrite", found.best_overlap, found.anchors_per_object.tolist())

    line = line_of(helped(scene([[0.8, 0.8, 0.9, 0.9]], [[0.9, 0.0, 0.0]], objects, [1, 1]), taught), 0)

    assert "In training: orphan." in line.text
    assert "Under overwrite no anchor answers for it: match bipartite" in line.effect


def test_a_remedy_says_what_else_it_does():
    boxes = [ONE, [0.6, 0.6, 0.9, 0.9], [0.0, 0.6, 0.2, 0.9]]
    scores = [[0.3, 0.0, 0.0], [0.4, 0.0, 0.0], [0.45, 0.0, 0.0]]
    lines = helped(scene(boxes, scores, [ONE, boxes[2]], [1, 1], score_threshold=0.5))

    assert line_of(lines, 0).effect == "finds it · finds 1 other object · brings 1 more wrong box"
    assert line_of(lines, 1).effect == "finds it"


@pytest.mark.parametrize(
    ("box", "score", "objects", "labels", "verdict", "text"),
    [
        (TWO, [0.8, 0, 0], [ONE], [1], "badly placed", "Its jaccard with dog 0 is 0.43; 0.50 is needed."),
        ([0.8, 0.8, 0.9, 0.9], [0.8, 0, 0], [ONE], [1], "on background", "No object is near it."),
        (
            ONE,
            [0, 0.8, 0],
            [ONE],
            [1],
            "wrong class",
            "The object there, dog 0, is of another class (jaccard 1.00).",
        ),
    ],
)
def test_each_false_positive_says_what_is_wrong(box, score, objects, labels, verdict, text):
    case = case_of(scene([box], [[float(value) for value in score]], objects, labels))

    line = false_positive_lines(case, {})[0]

    assert (line.verdict, line.text, line.at) == (verdict, text, ("detection", 0))


def test_a_box_beside_an_object_of_a_class_that_the_detector_does_not_know_says_so():
    answer = scene([TWO], [[0.8, 0.0, 0.0]], [ONE], [1])
    case = case_of(replace(answer, gt_labels=torch.tensor([0]), gt_ignored=torch.tensor([True])))

    (box,) = false_positive_lines(case, {})
    (thing,) = object_lines(case, {})

    assert box.text == (
        "Only star 0 is near it (jaccard 0.43), which is of a class that this detector does not know."
    )
    assert (thing.verdict, thing.text) == ("ignored", "since this detector does not know the class")


def test_a_duplicate_names_the_box_that_was_first_and_goes_by_nms():
    boxes = [[0.0, 0.0, 0.5, 0.4], [0.1, 0.0, 0.6, 0.4]]
    answer = scene(boxes, [[0.9, 0.0, 0.0], [0.8, 0.0, 0.0]], [ONE], [1], nms_threshold=0.8)
    remedy = trials_on(answer).silencing(1, duplicate_of=0)

    line = false_positive_lines(case_of(answer), {1: remedy})[0]

    assert (line.title, line.verdict) == ("dog 0.80", "duplicate")
    assert line.text == "It lies on dog 0 (jaccard 0.67), which dog 0.90 has found."
    assert (line.button, line.effect) == ("NMS threshold 0.80 → 0.66", "drops it")


@pytest.mark.slow
def test_every_object_and_every_false_positive_of_random_scenes_has_its_line():
    seen: set[str] = set()
    for seed in range(150):
        answer = random_answer(seed)
        case = case_of(answer)
        lines, wrong = object_lines(case, {}), false_positive_lines(case, {})
        seen |= {line.verdict for line in (*lines, *wrong)}

        assert sorted(line.at[1] for line in lines) == list(range(len(answer.gt_labels)))
        assert len(wrong) == int((case.wrong.kind >= 0).sum())
        for line in (*lines, *wrong):
            assert line.kind in LINES
            for box in line.boxes:
                assert box.kind in LINES
                assert all(0 <= edge <= 1 for edge in box.box)

    assert len(seen) == len(Verdict) + len(FalsePositive) - 1  # "wrong class" is said of both


def test_missed_objects_stand_first_and_ignored_ones_last():
    answer = scene([ONE], [[0.9, 0.0, 0.0]], [ONE, TWO, [0.6, 0.6, 0.9, 0.9]], [1, 1, 2])
    ignored = replace(answer, gt_ignored=torch.tensor([False, True, False]))

    assert [line.at[1] for line in object_lines(case_of(ignored), {})] == [2, 0, 1]


def test_lines_cross_to_the_canvas_as_plain_json():
    lines = [
        asdict(line) for line in helped(scene([ONE], [[0.3, 0.1, 0.0]], [ONE], [1], score_threshold=0.5))
    ]
    picture = picture_blob(b"", width_px=4, height_px=3, alt="")

    light = canvas_payload(CanvasView(mode="matching", picture=picture, verdicts=lines)).light

    assert light["verdicts"][0]["remedy"] == {"score_threshold": 0.3}
    assert light["verdicts"][0]["at"] == ["object", 0]
