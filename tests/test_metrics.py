"""Metrics: hand-worked pictures, the decided treatment of ignored boxes, and COCO AP."""

from __future__ import annotations

import pytest
import torch

from ssd.config import UNMATCHED
from ssd.errors import ConfigError
from ssd.metrics import PictureResult, coco_ap, judge

DOG = [0.1, 0.2, 0.5, 0.6]
CAT = [0.5, 0.5, 0.9, 0.9]


def picture(
    objects: list[tuple[list[float], int, bool]],
    detections: list[tuple[list[float], int, float]],
    width_px: int = 200,
    height_px: int = 100,
) -> PictureResult:
    return PictureResult(
        width_px=width_px,
        height_px=height_px,
        gt_boxes=torch.tensor([box for box, _, _ in objects]).reshape(-1, 4),
        gt_labels=torch.tensor([label for _, label, _ in objects], dtype=torch.int64),
        gt_ignored=torch.tensor([ignored for _, _, ignored in objects], dtype=torch.bool),
        boxes=torch.tensor([box for box, _, _ in detections]).reshape(-1, 4),
        labels=torch.tensor([label for _, label, _ in detections], dtype=torch.int64),
        scores=torch.tensor([score for _, _, score in detections]),
    )


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


def test_a_perfect_detector_reaches_one_also_in_the_first_picture() -> None:
    pictures = [
        picture([(DOG, 1, False), (CAT, 2, False)], [(DOG, 1, 0.9), (CAT, 2, 0.7)]),
        picture([], [], width_px=50, height_px=300),
    ]

    report = coco_ap(pictures, class_names=["dog", "cat", "bird"])

    assert report.ap == pytest.approx(1.0)
    assert report.ap50 == pytest.approx(1.0)
    assert report.per_class == {"dog": pytest.approx(1.0), "cat": pytest.approx(1.0), "bird": None}
    assert (report.num_pictures, report.num_objects) == (2, 2)


def test_one_false_positive_above_the_only_hit_halves_the_ap() -> None:
    report = coco_ap([picture([(DOG, 1, False)], [(CAT, 1, 0.9), (DOG, 1, 0.5)])], class_names=["dog"])

    assert report.ap50 == pytest.approx(0.5)


def test_half_overlap_counts_at_iou_50_and_not_at_75() -> None:
    tall = [0.1, 0.2, 0.5, 0.53]  # .825 of the dog
    report = coco_ap([picture([(DOG, 1, False)], [(tall, 1, 0.9)])], class_names=["dog"])

    assert report.ap50 == pytest.approx(1.0)
    assert report.ap75 == pytest.approx(1.0)
    assert report.ap == pytest.approx(0.7)  # hits at IoU .50 to .80, misses at .85 to .95


def test_ignored_boxes_are_crowd_boxes_of_every_class() -> None:
    scene = picture([(DOG, 0, True), (CAT, 2, False)], [(DOG, 1, 0.9), (DOG, 2, 0.9), (CAT, 2, 0.5)])

    report = coco_ap([scene], class_names=["dog", "cat"])

    assert report.per_class50 == {"dog": None, "cat": pytest.approx(1.0)}
    assert report.num_objects == 1


def test_no_detections_give_zero_not_an_error() -> None:
    assert coco_ap([picture([(DOG, 1, False)], [])], class_names=["dog"]).ap == 0.0
