"""The only door for archives: every member is looked at before the first one is written.

A tar or zip from outside may name files outside its folder, hold links, devices or files without
end. Nothing of that kind is repaired or skipped: the archive is refused whole, and nothing is
written. Permissions, owners and dates of members are not taken over.
"""

from __future__ import annotations

import posixpath
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from lzma import LZMAError
from pathlib import Path
from typing import IO, Protocol, runtime_checkable

from ssd.data.images import shown_name
from ssd.data.paths import safe_join
from ssd.errors import DataError, ResourceError
from ssd.limits import MAX_ARCHIVE_MEMBERS, MAX_ARCHIVE_RATIO

__all__ = ["extract_archive"]

_BLOCK_BYTES = 1 << 18
_DAMAGED = (tarfile.TarError, zipfile.BadZipFile, zlib.error, LZMAError, EOFError, ValueError,
            NotImplementedError, RuntimeError, UnicodeError)  # fmt: skip


@runtime_checkable
class _Readable(Protocol):
    """A member that is open."""

    def read(self, size: int, /) -> bytes:
        """Some of its bytes."""


@runtime_checkable
class _Writable(Protocol):
    """A file that is open."""

    def write(self, data: bytes, /) -> int:
        """More bytes."""


@dataclass(frozen=True)
class _Member:
    """A file of an archive: where it goes, how long it says it is, how it is found again."""

    name: str
    size: int
    handle: tarfile.TarInfo | zipfile.ZipInfo


def extract_archive(archive: Path, folder: Path) -> int:
    """Unpack a tar (not compressed) or zip that is what it should be.

    Args:
        archive: a plain file; its checksum has been looked at where there is one.
            A compressed tar is refused: what it becomes is known only once it has become it.
        folder: a new or empty folder that nobody uses yet; where this raises its content is
            to be thrown away.

    Returns:
        How many files were written.

    Raises:
        DataError: the archive is damaged; or a member is absolute, climbs with ``..``, is a link
            or device, stands twice; or the whole is suspiciously large. The message names the
            member, and nothing has been written.
        ResourceError: it does not fit on the disk.
    """
    shown = shown_name(archive.name)
    try:
        with ExitStack() as stack:
            opened = _opened(archive, stack)
            members = _checked(opened, archive, folder)
            for member in members:
                _write(opened, member, folder)
    except _DAMAGED as error:
        raise DataError(
            f"{shown}: the archive is damaged or of a kind that is not taken ({type(error).__name__}); "
            "download it again.",
            rule="archive",
        ) from None
    except OSError as error:
        if isinstance(error, FileNotFoundError | FileExistsError | NotADirectoryError):
            text = f"{shown}: the archive is missing, or a file of it stands where a folder should be"
            raise DataError(f"{text}; download it again.", rule="archive") from None
        raise ResourceError(
            f"{shown} could not be unpacked ({error.strerror}); free some space or choose another folder."
        ) from error
    return len(members)


def _opened(archive: Path, stack: ExitStack) -> tarfile.TarFile | zipfile.ZipFile:
    """The archive, told by its content."""
    if not archive.is_file():
        raise FileNotFoundError
    with archive.open("rb") as file:
        first = file.read(2)
    if first == b"PK":
        return stack.enter_context(zipfile.ZipFile(archive))
    return stack.enter_context(tarfile.open(archive, mode="r:"))


def _checked(opened: tarfile.TarFile | zipfile.ZipFile, archive: Path, folder: Path) -> list[_Member]:
    """Every file, after all members were looked at."""
    shown, packed = shown_name(archive.name), archive.stat().st_size
    room = min(MAX_ARCHIVE_RATIO * packed, shutil.disk_usage(_existing(folder)).free)
    members: dict[str, _Member] = {}
    total = 0
    for member, fault in _members(opened):
        if fault:
            raise DataError(
                f"{shown}: '{shown_name(member.name)}' {fault}; nothing was unpacked.", rule="archive"
            )
        if member.size < 0:
            continue
        total += member.size
        clean = posixpath.normpath(member.name)
        if clean in members or len(members) >= MAX_ARCHIVE_MEMBERS:
            why = "stands twice" if clean in members else f"is one file more than {MAX_ARCHIVE_MEMBERS:,}"
            raise DataError(
                f"{shown}: '{shown_name(member.name)}' {why}; nothing was unpacked.", rule="archive"
            )
        if total > room:
            raise DataError(
                f"{shown}: its {packed / 1e6:.1f} MB would become more than {room / 1e6:.0f} MB "
                f"({MAX_ARCHIVE_RATIO} times as much, or the free space); nothing was unpacked.",
                rule="archive",
            )
        members[clean] = member
    return list(members.values())


def _members(opened: tarfile.TarFile | zipfile.ZipFile) -> Iterator[tuple[_Member, str]]:
    """Each member, a folder with a size of -1, and what is wrong with it."""
    if isinstance(opened, zipfile.ZipFile):
        for info in opened.infolist():
            kind = stat.S_IFMT(info.external_attr >> 16)
            odd = "" if kind in (0, stat.S_IFREG, stat.S_IFDIR) else "is a link or a device"
            odd = "is encrypted" if info.flag_bits & 1 else odd
            size = -1 if info.is_dir() else info.file_size
            yield _Member(info.filename, size, info), odd or _leaves(info.filename)
    else:
        for found in opened:
            plain = found.type in (tarfile.REGTYPE, tarfile.AREGTYPE) and not found.issparse()
            odd = "" if plain or found.isdir() else "is a link or a device"
            odd = "has a size below 0" if found.size < 0 else odd
            yield _Member(found.name, found.size if plain else -1, found), odd or _leaves(found.name)


def _leaves(name: str) -> str:
    """What is wrong with a name; empty where it stays inside."""
    if name in (".", "./"):
        return ""
    try:
        safe_join(Path(), name)
    except DataError:
        return "would be written outside the folder, or has a name that is too long"
    return ""


def _write(opened: tarfile.TarFile | zipfile.ZipFile, member: _Member, folder: Path) -> None:
    """One file, never over another one, never longer than it said."""
    to = safe_join(folder, member.name)
    to.parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        if isinstance(opened, zipfile.ZipFile) and isinstance(member.handle, zipfile.ZipInfo):
            source: IO[bytes] | None = opened.open(member.handle)
        elif isinstance(opened, tarfile.TarFile) and isinstance(member.handle, tarfile.TarInfo):
            source = opened.extractfile(member.handle)
        else:
            source = None
        if source is None:
            raise EOFError
        file = stack.enter_context(to.open("xb"))
        if _copied(stack.enter_context(source), file, member.size) != member.size:
            raise EOFError


def _copied(source: _Readable, file: _Writable, size: int) -> int:
    """Bytes that were copied: at most one block more than asked for."""
    copied = 0
    while copied <= size and (block := source.read(_BLOCK_BYTES)):
        file.write(block)
        copied += len(block)
    return copied


def _existing(folder: Path) -> Path:
    """The folder, or the nearest above it that is there."""
    return next(each for each in (folder.absolute(), *folder.absolute().parents) if each.is_dir())
