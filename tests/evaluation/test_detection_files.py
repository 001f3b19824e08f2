"""Detections of other tools: what a row may name, what is refused, and numbers that agree exactly."""

from __future__ import annotations

import gc
import json

import pytest
import torch

from ssd.errors import DataError
from ssd.evaluation import image_ids, read_detections, read_truth
from ssd.metrics import average_precision
from tests.data.test_folders import write_coco
from tests.evaluation.cells import SIZE, write_cells
from tests.metrics.pictures import random_results
from tests.metrics.test_coco import of_pycocotools, pixels
from tests.small_models import FORBIDDEN

CIRCLE = {"bbox": [4, 4, 26, 26], "score": 0.9}  # the circle of picture 0


@pytest.fixture
def truth(tmp_path):
    return read_truth(write_cells(tmp_path / "cells"))


@pytest.fixture
def read(tmp_path, truth):
    """Rows → results beside the devkit."""

    def reader(*rows, data=truth):
        path = tmp_path / "found.json"
        path.write_text(json.dumps(list(rows)))
        return read_detections(path, data)

    return reader


@pytest.mark.parametrize("image_id", [1, "000", "000.png", "JPEGImages/000.png"])
@pytest.mark.parametrize(
    "kind", [{"category_id": 1}, {"category": "circle"}, {"category": "circle", "category_id": 2}]
)
def test_a_row_names_its_picture_and_class_in_any_of_these_ways(read, image_id, kind):
    found = read({"image_id": image_id, **kind, **CIRCLE})

    assert [len(result.boxes) for result in found] == [1, 0, 0, 0, 0]
    assert found[0].labels.tolist() == [1]
    torch.testing.assert_close(found[0].boxes[0], found[0].gt_boxes[0])
    assert (found[0].width_px, found[0].height_px) == SIZE


def test_positions_count_file_names_in_order_from_1(read, truth):
    assert image_ids(truth) == (1, 2, 3, 4, 5)

    found = read({"image_id": 5, "category_id": 2, "bbox": [0, 0, 9, 9], "score": 0.5})

    assert len(found[4].boxes) == 1


def test_a_difficult_object_is_ignored_and_no_coco_crowd(read):
    third = read()[2]

    assert third.gt_ignored.tolist() == [False, False, True]
    assert third.gt_crowd.tolist() == [False, False, False]


def test_coco_ids_with_gaps_are_the_files_own_and_pictures_need_not_be_there(tmp_path, read):
    write_coco(tmp_path / "coco", "val", ["a/1.jpg", "b/2.jpg"], first_id=70)
    path = tmp_path / "coco" / "annotations" / "instances_val.json"

    data = read_truth(path)

    assert (image_ids(data), data.classes, data.category_ids) == ((70, 71), ("cat", "dog"), (0, 90))
    rows = [
        {"image_id": key, "category_id": 90, "bbox": [0, 0, 30, 20], "score": 0.5}
        for key in (70, "1", "1.jpg")
    ]
    found = read(*rows, data=data)
    assert (found[0].labels.tolist(), len(found[1].boxes)) == ([2, 2, 2], 0)
    assert found[0].gt_crowd.tolist() == found[0].gt_ignored.tolist() == [False, True]


def test_a_stem_of_two_pictures_is_refused_and_their_file_names_are_not(tmp_path, read):
    write_coco(tmp_path / "coco", "val", ["a.jpg", "a.png"])
    data = read_truth(tmp_path / "coco" / "annotations" / "instances_val.json")
    row = {"category": "dog", "bbox": [0, 0, 30, 20], "score": 0.5}

    assert [len(r.boxes) for r in read({"image_id": "a.png", **row}, data=data)] == [0, 1]
    with pytest.raises(DataError, match="stem of several pictures"):
        read({"image_id": "a", **row}, data=data)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"image_id": 6}, "image_id 6 is no picture"),
        ({"image_id": 0}, "image_id 0 is no picture"),
        ({"image_id": "1"}, "is no picture"),
        ({"image_id": True}, "must be a whole number or a name"),
        ({"image_id": 1.5}, "must be a whole number or a name"),
        ({"image_id": None}, "must be a whole number or a name"),
        ({"category_id": 0}, "category_id must be one of 1, 2, got 0"),
        ({"category_id": 3}, "got 3"),
        ({"category_id": None}, "category_id must be one of"),
        ({"category": "cirle"}, "did you mean circle?"),
        ({"bbox": [1, 2, 3]}, "bbox must be 4 finite numbers"),
        ({"bbox": [1, 2, float("nan"), 3]}, "bbox must be 4 finite numbers"),
        ({"bbox": [1, 2, "3", 3]}, "bbox must be 4 finite numbers"),
        ({"bbox": [1, 2, -3, 3]}, "a width and a height of at least 0"),
        ({"bbox": [1, 2, 10**400, 3]}, "bbox must be 4 finite numbers"),
        ({"score": float("inf")}, "score must be a finite number"),
        ({"score": "0.5"}, "score must be a finite number"),
        ({"score": None}, "score must be a finite number"),
    ],
)  # fmt: skip
def test_a_row_that_is_not_understood_is_named_with_its_number(read, change, words):
    good = {"image_id": 1, "category_id": 1, **CIRCLE}

    with pytest.raises(DataError) as error:
        read(good, {**good, **change})

    assert "found.json: detection 2: " in str(error.value) and words in str(error.value)
    assert not FORBIDDEN.search(str(error.value))


