"""Why has an object no good anchor? One cause for each, by asking what would have helped.

Four limits are lifted one at a time, on the true grid of the object's picture:

* **size**: every shape keeps its aspect ratio and its cells, and takes the object's own area;
* **ratio**: every shape keeps its area and its cells, and takes the object's own aspect ratio;
* **stride**: every shape stays as it is, and a cell's centre lies on the object's centre;
* **clip**: every anchor stays as it is, but the part beyond the picture's border does not count
  against it, and width and height are not limited to the picture.

The cause is the limit whose lifting leads to the highest best jaccard. Where that reaches the
threshold, this limit alone stands in the way; where it does not, several do.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Literal

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from ssd.boxes import jaccard
from ssd.config import AnchorPreset, PyramidAnchors, PyramidPreset, unclipped
from ssd.coverage.nearest import jaccards, nearest_anchors
from ssd.coverage.records import Coverage
from ssd.coverage.sizes import Grid, grids
from ssd.data.object_table import some_objects

__all__ = ["CAUSES", "Cause", "WorstObject", "cause_counts", "lifted_jaccards", "worst_objects"]

Cause = Literal["size", "ratio", "stride", "clip"]
CAUSES: tuple[Cause, ...] = ("size", "ratio", "stride", "clip")
_PAIRS_AT_ONCE = 4_000_000


@dataclass(frozen=True)
class WorstObject:
    """An object with a poor best anchor.

    Attributes:
        picture: index of its picture in the data set.
        row: index of the object in its picture.
        category: its class.
        box: xyxy in [0, 1].
        wh_px: width and height in pixels at training size.
        best_jaccard: over all anchors.
        best_anchor: the anchor of that jaccard, on the grid of its picture.
        best_level: its level.
        covered: whether that jaccard reaches the threshold.
        cause: what stands in the way most.
        lifted: the best jaccard with one limit lifted, of every cause.
        enough: lifting the cause alone reaches the threshold.
    """

    picture: int
    row: int
    category: str
    box: tuple[float, float, float, float]
    wh_px: tuple[float, float]
    best_jaccard: float
    best_anchor: int
    best_level: int
    covered: bool
    cause: Cause
    lifted: dict[Cause, float]
    enough: bool


def worst_objects(
    found: Coverage, preset: AnchorPreset | PyramidPreset, *, count: int = 24
) -> tuple[WorstObject, ...]:
    """The objects with the lowest best jaccard, and why.

    Args:
        found: the coverage under that preset.
        preset: whose anchors they are.
        count: how many at most.

    Returns:
        The worst first; among equals the first of the data set.

    Example:
        >>> from ssd.config import anchor_preset
        >>> from ssd.coverage.sizes import preset_coverage
        >>> from ssd.data.object_table import object_table
        >>> from ssd.data.records import make_target
        >>> tiny = make_target(torch.tensor([[0.10, 0.10, 0.15, 0.15]]), torch.tensor([1]))
        >>> preset = anchor_preset("ssd300-voc")
        >>> found = preset_coverage(object_table([tiny], class_names=("cat",)), preset)
        >>> worst_objects(found, preset)[0].cause
        'size'
    """
    rows = found.worst(count)
    lifted = lifted_jaccards(found, preset, rows=rows)
    return tuple(_worst(found, int(row), numbers) for row, numbers in zip(rows, lifted, strict=True))


def cause_counts(found: Coverage, preset: AnchorPreset | PyramidPreset) -> dict[Cause, int]:
    """How many of the objects without an anchor at the threshold have each cause.

    Args:
        found: the coverage under that preset.
        preset: whose anchors they are.

    Returns:
        A number for every cause; together as many as are not covered.
    """
    rows = (~found.covered).nonzero()[:, 0]
    causes = lifted_jaccards(found, preset, rows=rows).argmax(dim=1)
    counts = Counter(causes.tolist())
    return {cause: counts[number] for number, cause in enumerate(CAUSES)}


def lifted_jaccards(
    found: Coverage, preset: AnchorPreset | PyramidPreset, *, rows: Int64[Tensor, "k"]
) -> Float[Tensor, "k 4"]:
    """The best jaccard of some objects with one limit lifted.

    Args:
        found: the coverage under that preset.
        preset: whose anchors they are.
        rows: which objects, in any order.

    Returns:
        A column for each of ``CAUSES``.
    """
    order = rows.argsort()
    chosen = some_objects(found.objects, rows[order])
    answer = torch.zeros(len(rows), len(CAUSES), dtype=torch.float64)
    for grid in grids(chosen, preset.anchors, size_wh=found.size_wh):
        answer[order[grid.rows]] = _lifted(chosen.boxes[grid.rows], grid)
    return answer


def _lifted(boxes: Float[Tensor, "n 4"], grid: Grid) -> Float[Tensor, "n 4"]:
    """Of boxes on one grid."""
    near = nearest_anchors(boxes, grid.levels)
    area, own_area = near.shape_wh.prod(dim=1), near.box_wh.prod(dim=1)[:, None]  # (s,), (n, 1)
    root = (near.box_wh[:, :1] / near.box_wh[:, 1:]).sqrt()
    sized = near.shape_wh * (own_area / area).sqrt()[..., None]
    side = area.sqrt()
    turned = torch.stack([side * root, side / root], dim=2)
    tables = (
        jaccards(near.box_wh, sized, near.offset_wh),
        jaccards(near.box_wh, turned, near.offset_wh),
        jaccards(near.box_wh, near.shape_wh, torch.zeros_like(near.offset_wh)),
    )
    columns = [table.max(dim=1).values for table in tables]
    cut = _cut_at_the_border(boxes, grid).maximum(near.jaccard.max(dim=1).values)
    return torch.stack([*columns, cut], dim=1)


def _cut_at_the_border(boxes: Float[Tensor, "n 4"], grid: Grid) -> Float[Tensor, "n"]:
    """Best jaccard with the parts inside the picture of the anchors that reach beyond it.

    The nearest of these need not be the best, so all of them are tried.
    """
    config = grid.config if isinstance(grid.config, PyramidAnchors) else unclipped(grid.config)
    every = replace(grid, config=config).anchors.boxes
    inside = every.clamp(0, 1)
    inside = inside[(inside != every).any(dim=1)]
    if len(inside) == 0:
        return torch.zeros(len(boxes), dtype=torch.float64)
    parts = torch.split(boxes, max(1, _PAIRS_AT_ONCE // len(inside)))
    return torch.cat([jaccard(part, inside).max(dim=1).values for part in parts]).double()


def _worst(found: Coverage, row: int, lifted: Float[Tensor, "4"]) -> WorstObject:
    """One object as a record."""
    x1, y1, x2, y2 = found.objects.boxes[row].tolist()
    width, height = found.wh_px[row].tolist()
    best = int(lifted.argmax())
    return WorstObject(
        picture=int(found.objects.picture[row]),
        row=int(found.objects.row[row]),
        category=found.objects.class_names[int(found.objects.labels[row]) - 1],
        box=(x1, y1, x2, y2),
        wh_px=(width, height),
        best_jaccard=float(found.best_jaccard[row]),
        best_anchor=int(found.best_anchor[row]),
        best_level=int(found.best_level[row]),
        covered=bool(found.covered[row]),
        cause=CAUSES[best],
        lifted={cause: float(value) for cause, value in zip(CAUSES, lifted, strict=True)},
        enough=float(lifted[best]) >= found.threshold,
    )
