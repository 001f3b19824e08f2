"""Everything of a folder in one pass, good and bad, without an exception and without waiting."""

from __future__ import annotations

import errno
import json
import os
import socket
import threading
from pathlib import Path

import pytest

from ssd.data.folders import dataset_of, open_dataset
from ssd.data.scan import dataset_splits, scan_dataset, sized
from ssd.errors import DataError
from tests.data.random_data import grey
from tests.data.test_folders import CAT, DOG, write_coco, write_picture, write_xml
from tests.data.test_voc import an_object


@pytest.fixture
def flat(tmp_path):
    root = tmp_path / "set"
    for name in "abcdef":
        write_picture(root / f"{name}.jpg")
        write_xml(root / f"{name}.xml", CAT)
    return root


def test_every_problem_of_every_kind_is_there_at_once(flat):
    write_xml(flat / "a.xml", an_object("cat", (9, 9, 5, 20)), CAT, an_object("", (1, 1, 9, 9)), DOG)
    (flat / "b.xml").write_bytes(b"<annotation>")
    (flat / "c.jpg").unlink()
    (flat / "d.xml").unlink()
    write_xml(flat / "e.xml", CAT, filename="../../etc/passwd")
    write_xml(flat / "f.xml", an_object("cat", (0, 5, 61, 30)))

    scan = scan_dataset(flat)

    found = {each.name: each for each in scan.pictures}
    assert list(found) == ["a", "b", "c", "e", "f", "d"]
    assert [(f.rule, f.number, f.values, f.category) for f in found["a"].annotation.faults] == [
        ("inverted", 1, (9, 9, 5, 20), "cat"),
        ("class-name", 3, (1, 1, 9, 9), ""),
    ]
    assert [(o.name, o.number) for o in found["a"].annotation.objects] == [("cat", 2), ("dog", 4)]
    rules = {name: [fault.rule for fault in each.faults] for name, each in found.items()}
    assert rules == {
        "a": [], "b": ["xml"], "c": ["no-picture"], "d": ["no-annotation"], "e": ["file-name"], "f": [],
    }  # fmt: skip
    assert found["f"].annotation.objects[0].clipped
    assert found["d"].source is None and found["c"].picture is None
    assert found["c"].annotation is not None  # what it says may still be looked at
    assert len(scan.problems) == 6
    assert open_dataset(flat).problems[:-1] == scan.problems


def test_the_strict_reader_is_the_scan_without_what_is_bad(flat):
    write_xml(flat / "a.xml", CAT, an_object("cat", (5, 5, 5, 5)))

    scan, data = scan_dataset(flat), open_dataset(flat)

    assert dataset_of(scan) == data
    assert [e.annotation for e in data.entries] == [p.annotation for p in scan.pictures]


def test_d6_pipes_sockets_and_links_are_counted_and_nothing_waits(flat):
    os.mkfifo(flat / "pipe.xml")
    os.mkfifo(flat / "pipe.jpg")
    (flat / "out.jpg").symlink_to("/etc/hostname")
    (flat / "nowhere.xml").symlink_to(flat / "nothing.xml")
    (flat / "loop.jpg").symlink_to(flat / "loop.jpg")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(flat / "s.xml"))
        done: list = []

        thread = threading.Thread(target=lambda: done.append(scan_dataset(flat)), daemon=True)
        thread.start()
        thread.join(timeout=20)

    assert len(done) == 1, "the scan waits for a pipe"
    assert done[0].passed_over == (
        "2 link(s) that lead nowhere, 1 link(s) that leave the folder, 3 pipe(s), socket(s) or device(s)"
    )
    assert len(done[0].pictures) == 6
    assert open_dataset(flat).problems == (f"passed over: {done[0].passed_over}.",)


def test_a_list_or_label_that_is_a_pipe_is_a_fault_not_a_wait(tmp_path):
    grey(tmp_path / "images" / "a.png", 80, 40)
    (tmp_path / "labels").mkdir()
    os.mkfifo(tmp_path / "labels" / "a.txt")

    scan = scan_dataset(tmp_path)

    assert scan.passed_over == "1 pipe(s), socket(s) or device(s)"


def test_a_file_that_may_not_be_read_is_a_fault(flat, monkeypatch):
    read = Path.read_bytes

    def refused(path):
        if path.name == "a.xml":
            raise PermissionError(errno.EACCES, "Permission denied")
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", refused)

    scan = scan_dataset(flat)

    assert [fault.rule for fault in scan.pictures[0].faults] == ["unreadable"]
    assert "Permission denied" in scan.problems[0]
    assert len(open_dataset(flat)) == 5


