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
from ssd.nms import SoftSuppression, staying, suppress, suppress_softly

__all__ = ["Detections", "Fate", "Selection", "select", "select_kept"]

_FIRST = 10  # so many times the cap are tried first where only those that stay are asked for


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
        scores: in 0–1; after soft-NMS those that it left.
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
    moves a box to a later fate or to ``KEPT``, never to an earlier one. Soft-NMS suppresses
    a candidate where it leaves it no score above the score threshold.

    Attributes:
        detections: the candidates that stayed, by falling score after NMS.
        kept: index of the candidate behind each detection.
        boxes: xyxy in [0, 1] units, clipped.
        labels: class 1..C.
        scores: in 0–1, as the network gave them.
        anchors: index of the anchor.
        fate: a :class:`Fate` for each candidate.
        suppressed_by: index of the candidate that suppressed this one, or ``UNMATCHED``.
        overlap: jaccard with it.
        decayed: scores after NMS; hard NMS changes none.
        decayed_by: index of the candidate that lowered the score most, or ``UNMATCHED``.
        num_below: pairs at or below the score threshold.
        num_not_finite: pairs dropped because a score or box was NaN or infinite.
    """

    detections: Detections
    kept: Int64[Tensor, "k"]
    boxes: Float[Tensor, "n 4"]
    labels: Int64[Tensor, "n"]
    scores: Float[Tensor, "n"]
    anchors: Int64[Tensor, "n"]
    fate: Int64[Tensor, "n"]
    suppressed_by: Int64[Tensor, "n"]
    overlap: Float[Tensor, "n"]
    decayed: Float[Tensor, "n"]
    decayed_by: Int64[Tensor, "n"]
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
        config: the four limits, and which NMS.

    Returns:
        The selection. Non-finite scores and boxes never become candidates.

    Raises:
        DataError: boxes and scores differ in number.

    Source:
        Liu et al., SSD, ECCV 2016, section 3.1; torchvision, SSD.postprocess_detections.
        Bodla et al., Soft-NMS, ICCV 2017, for ``nms_kind="soft"``.

    Example:
        >>> boxes = torch.tensor([[0.0, 0.0, 0.5, 0.5], [0.0, 0.0, 0.5, 0.45]])
        >>> picked = select(boxes, torch.tensor([[0.9], [0.8]]), config=SelectionConfig())
        >>> picked.fate, picked.suppressed_by
        (tensor([0, 2]), tensor([-1,  0]))
    """
    pool = _Pool(boxes, scores, config)
    boxes, scores = pool.boxes, pool.scores
    anchor, column = pool.best()
    candidate_boxes, candidate_scores = boxes[anchor], scores[anchor, column]
    ends = _fates(candidate_boxes, candidate_scores, column, config)
    kept = ends.kept
    return Selection(
        detections=Detections(candidate_boxes[kept], column[kept] + 1, ends.decayed[kept], anchor[kept]),
        kept=kept,
        boxes=candidate_boxes,
        labels=column + 1,
        scores=candidate_scores,
        anchors=anchor,
        fate=ends.fate,
        suppressed_by=ends.by,
        overlap=ends.overlap,
        decayed=ends.decayed,
        decayed_by=ends.decayed_by,
        num_below=int((pool.finite & ~pool.above).sum()),
        num_not_finite=int((~pool.finite).sum()),
    )


def select_kept(
    boxes: Float[Tensor, "a 4"], scores: Float[Tensor, "a c"], *, config: SelectionConfig
) -> Detections:
    """The detections of :func:`select` alone, without reasons: for whole data sets.

    Greedy suppression asks only those with a higher score, so the best few candidates are
    suppressed first, and the others only where these leave room below the cap.

    Args:
        boxes: decoded xyxy boxes in [0, 1] units; they are clipped to the picture.
        scores: score of each class in 0–1, without a background column.
        config: the four limits, and which NMS.

    Returns:
        Exactly what ``select(...).detections`` gives; soft-NMS, which changes scores, takes
        that way.

    Raises:
        DataError: boxes and scores differ in number.

    Example:
        >>> boxes = torch.tensor([[0.0, 0.0, 0.5, 0.5], [0.0, 0.0, 0.5, 0.45]])
        >>> select_kept(boxes, torch.tensor([[0.9], [0.8]]), config=SelectionConfig()).anchors
        tensor([0])
    """
    if config.nms_kind == "soft":
        return select(boxes, scores, config=config).detections
    pool = _Pool(boxes, scores, config)
    pool.narrow(config.top_k)
    anchor, column = pool.best(_FIRST * config.max_detections)
    stay = _staying(pool, anchor, column, config)
    if len(stay) < config.max_detections and len(anchor) < pool.size:
        anchor, column = pool.best()
        stay = _staying(pool, anchor, column, config)
    stay = stay[: config.max_detections]
    anchor, column = anchor[stay], column[stay]
    return Detections(pool.boxes[anchor], column + 1, pool.scores[anchor, column], anchor)


