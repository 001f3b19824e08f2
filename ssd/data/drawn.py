"""Objects that a visitor drew, and the short text that carries them in a link."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from ssd.data.records import Target, make_target
from ssd.errors import DataError
from ssd.limits import MAX_DRAWN_OBJECTS

__all__ = [
    "DrawnObject",
    "MatchableObjects",
    "drawn_to_target",
    "drawn_to_text",
    "split_target",
    "target_to_drawn",
    "text_to_drawn",
    "with_drawn",
]

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"  # RFC 4648, base64url
_STEPS = 64**3 - 1  # three letters a coordinate: finer than a hundredth of a pixel
_LENGTH = 2 + 4 * 3  # letters of one object: its class and four coordinates
_NONE = "none"  # the visitor deleted every object; an empty value would look like a missing one


@dataclass(frozen=True)
class DrawnObject:
    """One object as plain numbers.

    Attributes:
        label: class 1..C.
        box: x1, y1, x2, y2 in [0, 1] units.
    """

    label: int
    box: tuple[float, float, float, float]


def drawn_to_text(objects: Iterable[DrawnObject]) -> str:
    """The objects as text for a link: fourteen letters each.

    Args:
        objects: at most ``limits.MAX_DRAWN_OBJECTS``; coordinates outside the picture are cut.

    Returns:
        Letters, digits, ``-`` and ``_``; ``none`` for no object.

    Raises:
        DataError: too many objects, a label outside 1–4095, or a coordinate that is not finite.

    Example:
        >>> drawn_to_text([DrawnObject(1, (0.0, 0.0, 0.5, 1.0))])
        'ABAAAAAAgAA___'
    """
    objects = list(objects)
    if len(objects) > MAX_DRAWN_OBJECTS:
        raise DataError(
            f"A link carries at most {MAX_DRAWN_OBJECTS} objects, got {len(objects)}; delete some."
        )
    return "".join(_object_to_text(item) for item in objects) or _NONE


def _object_to_text(item: DrawnObject) -> str:
    """Two letters for the class, three for each coordinate."""
    if not 1 <= item.label < 64**2 or not all(math.isfinite(value) for value in item.box):
        raise DataError(
            f"An object needs a class of 1–4095 and finite corners, got {item.label}, {item.box}; redraw it."
        )
    steps = [round(min(max(value, 0.0), 1.0) * _STEPS) for value in item.box]
    return _letters(item.label, 2) + "".join(_letters(step, 3) for step in steps)


def _letters(number: int, count: int) -> str:
    """The number in base 64, first digit first."""
    return "".join(_ALPHABET[number >> (6 * k) & 63] for k in reversed(range(count)))


def text_to_drawn(text: str, *, num_classes: int) -> tuple[DrawnObject, ...]:
    """The objects of a link: the inverse of :func:`drawn_to_text`.

    Args:
        text: what a link carries; anybody may have written it.
        num_classes: highest label allowed.

    Returns:
        The objects, on the grid of the text, so that reading and writing again changes nothing.

    Raises:
        DataError: the text was cut or made up, holds too many objects, an unknown class or a
            box without area.

    Example:
        >>> text_to_drawn("ABAAAAAA____gAA", num_classes=1)
        Traceback (most recent call last):
        ssd.errors.DataError: Objects in a link must be 14 letters each, got 15; copy the whole link.
    """
    if text == _NONE:
        return ()
    if len(text) % _LENGTH or not re.fullmatch(r"[A-Za-z0-9_-]+", text):
        raise DataError(
            f"Objects in a link must be {_LENGTH} letters each, got {len(text)}; copy the whole link."
        )
    if len(text) > _LENGTH * MAX_DRAWN_OBJECTS:
        raise DataError(
            f"A link carries at most {MAX_DRAWN_OBJECTS} objects, got {len(text) // _LENGTH}; copy it again."
        )
    pieces = [text[start : start + _LENGTH] for start in range(0, len(text), _LENGTH)]
    return tuple(_text_to_object(piece, num_classes) for piece in pieces)


def _text_to_object(piece: str, num_classes: int) -> DrawnObject:
    """One object, checked."""
    label = _number(piece[:2])
    x1, y1, x2, y2 = (_number(piece[start : start + 3]) / _STEPS for start in range(2, _LENGTH, 3))
    if not 1 <= label <= num_classes:
        raise DataError(
            f"An object's class must be 1–{num_classes}, got {label}; the link is for other classes."
        )
    if not (x1 < x2 and y1 < y2):
        raise DataError(f"An object's box must have an area, got ({x1:.3f}, {y1:.3f}, {x2:.3f}, {y2:.3f}).")
    return DrawnObject(label, (x1, y1, x2, y2))


def _number(letters: str) -> int:
    """A number from its base-64 digits."""
    total = 0
    for letter in letters:
        total = total * 64 + _ALPHABET.index(letter)
    return total


def drawn_to_target(objects: Iterable[DrawnObject]) -> Target:
    """Drawn objects as the record that everything else takes.

    Args:
        objects: none to many.

    Returns:
        The target; nothing in it is difficult or ignored.

    Example:
        >>> drawn_to_target([DrawnObject(2, (0.0, 0.25, 0.5, 1.0))]).boxes
        tensor([[0.0000, 0.2500, 0.5000, 1.0000]])
    """
    objects = list(objects)
    boxes = torch.tensor([item.box for item in objects], dtype=torch.float32).reshape(-1, 4)
    return make_target(boxes, torch.tensor([item.label for item in objects], dtype=torch.int64))


@dataclass(frozen=True)
class MatchableObjects:
    """A target, split as matching wants it.

    Attributes:
        boxes: of the objects that are matched.
        labels: their classes, 1..C.
        ignored_boxes: difficult ones, crowds and classes that are left out; anchors close
            to these are ignored.
    """

    boxes: Float[Tensor, "g 4"]
    labels: Int64[Tensor, "g"]
    ignored_boxes: Float[Tensor, "i 4"]


def split_target(target: Target) -> MatchableObjects:
    """Which objects are matched, and which are ignored.

    Args:
        target: a picture's objects.

    Returns:
        Both kinds, each in its order.

    Example:
        >>> split_target(drawn_to_target([DrawnObject(2, (0.0, 0.25, 0.5, 1.0))])).labels
        tensor([2])
    """
    keep = _matchable(target)
    return MatchableObjects(target.boxes[keep], target.labels[keep], target.boxes[~keep])


def _matchable(target: Target) -> Tensor:
    """True for objects that take part in matching."""
    return ~(target.difficult | target.ignore)


def target_to_drawn(target: Target) -> tuple[DrawnObject, ...]:
    """The objects that take part in matching as plain numbers.

    Args:
        target: a picture's objects.

    Returns:
        One record an object, in order.

    Example:
        >>> target_to_drawn(drawn_to_target([DrawnObject(2, (0.0, 0.25, 0.5, 1.0))]))
        (DrawnObject(label=2, box=(0.0, 0.25, 0.5, 1.0)),)
    """
    keep = _matchable(target)
    rows = zip(target.boxes[keep].tolist(), target.labels[keep].tolist(), strict=True)
    return tuple(DrawnObject(label, (x1, y1, x2, y2)) for (x1, y1, x2, y2), label in rows)


def with_drawn(target: Target, objects: Iterable[DrawnObject]) -> Target:
    """Other objects in the place of those that take part in matching.

    Args:
        target: a picture's objects.
        objects: as the visitor left them.

    Returns:
        The drawn objects, then the target's ignored ones as they were.

    Example:
        >>> len(with_drawn(drawn_to_target([DrawnObject(2, (0.0, 0.25, 0.5, 1.0))]), []))
        0
    """
    drawn, rest = drawn_to_target(objects), ~_matchable(target)
    return Target(
        boxes=torch.cat([drawn.boxes, target.boxes[rest]]),
        labels=torch.cat([drawn.labels, target.labels[rest]]),
        difficult=torch.cat([drawn.difficult, target.difficult[rest]]),
        ignore=torch.cat([drawn.ignore, target.ignore[rest]]),
    )
