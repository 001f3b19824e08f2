"""Which limit of the selection would have found a missed object, and what else it would let in.

Nothing is estimated: each answer was tried, by selecting and diagnosing again with the
limits moved. Limits move in steps of a hundredth, as the controls of a page do.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ssd.boxes import jaccard
from ssd.config import SelectionConfig
from ssd.detections import Fate, Selection, select
from ssd.diagnosis.missed import Diagnosis, Verdict, diagnose
from ssd.metrics import Judgement, PictureResult, judge

__all__ = ["FURTHEST", "Remedy", "finding", "silencing"]

FURTHEST = SelectionConfig(score_threshold=0.01, nms_threshold=0.95, top_k=1000, max_detections=1000)
_LOWEST_NMS = 0.05
_MOST_MOVES = 8
_LIMITS = ("score_threshold", "top_k", "class_agnostic", "nms_kind", "nms_threshold", "max_detections")


@dataclass(frozen=True)
class Remedy:
    """Limits under which an object is found, or a false positive is gone.

    Attributes:
        config: all limits, moved no further than was needed.
        moved: names of the limits that differ, in the order of the pipeline.
        gained: objects that are found with them and were not before.
        lost: objects that were found before and are not with them.
        wrong: how many more false positives there are with them; below 0: fewer.
    """

    config: SelectionConfig
    moved: tuple[str, ...]
    gained: int
    lost: int
    wrong: int


def finding(
    boxes: Float[Tensor, "a 4"],
    scores: Float[Tensor, "a c"],
    *,
    config: SelectionConfig,
    truth: PictureResult,
    g: int,
    furthest: SelectionConfig = FURTHEST,
    evaluation_iou: float = 0.5,
) -> Remedy | None:
    """Limits that find an object which is missed under the present ones.

    The limit that the verdict names is moved just far enough, then that of the next verdict,
    until the object is found. Where that leads nowhere, the loosest limits are tried, and all
    those put back that are not needed.

    Args:
        boxes: decoded xyxy boxes in [0, 1] units, as they went into ``select``.
        scores: of classes 1..C, as they went into ``select``.
        config: the present limits.
        truth: the objects of the picture; detections in it do not matter.
        g: index of the object.
        furthest: the loosest value of each limit; objects that these do not find have no remedy.
        evaluation_iou: least jaccard of a hit, in 0–1.

    Returns:
        The limits; ``None`` where none of them is to blame: the boxes themselves are, their
        classes, or another object. ``None`` too where the object is found or ignored.

    Example:
        >>> box, no = torch.tensor([[0.0, 0.0, 0.5, 0.5]]), torch.zeros(0)
        >>> truth = PictureResult(
        ...     9, 9, box, torch.tensor([1]), torch.tensor([False]), box[:0], no.long(), no
        ... )
        >>> limits = SelectionConfig(score_threshold=0.5)
        >>> finding(box, torch.tensor([[0.3]]), config=limits, truth=truth, g=0).config.score_threshold
        0.29
    """
    trial = _Trial.of(boxes, scores, truth, furthest, evaluation_iou)
    before = trial.at(config)
    if before.verdict(g) in (Verdict.IGNORED, Verdict.FOUND, Verdict.NO_BOX):
        return None
    found = _step_by_step(trial, config, g, furthest) or _from_the_loosest(trial, config, g, furthest)
    return None if found is None else _remedy(trial, config, found, before)


def silencing(
    boxes: Float[Tensor, "a 4"],
    scores: Float[Tensor, "a c"],
    *,
    config: SelectionConfig,
    truth: PictureResult,
    candidate: int,
    duplicate_of: int | None = None,
    evaluation_iou: float = 0.5,
) -> Remedy | None:
    """Limits that drop a false positive, by the NMS threshold where it is a duplicate, else by score.

    Args:
        boxes: as in :func:`finding`.
        scores: as there.
        config: the present limits.
        truth: as there.
        candidate: index of the false positive among the candidates of these limits.
        duplicate_of: candidate that found the object, where it is a duplicate.
        evaluation_iou: as there.

    Returns:
        The limits that lose the fewest objects; of equal ones the NMS threshold. ``None``
        where neither drops it: its score is 1.

    Example:
        >>> boxes, none = torch.tensor([[0.0, 0.0, 0.5, 0.5]]), torch.zeros(0)
        >>> truth = PictureResult(9, 9, boxes[:0], none.long(), none.bool(), boxes[:0], none.long(), none)
        >>> limits = SelectionConfig(score_threshold=0.5)
        >>> gone = silencing(boxes, torch.tensor([[0.7]]), config=limits, truth=truth, candidate=0)
        >>> gone.config.score_threshold, gone.wrong
        (0.7, -1)
    """
    trial = _Trial.of(boxes, scores, truth, config, evaluation_iou)
    before = trial.at(config)
    gone = (trial.anchors[before.picked.anchors[candidate]], before.picked.labels[candidate])
    offers = []
    for limits in _tighter(before.picked, config, candidate, duplicate_of):
        after = trial.at(limits)
        said = after.picked.detections
        if not bool(((trial.anchors[said.anchors] == gone[0]) & (said.labels == gone[1])).any()):
            offers.append(_remedy(trial, config, limits, before))
    return min(offers, key=lambda offer: offer.lost - offer.gained, default=None)


def _tighter(
    picked: Selection, config: SelectionConfig, candidate: int, duplicate_of: int | None
) -> Iterator[SelectionConfig]:
    """Limits that may drop a candidate."""
    if duplicate_of is not None:
        overlap = float(jaccard(picked.boxes[candidate, None], picked.boxes[duplicate_of, None]))
        nms = _below(overlap)
        if config.nms_kind == "hard" and _LOWEST_NMS <= nms < config.nms_threshold:
            yield replace(config, nms_threshold=nms)
    score = _not_below(float(picked.scores[candidate]))
    if score < 1:
        yield replace(config, score_threshold=score)


def _below(value: float) -> float:
    """The highest hundredth that is less than the value."""
    step = math.ceil(value * 100) / 100
    return step if step < value else round(step - 0.01, 2)


def _not_below(value: float) -> float:
    """The lowest hundredth that is not less than the value."""
    step = math.floor(value * 100) / 100
    return step if step >= value else round(step + 0.01, 2)


@dataclass(frozen=True)
class _Outcome:
    """What comes of one set of limits."""

    picked: Selection
    diagnosis: Diagnosis
    judged: Judgement

    def verdict(self, g: int) -> Verdict:
        """Of one object."""
        return Verdict(int(self.diagnosis.verdict[g]))


@dataclass(frozen=True)
class _Trial:
    """A picture that limits are tried on, without the anchors that no limit can reach.

    Attributes:
        boxes: of the anchors with a score above the lowest threshold.
        scores: of these anchors.
        anchors: their indices among all.
        truth: the objects.
        evaluation_iou: least jaccard of a hit.
    """

    boxes: Float[Tensor, "n 4"]
    scores: Float[Tensor, "n c"]
    anchors: Tensor
    truth: PictureResult
    evaluation_iou: float

    @classmethod
    def of(
        cls, boxes: Tensor, scores: Tensor, truth: PictureResult, loosest: SelectionConfig, iou: float
    ) -> _Trial:
        """Leave out what stays below every threshold that is tried."""
        alive = (scores.to(torch.float64) > loosest.score_threshold).any(dim=1).nonzero()[:, 0]
        return cls(boxes[alive], scores[alive], alive, truth, iou)

    def at(self, config: SelectionConfig) -> _Outcome:
        """Select, judge and diagnose."""
        picked = select(self.boxes, self.scores, config=config)
        said = picked.detections
        result = replace(self.truth, boxes=said.boxes, labels=said.labels, scores=said.scores)
        diagnosis = diagnose(
            self.boxes, self.scores, picked=picked, result=result, evaluation_iou=self.evaluation_iou
        )
        return _Outcome(picked, diagnosis, judge(result, evaluation_iou=self.evaluation_iou))

    def own(self, outcome: _Outcome, g: int) -> Bool[Tensor, "n"]:
        """Candidates of the object's class that lie right."""
        picked = outcome.picked
        right = jaccard(picked.boxes, self.truth.gt_boxes[g, None])[:, 0] >= self.evaluation_iou
        return right & (picked.labels == self.truth.gt_labels[g])