def _staying(pool: _Pool, anchor: Tensor, column: Tensor, config: SelectionConfig) -> Tensor:
    """Places, best first, of those within top-k that hard NMS keeps."""
    runner = (_rank_in_class(column) < config.top_k).nonzero()[:, 0]
    groups = None if config.class_agnostic else column[runner]
    at = anchor[runner]
    return runner[
        staying(
            pool.boxes[at],
            pool.scores[at, column[runner]],
            nms_threshold=config.nms_threshold,
            groups=groups,
        )
    ]


class _Pool:
    """Pairs of anchor and class that are candidates."""

    def __init__(self, boxes: Tensor, scores: Tensor, config: SelectionConfig) -> None:
        """Boxes clipped, and which pairs are finite and above the score threshold."""
        if len(boxes) != len(scores):
            raise DataError(f"Each box needs a row of scores, got {len(boxes)} boxes and {len(scores)} rows.")
        boxes, self.scores = boxes.detach().to(torch.float32), scores.detach().to(torch.float32)
        self.finite = torch.isfinite(self.scores) & torch.isfinite(boxes).all(dim=1, keepdim=True)
        self.boxes = clip(boxes)  # after the check: clipping would turn an infinite edge into a border
        self.above = self.finite & (self.scores.to(torch.float64) > config.score_threshold)
        self.size = int(self.above.sum())

    def narrow(self, top_k: int) -> None:
        """Leave out those that are beyond top-k of their class whatever stands beside them."""
        if top_k >= len(self.above):
            return
        least = self.scores.masked_fill(~self.above, -1.0).topk(top_k, dim=0, sorted=False).values
        self.above = self.above & (self.scores >= least.min(dim=0).values)  # with all that equal the last
        self.size = int(self.above.sum())

    def best(self, count: int | None = None) -> tuple[Tensor, Tensor]:
        """Anchor and column of each pair, best first; of at least the ``count`` best ones only."""
        above = self.above
        if count is not None and count < self.size:
            least = self.scores[above].topk(count, sorted=False).values.min()
            above = above & (self.scores >= least)  # with all that equal the last one
        anchor, column = above.nonzero(as_tuple=True)
        order = self.scores[anchor, column].argsort(descending=True, stable=True)
        return anchor[order], column[order]


@dataclass(frozen=True)
class _Ends:
    """What becomes of candidates that stand best first."""

    kept: Tensor
    fate: Tensor
    by: Tensor
    overlap: Tensor
    decayed: Tensor
    decayed_by: Tensor


def _fates(boxes: Tensor, scores: Tensor, column: Tensor, config: SelectionConfig) -> _Ends:
    """Top-k, NMS and cap."""
    fate = torch.full_like(column, int(Fate.BEYOND_TOP_K))
    by, decayed_by = torch.full_like(column, UNMATCHED), torch.full_like(column, UNMATCHED)
    overlap, decayed = torch.zeros_like(scores), scores.clone()
    runner = (_rank_in_class(column) < config.top_k).nonzero()[:, 0]
    groups = None if config.class_agnostic else column[runner]
    result = _suppressed(boxes[runner], scores[runner], groups, config)
    fate[runner] = torch.where(result.keep, int(Fate.KEPT), int(Fate.SUPPRESSED))
    by[runner] = _indices(result.suppressed_by, runner)
    overlap[runner], decayed[runner] = result.overlap, result.after
    decayed_by[runner] = _indices(result.decayed_by, runner)
    survivors = (fate == int(Fate.KEPT)).nonzero()[:, 0]
    survivors = survivors[decayed[survivors].argsort(descending=True, stable=True)]
    fate[survivors[config.max_detections :]] = int(Fate.BEYOND_CAP)
    return _Ends(survivors[: config.max_detections], fate, by, overlap, decayed, decayed_by)


def _suppressed(
    boxes: Tensor, scores: Tensor, groups: Tensor | None, config: SelectionConfig
) -> SoftSuppression:
    """Either NMS; the hard one leaves every score as it is."""
    if config.nms_kind == "soft":
        return suppress_softly(
            boxes,
            scores,
            sigma=config.soft_sigma,
            score_threshold=config.score_threshold,
            groups=groups,
        )
    hard = suppress(boxes, scores, nms_threshold=config.nms_threshold, groups=groups)
    nobody = torch.full_like(hard.suppressed_by, UNMATCHED)
    return SoftSuppression(hard.keep, scores, scores, nobody, hard.suppressed_by, hard.overlap)


def _indices(found: Tensor, runner: Tensor) -> Tensor:
    """Indices into those that ran as indices into all candidates."""
    return torch.where(found == UNMATCHED, UNMATCHED, runner[found.clamp(min=0)])


def _rank_in_class(column: Tensor) -> Tensor:
    """Position of each candidate among those of its class, from 0; best first."""
    order = column.argsort(stable=True)  # by class, best first within
    ordered = column[order]
    starts = torch.searchsorted(ordered, ordered)  # first position of the class
    rank = torch.empty_like(column)
    rank[order] = torch.arange(len(column), device=column.device) - starts
    return rank
