"""Written data sets: the rows as their documents show them; all or nothing, never over another one."""

from __future__ import annotations

import errno
import json
import os
import shutil
from dataclasses import replace

import pytest

from ssd.data import writers
from ssd.data.annotations import AnnotatedObject, Annotation
from ssd.data.conversion import read_parts
from ssd.data.folders import DataSet, Entry, open_dataset
from ssd.data.lesson_tables import read_class_table
from ssd.data.writers import FORMATS, write_dataset, write_parts
from ssd.errors import ConfigError, DataError, ResourceError
from tests.data.random_data import content, grey
from tests.data.test_folders import CAT, DOG, write_picture, write_xml

HORSE = AnnotatedObject("horse", (184.0, 61.0, 279.0, 199.0))
PERSON = AnnotatedObject("person", (89.0, 77.0, 403.0, 336.0), truncated=True)


def data_set(tmp_path, *objects, size=(480, 364), name="000017", split="train"):
    picture = grey(tmp_path / "from" / f"{name}.png", *size)
    entry = Entry(name, picture, Annotation(*size, tuple(objects)))
    classes = tuple(sorted({each.name for each in objects}))
    return DataSet(tmp_path / "from", "flat", split, classes, (entry,), ())


def written(folder):
    """Every file of a folder."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_the_lesson_s_tables_have_the_rows_that_its_documents_show(tmp_path):
    data = data_set(tmp_path, HORSE, PERSON)

    write_dataset(data, tmp_path / "classes", format="lesson-csv-classes")
    write_dataset(data, tmp_path / "boxes", format="lesson-csv-boxes")

    assert (tmp_path / "classes/classes_train.csv").read_text() == "fn,clas\n000017.png,horse person\n"
    rows = (tmp_path / "boxes/boxes_train.csv").read_text()
    assert rows == "fn,bbox,clas\n000017.png,61 184 198 278 77 89 335 402,horse person\n"
    assert read_class_table(tmp_path / "classes/classes_train.csv") == {"000017.png": ("horse", "person")}


def test_the_lesson_s_json_names_every_key_that_the_lesson_reads(tmp_path):
    write_dataset(
        data_set(tmp_path, HORSE, replace(PERSON, difficult=True)), tmp_path / "to", format="lesson-json"
    )

    text = json.loads((tmp_path / "to/pascal_train.json").read_text())
    assert text["images"] == [{"id": 17, "file_name": "000017.png", "width": 480, "height": 364}]
    assert text["categories"][0] == {"id": 1, "name": "horse", "supercategory": "none"}
    assert text["annotations"][0] == {
        "id": 1, "image_id": 17, "category_id": 1, "bbox": [184, 61, 95, 138], "area": 13110,
        "iscrowd": 0, "ignore": 0, "segmentation": [[184, 61, 184, 199, 279, 199, 279, 61]],
    }  # fmt: skip
    assert text["annotations"][1]["ignore"] == 1
    assert text["type"] == "instances"


def test_voc_corners_are_counted_from_one_and_decimals_stay(tmp_path):
    odd = AnnotatedObject("cat", (44.70000076293945, 0.0, 100.0, 61.5), occluded=True)

    write_dataset(data_set(tmp_path, odd), tmp_path / "to", format="voc")

    text = (tmp_path / "to/Annotations/000017.xml").read_text()
    for part in ("<xmin>45.70000076293945</xmin>", "<ymin>1</ymin>", "<xmax>100</xmax>", "<ymax>61.5</ymax>",
                 "<occluded>1</occluded>", "<truncated>0</truncated>", "<difficult>0</difficult>",
                 "<width>480</width>", "<height>364</height>"):  # fmt: skip
        assert part in text
    assert "<crowd>" not in text
    assert (tmp_path / "to/ImageSets/Main/train.txt").read_text() == "000017\n"


def test_a_crowd_is_difficult_to_other_tools_and_a_crowd_to_ours(tmp_path):
    write_dataset(data_set(tmp_path, replace(HORSE, crowd=True), PERSON), tmp_path / "to", format="voc")

    text = (tmp_path / "to/Annotations/000017.xml").read_text()
    assert "<difficult>1</difficult>" in text and "<crowd>1</crowd>" in text
    assert [(o.crowd, o.difficult) for o in open_dataset(tmp_path / "to").entries[0].annotation.objects] == [
        (True, False),
        (False, False),
    ]


def test_a_sum_of_floats_that_misses_its_corner_is_told_to_our_reader(tmp_path):
    odd = AnnotatedObject("cat", (0.0, 1.12, 2.0, 9.999999999999998))  # no height added to 1.12 gives it

    write_dataset(data_set(tmp_path, HORSE, odd), tmp_path / "to", format="coco")

    rows = json.loads((tmp_path / "to/annotations/instances_train.json").read_text())["annotations"]
    assert rows[1]["corner"] == [2.0, 9.999999999999998]
    assert "corner" not in rows[0]
    assert open_dataset(tmp_path / "to").entries[0].annotation.objects[1].box_px == odd.box_px


def test_yolo_writes_shares_of_width_and_height(tmp_path):
    write_dataset(
        data_set(tmp_path, AnnotatedObject("cat", (120.0, 91.0, 240.0, 273.0))),
        tmp_path / "to",
        format="yolo",
    )

    assert (tmp_path / "to/labels/train/000017.txt").read_text() == "0 0.375 0.5 0.25 0.5\n"
    assert (tmp_path / "to/data.yaml").read_text() == 'path: .\ntrain: "images/train"\nnames:\n  0: "cat"\n'


def test_text_lists_have_a_line_for_each_picture_and_its_size_beside(tmp_path):
    write_dataset(data_set(tmp_path, HORSE, replace(PERSON, difficult=True)), tmp_path / "to", format="text")

    assert (tmp_path / "to/train.txt").read_text() == "000017.png 185 62 279 199 0 90 78 403 336 1\n"
    assert (tmp_path / "to/train_name_size.txt").read_text() == "000017 364 480\n"
    assert (tmp_path / "to/train_difficult.txt").read_text() == "000017.png 0 1\n"
    assert (tmp_path / "to/classes.txt").read_text() == "horse\nperson\n"


def test_what_a_format_cannot_hold_is_left_out_and_counted(tmp_path):
    thin = AnnotatedObject("horse", (5.0, 5.0, 6.5, 40.0))
    data = data_set(tmp_path, HORSE, PERSON, thin, replace(HORSE, crowd=True), replace(HORSE, difficult=True))

    found = {format: write_dataset(data, tmp_path / format, format=format) for format in FORMATS}

    flag, crowd, hard, narrow = (
        "truncated or occluded (only the flag)", "crowd", "difficult", "narrower than two pixels",
    )  # fmt: skip
    assert {format: each.left_out for format, each in found.items()} == {
        "voc": {narrow: 1},
        "coco": {},
        "lesson-json": {},
        "lesson-csv-classes": {crowd: 1, hard: 1, flag: 1},
        "lesson-csv-boxes": {crowd: 1, hard: 1, flag: 1, narrow: 1},
        "yolo": {crowd: 1, hard: 1, flag: 1},
        "text": {crowd: 1, flag: 1, narrow: 1},
    }
    assert [each.num_objects for each in found.values()] == [4, 5, 5, 3, 2, 3, 3]


@pytest.mark.parametrize("format", FORMATS)
def test_nothing_is_written_over_what_is_there(tmp_path, format):
    data = data_set(tmp_path, HORSE)
    (tmp_path / "to").mkdir()
    (tmp_path / "to" / "thesis.txt").write_text("all my work")

    for force, sentence in ((False, "exists already; add --force"), (True, "--force replaces a data set")):
        with pytest.raises(ConfigError, match=sentence):
            write_dataset(data, tmp_path / "to", format=format, force=force)

    assert written(tmp_path / "to") == ["thesis.txt"]
    assert sorted(os.listdir(tmp_path)) == ["from", "to"]


@pytest.mark.parametrize("format", FORMATS)
def test_force_replaces_a_data_set_whole(tmp_path, format):
    write_dataset(data_set(tmp_path, HORSE), tmp_path / "to", format=format)
    before = written(tmp_path / "to")

    other = data_set(tmp_path, PERSON, name="000018")
    write_dataset(other, tmp_path / "to", format=format, force=True)

    assert written(tmp_path / "to") == [path.replace("000017", "000018") for path in before]
    assert sorted(os.listdir(tmp_path)) == ["from", "to"]


def test_an_empty_folder_may_be_filled(tmp_path):
    (tmp_path / "to").mkdir()

    write_dataset(data_set(tmp_path, HORSE), tmp_path / "to", format="voc")

    assert len(open_dataset(tmp_path / "to")) == 1


@pytest.mark.parametrize("place", ["from", "from/to", "."])
def test_the_data_that_is_read_is_never_written_to(tmp_path, place):
    data = data_set(tmp_path, HORSE)

    for force in (False, True):
        with pytest.raises(ConfigError, match="must lie outside the data set that is read"):
            write_dataset(data, tmp_path / place, format="voc", force=force)

    assert written(tmp_path) == ["from/000017.png"]


def test_a_disk_that_fills_up_leaves_nothing_and_the_old_one(tmp_path, monkeypatch):
    write_dataset(data_set(tmp_path, HORSE), tmp_path / "to", format="voc")
    before = {path: (tmp_path / "to" / path).read_bytes() for path in written(tmp_path / "to")}

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(ResourceError, match=r"No space left on device.*nothing was kept"):
        write_dataset(data_set(tmp_path, PERSON), tmp_path / "to", format="coco", force=True)

    assert {path: (tmp_path / "to" / path).read_bytes() for path in written(tmp_path / "to")} == before
    assert sorted(os.listdir(tmp_path)) == ["from", "to"]


def test_ctrl_c_in_the_middle_leaves_nothing(tmp_path):
    def stopped(files):
        yield next(iter(files))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_parts({"train": data_set(tmp_path, HORSE)}, tmp_path / "to", format="voc", progress=stopped)

    assert os.listdir(tmp_path) == ["from"]


def test_too_little_space_is_told_before_anything_is_written(tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(writers.shutil, "disk_usage", lambda path: usage._replace(free=100))

    with pytest.raises(ResourceError, match="0 MB are free"):
        write_dataset(data_set(tmp_path, HORSE), tmp_path / "to", format="voc")

    assert os.listdir(tmp_path) == ["from"]


@pytest.mark.parametrize(
    ("format", "name"),
    [
        ("lesson-csv-boxes", "traffic light"),
        ("text", "a\nb"),
        ("voc", " cat"),
        ("yolo", "a\u2028b"),
        ("voc", "\ud800"),
    ],
    ids=repr,
)
def test_a_class_that_a_format_cannot_name_is_refused(tmp_path, format, name):
    data = data_set(tmp_path, AnnotatedObject(name, (0.0, 0.0, 20.0, 20.0)))

    with pytest.raises(DataError, match="cannot hold a class called"):
        write_dataset(data, tmp_path / "to", format=format)

    assert os.listdir(tmp_path) == ["from"]


def test_a_picture_that_a_list_cannot_name_is_refused(tmp_path):
    with pytest.raises(DataError, match="cannot hold a picture called 'my cat'"):
        write_dataset(data_set(tmp_path, HORSE, name="my cat"), tmp_path / "to", format="text")


def test_two_pictures_of_one_name_are_not_mixed_up(tmp_path):
    first, second = data_set(tmp_path, HORSE), data_set(tmp_path / "other", PERSON)

    with pytest.raises(DataError, match="two pictures are called '000017'"):
        write_parts({"train": first, "val": second}, tmp_path / "to", format="voc")


def test_another_format_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"one of voc, coco, .*, got 'pickle'"):
        write_dataset(data_set(tmp_path, HORSE), tmp_path / "to", format="pickle")


@pytest.fixture
def devkit(tmp_path):
    """Six pictures: train and val overlap with trainval, one picture is in no split."""
    root = tmp_path / "from"
    for number in range(6):
        write_picture(root / "JPEGImages" / f"{number}.jpg")
        write_xml(root / "Annotations" / f"{number}.xml", CAT, *([DOG] if number == 5 else []))
    lists = {
        "train": "0\n1\n",
        "val": "2\n",
        "trainval": "0\n1\n2\n",
        "test": "3\n4\n",
        "cat_train": "0 1\n1 -1\n",
    }
    for name, text in lists.items():
        (root / "ImageSets" / "Main").mkdir(parents=True, exist_ok=True)
        (root / "ImageSets" / "Main" / f"{name}.txt").write_text(text)
    return root


@pytest.mark.parametrize("format", ["voc", "coco", "lesson-json", "yolo", "text", "lesson-csv-boxes"])
def test_splits_stay_apart_and_no_picture_is_lost(devkit, tmp_path, format):
    source = read_parts(devkit)

    found = write_parts(source.parts, tmp_path / "to", format=format)

    both = {} if format == "yolo" else {"trainval": 3}  # a folder for each split holds a picture once
    assert found.splits == {"test": 2, "train": 2, "val": 1, "rest": 1} | both
    assert (found.num_pictures, found.num_objects) == (6, 7)
    assert content(open_dataset(tmp_path / "to")) == content(open_dataset(devkit))
    assert len(open_dataset(tmp_path / "to")) == 6
    for split in ("train", "val", "test", "rest"):
        assert open_dataset(tmp_path / "to", split=split).names == source.parts[split].names


def test_nothing_in_the_folder_that_is_read_changes(devkit, tmp_path):
    def state():
        files = [path for path in devkit.rglob("*") if path.is_file()]
        return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in files}

    before = state()

    write_parts(read_parts(devkit).parts, tmp_path / "to", format="coco")

    assert state() == before
    copies = {path.stat().st_ino for path in (tmp_path / "to/images").iterdir()}
    assert copies.isdisjoint(path.stat().st_ino for path in (devkit / "JPEGImages").iterdir())


def test_a_split_without_a_good_picture_is_told_and_left_out(devkit):
    (devkit / "ImageSets/Main/broken.txt").write_text("ghost\n")

    read = read_parts(devkit)

    assert "broken" not in read.parts
    assert any(problem.startswith("split 'broken' is left out") for problem in read.problems)
