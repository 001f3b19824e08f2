"""What a detector said of a picture, beside what is there: the record that every metric reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from ssd.boxes import to_pixels

__all__ = ["PictureResult", "above", "in_pixels"]

_PIXEL_DECIMALS = 9  # what float64 holds of a coordinate in a picture; brings back the number of a file


@dataclass(frozen=True)
class PictureResult:
    """What a detector said of a picture, beside what is there.

    Attributes:
        width_px: of the picture.
        height_px: of the picture.
        gt_boxes: xyxy in [0, 1] units; float64 where they and ``boxes`` come from files, so
            that numbers that agree there agree here.
        gt_labels: 1..C; of ignored objects anything.
        gt_ignored: neither to be found nor punished.
        boxes: detections, xyxy in [0, 1] units.
        labels: 1..C.
        scores: in 0–1, of other tools any finite number.
        gt_crowd: crowd boxes of COCO, which COCO AP ignores in their own class only; all of
            them are ignored. ``None``: there is none.
    """

    width_px: int
    height_px: int
    gt_boxes: Float[Tensor, "g 4"]
    gt_labels: Int64[Tensor, "g"]
    gt_ignored: Bool[Tensor, "g"]
    boxes: Float[Tensor, "n 4"]
    labels: Int64[Tensor, "n"]
    scores: Float[Tensor, "n"]
    gt_crowd: Bool[Tensor, "g"] | None = None


def above(results: Sequence[PictureResult], score: float) -> list[PictureResult]:
    """The results as a higher score threshold would have left them, without selecting again.

    Every step of the selection looks at better boxes only: a candidate's rank for top-k, the
    boxes that may suppress it, its place under the cap. So this equals a new selection exactly
    – for every top-k, cap and NMS threshold – as long as ``score`` is not below the score
    threshold that the results were selected at; below it, detections would be missing.

    Args:
        results: one for each picture, selected at a score threshold of at most ``score``.
        score: detections with a greater score stay.

    Returns:
        New results in the same order.

    Example:
        >>> box, no = torch.tensor([[0.0, 0.0, 0.5, 0.5]]), torch.zeros(0, dtype=torch.int64)
        >>> said = PictureResult(9, 9, box[:0], no, no.bool(), box, torch.tensor([1]), torch.tensor([0.25]))
        >>> len(above([said], 0.25)[0].boxes)
        0
    """
    return [_above(result, score) for result in results]


def _above(result: PictureResult, score: float) -> PictureResult:
    """One picture; the comparison is that of the selection."""
    stays = result.scores.to(torch.float64) > score
    if bool(stays.all()):
        return result
    return replace(
        result, boxes=result.boxes[stays], labels=result.labels[stays], scores=result.scores[stays]
    )


def in_pixels(boxes: Float[Tensor, "n 4"], result: PictureResult) -> Float[Tensor, "n 4"]:
    """Boxes of a result in pixels, as float64.

    Args:
        boxes: xyxy in [0, 1] units of the result's picture.
        result: whose picture it is.

    Returns:
        xyxy in pixels. Boxes that were float64 are rounded to a billionth of a pixel: that is
        the number in the file they come from, and a jaccard of exactly .5 there is one here.

    Example:
        >>> none, no = torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64)
        >>> empty = PictureResult(640, 480, none, no, no.bool(), none, no, torch.zeros(0))
        >>> in_pixels(torch.tensor([[0.0, 0.0, 0.5, 1.0]], dtype=torch.float64), empty)
        tensor([[  0.,   0., 320., 480.]], dtype=torch.float64)
    """
    pixels = to_pixels(boxes.to(torch.float64), width_px=result.width_px, height_px=result.height_px)
    return pixels.round(decimals=_PIXEL_DECIMALS) if boxes.dtype == torch.float64 else pixels