def _step_by_step(
    trial: _Trial, config: SelectionConfig, g: int, furthest: SelectionConfig
) -> SelectionConfig | None:
    """Move the limit that each verdict names, just far enough."""
    now = config
    for _ in range(_MOST_MOVES):
        outcome = trial.at(now)
        if outcome.verdict(g) == Verdict.FOUND:
            return now
        moved = _next(trial, outcome, now, g)
        if moved is None or not _within(moved, furthest):
            return None
        now = moved
    return None


def _next(trial: _Trial, outcome: _Outcome, config: SelectionConfig, g: int) -> SelectionConfig | None:
    """The limit that the verdict is about, moved past the box that it is about."""
    picked, said = outcome.picked, outcome.diagnosis
    candidate, verdict = int(said.candidate[g]), outcome.verdict(g)
    if verdict in (Verdict.LOW_SCORE, Verdict.WRONG_CLASS):
        score = _below(float(said.score[g]))
        return replace(config, score_threshold=score) if 0 <= score < config.score_threshold else None
    if verdict == Verdict.BEYOND_TOP_K:
        rank = int((picked.labels[:candidate] == picked.labels[candidate]).sum()) + 1
        return replace(config, top_k=rank)
    if verdict == Verdict.SUPPRESSED:
        if (
            config.class_agnostic
            and picked.labels[picked.suppressed_by[candidate]] != picked.labels[candidate]
        ):
            return replace(config, class_agnostic=False)
        if config.nms_kind == "soft":
            return replace(config, nms_kind="hard")
        return replace(config, nms_threshold=min(_not_below(float(picked.overlap[candidate])), 1.0))
    if verdict == Verdict.BEYOND_CAP:
        survived = (picked.fate == int(Fate.KEPT)) | (picked.fate == int(Fate.BEYOND_CAP))
        better = picked.decayed >= picked.decayed[candidate]
        return replace(config, max_detections=int((survived & better).sum()))
    return None


