"""Selection: from scores and boxes to detections, with a reason for everyone who left."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from ssd.boxes import clip
from ssd.config import UNMATCHED, SelectionConfig
from ssd.errors import DataError
from ssd.nms import suppress

__all__ = ["Detections", "Fate", "Selection", "select"]


class Fate(IntEnum):
    """What became of a candidate, in the order of the pipeline."""

    KEPT = 0
    BEYOND_TOP_K = 1
    SUPPRESSED = 2
    BEYOND_CAP = 3


@dataclass(frozen=True)
class Detections:
    """What a detector says about a picture, best first.

    Attributes:
        boxes: xyxy in [0, 1] units, clipped to the picture.
        labels: class 1..C.
        scores: in 0–1.
        anchors: index of the anchor each detection came from.
    """

    boxes: Float[Tensor, "n 4"]
    labels: Int64[Tensor, "n"]
    scores: Float[Tensor, "n"]
    anchors: Int64[Tensor, "n"]

    def __len__(self) -> int:
        """Number of detections."""
        return int(self.scores.shape[0])


@dataclass(frozen=True)
class Selection:
    """The detections, and why every other box left.

    A candidate is a pair of anchor and class whose score is above the score
    threshold; candidates stand best first (equal scores: the lower anchor, then the
    lower class). The fates do not depend on the cap: a candidate that NMS suppresses
    is ``SUPPRESSED`` also where the cap would have cut it, so that lifting one limit
    moves a box to a later fate or to ``KEPT``, never to an earlier one.

    Attributes:
        detections: the candidates that stayed.
        boxes: xyxy in [0, 1] units, clipped.
        labels: class 1..C.
        scores: in 0–1.
        anchors: index of the anchor.
        fate: a :class:`Fate` for each candidate.
        suppressed_by: index of the candidate that suppressed this one, or ``UNMATCHED``.
        overlap: jaccard with it.
        num_below: pairs at or below the score threshold.
        num_not_finite: pairs dropped because a score or box was NaN or infinite.
    """

    detections: Detections
    boxes: Float[Tensor, "n 4"]
    labels: Int64[Tensor, "n"]
    scores: Float[Tensor, "n"]
    anchors: Int64[Tensor, "n"]
    fate: Int64[Tensor, "n"]
    suppressed_by: Int64[Tensor, "n"]
    overlap: Float[Tensor, "n"]
    num_below: int
    num_not_finite: int

    def count(self, fate: Fate) -> int:
        """How many candidates met that fate."""
        return int((self.fate == int(fate)).sum())


def select(
    boxes: Float[Tensor, "a 4"], scores: Float[Tensor, "a c"], *, config: SelectionConfig
) -> Selection:
    """Score threshold, top-k of each class, NMS, cap: in this order, with reasons.

    Args:
        boxes: decoded xyxy boxes in [0, 1] units; they are clipped to the picture.
        scores: score of each class in 0–1, without a background column; column
            ``j`` is class ``j + 1``.
        config: the four limits.

    Returns:
        The selection. Non-finite scores and boxes never become candidates.

    Raises:
        DataError: boxes and scores differ in number.

    Source:
        Liu et al., SSD, ECCV 2016, section 3.1; torchvision, SSD.postprocess_detections.

    Example:
        >>> boxes = torch.tensor([[0.0, 0.0, 0.5, 0.5], [0.0, 0.0, 0.5, 0.45]])
        >>> picked = select(boxes, torch.tensor([[0.9], [0.8]]), config=SelectionConfig())
        >>> picked.fate, picked.suppressed_by
        (tensor([0, 2]), tensor([-1,  0]))
    """
    if len(boxes) != len(scores):
        raise DataError(f"Each box needs a row of scores, got {len(boxes)} boxes and {len(scores)} rows.")
    boxes, scores = boxes.detach().to(torch.float32), scores.detach().to(torch.float32)
    finite = torch.isfinite(scores) & torch.isfinite(boxes).all(dim=1, keepdim=True)  # (a, c)
    boxes = clip(boxes)  # after the check: clipping would turn an infinite edge into a border
    above = finite & (scores.to(torch.float64) > config.score_threshold)
    anchor, column = above.nonzero(as_tuple=True)
    order = scores[anchor, column].argsort(descending=True, stable=True)
    anchor, column = anchor[order], column[order]
    candidate_boxes, candidate_scores = boxes[anchor], scores[anchor, column]
    fate, by, overlap = _fates(candidate_boxes, candidate_scores, column, config)
    kept = fate == int(Fate.KEPT)
    return Selection(
        detections=Detections(candidate_boxes[kept], column[kept] + 1, candidate_scores[kept], anchor[kept]),
        boxes=candidate_boxes,
        labels=column + 1,
        scores=candidate_scores,
        anchors=anchor,
        fate=fate,
        suppressed_by=by,
        overlap=overlap,
        num_below=int((finite & ~above).sum()),
        num_not_finite=int((~finite).sum()),
    )


def _fates(
    boxes: Tensor, scores: Tensor, column: Tensor, config: SelectionConfig
) -> tuple[Tensor, Tensor, Tensor]:
    """Fate, sender and jaccard of candidates that stand best first."""
    fate = torch.full_like(column, int(Fate.BEYOND_TOP_K))
    by = torch.full_like(column, UNMATCHED)
    overlap = torch.zeros_like(scores)
    runner = (_rank_in_class(column) < config.top_k).nonzero()[:, 0]
    groups = None if config.class_agnostic else column[runner]
    result = suppress(boxes[runner], scores[runner], nms_threshold=config.nms_threshold, groups=groups)
    fate[runner] = torch.where(result.keep, int(Fate.KEPT), int(Fate.SUPPRESSED))
    by[runner] = torch.where(result.keep, UNMATCHED, runner[result.suppressed_by.clamp(min=0)])
    overlap[runner] = result.overlap
    survivors = (fate == int(Fate.KEPT)).nonzero()[:, 0]
    fate[survivors[config.max_detections :]] = int(Fate.BEYOND_CAP)
    return fate, by, overlap


def _rank_in_class(column: Tensor) -> Tensor:
    """Position of each candidate among those of its class, from 0; best first."""
    order = column.argsort(stable=True)  # by class, best first within
    ordered = column[order]
    starts = torch.searchsorted(ordered, ordered)  # first position of the class
    rank = torch.empty_like(column)
    rank[order] = torch.arange(len(column), device=column.device) - starts
    return rank
