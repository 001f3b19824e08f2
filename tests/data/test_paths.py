"""Names inside a data set never lead outside it, however they are written."""

from __future__ import annotations

import os
import re
import unicodedata

import pytest

from ssd.data.paths import LINK_OUT, PICTURE_SUFFIXES, list_files, plain_files, safe_join
from ssd.errors import DataError


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd",
        "/etc/passwd",
        "a/../../b.jpg",
        "..",
        "C:/windows/win.ini",
        "..\\..\\boot.ini",
        "a\\b.jpg",
        "nul\0.jpg",
        "",
        "  ",
    ],
    ids=repr,
)
def test_a_name_that_leads_outside_is_refused(tmp_path, name):
    with pytest.raises(
        DataError, match=r"must stay inside the data set, got .*; write it relative"
    ) as caught:
        safe_join(tmp_path, name)

    assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize(
    "name", ["a.jpg", "sub/a.jpg", "ü #%😀.JPG", "a..b.jpg", "-rf.jpg", "12:30.jpg"[3:]], ids=repr
)
def test_a_name_that_stays_inside_is_joined(tmp_path, name):
    assert safe_join(tmp_path, name) == tmp_path / name


def test_a_link_may_point_inside_and_not_outside(tmp_path):
    outside, inside = tmp_path / "outside", tmp_path / "set"
    outside.mkdir()
    inside.mkdir()
    (outside / "secret.jpg").touch()
    (inside / "real.jpg").touch()
    (inside / "good.jpg").symlink_to(inside / "real.jpg")
    (inside / "bad.jpg").symlink_to(outside / "secret.jpg")
    (inside / "folder").symlink_to(outside)

    assert safe_join(inside, "good.jpg") == inside / "good.jpg"
    for name in ("bad.jpg", "folder/secret.jpg"):
        with pytest.raises(DataError, match="is a link that leaves the data set"):
            safe_join(inside, name)
    assert sorted(plain_files(inside, suffixes=PICTURE_SUFFIXES)) == ["good", "real"]


def test_only_plain_files_are_listed_and_a_pipe_does_not_block(tmp_path):
    for name in ("b.JPG", "a.png", "note.txt", "d.jpeg"):
        (tmp_path / name).touch()
    (tmp_path / "folder.jpg").mkdir()
    (tmp_path / "dangling.jpg").symlink_to(tmp_path / "nothing.jpg")
    os.mkfifo(tmp_path / "pipe.jpg")

    found = plain_files(tmp_path, suffixes=PICTURE_SUFFIXES)

    assert list(found) == ["a", "b", "d"]
    assert found["b"].name == "b.JPG"


def test_a_name_typed_on_another_system_is_found(tmp_path):
    decomposed = unicodedata.normalize("NFD", "Straße-ü")
    (tmp_path / f"{decomposed}.jpg").touch()

    assert list(plain_files(tmp_path, suffixes=(".jpg",))) == [unicodedata.normalize("NFC", "Straße-ü")]


def test_a_link_for_a_folder_is_followed_inside_and_where_a_person_points_but_never_out(tmp_path):
    root, outside = tmp_path / "set", tmp_path / "outside"
    for folder in (root / "inside", outside):
        folder.mkdir(parents=True)
        (folder / "a.jpg").write_bytes(b"x")
    (root / "out").symlink_to(outside)
    (root / "in").symlink_to(root / "inside")
    typed = tmp_path / "typed"
    typed.symlink_to(root)

    refused = list_files(root / "out", suffixes=(".jpg",), root=root)

    assert (refused.files, refused.passed_over[LINK_OUT]) == ({}, 1)
    assert list(list_files(root / "in", suffixes=(".jpg",), root=root).files) == ["a"]
    assert list(list_files(typed / "in", suffixes=(".jpg",), root=typed).files) == ["a"]
    assert list(list_files(root / "out", suffixes=(".jpg",)).files) == ["a"]  # what a person typed


def test_a_folder_that_is_missing_holds_nothing(tmp_path):
    assert plain_files(tmp_path / "nothing", suffixes=(".xml",)) == {}


def test_no_message_names_a_path_of_the_machine(tmp_path):
    (tmp_path / "link.jpg").symlink_to("/etc/hostname")

    with pytest.raises(DataError) as caught:
        safe_join(tmp_path, "link.jpg")

    assert not re.search(r"/etc|" + re.escape(str(tmp_path)), str(caught.value))
