"""Which limit finds a missed object: every answer is tried again on the whole picture."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from ssd.config import SelectionConfig
from ssd.diagnosis import FalsePositive, Trials, Verdict, false_positives
from ssd.diagnosis.remedies import FURTHEST
from ssd.metrics import PictureResult
from tests.diagnosis.scenes import Answer, random_answer

SEEDS = range(120)
NONE = torch.zeros(0)
SIDE_BY_SIDE = [[0.0, 0.0, 0.5, 0.4], [0.2, 0.0, 0.7, 0.4]]  # jaccard 3/7


def trials_on(answer: Answer) -> Trials:
    return Trials(
        answer.boxes,
        answer.scores,
        config=answer.config,
        truth=answer.result(),
        evaluation_iou=answer.evaluation_iou,
    )


def remedy_of(answer: Answer, g: int):
    return trials_on(answer).finding(g)


def verdicts(answer: Answer) -> list[Verdict]:
    return [Verdict(value) for value in answer.diagnosis().verdict.tolist()]


def scene(boxes, scores, objects, labels, **limits) -> Answer:
    return Answer(
        torch.tensor(boxes),
        torch.tensor(scores),
        SelectionConfig(**limits),
        torch.tensor(objects),
        torch.tensor(labels),
        torch.zeros(len(labels), dtype=torch.bool),
    )


@pytest.mark.slow
def test_every_remedy_finds_the_object_and_counts_what_it_costs():
    offered = dict.fromkeys(Verdict, 0)
    for seed in SEEDS:
        answer = random_answer(seed)
        before = verdicts(answer)
        for g, verdict in enumerate(before):
            remedy = remedy_of(answer, g)
            if remedy is None:
                continue
            after = verdicts(replace(answer, config=remedy.config))
            offered[verdict] += 1

            assert after[g] == Verdict.FOUND
            was = [v == Verdict.FOUND for v in before]
            now = [v == Verdict.FOUND for v in after]
            assert remedy.gained == sum(n and not w for w, n in zip(was, now, strict=True))
            assert remedy.lost == sum(w and not n for w, n in zip(was, now, strict=True))

    assert all(offered[verdict] for verdict in Verdict if Verdict.WRONG_CLASS <= verdict <= Verdict.CLAIMED)
    assert offered[Verdict.NO_BOX] == offered[Verdict.FOUND] == offered[Verdict.IGNORED] == 0


@pytest.mark.slow
def test_where_no_remedy_is_offered_not_even_the_loosest_limits_find_the_object():
    refused = 0
    for seed in SEEDS:
        answer = random_answer(seed)
        for g, verdict in enumerate(verdicts(answer)):
            if verdict in (Verdict.IGNORED, Verdict.FOUND) or remedy_of(answer, g) is not None:
                continue
            loosest = replace(FURTHEST, nms_threshold=max(0.95, answer.config.nms_threshold))
            refused += 1

            assert verdicts(replace(answer, config=loosest))[g] != Verdict.FOUND

    assert refused > 20


def test_a_score_threshold_moves_to_the_hundredth_below_the_best_box():
    answer = scene([[0.1, 0.1, 0.5, 0.3]], [[0.3]], [[0.1, 0.1, 0.5, 0.3]], [1], score_threshold=0.5)

    assert remedy_of(answer, 0).config == replace(
        answer.config, score_threshold=0.3
    )  # float32 .3 is above .3
    assert remedy_of(answer, 0).moved == ("score_threshold",)


def test_a_score_of_exactly_the_threshold_is_not_above_it():
    answer = scene([[0.1, 0.1, 0.5, 0.3]], [[0.25]], [[0.1, 0.1, 0.5, 0.3]], [1], score_threshold=0.25)

    assert remedy_of(answer, 0).config.score_threshold == 0.24


def test_the_nms_threshold_moves_past_the_suppressor_alone():
    answer = scene(SIDE_BY_SIDE, [[0.9], [0.8]], SIDE_BY_SIDE, [1, 1], nms_threshold=0.3)

    remedy = remedy_of(answer, 1)

    assert verdicts(answer)[1] == Verdict.SUPPRESSED
    assert remedy.config == replace(answer.config, nms_threshold=0.43)
    assert (remedy.gained, remedy.lost, remedy.wrong) == (1, 0, 0)


def test_a_box_of_another_class_suppresses_only_while_all_classes_meet():
    scores = [[0.9, 0.0], [0.0, 0.8]]
    answer = scene(SIDE_BY_SIDE, scores, SIDE_BY_SIDE, [1, 2], nms_threshold=0.3, class_agnostic=True)

    assert remedy_of(answer, 1).moved == ("class_agnostic",)


def test_soft_nms_is_given_up_where_it_leaves_the_box_no_score():
    limits = {"nms_kind": "soft", "soft_sigma": 0.1, "score_threshold": 0.3}
    answer = scene(SIDE_BY_SIDE, [[0.9], [0.8]], SIDE_BY_SIDE, [1, 1], **limits)

    assert verdicts(answer)[1] == Verdict.SUPPRESSED
    assert remedy_of(answer, 1).moved == ("nms_kind",)


def test_two_limits_move_where_one_is_not_enough():
    limits = {"score_threshold": 0.5, "nms_threshold": 0.3}
    answer = scene(SIDE_BY_SIDE, [[0.9], [0.4]], SIDE_BY_SIDE, [1, 1], **limits)

    assert remedy_of(answer, 1).moved == ("score_threshold", "nms_threshold")


def test_top_k_and_cap_grow_to_the_rank_of_the_box():
    boxes = [[0.0, 0.0, 0.2, 0.1], [0.3, 0.0, 0.5, 0.1], [0.6, 0.0, 0.8, 0.1]]
    scores = [[0.9], [0.8], [0.7]]

    for limit in ("top_k", "max_detections"):
        answer = scene(boxes, scores, boxes[2:], [1], **{limit: 1})
        remedy = remedy_of(answer, 0)

        assert getattr(remedy.config, limit) == 3
        assert remedy.wrong == 1  # the second box comes in with it


def test_nothing_is_moved_where_no_box_lies_right_or_no_control_reaches():
    far = scene([[0.6, 0.6, 0.9, 0.8]], [[0.9]], [[0.1, 0.1, 0.5, 0.3]], [1])
    faint = scene([[0.1, 0.1, 0.5, 0.3]], [[0.005]], [[0.1, 0.1, 0.5, 0.3]], [1])

    assert remedy_of(far, 0) is None
    assert remedy_of(faint, 0) is None


@pytest.mark.slow
def test_every_silencing_drops_the_false_positive_it_was_made_for():
    silenced = dict.fromkeys(FalsePositive, 0)
    for seed in SEEDS:
        answer = random_answer(seed)
        picked, wrong = (
            answer.picked(),
            false_positives(answer.result(), evaluation_iou=answer.evaluation_iou),
        )
        rows = (picked.fate == 0).nonzero()[:, 0].tolist()
        for row, kind, twin in zip(rows, wrong.kind.tolist(), wrong.duplicate_of.tolist(), strict=True):
            if kind < 0:
                continue
            remedy = trials_on(answer).silencing(row, duplicate_of=rows[twin] if twin >= 0 else None)
            if remedy is None:
                assert float(picked.scores[row]) > 0.99
                continue
            left = replace(answer, config=remedy.config).picked().detections
            silenced[FalsePositive(kind)] += 1

            gone = (left.anchors == picked.anchors[row]) & (left.labels == picked.labels[row])
            assert not bool(gone.any())

    assert all(silenced.values())


def test_a_duplicate_goes_by_the_nms_threshold_and_costs_nobody():
    boxes = [[0.0, 0.0, 0.5, 0.4], [0.1, 0.0, 0.6, 0.4]]  # jaccard 2/3
    answer = scene(boxes, [[0.9], [0.95]], boxes[1:], [1], nms_threshold=0.8)

    remedy = trials_on(answer).silencing(1, duplicate_of=0)

    assert remedy.moved == ("nms_threshold",)
    assert (remedy.config.nms_threshold, remedy.lost, remedy.wrong) == (0.66, 0, -1)


def test_a_picture_without_objects_has_false_positives_to_silence_and_changes_nothing_given():
    boxes, scores = torch.tensor([[0.0, 0.0, 0.5, 0.4]]), torch.tensor([[0.6]])
    kept = boxes.clone(), scores.clone()
    truth = PictureResult(8, 4, boxes[:0], NONE.long(), NONE.bool(), boxes[:0], NONE.long(), NONE)

    remedy = Trials(boxes, scores, config=SelectionConfig(), truth=truth).silencing(0)

    assert remedy.config.score_threshold == pytest.approx(0.61)
    assert torch.equal(boxes, kept[0])
    assert torch.equal(scores, kept[1])
