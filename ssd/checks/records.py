"""What the data doctor says: one record for each problem, and what a page draws beside the list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from jaxtyping import Float, Int64
from torch import Tensor

from ssd.data.annotations import Edges
from ssd.data.scanned import Kind

__all__ = ["SEVERITIES", "ClassBalance", "DoctorReport", "Problem", "ProblemGroup", "Progress", "Severity"]

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
Progress = Callable[[int, int], None]  # pictures done, pictures in all


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, or worth knowing, and how to mend it.

    Attributes:
        rule: short name of the rule; ``RULES`` of :mod:`ssd.checks.rules` has them all.
        severity: ``error``: the object or picture is not used; ``warning``: it is used, and probably
            should not be as it is; ``note``: nothing to mend, but good to know.
        sentence: file, object, values and what must hold.
        remedy: how to mend it.
        file: to be mended, seen from the data set's folder; empty where it is the data set as a whole.
        object: number in its file, from 1; None where it is the picture, file or data set.
        values: the numbers of the box as written, where there are four; they need not be finite.
        picture: name (file stem) of the picture; empty where there is none.
        path: the picture's file; None where it is missing.
        box_px: xyxy pixels of what to mark on the picture, ordered; None where there is nothing to mark.
    """

    rule: str
    severity: Severity
    sentence: str
    remedy: str
    file: str = ""
    object: int | None = None
    values: tuple[float, ...] = ()
    picture: str = ""
    path: Path | None = None
    box_px: Edges | None = None


@dataclass(frozen=True)
class ProblemGroup:
    """All problems of one rule.

    Attributes:
        rule: short name.
        severity: of all of them.
        title: what must hold.
        remedy: how to mend them.
        problems: in the order of the files.
    """

    rule: str
    severity: Severity
    title: str
    remedy: str
    problems: tuple[Problem, ...]


@dataclass(frozen=True)
class ClassBalance:
    """How often a class occurs.

    Attributes:
        name: of the class.
        num_objects: objects that pass every rule, difficult ones and crowds among them.
        num_difficult: of them, flagged as difficult.
        num_crowd: of them, crowds.
        num_pictures: pictures that hold one.
        by_split: objects in each split; a picture may be in several (``train`` and ``trainval``).
    """

    name: str
    num_objects: int
    num_difficult: int
    num_crowd: int
    num_pictures: int
    by_split: Mapping[str, int]

    @property
    def counted(self) -> int:
        """Objects that are trained on and measured: neither difficult nor a crowd."""
        return self.num_objects - self.num_difficult - self.num_crowd


@dataclass(frozen=True, eq=False)
class DoctorReport:
    """Everything that was found in one pass.

    Attributes:
        name: of the folder or file that was checked.
        kind: its layout.
        split: which part was checked.
        size_px: training size; pictures are stretched to a square of this side.
        problems: errors first, then warnings, then notes; within them rule by rule.
        num_pictures: that annotations, splits or the folder name.
        num_objects: that pass every rule.
        num_read: pictures that were opened and are whole.
        num_empty: pictures with an annotation and no object; they are valid.
        classes: in label order.
        wh_px: width and height of each object at training size, picture after picture.
        labels: class of each object, 1..C.
        by_split: pictures in each split.
        passed_over: links out of the folder, pipes and the like, with their counts; empty for none.
    """

    name: str
    kind: Kind
    split: str
    size_px: int
    problems: tuple[Problem, ...]
    num_pictures: int
    num_objects: int
    num_read: int
    num_empty: int
    classes: tuple[ClassBalance, ...]
    wh_px: Float[Tensor, "n 2"]
    labels: Int64[Tensor, "n"]
    by_split: Mapping[str, int]
    passed_over: str = ""

    @property
    def counts(self) -> dict[str, int]:
        """Problems of each rule, in the order of the list."""
        return dict(Counter(problem.rule for problem in self.problems))

    @property
    def severities(self) -> dict[Severity, int]:
        """Errors, warnings and notes, also where there are none."""
        found = Counter(problem.severity for problem in self.problems)
        return {severity: found[severity] for severity in SEVERITIES}

    @property
    def is_clean(self) -> bool:
        """No error; warnings and notes do not count."""
        return self.severities["error"] == 0

    @property
    def without_area(self) -> int:
        """Boxes that have no area."""
        return self.counts.get("no-area", 0)
