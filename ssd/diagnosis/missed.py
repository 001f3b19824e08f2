"""Why was this object missed? Exactly one verdict for each, in the order of the pipeline.

Everything is read from the records that the pipeline made on its way: nothing is selected,
suppressed or judged a second time in another manner.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from ssd.boxes import clip, jaccard
from ssd.config import UNMATCHED, SelectionConfig
from ssd.detections import Fate, Selection
from ssd.errors import DataError
from ssd.metrics import Judgement, PictureResult, judge

__all__ = [
    "Diagnosis",
    "Verdict",
    "diagnose",
    "lifted",
    "require_together",
]

_NO_LIMIT = 1_000_000_000


class Verdict(IntEnum):
    """What became of an object, in the order of the pipeline: later is nearer to being found."""

    IGNORED = -1
    NO_BOX = 0
    WRONG_CLASS = 1
    LOW_SCORE = 2
    BEYOND_TOP_K = 3
    SUPPRESSED = 4
    BEYOND_CAP = 5
    CLAIMED = 6
    FOUND = 7


@dataclass(frozen=True)
class Diagnosis:
    """One verdict for each object, and the boxes that are to blame.

    Attributes:
        verdict: a :class:`Verdict` for each object.
        anchor: whose box the verdict is about: of those that lie right the one that came
            furthest; with ``NO_BOX`` the nearest; ``UNMATCHED`` without any finite box.
        candidate: that box among the selection's candidates, or ``UNMATCHED`` where it is
            none; with ``WRONG_CLASS`` the candidate of the other class.
        suppressed_by: with ``SUPPRESSED`` the candidate that did it, or ``UNMATCHED``.
        claimed_by: with ``CLAIMED`` the object that the box answers for, or ``UNMATCHED``.
        best_jaccard: of any finite box with the object; 0 without one.
        score: the highest of the object's class among the boxes that lie right; with
            ``NO_BOX`` that of the nearest box.
    """

    verdict: Int64[Tensor, "g"]
    anchor: Int64[Tensor, "g"]
    candidate: Int64[Tensor, "g"]
    suppressed_by: Int64[Tensor, "g"]
    claimed_by: Int64[Tensor, "g"]
    best_jaccard: Float[Tensor, "g"]
    score: Float[Tensor, "g"]

    def count(self, verdict: Verdict) -> int:
        """How many objects met that verdict."""
        return int((self.verdict == int(verdict)).sum())


def diagnose(
    boxes: Float[Tensor, "a 4"],
    scores: Float[Tensor, "a c"],
    *,
    picked: Selection,
    result: PictureResult,
    evaluation_iou: float = 0.5,
) -> Diagnosis:
    """One verdict for each object: the first stage at which its last box was lost.

    A box lies right when its jaccard with the object is at least ``evaluation_iou``. In
    order: ``NO_BOX`` lies right (a box whose scores are all 0 is none); above the score
    threshold they are only of the ``WRONG_CLASS``; of any class they have a ``LOW_SCORE``;
    all of its class are ``BEYOND_TOP_K``; ``SUPPRESSED``; ``BEYOND_CAP``; the ones that were
    kept are ``CLAIMED`` by another object that they overlap more. Lifting the one limit
    (:func:`lifted`) moves the object to a later verdict or to ``FOUND``.

    Args:
        boxes: decoded xyxy boxes in [0, 1] units, as they went into ``select``.
        scores: of classes 1..C, as they went into ``select``.
        picked: what ``select`` made of them.
        result: the objects of the picture, and ``picked.detections`` beside them.
        evaluation_iou: least jaccard of a hit, in 0–1.

    Returns:
        The diagnosis; ignored objects have the verdict ``IGNORED``.

    Raises:
        ConfigError: the evaluation IoU lies outside 0–1.
        DataError: the result does not hold the detections of the selection, or an object's
            class has no scores.

    Example:
        >>> from ssd.detections import select
        >>> boxes, one, no = torch.tensor([[0.0, 0.0, 0.5, 0.5]]), torch.tensor([1]), torch.tensor([False])
        >>> scores, config = torch.tensor([[0.3]]), SelectionConfig(score_threshold=0.5)
        >>> picked = select(boxes, scores, config=config)
        >>> said = picked.detections
        >>> result = PictureResult(9, 9, boxes, one, no, said.boxes, said.labels, said.scores)
        >>> Verdict(int(diagnose(boxes, scores, picked=picked, result=result).verdict)).name
        'LOW_SCORE'
    """
    require_together(scores, picked, result)
    judged = judge(result, evaluation_iou=evaluation_iou)
    there = _boxes_there(boxes, scores, result, evaluation_iou)
    stages = _stages(there, picked, result)
    verdict = _verdicts(there, stages, judged, result)
    candidate = _candidates(verdict, stages, picked, judged)
    return Diagnosis(
        verdict=verdict,
        anchor=_anchors(verdict, candidate, there, picked),
        candidate=candidate,
        suppressed_by=_where(verdict, Verdict.SUPPRESSED, picked.suppressed_by, candidate),
        claimed_by=_where(verdict, Verdict.CLAIMED, _objects_of(picked, judged), candidate),
        best_jaccard=_largest(there.overlap),
        score=_scores(there),
    )


def require_together(scores: Tensor, picked: Selection, result: PictureResult) -> None:
    """Raise unless the records are of one picture and one detector.

    Args:
        scores: of classes 1..C.
        picked: a selection.
        result: objects and detections.

    Raises:
        DataError: the result does not hold the detections of the selection, or an object's
            class has no scores.
    """
    if len(picked.detections) != len(result.boxes):
        raise DataError(
            f"A diagnosis needs the result of its selection, got {len(result.boxes)} detections beside "
            f"{len(picked.detections)} selected ones; judge picked.detections."
        )
    wrong = (~result.gt_ignored & ((result.gt_labels < 1) | (result.gt_labels > scores.shape[1]))).nonzero()
    if len(wrong):
        raise DataError(
            f"Object {int(wrong[0])} must be of a class in 1..{scores.shape[1]}, got "
            f"{int(result.gt_labels[wrong[0]])}; open the data set with the detector's class names."
        )


@dataclass(frozen=True)
class _There:
    """The decoded boxes beside the objects.

    Attributes:
        overlap: jaccard; 0 of boxes that are not finite.
        right: whether the box lies right.
        own: score of the object's class; 0 where not finite.
    """

    overlap: Float[Tensor, "a g"]
    right: Bool[Tensor, "a g"]
    own: Float[Tensor, "a g"]


def _boxes_there(boxes: Tensor, scores: Tensor, result: PictureResult, evaluation_iou: float) -> _There:
    """The same boxes and the same comparison as in selection and judgement."""
    finite = torch.isfinite(boxes).all(dim=1)
    known = torch.where(torch.isfinite(scores) & finite[:, None], scores, 0.0).to(torch.float32)
    drawn = clip(torch.where(finite[:, None], boxes, 0.0).to(torch.float32))
    overlap = jaccard(drawn, result.gt_boxes) * finite[:, None]
    alive = (known > 0).any(dim=1, keepdim=True)
    right = (overlap.to(torch.float64) >= evaluation_iou) & alive
    return _There(overlap, right, known[:, (result.gt_labels - 1).clamp(0, scores.shape[1] - 1)])


@dataclass(frozen=True)
class _Stages:
    """Which candidates are left of each object after every stage; rows stand best first."""

    other: Bool[Tensor, "n g"]  # lie right, but are of another class
    own: Bool[Tensor, "n g"]  # lie right and are of its class
    in_top_k: Bool[Tensor, "n g"]
    survived: Bool[Tensor, "n g"]
    kept: Bool[Tensor, "n g"]


def _stages(there: _There, picked: Selection, result: PictureResult) -> _Stages:
    """Read the fates."""
    right = there.right[picked.anchors]
    same = picked.labels[:, None] == result.gt_labels[None, :]
    fate, own = picked.fate[:, None], right & same
    return _Stages(
        other=right & ~same,
        own=own,
        in_top_k=own & (fate != int(Fate.BEYOND_TOP_K)),
        survived=own & ((fate == int(Fate.KEPT)) | (fate == int(Fate.BEYOND_CAP))),
        kept=own & (fate == int(Fate.KEPT)),
    )


def _verdicts(there: _There, stages: _Stages, judged: Judgement, result: PictureResult) -> Tensor:
    """The first stage with nobody left; written from the last to the first."""
    hopeless = ~(there.own * there.right > 0).any(dim=0)  # no threshold is low enough for a score of 0
    lost = {
        Verdict.BEYOND_CAP: ~stages.kept.any(dim=0),
        Verdict.SUPPRESSED: ~stages.survived.any(dim=0),
        Verdict.BEYOND_TOP_K: ~stages.in_top_k.any(dim=0),
        Verdict.LOW_SCORE: ~stages.own.any(dim=0),
        Verdict.WRONG_CLASS: ~stages.own.any(dim=0) & (stages.other.any(dim=0) | hopeless),
        Verdict.NO_BOX: ~there.right.any(dim=0),
        Verdict.FOUND: judged.found,
        Verdict.IGNORED: result.gt_ignored,
    }
    verdict = torch.full_like(result.gt_labels, int(Verdict.CLAIMED))
    for name, holds in lost.items():
        verdict[holds] = int(name)
    return verdict


def _candidates(verdict: Tensor, stages: _Stages, picked: Selection, judged: Judgement) -> Tensor:
    """The best candidate of the last stage that an object reached, or the one that found it."""
    reached = {
        Verdict.WRONG_CLASS: stages.other,
        Verdict.BEYOND_TOP_K: stages.own,
        Verdict.SUPPRESSED: stages.in_top_k,
        Verdict.BEYOND_CAP: stages.survived,
        Verdict.CLAIMED: stages.kept,
        Verdict.FOUND: _objects_of(picked, judged, hits=True)[:, None] == torch.arange(len(verdict)),
    }
    candidate = torch.full_like(verdict, UNMATCHED)
    for name, rows in reached.items():
        if len(rows):
            first = torch.where(rows.any(dim=0), rows.to(torch.uint8).argmax(dim=0), UNMATCHED)
            candidate = torch.where(verdict == int(name), first, candidate)
    return candidate


def _anchors(verdict: Tensor, candidate: Tensor, there: _There, picked: Selection) -> Tensor:
    """The anchor of the candidate; without one that of the best score, or the nearest."""
    if len(there.overlap) == 0:
        return torch.full_like(verdict, UNMATCHED)
    by_score = there.own.masked_fill(~there.right, -1.0).argmax(dim=0)
    nearest = torch.where(_largest(there.overlap) > 0, there.overlap.argmax(dim=0), UNMATCHED)
    anchor = torch.where(there.right.any(dim=0), by_score, nearest)
    chosen = candidate >= 0
    anchor[chosen] = picked.anchors[candidate[chosen]]
    return anchor


def _scores(there: _There) -> Tensor:
    """The best score among boxes that lie right, or of the nearest box."""
    if len(there.overlap) == 0:
        return torch.zeros(there.overlap.shape[1])
    best = there.own.masked_fill(~there.right, 0.0).max(dim=0).values
    nearest = there.own.gather(0, there.overlap.argmax(dim=0)[None])[0]
    return torch.where(there.right.any(dim=0), best, nearest)


def _largest(overlap: Tensor) -> Tensor:
    """Of each column; 0 without rows."""
    return overlap.max(dim=0).values if len(overlap) else torch.zeros(overlap.shape[1])


def _objects_of(picked: Selection, judged: Judgement, *, hits: bool = False) -> Tensor:
    """Of each candidate the object that it answers for (or: that it found), or ``UNMATCHED``."""
    objects = torch.full_like(picked.fate, UNMATCHED)
    said = torch.where(judged.true_positive, judged.gt, UNMATCHED) if hits else judged.gt
    objects[picked.kept] = said
    return objects


def _where(verdict: Tensor, which: Verdict, of_candidate: Tensor, candidate: Tensor) -> Tensor:
    """What is known of the candidates of the objects with one verdict; ``UNMATCHED`` of others."""
    chosen = torch.full_like(verdict, UNMATCHED)
    rows = (verdict == int(which)) & (candidate >= 0)
    chosen[rows] = of_candidate[candidate[rows]]
    return chosen


def lifted(config: SelectionConfig, verdict: Verdict) -> SelectionConfig | None:
    """The selection without the one limit that a verdict is about.

    Args:
        config: the limits that led to the verdict.
        verdict: of an object.

    Returns:
        A copy with that limit lifted altogether; ``None`` where no limit of the selection is
        to blame: then it is the evaluation IoU, the class, or another object.

    Example:
        >>> lifted(SelectionConfig(), Verdict.SUPPRESSED).nms_threshold
        1.0
    """
    match verdict:
        case Verdict.LOW_SCORE:
            return replace(config, score_threshold=0.0)
        case Verdict.BEYOND_TOP_K:
            return replace(config, top_k=_NO_LIMIT)
        case Verdict.SUPPRESSED:
            return replace(config, nms_kind="hard", nms_threshold=1.0)
        case Verdict.BEYOND_CAP:
            return replace(config, max_detections=_NO_LIMIT)
        case _:
            return None
