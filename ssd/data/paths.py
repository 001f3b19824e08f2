"""The one way from a name inside a data set to a file."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

from ssd.data.images import shown_name
from ssd.errors import DataError

PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp")


def safe_join(root: Path, name: str) -> Path:
    """A path below ``root``, or an error: a data set never names a file outside itself.

    Args:
        root: the data set's folder.
        name: a relative path as written in an annotation or list, with ``/`` between parts.

    Returns:
        The path; whether a file is there is not asked.

    Raises:
        DataError: the name is empty, absolute, climbs with ``..``, holds a NUL or a
            backslash, or leads outside through a link.

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
    path = root / name
    if path.is_symlink() or any(parent.is_symlink() for parent in _parents(path, root)):
        real = Path(os.path.realpath(path))
        if not real.is_relative_to(os.path.realpath(root)):
            raise DataError(
                f"'{shown_name(name)}' is a link that leaves the data set; "
                "copy the file into the folder instead."
            )
    return path


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
    if not folder.is_dir():
        return {}
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir(), key=lambda each: each.name):
        if path.suffix.lower() in suffixes and path.is_file() and _stays(path, folder):
            found.setdefault(composed(path.stem), path)
    return found


def composed(name: str) -> str:
    """The name in Unicode's composed form (NFC): one spelling for what looks the same."""
    return unicodedata.normalize("NFC", name)


def _stays(path: Path, folder: Path) -> bool:
    """Whether a link leads to a file of the same folder."""
    return not path.is_symlink() or path.resolve().is_relative_to(folder.resolve())


def _parents(path: Path, root: Path) -> list[Path]:
    """The folders between root and path."""
    return [parent for parent in path.parents if parent != root and parent.is_relative_to(root)]
