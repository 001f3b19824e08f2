"""Boxes: conversions, area, jaccard, clipping, and the one border between units.

Inside the project a box is xyxy in [0, 1] of the picture, float32, with
continuous edges: a box from 0 to 1 is as wide as the picture.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ssd.errors import BoxError

__all__ = [
    "area",
    "clip",
    "cxcywh_to_xyxy",
    "from_pixels",
    "jaccard",
    "paired_jaccard",
    "to_pixels",
    "validate_boxes",
    "xyxy_to_cxcywh",
]


def xyxy_to_cxcywh(boxes: Float[Tensor, "*n 4"]) -> Float[Tensor, "*n 4"]:
    """Corners to centre and size.

    Args:
        boxes: xyxy boxes in any unit.

    Returns:
        Centre x, centre y, width, height in the same unit and order.

    Example:
        >>> xyxy_to_cxcywh(torch.tensor([[10.0, 20.0, 30.0, 80.0]]))
        tensor([[20., 50., 20., 60.]])
    """
    low, high = boxes[..., :2], boxes[..., 2:]
    return torch.cat([(low + high) / 2, high - low], dim=-1)


def cxcywh_to_xyxy(boxes: Float[Tensor, "*n 4"]) -> Float[Tensor, "*n 4"]:
    """Centre and size to corners.

    Args:
        boxes: centre x, centre y, width, height in any unit.

    Returns:
        xyxy boxes in the same unit and order.

    Example:
        >>> cxcywh_to_xyxy(torch.tensor([[20.0, 50.0, 20.0, 60.0]]))
        tensor([[10., 20., 30., 80.]])
    """
    centre, half = boxes[..., :2], boxes[..., 2:] / 2
    return torch.cat([centre - half, centre + half], dim=-1)


def area(boxes: Float[Tensor, "*n 4"]) -> Float[Tensor, "*n"]:
    """Width times height of every box.

    Args:
        boxes: xyxy boxes in any unit.

    Returns:
        Areas in that unit squared; 0 for a box without extent.

    Example:
        >>> area(torch.tensor([[0.0, 0.0, 2.0, 3.0], [1.0, 1.0, 1.0, 5.0]]))
        tensor([6., 0.])
    """
    return (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])


def validate_boxes(boxes: Float[Tensor, "n 4"], *, name: str = "boxes") -> None:
    """Raise unless every box is finite and ordered.

    Args:
        boxes: xyxy boxes in any unit.
        name: what the message calls the argument.

    Raises:
        BoxError: a coordinate is NaN or infinite, or a right (bottom) edge lies
            left of (above) its opposite edge.

    Example:
        >>> validate_boxes(torch.tensor([[0.0, 0.0, 1.0, 1.0]]))
    """
    finite = torch.isfinite(boxes).all(dim=-1)
    if not bool(finite.all()):
        _complain(boxes, ~finite, name, "must hold finite numbers")
    inverted = (boxes[:, 2:] < boxes[:, :2]).any(dim=-1)
    if bool(inverted.any()):
        _complain(boxes, inverted, name, "must have x1 <= x2 and y1 <= y2")


def _complain(boxes: Float[Tensor, "n 4"], bad: Bool[Tensor, "n"], name: str, rule: str) -> None:
    """Name the first bad box, its values and the rule."""
    index = int(bad.nonzero()[0, 0])
    values = ", ".join(f"{value:g}" for value in boxes[index].tolist())
    raise BoxError(f"{name}[{index}] {rule}, got ({values}); swap or correct the corners.")


def jaccard(a: Float[Tensor, "m 4"], b: Float[Tensor, "n 4"]) -> Float[Tensor, "m n"]:
    """Jaccard overlap (IoU) of every box in ``a`` with every box in ``b``.

    Coordinates are continuous edges (no "+1" pixel), in one unit for both
    arguments; the value does not depend on which unit. Computed in float32 also
    under autocast: a bfloat16 jaccard is off by up to 0.12.

    Args:
        a: xyxy boxes.
        b: xyxy boxes, in the unit of ``a``.

    Returns:
        Overlaps in [0, 1]; ``[i, j]`` belongs to ``a[i]`` and ``b[j]``. Two boxes
        without area overlap by 0, never NaN. With no boxes on a side the result
        is empty on that side.

    Raises:
        BoxError: a box is not finite, or has its right edge left of its left
            edge, or its bottom above its top.

    Source:
        Liu et al., SSD, ECCV 2016, section 2.2 ("best jaccard overlap").

    Example:
        >>> jaccard(torch.tensor([[0.0, 0.0, 2.0, 2.0]]), torch.tensor([[1.0, 0.0, 3.0, 2.0]]))
        tensor([[0.3333]])
    """
    validate_boxes(a, name="a")
    validate_boxes(b, name="b")
    return _overlap(_at_least_float32(a)[:, None, :], _at_least_float32(b)[None, :, :])  # (m, n)


def paired_jaccard(a: Float[Tensor, "n 4"], b: Float[Tensor, "n 4"]) -> Float[Tensor, "n"]:
    """Jaccard overlap of ``a[i]`` with ``b[i]``.

    Args:
        a: xyxy boxes.
        b: xyxy boxes, in the unit of ``a``, one for each box of ``a``.

    Returns:
        One overlap in [0, 1] for each pair; 0 for two boxes without area.

    Example:
        >>> paired_jaccard(torch.tensor([[0.0, 0.0, 2.0, 2.0]]), torch.tensor([[0.0, 0.0, 2.0, 1.0]]))
        tensor([0.5000])
    """
    return _overlap(_at_least_float32(a), _at_least_float32(b))


def _at_least_float32(boxes: Tensor) -> Tensor:
    """Half precision is widened; float64 stays."""
    return boxes if boxes.dtype == torch.float64 else boxes.to(torch.float32)


def _overlap(a: Tensor, b: Tensor) -> Tensor:
    """Intersection over union of broadcastable boxes; the order of operations is torchvision's.

    Where the browser repeats this sum it rounds to float32 after each step, in this order.
    """
    x1, y1 = torch.maximum(a[..., 0], b[..., 0]), torch.maximum(a[..., 1], b[..., 1])
    x2, y2 = torch.minimum(a[..., 2], b[..., 2]), torch.minimum(a[..., 3], b[..., 3])
    intersection = (x2 - x1).clamp(min=0) * (y2 - y1).clamp(min=0)
    union = area(a) + area(b) - intersection
    return torch.where(union > 0, intersection / union.clamp(min=torch.finfo(union.dtype).tiny), 0.0)


def clip(boxes: Float[Tensor, "*n 4"]) -> Float[Tensor, "*n 4"]:
    """Cut boxes at the border of the picture.

    Args:
        boxes: xyxy boxes in [0, 1] units; parts outside are cut off.

    Returns:
        New boxes; one that lay outside has no area and stays on the border.

    Example:
        >>> clip(torch.tensor([[-0.5, 0.25, 0.5, 1.5]]))
        tensor([[0.0000, 0.2500, 0.5000, 1.0000]])
    """
    return boxes.clamp(min=0.0, max=1.0)


def to_pixels(boxes: Float[Tensor, "*n 4"], *, width_px: float, height_px: float) -> Float[Tensor, "*n 4"]:
    """The border out: [0, 1] units to pixels of a picture.

    Args:
        boxes: xyxy or cxcywh boxes in [0, 1] units.
        width_px: width of the picture.
        height_px: height of the picture.

    Returns:
        The same boxes in pixels, continuous edges.

    Example:
        >>> to_pixels(torch.tensor([[0.0, 0.5, 1.0, 1.0]]), width_px=640, height_px=480)
        tensor([[  0., 240., 640., 480.]])
    """
    return boxes * _scale(boxes, width_px, height_px)


def from_pixels(boxes: Float[Tensor, "*n 4"], *, width_px: float, height_px: float) -> Float[Tensor, "*n 4"]:
    """The border in: pixels of a picture to [0, 1] units.

    Args:
        boxes: xyxy or cxcywh boxes in pixels, continuous edges.
        width_px: width of the picture.
        height_px: height of the picture.

    Returns:
        The same boxes in [0, 1] units.

    Example:
        >>> from_pixels(torch.tensor([[0.0, 240.0, 640.0, 480.0]]), width_px=640, height_px=480)
        tensor([[0.0000, 0.5000, 1.0000, 1.0000]])
    """
    return boxes / _scale(boxes, width_px, height_px)


def _scale(boxes: Tensor, width_px: float, height_px: float) -> Tensor:
    """(width, height, width, height) beside the boxes; both must be positive."""
    if not (width_px > 0 and height_px > 0):
        raise BoxError(f"A picture must have a positive size, got {width_px:g} × {height_px:g} pixels.")
    return boxes.new_tensor([width_px, height_px, width_px, height_px])
