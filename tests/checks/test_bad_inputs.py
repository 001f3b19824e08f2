"""Every row of the list of bad inputs that a data set can hold, checked by the command.

What must survive: the data set byte for byte, and every picture and object that is good.
Rows about archives, results and training stand with those: tests/cli and tests/evaluation.
"""

from __future__ import annotations

import json
import os
import re
import shutil

import pytest

from ssd.cli import main
from tests.checks.builders import (
    NUM,
    coco,
    coco_content,
    devkit,
    fingerprint,
)
from tests.checks.rows import MILD, PICTURE, ROWS, XML, box
from tests.small_models import FORBIDDEN


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """A good set of each kind, built once."""
    folder = tmp_path_factory.mktemp("good")
    return {"voc": devkit(folder / "voc"), "coco": coco(folder / "coco")}


@pytest.fixture
def check(capsys):
    """Run ``check --json`` in this process."""

    def run(*words):
        code = main(["check", "--json", *map(str, words)])
        captured = capsys.readouterr()
        assert not FORBIDDEN.search(captured.err + captured.out)
        return code, json.loads(captured.out) if captured.out else None, captured.err

    return run


@pytest.mark.parametrize("kind", ["voc", "coco"])
def test_a_good_set_has_no_problem_at_all(check, good, kind):
    code, answer, err = check(good[kind])

    assert (code, answer["problems"], answer["num_objects"], err) == (0, [], 2 * NUM, "")


@pytest.mark.slow
@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_a_bad_input_gets_its_sentence_and_nothing_else_is_touched(check, good, tmp_path, row):
    root = tmp_path / "set"
    shutil.copytree(good[row.kind], root)
    row.build(root)
    before = fingerprint(root)

    code, answer, err = check(root, *row.words)

    assert (answer["counts"], answer["num_objects"]) == (row.counts, row.objects)
    assert any(row.sentence in problem["sentence"] for problem in answer["problems"]) or not row.counts
    assert (code, err) == (0 if set(row.counts) <= MILD else 3, "")
    assert all(problem["remedy"] for problem in answer["problems"])
    assert fingerprint(root) == before


def test_every_problem_names_file_and_object(check, good, tmp_path):
    root = tmp_path / "set"
    shutil.copytree(good["voc"], root)
    box(30, 1, 10, 20)(root)

    [problem] = check(root)[1]["problems"]

    assert (problem["file"], problem["object"], problem["values"]) == (XML, 2, [30, 1, 10, 20])
    assert (problem["picture"], problem["rule"], problem["severity"]) == ("p03", "inverted", "error")


NO_SET = {
    "D1 an empty folder": (lambda root: root.mkdir(), "a data set needs Annotations and JPEGImages"),
    "D1 the wrong level": (lambda root: devkit(root / "VOC2007"), "found VOC2007 one level below"),
    "L8 a folder that is not there": (lambda root: None, "must be a folder that exists"),
    "a file that is no data set": (lambda root: root.write_text("hello"), "a file must be a COCO JSON"),
    "D6 a pipe": (os.mkfifo, "must be a folder that exists"),
}


@pytest.mark.parametrize(("build", "sentence"), NO_SET.values(), ids=NO_SET)
def test_where_there_is_no_data_set_one_sentence_says_so(check, tmp_path, build, sentence):
    root = tmp_path / "set"
    build(root)

    code, answer, err = check(root)

    assert (code, answer) == (3, None)
    assert sentence in err and len(err.splitlines()) == 1


def test_a_file_that_may_not_be_read_is_named(check, good, tmp_path):
    root = tmp_path / "set"
    shutil.copytree(good["voc"], root)
    (root / XML).unlink()
    (root / XML).mkdir()  # root reads every file; a folder nobody reads
    (root / PICTURE).unlink()
    (root / PICTURE).mkdir()

    code, answer, _ = check(root)

    assert code == 3
    assert answer["counts"] == {"no-picture": 1}
    assert re.search("p03: split '(train|trainval)' names it", answer["problems"][0]["sentence"])


def test_a_split_is_checked_alone(check, good, tmp_path):
    root = tmp_path / "set"
    shutil.copytree(good["voc"], root)
    box(30, 1, 10, 20)(root)  # p03 is in train

    assert check(root, "--split", "val")[0] == 0
    assert check(root, "--split", "train")[0] == 3
    code, _, err = check(root, "--split", "tset")
    assert code == 3 and "choose one of all, train, trainval, val" in err


def test_a_link_for_a_whole_folder_is_not_followed(check, good, tmp_path):
    root = tmp_path / "set"
    shutil.copytree(good["voc"], root)
    shutil.move(root / "JPEGImages", tmp_path / "elsewhere")
    (root / "JPEGImages").symlink_to(tmp_path / "elsewhere")

    code, answer, _ = check(root)

    assert (code, answer["num_read"]) == (3, 0)
    assert "1 link(s) that leave the folder" in answer["passed_over"]


def test_coco_parts_that_share_a_picture_or_name_other_categories_are_told(check, tmp_path):
    root = coco(tmp_path / "set")
    second = coco_content(num=5, first=30)
    second["images"][0]["file_name"] = "p03.png"
    second["categories"].append({"id": 5, "name": "cow"})
    coco(root, second, split="val2017")

    code, answer, _ = check(root)

    assert code == 3
    assert answer["counts"]["categories"] == answer["counts"]["leak"] == 1
    said = " ".join(problem["sentence"] for problem in answer["problems"])
    assert "p03.png (split 'val2017'): shows the same as p03.png (split 'train2017')" in said
    assert (
        "instances_val2017.json: the categories must be those of annotations/instances_train2017.json" in said
    )
