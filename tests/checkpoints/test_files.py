"""Files are whole or absent, whatever happens while they are written."""

import errno
import os

import pytest

from ssd.checkpoints.files import read_file, write_checked, write_file
from ssd.errors import CheckpointError, ResourceError
from tests.small_models import FORBIDDEN


def test_a_file_and_its_folder_are_made(tmp_path):
    write_file(tmp_path / "new" / "a.bin", b"hello")

    assert (tmp_path / "new" / "a.bin").read_bytes() == b"hello"
    assert os.listdir(tmp_path / "new") == ["a.bin"]


def test_a_full_disk_leaves_the_old_file_and_no_rest(tmp_path, monkeypatch):
    path = tmp_path / "a.bin"
    write_checked(path, b"old")

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(ResourceError, match="No space left on device"):
            write_checked(path, b"new")

    content = read_file(path)
    assert (content.data, content.fault, content.notes) == (b"old", "", ())  # verified as before
    assert sorted(os.listdir(tmp_path)) == ["a.bin", "a.bin.sha256"]


def test_a_stop_between_file_and_checksum_leaves_a_file_that_loads(tmp_path, monkeypatch):
    path = tmp_path / "a.bin"
    write_checked(path, b"old")

    def stopped(source, target):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", stopped)
        with pytest.raises(KeyboardInterrupt):
            write_checked(path, b"new")

    content = read_file(path)
    assert (content.data, content.fault) == (b"old", "")
    assert "not verified" in content.notes[0]


def test_new_content_comes_with_its_own_checksum(tmp_path):
    path = tmp_path / "a.bin"
    write_checked(path, b"old")

    digest = write_checked(path, b"new")

    content = read_file(path)
    assert (content.data, content.sha256, content.fault, content.notes) == (b"new", digest, "", ())
    assert sorted(os.listdir(tmp_path)) == ["a.bin", "a.bin.sha256"]


def test_the_bytes_are_on_the_disk_before_the_name_changes(tmp_path, monkeypatch):
    order = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda file: (order.append("fsync"), fsync(file)))
    monkeypatch.setattr(os, "replace", lambda *names: (order.append("replace"), replace(*names)))

    write_file(tmp_path / "a.bin", b"hello")

    assert order == ["fsync", "replace"]


def test_a_missing_file_lists_the_checkpoints_nearby(tmp_path):
    for name in ("a.safetensors", "b.pt", "notes.txt"):
        (tmp_path / name).touch()

    for path in (tmp_path / "c.safetensors", tmp_path):
        with pytest.raises(CheckpointError, match=r"found there: a\.safetensors, b\.pt\.") as caught:
            read_file(path)
        assert not FORBIDDEN.search(str(caught.value))


def test_a_missing_folder_a_pipe_and_a_name_with_nul_are_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(CheckpointError, match="is missing; no checkpoints found nearby"):
        read_file(tmp_path / "nowhere" / "c.pt")
    with pytest.raises(CheckpointError, match="is no checkpoint file"):
        read_file(tmp_path / "pipe")
    with pytest.raises(CheckpointError):
        read_file(tmp_path / "nul\0.pt")


def test_a_file_beyond_the_limit_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "huge.pt"
    with path.open("wb") as file:
        file.truncate(2_000_000_001)  # a hole: takes no room on the disk

    with pytest.raises(CheckpointError, match="got 2,000,000,001"):
        read_file(path)
