"""What an annotation file says, before classes become numbers; the rules that every box passes.

A reader never stops at the first bad object. It yields an :class:`Annotation`: the objects that
can be used, and a :class:`Fault` for each that cannot, with its number in the file, the values as
written and the rule by its short name. Whoever wants to be strict looks at ``faults``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from ssd.config import BACKGROUND
from ssd.data.records import Target, make_target
from ssd.errors import BoxError

Edges = tuple[float, float, float, float]
MIN_SIDE_PX = 1.0
MAX_OUTSIDE_PX = 1.0  # a box that reaches this far over the border is clipped and counted
_ROUNDING_PX = 1e-6  # a side of one pixel between decimals may come out a hair short
SIDE_NAMES = ("x1", "y1", "x2", "y2")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that breaks a rule.

    Attributes:
        rule: its short name, the same whichever file it comes from: ``not-finite``, ``inverted``,
            ``no-area``, ``too-small``, ``outside``, ``no-number``, ``no-box``, ``class-name``,
            ``flag``, ``category``, ``image``, ``double-id`` of an object; ``no-picture``,
            ``no-annotation``, ``file-name``, ``unreadable``, ``xml``, ``json``, ``row`` … of a file.
        text: what must hold and what was found, without file and object.
        number: of the object in its file, from 1; None: the file as a whole.
        who: what tells the object from its neighbours: its class, or COCO's annotation id.
        values: the numbers of the box as written, where there are four; they need not be finite.
        category: its class as written; empty where there is none.
    """

    rule: str
    text: str
    number: int | None = None
    who: str = ""
    values: tuple[float, ...] = ()
    category: str = ""

    @property
    def sentence(self) -> str:
        """What people read, after the file's name."""
        if self.number is None:
            return self.text
        return f"object {self.number}: {self.text}" + (f" ({self.who})" if self.who else "")


@dataclass(frozen=True, slots=True)
class AnnotatedObject:
    """One object as its file gives it.

    Attributes:
        name: class name.
        box_px: xyxy pixels, continuous edges, inside the picture.
        difficult: VOC's flag; COCO's ``ignore``.
        crowd: COCO's flag.
        truncated: VOC's flag: a part of it lies outside the picture.
        occluded: VOC's flag: a part of it is hidden.
        number: of the object in its file, from 1; 0 where it comes from no file.
        clipped: its box reached up to a pixel outside.
    """

    name: str
    box_px: Edges
    difficult: bool = False
    crowd: bool = False
    truncated: bool = False
    occluded: bool = False
    number: int = 0
    clipped: bool = False


@dataclass(frozen=True, slots=True)
class Annotation:
    """The objects of one picture, and what was wrong with the others.

    Attributes:
        width: of the picture as the file says, in pixels; 0 where it says nothing.
        height: likewise.
        objects: those that passed every rule.
        faults: one for each object that did not.
    """

    width: int
    height: int
    objects: tuple[AnnotatedObject, ...]
    faults: tuple[Fault, ...] = ()

    @property
    def content(self) -> tuple[object, ...]:
        """What two files say alike, whatever number an object has in each."""
        objects = tuple(
            (o.name, o.box_px, o.difficult, o.crowd, o.truncated, o.occluded) for o in self.objects
        )
        return self.width, self.height, objects, tuple(fault.values for fault in self.faults)

    @property
    def problems(self) -> tuple[str, ...]:
        """A sentence for each fault."""
        return tuple(fault.sentence for fault in self.faults)

    @property
    def clipped(self) -> int:
        """How many boxes reached up to a pixel outside and were clipped."""
        return sum(each.clipped for each in self.objects)


@dataclass(frozen=True, slots=True)
class CheckedBox:
    """A box that passed: its edges inside the picture, and whether it was clipped to them."""

    box_px: Edges
    clipped: bool


