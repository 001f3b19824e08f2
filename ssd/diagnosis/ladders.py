"""Verdicts at every score threshold and evaluation IoU, from one look at each picture.

An object's stages ask whether a box is left that lies right enough and scores high enough.
Of all boxes only those matter that no better scored one overlaps more: a few rungs for each
object and stage. With them a verdict at other thresholds is looked up, and equals that of
:func:`ssd.diagnosis.diagnose`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from ssd.boxes import clip, jaccard
from ssd.config import UNMATCHED
from ssd.detections import Fate, Selection
from ssd.diagnosis.missed import Verdict, require_together
from ssd.diagnosis.wrong import kinds_if_wrong, nearest_objects
from ssd.metrics import Hits, Pairing, PictureResult, pair_up

__all__ = ["Ladders", "PictureLadder", "Verdicts", "join_ladders", "picture_ladder"]

_WHOLE = ("stage", "by")
_SHARES = ("overlap", "score", "reach", "best_jaccard", "nearest_score", "own", "other")
_COLUMNS = (*((name, torch.int64) for name in _WHOLE), *((name, torch.float32) for name in _SHARES))
_FAR = torch.iinfo(torch.int64).max


class _Stage(IntEnum):
    """Which boxes a rung was chosen among; each stage holds some of the one before it."""

    ANY = 0  # every box with a score of the object's class, candidate or not
    OTHER = 1  # candidates of other classes
    OWN = 2
    IN_TOP_K = 3
    SURVIVED = 4
    KEPT = 5


@dataclass(frozen=True)
class Rungs:
    """What verdicts depend on.

    Attributes:
        object: of each rung, its object.
        stage: of each rung.
        overlap: jaccard of the rung's box with the object.
        score: of the rung's box; rungs of one object and stage stand best first.
        by: of a candidate in the top-k the anchor that suppressed it, of a kept one the
            object that it answers for; else ``UNMATCHED``.
        reach: of each object the largest jaccard of a box that has a score; −1 without one.
        best_jaccard: of each object, of any finite box.
        nearest_score: of each object's class, of that box.
        own: of each detection the jaccard with the nearest object of its class; −1 without.
        other: of each detection the jaccard with the nearest of another class; −1 without.
    """

    object: Int64[Tensor, "r"]
    stage: Int64[Tensor, "r"]
    overlap: Float[Tensor, "r"]
    score: Float[Tensor, "r"]
    by: Int64[Tensor, "r"]
    reach: Float[Tensor, "g"]
    best_jaccard: Float[Tensor, "g"]
    nearest_score: Float[Tensor, "g"]
    own: Float[Tensor, "n"]
    other: Float[Tensor, "n"]


@dataclass(frozen=True)
class PictureLadder:
    """One picture.

    Attributes:
        rungs: of its objects and detections.
        result: the objects and detections.
    """

    rungs: Rungs
    result: PictureResult


@dataclass(frozen=True)
class Verdicts:
    """One verdict for each object of many pictures.

    Attributes:
        verdict: a :class:`~ssd.diagnosis.Verdict` for each object.
        by: with ``SUPPRESSED`` the anchor that did it, with ``CLAIMED`` the object (of the same
            picture) that its box answers for; else ``UNMATCHED``.
        best_jaccard: of any finite box.
        score: the highest of the object's class among the boxes that lie right, or of the nearest.
        hits: what each detection above the score threshold is worth.
        wrong: a :class:`~ssd.diagnosis.FalsePositive` for each detection above the score
            threshold that is neither right nor ignored; else ``UNMATCHED``.
    """

    verdict: Int64[Tensor, "g"]
    by: Int64[Tensor, "g"]
    best_jaccard: Float[Tensor, "g"]
    score: Float[Tensor, "g"]
    hits: Hits
    wrong: Int64[Tensor, "n"]


def picture_ladder(
    boxes: Float[Tensor, "a 4"], scores: Float[Tensor, "a c"], *, picked: Selection, result: PictureResult
) -> PictureLadder:
    """Find the few boxes that decide about each object.

    Args:
        boxes: decoded xyxy boxes in [0, 1] units, as they went into ``select``.
        scores: of classes 1..C, as they went into ``select``.
        picked: what ``select`` made of them, at the lowest score threshold of interest.
        result: the objects of the picture, and ``picked.detections`` beside them.

    Returns:
        The ladder.

    Raises:
        DataError: as in :func:`ssd.diagnosis.diagnose`.
    """
    require_together(scores, picked, result)
    finite = torch.isfinite(boxes).all(dim=1)
    known = torch.where(torch.isfinite(scores) & finite[:, None], scores, 0.0).to(torch.float32)
    drawn = clip(torch.where(finite[:, None], boxes, 0.0).to(torch.float32))
    overlap = jaccard(drawn, result.gt_boxes) * finite[:, None]
    column = (result.gt_labels - 1).clamp(0, scores.shape[1] - 1)
    alive = (known > 0).any(dim=1)
    parts = [_any(overlap, known, column), *_of_candidates(overlap[picked.anchors], picked, result)]
    joined = {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
    nearest = overlap.argmax(dim=0) if len(overlap) else None
    none = torch.zeros(len(column))
    reach = overlap.masked_fill(~alive[:, None], -1.0).amax(dim=0) if len(overlap) else none - 1
    near = nearest_objects(result)
    rungs = Rungs(
        **joined,
        reach=reach.to(torch.float64),
        best_jaccard=none if nearest is None else overlap.amax(dim=0),
        nearest_score=none if nearest is None else known[nearest, column],
        own=near.own,
        other=near.other,
    )
    return PictureLadder(rungs, result)


def _any(overlap: Tensor, known: Tensor, column: Tensor) -> dict[str, Tensor]:
    """Rungs among all boxes, class by class: their order differs."""
    found = []
    for c in sorted(set(column.tolist())):
        objects = (column == c).nonzero()[:, 0]
        scored = (known[:, c] > 0).nonzero()[:, 0]
        order = scored[known[scored, c].argsort(descending=True, stable=True)]
        row, place = _rungs(overlap[order][:, objects])
        rung = order[row]
        found.append(_part(objects[place], _Stage.ANY, overlap[rung, objects[place]], known[rung, c]))
    return (
        {name: torch.cat([part[name] for part in found]) for name in found[0]}
        if found
        else _part(column, _Stage.ANY, torch.zeros(0), torch.zeros(0))
    )


def _of_candidates(overlap: Tensor, picked: Selection, result: PictureResult) -> list[dict[str, Tensor]]:
    """Rungs among the candidates, stage by stage; candidates stand best first."""
    same = picked.labels[:, None] == result.gt_labels[None, :]
    fate = picked.fate[:, None]
    survived = (fate == int(Fate.KEPT)) | (fate == int(Fate.BEYOND_CAP))
    suppressor = torch.where(
        picked.suppressed_by >= 0, picked.anchors[picked.suppressed_by.clamp(min=0)], UNMATCHED
    ) if len(picked.anchors) else picked.suppressed_by  # fmt: skip
    answers = torch.full_like(picked.fate, UNMATCHED)
    answers[picked.kept] = pair_up([result]).gt
    stages = (
        (_Stage.OTHER, ~same, None),
        (_Stage.OWN, same, None),
        (_Stage.IN_TOP_K, same & (fate != int(Fate.BEYOND_TOP_K)), suppressor),
        (_Stage.SURVIVED, same & survived, None),
        (_Stage.KEPT, same & (fate == int(Fate.KEPT)), answers),
    )
    found = []
    for stage, members, by in stages:
        row, place = _rungs(overlap.masked_fill(~members, -1.0))
        named = None if by is None else by[row]
        found.append(_part(place, stage, overlap[row, place], picked.scores[row], named))
    return found


def _rungs(overlap: Tensor) -> tuple[Tensor, Tensor]:
    """Row and column of everything that overlaps more than all rows above it; −1 never does."""
    if not overlap.numel():
        empty = torch.zeros(0, dtype=torch.int64)
        return empty, empty
    before = torch.cat([overlap.new_full((1, overlap.shape[1]), -1.0), overlap.cummax(dim=0).values[:-1]])
    row, place = (overlap > before).nonzero(as_tuple=True)
    return row, place


def _part(
    objects: Tensor, stage: _Stage, overlap: Tensor, score: Tensor, by: Tensor | None = None
) -> dict[str, Tensor]:
    """Some rungs as columns."""
    count = len(overlap)
    return {
        "object": objects[:count],
        "stage": torch.full((count,), int(stage)),
        "overlap": overlap.to(torch.float64),
        "score": score.to(torch.float64),
        "by": torch.full((count,), UNMATCHED) if by is None else by,
    }


@dataclass(frozen=True)
class Ladders:
    """Many pictures; objects and detections count over all of them.

    Attributes:
        rungs: picture after picture.
        pairing: detections beside objects, at the lowest score threshold.
    """

    rungs: Rungs
    pairing: Pairing

    def verdicts(self, *, score: float, evaluation_iou: float) -> Verdicts:
        """The verdict of every object.

        Args:
            score: score threshold; not below that of the selection behind the ladders. Above
                it, hard NMS is meant: soft NMS would have left other scores.
            evaluation_iou: least jaccard of a hit, in 0–1.

        Returns:
            The verdicts.

        Raises:
            ConfigError: the evaluation IoU lies outside 0–1.
        """
        hits = self._hits(score, evaluation_iou)
        first = self._first(score, evaluation_iou)
        there = first < _FAR
        verdict = self._verdict(there, hits.found, evaluation_iou)
        lies_right = self.rungs.reach >= evaluation_iou
        best = torch.where(there[:, _Stage.ANY], self._of(self.rungs.score, first[:, _Stage.ANY]), 0.0)
        by = torch.full_like(verdict, UNMATCHED)
        for name, stage in ((Verdict.SUPPRESSED, _Stage.IN_TOP_K), (Verdict.CLAIMED, _Stage.KEPT)):
            by = torch.where(verdict == int(name), self._of(self.rungs.by, first[:, stage]), by)
        return Verdicts(
            verdict=verdict,
            by=by,
            best_jaccard=self.rungs.best_jaccard,
            score=torch.where(lies_right, best, self.rungs.nearest_score.to(torch.float64)),
            hits=hits,
            wrong=self._wrong(hits, score, evaluation_iou),
        )

    def _wrong(self, hits: Hits, score: float, evaluation_iou: float) -> Tensor:
        """Of the detections that are said, those that found nothing new."""
        kind = kinds_if_wrong(self.rungs.own, self.rungs.other, evaluation_iou=evaluation_iou)
        counted = (self.pairing.score > score) & ~hits.true_positive & ~hits.ignored
        return torch.where(counted, kind, UNMATCHED)

    def _hits(self, score: float, evaluation_iou: float) -> Hits:
        """Who finds an object does not depend on worse detections, so those are only left out."""
        everything, pairing = self.pairing.hits(evaluation_iou=evaluation_iou), self.pairing
        right = everything.true_positive & (pairing.score > score)
        found = torch.zeros_like(everything.found)
        found[pairing.gt[right]] = True
        return Hits(right, everything.ignored, found)

    def _first(self, score: float, evaluation_iou: float) -> Tensor:
        """Of each object and stage the best rung that is left, or none."""
        left = (self.rungs.overlap >= evaluation_iou) & (
            (self.rungs.score > score) | (self.rungs.stage == int(_Stage.ANY))
        )
        places = left.nonzero()[:, 0]
        keys = self.rungs.object[places] * len(_Stage) + self.rungs.stage[places]
        first = torch.full((len(self.rungs.reach) * len(_Stage),), _FAR)
        return first.scatter_reduce_(0, keys, places, "amin").reshape(-1, len(_Stage))

    def _of(self, column: Tensor, place: Tensor) -> Tensor:
        """Of rungs, anything where there is none."""
        if not len(column):
            return column.new_zeros(len(place))
        return column[torch.where(place < _FAR, place, 0)]

    def _verdict(self, there: Tensor, found: Tensor, evaluation_iou: float) -> Tensor:
        """The first stage with nobody left; written from the last to the first."""
        own = there[:, _Stage.OWN]
        lost = (
            (Verdict.BEYOND_CAP, ~there[:, _Stage.KEPT]),
            (Verdict.SUPPRESSED, ~there[:, _Stage.SURVIVED]),
            (Verdict.BEYOND_TOP_K, ~there[:, _Stage.IN_TOP_K]),
            (Verdict.LOW_SCORE, ~own),
            (Verdict.WRONG_CLASS, ~own & (there[:, _Stage.OTHER] | ~there[:, _Stage.ANY])),
            (Verdict.NO_BOX, self.rungs.reach < evaluation_iou),
            (Verdict.FOUND, found),
            (Verdict.IGNORED, self.pairing.gt_ignored),
        )
        verdict = torch.full_like(self.pairing.gt_label, int(Verdict.CLAIMED))
        for name, holds in lost:
            verdict[holds] = int(name)
        return verdict


def join_ladders(ladders: Sequence[PictureLadder]) -> Ladders:
    """The ladders of many pictures, one after another.

    Args:
        ladders: one for each picture.

    Returns:
        All of them, and the pairing of their results.
    """
    held = torch.tensor([len(each.rungs.reach) for each in ladders], dtype=torch.int64)
    start = (held.cumsum(0) - held).tolist()
    columns = {
        name: _joined([getattr(each.rungs, name) for each in ladders], kind) for name, kind in _COLUMNS
    }
    objects = [each.rungs.object + first for each, first in zip(ladders, start, strict=True)]
    rungs = Rungs(object=_joined(objects, torch.int64), **columns)
    return Ladders(rungs, pair_up([each.result for each in ladders]))


def _joined(parts: list[Tensor], kind: torch.dtype) -> Tensor:
    return torch.cat(parts) if parts else torch.zeros(0, dtype=kind)
