"""Which limit of the selection would have found a missed object, and what else it would let in.

Nothing is estimated: each answer was tried, by selecting and diagnosing again with the
limits moved. Limits move in steps of a hundredth, as the controls of a page do.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ssd.boxes import jaccard
from ssd.config import SelectionConfig
from ssd.detections import Fate, Selection, select
from ssd.diagnosis.missed import Diagnosis, Verdict, diagnose
from ssd.metrics import Judgement, PictureResult, judge

__all__ = ["FURTHEST", "Remedy", "Trials"]

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


class Trials:
    """A picture on which limits are tried, each set of them once.

    Attributes:
        config: the present limits.
        furthest: the loosest value of each limit.

    Example:
        >>> box, no = torch.tensor([[0.0, 0.0, 0.5, 0.5]]), torch.zeros(0)
        >>> truth = PictureResult(
        ...     9, 9, box, torch.tensor([1]), torch.tensor([False]), box[:0], no.long(), no
        ... )
        >>> limits = SelectionConfig(score_threshold=0.5)
        >>> Trials(box, torch.tensor([[0.3]]), config=limits, truth=truth).finding(0).config.score_threshold
        0.3
    """

    def __init__(
        self,
        boxes: Float[Tensor, "a 4"],
        scores: Float[Tensor, "a c"],
        *,
        config: SelectionConfig,
        truth: PictureResult,
        furthest: SelectionConfig = FURTHEST,
        evaluation_iou: float = 0.5,
    ) -> None:
        """Leave out the anchors that stay below every threshold that is tried.

        Args:
            boxes: decoded xyxy boxes in [0, 1] units, as they went into ``select``.
            scores: of classes 1..C, as they went into ``select``.
            config: the present limits.
            truth: the objects of the picture; detections in it do not matter.
            furthest: the loosest value of each limit; what these do not find has no remedy.
            evaluation_iou: least jaccard of a hit, in 0–1.
        """
        floor = min(config.score_threshold, furthest.score_threshold)
        self._alive = (scores.to(torch.float64) > floor).any(dim=1).nonzero()[:, 0]
        self._boxes, self._scores = boxes[self._alive], scores[self._alive]
        self._truth, self._evaluation_iou = truth, evaluation_iou
        self._tried: dict[SelectionConfig, _Outcome] = {}
        self.config, self.furthest = config, furthest

    def finding(self, g: int) -> Remedy | None:
        """Limits that find an object which is missed under the present ones.

        The limit that the verdict names is moved just far enough, then that of the next verdict,
        until the object is found. Where that leads nowhere, the loosest limits are tried, and all
        those put back that are not needed.

        Args:
            g: index of the object.

        Returns:
            The limits; ``None`` where none of them is to blame: the boxes themselves are, their
            classes, or another object. ``None`` too where the object is found or ignored.
        """
        if self.at(self.config).verdict(g) in (Verdict.IGNORED, Verdict.FOUND, Verdict.NO_BOX):
            return None
        found = _step_by_step(self, g) or _from_the_loosest(self, g)
        return None if found is None else self._remedy(found)

    def silencing(self, candidate: int, *, duplicate_of: int | None = None) -> Remedy | None:
        """Limits that drop a false positive: by the NMS threshold where it is a duplicate, or by score.

        Args:
            candidate: index of the false positive among the candidates of the present limits.
            duplicate_of: candidate that found the object, where it is a duplicate.

        Returns:
            The limits that lose the fewest objects; of equal ones the NMS threshold. ``None``
            where neither drops it: its score is 1.
        """
        before = self.at(self.config).picked
        anchor, label = before.anchors[candidate], before.labels[candidate]
        offers = []
        for limits in _tighter(before, self.config, candidate, duplicate_of):
            said = self.at(limits).picked.detections
            if not bool(((said.anchors == anchor) & (said.labels == label)).any()):
                offers.append(self._remedy(limits))
        return min(offers, key=lambda offer: offer.lost - offer.gained, default=None)

    def at(self, config: SelectionConfig) -> _Outcome:
        """What comes of these limits.

        Args:
            config: any limits.

        Returns:
            The outcome, worked out once.
        """
        if config not in self._tried:
            picked = select(self._boxes, self._scores, config=config)
            said = picked.detections
            result = replace(self._truth, boxes=said.boxes, labels=said.labels, scores=said.scores)
            self._tried[config] = _Outcome(self._boxes, self._scores, picked, result, self._evaluation_iou)
        return self._tried[config]

    def _remedy(self, found: SelectionConfig) -> Remedy:
        """What the limits change, beside what they were moved for."""
        before, after = self.at(self.config).judged, self.at(found).judged
        wrong = int(after.false_positive.sum()) - int(before.false_positive.sum())
        return Remedy(
            config=found,
            moved=tuple(name for name in _LIMITS if getattr(found, name) != getattr(self.config, name)),
            gained=int((after.found & ~before.found).sum()),
            lost=int((before.found & ~after.found).sum()),
            wrong=wrong,
        )


@dataclass(frozen=True)
class _Outcome:
    """What comes of one set of limits; boxes without the anchors that no limit reaches."""

    boxes: Float[Tensor, "n 4"]
    scores: Float[Tensor, "n c"]
    picked: Selection
    result: PictureResult
    evaluation_iou: float

    @cached_property
    def diagnosis(self) -> Diagnosis:
        """A verdict for each object."""
        return diagnose(
            self.boxes,
            self.scores,
            picked=self.picked,
            result=self.result,
            evaluation_iou=self.evaluation_iou,
        )

    @cached_property
    def judged(self) -> Judgement:
        """Right or wrong."""
        return judge(self.result, evaluation_iou=self.evaluation_iou)

    def verdict(self, g: int) -> Verdict:
        """Of one object."""
        return Verdict(int(self.diagnosis.verdict[g]))

    def own(self, g: int) -> Bool[Tensor, "n"]:
        """Candidates of the object's class that lie right."""
        right = jaccard(self.picked.boxes, self.result.gt_boxes[g, None])[:, 0] >= self.evaluation_iou
        return right & (self.picked.labels == self.result.gt_labels[g])

    def first_suppressed(self, g: int) -> int | None:
        """The best suppressed candidate that would count for the object, if NMS kept it."""
        same = self.picked.labels[:, None] == self.result.gt_labels[None]
        overlap = jaccard(self.picked.boxes, self.result.gt_boxes).masked_fill(~same, -1.0)
        suppressed = self.picked.fate == int(Fate.SUPPRESSED)
        rows = (self.own(g) & suppressed & (overlap.argmax(dim=1) == g)).nonzero()[:, 0]
        return int(rows[0]) if len(rows) else None


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