def test_all_bad_rows_are_named_up_to_twenty(read):
    with pytest.raises(DataError, match=r"detection 20: .*; and 5 more") as error:
        read(*({"image_id": 99 + number} for number in range(25)))

    assert "detection 21" not in str(error.value)


def test_the_same_problem_of_many_rows_is_said_once(read):
    good = {"image_id": 1, "category_id": 1, **CIRCLE}

    with pytest.raises(DataError) as error:
        read(good, *({"image_id": 99} for _ in range(25)), {"image_id": 98})

    said = str(error.value)
    assert "detection 2 and 24 more: image_id 99 is no picture of the ground truth; detection 27: " in said
    assert "more;" not in said


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not well-formed JSON"),
        (b"[{]", "line 1, column"),
        (b"\xff\xfe[]", "must be UTF-8"),
        (b'{"annotations": []}', "must be an array|is an array"),
        (b"[" * 100_000, "nested|well-formed"),
        (b"[" + b"9" * 5_000 + b"]", "too many digits"),
        (b"[7]", "must be an object"),
    ],
)
def test_a_file_that_is_no_results_file_is_refused(tmp_path, truth, content, words):
    path = tmp_path / "found.json"
    path.write_bytes(content)

    with pytest.raises(DataError, match=words) as error:
        read_detections(path, truth)

    assert not FORBIDDEN.search(str(error.value))


def test_a_byte_order_mark_and_no_rows_are_accepted(tmp_path, truth):
    path = tmp_path / "found.json"
    path.write_bytes(b"\xef\xbb\xbf[]")

    assert [len(result.boxes) for result in read_detections(path, truth)] == [0] * 5


def written(folder, results, ids):
    """The results as an annotation file and a results file of COCO, the pictures in any order."""
    images, objects, said = [], [], []
    for number, result in zip(ids, results, strict=True):
        images.append(
            {"id": number, "file_name": f"{number}.jpg", "width": result.width_px, "height": result.height_px}
        )
        for box, label, crowd in zip(
            result.gt_boxes, result.gt_labels.tolist(), result.gt_ignored.tolist(), strict=True
        ):
            objects.append({"id": len(objects) + 1, "image_id": number, "category_id": label,
                            "bbox": pixels(box, result), "iscrowd": int(crowd)})  # fmt: skip
        for box, label, score in zip(
            result.boxes, result.labels.tolist(), result.scores.tolist(), strict=True
        ):
            said.append(
                {"image_id": number, "category_id": label, "bbox": pixels(box, result), "score": score}
            )
    categories = [{"id": label, "name": f"class {label}"} for label in (1, 2, 3)]
    content = {"images": images, "annotations": objects, "categories": categories}
    (folder / "truth.json").write_text(json.dumps(content))
    (folder / "found.json").write_text(json.dumps(said))
    return bool(said)


@pytest.mark.parametrize("seed", range(12))
def test_files_judged_are_files_judged_by_pycocotools(tmp_path, seed):
    results = random_results(seed + 500, pictures=8)
    ids = (torch.randperm(90, generator=torch.Generator().manual_seed(seed)) + 1).tolist()[:8]
    assert written(tmp_path, results, ids)

    data = read_truth(tmp_path / "truth.json")
    report = average_precision(
        read_detections(tmp_path / "found.json", data),
        class_names=data.classes, metric="coco", image_ids=image_ids(data),
    )  # fmt: skip

    wanted = of_pycocotools(results, ids, classes=3)
    assert [report.ap, report.ap50] == pytest.approx(wanted[:2], abs=1e-9)


def test_reading_at_once_and_row_by_row_give_the_same(read, monkeypatch):
    rows = [
        {"image_id": 1 + k % 5, "category_id": 1 + k % 2, "bbox": [k, 2, 3.5, 4], "score": k / 9}
        for k in range(9)
    ]
    whole = read(*rows)

    one_by_one = read(*rows[:-1], {**rows[-1], "category": "circle"})  # a row that differs from the others
    monkeypatch.setattr("ssd.evaluation.detection_files._all_at_once", lambda rows, door: None)
    slow = read(*rows)

    for a, b, c in zip(whole, one_by_one, slow, strict=True):
        for name in ("boxes", "labels", "scores", "gt_boxes"):
            assert torch.equal(getattr(a, name), getattr(b, name))
            assert torch.equal(getattr(a, name), getattr(c, name))
            assert getattr(a, name).dtype == getattr(b, name).dtype == getattr(c, name).dtype


def test_the_collector_runs_again_after_a_file(read):
    read()

    assert gc.isenabled()
