"""Files over the network: whole and as published, or not there; a broken download goes on."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from dataclasses import replace

import pytest

from ssd import transfers
from ssd.errors import ResourceError
from ssd.transfers import Source, fetch_file
from tests.file_server import serving

CONTENT = bytes(range(256)) * 4000  # just under one MB


@pytest.fixture
def server():
    with serving() as found:
        found.files["voc.tar"] = CONTENT
        yield found


@pytest.fixture
def source(server):
    digest = hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()
    return Source(server.address("voc.tar"), "voc.tar", "The archive voc.tar", digest, algorithm="md5")


def test_a_file_arrives_whole_and_its_sha256_is_told(server, source, tmp_path):
    seen = []

    digest = fetch_file(source, tmp_path / "voc.tar", resume=True, progress=lambda *told: seen.append(told))

    assert digest == hashlib.sha256(CONTENT).hexdigest()
    assert (tmp_path / "voc.tar").read_bytes() == CONTENT
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert os.listdir(tmp_path) == ["voc.tar"]


@pytest.mark.parametrize("stops", [1, 1000, len(CONTENT) - 1])
def test_a_broken_download_goes_on_where_it_stopped(server, source, tmp_path, stops):
    server.breaks_after = stops
    with pytest.raises(ResourceError, match="go online"):
        fetch_file(source, tmp_path / "voc.tar", resume=True)
    assert os.listdir(tmp_path) == ["voc.tar.part"]
    server.breaks_after, seen = None, []

    fetch_file(source, tmp_path / "voc.tar", resume=True, progress=lambda *told: seen.append(told))

    assert server.asked == [("voc.tar", ""), ("voc.tar", f"bytes={stops - 1}-")]
    assert (tmp_path / "voc.tar").read_bytes() == CONTENT
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert os.listdir(tmp_path) == ["voc.tar"]


@pytest.mark.parametrize("have", [CONTENT, CONTENT + b"more"], ids=["complete", "too long"])
def test_a_part_that_is_complete_or_too_long_ends_well(server, source, tmp_path, have):
    (tmp_path / "voc.tar.part").write_bytes(have)

    fetch_file(source, tmp_path / "voc.tar", resume=True)

    assert (tmp_path / "voc.tar").read_bytes() == CONTENT
    assert os.listdir(tmp_path) == ["voc.tar"]


def test_a_server_without_ranges_sends_everything_again(server, source, tmp_path):
    (tmp_path / "voc.tar.part").write_bytes(b"x" * 5000)
    server.ranges = False

    fetch_file(source, tmp_path / "voc.tar", resume=True)

    assert (tmp_path / "voc.tar").read_bytes() == CONTENT


@pytest.mark.parametrize("answer", [CONTENT[:-7], b"<html>Sign in</html>"], ids=["truncated", "a page"])
def test_d13_what_is_not_the_file_is_not_kept_and_the_old_one_stays(server, source, tmp_path, answer):
    server.files["voc.tar"] = answer
    (tmp_path / "voc.tar").write_bytes(b"old")

    found = hashlib.md5(answer, usedforsecurity=False).hexdigest()
    with pytest.raises(ResourceError, match=f"must have a MD5 of {source.checksum}, got {found}"):
        fetch_file(source, tmp_path / "voc.tar", resume=True)

    assert (tmp_path / "voc.tar").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["voc.tar"]


def test_a_part_with_other_bytes_is_thrown_away(server, source, tmp_path):
    (tmp_path / "voc.tar.part").write_bytes(b"x" * 5000)

    with pytest.raises(ResourceError, match="must have a MD5"):
        fetch_file(source, tmp_path / "voc.tar", resume=True)

    assert os.listdir(tmp_path) == []


def test_a_file_that_does_not_end_is_stopped(server, source, tmp_path):
    with pytest.raises(ResourceError, match="more arrived"):
        fetch_file(replace(source, most_bytes=5000), tmp_path / "voc.tar", resume=True)

    assert os.listdir(tmp_path) == []


def test_too_little_space_is_told_before_the_first_byte(server, source, tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(transfers.shutil, "disk_usage", lambda path: usage._replace(free=1000))

    with pytest.raises(ResourceError, match=f"{os.strerror(errno.ENOSPC)}; free some space"):
        fetch_file(source, tmp_path / "voc.tar", resume=True)

    assert os.listdir(tmp_path) == []


def test_a_server_that_says_no_and_a_dead_network_are_told(server, source, tmp_path):
    server.status = 503
    with pytest.raises(
        ResourceError, match=r"archive voc\.tar could not be fetched: the server answered 503"
    ):
        fetch_file(source, tmp_path / "voc.tar")
    server.shutdown()
    server.server_close()
    with pytest.raises(ResourceError, match="no way to their server; go online"):
        fetch_file(source, tmp_path / "voc.tar")
