"""The record that every reader makes and every consumer takes: a picture and its objects."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64, UInt8
from torch import Tensor

from ssd.errors import BoxError, DataError


@dataclass(frozen=True)
class Target:
    """The objects of one picture.

    Attributes:
        boxes: xyxy in [0, 1], continuous edges.
        labels: class of each object, 1..C in the data set's order. An object of a class
            that is left out carries ``BACKGROUND`` and is ignored.
        difficult: marked as difficult by the annotator (VOC), never a reason to drop it here.
        ignore: neither object nor background: crowd boxes and classes that are left out.
    """

    boxes: Float[Tensor, "g 4"]
    labels: Int64[Tensor, "g"]
    difficult: Bool[Tensor, "g"]
    ignore: Bool[Tensor, "g"]

    @staticmethod
    def empty() -> Target:
        """A picture without objects."""
        return make_target(torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64))

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Sample:
    """A picture, its objects, and what to call it.

    Attributes:
        picture: RGB, 0..255.
        target: the objects; their boxes are in units of this picture.
        name: file stem or scene name, for messages and lists.
    """

    picture: UInt8[Tensor, "3 h w"]
    target: Target
    name: str


def make_target(
    boxes: Float[Tensor, "g 4"],
    labels: Int64[Tensor, "g"],
    *,
    difficult: Bool[Tensor, "g"] | None = None,
    ignore: Bool[Tensor, "g"] | None = None,
) -> Target:
    """A target whose missing flags are all false.

    Args:
        boxes: xyxy in [0, 1].
        labels: 1..C.
        difficult: flags, or None for none.
        ignore: flags, or None for none.

    Returns:
        The record, not validated.

    Example:
        >>> make_target(torch.tensor([[0.1, 0.2, 0.5, 0.9]]), torch.tensor([3])).difficult
        tensor([False])
    """
    no = torch.zeros(len(labels), dtype=torch.bool)
    return Target(
        boxes, labels, no if difficult is None else difficult, no.clone() if ignore is None else ignore
    )


def validate_target(target: Target, *, name: str, num_classes: int | None = None) -> None:
    """Raise unless every object is one that the rest of the package can work with.

    Args:
        target: the objects.
        name: whose objects they are, for the message.
        num_classes: highest label allowed, without background; None allows any.

    Raises:
        DataError: fields differ in length or type, or a label is outside 1..C (ignored
            objects may carry 0).
        BoxError: a coordinate is not finite or outside [0, 1], or a box has no area.

    Example:
        >>> validate_target(Target.empty(), name="nothing")
    """
    _validate_form(target, name)
    _validate_boxes(target.boxes, name)
    lowest = torch.where(target.ignore, 0, 1)
    highest = torch.iinfo(torch.int64).max if num_classes is None else num_classes
    wrong = ((target.labels < lowest) | (target.labels > highest)).nonzero().flatten().tolist()
    if wrong:
        found = int(target.labels[wrong[0]])
        limit = "1 or more" if num_classes is None else f"1..{num_classes}"
        raise DataError(
            f"{name}, object {wrong[0] + 1}: a label must be {limit}, got {found}; "
            "check the order of the class names."
        )


def _validate_form(target: Target, name: str) -> None:
    """Lengths and types agree."""
    count = len(target.labels)
    shapes = [tuple(t.shape) for t in (target.boxes, target.labels, target.difficult, target.ignore)]
    if shapes != [(count, 4), (count,), (count,), (count,)]:
        raise DataError(
            f"{name}: boxes must be (g, 4) and labels, difficult and ignore (g,), got {shapes}; "
            "give one row an object."
        )
    kinds = (target.boxes.dtype, target.labels.dtype, target.difficult.dtype, target.ignore.dtype)
    if kinds != (torch.float32, torch.int64, torch.bool, torch.bool):
        raise DataError(
            f"{name}: boxes must be float32, labels int64 and flags bool, got "
            f"{', '.join(str(kind).removeprefix('torch.') for kind in kinds)}; convert them."
        )


def _validate_boxes(boxes: Float[Tensor, "g 4"], name: str) -> None:
    """Finite, ordered, with area, inside the picture."""
    ordered = (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
    inside = ((boxes >= 0) & (boxes <= 1)).all(dim=1)
    good = ordered & inside & boxes.isfinite().all(dim=1)
    if not good.all():
        index = int((~good).nonzero()[0])
        values = ", ".join(f"{value:g}" for value in boxes[index].tolist())
        raise BoxError(
            f"{name}, object {index + 1}: a box must be finite, ordered (x1 < x2, y1 < y2) and inside "
            f"[0, 1], got [{values}]; correct the annotation or divide by the picture's size."
        )
