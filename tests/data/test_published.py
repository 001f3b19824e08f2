"""Published data sets: what torchvision knows, fetched from a server of the tests' own, all or nothing."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile

import pytest
from PIL import Image
from torchvision.datasets import voc as torchvision_voc

from ssd.cli import main
from ssd.data import published
from ssd.data.folders import open_dataset
from ssd.data.published import download_dataset, published_archives
from ssd.errors import ConfigError, DataError, ResourceError
from ssd.transfers import Source
from tests.data.test_folders import CAT, DOG
from tests.data.test_voc import voc
from tests.file_server import serving
from tests.test_errors import FORBIDDEN


def picture():
    """A small JPEG."""
    buffer = io.BytesIO()
    Image.new("RGB", (60, 40), "teal").save(buffer, "JPEG")
    return buffer.getvalue()


def devkit_tar(split, *names, bad=None):
    """A tar as Pascal's: pictures, annotations and one list."""
    base, files = "VOCdevkit/VOC2007", {}
    for name in names:
        files[f"{base}/JPEGImages/{name}.jpg"] = picture()
        files[f"{base}/Annotations/{name}.xml"] = voc(CAT, DOG, size=(60, 40), filename=f"{name}.jpg")
    files[f"{base}/ImageSets/Main/{split}.txt"] = "".join(f"{name}\n" for name in names).encode()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as file:
        for path, content in files.items():
            info = tarfile.TarInfo(path)
            info.size = len(content)
            file.addfile(info, io.BytesIO(content))
        if bad is not None:
            info = tarfile.TarInfo(bad)
            info.type, info.linkname = tarfile.SYMTYPE, "/etc"
            file.addfile(info)
    return buffer.getvalue()


@pytest.fixture
def server(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with serving() as found:
        publish(found, monkeypatch, devkit_tar("trainval", "000001", "000002"), devkit_tar("test", "000003"))
        yield found


def publish(server, monkeypatch, *archives):
    """Say that these are the archives of every data set."""
    server.files = {f"{number}.tar": content for number, content in enumerate(archives)}
    sources = tuple(
        Source(server.address(name), name, f"The archive {name}",
               hashlib.md5(content, usedforsecurity=False).hexdigest(), algorithm="md5")
        for name, content in server.files.items()
    )  # fmt: skip
    monkeypatch.setattr(published, "published_archives", lambda name: sources)


def test_addresses_and_checksums_are_torchvision_s():
    record = torchvision_voc.DATASET_YEAR_DICT["2012"]

    [source] = published_archives("voc2012")

    assert (source.address, source.checksum, source.algorithm) == (record["url"], record["md5"], "md5")
    assert source.file_name == record["filename"]
    assert len(published_archives("voc2007")) == 2


def test_every_archive_lands_in_one_devkit_and_leaves_nothing_behind(server, tmp_path):
    download_dataset("voc2007", tmp_path / "voc2007")

    data = open_dataset(tmp_path / "voc2007")
    assert data.names == ("000001", "000002", "000003")
    assert open_dataset(tmp_path / "voc2007", split="test").names == ("000003",)
    assert data.sample(0).picture.shape == (3, 40, 60)
    assert os.listdir(tmp_path / "cache/ssd-explorer/downloads") == []
    assert sorted(os.listdir(tmp_path)) == ["cache", "voc2007"]


def test_d15_after_a_broken_connection_only_what_is_missing_is_fetched(server, tmp_path):
    server.breaks_after = 3000
    with pytest.raises(ResourceError, match="go online"):
        download_dataset("voc2007", tmp_path / "voc2007")
    assert not (tmp_path / "voc2007").exists()
    assert os.listdir(tmp_path / "cache/ssd-explorer/downloads") == ["0.tar.part"]
    server.breaks_after = None

    download_dataset("voc2007", tmp_path / "voc2007")

    assert len(open_dataset(tmp_path / "voc2007")) == 3
    assert server.asked[1] == ("0.tar", "bytes=2999-")


def test_d13_a_wrong_checksum_unpacks_nothing_and_keeps_the_old_data_set(server, tmp_path):
    download_dataset("voc2007", tmp_path / "voc2007")
    server.files["1.tar"] = b"<html>Sign in</html>"

    with pytest.raises(ResourceError, match=r"1\.tar must have a MD5 of"):
        download_dataset("voc2007", tmp_path / "voc2007", force=True)

    assert len(open_dataset(tmp_path / "voc2007")) == 3


def test_a_bad_member_of_the_second_archive_leaves_no_file_of_the_first(server, tmp_path, monkeypatch):
    bad = devkit_tar("test", "000003", bad="VOCdevkit/out")
    publish(server, monkeypatch, devkit_tar("trainval", "000001"), bad)

    with pytest.raises(DataError, match="'VOCdevkit/out' is a link"):
        download_dataset("voc2007", tmp_path / "voc2007")

    assert os.listdir(tmp_path) == ["cache"]
    assert os.listdir(tmp_path / "cache/ssd-explorer/downloads") == ["0.tar"]


def test_an_archive_of_something_else_is_refused(server, tmp_path, monkeypatch):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as file:
        file.addfile(tarfile.TarInfo("readme"))
    publish(server, monkeypatch, buffer.getvalue())

    with pytest.raises(DataError, match="hold no VOCdevkit"):
        download_dataset("voc2012", tmp_path / "voc")

    assert os.listdir(tmp_path) == ["cache"]


def test_nothing_is_fetched_where_something_is_already(server, tmp_path):
    (tmp_path / "voc2007").mkdir()
    (tmp_path / "voc2007" / "thesis.txt").touch()

    for force in (False, True):
        with pytest.raises(ConfigError):
            download_dataset("voc2007", tmp_path / "voc2007", force=force)

    assert server.asked == []
    assert os.listdir(tmp_path / "voc2007") == ["thesis.txt"]


def test_the_command_counts_what_arrived(server, tmp_path, capsys):
    code = main(["download", "voc2007", "--out", str(tmp_path / "voc"), "--json"])

    out, err = capsys.readouterr()
    assert code == 0
    assert json.loads(out) == {"path": str(tmp_path / "voc"), "name": "voc2007", "num_pictures": 3}
    assert "MB" in err


@pytest.mark.parametrize("name", ["voc2007", "voc2012"])
def test_offline_a_sentence_says_so(offline, tmp_path, monkeypatch, capsys, name):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    assert main(["download", name, "--out", str(tmp_path / "voc")]) == 6

    message = capsys.readouterr().err
    assert "could not be fetched: this machine has no way to their server; go online." in message
    assert not FORBIDDEN.search(message)
    assert not (tmp_path / "voc").exists()


def test_another_name_is_refused(capsys):
    assert main(["download", "voc207"]) == 2

    assert "(did you mean voc2007?)" in capsys.readouterr().err
