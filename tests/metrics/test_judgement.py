"""Which detection found which object: hand-worked pictures, and the decided treatment of ignored boxes."""

from __future__ import annotations

import pytest

from ssd.config import UNMATCHED
from ssd.errors import ConfigError
from ssd.metrics import judge
from tests.metrics.pictures import CAT, DOG, picture


def test_the_second_hit_on_an_object_is_a_false_positive() -> None:
    verdict = judge(picture([(DOG, 1, False)], [(DOG, 1, 0.6), (DOG, 1, 0.9)]))

    assert verdict.true_positive.tolist() == [False, True]
    assert verdict.false_positive.tolist() == [True, False]
    assert (verdict.precision, verdict.recall) == (0.5, 1.0)
    assert verdict.f1 == pytest.approx(2 / 3)


def test_a_detection_takes_its_best_object_even_if_that_is_taken() -> None:
    near = [0.1, 0.2, 0.5, 0.55]
    verdict = judge(picture([(DOG, 1, False), (near, 1, False)], [(DOG, 1, 0.9), (DOG, 1, 0.8)]))

    assert verdict.true_positive.tolist() == [True, False]
    assert verdict.found.tolist() == [True, False]


def test_a_detection_of_another_class_finds_nothing() -> None:
    verdict = judge(picture([(DOG, 1, False)], [(DOG, 2, 0.9)]))

    assert verdict.false_positive.tolist() == [True]
    assert verdict.gt.tolist() == [UNMATCHED]
    assert verdict.recall == 0.0


def test_a_detection_on_an_ignored_box_is_neither_right_nor_wrong() -> None:
    verdict = judge(picture([(DOG, 1, True), (CAT, 1, False)], [(DOG, 1, 0.9), (CAT, 1, 0.8)]))

    assert verdict.ignored.tolist() == [True, False]
    assert verdict.true_positive.tolist() == [False, True]
    assert (verdict.num_objects, verdict.precision, verdict.recall) == (1, 1.0, 1.0)


def test_a_jaccard_of_exactly_the_evaluation_iou_is_a_hit() -> None:
    half = [0.0, 0.0, 0.5, 0.25]
    scene = picture([([0.0, 0.0, 0.5, 0.5], 1, False)], [(half, 1, 0.9)])

    assert judge(scene, evaluation_iou=0.5).true_positive.tolist() == [True]
    assert judge(scene, evaluation_iou=0.501).true_positive.tolist() == [False]


def test_an_empty_picture_has_no_precision_and_no_recall() -> None:
    verdict = judge(picture([], []))

    assert (verdict.precision, verdict.recall, verdict.f1) == (None, None, None)


def test_an_evaluation_iou_above_one_is_refused() -> None:
    with pytest.raises(ConfigError, match="0–1"):
        judge(picture([], []), evaluation_iou=1.5)


def test_an_ignored_box_excuses_detections_of_every_class():
    verdict = judge(picture([(DOG, 1, True)], [(DOG, 2, 0.9), (CAT, 2, 0.8)]))

    assert verdict.ignored.tolist() == [True, False]
    assert verdict.false_positive.tolist() == [False, True]


def test_a_detection_that_lies_better_on_an_object_of_its_class_is_not_excused():
    near = [0.1, 0.2, 0.5, 0.55]
    verdict = judge(picture([(near, 1, True), (DOG, 2, False)], [(DOG, 2, 0.9)]))

    assert (verdict.true_positive.tolist(), verdict.gt.tolist()) == ([True], [1])
