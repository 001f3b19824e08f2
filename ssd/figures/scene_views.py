"""Picture and objects as the canvas takes them."""

from __future__ import annotations

from collections.abc import Sequence

from ssd.data.records import Target
from ssd.figures.canvas import CanvasObject

__all__ = ["LEFT_OUT", "canvas_objects"]

LEFT_OUT = "left out"  # what an object of a class that is left out is called


def canvas_objects(
    target: Target, *, class_names: Sequence[str], known: Sequence[str] | None = None
) -> tuple[CanvasObject, ...]:
    """The objects of a picture, in their order.

    Args:
        target: of the picture.
        class_names: of labels 1..C.
        known: classes that count, where not all do: objects of others are ignored, as
            difficult and crowd objects are.

    Returns:
        One record an object.

    Example:
        >>> import torch
        >>> from ssd.data.records import make_target
        >>> two = make_target(torch.tensor([[0.0, 0.0, 0.5, 0.5]] * 2), torch.tensor([1, 2]))
        >>> [each.ignored for each in canvas_objects(two, class_names=("dog", "cat"), known=("dog",))]
        [False, True]
    """
    uncounted = (target.difficult | target.ignore).tolist()
    objects = []
    for box, label, ignored in zip(target.boxes.tolist(), target.labels.tolist(), uncounted, strict=True):
        name = class_names[label - 1] if label else LEFT_OUT
        objects.append(CanvasObject(tuple(box), name, ignored or (known is not None and name not in known)))
    return tuple(objects)
