"""COCO AP and its twelve numbers: by hand, and equal to pycocotools."""

from __future__ import annotations

import contextlib
import io

import pytest
import torch

from ssd.errors import DataError
from ssd.metrics import COCO_NUMBERS, PictureResult, coco_ap, coco_report
from tests.metrics.pictures import CAT, DOG, dice, picture, random_results


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


def test_small_objects_are_judged_for_themselves() -> None:
    small = [0.0, 0.0, 30 / 200, 30 / 100]
    scene = picture([(small, 1, False), (DOG, 1, False)], [(small, 1, 0.9)])

    report = coco_ap([scene], class_names=["dog"])

    assert report.small50 == pytest.approx(1.0)
    assert report.ap50 == pytest.approx(51 / 101)  # precision 1 up to recall .5
    assert coco_ap([picture([(DOG, 1, False)], [])], class_names=["dog"]).small50 is None


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


def pixels(box: torch.Tensor, result: PictureResult) -> list[float]:
    """x, y, width, height as the whole numbers that they were."""
    size = torch.tensor([result.width_px, result.height_px] * 2, dtype=torch.float64)
    x1, y1, x2, y2 = (round(edge) for edge in (box * size).tolist())
    return [x1, y1, x2 - x1, y2 - y1]


def of_pycocotools(results: list[PictureResult], ids: list[int], classes: int) -> list[float]:
    """The twelve numbers of the reference, from whole pixels; it is given annotation ids from 1."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    truth, said = COCO(), []
    objects: list[dict[str, object]] = []
    for number, result in zip(ids, results, strict=True):
        rows = zip(result.gt_boxes, result.gt_labels.tolist(), result.gt_ignored.tolist(), strict=True)
        for box, label, crowd in rows:
            xywh = pixels(box, result)
            objects.append({"id": len(objects) + 1, "image_id": number, "category_id": label, "bbox": xywh,
                            "area": xywh[2] * xywh[3], "iscrowd": int(crowd)})  # fmt: skip
        for box, label, score in zip(
            result.boxes, result.labels.tolist(), result.scores.tolist(), strict=True
        ):
            said.append(
                {"image_id": number, "category_id": label, "bbox": pixels(box, result), "score": score}
            )
    truth.dataset = {
        "images": [{"id": number} for number in ids],
        "annotations": objects,
        "categories": [{"id": label} for label in range(1, classes + 1)],
        "info": {},
    }
    with contextlib.redirect_stdout(io.StringIO()):
        truth.createIndex()
        evaluation = COCOeval(truth, truth.loadRes(said), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return list(evaluation.stats)


@pytest.mark.parametrize(
    "seeds",
    [range(10), *(pytest.param(range(k, k + 38), marks=pytest.mark.slow) for k in range(10, 200, 38))],
)
def test_the_twelve_numbers_are_those_of_pycocotools(seeds):
    for seed in seeds:
        results = random_results(seed, pictures=3 + seed % 6)
        results[0] = picture([(DOG, 1, False)], [(DOG, 1, 0.5)], width_px=10, height_px=10)  # never empty
        results[0] = PictureResult(**{**vars(results[0]), **{
            name: vars(results[0])[name].double() for name in ("boxes", "gt_boxes", "scores")}})  # fmt: skip
        gaps = torch.randperm(1000, generator=dice(seed))[: len(results)].tolist()

        report = coco_report(results, class_names=["a", "b", "c"], image_ids=gaps)

        wanted = of_pycocotools(results, gaps, classes=3)
        for name, ours, theirs in zip(COCO_NUMBERS, report.numbers.values(), wanted, strict=True):
            assert (-1 if ours is None else ours) == pytest.approx(theirs, abs=1e-9), (seed, name)


def test_equal_scores_count_in_the_order_of_the_ids():
    right = picture([(DOG, 1, False)], [(DOG, 1, 0.5)])
    wrong = picture([], [(DOG, 1, 0.5)])

    first = coco_report([right, wrong], class_names=["dog"], image_ids=[1, 2]).ap50
    last = coco_report([right, wrong], class_names=["dog"], image_ids=[2, 1]).ap50

    assert (first, last) == (pytest.approx(1.0), pytest.approx(0.5))


def test_ids_that_do_not_name_each_picture_are_refused():
    with pytest.raises(DataError, match="an id of its own"):
        coco_report([picture([], []), picture([], [])], class_names=["dog"], image_ids=[7, 7])


def test_a_crowd_box_of_coco_is_ignored_in_its_own_class_only():
    scene = picture([(DOG, 1, True), (CAT, 2, False)], [(DOG, 2, 0.9), (CAT, 2, 0.5)])
    crowd = PictureResult(**{**vars(scene), "gt_crowd": torch.tensor([True, False])})

    assert coco_report([scene], class_names=["dog", "cat"]).per_class50["cat"] == pytest.approx(1.0)
    assert coco_report([crowd], class_names=["dog", "cat"]).per_class50["cat"] == pytest.approx(0.5)


def test_the_precision_curve_is_that_of_the_ap50():
    report = coco_report(random_results(5), class_names=["a", "b", "c"])

    for name, ap50 in report.per_class50.items():
        assert (name in report.precision50) == (ap50 is not None)
        if ap50 is not None:
            assert float(report.precision50[name].mean()) == pytest.approx(ap50, abs=1e-12)
            assert len(report.precision50[name]) == 101


def test_without_objects_there_is_no_number():
    report = coco_report([picture([], [(DOG, 1, 0.9)])], class_names=["dog"])

    assert set(report.numbers.values()) == {None}
    assert (report.per_class, report.num_objects, report.num_pictures) == ({"dog": None}, 0, 1)
