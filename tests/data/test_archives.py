"""Archives: unpacked when every member is good; otherwise nothing is written, outside or inside."""

from __future__ import annotations

import io
import os
import stat
import tarfile
import zipfile

import pytest

from ssd.data import archives
from ssd.data.archives import extract_archive
from ssd.errors import DataError, ResourceError

GOOD = {
    "VOCdevkit/VOC2007/Annotations/1.xml": b"<annotation/>",
    "VOCdevkit/notes #1 ü.txt": b"",
    "a": b"x" * 99,
}


def tar(path, *members, good=GOOD):
    """A tar of good files, and of members as (TarInfo, content)."""
    with tarfile.open(path, "w") as file:
        for name, content in good.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(content), 0o4777
            file.addfile(info, io.BytesIO(content))
        for info, content in members:
            info.size = len(content) if info.size == 0 else info.size
            file.addfile(info, io.BytesIO(content))
    return path


def member(name, kind=tarfile.REGTYPE, link="", content=b"x"):
    """One member of any kind."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info, content if kind in (tarfile.REGTYPE, tarfile.AREGTYPE) else b""


def tree(folder):
    """Every file with its content."""
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_good_tar_is_unpacked_without_its_permissions(tmp_path):
    archive = tar(tmp_path / "voc.tar", member("VOCdevkit", tarfile.DIRTYPE), member("./b"))

    count = extract_archive(archive, tmp_path / "out")

    assert tree(tmp_path / "out") == {**GOOD, "b": b"x"}
    assert count == 4
    assert not (tmp_path / "out" / "a").stat().st_mode & (stat.S_ISUID | stat.S_IXUSR)


def test_a_good_zip_is_unpacked(tmp_path):
    with zipfile.ZipFile(tmp_path / "voc.zip", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("empty/", b"")
        for name, content in GOOD.items():
            file.writestr(name, content)

    assert extract_archive(tmp_path / "voc.zip", tmp_path / "out") == 3
    assert tree(tmp_path / "out") == GOOD


BAD = {
    "climbs": member("../x"),
    "climbs later": member("VOCdevkit/../../x"),
    "absolute": member("/abs"),
    "backslashes": member("..\\x"),
    "a drive": member("C:/x"),
    "a link out": member("VOCdevkit/out", tarfile.SYMTYPE, "/etc"),
    "a link inside": member("VOCdevkit/in", tarfile.SYMTYPE, "VOC2007"),
    "a hard link": member("VOCdevkit/passwd", tarfile.LNKTYPE, "/etc/passwd"),
    "a device": member("VOCdevkit/null", tarfile.CHRTYPE),
    "a block device": member("VOCdevkit/disk", tarfile.BLKTYPE),
    "a pipe": member("VOCdevkit/pipe", tarfile.FIFOTYPE),
    "twice": member("a"),
    "twice in other words": member(
        "VOCdevkit/./../VOCdevkit/VOC2007/Annotations/1.xml".replace("./../VOCdevkit/", "./")
    ),
    "too long a name": member("n" * 300),
    "an unknown kind": member("VOCdevkit/odd", b"Z"),
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_d9_one_bad_member_and_nothing_is_written_anywhere(tmp_path, bad):
    inside = tmp_path / "place" / "out"
    archive = tar(tmp_path / "voc.tar", bad)

    with pytest.raises(DataError, match=r"^voc.tar: '.*; nothing was unpacked\.$") as caught:
        extract_archive(archive, inside)

    assert caught.value.rule == "archive"
    assert sorted(os.listdir(tmp_path)) == ["voc.tar"]


def test_a_link_and_then_a_file_through_it_is_refused(tmp_path):
    archive = tar(
        tmp_path / "voc.tar", member("VOCdevkit/d", tarfile.SYMTYPE, "../.."), member("VOCdevkit/d/x")
    )

    with pytest.raises(DataError, match="'VOCdevkit/d' is a link or a device"):
        extract_archive(archive, tmp_path / "place" / "out")

    assert os.listdir(tmp_path) == ["voc.tar"]


def test_d10_long_links_through_links_are_refused_as_all_links_are(tmp_path):
    deep = "/".join(["d" * 200] * 20)
    members = [
        member(deep, tarfile.DIRTYPE),
        member("a" * 90, tarfile.SYMTYPE, deep),
        member("e", tarfile.SYMTYPE, "a" * 90 + "/" + "../" * 30),
    ]
    archive = tar(tmp_path / "voc.tar", *members)

    with pytest.raises(DataError, match="is a link or a device; nothing was unpacked"):
        extract_archive(archive, tmp_path / "out")

    assert os.listdir(tmp_path) == ["voc.tar"]


def test_a_sparse_file_is_refused(tmp_path):
    info = tarfile.TarInfo("big")
    info.type, info.size = tarfile.GNUTYPE_SPARSE, 0
    archive = tar(tmp_path / "voc.tar", (info, b""))

    with pytest.raises(DataError):
        extract_archive(archive, tmp_path / "out")

    assert os.listdir(tmp_path) == ["voc.tar"]


def test_d12_a_zip_that_becomes_far_more_is_refused_at_once(tmp_path):
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as file:
        for number in range(4):
            file.writestr(f"{number}.bin", bytes(10_000_000))

    with pytest.raises(DataError, match=r"its 0.0 MB would become more than \d+ MB \(100 times as much"):
        extract_archive(tmp_path / "bomb.zip", tmp_path / "out")

    assert os.listdir(tmp_path) == ["bomb.zip"]


def test_an_archive_inside_an_archive_is_a_file_like_others(tmp_path):
    with zipfile.ZipFile(tmp_path / "inner.zip", "w") as file:
        file.writestr("../x", b"x")
    archive = tar(tmp_path / "voc.tar", member("inner.zip", content=(tmp_path / "inner.zip").read_bytes()))

    extract_archive(archive, tmp_path / "out")

    assert zipfile.is_zipfile(tmp_path / "out" / "inner.zip")
    assert not (tmp_path / "x").exists()


def test_a_zip_with_a_link_or_a_password_is_refused(tmp_path):
    link = zipfile.ZipInfo("out")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "link.zip", "w") as file:
        file.writestr(link, "/etc")

    with pytest.raises(DataError, match="'out' is a link or a device"):
        extract_archive(tmp_path / "link.zip", tmp_path / "out")


@pytest.mark.parametrize(
    "content", [b"", b"<html>Sign in</html>", b"PK\x03\x04 nothing"], ids=["empty", "page", "zip"]
)
def test_what_is_no_archive_is_refused(tmp_path, content):
    (tmp_path / "voc.tar").write_bytes(content)

    with pytest.raises(DataError, match=r"^voc.tar: the archive is damaged"):
        extract_archive(tmp_path / "voc.tar", tmp_path / "out")

    assert os.listdir(tmp_path) == ["voc.tar"]


def test_a_compressed_tar_is_refused(tmp_path):
    with tarfile.open(tmp_path / "voc.tar.gz", "w:gz") as file:
        file.addfile(tarfile.TarInfo("x"))

    with pytest.raises(DataError, match="damaged or of a kind that is not taken"):
        extract_archive(tmp_path / "voc.tar.gz", tmp_path / "out")


def test_a_tar_that_is_cut_off_is_refused(tmp_path):
    archive = tar(tmp_path / "voc.tar", member("b", content=b"y" * 90_000))
    os.truncate(archive, 40_000)

    with pytest.raises(DataError, match="damaged"):
        extract_archive(archive, tmp_path / "out")


def test_a_full_disk_is_told_as_what_it_is(tmp_path, monkeypatch):
    archive = tar(tmp_path / "voc.tar")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(archives, "_copied", full)

    with pytest.raises(ResourceError, match="No space left on device"):
        extract_archive(archive, tmp_path / "out")