def test_d7_names_of_any_kind_are_found(tmp_path):
    names = ["Straße ü", "a b#c%20d", "😀", "n" * 240, "-rf", "ABC"]
    for name in names:
        write_picture(tmp_path / f"{name}.{'JPG' if name == 'ABC' else 'jpg'}")
        write_xml(tmp_path / f"{name}.xml", CAT)
    (tmp_path / "u\u0308.xml").write_bytes((tmp_path / "ABC.xml").read_bytes())  # decomposed
    write_picture(tmp_path / "\u00fc.jpg")  # composed

    scan = scan_dataset(tmp_path)

    assert {each.name for each in scan.pictures} == {*names, "\u00fc"}
    assert scan.problems == ()
    assert scan.passed_over == "1 name(s) matched in Unicode's composed form"


def test_two_files_of_one_stem_are_told(flat):
    write_picture(flat / "a.png")

    assert scan_dataset(flat).passed_over == "1 file(s) whose stem another file has too"


def test_a_size_that_is_not_said_is_read_from_the_header_and_the_boxes_judged_again(flat):
    write_xml(flat / "a.xml", CAT, an_object("dog", (20, 20, 200, 30)), size=(0, 0))
    scanned = scan_dataset(flat).pictures[0]
    assert (scanned.annotation.width, len(scanned.annotation.objects)) == (0, 2)

    known = sized(scanned)

    assert (known.annotation.width, known.annotation.height) == (60, 40)
    assert [o.name for o in known.annotation.objects] == ["cat"]
    assert [(f.rule, f.number) for f in known.annotation.faults] == [("outside", 2)]
    assert open_dataset(flat).problems[0].startswith("a.xml: object 2: a box must lie inside")


def test_coco_files_that_cannot_be_read_are_faults_of_the_scan_and_errors_of_the_reader(tmp_path):
    write_coco(tmp_path, "train", ["a.jpg"])
    write_picture(tmp_path / "train" / "a.jpg")
    (tmp_path / "annotations" / "instances_val.json").write_text("{")

    scan = scan_dataset(tmp_path)

    assert [fault.rule for fault in scan.faults] == ["json"]
    assert len(scan.pictures) == 1
    with pytest.raises(DataError, match=r"^instances_val.json: not well-formed JSON"):
        open_dataset(tmp_path)
    assert len(open_dataset(tmp_path, split="train")) == 1
    assert dataset_splits(tmp_path) == ("train", "val")


def test_coco_faults_name_their_annotation_and_their_class(tmp_path):
    write_coco(tmp_path, "train", ["a.jpg", "n" * 5000 + ".jpg"])
    write_picture(tmp_path / "train" / "a.jpg")
    path = tmp_path / "annotations" / "instances_train.json"
    content = json.loads(path.read_text())
    content["annotations"][0]["bbox"] = [5, 5, -3, 9]
    content["annotations"].append({"id": 99, "image_id": 77, "category_id": 0, "bbox": [1, 1, 9, 9]})
    path.write_text(json.dumps(content))

    scan = scan_dataset(tmp_path)

    [fault] = scan.pictures[0].annotation.faults
    assert (fault.rule, fault.number, fault.values, fault.category) == ("inverted", 1, (5, 5, -3, 9), "cat")
    assert [f.rule for f in scan.pictures[1].faults] == ["file-name"]
    assert [(f.rule, f.number) for f in scan.faults] == [("image", 5)]


def test_only_a_missing_data_set_or_split_raises(tmp_path, flat):
    for path, split in ((tmp_path / "nothing", "all"), (flat, "test")):
        with pytest.raises(DataError):
            scan_dataset(path, split=split)


def test_splits_of_single_classes_are_no_parts_of_their_own(tmp_path):
    for name in "ab":
        write_picture(tmp_path / "JPEGImages" / f"{name}.jpg")
        write_xml(tmp_path / "Annotations" / f"{name}.xml", CAT)
    lists = tmp_path / "ImageSets" / "Main"
    lists.mkdir(parents=True)
    for name in ("train", "val", "cat_train", "cat_val"):
        (lists / f"{name}.txt").write_text("a\n")

    assert dataset_splits(tmp_path) == ("train", "val")
    assert open_dataset(tmp_path, split="cat_val").names == ("a",)
