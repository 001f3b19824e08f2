"""What anchors reach, as numbers for charts: by width and height, and by size for several presets."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ssd.config import AnchorLevel, AnchorPreset, PyramidAnchors, PyramidPreset, pyramid_for_picture
from ssd.coverage.nearest import nearest_anchors
from ssd.coverage.sizes import anchors_at_size, grids, training_size
from ssd.data.object_table import ObjectTable

__all__ = ["RecallCurve", "SizeMap", "best_jaccards", "recall_curves", "size_map", "square_recall"]

_PLACES = 120  # at which an object of one size is tried
_STRIDE_XY = (0.7548776662466927, 0.5698402909980532)  # Roberts's R2 sequence: even, in step with no grid
_SMALLEST_PX = 6.0
_EDGES = (0.0, 0.02, 0.03, 0.045, 0.07, 0.1, 0.15, 0.22, 0.33, 0.5, 1.0)  # shares of the picture's side


@dataclass(frozen=True)
class SizeMap:
    """How well objects of each width and height are covered, wherever they lie.

    Attributes:
        widths_px: of the columns, in pixels at training size.
        heights_px: of the rows.
        mean_jaccard: best jaccard, averaged over places in the picture.
        recall: share of the places with an anchor at the threshold.
        shapes_px: width, height and level of each shape of the anchors.
        threshold: the match threshold.
    """

    widths_px: tuple[float, ...]
    heights_px: tuple[float, ...]
    mean_jaccard: Float[Tensor, "h w"]
    recall: Float[Tensor, "h w"]
    shapes_px: tuple[tuple[float, float, int], ...]
    threshold: float


@dataclass(frozen=True)
class RecallCurve:
    """Recall by size under one preset, on an axis that all presets share.

    Attributes:
        preset: its name.
        threshold: its match threshold.
        sides: √(area) of the objects as a share of the picture: the middle of each group.
        recall: share with an anchor at the threshold; ``None`` in a group without objects.
        num_objects: in each group.
    """

    preset: str
    threshold: float
    sides: tuple[float, ...]
    recall: tuple[float | None, ...]
    num_objects: tuple[int, ...]


def size_map(
    preset: AnchorPreset | PyramidPreset,
    *,
    size_px: int | None = None,
    threshold: float | None = None,
    steps: int = 28,
) -> SizeMap:
    """Best jaccard over width × height with a preset's anchors, on the true grid.

    Args:
        preset: any; a pyramid is taken for a square picture.
        size_px: training size; ``None``: the preset's.
        threshold: match threshold; ``None``: the preset's.
        steps: widths, and heights, from 6 px to the whole picture, each the same factor
            larger than the one before.

    Returns:
        The map; rows are heights.

    Example:
        >>> from ssd.config import anchor_preset
        >>> found = size_map(anchor_preset("ssd300-voc"), steps=4)
        >>> [round(side) for side in found.widths_px], found.recall[0, 0].item(), found.recall[2, 2].item()
        ([6, 22, 81, 300], 0.0, 1.0)
    """
    side = min(training_size(preset, size_px=size_px))
    levels = _square_levels(preset, side)
    limit = preset.threshold if threshold is None else threshold
    sides = torch.logspace(0, 1, steps, base=side / _SMALLEST_PX, dtype=torch.float64) * _SMALLEST_PX
    wide, high = torch.meshgrid(sides, sides, indexing="xy")  # rows are heights
    wh = torch.stack([wide.reshape(-1), high.reshape(-1)], dim=1) / side
    best = nearest_anchors(_placed(wh), levels).jaccard.max(dim=1).values.reshape(steps, steps, -1)
    return SizeMap(
        widths_px=tuple(sides.tolist()),
        heights_px=tuple(sides.tolist()),
        mean_jaccard=best.mean(dim=2).float(),
        recall=(best >= limit).float().mean(dim=2),
        shapes_px=tuple(
            (w * side, h * side, k) for k, level in enumerate(levels) for w, h in level.shapes_wh
        ),
        threshold=limit,
    )


def square_recall(
    presets: Sequence[AnchorPreset | PyramidPreset], *, sides: Sequence[float] | None = None
) -> tuple[RecallCurve, ...]:
    """Recall of square objects by their size alone, wherever they lie: no data set is needed.

    Args:
        presets: each at its own training size and threshold.
        sides: of the squares, as shares of the picture; ``None``: from .01 to 1.

    Returns:
        A curve for each preset; every side stands for as many places in the picture.

    Example:
        >>> from ssd.config import anchor_preset
        >>> square_recall([anchor_preset("ssd300-voc")], sides=[12 / 300, 32 / 300])[0].recall
        (0.0, 1.0)
    """
    chosen = torch.logspace(-2, 0, 41, dtype=torch.float64).tolist() if sides is None else list(sides)
    wh = torch.tensor(chosen, dtype=torch.float64)[:, None].expand(-1, 2)
    curves = []
    for preset in presets:
        levels = _square_levels(preset, min(training_size(preset)))
        best = nearest_anchors(_placed(wh), levels).jaccard.max(dim=1).values.reshape(len(chosen), -1)
        recall = (best >= preset.threshold).double().mean(dim=1)
        counts = (best.shape[1],) * len(chosen)
        curves.append(
            RecallCurve(preset.name, preset.threshold, tuple(chosen), tuple(recall.tolist()), counts)
        )
    return tuple(curves)


def recall_curves(
    objects: ObjectTable,
    presets: Sequence[AnchorPreset | PyramidPreset],
    *,
    edges: Sequence[float] = _EDGES,
) -> tuple[RecallCurve, ...]:
    """Recall of a data set's objects by size, under several presets.

    Args:
        objects: the data set's.
        presets: each at its own training size and threshold.
        edges: borders of the groups, as √(area) in shares of the picture, rising.

    Returns:
        A curve for each preset; the groups are the same for all.
    """
    sides = (objects.boxes[:, 2:] - objects.boxes[:, :2]).prod(dim=1).sqrt().double()
    inner = torch.tensor(list(edges[1:-1]), dtype=torch.float64)
    group = torch.bucketize(sides, inner, right=True)
    counts = torch.bincount(group, minlength=len(edges) - 1).tolist()
    middles = tuple((low + high) / 2 for low, high in itertools.pairwise(edges))
    curves = []
    for preset in presets:
        covered = best_jaccards(objects, preset) >= preset.threshold
        hits = torch.bincount(group[covered], minlength=len(edges) - 1).tolist()
        recall = tuple(hit / count if count else None for hit, count in zip(hits, counts, strict=True))
        curves.append(RecallCurve(preset.name, preset.threshold, middles, recall, tuple(counts)))
    return tuple(curves)


def best_jaccards(objects: ObjectTable, preset: AnchorPreset | PyramidPreset) -> Float[Tensor, "n"]:
    """Best jaccard of each object under a preset at its own training size, without matching.

    Args:
        objects: the data set's.
        preset: any.

    Returns:
        As ``preset_coverage`` finds it, but for rounding; far faster on a large grid.
    """
    best = torch.zeros(len(objects), dtype=torch.float64)
    for grid in grids(objects, preset.anchors, size_wh=training_size(preset)):
        table = nearest_anchors(objects.boxes[grid.rows], grid.levels).jaccard
        best[grid.rows] = table.max(dim=1).values
    return best.float()


def _square_levels(preset: AnchorPreset | PyramidPreset, side: int) -> tuple[AnchorLevel, ...]:
    """The grid of a square picture."""
    anchors = preset.anchors
    if isinstance(anchors, PyramidAnchors):
        return pyramid_for_picture(anchors, picture_wh=(1, 1), side_px=side).levels()
    return anchors_at_size(anchors, size_wh=(side, side)).levels


def _placed(wh: Float[Tensor, "k 2"]) -> Float[Tensor, "m 4"]:
    """Boxes of each size at places spread evenly over where they fit, size by size."""
    number = torch.arange(_PLACES, dtype=torch.float64)[:, None]
    places = (0.5 + number * torch.tensor(_STRIDE_XY, dtype=torch.float64)) % 1  # (p, 2)
    low = places[None] * (1 - wh)[:, None]
    return torch.cat([low, low + wh[:, None]], dim=2).reshape(-1, 4)
