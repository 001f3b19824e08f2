"""Which splits a picture is in, for every layout; lists of boxes without pictures."""

from __future__ import annotations

import pytest

from ssd.checks import check_dataset
from ssd.checks.reading import exclusive, read_material
from tests.checks.builders import CAT, DOG, coco, devkit, picture_bytes, write_picture, write_xml


def splits_of(root, split="all"):
    """Picture to splits."""
    return {each.scanned.name: each.splits for each in read_material(root, split=split).seen}


def test_files_say_the_splits_of_a_devkit(tmp_path):
    found = splits_of(devkit(tmp_path))

    assert (found["p00"], found["p01"]) == (("trainval", "val"), ("train", "trainval"))


def test_splits_that_no_file_says_are_counted(tmp_path):
    for number in range(60):
        write_xml(tmp_path / f"c{number:02}.xml", CAT)

    found = splits_of(tmp_path)

    assert [name for name, splits in found.items() if splits == ("val",)] == [f"c{n}" for n in range(40, 50)]


def test_every_coco_file_is_a_split_and_a_picture_in_two_is_seen_twice(tmp_path):
    coco(tmp_path, split="train2017")
    coco(tmp_path, split="val2017", first=6)

    material = read_material(tmp_path)

    assert material.by_split == {"train2017": 12, "val2017": 12}
    assert check_dataset(tmp_path).counts == {"leak": 6}


def yolo(root, parts=("train", "val")):
    for number, part in enumerate(parts):
        write_picture(root / "images" / part / "a.png", number)
        (root / "labels" / part).mkdir(parents=True)
        (root / "labels" / part / "a.txt").write_text("0 0.5 0.5 0.5 0.5\n" * (number + 1))
    (root / "classes.txt").write_text("cat\ndog\n")
    return root


def test_the_folders_of_yolo_are_splits_and_one_name_may_be_in_both(tmp_path):
    report = check_dataset(yolo(tmp_path))

    assert report.by_split == {"train": 1, "val": 1}
    assert report.counts == {"few-objects": 1, "no-objects": 1, "identical-box": 1, "one-class": 1}
    assert {p.sentence for p in report.problems if p.rule == "no-objects"} == {"class 'dog' has no object."}


def test_a_line_of_yolo_that_cannot_be_is_told_with_its_file(tmp_path):
    root = yolo(tmp_path)
    (root / "labels" / "val" / "a.txt").write_text("0 0.5 0.5 0.5\n7 0.5 0.5 0.5 0.5\n0 0.5 0.5 1.9 0.5\n")

    found = {(p.rule, p.file, p.object) for p in check_dataset(root).problems if p.severity == "error"}

    file = "labels/val/a.txt"
    assert found == {("row", file, 1), ("category", file, 2), ("outside", file, 3)}


def test_lists_of_boxes_need_no_pictures(tmp_path):
    (tmp_path / "test.txt").write_text("000001.jpg 48 240 195 371 11\n000002.jpg 139.5 200 207 301 18\nx 1\n")
    (tmp_path / "test_name_size.txt").write_text("000001 500 353\n")

    report = check_dataset(tmp_path)

    assert (report.num_pictures, report.num_objects, report.num_read, report.is_clean) == (2, 2, 0, False)
    assert {rule: report.counts[rule] for rule in ("row", "decimals", "pictures-absent", "size-unknown")} == {
        "row": 1, "decimals": 1, "pictures-absent": 1, "size-unknown": 1,
    }  # fmt: skip
    said = " ".join(problem.sentence for problem in report.problems)
    assert "the size of 1 picture(s) with 1 object(s) is not known" in said
    assert report.wh_px.shape == (1, 2)


def test_a_picture_beside_a_list_gives_the_size(tmp_path):
    (tmp_path / "some.txt").write_text("a.png 1 1 30 20 11\nb.png 1 1 99 20 11\n")
    (tmp_path / "a.png").write_bytes(picture_bytes(1))
    (tmp_path / "b.png").write_bytes(picture_bytes(2))

    report = check_dataset(tmp_path)

    assert [p.picture for p in report.problems if p.rule == "outside"] == ["b"]
    assert report.wh_px.tolist() == [[150.0, 150.0]]


def test_one_split_alone_has_only_that_name(tmp_path):
    assert set(splits_of(devkit(tmp_path), split="val").values()) == {("val",)}


def test_copies_of_one_picture_are_told_once_each(tmp_path):
    for name in "abcd":
        (tmp_path / f"{name}.png").write_bytes(picture_bytes(1))
        write_xml(tmp_path / f"{name}.xml", CAT, DOG)

    report = check_dataset(tmp_path)

    assert [p.picture for p in report.problems if p.rule == "duplicate-picture"] == ["b", "c", "d"]


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        ("train", "val", True),
        ("train2017", "val2017", True),
        ("trainval", "test", True),
        ("train", "train", False),
        ("trainval", "val", False),
        ("cat_train", "val", False),
        ("training", "val", False),
        ("all", "test", False),
    ],
)
def test_train_val_and_test_share_nothing(one, other, apart):
    assert exclusive(one, other) == exclusive(other, one) == apart
