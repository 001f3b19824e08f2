"""Which files the words of a command line mean."""

from __future__ import annotations

import glob
import os
import stat
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ssd.errors import DataError

__all__ = ["Found", "find_pictures"]


@dataclass(frozen=True)
class Found:
    """Files that were meant.

    Attributes:
        paths: each file once, in the order of the words; within a folder by name.
        problems: a sentence for each word that means no file.
        notes: what a person should know: what was left out, what was spelt otherwise.
    """

    paths: tuple[Path, ...]
    problems: tuple[str, ...]
    notes: tuple[str, ...] = ()


@dataclass
class _Search:
    """What is noticed on the way."""

    left_out: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)

    def all_notes(self) -> tuple[str, ...]:
        """A sentence for each."""
        if not self.left_out:
            return tuple(self.notes)
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(self.left_out.items()))
        total = sum(self.left_out.values())
        return (*self.notes, f"{total} left out, no plain file: {kinds}.")


def find_pictures(words: Sequence[str]) -> Found:
    """Files, folders with all that lies in them, and patterns such as ``holiday/*.jpg``.

    Args:
        words: as typed. A folder gives its files with the ending of a picture, also
            from folders inside it. Pipes, sockets, devices and links that lead nowhere
            are counted and never opened; names that start with a dot are left out.

    Returns:
        The files; whether they are pictures is seen when they are read.

    Raises:
        DataError: not one file is meant.
    """
    paths: dict[Path, None] = {}
    problems: list[str] = []
    search = _Search()
    for word in words:
        meant = list(_meant(word, search))
        paths.update(dict.fromkeys(meant))
        if not meant:
            problems.append(f"No pictures under {_shown(word)}; check the path or pattern.")
    if not paths:
        raise DataError(" ".join(problems[:3]))
    return Found(paths=tuple(paths), problems=tuple(problems), notes=search.all_notes())


def _meant(word: str, search: _Search) -> Iterator[Path]:
    """The files that one word means."""
    path = Path(word)
    try:
        if path.is_dir():
            yield from _inside(path, search)
        elif path.exists() or path.is_symlink():
            yield path
        elif glob.has_magic(word):
            for match in _matching(word):
                yield from _meant(match, search) if os.path.lexists(match) else ()
        elif other := _spelt_otherwise(path):
            search.notes.append(f"{_shown(word)} was found under another Unicode spelling of the same name.")
            yield from _meant(str(other), search)
    except (ValueError, OSError):  # a NUL in the name, a name that is too long
        return


def _matching(pattern: str) -> list[str]:
    """The names that fit a pattern, in either Unicode spelling."""
    spellings = [pattern, *(unicodedata.normalize(form, pattern) for form in ("NFC", "NFD"))]
    return sorted({match for text in spellings for match in glob.glob(text, recursive=True)})


def _spelt_otherwise(path: Path) -> Path | None:
    """The file or folder whose name looks the same: é as one character or as e with an accent."""
    found = Path(path.anchor)
    for part in path.parts[1:] if path.anchor else path.parts:
        if not os.path.lexists(found / part):
            wanted = unicodedata.normalize("NFC", part)
            names = [name for name in os.listdir(found) if unicodedata.normalize("NFC", name) == wanted]
            if not names:
                return None
            part = sorted(names)[0]
        found = found / part
    return found


def _inside(folder: Path, search: _Search) -> Iterator[Path]:
    """All pictures below a folder, by name."""
    from ssd.data.paths import PICTURE_SUFFIXES

    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(root, name)
            kind = "" if name.startswith(".") else _special(path)
            if kind:
                search.left_out[kind] += 1
            elif not name.startswith(".") and path.suffix.lower() in PICTURE_SUFFIXES:
                yield path


def _special(path: Path) -> str:
    """What a file is that must not be opened; empty for a plain file."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return "link that leads nowhere" if path.is_symlink() else "unreadable"
    kinds = {stat.S_IFIFO: "pipe", stat.S_IFSOCK: "socket", stat.S_IFCHR: "device", stat.S_IFBLK: "device"}
    return kinds.get(stat.S_IFMT(mode), "")


def _shown(word: str) -> str:
    """A word as a message may show it."""
    from ssd.data.images import shown_name

    return shown_name(word)
