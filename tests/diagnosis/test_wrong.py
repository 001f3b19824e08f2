"""What is wrong with a detection: each kind by hand, and by law."""

from __future__ import annotations

from collections import Counter

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ssd.config import UNMATCHED
from ssd.diagnosis import FalsePositive, false_positives
from ssd.errors import ConfigError
from ssd.metrics import PictureResult, judge
from tests.diagnosis.scenes import random_answer

DOG, CAT = 1, 2
DUPLICATE, WRONG, PLACED, BACKGROUND = FalsePositive


def result(detections, objects, ignored=()) -> PictureResult:
    """Detections of (box, class), best first, beside objects of (box, class)."""
    flags = torch.tensor([index in ignored for index in range(len(objects))], dtype=torch.bool)
    return PictureResult(
        200,
        100,
        gt_boxes=torch.tensor([row[0] for row in objects]).reshape(-1, 4),
        gt_labels=torch.tensor([row[1] for row in objects], dtype=torch.int64),
        gt_ignored=flags,
        boxes=torch.tensor([row[0] for row in detections]).reshape(-1, 4),
        labels=torch.tensor([row[1] for row in detections], dtype=torch.int64),
        scores=torch.linspace(0.9, 0.1, len(detections)),
    )


OBJECT = ([0.0, 0.0, 0.5, 0.5], DOG)
LOOSE = ([0.0, 0.0, 0.5, 0.2], DOG)  # jaccard .4 with the object
AWAY = [0.6, 0.6, 0.9, 0.7]


def test_every_kind_by_hand():
    said = [OBJECT, ([0.0, 0.0, 0.5, 0.45], DOG), (OBJECT[0], CAT), LOOSE, (AWAY, DOG), (LOOSE[0], CAT)]

    found = false_positives(result(said, [OBJECT]))

    assert found.kind.tolist() == [UNMATCHED, DUPLICATE, WRONG, PLACED, BACKGROUND, WRONG]
    assert found.gt.tolist() == [UNMATCHED, 0, 0, 0, UNMATCHED, 0]
    assert found.duplicate_of.tolist() == [UNMATCHED, 0, *[UNMATCHED] * 4]
    assert [found.count(kind) for kind in FalsePositive] == [1, 2, 1, 1]


def test_a_duplicate_names_the_detection_that_found_the_object():
    other = (AWAY, DOG)

    found = false_positives(result([other, OBJECT, OBJECT, other], [OBJECT, other]))

    assert found.duplicate_of.tolist() == [UNMATCHED, UNMATCHED, 1, 0]


@pytest.mark.parametrize(("bottom", "kind"), [(0.05, PLACED), (0.049, BACKGROUND)])
def test_from_a_jaccard_of_a_tenth_on_a_box_has_to_do_with_an_object(bottom, kind):
    flat = ([0.0, 0.0, 0.5, bottom], DOG)

    assert false_positives(result([flat], [OBJECT])).kind.tolist() == [kind]


def test_on_another_class_is_worse_than_near_the_own():
    cat = ([0.0, 0.0, 0.5, 0.2], CAT)

    found = false_positives(result([LOOSE], [OBJECT, cat]))

    assert (found.kind.tolist(), found.gt.tolist()) == ([WRONG], [1])


def test_an_ignored_object_neither_makes_nor_explains_a_false_positive():
    found = false_positives(result([OBJECT, LOOSE, (OBJECT[0], CAT)], [OBJECT], ignored={0}))

    assert found.kind.tolist() == [UNMATCHED, BACKGROUND, UNMATCHED]


def test_without_objects_every_detection_lies_on_background():
    assert false_positives(result([OBJECT, (AWAY, CAT)], [])).kind.tolist() == [BACKGROUND, BACKGROUND]


def test_without_detections_there_is_nothing_to_say():
    assert false_positives(result([], [OBJECT])).kind.tolist() == []


@given(seed=st.integers(0, 1_000_000))
def test_exactly_the_false_positives_of_the_metric_have_a_kind(seed):
    said = random_answer(seed)
    picture = said.result()

    found = false_positives(picture, evaluation_iou=said.evaluation_iou)

    judged = judge(picture, evaluation_iou=said.evaluation_iou)
    assert torch.equal(found.kind != UNMATCHED, judged.false_positive)
    twice = found.kind == int(DUPLICATE)
    assert bool((picture.scores[found.duplicate_of[twice]] >= picture.scores[twice]).all())
    assert bool(judged.true_positive[found.duplicate_of[twice]].all())
    assert torch.equal(judged.gt[found.duplicate_of[twice]], found.gt[twice])


@pytest.mark.slow
def test_the_random_scenes_hold_every_kind():
    kinds = Counter(
        kind for seed in range(100) for kind in false_positives(random_answer(seed).result()).kind.tolist()
    )

    assert set(FalsePositive) <= set(kinds)


def test_an_evaluation_iou_outside_0_to_1_is_refused():
    with pytest.raises(ConfigError, match="evaluation IoU"):
        false_positives(result([OBJECT], [OBJECT]), evaluation_iou=1.5)
