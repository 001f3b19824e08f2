"""Anchors: the fixed boxes of a detector, each knowing its level, cell and shape.

The paper calls them default boxes, most ports call them priors.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from ssd.boxes import cxcywh_to_xyxy, xyxy_to_cxcywh
from ssd.config import AnchorConfig, AnchorLevel, GridAnchors, PyramidAnchors
from ssd.errors import ConfigError
from ssd.limits import MAX_ANCHORS, MAX_PYRAMID_ANCHORS

__all__ = ["Anchors", "make_anchors", "resized_anchors"]


@dataclass(frozen=True)
class Anchors:
    """All anchors of a configuration, finest level first.

    Attributes:
        boxes: xyxy in [0, 1] units; parts may lie outside the picture.
        level: index of the feature map, 0 = finest.
        row: of the cell, from the top.
        column: of the cell, from the left.
        shape: index among the anchors of one cell.
        cells_wh: distance of neighbouring centres of the anchor's level, the
            "grid size" of the lesson's coder.
        levels: what each level was made from.
        per_level: number of anchors of each level.
    """

    boxes: Float[Tensor, "a 4"]
    level: Int64[Tensor, "a"]
    row: Int64[Tensor, "a"]
    column: Int64[Tensor, "a"]
    shape: Int64[Tensor, "a"]
    cells_wh: Float[Tensor, "a 2"]
    levels: tuple[AnchorLevel, ...]
    per_level: tuple[int, ...]

    def __len__(self) -> int:
        """Number of anchors."""
        return int(self.boxes.shape[0])

    @property
    def cxcywh(self) -> Float[Tensor, "a 4"]:
        """Centres and sizes in [0, 1] units."""
        return xyxy_to_cxcywh(self.boxes)

    def to(self, device: torch.device | str) -> Anchors:
        """The same anchors on another device."""
        moved = {
            name: getattr(self, name).to(device) for name in ("boxes", "level", "row", "column", "shape")
        }
        return Anchors(
            **moved, cells_wh=self.cells_wh.to(device), levels=self.levels, per_level=self.per_level
        )

    def take(self, index: Int64[Tensor, "n"]) -> Anchors:
        """Some of the anchors, in the order of ``index``; one may come more than once."""
        level = self.level[index]
        return Anchors(
            boxes=self.boxes[index],
            level=level,
            row=self.row[index],
            column=self.column[index],
            shape=self.shape[index],
            cells_wh=self.cells_wh[index],
            levels=self.levels,
            per_level=tuple(torch.bincount(level, minlength=len(self.levels)).tolist()),
        )


def make_anchors(config: AnchorConfig | PyramidAnchors) -> Anchors:
    """All anchors of a configuration.

    Args:
        config: sizes and ratios of the paper's kind, a pyramid of torchvision's, or the
            lesson's grids. Within a cell the order is that of the configuration; cells run
            row by row, the lesson's column by column.

    Returns:
        The anchors, computed in float64 and rounded once to float32.

    Raises:
        ConfigError: more anchors than ``limits.MAX_ANCHORS`` (a pyramid: ``MAX_PYRAMID_ANCHORS``).

    Source:
        Liu et al., SSD, ECCV 2016, section 2.2; Caffe-SSD, prior_box_layer.

    Example:
        >>> from ssd.config import GridAnchors
        >>> make_anchors(GridAnchors(grids=(2,))).boxes
        tensor([[0.0000, 0.0000, 0.5000, 0.5000],
                [0.0000, 0.5000, 0.5000, 1.0000],
                [0.5000, 0.0000, 1.0000, 0.5000],
                [0.5000, 0.5000, 1.0000, 1.0000]])
    """
    limit = MAX_PYRAMID_ANCHORS if isinstance(config, PyramidAnchors) else MAX_ANCHORS
    return _on_levels(config.levels(), column_first=isinstance(config, GridAnchors), limit=limit)


def resized_anchors(
    config: AnchorConfig, *, grids_wh: tuple[tuple[int, int], ...], scale_wh: tuple[float, float]
) -> Anchors:
    """The anchors of a configuration on the grids of a larger or smaller picture.

    Args:
        config: the anchors at their own size.
        grids_wh: cells across and down of each level.
        scale_wh: factors on the width and height of every anchor as shares of the
            picture; both 1: an anchor stays the same part of the picture.

    Returns:
        The anchors; where grids and factors are those of ``config``, its own. Elsewhere
        the cells divide the picture evenly.

    Raises:
        ConfigError: not one grid for each level, or too many anchors.

    Example:
        >>> from ssd.config import GridAnchors
        >>> resized_anchors(GridAnchors(grids=(2,)), grids_wh=((1, 2),), scale_wh=(1.0, 0.5)).boxes
        tensor([[0.2500, 0.1250, 0.7500, 0.3750],
                [0.2500, 0.6250, 0.7500, 0.8750]])
    """
    levels = config.levels()
    if len(grids_wh) != len(levels):
        raise ConfigError(f"{len(levels)} levels of anchors need as many grids, got {len(grids_wh)}.")
    if scale_wh == (1.0, 1.0) and grids_wh == tuple(level.grid_wh for level in levels):
        return make_anchors(config)
    limit = 1.0 if getattr(config, "clip", "none") == "size" else math.inf
    moved = tuple(
        AnchorLevel(
            grid_wh=(columns, rows),
            shapes_wh=tuple(
                (min(w * scale_wh[0], limit), min(h * scale_wh[1], limit)) for w, h in level.shapes_wh
            ),
            step_wh=(1 / columns, 1 / rows),
        )
        for level, (columns, rows) in zip(levels, grids_wh, strict=True)
    )
    return _on_levels(moved, column_first=isinstance(config, GridAnchors))


def _on_levels(levels: tuple[AnchorLevel, ...], *, column_first: bool, limit: int = MAX_ANCHORS) -> Anchors:
    """All anchors of some levels, in float64 and rounded once."""
    per_level = tuple(level.grid_wh[0] * level.grid_wh[1] * len(level.shapes_wh) for level in levels)
    if sum(per_level) > limit:
        raise ConfigError(
            f"At most {limit:,} anchors can be drawn, this makes {sum(per_level):,}; "
            "use fewer cells or shapes."
        )
    parts = [_level_parts(k, level, column_first) for k, level in enumerate(levels)]
    joined = {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
    return Anchors(
        boxes=cxcywh_to_xyxy(joined["cxcywh"]).to(torch.float32),
        level=joined["level"],
        row=joined["row"],
        column=joined["column"],
        shape=joined["shape"],
        cells_wh=joined["cells_wh"].to(torch.float32),
        levels=levels,
        per_level=per_level,
    )


def _level_parts(index: int, level: AnchorLevel, column_first: bool) -> dict[str, Tensor]:
    """One level's columns, in float64, in the order of its cells."""
    columns, rows = level.grid_wh
    if column_first:
        column, row = torch.meshgrid(torch.arange(columns), torch.arange(rows), indexing="ij")
    else:
        row, column = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
    count = len(level.shapes_wh)
    row, column = row.reshape(-1).repeat_interleave(count), column.reshape(-1).repeat_interleave(count)
    shape = torch.arange(count).repeat(columns * rows)
    step = torch.tensor(level.step_wh, dtype=torch.float64)
    centres = (torch.stack([column, row], dim=1).to(torch.float64) + level.first) * step  # (n, 2)
    sizes = torch.tensor(level.shapes_wh, dtype=torch.float64)[shape]
    return {
        "cxcywh": torch.cat([centres, sizes], dim=1),
        "level": torch.full_like(row, index),
        "row": row,
        "column": column,
        "shape": shape,
        "cells_wh": step.expand(len(row), 2),
    }
