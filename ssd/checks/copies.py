"""The same picture twice, within a split and across splits, by what it shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ssd.checks.reading import Material, Seen, exclusive
from ssd.checks.records import Problem
from ssd.checks.sentences import Writer
from ssd.data.images import shown_name

__all__ = ["copy_problems"]


def copy_problems(material: Material, writer: Writer) -> Iterator[Problem]:
    """Every picture that is there more than once.

    Args:
        material: the data set, with the facts of its pictures.
        writer: of the data set.

    Yields:
        A problem for each copy, said at the later one of two.
    """
    same: dict[str, list[Seen]] = {}
    for each in material.seen:
        shared = _exclusive_pair(each.splits, each.splits)
        if shared is not None:
            text = f"{_shown(each)}: is in split '{shared[0]}' and in split '{shared[1]}'."
            yield writer.picture("leak", each, text)
        if each.facts is not None and each.facts.digest:
            same.setdefault(each.facts.digest, []).append(each)
    for alike in same.values():
        yield from _copies(alike, writer)


def _copies(alike: Sequence[Seen], writer: Writer) -> Iterator[Problem]:
    """Pictures with the same pixels, each against the first, or against one of another split."""
    firsts: dict[tuple[str, ...], Seen] = {}  # of each set of splits: few, however many copies there are
    for each in alike:
        before = tuple(firsts.values())
        firsts.setdefault(each.splits, each)
        if not before:
            continue
        leaks = [(other, pair) for other in before if (pair := _exclusive_pair(other.splits, each.splits))]
        other, pair = leaks[0] if leaks else (before[0], None)
        if pair is not None:
            text = (
                f"{_shown(each)} (split '{pair[1]}'): shows the same as {_shown(other)} (split '{pair[0]}')."
            )
            yield writer.picture("leak", each, text)
        elif each.scanned.picture == other.scanned.picture:
            yield writer.picture("listed-twice", each, f"{_shown(each)}: is listed twice.")
        else:
            text = f"{_shown(each)}: shows the same as {_shown(other)}{_where(each)}."
            yield writer.picture("duplicate-picture", each, text)


def _exclusive_pair(one: Sequence[str], other: Sequence[str]) -> tuple[str, str] | None:
    """Two splits that must have nothing in common, the narrowest names first."""
    pairs = [(a, b) for a in one for b in other if exclusive(a, b)]
    return min(pairs, key=lambda pair: (len(pair[0]) + len(pair[1]), pair)) if pairs else None


def _where(each: Seen) -> str:
    """The split of a copy, where it has one."""
    return f", in split '{min(each.splits, key=len)}'" if each.splits else ""


def _shown(each: Seen) -> str:
    """The picture's file as a sentence shows it."""
    path = each.scanned.picture
    return shown_name(path.name if path is not None else each.scanned.name)
