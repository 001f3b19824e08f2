"""Anchors as a vector of numbers between bounds, and back; the numbers to start from."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from ssd.config import AnchorConfig, GridAnchors, SizeAnchors

__all__ = ["FitSpace", "Matrix", "Vector", "fit_space", "k_means"]

Vector = np.ndarray[tuple[int], np.dtype[np.float64]]
Matrix = np.ndarray[tuple[int, int], np.dtype[np.float64]]
_FACTOR = 3.0  # how far a size may move from where it starts, up or down
_SMALLEST_PX = 3.0
_RATIOS = (1.05, 6.0)  # width : height of the wide shape of a pair
_ZOOMS = (0.2, 4.0)
_SIDES = (0.2, 2.0)  # width and height of the lesson's shapes, in cells


@dataclass(frozen=True)
class FitSpace:
    """What may change: sizes and ratios of each level, or grids, zooms and ratios.

    The number of boxes of a cell stays as it is; of the lesson's family also the number of
    boxes altogether, which changed grids may not exceed.

    Attributes:
        start: the anchors to start from.
        low: smallest value of each number; sizes, zooms and ratios are logarithms.
        high: largest value.
        whole: which numbers are whole (cells along a side).
    """

    start: AnchorConfig
    low: tuple[float, ...]
    high: tuple[float, ...]
    whole: tuple[bool, ...]

    def vector(self, config: AnchorConfig) -> Vector:
        """The numbers of some anchors, moved between the bounds."""
        found: Vector = np.clip(np.array(_numbers(config)), self.low, self.high)
        return found

    def config(self, vector: Vector) -> AnchorConfig | None:
        """The anchors of some numbers; ``None`` where grids exceed the budget of boxes."""
        values = np.clip(vector, self.low, self.high).tolist()
        if isinstance(self.start, SizeAnchors):
            return _size_anchors(self.start, [math.exp(value) for value in values])
        count = len(self.start.grids)
        grids = tuple(round(value) for value in values[:count])
        if sum(grid * grid for grid in grids) > sum(grid * grid for grid in self.start.grids):
            return None
        return _grid_anchors(self.start, grids, [math.exp(value) for value in values[count:]])


def fit_space(start: AnchorConfig, *, keep_grids: bool = False) -> FitSpace:
    """The numbers of a configuration that fitting may change, and how far.

    Args:
        start: the anchors to start from.
        keep_grids: the lesson's grids stay, so that the same network can be trained.

    Returns:
        The space; ``start`` lies inside.

    Example:
        >>> space = fit_space(GridAnchors(grids=(4, 2)))
        >>> space.whole, space.config(space.vector(space.start)) == space.start
        ((True, True, False, False, False), True)
    """
    numbers = _numbers(start)
    if isinstance(start, SizeAnchors):
        most, sizes = math.log(1.2 * max(start.picture_wh)), 2 * len(start.sizes_px)
        bounds = [
            (max(math.log(_SMALLEST_PX), n - math.log(_FACTOR)), n + math.log(_FACTOR)) for n in numbers
        ]
        bounds = [(low, min(high, most)) for low, high in bounds[:sizes]]
        bounds += [(math.log(_RATIOS[0]), math.log(_RATIOS[1]))] * (len(numbers) - sizes)
        whole = [False] * len(numbers)
    else:
        cells = max(start.grids)
        bounds = [(g, g) if keep_grids else (1, cells * 2) for g in start.grids]
        bounds += [(math.log(_ZOOMS[0]), math.log(_ZOOMS[1]))] * len(start.zooms)
        bounds += [(math.log(_SIDES[0]), math.log(_SIDES[1]))] * (2 * len(start.ratios))
        whole = [place < len(start.grids) for place in range(len(numbers))]
    low = tuple(min(pair[0], number) for pair, number in zip(bounds, numbers, strict=True))
    high = tuple(max(pair[1], number) for pair, number in zip(bounds, numbers, strict=True))
    return FitSpace(start, low, high, tuple(whole))


def k_means(start: AnchorConfig, wh: Matrix) -> AnchorConfig:
    """Anchors whose sizes and ratios are the centres of clusters of the objects' own.

    Shapes alone, without any grid: a place to start from, never an answer.

    Args:
        start: gives the grids and the number of sizes and ratios.
        wh: width and height of each object as shares of the picture.

    Returns:
        The anchors; what has no objects to learn from stays as it starts.
    """
    if len(wh) == 0:
        return start
    if isinstance(start, GridAnchors):
        return _k_means_grids(start, wh)
    picture = np.array(start.picture_wh, dtype=np.float64)
    pixels = wh * picture
    sides, tilt = np.log(pixels.prod(axis=1)) / 2, np.abs(np.log(pixels[:, 0] / pixels[:, 1]))
    levels = len(start.sizes_px)
    pairs = np.exp(_centres(sides, 2 * levels)).reshape(levels, 2)
    middles = np.log(pairs).mean(axis=1)
    level = np.abs(sides[:, None] - middles[None]).argmin(axis=1)
    ratios = tuple(
        tuple(np.exp(_centres(tilt[level == k], len(own))).tolist()) if (level == k).any() else own
        for k, own in enumerate(start.ratios)
    )
    return replace(
        start,
        sizes_px=tuple(pairs[:, 0].tolist()),
        extra_sizes_px=tuple(pairs[:, 1].tolist()),
        ratios=tuple(tuple(max(ratio, _RATIOS[0]) for ratio in own) for own in ratios),
    )


def _k_means_grids(start: GridAnchors, wh: Matrix) -> GridAnchors:
    """Zooms from sizes counted in the nearest grid's cells, ratios from the objects' own."""
    sides, tilt = np.log(wh.prod(axis=1)) / 2, np.log(wh[:, 0] / wh[:, 1]) / 2
    cells = sides[:, None] + np.log(np.array(start.grids, dtype=np.float64))[None]
    nearest = np.abs(cells).argmin(axis=1)
    zooms = np.exp(_centres(cells[np.arange(len(wh)), nearest], len(start.zooms)))
    tilts = _centres(tilt, len(start.ratios))
    ratios = tuple((math.exp(t), math.exp(-t)) for t in tilts.tolist())
    return replace(start, zooms=tuple(zooms.tolist()), ratios=ratios)


def _centres(values: Vector, count: int) -> Vector:
    """Lloyd's k-means on a line, started from quantiles; rising."""
    if count == 0:
        return np.zeros(0)
    centres: Vector = np.quantile(values, (np.arange(count) + 0.5) / count)
    for _ in range(50):
        own = np.abs(values[:, None] - centres[None]).argmin(axis=1)
        moved = [values[own == k].mean() if (own == k).any() else centres[k] for k in range(count)]
        if np.allclose(moved, centres):
            break
        centres = np.array(moved)
    return np.sort(centres)


