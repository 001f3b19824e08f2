"""YOLO's files: every usual place of labels and names; each bad line is named, none stops the others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ssd.data.folders import open_dataset
from ssd.data.scan import dataset_splits, scan_dataset
from ssd.data.yolo import yolo_edges, yolo_words
from ssd.errors import DataError
from tests.data.random_data import grey
from tests.data.test_folders import write_picture

LINE = "1 0.5 0.5 0.25 0.5\n"  # of 80 × 40: 30, 10, 50, 30


def write_labels(path, text=LINE):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture(params=["labels/<split>", "<split>/labels", "labels", "beside"])
def folder(request, tmp_path):
    """Ten pictures in one of the four arrangements; the first five are of train where there are splits."""
    for number in range(10):
        split = "train" if number < 5 else "val"
        images, labels = {
            "labels/<split>": (f"images/{split}", f"labels/{split}"),
            "<split>/labels": (f"{split}/images", f"{split}/labels"),
            "labels": ("images", "labels"),
            "beside": (".", "."),
        }[request.param]
        grey(tmp_path / images / f"p{number}.png", 80, 40)
        write_labels(tmp_path / labels / f"p{number}.txt")
    (tmp_path / "classes.txt").write_text("cat\ndog\n")
    return tmp_path


def test_every_arrangement_is_recognised_and_has_its_splits(folder):
    data = open_dataset(folder)

    assert (data.kind, len(data), data.classes, data.problems) == ("yolo", 10, ("cat", "dog"), ())
    assert data.entries[0].annotation.objects[0].box_px == (30, 10, 50, 30)
    assert data.target(0).labels.tolist() == [2]
    assert dataset_splits(folder) == ("train", "val")
    named = (folder / "labels" / "train").exists() or (folder / "train").exists()
    val = open_dataset(folder, split="val").names
    assert val == tuple(f"p{n}" for n in (range(5, 10) if named else (4, 9)))
    with pytest.raises(DataError, match="choose one of all, train, val"):
        open_dataset(folder, split="test")


def test_a_picture_without_labels_has_no_objects_and_labels_without_a_picture_are_a_fault(tmp_path):
    grey(tmp_path / "images" / "empty.png", 80, 40)
    grey(tmp_path / "images" / "blank.png", 80, 40)
    write_labels(tmp_path / "labels" / "blank.txt", "\n")
    write_labels(tmp_path / "labels" / "ghost.txt")

    data = open_dataset(tmp_path)

    assert [(e.name, e.annotation.objects) for e in data.entries] == [("blank", ()), ("empty", ())]
    assert data.problems == ("ghost: its picture is missing; add it or take the name out.",)


NAMES = {
    "in brackets": "nc: 2\nnames: ['cat', \"dog\"]  # two\n",
    "with dashes": "names:\n- cat\n- dog # the other\ntrain: x\n",
    "with numbers": "path: .\nnames:\n  0: cat\n  1: 'dog'\n",
    "in braces": "names: {0: cat, 1: dog}\n",
}


@pytest.mark.parametrize("text", NAMES.values(), ids=NAMES)
def test_the_names_of_data_yaml_are_read_as_people_write_them(tmp_path, text):
    grey(tmp_path / "images" / "a.png", 80, 40)
    write_labels(tmp_path / "labels" / "a.txt")
    (tmp_path / "data.yaml").write_text(text)

    assert open_dataset(tmp_path).classes == ("cat", "dog")
    assert open_dataset(tmp_path / "data.yaml").classes == ("cat", "dog")


@pytest.mark.parametrize("text", ["nc: 2\n", "names: &x [cat]\n", "names: [cat, cat]\n", "names:\n"])
def test_names_that_cannot_be_read_are_told(tmp_path, text):
    grey(tmp_path / "images" / "a.png", 80, 40)
    write_labels(tmp_path / "labels" / "a.txt")
    (tmp_path / "data.yaml").write_text(text)

    with pytest.raises(DataError, match=r"data\.yaml: 'names' must list the classes"):
        open_dataset(tmp_path)


def test_without_names_a_class_is_called_by_its_number(tmp_path):
    grey(tmp_path / "images" / "a.png", 80, 40)
    write_labels(tmp_path / "labels" / "a.txt", "10 .5 .5 .5 .5\n2 .5 .5 .5 .5\n")

    assert open_dataset(tmp_path).classes == ("class 2", "class 10")


BAD = {
    "1 0.5 0.5 0.25": "a line must be a class and 4 numbers",
    "1 0.5 0.5 0.25 0.5 0.1 0.2": "a line must be a class and 4 numbers",
    "1 0.5 half 0.25 0.5": "a line must be a class and 4 numbers",
    "2 0.5 0.5 0.25 0.5": "a class must be 0–1, got 2",
    "-1 0.5 0.5 0.25 0.5": "a class must be 0–1, got -1",
    "1 nan 0.5 0.25 0.5": "x1 is NaN",
    "1 0.5 0.5 1e999 0.5": "is infinite",
    "1 0.5 0.5 0 0.5": "must have an area",
    "1 0.5 0.5 -0.25 0.5": "after its left and top ones",
    "1 1.5 0.5 0.25 0.5": "wholly outside",
    "1 0.9 0.5 0.25 0.5": "2 px outside",
    "1 40 20 20 20": "wholly outside",
}


@pytest.mark.parametrize(("line", "rule"), BAD.items(), ids=BAD)
def test_a_bad_line_is_named_and_the_others_are_kept(tmp_path, line, rule):
    grey(tmp_path / "images" / "a.png", 80, 40)
    write_labels(tmp_path / "labels" / "a.txt", f"{LINE}{line}\n{LINE}")
    (tmp_path / "classes.txt").write_text("cat\ndog\n")

    [scanned] = scan_dataset(tmp_path).pictures

    assert len(scanned.annotation.objects) == 2
    [fault] = scanned.annotation.faults
    assert fault.number == 2
    assert rule in fault.text
    assert open_dataset(tmp_path).problems[0].startswith("a.txt: object 2: ")


def test_the_size_is_that_after_exif_rotation(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    write_picture(tmp_path / "images" / "phone.jpg", 80, 40, exif=exif)
    write_labels(tmp_path / "labels" / "phone.txt")

    entry = open_dataset(tmp_path).entries[0]

    assert (entry.annotation.width, entry.annotation.height) == (40, 80)
    assert len(open_dataset(tmp_path).sample(0).target) == 1


def test_a_picture_that_is_none_is_a_fault(tmp_path):
    grey(tmp_path / "images" / "good.png", 80, 40)
    (tmp_path / "images" / "bad.png").write_bytes(b"hello")
    write_labels(tmp_path / "labels" / "bad.txt")

    data = open_dataset(tmp_path)

    assert data.names == ("good",)
    assert data.problems[0].startswith("bad.png: This is not a JPEG, PNG, WebP or BMP picture")


@given(
    width=st.integers(8, 5000),
    height=st.integers(8, 5000),
    corners=st.lists(st.floats(0, 1), min_size=4, max_size=4, unique=True),
)
def test_shares_come_back_as_the_same_pixels(width, height, corners):
    xs, ys = sorted(corners[:2]), sorted(corners[2:])
    box = (xs[0] * width, ys[0] * height, xs[1] * width, ys[1] * height)

    assert yolo_edges(yolo_words(box, width=width, height=height), width=width, height=height) == box
