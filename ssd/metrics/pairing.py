"""Detections of many pictures beside their objects, as columns: matched once, judged often.

Which object a detection lies on does not depend on any threshold, so a slider of the
evaluation IoU or of the score only asks the columns again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from ssd.boxes import paired_jaccard, validate_boxes
from ssd.config import UNMATCHED
from ssd.errors import ConfigError
from ssd.metrics.results import PictureResult, in_pixels

__all__ = ["Hits", "Judgeable", "Pairing", "in_one_picture", "pair_up"]

_PAIRS_AT_ONCE = 2_000_000  # boxes compared together: some 100 MB
_FAR = torch.iinfo(torch.int64).max


@dataclass(frozen=True)
class Hits:
    """What every detection is worth at one evaluation IoU.

    Attributes:
        true_positive: the first of its class on an object.
        ignored: lies on an ignored box: neither right nor wrong.
        found: whether a detection found the object.
    """

    true_positive: Bool[Tensor, "n"]
    ignored: Bool[Tensor, "n"]
    found: Bool[Tensor, "g"]


@dataclass(frozen=True)
class Pairing:
    """All detections and all objects of many pictures, one after another.

    Attributes:
        results: where they come from.
        picture: of each detection, its place among ``results``.
        index: place of each detection in its picture.
        label: 1..C.
        score: of each detection.
        gt: the object of highest jaccard of its class, or an ignored box (the lowest index
            among equals); counted over all pictures; ``UNMATCHED`` where there is none.
        overlap: jaccard with it, 0 without.
        order: detections by falling score; equal scores as the pictures stand.
        gt_picture: of each object, its place among ``results``.
        gt_index: place of each object in its picture.
        gt_label: 1..C, of ignored ones anything.
        gt_ignored: neither to be found nor punished.
        boxes: of the detections, in a unit of the picture.
        gt_boxes: of the objects, in the same unit.
    """

    results: Sequence[PictureResult]
    picture: Int64[Tensor, "n"]
    index: Int64[Tensor, "n"]
    label: Int64[Tensor, "n"]
    score: Float[Tensor, "n"]
    gt: Int64[Tensor, "n"]
    overlap: Float[Tensor, "n"]
    order: Int64[Tensor, "n"]
    gt_picture: Int64[Tensor, "g"]
    gt_index: Int64[Tensor, "g"]
    gt_label: Int64[Tensor, "g"]
    gt_ignored: Bool[Tensor, "g"]
    boxes: Float[Tensor, "n 4"] = field(repr=False)
    gt_boxes: Float[Tensor, "g 4"] = field(repr=False)

    @property
    def num_objects(self) -> int:
        """Objects that count."""
        return int((~self.gt_ignored).sum())

    def hits(self, *, evaluation_iou: float) -> Hits:
        """Judge every detection, as the VOC devkit does.

        By falling score each takes its object, also one that was taken already: a second
        hit is a false positive.

        Args:
            evaluation_iou: least jaccard of a hit, in 0–1.

        Returns:
            The verdicts.

        Raises:
            ConfigError: the evaluation IoU lies outside 0–1.
        """
        if not 0 <= evaluation_iou <= 1:
            raise ConfigError(f"The evaluation IoU must lie in 0–1, got {evaluation_iou}; choose a share.")
        reaches = (self.gt >= 0) & (self.overlap >= evaluation_iou)
        on_ignored = reaches.clone()
        on_ignored[reaches] = self.gt_ignored[self.gt[reaches]]
        claims = self.order[(reaches & ~on_ignored)[self.order]]
        first = torch.full_like(self.gt_picture, _FAR)
        first.scatter_reduce_(0, self.gt[claims], torch.arange(len(claims)), "amin")
        found, right = first < _FAR, torch.zeros_like(reaches)
        right[claims[first[found]]] = True
        return Hits(right, on_ignored, found)


Judgeable = Sequence[PictureResult] | Pairing


def pair_up(results: Judgeable) -> Pairing:
    """Find for every detection the object that it lies on.

    Args:
        results: one for each picture; a pairing is given back as it is.

    Returns:
        The columns. Time and memory grow with pairs of detection and object in one picture.

    Raises:
        BoxError: a box is not finite, or inverted.

    Example:
        >>> box, no = torch.tensor([[0.0, 0.0, 0.5, 0.5]]), torch.tensor([False])
        >>> one, half = torch.tensor([1]), torch.tensor([0.5])
        >>> pair_up([PictureResult(9, 9, box, one, no, box, one, half)]).hits(evaluation_iou=0.5).found
        tensor([True])
    """
    if isinstance(results, Pairing):
        return results
    drawn = [_comparable(result) for result in results]
    boxes, gt_boxes = (_together([pair[side] for pair in drawn], (0, 4)) for side in (0, 1))
    validate_boxes(boxes, name="detections")
    validate_boxes(gt_boxes, name="objects")
    picture, index = _places([len(result.boxes) for result in results])
    gt_picture, gt_index = _places([len(result.gt_boxes) for result in results])
    label = _together([result.labels for result in results], (0,), torch.int64)
    gt_label = _together([result.gt_labels for result in results], (0,), torch.int64)
    ignored = _together([result.gt_ignored for result in results], (0,), torch.bool)
    score = _together([result.scores.to(torch.float64) for result in results], (0,), torch.float64)
    gt = torch.full_like(label, UNMATCHED)
    overlap = torch.zeros_like(score)
    for rows, d, g in in_one_picture(picture, gt_picture, num_pictures=len(results)):
        meets = (label[rows][d] == gt_label[g]) | ignored[g]
        d, g = d[meets], g[meets]
        jaccards = paired_jaccard(boxes[rows][d], gt_boxes[g]).to(torch.float64)
        gt[rows], overlap[rows] = _best(jaccards, d, g, count=len(gt[rows]))
    order = score.argsort(descending=True, stable=True)
    objects = (gt_picture, gt_index, gt_label, ignored)
    return Pairing(results, picture, index, label, score, gt, overlap, order, *objects, boxes, gt_boxes)


def in_one_picture(
    picture: Int64[Tensor, "n"], gt_picture: Int64[Tensor, "g"], *, num_pictures: int
) -> Iterator[tuple[slice, Tensor, Tensor]]:
    """Every detection with every object of its picture, some millions at once.

    Args:
        picture: of each detection, in any order.
        gt_picture: of each object, in rising order.
        num_pictures: how many there are.

    Yields:
        A stretch of detections; of each pair the detection's place in that stretch (rising),
        and the object (rising within a detection).

    Example:
        >>> both = torch.tensor([0, 1]), torch.tensor([1, 1])
        >>> [(d.tolist(), g.tolist()) for _, d, g in in_one_picture(*both, num_pictures=2)]
        [([1, 1], [0, 1])]
    """
    held = torch.bincount(gt_picture, minlength=num_pictures)
    first = held.cumsum(0) - held
    total = held[picture].cumsum(0)
    start = 0
    while start < len(picture):
        done = int(total[start - 1]) if start else 0
        limit = torch.tensor(done + _PAIRS_AT_ONCE)
        stop = max(start + 1, int(torch.searchsorted(total, limit, right=True)))
        counts = held[picture[start:stop]]
        d = torch.arange(stop - start).repeat_interleave(counts)
        place = torch.arange(len(d)) - (counts.cumsum(0) - counts)[d]
        yield slice(start, stop), d, first[picture[start:stop]][d] + place
        start = stop


def _best(jaccards: Tensor, d: Tensor, g: Tensor, *, count: int) -> tuple[Tensor, Tensor]:
    """Of each detection the object of the highest jaccard, the first among equals, and that jaccard."""
    best = torch.full((count,), -1.0, dtype=torch.float64).scatter_reduce_(0, d, jaccards, "amax")
    top = jaccards == best[d]
    gt = torch.full((count,), _FAR).scatter_reduce_(0, d[top], g[top], "amin")
    return torch.where(gt < _FAR, gt, UNMATCHED), best.clamp(min=0)


def _comparable(result: PictureResult) -> tuple[Tensor, Tensor]:
    """Detections and objects in one unit: as they are, or the pixels of the files they come from."""
    if torch.float64 not in (result.boxes.dtype, result.gt_boxes.dtype):
        return result.boxes, result.gt_boxes
    return in_pixels(result.boxes, result), in_pixels(result.gt_boxes, result)


def _together(parts: list[Tensor], shape: tuple[int, ...], dtype: torch.dtype = torch.float32) -> Tensor:
    """One after another; empty of that shape without any."""
    return torch.cat(parts) if parts else torch.zeros(shape, dtype=dtype)


def _places(counts: list[int]) -> tuple[Tensor, Tensor]:
    """Of each item its picture, and its place there."""
    held = torch.tensor(counts, dtype=torch.int64)
    picture = torch.arange(len(counts)).repeat_interleave(held)
    return picture, torch.arange(len(picture)) - (held.cumsum(0) - held)[picture]
