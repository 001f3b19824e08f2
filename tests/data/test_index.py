"""Many annotation files: parsed once, known again by their content; the data set is never written to."""

from __future__ import annotations

import json
import os

import pytest

from benchmarks.index import main, write_devkit
from ssd.data import index
from ssd.data.folders import open_dataset
from ssd.data.index import WORTH_KEEPING, index_file
from tests.data.random_data import content
from tests.data.test_folders import DOG, write_xml
from tests.data.test_voc import an_object


@pytest.fixture
def devkit(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    write_devkit(tmp_path / "voc", files=WORTH_KEEPING, objects=2)
    return tmp_path / "voc"


@pytest.fixture
def parsed(monkeypatch):
    """The names of the files that are parsed."""
    names, parse = [], index.parse_voc

    def counted(data, *, name):
        names.append(name)
        return parse(data, name=name)

    monkeypatch.setattr(index, "parse_voc", counted)
    return names


def test_a_second_opening_parses_nothing_and_says_the_same(devkit, parsed):
    write_xml(devkit / "Annotations" / "000003.xml", DOG, an_object("cat", (5, 5, 5, 9)), size=(61, 40),
              head='<?xml version="1.0"?>')  # fmt: skip
    write_xml(
        devkit / "Annotations" / "000004.xml", an_object("cat", (0, 5, 9.5, 19), "<occluded>1</occluded>")
    )
    first = open_dataset(devkit)
    assert len(parsed) == WORTH_KEEPING
    parsed.clear()

    again = open_dataset(devkit)

    assert parsed == []
    assert content(again) == content(first)
    assert [entry.annotation for entry in again.entries] == [entry.annotation for entry in first.entries]
    assert again.problems == first.problems
    assert first.problems[0] == "000003.xml: object 2: a box must have an area, got [5, 5, 5, 9] (cat)"
    assert len(first.problems) == 2  # and the box that was clipped


def test_a_file_that_changed_is_parsed_again_whatever_its_date_says(devkit, parsed):
    open_dataset(devkit)
    path = devkit / "Annotations" / "000007.xml"
    times, before = path.stat(), path.read_bytes()
    path.write_bytes(before.replace(b"<difficult>0", b"<difficult>1"))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    parsed.clear()

    data = open_dataset(devkit)

    assert parsed == ["000007.xml"]
    assert all(each.difficult for each in data.entries[7].annotation.objects)


def test_a_bad_file_is_named_every_time(devkit):
    (devkit / "Annotations" / "000005.xml").write_bytes(b"<annotation>")

    first, again = open_dataset(devkit).problems, open_dataset(devkit).problems

    assert first == again
    assert again[0].startswith("000005.xml: not well-formed XML at line 1")


@pytest.mark.parametrize("damage", [b"", b"ssd-explorer index 1 00\n{}", b"\xff\xfe", None], ids=repr)
def test_an_index_that_is_damaged_is_made_again(devkit, parsed, damage):
    open_dataset(devkit)
    kept = index_file(devkit).read_bytes()
    index_file(devkit).write_bytes(kept[:-1] + b" " if damage is None else damage)
    parsed.clear()

    assert len(open_dataset(devkit)) == WORTH_KEEPING

    assert len(parsed) == WORTH_KEEPING
    assert index_file(devkit).read_bytes() == kept


def test_a_cache_that_cannot_be_written_is_done_without(devkit, tmp_path):
    (tmp_path / "cache").write_text("a file stands where the folder should be")

    assert len(open_dataset(devkit)) == WORTH_KEEPING


def test_a_small_folder_leaves_no_index(devkit, tmp_path):
    (devkit / "Annotations" / "000000.xml").unlink()

    open_dataset(devkit)

    assert not (tmp_path / "cache").exists()


def test_old_indexes_are_deleted(devkit, monkeypatch):
    monkeypatch.setattr(index, "_KEPT_INDEXES", 2)
    folder = index_file(devkit).parent
    folder.mkdir(parents=True)
    for age in (1, 2, 3):
        (folder / f"{age}.json").touch()
        os.utime(folder / f"{age}.json", (age, age))

    open_dataset(devkit)

    assert sorted(path.name for path in folder.iterdir()) == sorted(["3.json", index_file(devkit).name])


def test_nothing_is_written_into_the_data_set(devkit):
    before = {path: path.stat().st_mtime_ns for path in devkit.rglob("*")}

    open_dataset(devkit)

    assert {path: path.stat().st_mtime_ns for path in devkit.rglob("*")} == before


@pytest.mark.slow
def test_the_benchmark_reads_every_object_twice(capsys):
    main(["--files", "250", "--objects", "2"])

    answer = json.loads(capsys.readouterr().out)
    assert answer["first"]["objects"] == answer["indexed"]["objects"] == 500
    assert answer["index_mb"] > 0
