"""The same anchors on an input of another size."""

from __future__ import annotations

import math
from dataclasses import replace

from ssd.config.anchors import AnchorConfig, AnchorSizes, GridAnchors, SizeAnchors
from ssd.errors import ConfigError

__all__ = ["anchors_for_side", "grids_for_size"]


def _stride(side_px: int, cells: int) -> float:
    """Pixels a cell: the power of two of which the side holds so many, where there is one."""
    stride = 2.0 ** math.ceil(math.log2(side_px / cells))
    return stride if math.ceil(side_px / stride) == cells else side_px / cells


def grids_for_size(config: SizeAnchors, *, size_wh: tuple[int, int]) -> tuple[tuple[int, int], ...]:
    """The grids of sized anchors on an input of another size.

    Args:
        config: the anchors at their own size.
        size_wh: width and height of the new input in pixels.

    Returns:
        Cells (across, down) of each level: one for every step, or begun step; without steps, one for
        every 8, 16, 32 … pixels, the stride of a feature map that gives the level's own grid.

    Raises:
        ConfigError: the size is not positive.

    Example:
        >>> from ssd.config import anchor_preset
        >>> grids_for_size(anchor_preset("wide320").anchors, size_wh=(224, 160))
        ((28, 20), (14, 10), (7, 5), (4, 3), (2, 2), (1, 1))
    """
    if min(size_wh) < 1:
        raise ConfigError(f"An input must be at least 1 px wide and high, got {size_wh[0]} × {size_wh[1]}.")
    steps = config.steps_px or (0.0,) * len(config.grids_wh)
    pairs = [
        [step or _stride(own, cells) for own, cells in zip(config.picture_wh, grid_wh, strict=True)]
        for step, grid_wh in zip(steps, config.grids_wh, strict=True)
    ]
    return tuple((math.ceil(size_wh[0] / across), math.ceil(size_wh[1] / down)) for across, down in pairs)


def anchors_for_side(config: AnchorConfig, *, side_px: int, keep: AnchorSizes = "pixels") -> AnchorConfig:
    """The same anchors for a square input of another side.

    Args:
        config: any anchors.
        side_px: side of the new input.
        keep: an anchor keeps its ``pixels``, or its ``shares`` of the picture.

    Returns:
        Anchors on the grids of :func:`grids_for_size`. At its own side the configuration itself; so are
        the lesson's grids, which have no size in pixels.

    Raises:
        ConfigError: the side is not positive.

    Example:
        >>> from ssd.config import caffe_anchors
        >>> small = caffe_anchors(grids=(4,), min_px=(10.0,), max_px=(40.0,), ratios=((2.0,),), side_px=32)
        >>> larger = anchors_for_side(small, side_px=50)
        >>> larger.grids_wh, larger.sizes_px, anchors_for_side(small, side_px=64, keep="shares").sizes_px
        (((7, 7),), (10.0,), (20.0,))
    """
    if isinstance(config, GridAnchors) or config.picture_wh == (side_px, side_px):
        return config
    grids = grids_for_size(config, size_wh=(side_px, side_px))
    factor = 1.0 if keep == "pixels" else side_px / min(config.picture_wh)
    return replace(
        config,
        grids_wh=grids,
        sizes_px=tuple(size * factor for size in config.sizes_px),
        extra_sizes_px=tuple(size * factor for size in config.extra_sizes_px),
        picture_wh=(side_px, side_px),
    )
