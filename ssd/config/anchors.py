"""Anchor configurations: sizes × aspect ratios as the papers have them, grids × zooms as the lesson."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace
from typing import Literal

from ssd.errors import ConfigError

__all__ = [
    "AnchorConfig",
    "AnchorLevel",
    "AnchorSizes",
    "ClipRule",
    "GridAnchors",
    "SizeAnchors",
    "caffe_anchors",
    "scale_formula",
    "scaled_anchors",
    "square_grids",
    "unclipped",
]

ClipRule = Literal["none", "size"]
AnchorSizes = Literal["pixels", "shares"]


@dataclass(frozen=True)
class AnchorLevel:
    """One feature map of anchors.

    Attributes:
        grid_wh: cells across and down.
        shapes_wh: width and height of each anchor of a cell, as a share of the picture.
        step_wh: distance of two centres, as a share of the picture.
        first: where the first centre lies, in steps from the picture's border.
    """

    grid_wh: tuple[int, int]
    shapes_wh: tuple[tuple[float, float], ...]
    step_wh: tuple[float, float]
    first: float = 0.5


@dataclass(frozen=True)
class SizeAnchors:
    """Anchors the way of the paper and of Caffe: sizes × aspect ratios on each level.

    The order within a cell is: the size, the extra size, then (wide, tall) for
    every ratio. Sizes are in pixels of the network's input and are divided by its
    width and height, so a ratio of 1 is a square in pixels also on a non-square input.

    Attributes:
        grids_wh: cells (across, down) of each level, finest first.
        sizes_px: side of the square anchor of each level.
        extra_sizes_px: side of the second square anchor of each level.
        ratios: aspect ratios > 1 of each level; each brings its reciprocal.
        picture_wh: input of the network in pixels.
        steps_px: distance of centres in pixels; ``None``: the grid divides the picture evenly.
        clip: ``"size"`` limits width and height to the picture as torchvision does.
    """

    grids_wh: tuple[tuple[int, int], ...]
    sizes_px: tuple[float, ...]
    extra_sizes_px: tuple[float, ...]
    ratios: tuple[tuple[float, ...], ...]
    picture_wh: tuple[int, int]
    steps_px: tuple[float, ...] | None = None
    clip: ClipRule = "none"

    def __post_init__(self) -> None:
        """Every level needs each of its numbers, and each must be positive."""
        count = len(self.grids_wh)
        lengths = {len(self.sizes_px), len(self.extra_sizes_px), len(self.ratios)}
        lengths |= {len(self.steps_px)} if self.steps_px is not None else set()
        if count == 0 or lengths != {count}:
            raise ConfigError(
                f"Each of the {count} levels needs a size, an extra size, ratios and (if given) a step; "
                f"got {len(self.sizes_px)} sizes, {len(self.extra_sizes_px)} extra sizes, "
                f"{len(self.ratios)} ratios."
            )
        numbers = [*self.sizes_px, *self.extra_sizes_px, *(self.steps_px or ()), *self.picture_wh]
        numbers += [n for wh in self.grids_wh for n in wh] + [r for level in self.ratios for r in level]
        _require_positive(numbers, "sizes, ratios, steps and grids")

    def levels(self) -> tuple[AnchorLevel, ...]:
        """The levels, finest first, with shapes and steps as shares of the picture."""
        return tuple(self._level(k) for k in range(len(self.grids_wh)))

    def _level(self, k: int) -> AnchorLevel:
        """Level ``k``."""
        width, height = self.picture_wh
        size, extra = self.sizes_px[k], self.extra_sizes_px[k]
        shapes = [(size, size), (extra, extra)]
        for ratio in self.ratios[k]:
            root = math.sqrt(ratio)
            shapes += [(size * root, size / root), (size / root, size * root)]
        shares = [(w / width, h / height) for w, h in shapes]
        if self.clip == "size":
            shares = [(min(w, 1.0), min(h, 1.0)) for w, h in shares]
        columns, rows = self.grids_wh[k]
        if self.steps_px is None:
            step = (1 / columns, 1 / rows)
        else:
            step = (self.steps_px[k] / width, self.steps_px[k] / height)
        return AnchorLevel(grid_wh=(columns, rows), shapes_wh=tuple(shares), step_wh=step)


@dataclass(frozen=True)
class GridAnchors:
    """Anchors the way of the lesson: grids × zooms × ratios.

    A cell's anchors are zoom × ratio × cell; cells run x outer, y inner.

    Attributes:
        grids: cells along each side, one level a grid.
        zooms: factors on the cell's size.
        ratios: (width, height) factors of each shape.
    """

    grids: tuple[int, ...]
    zooms: tuple[float, ...] = (1.0,)
    ratios: tuple[tuple[float, float], ...] = ((1.0, 1.0),)

    def __post_init__(self) -> None:
        """Nothing empty, nothing below zero."""
        if not (self.grids and self.zooms and self.ratios):
            raise ConfigError("A grid of anchors needs at least one grid, one zoom and one ratio.")
        _require_positive(
            [*self.grids, *self.zooms, *(n for pair in self.ratios for n in pair)], "grids, zooms and ratios"
        )

    def levels(self) -> tuple[AnchorLevel, ...]:
        """The levels in the order of ``grids``."""
        return tuple(
            AnchorLevel(
                grid_wh=(grid, grid),
                shapes_wh=tuple((z * w / grid, z * h / grid) for z in self.zooms for w, h in self.ratios),
                step_wh=(1 / grid, 1 / grid),
            )
            for grid in self.grids
        )


AnchorConfig = SizeAnchors | GridAnchors


def _require_positive(numbers: list[float], what: str) -> None:
    """Raise unless every number is finite and above zero."""
    for number in numbers:
        if not (math.isfinite(number) and number > 0):
            raise ConfigError(f"Anchor {what} must be finite and above 0, got {number}; correct that number.")


def square_grids(*sides: int) -> tuple[tuple[int, int], ...]:
    """Grids with as many cells down as across.

    Args:
        *sides: cells along a side of each level.

    Returns:
        Cells across and down of each level.

    Example:
        >>> square_grids(38, 19)
        ((38, 38), (19, 19))
    """
    return tuple((side, side) for side in sides)


def scale_formula(*, s_min: float, s_max: float, levels: int) -> tuple[float, ...]:
    """The paper's scales: equally spaced from ``s_min`` to ``s_max``.

    Args:
        s_min: scale of the first level, a share of the picture.
        s_max: scale of the last level.
        levels: how many levels.

    Returns:
        One scale a level.

    Raises:
        ConfigError: fewer than one level, or scales that do not rise.

    Source:
        Liu et al., SSD, ECCV 2016, equation 4.

    Example:
        >>> [round(s, 3) for s in scale_formula(s_min=0.2, s_max=0.9, levels=5)]
        [0.2, 0.375, 0.55, 0.725, 0.9]
    """
    if levels < 1 or not 0 < s_min <= s_max:
        raise ConfigError(f"Scales need 0 < s_min <= s_max and a level, got {s_min}, {s_max}, {levels}.")
    if levels == 1:
        return (s_min,)
    return tuple(s_min + (s_max - s_min) * k / (levels - 1) for k in range(levels))


def scaled_anchors(
    *,
    grids_wh: tuple[tuple[int, int], ...],
    scales: tuple[float, ...],
    ratios: tuple[tuple[float, ...], ...],
    picture_wh: tuple[int, int],
    steps_px: tuple[float, ...] | None = None,
    clip: ClipRule = "none",
) -> SizeAnchors:
    """Anchors from scales: the extra size of a level is √(s_k · s_{k+1}).

    Args:
        grids_wh: cells (across, down) of each level.
        scales: one scale a level and one more for the last level's extra size;
            shares of the shorter side of the picture.
        ratios: aspect ratios > 1 of each level.
        picture_wh: input of the network in pixels.
        steps_px: distance of centres in pixels, or ``None`` for an even grid.
        clip: as in :class:`SizeAnchors`.

    Returns:
        The configuration in pixels.

    Raises:
        ConfigError: the number of scales is not one more than that of levels.

    Source:
        Liu et al., SSD, ECCV 2016, section 2.2.

    Example:
        >>> config = scaled_anchors(
        ...     grids_wh=((2, 2),), scales=(0.25, 1.0), ratios=((2.0,),), picture_wh=(100, 100)
        ... )
        >>> config.sizes_px, config.extra_sizes_px
        ((25.0,), (50.0,))
    """
    if len(scales) != len(grids_wh) + 1:
        raise ConfigError(f"{len(grids_wh)} levels need {len(grids_wh) + 1} scales, got {len(scales)}.")
    side = min(picture_wh)
    extras = tuple(math.sqrt(a * b) * side for a, b in itertools.pairwise(scales))
    return SizeAnchors(
        grids_wh=grids_wh,
        sizes_px=tuple(s * side for s in scales[:-1]),
        extra_sizes_px=extras,
        ratios=ratios,
        picture_wh=picture_wh,
        steps_px=steps_px,
        clip=clip,
    )


def caffe_anchors(
    *,
    grids: tuple[int, ...],
    min_px: tuple[float, ...],
    max_px: tuple[float, ...],
    ratios: tuple[tuple[float, ...], ...],
    side_px: int,
    steps_px: tuple[float, ...] | None = None,
    clip: ClipRule = "none",
) -> SizeAnchors:
    """Anchors from min and max sizes: the extra size is √(min · max).

    Args:
        grids: cells along a side of each level.
        min_px: min size of each level.
        max_px: max size of each level.
        ratios: aspect ratios > 1 of each level.
        side_px: side of the square input.
        steps_px: distance of centres in pixels, or ``None`` for an even grid.
        clip: as in :class:`SizeAnchors`.

    Returns:
        The configuration.

    Source:
        Caffe-SSD, prior_box_layer (sizes, steps and their order).

    Example:
        >>> caffe_anchors(grids=(1,), min_px=(4,), max_px=(9,), ratios=((2.0,),), side_px=10).extra_sizes_px
        (6.0,)
    """
    return SizeAnchors(
        grids_wh=square_grids(*grids),
        sizes_px=tuple(float(s) for s in min_px),
        extra_sizes_px=tuple(math.sqrt(low * high) for low, high in zip(min_px, max_px, strict=True)),
        ratios=ratios,
        picture_wh=(side_px, side_px),
        steps_px=steps_px,
        clip=clip,
    )


def unclipped(config: AnchorConfig) -> AnchorConfig:
    """The same anchors without any limit on width and height.

    Args:
        config: an anchor configuration.

    Returns:
        A copy with ``clip="none"``, or ``config`` itself where nothing was clipped.

    Example:
        >>> unclipped(SizeAnchors(((1, 1),), (30.0,), (60.0,), ((2.0,),), (300, 300), clip="size")).clip
        'none'
    """
    return replace(config, clip="none") if isinstance(config, SizeAnchors) else config
