"""Verdicts that are looked up equal those of the diagnosis at each threshold, picture by picture."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
import torch

from ssd.boxes import jaccard
from ssd.config import UNMATCHED, SelectionConfig
from ssd.diagnosis import Verdict, false_positives, join_ladders, picture_ladder
from ssd.errors import ConfigError, DataError
from tests.diagnosis.scenes import random_answer

SCORES = (0.05, 0.25, 0.5)  # halves and quarters: scores of the scenes lie exactly on them
IOUS = (0.0, 0.5, 0.73)


def ladder_of(answer):
    return picture_ladder(answer.boxes, answer.scores, picked=answer.picked(), result=answer.result())


def blamed(found, picked):
    """What the diagnosis says is to blame: an anchor that suppressed, or an object."""
    by = found.claimed_by.clone()
    lost = (found.verdict == int(Verdict.SUPPRESSED)) & (found.suppressed_by >= 0)
    by[lost] = picked.anchors[found.suppressed_by[lost]]
    return by


@pytest.mark.slow
@pytest.mark.parametrize("part", range(3))
def test_verdicts_at_any_threshold_are_those_of_the_diagnosis(part):
    answers = [random_answer(seed) for seed in range(25 * part, 25 * part + 25)]
    answers = [replace(each, config=replace(each.config, nms_kind="hard")) for each in answers]
    low = min(each.config.score_threshold for each in answers)
    answers = [replace(each, config=replace(each.config, score_threshold=low)) for each in answers]
    ladders = join_ladders([ladder_of(each) for each in answers])
    met = Counter()

    for score in [low, *(each for each in SCORES if each > low)]:
        for iou in IOUS:
            said = ladders.verdicts(score=score, evaluation_iou=iou)
            first, wrong = 0, []
            for answer in answers:
                asked = replace(
                    answer, config=replace(answer.config, score_threshold=score), evaluation_iou=iou
                )
                found, rows = asked.diagnosis(), slice(first, first + len(answer.gt_boxes))
                first += len(answer.gt_boxes)
                assert torch.equal(said.verdict[rows], found.verdict)
                assert torch.equal(said.by[rows], blamed(found, asked.picked()))
                assert torch.equal(said.best_jaccard[rows], found.best_jaccard)
                assert torch.equal(said.score[rows].float(), found.score)
                kinds = false_positives(asked.result(), evaluation_iou=iou).kind
                wrong += kinds[kinds != UNMATCHED].tolist()
                met.update(found.verdict.tolist())
            assert Counter(said.wrong[said.wrong != UNMATCHED].tolist()) == Counter(wrong)

    assert len(met) == len(Verdict)


def test_a_rung_is_a_box_that_no_better_scored_one_overlaps_more():
    gt = torch.tensor([[0.0, 0.0, 0.5, 1.0]])
    boxes = torch.tensor([[0.0, 0.0, 0.5, 0.6], [0.0, 0.0, 0.5, 0.5], [0.0, 0.0, 0.5, 0.9]])
    answer = replace(
        random_answer(0), boxes=boxes, scores=torch.tensor([[0.9], [0.8], [0.7]]), gt_boxes=gt,
        gt_labels=torch.tensor([1]), gt_ignored=torch.tensor([False]),
        config=SelectionConfig(nms_threshold=1.0),
    )  # fmt: skip

    made = ladder_of(answer).rungs

    overlaps = jaccard(boxes, gt)[:, 0].double()
    for stage in (0, 2, 3, 4, 5):  # any box, own class, in the top-k, survived, kept
        assert torch.equal(made.overlap[made.stage == stage], overlaps[[0, 2]])
    assert not (made.stage == 1).any()


def test_no_picture_at_all_has_no_verdicts():
    assert len(join_ladders([]).verdicts(score=0.5, evaluation_iou=0.5).verdict) == 0


def test_bad_input_gets_a_sentence():
    answer = next(each for each in map(random_answer, range(99)) if len(each.picked().kept))
    said = answer.result()
    bare = replace(said, boxes=said.boxes[:0], labels=said.labels[:0], scores=said.scores[:0])
    with pytest.raises(DataError, match=r"judge picked\.detections"):
        picture_ladder(answer.boxes, answer.scores, picked=answer.picked(), result=bare)
    with pytest.raises(ConfigError, match="evaluation IoU"):
        join_ladders([ladder_of(answer)]).verdicts(score=0.5, evaluation_iou=1.5)
