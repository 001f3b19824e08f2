"""The one way from a name inside a data set to a file."""

from __future__ import annotations

import os
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from ssd.data.images import shown_name
from ssd.errors import DataError

_MOST_NAME_BYTES = 255  # of common file systems
PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp")
LINK_OUT, DANGLING, SPECIAL, DOUBLE, RECOMPOSED = (
    "link(s) that leave the folder",
    "link(s) that lead nowhere",
    "pipe(s), socket(s) or device(s)",
    "file(s) whose stem another file has too",
    "name(s) matched in Unicode's composed form",
)


@dataclass(frozen=True)
class Listing:
    """The files of a folder that count, and what was passed over.

    Attributes:
        files: stem to path, sorted by file name; of two files with one stem the first.
        passed_over: how many entries were skipped, by what they are; also how many names
            were matched only after they were brought into Unicode's composed form.
    """

    files: dict[str, Path]
    passed_over: Counter[str] = field(default_factory=Counter)


def safe_join(root: Path, name: str) -> Path:
    """A path below ``root``, or an error: a data set never names a file outside itself.

    Args:
        root: the data set's folder.
        name: a relative path as written in an annotation or list, with ``/`` between parts.

    Returns:
        The path; whether a file is there is not asked.

    Raises:
        DataError: the name is empty, absolute, climbs with ``..``, holds a NUL or a
            backslash, is longer than a file system takes, or leads outside through a link.

    Example:
        >>> safe_join(Path("pictures"), "a/b.jpg").as_posix()
        'pictures/a/b.jpg'
    """
    parts = name.split("/")
    forbidden = "\x00" in name or "\\" in name or ":" in parts[0] or ".." in parts
    if not name.strip() or forbidden or name.startswith("/"):
        raise DataError(
            f"a file name must stay inside the data set, got '{shown_name(name)}'; "
            "write it relative to the data set's folder."
        )
    if max(len(part.encode("utf-8", "replace")) for part in parts) > _MOST_NAME_BYTES:
        raise DataError(
            f"a file name may have {_MOST_NAME_BYTES} bytes, '{shown_name(name)}' is longer; rename it."
        )
    path = root / name
    if leaves(path, root):
        raise DataError(
            f"'{shown_name(name)}' is a link that leaves the data set; copy the file into the folder instead."
        )
    return path


def leaves(path: Path, root: Path) -> bool:
    """Whether a link on the way from ``root`` to ``path`` leads out; ``root`` itself may be a link.

    Args:
        path: below ``root``.
        root: the data set's folder.

    Returns:
        False also where nothing is there.

    Example:
        >>> leaves(Path("set/a.jpg"), Path("set"))
        False
    """
    if not (path.is_symlink() or any(parent.is_symlink() for parent in _parents(path, root))):
        return False
    return not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root))


def plain_files(folder: Path, *, suffixes: tuple[str, ...]) -> dict[str, Path]:
    """The files of a folder by their stem, sorted by file name.

    Upper-case suffixes count; links out of the folder, pipes, devices and folders do not.
    Stems are in Unicode's composed form, so that a name typed on another system is found.

    Args:
        folder: where to look; subfolders are not entered.
        suffixes: lower-case endings with their dot.

    Returns:
        Stem to path; of two files with one stem the first by name.

    Example:
        >>> plain_files(Path("no such folder"), suffixes=(".xml",))
        {}
    """
    return list_files(folder, suffixes=suffixes).files


def list_files(folder: Path, *, suffixes: tuple[str, ...], root: Path | None = None) -> Listing:
    """The files of a folder by their stem, and a count of all that was passed over.

    Nothing is opened and no link out of the folder is followed, so a pipe cannot block.
    Hidden files do not count.

    Args:
        folder: where to look; subfolders are not entered.
        suffixes: lower-case endings with their dot; other files are not counted.
        root: the data set's folder; a link for ``folder`` that leaves it is not followed. None:
            ``folder`` is where a person pointed, and may be a link.

    Returns:
        The listing; empty where there is no such folder.

    Example:
        >>> list_files(Path("no such folder"), suffixes=(".xml",)).files
        {}
    """
    found = Listing({})
    if root is not None and leaves(folder, root):
        return Listing({}, Counter({LINK_OUT: 1}))
    try:
        with os.scandir(folder) as entries:
            named = [entry for entry in entries if not entry.name.startswith(".")]  # macOS's ._a.jpg
            wanted = [entry for entry in named if entry.name.lower().endswith(suffixes)]
    except (OSError, ValueError):
        return found
    for entry in sorted(wanted, key=lambda each: each.name):
        why = _why_not(entry, folder)
        if why or entry.is_dir():
            found.passed_over.update([why] if why else [])
            continue
        stem = os.path.splitext(entry.name)[0]
        name = composed(stem)
        found.passed_over[RECOMPOSED] += name != stem
        found.passed_over[DOUBLE] += name in found.files
        found.files.setdefault(name, Path(entry.path))
    return found


def passed_over_words(listings: Iterable[Listing]) -> str:
    """What several listings passed over, in words; empty where it is nothing.

    Args:
        listings: of one data set.

    Returns:
        Counts with their kind, separated by commas.
    """
    total: Counter[str] = sum((listing.passed_over for listing in listings), Counter())
    return ", ".join(f"{count} {what}" for what, count in sorted(total.items()) if count)


def composed(name: str) -> str:
    """The name in Unicode's composed form (NFC): one spelling for what looks the same."""
    return unicodedata.normalize("NFC", name)


def _why_not(entry: os.DirEntry[str], folder: Path) -> str:
    """What an entry is, where it is no file of this folder; folders are passed over in silence."""
    if not entry.is_symlink():
        return "" if entry.is_file() or entry.is_dir() else SPECIAL
    try:
        real = Path(os.path.realpath(entry.path, strict=True))
    except OSError:
        return DANGLING
    if not real.is_relative_to(os.path.realpath(folder)):
        return LINK_OUT
    return "" if real.is_file() or real.is_dir() else SPECIAL


def _parents(path: Path, root: Path) -> list[Path]:
    """The folders between root and path."""
    return [parent for parent in path.parents if parent != root and parent.is_relative_to(root)]
