"""The data doctor: everything that is wrong with a data set, in one pass, and nothing rewritten."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from ssd.checks.classes import class_balance, class_problems
from ssd.checks.copies import copy_problems
from ssd.checks.objects import picture_problems, side_px
from ssd.checks.pictures import check_pictures
from ssd.checks.reading import Material, Seen, read_material
from ssd.checks.records import SEVERITIES, DoctorReport, Problem, Progress
from ssd.checks.rules import RULES
from ssd.checks.sentences import Writer
from ssd.data.images import shown_name
from ssd.errors import ConfigError

__all__ = ["check_dataset"]


def check_dataset(
    path: str | Path,
    *,
    split: str = "all",
    size_px: int = 300,
    classes: tuple[str, ...] | None = None,
    progress: Progress | None = None,
) -> DoctorReport:
    """Read every annotation and open every picture of a data set, and say all that is wrong.

    Nothing is ever written. Links that leave the folder, pipes and devices are not opened.
    Pictures are opened one at a time, on two cores where there are many.

    Args:
        path: a folder of any layout, or one COCO JSON, CSV table or text list.
        split: ``all`` or the name of a part.
        size_px: training size; pictures are stretched to a square of this side.
        classes: names that are right; None judges the names by each other and by VOC's.
        progress: told after each picture how many are done, of how many. What it raises ends
            the check.

    Returns:
        All problems, with what a page draws beside them.

    Raises:
        ConfigError: the training size is not positive.
        DataError: there is no data set, or no such split.
    """
    if size_px < 1:
        raise ConfigError(
            f"a training size must be a whole number of pixels above 0, got {size_px}; raise it."
        )
    material = read_material(Path(path), split=split)
    facts = check_pictures(material.files(), progress=progress)
    seen = tuple(
        each.with_facts(None if each.scanned.picture is None else facts[each.scanned.picture])
        for each in material.seen
    )
    name = Path(path).resolve().name
    return _report(replace(material, seen=seen), name=name, size_px=size_px, known=classes)


def _report(material: Material, *, name: str, size_px: int, known: tuple[str, ...] | None) -> DoctorReport:
    """Judge what was read."""
    writer = Writer(material.root, material.kind)
    balance = class_balance(material.seen, material.classes)
    problems = [
        *_whole_problems(material, writer),
        *(p for each in material.seen for p in picture_problems(each, writer, size_px=size_px)),
        *copy_problems(material, writer),
        *class_problems(material, balance, writer, known=known),
        *_shares(material, sum(each.num_objects for each in balance), writer),
    ]
    wh_px, labels = _training_sizes(material, size_px=size_px)
    annotations = [each.annotation for each in material.seen if each.annotation is not None]
    return DoctorReport(
        name=name,
        kind=material.kind,
        split=material.split,
        size_px=size_px,
        problems=tuple(sorted(problems, key=_rank)),
        num_pictures=len(material.seen),
        num_objects=sum(len(each.objects) for each in annotations),
        num_read=sum(each.facts is not None and not each.facts.problem for each in material.seen),
        num_empty=sum(not each.objects and not each.faults for each in annotations),
        classes=balance,
        wh_px=wh_px,
        labels=labels,
        by_split=material.by_split,
        passed_over=material.passed_over,
    )


def _rank(problem: Problem) -> tuple[int, int, str, int]:
    """Errors first, then rule by rule, file by file."""
    rules = list(RULES)
    rule = rules.index(problem.rule) if problem.rule in RULES else len(rules)
    return SEVERITIES.index(problem.severity), rule, problem.file, problem.object or 0


def _whole_problems(material: Material, writer: Writer) -> Iterator[Problem]:
    """What belongs to no single picture that was read."""
    for file, fault in material.faults:
        text = fault.sentence if fault.number is None or not file else f"{file}: {fault.sentence}"
        yield replace(writer.whole(fault.rule, text, file=file), object=fault.number)
    there = {each.scanned.name for each in material.seen}
    gone = {name: split for split, names in material.lists.items() for name in names if name not in there}
    for name, split in gone.items():
        text = f"{shown_name(name)}: split '{split}' names it, and neither picture nor annotation is there."
        yield writer.whole("no-picture", text, file=f"ImageSets/Main/{split}.txt")
    if material.passed_over:
        yield writer.whole("passed-over", f"passed over: {material.passed_over}.")
    if material.kind in ("text", "lesson-csv"):
        yield from _bare_lists(material.seen, writer)


def _bare_lists(seen: Sequence[Seen], writer: Writer) -> Iterator[Problem]:
    """Lists of boxes without pictures, or without their sizes."""
    absent = [each for each in seen if each.scanned.picture is None]
    if absent:
        yield writer.whole("pictures-absent", f"{len(absent)} of {len(seen)} pictures are not here.")
    unknown = [a for each in absent if (a := each.scanned.annotation) is not None and not a.width]
    if unknown:
        objects = sum(len(each.objects) for each in unknown)
        yield writer.whole(
            "size-unknown", f"the size of {len(unknown)} picture(s) with {objects} object(s) is not known."
        )


def _shares(material: Material, num_objects: int, writer: Writer) -> Iterator[Problem]:
    """How many objects are difficult or crowds."""
    objects = [o for each in material.seen if each.annotation is not None for o in each.annotation.objects]
    for rule, count in (
        ("difficult", sum(o.difficult for o in objects)),
        ("crowd", sum(o.crowd for o in objects)),
    ):
        if count:
            yield writer.whole(
                rule, f"{count} of {num_objects} objects ({count / num_objects:.1%}) are {rule}."
            )


def _training_sizes(material: Material, *, size_px: int) -> tuple[Float[Tensor, "n 2"], Int64[Tensor, "n"]]:
    """Width, height and class of every object whose picture's size is known."""
    numbers = {name: label for label, name in enumerate(material.classes, start=1)}
    rows = [
        (
            side_px(o.box_px, width=annotation.width, height=annotation.height, size_px=size_px),
            numbers[o.name],
        )
        for each in material.seen
        if (annotation := each.annotation) is not None and annotation.width and annotation.height
        for o in annotation.objects
    ]
    sizes = torch.tensor([row[0] for row in rows], dtype=torch.float32).reshape(-1, 2)
    return sizes, torch.tensor([row[1] for row in rows], dtype=torch.int64)
