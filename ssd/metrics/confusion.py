"""Which class is taken for which: a confusion matrix whose every cell knows its boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Int64
from torch import Tensor

from ssd.boxes import paired_jaccard
from ssd.config import UNMATCHED
from ssd.metrics.pairing import Hits, Judgeable, Pairing, in_one_picture, pair_up

__all__ = ["Cell", "Confusion", "confusion"]

BACKGROUND_NAME = "background"


class Cell(NamedTuple):
    """One entry of a cell.

    Attributes:
        picture: place of the picture among the results.
        object: place of the object in its picture, or ``UNMATCHED`` on background.
        detection: place of the detection in its picture, or ``UNMATCHED`` where none is there.
    """

    picture: int
    object: int
    detection: int


@dataclass(frozen=True)
class Confusion:
    """What is there against what was said.

    Attributes:
        names: of rows and columns: the classes in label order, then background.
        counts: rows are what is there, columns what was said. A row adds up to the objects of
            its class, a column to the detections that count; nothing is in the last corner.
        cells: the entries of each cell (row, column) that has any, by picture; within one the
            objects' order, then the detections'.
    """

    names: tuple[str, ...]
    counts: Int64[Tensor, "k k"]
    cells: dict[tuple[int, int], tuple[Cell, ...]]


def confusion(
    results: Judgeable,
    *,
    class_names: Sequence[str],
    score_threshold: float,
    evaluation_iou: float = 0.5,
) -> Confusion:
    """Count which class was taken for which, with background.

    The diagonal holds the true positives of the VOC metrics. Of the rest, a detection and an
    object of different classes that overlap by the evaluation IoU are one confusion, the
    closest pair first and each only once. What is left is said on background, or missed.
    Ignored objects and the detections on them are in no cell.

    Args:
        results: one for each picture.
        class_names: in the order of labels 1..C.
        score_threshold: detections with a greater score count.
        evaluation_iou: least jaccard of a hit or confusion, in 0–1.

    Returns:
        The matrix and its cells.

    Raises:
        ConfigError: the evaluation IoU lies outside 0–1.

    Example:
        >>> from ssd.metrics import PictureResult
        >>> box, no = torch.tensor([[0.0, 0.0, 0.5, 0.5]]), torch.tensor([False])
        >>> cat, dog, score = torch.tensor([1]), torch.tensor([2]), torch.tensor([0.9])
        >>> dog_for_cat = PictureResult(9, 9, box, cat, no, box, dog, score)
        >>> confusion([dog_for_cat], class_names=["cat", "dog"], score_threshold=0.5).cells
        {(0, 1): (Cell(picture=0, object=0, detection=0),)}
    """
    pairing = pair_up(results)
    hits = pairing.hits(evaluation_iou=evaluation_iou)
    said = (pairing.score > score_threshold) & ~hits.ignored
    object_of = torch.where(said & hits.true_positive, pairing.gt, UNMATCHED)
    for d, g in _confused(pairing, said & ~hits.true_positive, _left(pairing, hits, said), evaluation_iou):
        object_of[d] = g
    cells = _cells(pairing, said, object_of, background=len(class_names))
    counts = torch.zeros(len(class_names) + 1, len(class_names) + 1, dtype=torch.int64)
    for place, entries in cells.items():
        counts[place] = len(entries)
    return Confusion((*class_names, BACKGROUND_NAME), counts, cells)


def _left(pairing: Pairing, hits: Hits, said: Tensor) -> Tensor:
    """True of every object that counts and that no detection above the threshold found."""
    left = ~pairing.gt_ignored
    left[pairing.gt[said & hits.true_positive]] = False
    return left


def _confused(pairing: Pairing, free: Tensor, left: Tensor, evaluation_iou: float) -> list[tuple[int, int]]:
    """Pairs of a free detection and an object that is left, of different classes, the closest first."""
    d, g = free.nonzero()[:, 0], left.nonzero()[:, 0]
    number = len(pairing.results)
    near: list[tuple[float, int, int]] = []
    for rows, i, j in in_one_picture(pairing.picture[d], pairing.gt_picture[g], num_pictures=number):
        i, j = d[rows][i], g[j]
        other = pairing.label[i] != pairing.gt_label[j]
        i, j = i[other], j[other]
        overlap = paired_jaccard(pairing.boxes[i], pairing.gt_boxes[j]).to(torch.float64)
        close = (overlap >= evaluation_iou) & (overlap > 0)
        near += zip((-overlap[close]).tolist(), i[close].tolist(), j[close].tolist(), strict=True)
    taken: set[int] = set()
    chosen: dict[int, int] = {}
    for _, detection, gt in sorted(near):
        if gt not in taken and detection not in chosen:
            taken.add(gt)
            chosen[detection] = gt
    return list(chosen.items())


def _cells(
    pairing: Pairing, said: Tensor, object_of: Tensor, *, background: int
) -> dict[tuple[int, int], tuple[Cell, ...]]:
    """The entries of every cell."""
    detection_of = torch.full_like(pairing.gt_picture, UNMATCHED)
    paired = (object_of >= 0).nonzero()[:, 0]
    detection_of[object_of[paired]] = paired
    objects = (~pairing.gt_ignored).nonzero()[:, 0]
    alone = (said & (object_of < 0)).nonzero()[:, 0]
    d = torch.cat([detection_of[objects], alone])
    g = torch.cat([objects, torch.full_like(alone, UNMATCHED)])
    label = _picked(pairing.label, d, background + 1) - 1
    gt_label = _picked(pairing.gt_label, g, background + 1) - 1
    picture = torch.where(d >= 0, _picked(pairing.picture, d, 0), _picked(pairing.gt_picture, g, 0))
    index, gt_index = _picked(pairing.index, d, UNMATCHED), _picked(pairing.gt_index, g, UNMATCHED)
    found: dict[tuple[int, int], list[Cell]] = {}
    columns = (gt_label, label, picture, gt_index, index)
    for row, column, *entry in zip(*(column.tolist() for column in columns), strict=True):
        found.setdefault((row, column), []).append(Cell(*entry))
    return {place: tuple(sorted(entries)) for place, entries in sorted(found.items())}


def _picked(values: Tensor, places: Tensor, otherwise: int) -> Tensor:
    """The values at some places; where there is no place, another value."""
    if len(values) == 0:
        return torch.full_like(places, otherwise)
    return torch.where(places >= 0, values[places.clamp(min=0)], otherwise)
