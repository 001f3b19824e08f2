"""Names and numbers of classes: variants, misspellings, and classes that can hardly be learned."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterator, Sequence

from ssd.checks.reading import Material, Seen
from ssd.checks.records import ClassBalance, Problem
from ssd.checks.rules import FEW_OBJECTS
from ssd.checks.sentences import Writer
from ssd.data.images import shown_name
from ssd.data.text_lists import VOC_CLASSES

__all__ = ["class_balance", "class_problems"]

_NEAR = 0.8  # difflib's likeness from which a suggestion is made
_RARE = 5  # a misspelling occurs at most once for so many of the right name
_MEASURED = ("train", "val", "test", "trainval")


def class_balance(seen: Sequence[Seen], classes: tuple[str, ...]) -> tuple[ClassBalance, ...]:
    """How often each class occurs.

    Args:
        seen: all pictures; those with a fault as a whole do not count.
        classes: in label order.

    Returns:
        One record for each class.
    """
    objects, difficult, crowd, pictures = (Counter[str]() for _ in range(4))
    by_split: dict[str, Counter[str]] = {name: Counter() for name in classes}
    for each in seen:
        found = each.annotation.objects if each.annotation is not None else ()
        names = Counter(o.name for o in found)
        objects += names
        difficult += Counter(o.name for o in found if o.difficult)
        crowd += Counter(o.name for o in found if o.crowd)
        pictures += Counter(names.keys())
        for name, count in names.items():
            by_split.setdefault(name, Counter()).update(dict.fromkeys(each.splits, count))
    return tuple(
        ClassBalance(n, objects[n], difficult[n], crowd[n], pictures[n], dict(by_split[n])) for n in classes
    )


def class_problems(
    material: Material, balance: Sequence[ClassBalance], writer: Writer, *, known: tuple[str, ...] | None
) -> Iterator[Problem]:
    """Everything about classes.

    Args:
        material: the data set.
        balance: of its classes.
        writer: of the data set.
        known: names that are right; None where nobody says.

    Yields:
        Problems of names, each at the objects that bear it; then of numbers.
    """
    counts = {each.name: each.num_objects for each in balance if each.num_objects}
    wrong = _wrong_names(counts, known)
    for each in material.seen:
        for one in each.annotation.objects if each.annotation is not None else ():
            if one.name in wrong:
                rule, text = wrong[one.name]
                yield writer.object(rule, each, one, text)
    yield from _numbers(material, [each for each in balance if each.name not in wrong], writer, known=known)
    if len(counts) == 1:
        name = next(iter(counts))
        yield writer.whole("one-class", f"{shown_name(name)} is the only class.")


def _wrong_names(counts: dict[str, int], known: tuple[str, ...] | None) -> dict[str, tuple[str, str]]:
    """Rule and sentence for each name that should be another."""
    if known is not None:
        return {name: ("unknown-class", _unknown(name, known)) for name in counts if name not in known}
    found = _variants(counts)
    left = {name: count for name, count in counts.items() if name not in found}
    for name in left:
        if (meant := _voc_meant(name, left)) is not None:
            found[name] = ("unknown-class", _unknown(name, (meant,)))
        elif (meant := _frequent_meant(name, left)) is not None:
            found[name] = ("misspelt-class", _beside(name, "is almost", meant, counts))
    return found


def _unknown(name: str, known: Sequence[str]) -> str:
    """A class that is not known, and what may be meant."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    folded = {_folded(each): each for each in known}
    meant = folded.get(_folded(name)) or (near[0] if near else None)
    hint = f"did you mean {shown_name(meant)}?" if meant else f"known are {shown_name(', '.join(known))}"
    return f"class '{shown_name(name)}' is not known; {hint}"


def _variants(counts: dict[str, int]) -> dict[str, tuple[str, str]]:
    """Names that differ only in case, spaces, dashes; the most frequent one is right."""
    groups: dict[str, list[str]] = {}
    for name in counts:
        groups.setdefault(_folded(name), []).append(name)
    found = {}
    for names in groups.values():
        right, *others = sorted(names, key=lambda name: (-counts[name], name))
        for name in others:
            found[name] = ("class-variant", _beside(name, "is also spelt", right, counts))
    return found


def _beside(name: str, words: str, other: str, counts: dict[str, int]) -> str:
    """Two names with their counts."""
    return f"class '{shown_name(name)}' ({counts[name]}) {words} '{shown_name(other)}' ({counts[other]})"


def _voc_meant(name: str, counts: dict[str, int]) -> str | None:
    """The VOC class that a name misspells, in a data set most of whose other classes are VOC's."""
    others = [each for each in counts if each != name]
    of_voc = sum(each in VOC_CLASSES for each in others)
    if name in VOC_CLASSES or not others or 2 * of_voc < len(others):
        return None
    near = difflib.get_close_matches(name, VOC_CLASSES, n=1, cutoff=_NEAR)
    return near[0] if near else None


def _frequent_meant(name: str, counts: dict[str, int]) -> str | None:
    """A much more frequent class with almost the same name; words and digits of their own are no slip."""
    for other in sorted(counts, key=lambda each: -counts[each]):
        frequent = other != name and counts[other] >= _RARE * counts[name]
        same_digits = re.findall(r"\d+", name) == re.findall(r"\d+", other)
        if frequent and same_digits and min(len(name), len(other)) >= 4 and _one_slip(name, other):
            return other
    return None


def _one_slip(one: str, other: str) -> bool:
    """One letter more, less or another, or two neighbours exchanged."""
    if one in VOC_CLASSES and other in VOC_CLASSES:
        return False
    short, long = sorted((_folded(one), _folded(other)), key=len)
    if len(short) == len(long):
        different = [k for k in range(len(short)) if short[k] != long[k]]
        swapped = len(different) == 2 and different[1] == different[0] + 1
        return len(different) == 1 or (swapped and sorted(short) == sorted(long))
    plural = long == short + "s"
    return (
        len(long) == len(short) + 1
        and not plural
        and any(long[:k] + long[k + 1 :] == short for k in range(len(long)))
    )


def _folded(name: str) -> str:
    """What is left of a name without case, spaces, dashes and underscores."""
    return re.sub(r"[\s_-]+", "", name.casefold())


def _numbers(
    material: Material, balance: Sequence[ClassBalance], writer: Writer, *, known: tuple[str, ...] | None
) -> Iterator[Problem]:
    """Classes without objects, with few, or with none in a split."""
    only_broken = {
        fault.category
        for each in material.seen
        for fault in (each.scanned.annotation.faults if each.scanned.annotation is not None else ())
        if fault.category and fault.rule != "class-name"
    } - set(material.classes)
    named = set(known or ()) | only_broken
    for name in sorted(named - {each.name for each in balance}):
        yield writer.whole("no-objects", f"class '{shown_name(name)}' has no object that can be used.")
    for each in balance:
        if each.num_objects == 0:
            if material.listed_classes or known is not None:
                yield writer.whole("no-objects", f"class '{shown_name(each.name)}' has no object.")
            continue
        if each.counted < FEW_OBJECTS and material.split == "all":
            text = f"class '{shown_name(each.name)}' has {each.counted} object(s) that count."
            yield writer.whole("few-objects", text)
        for split in material.by_split:
            if split in _MEASURED and split not in each.by_split:
                text = f"class '{shown_name(each.name)}' has no object in split '{split}'."
                yield writer.whole("split-without", text)
