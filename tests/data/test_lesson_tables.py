"""The lesson's tables and its JSON, as other people's files have them."""

from __future__ import annotations

import json

import pytest

from ssd.data.folders import open_dataset
from ssd.data.lesson_tables import NO_CLASS, read_class_table
from ssd.data.scan import dataset_splits, scan_dataset
from ssd.errors import DataError
from tests.data.random_data import grey

BOXES = "fn,bbox,clas\n000012.png,96 155 269 350,car\n000017.png,61 184 198 278 77 89 335 402,horse person\n"


@pytest.fixture
def folder(tmp_path):
    grey(tmp_path / "JPEGImages" / "000012.png", 500, 333)
    grey(tmp_path / "JPEGImages" / "000017.png", 480, 364)
    (tmp_path / "boxes_train.csv").write_text(BOXES)
    return tmp_path


def test_rows_before_columns_from_zero_and_inclusive_become_edges(folder):
    data = open_dataset(folder)

    assert (data.kind, data.classes, data.names) == (
        "lesson-csv",
        ("car", "horse", "person"),
        ("000012", "000017"),
    )
    assert data.entries[0].annotation.objects[0].box_px == (155, 96, 351, 270)  # VOC's 156 97 351 270
    assert [o.box_px for o in data.entries[1].annotation.objects] == [(184, 61, 279, 199), (89, 77, 403, 336)]
    assert data.sample(1).picture.shape == (3, 364, 480)


def test_a_table_without_classes_has_objects(folder):
    (folder / "boxes_train.csv").write_text("fn,bbox\n000012.png,96 155 269 350\n")

    assert open_dataset(folder).classes == (NO_CLASS,)


def test_a_picture_without_boxes_is_empty(folder):
    (folder / "boxes_train.csv").write_text(BOXES.replace("96 155 269 350,car", ","))

    assert open_dataset(folder).entries[0].annotation.objects == ()


def test_tables_are_splits_and_a_single_one_is_divided(folder):
    assert dataset_splits(folder) == ("train", "val")
    rows = "".join(f"{n}.png,1 1 20 20,cat\n" for n in range(10))
    for n in range(10):
        grey(folder / "JPEGImages" / f"{n}.png", 60, 40)
    (folder / "boxes_train.csv").rename(folder / "boxes_test.csv")
    (folder / "boxes_rest.csv").write_text(f"fn,bbox,clas\n{rows}")

    assert dataset_splits(folder) == ("rest", "test")
    assert open_dataset(folder, split="test").names == ("000012", "000017")
    assert open_dataset(folder / "boxes_rest.csv", split="val").names == ("4", "9")
    assert len(open_dataset(folder)) == 12


BAD = {
    "three numbers": ("000012.png,1 2 3,car", "boxes_train.csv, row 2: needs four numbers for each box"),
    "two classes": (
        "000012.png,96 155 269 350,car bus",
        "needs four numbers for each box, and a class",
    ),
    "a column more": ("000012.png,96 155 269 350,car,x", "row 2: needs 3 columns, got 4"),
    "a path outside": ("../000012.png,96 155 269 350,car", "row 2: a file name must stay inside"),
    "an absolute path": ("/etc/passwd,96 155 269 350,car", "row 2: a file name must stay inside"),
    "a word": ("000012.png,96 left 269 350,car", "row 2, object 1: a box must be four numbers"),
    "no area": (
        "000012.png,96 155 96 350,car",
        "row 2, object 1: a box must have an area, got [155, 96, 350, 96]",
    ),
    "outside": ("000012.png,96 155 269 502,car", "row 2, object 1: a box must lie inside the picture"),
    "no picture": ("ghost.png,96 155 269 350,car", "the size of 1 picture(s) with 1 object(s) is not known"),
}


@pytest.mark.parametrize(("row", "sentence"), BAD.values(), ids=BAD)
def test_a_bad_row_is_named_and_the_others_are_kept(folder, row, sentence):
    (folder / "boxes_train.csv").write_text(BOXES.replace("000012.png,96 155 269 350,car", row))

    data = open_dataset(folder)

    assert "000017" in data.names
    assert any(sentence in problem for problem in data.problems)


def test_a_table_that_is_no_csv_is_a_fault(folder):
    (folder / "boxes_train.csv").write_text('fn,bbox,clas\n"000012.png,96 155\n')

    assert scan_dataset(folder).faults[0].rule == "row"


def test_the_table_of_classes_is_read_and_not_taken_for_boxes(tmp_path):
    (tmp_path / "mc.csv").write_text("fn,clas\n000017.jpg,person horse\n000023.jpg,bicycle person\n")

    assert read_class_table(tmp_path / "mc.csv") == {
        "000017.jpg": ("person", "horse"),
        "000023.jpg": ("bicycle", "person"),
    }
    with pytest.raises(DataError, match="has no boxes"):
        open_dataset(tmp_path / "mc.csv")
    (tmp_path / "mc.csv").write_text("fn,clas\na.jpg,cat\na.jpg,dog\n")
    with pytest.raises(DataError, match="row 3: needs a file name that stands once"):
        read_class_table(tmp_path / "mc.csv")


def test_the_lesson_s_json_is_read_from_the_place_where_the_lesson_has_it(tmp_path):
    grey(tmp_path / "VOCdevkit/VOC2007/JPEGImages/000012.png", 500, 333)
    content = {
        "images": [{"file_name": "000012.png", "height": 333, "width": 500, "id": 12}],
        "type": "instances",
        "annotations": [
            {"segmentation": [[155, 96, 155, 270, 351, 270, 351, 96]], "area": 34104, "iscrowd": 0,
             "image_id": 12, "bbox": [155, 96, 196, 174], "category_id": 7, "id": 1, "ignore": ignore}
            for ignore in (0,)
        ] + [{"image_id": 12, "bbox": [0, 0, 9, 9], "category_id": 15, "id": 2, "ignore": 1}],
        "categories": [{"supercategory": "none", "id": 15, "name": "person"},
                       {"supercategory": "none", "id": 7, "name": "car"}],
    }  # fmt: skip
    (tmp_path / "pascal_train2007.json").write_text(json.dumps(content))

    data = open_dataset(tmp_path, split="train")

    assert (data.kind, data.classes, data.category_ids) == ("lesson-json", ("car", "person"), (7, 15))
    assert [(o.box_px, o.difficult) for o in data.entries[0].annotation.objects] == [
        ((155, 96, 351, 270), False),
        ((0, 0, 9, 9), True),
    ]
    assert dataset_splits(tmp_path) == ("train2007",)
