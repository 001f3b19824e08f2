"""What the browser sends as a file is checked again, whatever it says about itself."""

from __future__ import annotations

import base64

import pytest

from pages.shared.picture_drop import DroppedPicture, _read_file
from ssd.limits import MAX_PICTURE_BYTES


def sent(content: object, **more) -> dict:
    return {"name": "dog.jpg", "content": content, "position": 1, "total": 1, **more}


def test_the_bytes_of_a_file_come_as_they_were():
    content = bytes(range(256))

    read = _read_file(sent(base64.b64encode(content).decode(), position=2, total=3))

    assert read == DroppedPicture("dog.jpg", content, "", 2, 3)


def test_an_empty_file_comes_with_no_bytes_and_no_refusal():
    assert _read_file(sent("")) == DroppedPicture("dog.jpg", b"", "", 1, 1)


@pytest.mark.parametrize("content", [None, 5, "not base64!", ["x"]])
def test_what_is_no_base64_is_refused(content):
    read = _read_file(sent(content))

    assert read.content == b""
    assert "choose it again" in read.refusal


def test_a_file_of_exactly_the_limit_passes_and_one_byte_more_does_not():
    most = _read_file(sent(base64.b64encode(bytes(MAX_PICTURE_BYTES)).decode()))
    more = _read_file(sent(base64.b64encode(bytes(MAX_PICTURE_BYTES + 1)).decode()))

    assert (len(most.content), most.refusal) == (MAX_PICTURE_BYTES, "")
    assert (more.content, more.refusal) == (b"", "The limit is 10 MB; make the picture smaller.")


@pytest.mark.parametrize(("reason", "words"), [("too large", "10 MB"), ("too many", "20 pictures at a time")])
def test_a_refusal_of_the_browser_comes_with_a_way_to_mend_it(reason, words):
    read = _read_file(sent("eA==", refusal=reason))

    assert read.content == b""
    assert words in read.refusal


@pytest.mark.parametrize("number", [0, -1, 21, "2", None, 1e9])
def test_a_position_that_cannot_be_is_taken_as_the_first(number):
    read = _read_file(sent("eA==", position=number, total=number))

    assert (read.position, read.total) == (1, 1)


def test_a_very_long_name_is_cut():
    assert len(_read_file(sent("eA==", name="x" * 5000)).name) == 255