def _step_by_step(trials: Trials, g: int) -> SelectionConfig | None:
    """Move the limit that each verdict names, just far enough."""
    now = trials.config
    for _ in range(_MOST_MOVES):
        outcome = trials.at(now)
        if outcome.verdict(g) == Verdict.FOUND:
            return now
        moved = _next(outcome, now, g)
        if moved is None or not _within(moved, trials.furthest):
            return None
        now = moved
    return None


def _next(outcome: _Outcome, config: SelectionConfig, g: int) -> SelectionConfig | None:
    """The limit that the verdict is about, moved past the box that it is about."""
    picked, said = outcome.picked, outcome.diagnosis
    candidate: int | None = int(said.candidate[g])
    match outcome.verdict(g):
        case Verdict.LOW_SCORE | Verdict.WRONG_CLASS:
            score = _below(float(said.score[g]))
            return replace(config, score_threshold=score) if 0 <= score < config.score_threshold else None
        case Verdict.BEYOND_TOP_K:
            rank = int((picked.labels[:candidate] == picked.labels[candidate]).sum()) + 1
            return replace(config, top_k=rank)
        case Verdict.SUPPRESSED:
            return _past_suppressor(picked, config, candidate)
        case Verdict.CLAIMED:
            return _past_suppressor(picked, config, outcome.first_suppressed(g))
        case Verdict.BEYOND_CAP:
            survived = (picked.fate == int(Fate.KEPT)) | (picked.fate == int(Fate.BEYOND_CAP))
            better = picked.decayed >= picked.decayed[candidate]
            return replace(config, max_detections=int((survived & better).sum()))
        case _:
            return None


def _past_suppressor(
    picked: Selection, config: SelectionConfig, candidate: int | None
) -> SelectionConfig | None:
    """NMS that lets one suppressed candidate pass the box that sent it away."""
    if candidate is None:
        return None
    by = int(picked.suppressed_by[candidate])
    if config.class_agnostic and picked.labels[by] != picked.labels[candidate]:
        return replace(config, class_agnostic=False)
    if config.nms_kind == "soft":
        return replace(config, nms_kind="hard")
    return replace(config, nms_threshold=min(_not_below(float(picked.overlap[candidate])), 1.0))


def _within(config: SelectionConfig, furthest: SelectionConfig) -> bool:
    """Whether the controls reach that far."""
    return (
        config.score_threshold >= furthest.score_threshold
        and config.nms_threshold <= furthest.nms_threshold
        and config.top_k <= furthest.top_k
        and config.max_detections <= furthest.max_detections
    )


def _from_the_loosest(trials: Trials, g: int) -> SelectionConfig | None:
    """All limits as loose as they go, then every one put back that can be."""
    config, furthest = trials.config, trials.furthest
    now = replace(
        config,
        class_agnostic=False,
        nms_kind="hard",
        score_threshold=min(config.score_threshold, furthest.score_threshold),
        nms_threshold=max(config.nms_threshold, furthest.nms_threshold),
        top_k=max(config.top_k, furthest.top_k),
        max_detections=max(config.max_detections, furthest.max_detections),
    )
    if trials.at(now).verdict(g) != Verdict.FOUND:
        return None
    for name in _LIMITS:
        for value in _tries(trials, now, name, g):
            stricter: SelectionConfig = replace(now, **{name: value})
            if trials.at(stricter).verdict(g) == Verdict.FOUND:
                now = stricter
                break
    return now


def _tries(trials: Trials, now: SelectionConfig, name: str, g: int) -> Iterator[Any]:
    """Values of a limit to be tried, the present one first."""
    yield getattr(trials.config, name)
    if name == "score_threshold":
        outcome = trials.at(now)
        for score in outcome.picked.scores[outcome.own(g)][:_MOST_MOVES].tolist():
            yield max(_below(score), now.score_threshold)
    if name == "nms_threshold":
        step = _not_below(trials.config.nms_threshold + 0.05)
        while step < now.nms_threshold:
            yield step
            step = round(step + 0.05, 2)