def _within(config: SelectionConfig, furthest: SelectionConfig) -> bool:
    """Whether the controls reach that far."""
    return (
        config.score_threshold >= furthest.score_threshold
        and config.nms_threshold <= furthest.nms_threshold
        and config.top_k <= furthest.top_k
        and config.max_detections <= furthest.max_detections
    )


def _from_the_loosest(
    trial: _Trial, config: SelectionConfig, g: int, furthest: SelectionConfig
) -> SelectionConfig | None:
    """All limits as loose as they go, then every one put back that can be."""
    now = replace(
        config,
        class_agnostic=False,
        nms_kind="hard",
        score_threshold=min(config.score_threshold, furthest.score_threshold),
        nms_threshold=max(config.nms_threshold, furthest.nms_threshold),
        top_k=max(config.top_k, furthest.top_k),
        max_detections=max(config.max_detections, furthest.max_detections),
    )
    if trial.at(now).verdict(g) != Verdict.FOUND:
        return None
    for name in _LIMITS:
        for value in _tries(trial, config, now, name, g):
            stricter: SelectionConfig = replace(now, **{name: value})
            if trial.at(stricter).verdict(g) == Verdict.FOUND:
                now = stricter
                break
    return now


def _tries(
    trial: _Trial, config: SelectionConfig, now: SelectionConfig, name: str, g: int
) -> Iterator[Any]:
    """Values of a limit to be tried, the present one first."""
    yield getattr(config, name)
    if name == "score_threshold":
        outcome = trial.at(now)
        for score in outcome.picked.scores[trial.own(outcome, g)][:_MOST_MOVES].tolist():
            yield max(_below(score), now.score_threshold)
    if name == "nms_threshold":
        step = _not_below(config.nms_threshold + 0.05)
        while step < now.nms_threshold:
            yield step
            step = round(step + 0.05, 2)


def _remedy(trial: _Trial, config: SelectionConfig, found: SelectionConfig, before: _Outcome) -> Remedy:
    """What the limits change, beside what they were moved for."""
    after = trial.at(found)
    was, now = before.judged.found, after.judged.found
    wrong = int(after.judged.false_positive.sum()) - int(before.judged.false_positive.sum())
    return Remedy(
        config=found,
        moved=tuple(name for name in _LIMITS if getattr(found, name) != getattr(config, name)),
        gained=int((now & ~was).sum()),
        lost=int((was & ~now).sum()),
        wrong=wrong,
    )