def check_box(
    edges: Sequence[float],
    *,
    width: int,
    height: int,
    one_based: bool = False,
    continuous: Edges | None = None,
) -> CheckedBox:
    """Judge a box on the numbers as written, then give continuous edges inside the picture.

    Args:
        edges: x1, y1, x2, y2 in pixels.
        width: of the picture; 0 where it is not known, then nothing lies outside.
        height: likewise.
        one_based: corners are VOC's, counted from 1 and inclusive: 1 is subtracted
            from x1 and y1 *after* the numbers were judged, so that equal corners are
            a box without area and not one of a pixel.
        continuous: the edges, where the reader has worked them out more exactly than
            a subtraction of floats.

    Returns:
        The box; ``clipped`` where it reached up to ``MAX_OUTSIDE_PX`` outside.

    Raises:
        BoxError: a number is not finite, the box is inverted, has no area, is smaller
            than a pixel, or lies outside. The message starts with the rule broken, and
            the error's ``rule`` is its short name.

    Example:
        >>> check_box((48, 240, 195, 371), width=353, height=500, one_based=True).box_px
        (47.0, 239.0, 195.0, 371.0)
    """
    x1, y1, x2, y2 = (float(edge) for edge in edges)
    shown = f"[{x1:g}, {y1:g}, {x2:g}, {y2:g}]"
    for side, value in zip(SIDE_NAMES, (x1, y1, x2, y2), strict=True):
        if not math.isfinite(value):
            words = "NaN" if math.isnan(value) else "infinite"
            raise BoxError(f"{side} is {words} in {shown}", rule="not-finite")
    if x2 < x1 or y2 < y1:
        raise BoxError(
            f"a box must have its right and bottom edges after its left and top ones, got {shown}",
            rule="inverted",
        )
    if x2 == x1 or y2 == y1:
        raise BoxError(f"a box must have an area, got {shown}", rule="no-area")
    if min(x2 - x1, y2 - y1) < MIN_SIDE_PX - _ROUNDING_PX:
        raise BoxError(
            f"a box must be at least {MIN_SIDE_PX:g} px wide and high, got {shown}", rule="too-small"
        )
    shift = 1.0 if one_based else 0.0
    return _clip(continuous or (x1 - shift, y1 - shift, x2, y2), shown=shown, width=width, height=height)


def annotation_to_target(
    annotation: Annotation, *, classes: tuple[str, ...], width: int, height: int
) -> Target:
    """Boxes in [0, 1] and labels 1..C.

    Args:
        annotation: the objects.
        classes: class names in label order. An object of another class is kept with
            label ``BACKGROUND`` and ``ignore`` set; crowd objects are ignored too.
        width: of the picture in pixels.
        height: likewise.

    Returns:
        One row for each object of the annotation.

    Example:
        >>> cat = AnnotatedObject("cat", (10.0, 0.0, 20.0, 25.0))
        >>> annotation_to_target(Annotation(40, 50, (cat,)), classes=("cat",), width=40, height=50).boxes
        tensor([[0.2500, 0.0000, 0.5000, 0.5000]])
    """
    numbers = {name: index + 1 for index, name in enumerate(classes)}
    labels = [numbers.get(each.name, BACKGROUND) for each in annotation.objects]
    edges = torch.tensor([each.box_px for each in annotation.objects], dtype=torch.float64).reshape(-1, 4)
    boxes = (edges / torch.tensor([width, height, width, height], dtype=torch.float64)).to(torch.float32)
    return make_target(
        boxes,
        torch.tensor(labels, dtype=torch.int64),
        difficult=torch.tensor([each.difficult for each in annotation.objects], dtype=torch.bool),
        ignore=torch.tensor(
            [
                each.crowd or label == BACKGROUND
                for each, label in zip(annotation.objects, labels, strict=True)
            ],
            dtype=torch.bool,
        ),
    )


def _clip(box_px: Edges, *, shown: str, width: int, height: int) -> CheckedBox:
    """Edges moved onto the border where they are at most a pixel over it."""
    right, bottom = (float(width), float(height)) if width and height else (math.inf, math.inf)
    x1, y1, x2, y2 = box_px
    place = f"a box must lie inside the picture of {width} × {height} px, got {shown}"
    if x1 >= right or y1 >= bottom or x2 <= 0 or y2 <= 0:
        raise BoxError(f"{place}, wholly outside", rule="outside")
    outside = max(-x1, -y1, x2 - right, y2 - bottom)
    if outside > MAX_OUTSIDE_PX:
        raise BoxError(f"{place}, {outside:g} px outside", rule="outside")
    inside = (max(x1, 0.0), max(y1, 0.0), min(x2, right), min(y2, bottom))
    return CheckedBox(inside, clipped=outside > _ROUNDING_PX)  # a sum of decimals is no clipping
