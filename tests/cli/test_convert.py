"""``convert``: a new folder or nothing, the counts on stdout, what is left out on stderr."""

from __future__ import annotations

import json
import os

import pytest

from ssd.cli import main
from ssd.cli.convert import _FORMATS
from ssd.data.folders import open_dataset
from ssd.data.writers import FORMATS
from tests.data.test_folders import CAT, DOG, write_picture, write_xml
from tests.data.test_voc import an_object


@pytest.fixture
def flat(tmp_path):
    """Fifty pictures, one object without area."""
    root = tmp_path / "from"
    for number in range(50):
        write_picture(root / f"{number:03}.jpg")
        bad = [an_object("cat", (5, 5, 5, 9))] if number == 7 else []
        write_xml(root / f"{number:03}.xml", CAT, DOG, *bad)
    return root


def test_the_command_and_the_writers_know_the_same_formats():
    assert _FORMATS == FORMATS


def test_a_folder_becomes_another_format_with_its_splits(flat, tmp_path, capsys):
    code = main(["convert", str(flat), str(tmp_path / "to"), "--format", "coco", "--json"])

    out, err = capsys.readouterr()
    assert code == 0
    assert json.loads(out) == {
        "path": str(tmp_path / "to"), "format": "coco", "splits": {"train": 40, "val": 10},
        "num_pictures": 50, "num_objects": 100, "left_out": {}, "problems": 1,
    }  # fmt: skip
    assert err == "left out: 007.xml: object 3: a box must have an area, got [5, 5, 5, 9] (cat)\n"
    assert open_dataset(tmp_path / "to", split="val").names == tuple(f"{n:03}" for n in range(40, 50))


def test_one_split_without_pictures_is_written_in_words(flat, tmp_path, capsys):
    words = [
        "convert",
        str(flat),
        str(tmp_path / "to"),
        "--format",
        "text",
        "--split",
        "val",
        "--no-pictures",
    ]

    code = main(words)

    assert code == 0
    assert capsys.readouterr().out == f"{tmp_path / 'to'}: 10 pictures with 20 objects as text (val 10)\n"
    assert sorted(os.listdir(tmp_path / "to")) == ["classes.txt", "val.txt", "val_name_size.txt"]


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["--format", "coco"], 2, "exists already; add --force"),
        (["--format", "coco", "--force"], 2, "--force replaces a data set"),
        (["--format", "cocoo"], 2, "(did you mean coco?)"),
        ([], 2, "required: --format"),
    ],
    ids=["exists", "exists and is no data set", "format", "no format"],
)
def test_what_cannot_be_is_refused_and_nothing_changes(flat, tmp_path, capsys, words, code, sentence):
    (tmp_path / "to").mkdir()
    (tmp_path / "to" / "note.txt").write_text("kept")

    assert main(["convert", str(flat), str(tmp_path / "to"), *words]) == code

    assert sentence in capsys.readouterr().err
    assert os.listdir(tmp_path / "to") == ["note.txt"]


def test_a_target_inside_the_source_is_refused(flat, capsys):
    assert main(["convert", str(flat), str(flat / "to"), "--format", "yolo"]) == 2

    assert "must lie outside the data set that is read" in capsys.readouterr().err
    assert not (flat / "to").exists()


def test_a_source_that_is_no_data_set_is_bad_data(tmp_path, capsys):
    assert main(["convert", str(tmp_path / "nothing"), str(tmp_path / "to"), "--format", "yolo"]) == 3

    assert capsys.readouterr().err == (
        "error: nothing: a data set must be a folder that exists; check the path.\n"
    )
    assert os.listdir(tmp_path) == []
