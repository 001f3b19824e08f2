"""From a fault of the readers, or from a finding of our own, to a problem with file and remedy."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from ssd.checks.reading import Seen, relative
from ssd.checks.records import Problem
from ssd.checks.rules import rule_of
from ssd.data.annotations import AnnotatedObject, Edges, Fault
from ssd.data.images import shown_name
from ssd.data.scanned import Kind

__all__ = ["Writer", "fault_box"]

_ONE_BASED: tuple[Kind, ...] = ("voc", "flat", "text")


@dataclass(frozen=True)
class Writer:
    """Writes problems of one data set.

    Attributes:
        root: its folder.
        kind: its layout.
    """

    root: Path
    kind: Kind

    def fault(self, seen: Seen, fault: Fault) -> Problem:
        """What a reader found in an annotation.

        Args:
            seen: the picture.
            fault: of it, or of one of its objects.

        Returns:
            The problem; where there are four numbers, with the box to mark.
        """
        scanned = seen.scanned
        place = scanned.place if fault.number is not None else ""
        return self._problem(
            fault.rule,
            f"{place}{fault.sentence}",
            seen,
            object_number=fault.number,
            values=fault.values if len(fault.values) == 4 else (),
            box_px=fault_box(fault, kind=self.kind),
        )

    def object(self, rule: str, seen: Seen, each: AnnotatedObject, text: str) -> Problem:
        """What is to be said about an object that passed the readers.

        Args:
            rule: short name.
            seen: its picture.
            each: the object.
            text: what was found.

        Returns:
            The problem.
        """
        sentence = f"{seen.scanned.place}object {each.number}: {text} ({shown_name(each.name)})"
        return self._problem(
            rule, sentence, seen, object_number=each.number, values=each.box_px, box_px=each.box_px
        )

    def picture(self, rule: str, seen: Seen, text: str) -> Problem:
        """What is to be said about a picture.

        Args:
            rule: short name.
            seen: the picture.
            text: the sentence.

        Returns:
            The problem; its file is the picture's.
        """
        file = seen.scanned.picture or seen.scanned.source
        return self._problem(rule, text, seen, file=file)

    def annotation(self, rule: str, seen: Seen, text: str) -> Problem:
        """What is to be said about an annotation as a whole.

        Args:
            rule: short name.
            seen: its picture.
            text: the sentence.

        Returns:
            The problem; its file is the annotation's.
        """
        return self._problem(rule, text, seen)

    def whole(self, rule: str, text: str, *, file: str = "") -> Problem:
        """What is to be said about the data set, or about a file that holds many pictures.

        Args:
            rule: short name.
            text: the sentence.
            file: seen from the data set's folder.

        Returns:
            The problem.
        """
        return Problem(rule, rule_of(rule).severity, text, rule_of(rule).remedy, file)

    def _problem(
        self,
        rule: str,
        sentence: str,
        seen: Seen,
        *,
        object_number: int | None = None,
        values: tuple[float, ...] = (),
        box_px: Edges | None = None,
        file: Path | None = None,
    ) -> Problem:
        """The record, its rule looked up."""
        about = file or seen.scanned.source or seen.scanned.picture
        return Problem(
            rule,
            rule_of(rule).severity,
            sentence,
            rule_of(rule).remedy,
            file="" if about is None else relative(self.root, about),
            object=object_number,
            values=values,
            picture=seen.scanned.name,
            path=seen.scanned.picture,
            box_px=box_px,
        )


def fault_box(fault: Fault, *, kind: Kind) -> Edges | None:
    """Where a broken box would lie, to be marked on its picture.

    Args:
        fault: of an object.
        kind: the layout says what its four numbers are.

    Returns:
        Ordered continuous edges in pixels; None where a number is missing or not finite.

    Example:
        >>> fault_box(Fault("inverted", "", 1, "", (9.0, 2.0, 5.0, 4.0)), kind="voc")
        (4.0, 1.0, 9.0, 4.0)
        >>> fault_box(Fault("outside", "", 1, "", (9.0, 2.0, 5.0, 4.0)), kind="coco")
        (9.0, 2.0, 14.0, 6.0)
    """
    if len(fault.values) != 4 or not all(math.isfinite(value) for value in fault.values):
        return None
    x1, y1, x2, y2 = fault.values
    if kind in ("coco", "lesson-json"):
        x2, y2 = x1 + x2, y1 + y2
    (x1, x2), (y1, y2) = sorted((x1, x2)), sorted((y1, y2))
    shift = 1.0 if kind in _ONE_BASED else 0.0
    return x1 - shift, y1 - shift, x2, y2
