"""Which files the words of a command line mean."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ssd.errors import DataError

__all__ = ["Found", "find_pictures"]


@dataclass(frozen=True)
class Found:
    """Files that were meant.

    Attributes:
        paths: each file once, in the order of the words; within a folder by name.
        problems: a sentence for each word that means no file.
    """

    paths: tuple[Path, ...]
    problems: tuple[str, ...]


def find_pictures(words: Sequence[str]) -> Found:
    """Files, folders with all that lies in them, and patterns such as ``holiday/*.jpg``.

    Args:
        words: as typed. A folder gives its files with the ending of a picture, also
            from folders inside it; pipes, devices, links that lead nowhere and names
            that start with a dot are left out.

    Returns:
        The files; whether they are pictures is seen when they are read.

    Raises:
        DataError: not one file is meant.
    """
    paths: dict[Path, None] = {}
    problems: list[str] = []
    for word in words:
        meant = list(_meant(word))
        paths.update(dict.fromkeys(meant))
        if not meant:
            problems.append(f"No pictures under {_shown(word)}; check the path or pattern.")
    if not paths:
        raise DataError(" ".join(problems[:3]))
    return Found(paths=tuple(paths), problems=tuple(problems))


def _meant(word: str) -> Iterator[Path]:
    """The files that one word means."""
    path = Path(word)
    try:
        if path.is_dir():
            yield from _inside(path)
        elif path.exists() or path.is_symlink():
            yield path
        elif glob.has_magic(word):
            for match in sorted(glob.glob(word, recursive=True)):
                yield from _meant(match) if os.path.lexists(match) else ()
    except (ValueError, OSError):  # a NUL in the name, a name that is too long
        return


def _inside(folder: Path) -> Iterator[Path]:
    """All pictures below a folder, by name."""
    from ssd.data.paths import PICTURE_SUFFIXES

    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(root, name)
            if not name.startswith(".") and path.suffix.lower() in PICTURE_SUFFIXES and path.is_file():
                yield path


def _shown(word: str) -> str:
    """A word as a message may show it."""
    from ssd.data.images import shown_name

    return shown_name(word)
