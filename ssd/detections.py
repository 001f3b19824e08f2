"""Selection: from scores and boxes to detections, with a reason for everyone who left."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from ssd.config import UNMATCHED, SelectionConfig
from ssd.nms import SoftSuppression, staying, suppress, suppress_softly
from ssd.ranking import Pool, Ranked, rank_in_class

__all__ = ["Detections", "Fate", "Selection", "select", "standing"]


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
    pool = Pool(boxes, scores, score_threshold=config.score_threshold)
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


def standing(ranked: Ranked, *, config: SelectionConfig) -> Detections:
    """The detections of :func:`select` alone, without reasons: for whole data sets.

    Greedy suppression asks only those with a higher score, so the best few candidates are
    ranked and suppressed first, and the others only where these leave room below the cap.

    Args:
        ranked: what :func:`ssd.ranking.rank` gave for the same score threshold and top-k; it
            serves every threshold and kind of hard NMS, and every cap.
        config: the limits, with hard NMS; soft NMS, which changes scores, needs :func:`select`.

    Returns:
        Exactly what ``select(...).detections`` gives where the ranked ones suffice
        (:meth:`ssd.ranking.Ranked.suffices`), else the first of them.

    Example:
        >>> boxes = torch.tensor([[0.0, 0.0, 0.5, 0.5], [0.0, 0.0, 0.5, 0.45]])
        >>> from ssd.ranking import rank
        >>> config = SelectionConfig(nms_threshold=0.95)
        >>> standing(rank(boxes, torch.tensor([[0.9], [0.8]]), config=config), config=config).anchors
        tensor([0, 1])
    """
    stay = staying(
        ranked.boxes,
        ranked.scores,
        nms_threshold=config.nms_threshold,
        groups=None if config.class_agnostic else ranked.labels,
    )[: config.max_detections]
    return Detections(ranked.boxes[stay], ranked.labels[stay], ranked.scores[stay], ranked.anchors[stay])


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
    runner = (rank_in_class(column) < config.top_k).nonzero()[:, 0]
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
