"""Plain text lists: sizes, flags and classes from the files beside them; every bad line is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from ssd.data.folders import open_dataset
from ssd.data.object_table import read_objects
from ssd.data.scan import dataset_splits, scan_dataset
from ssd.errors import DataError
from tests.data.random_data import grey

LINES = "000001.jpg 48 240 195 371 11 8 12 352 498 14\n000002.jpg 139 200 207 301 18\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "voc07_test.txt").write_text(LINES)
    (tmp_path / "voc07_test_name_size.txt").write_text("000001 500 353\n")
    (tmp_path / "voc07_test_difficult.txt").write_text("000001.jpg 0 1\n000002.jpg 0\n")
    (tmp_path / "SOURCE.txt").write_text("Two pictures of VOC.\n")
    (tmp_path / "pairs.txt").write_text("a/000001.jpg a/000001.xml\n")
    return tmp_path


def test_corners_classes_sizes_and_flags_are_those_of_voc(folder):
    data = open_dataset(folder)

    [entry] = data.entries
    assert (data.kind, entry.name, entry.annotation.width, entry.annotation.height) == (
        "text",
        "000001",
        353,
        500,
    )
    assert [(o.name, o.box_px, o.difficult) for o in entry.annotation.objects] == [
        ("dog", (47, 239, 195, 371), False),
        ("person", (7, 11, 352, 498), True),
    ]
    assert data.problems == ("the size of 1 picture(s) with 1 object(s) is not known.",)
    assert dataset_splits(folder) == ("train", "val")


def test_a_picture_beside_the_list_gives_its_size_and_can_be_opened(folder):
    grey(folder / "JPEGImages" / "000002.png", 335, 500)

    data = open_dataset(folder / "voc07_test.txt")

    assert data.names == ("000001", "000002")
    assert data.sample(1).picture.shape == (3, 500, 335)
    with pytest.raises(DataError, match="000001: only the boxes of this picture are known"):
        data.sample(0)
    with pytest.raises(DataError, match="only the boxes of this picture are known"):
        data.picture_bytes(0)


def test_classes_txt_names_other_classes(folder):
    (folder / "classes.txt").write_text("\n".join(f"class {n}" for n in range(19)) + "\n")

    assert open_dataset(folder).entries[0].annotation.objects[0].name == "class 11"
    (folder / "classes.txt").write_text("cat\ncat\n")
    with pytest.raises(DataError, match=r"classes\.txt: every class must stand once"):
        open_dataset(folder)


def test_coverage_counts_all_boxes_also_the_difficult_ones(folder):
    table = read_objects(folder)

    assert (len(table), table.size_unknown, table.class_names[11]) == (2, 1, "dog")


def test_each_list_is_a_split_and_a_picture_named_alike_in_two_counts_once(folder):
    (folder / "again.txt").write_text(LINES)
    (folder / "again_difficult.txt").write_text("000001.jpg 0 1\n")

    assert dataset_splits(folder) == ("again", "voc07_test")
    assert len(scan_dataset(folder).pictures) == 2
    assert len(scan_dataset(folder, split="again").pictures) == 2
    (folder / "again.txt").write_text(LINES.replace("48 240", "49 240"))
    assert len(scan_dataset(folder).pictures) == 3


BAD = {
    "a number short": ("000001.jpg 48 240 195 371", "voc07_test, line 2: needs a file name and five"),
    "outside": ("../000001.jpg 48 240 195 371 11", "voc07_test, line 2: a file name must stay inside"),
    "a word": (
        "000001.jpg 48 240 195 low 11",
        "voc07_test, line 2, object 1: four corners and a class must be",
    ),
    "a class": ("000001.jpg 48 240 195 371 20", "line 2, object 1: a class must be 0–19, got 20"),
    "half a class": ("000001.jpg 48 240 195 371 1.5", "a class must be 0–19, got 1.5"),
    "no area": (
        "000001.jpg 48 240 48 371 11",
        "line 2, object 1: a box must have an area, got [48, 240, 48, 371]",
    ),
    "outside the picture": ("000001.jpg 48 240 400 371 11", "line 2, object 1: a box must lie inside"),
}


@pytest.mark.parametrize(("line", "sentence"), BAD.values(), ids=BAD)
def test_a_bad_line_is_named_and_the_others_are_kept(folder, line, sentence):
    (folder / "voc07_test.txt").write_text(f"{LINES.splitlines()[0]}\n{line}\n")

    data = open_dataset(folder)

    assert len(data.entries[0].annotation.objects) == 2
    assert any(sentence in problem for problem in data.problems)


def test_sizes_from_another_data_set_judge_the_boxes_too(folder, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    grey(other / "images" / "000002.png", 150, 500)
    (other / "labels").mkdir()

    table = read_objects(folder, sizes_from=other)

    assert (len(table), table.size_unknown) == (2, 0)
    assert "a box must lie inside the picture of 150 × 500 px" in table.problems[0]


@pytest.mark.data
@pytest.mark.slow
def test_the_lists_of_voc_have_every_box_two_of_them_in_decimals(shared_data: Path):
    counts = {}
    for split in ("voc07_test", "voc07_trainval", "voc12_trainval"):
        scan = scan_dataset(shared_data / "voc_annotations", split=split)
        counts[split] = (len(scan.pictures), sum(len(each.annotation.objects) for each in scan.pictures))
        assert scan.problems == ()

    assert counts == {
        "voc07_test": (4952, 14976),
        "voc07_trainval": (5011, 15662),
        "voc12_trainval": (17125, 40138),
    }
    odd = [o.box_px for p in scan.pictures for o in p.annotation.objects if any(e % 1 for e in o.box_px)]
    assert odd == [(129, 44.70000076293945, 375, 470), (0, 280.70000076293945, 218, 500)]  # of VOC2012


@pytest.mark.data
@pytest.mark.slow
def test_flags_of_voc2007_test_are_read(shared_data: Path):
    data = open_dataset(shared_data / "voc_annotations", split="voc07_test")

    difficult = sum(o.difficult for entry in data.entries for o in entry.annotation.objects)
    assert (difficult, 14976 - difficult) == (2944, 12032)
