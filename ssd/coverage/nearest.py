"""The best jaccard of every shape of a grid with a box, without visiting every cell.

A shape's jaccard with a box falls as their centres move apart, along each axis for itself. So the
cell nearest to the box's centre is the best of its level: exact on the true grid, and the cost no
longer grows with the number of cells.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from ssd.config import AnchorLevel

__all__ = ["Nearest", "jaccards", "nearest_anchors"]


@dataclass(frozen=True)
class Nearest:
    """Of each box and each shape of the grid, the nearest anchor; shapes run level by level.

    Attributes:
        box_wh: width and height of each box.
        offset_wh: distance of the centres of box and nearest anchor.
        shape_wh: width and height of each shape.
        level: of each shape.
    """

    box_wh: Float[Tensor, "n 2"]
    offset_wh: Float[Tensor, "n s 2"]
    shape_wh: Float[Tensor, "s 2"]
    level: Int64[Tensor, "s"]

    @property
    def jaccard(self) -> Float[Tensor, "n s"]:
        """Of each box with the nearest anchor of each shape."""
        return jaccards(self.box_wh, self.shape_wh, self.offset_wh)


def nearest_anchors(boxes: Float[Tensor, "n 4"], levels: tuple[AnchorLevel, ...]) -> Nearest:
    """The anchor nearest to each box, for every shape of every level.

    Args:
        boxes: xyxy in [0, 1].
        levels: of a grid.

    Returns:
        Offsets and shapes, in float64 and units of the picture.

    Example:
        >>> from ssd.config import GridAnchors
        >>> nearest_anchors(torch.tensor([[0.0, 0.0, 0.5, 0.25]]), GridAnchors(grids=(2,)).levels()).offset_wh
        tensor([[[0.0000, 0.1250]]], dtype=torch.float64)
    """
    low, high = boxes[:, :2].double(), boxes[:, 2:].double()
    middle = (low + high) / 2  # (n, 2)
    offsets = []
    for level in levels:
        step, cells = (torch.tensor(pair, dtype=torch.float64) for pair in (level.step_wh, level.grid_wh))
        cell = (middle / step - level.first).round().clamp(min=0).minimum(cells - 1)
        offset = (middle - (cell + level.first) * step).abs()
        offsets.append(offset[:, None].expand(-1, len(level.shapes_wh), 2))
    return Nearest(
        box_wh=high - low,
        offset_wh=torch.cat(offsets, dim=1),
        shape_wh=torch.tensor([wh for level in levels for wh in level.shapes_wh], dtype=torch.float64),
        level=torch.tensor([k for k, level in enumerate(levels) for _ in level.shapes_wh]),
    )


def jaccards(
    box_wh: Float[Tensor, "n 2"], shape_wh: Float[Tensor, "*each s 2"], offset_wh: Float[Tensor, "*every s 2"]
) -> Float[Tensor, "n s"]:
    """Jaccard of boxes and shapes whose centres lie apart.

    Args:
        box_wh: width and height of each box.
        shape_wh: of each shape, or of each box and shape.
        offset_wh: distance of the centres along each axis, likewise.

    Returns:
        ``[i, j]`` belongs to box ``i`` and shape ``j``; 0 where neither has an area.

    Example:
        >>> one = torch.tensor([[1.0, 1.0]])
        >>> jaccards(one, one, torch.tensor([[[0.5, 0.0]]]))
        tensor([[0.3333]])
    """
    box = box_wh[:, None]
    reach = (box + shape_wh) / 2 - offset_wh
    shared = torch.minimum(torch.minimum(box, shape_wh), reach).clamp(min=0).prod(dim=2)
    together = box.prod(dim=2) + shape_wh.prod(dim=-1) - shared
    return shared / together.clamp(min=torch.finfo(shared.dtype).tiny)
