"""What the writers of all formats share: files to be written, and what a format cannot hold."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ssd.data.annotations import AnnotatedObject, check_box
from ssd.data.folders import DataSet, Entry
from ssd.data.images import shown_name
from ssd.errors import BoxError, DataError

__all__ = [
    "File",
    "Kept",
    "Rules",
    "apart",
    "class_names",
    "file_name",
    "kept",
    "lines",
    "pictures",
    "require_names",
]

_FLAG_ONLY = "truncated or occluded (only the flag)"
_UNWRITABLE = ("Cc", "Cs", "Zl", "Zp")  # control characters, lone surrogates, line separators
_FALLBACK = ".jpg"  # of a picture that nobody has, in files that name it


@dataclass(frozen=True)
class File:
    """A file to be written.

    Attributes:
        path: relative to the data set, with ``/``.
        content: its text; or a file whose bytes are copied.
    """

    path: str
    content: str | Path


@dataclass(frozen=True)
class Rules:
    """What a format can hold.

    Attributes:
        crowd: objects that are crowds; without it they are left out, since they would
            become ordinary ones.
        difficult: likewise for objects marked as difficult.
        inclusive: the last pixel of a box belongs to it, so that one narrower than two
            pixels would have no area.
        flags: ``truncated`` and ``occluded``.
        spaces: names of classes with spaces inside.
        file_spaces: file names with spaces inside.
    """

    crowd: bool = True
    difficult: bool = True
    inclusive: bool = False
    flags: bool = True
    spaces: bool = True
    file_spaces: bool = True


@dataclass(frozen=True)
class Kept:
    """A data set as a format holds it.

    Attributes:
        parts: split to data set, without the objects that it cannot hold.
        left_out: how many objects or flags it cannot hold, by reason.
    """

    parts: dict[str, DataSet]
    left_out: Counter[str]


def kept(parts: Mapping[str, DataSet], rules: Rules) -> Kept:
    """Leave out what a format cannot hold, and count it.

    Args:
        parts: split to data set; a picture in several of them is counted once.
        rules: of the format.

    Returns:
        What can be written.
    """
    left_out: Counter[str] = Counter()
    seen: set[tuple[str, Path | None]] = set()
    made = {}
    for split, data in parts.items():
        entries = []
        for entry in data.entries:
            reasons = [_why_not(each, rules) for each in entry.annotation.objects]
            good = [o for o, why in zip(entry.annotation.objects, reasons, strict=True) if not why]
            if (entry.name, entry.picture) not in seen:
                seen.add((entry.name, entry.picture))
                left_out.update(why for why in reasons if why)
                if not rules.flags:
                    left_out.update(_FLAG_ONLY for o in good if o.truncated or o.occluded)
            entries.append(replace(entry, annotation=replace(entry.annotation, objects=tuple(good))))
        made[split] = replace(data, entries=tuple(entries))
    return Kept(made, left_out)


def apart(parts: Mapping[str, DataSet]) -> dict[str, DataSet]:
    """Splits that do not overlap: a picture of several goes to the smallest.

    Args:
        parts: split to data set.

    Returns:
        The splits that still have a picture, in the order of ``parts``.
    """
    taken: set[tuple[str, Path | None]] = set()
    made = {}
    for split, data in sorted(parts.items(), key=lambda part: len(part[1])):
        own = tuple(entry for entry in data.entries if (entry.name, entry.picture) not in taken)
        taken |= {(entry.name, entry.picture) for entry in own}
        if own:
            made[split] = replace(data, entries=own)
    return {split: made[split] for split in parts if split in made}


def pictures(parts: Mapping[str, DataSet], folder: str) -> list[File]:
    """Every picture that there is, once.

    Args:
        parts: split to data set.
        folder: where the pictures go.

    Returns:
        The copies to be made.
    """
    entries = {entry.name: entry for data in parts.values() for entry in data.entries}
    return [
        File(f"{folder}/{file_name(entry)}", entry.picture)
        for entry in entries.values()
        if entry.picture is not None
    ]


def file_name(entry: Entry) -> str:
    """The picture's file name in the data set that is written.

    Args:
        entry: of the picture.

    Returns:
        Its name with the suffix of its file.
    """
    return entry.name + (entry.picture.suffix if entry.picture is not None else _FALLBACK)


def class_names(parts: Mapping[str, DataSet]) -> tuple[str, ...]:
    """Every class that is written: those of the data in label order, then any others by name.

    Args:
        parts: split to data set.

    Returns:
        Each name once.
    """
    own = dict.fromkeys(name for data in parts.values() for name in data.classes)
    used = {o.name for data in parts.values() for e in data.entries for o in e.annotation.objects}
    return (*own, *sorted(used - own.keys()))


def require_names(parts: Mapping[str, DataSet], rules: Rules) -> None:
    """Raise where a format cannot hold a name, or where two pictures have one.

    Args:
        parts: split to data set.
        rules: of the format.

    Raises:
        DataError: a class, a picture or a split has such a name.
    """
    for name in class_names(parts):
        if not _is_plain(name) or (not rules.spaces and len(name.split()) != 1):
            raise DataError(
                f"this format cannot hold a class called '{shown_name(name)}': a name must be printable, "
                f"without {'spaces' if not rules.spaces else 'spaces at its ends'}; rename it first."
            )
    seen: dict[str, Path | None] = {}
    for entry in (entry for data in parts.values() for entry in data.entries):
        if not _is_plain(entry.name) or (not rules.file_spaces and len(entry.name.split()) != 1):
            raise DataError(
                f"this format cannot hold a picture called '{shown_name(entry.name)}': a name must be "
                f"printable, without {'spaces at its ends' if rules.file_spaces else 'spaces'}; rename it."
            )
        if seen.setdefault(entry.name, entry.picture) != entry.picture:
            raise DataError(
                f"two pictures are called '{shown_name(entry.name)}', and one folder cannot hold both; "
                "convert one split at a time."
            )


def _is_plain(name: str) -> bool:
    """Whether a name comes back as it was from a line of text or an XML element."""
    bad = any(unicodedata.category(char) in _UNWRITABLE or char in "\ufffe\uffff" for char in name)
    return bool(name) and name == name.strip() and not bad


def _why_not(each: AnnotatedObject, rules: Rules) -> str:
    """Why a format cannot hold an object; empty where it can."""
    if each.crowd and not rules.crowd:
        return "crowd"
    if each.difficult and not rules.difficult:
        return "difficult"
    if rules.inclusive and not _has_area(each):
        return "narrower than two pixels"
    return ""


def _has_area(each: AnnotatedObject) -> bool:
    """Whether a box has an area also where its last pixel belongs to it."""
    x1, y1, x2, y2 = each.box_px
    try:
        check_box((x1 + 1, y1 + 1, x2, y2), width=0, height=0)
    except BoxError:
        return False
    return True


def lines(rows: Iterable[str]) -> str:
    """Rows as a text file.

    Args:
        rows: without their ends.

    Returns:
        Each row with a newline.
    """
    return "".join(f"{row}\n" for row in rows)