def _numbers(config: AnchorConfig) -> list[float]:
    """All numbers that may change, those above zero as logarithms."""
    if isinstance(config, SizeAnchors):
        ratios = [ratio for level in config.ratios for ratio in level]
        return [math.log(number) for number in (*config.sizes_px, *config.extra_sizes_px, *ratios)]
    sides = [side for pair in config.ratios for side in pair]
    return [*config.grids, *(math.log(number) for number in (*config.zooms, *sides))]


def _size_anchors(start: SizeAnchors, values: list[float]) -> SizeAnchors:
    """The paper's family; a level's ratios in rising order."""
    levels, rest = len(start.sizes_px), iter(values[2 * len(start.sizes_px) :])
    return replace(
        start,
        sizes_px=tuple(values[:levels]),
        extra_sizes_px=tuple(values[levels : 2 * levels]),
        ratios=tuple(tuple(sorted(next(rest) for _ in own)) for own in start.ratios),
    )


def _grid_anchors(start: GridAnchors, grids: tuple[int, ...], values: list[float]) -> GridAnchors:
    """The lesson's family."""
    zooms, sides = values[: len(start.zooms)], values[len(start.zooms) :]
    pairs = tuple(zip(sides[::2], sides[1::2], strict=True))
    return GridAnchors(grids=grids, zooms=tuple(zooms), ratios=pairs)
