"""Detections held against the scene's objects, and what became of every candidate, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Int64, UInt8
from torch import Tensor

from ssd.boxes import jaccard
from ssd.config import UNMATCHED
from ssd.data.records import Target
from ssd.detections import Fate, Selection
from ssd.figures.canvas import Outcome
from ssd.metrics import Judgement, PictureResult, judge

__all__ = ["Found", "Worth", "candidate_sentence", "fits", "found_objects", "funnel", "worth_of"]


@dataclass(frozen=True)
class Found:
    """How well the detections of one picture do.

    Attributes:
        precision: share of detections that are right; ``None`` without detections.
        recall: share of objects that were found; ``None`` without objects.
        f1: their harmonic mean.
        sentences: one an object.
    """

    precision: float | None
    recall: float | None
    f1: float | None
    sentences: tuple[str, ...]


def fits(scene_classes: Sequence[str], model_classes: Sequence[str]) -> bool:
    """Whether a model knows what is on a picture.

    Args:
        scene_classes: that the picture's source knows.
        model_classes: that the model knows.

    Returns:
        True where the model knows them all.

    Example:
        >>> fits(["star"], ["star", "ring"]), fits(["dog"], ["star", "ring"])
        (True, False)
    """
    return set(scene_classes) <= set(model_classes)


def found_objects(
    selection: Selection,
    target: Target,
    *,
    scene_classes: Sequence[str],
    model_classes: Sequence[str],
    size_wh: tuple[int, int],
    candidates: Selection | None = None,
) -> Found:
    """Precision, recall and F1 at an evaluation IoU of .5, and what became of each object.

    Args:
        selection: of the picture.
        target: its objects.
        scene_classes: names of the target's labels.
        model_classes: names of the detections' labels; objects of other classes are ignored.
        size_wh: of the picture, in pixels.
        candidates: the same picture at a lower score threshold: lets a missed object
            name its best box that the score threshold keeps out.

    Returns:
        The numbers, and a sentence an object; objects of one class are numbered.

    Example:
        >>> from ssd.config import SelectionConfig
        >>> from ssd.data.records import make_target
        >>> from ssd.detections import select
        >>> box = torch.tensor([[0.0, 0.0, 0.5, 0.5]])
        >>> picked = select(box, torch.tensor([[0.9]]), config=SelectionConfig())
        >>> there = make_target(box, torch.tensor([1]))
        >>> names = {"scene_classes": ["dog"], "model_classes": ["dog"]}
        >>> found_objects(picked, there, **names, size_wh=(100, 50)).sentences
        ('dog: found with score 0.90 at jaccard 1.00',)
    """
    verdict, labels = _judge(selection, target, scene_classes, model_classes, size_wh)
    lines = []
    names = _numbered([scene_classes[label - 1] if label else "left out" for label in target.labels.tolist()])
    for g, name in enumerate(names):
        if bool(target.difficult[g] | target.ignore[g]) or int(labels[g]) == 0:
            lines.append(f"{name}: ignored")
        else:
            words = _object_words(verdict, selection, g)
            low = None if candidates is None else _best_score(candidates, target.boxes[g], int(labels[g]))
            kept_out = words.startswith("missed") and low is not None and low not in selection.scores
            lines.append(f"{name}: {words}{f'; its best box scores only {low:.2f}' if kept_out else ''}")
    return Found(verdict.precision, verdict.recall, verdict.f1, tuple(lines))


def _numbered(names: Sequence[str]) -> list[str]:
    """Names as on the canvas: those that come more than once get a number."""
    return [
        f"{name} {names[: place + 1].count(name)}" if names.count(name) > 1 else name
        for place, name in enumerate(names)
    ]


def _best_score(candidates: Selection, box: Tensor, label: int) -> float | None:
    """Highest score of a candidate of that class with a jaccard of at least .5 with the box."""
    near = (candidates.labels == label) & (jaccard(candidates.boxes, box[None])[:, 0] >= 0.5)
    return float(candidates.scores[near].max()) if bool(near.any()) else None


def _judge(
    selection: Selection,
    target: Target,
    scene_classes: Sequence[str],
    model_classes: Sequence[str],
    size_wh: tuple[int, int],
) -> tuple[Judgement, Tensor]:
    """The verdicts, and the objects' labels in the model's order (0: it does not know the class)."""
    known = {name: index for index, name in enumerate(model_classes, start=1)}
    names = [scene_classes[label - 1] if label else "" for label in target.labels.tolist()]
    labels = torch.tensor([known.get(name, 0) for name in names], dtype=torch.int64)
    detections = selection.detections
    result = PictureResult(
        width_px=size_wh[0],
        height_px=size_wh[1],
        gt_boxes=target.boxes,
        gt_labels=labels,
        gt_ignored=target.difficult | target.ignore | (labels == 0),
        boxes=detections.boxes,
        labels=detections.labels,
        scores=detections.scores,
    )
    return judge(result), labels


def _object_words(verdict: Judgement, selection: Selection, g: int) -> str:
    """Found, by what; or missed, and how near the best detection of its class came."""
    hits = (verdict.true_positive & (verdict.gt == g)).nonzero()[:, 0].tolist()
    if hits:
        score = float(selection.detections.scores[hits[0]])
        return f"found with score {score:.2f} at jaccard {float(verdict.overlap[hits[0]]):.2f}"
    near = verdict.overlap[verdict.gt == g]
    return f"missed; the nearest detection reaches {float(near.max()):.2f}" if len(near) else "missed"


@dataclass(frozen=True)
class Worth:
    """What the candidates of one picture are worth.

    Attributes:
        outcomes: an ``Outcome`` a candidate; unknown for those that were not kept.
        hits: index of the object that a true positive found, else ``UNMATCHED``.
        answers: index of the object that any candidate would take, if it were kept, before
            those with lower scores; ``UNMATCHED`` where it lies on none.
    """

    outcomes: UInt8[Tensor, "n"]
    hits: Int64[Tensor, "n"]
    answers: Int64[Tensor, "n"]


def worth_of(
    selection: Selection,
    target: Target,
    *,
    scene_classes: Sequence[str],
    model_classes: Sequence[str],
    size_wh: tuple[int, int],
) -> Worth:
    """What each candidate is worth: the browser shows the prefix above the score threshold.

    Args:
        selection: at the lowest score threshold.
        target: as in :func:`found_objects`.
        scene_classes: as there.
        model_classes: as there.
        size_wh: as there.

    Returns:
        The record.

    Example:
        >>> from ssd.config import SelectionConfig
        >>> from ssd.detections import select
        >>> picked = select(torch.rand(1, 4).sort().values, torch.tensor([[0.9]]), config=SelectionConfig())
        >>> worth_of(picked, Target.empty(), scene_classes=[], model_classes=["dog"], size_wh=(9, 9)).outcomes
        tensor([2], dtype=torch.uint8)
    """
    verdict, labels = _judge(selection, target, scene_classes, model_classes, size_wh)
    worth = torch.where(verdict.true_positive, int(Outcome.TRUE_POSITIVE), int(Outcome.FALSE_POSITIVE))
    worth = torch.where(verdict.ignored, int(Outcome.DROPPED), worth).to(torch.uint8)
    kept = selection.kept
    outcomes = torch.full_like(selection.fate, int(Outcome.UNKNOWN), dtype=torch.uint8)
    outcomes[kept] = worth
    hits = torch.full_like(selection.fate, UNMATCHED, dtype=torch.int64)
    hits[kept] = torch.where(verdict.true_positive, verdict.gt, UNMATCHED)
    return Worth(outcomes, hits, _answers(selection, target, labels))


def _answers(selection: Selection, target: Target, labels: Tensor) -> Tensor:
    """The object under each candidate, by the rule of ``metrics.judge``."""
    if not len(labels):
        return torch.full_like(selection.fate, UNMATCHED)
    ignored = target.difficult | target.ignore | (labels == 0)
    same = (selection.labels[:, None] == labels[None]) | ignored[None]
    overlap, best = jaccard(selection.boxes, target.boxes).masked_fill(~same, -1.0).max(dim=1)
    return torch.where(overlap >= 0.5, best, UNMATCHED)


def funnel(selection: Selection, *, num_anchors: int) -> tuple[tuple[str, int], ...]:
    """How many boxes are left after each limit.

    Args:
        selection: of a picture.
        num_anchors: where it starts.

    Returns:
        Name and count of each stage; a candidate is an anchor with a class.

    Example:
        >>> from ssd.config import SelectionConfig
        >>> from ssd.detections import select
        >>> picked = select(torch.zeros(2, 4), torch.tensor([[0.9], [0.0]]), config=SelectionConfig())
        >>> funnel(picked, num_anchors=2)[1]
        ('above the score threshold', 1)
    """
    candidates = len(selection.scores)
    in_top_k = candidates - selection.count(Fate.BEYOND_TOP_K)
    after_nms = in_top_k - selection.count(Fate.SUPPRESSED)
    return (
        ("anchors", num_anchors),
        ("above the score threshold", candidates),
        ("within top-k", in_top_k),
        ("after NMS", after_nms),
        ("kept", len(selection.detections)),
    )


def candidate_sentence(selection: Selection, index: int, *, class_names: Sequence[str]) -> str:
    """What became of one candidate, and who did it.

    Args:
        selection: of a picture.
        index: of the candidate.
        class_names: of the model.

    Returns:
        One sentence.

    Example:
        >>> from ssd.config import SelectionConfig
        >>> from ssd.detections import select
        >>> boxes = torch.tensor([[0.0, 0.0, 0.5, 0.5], [0.0, 0.0, 0.5, 0.45]])
        >>> picked = select(boxes, torch.tensor([[0.9], [0.8]]), config=SelectionConfig())
        >>> candidate_sentence(picked, 1, class_names=["dog"])
        'dog 0.80 left: suppressed by candidate 0 (dog 0.90) at jaccard 0.90.'
    """
    fate, by = Fate(int(selection.fate[index])), int(selection.suppressed_by[index])
    name = _candidate(selection, index, class_names)
    if fate is Fate.KEPT:
        count = int((selection.suppressed_by == index).sum())
        return f"{name} stays, and suppresses {count} other{'' if count == 1 else 's'}."
    if by != UNMATCHED:
        jaccard = float(selection.overlap[index])
        return (
            f"{name} left: suppressed by candidate {by} ({_candidate(selection, by, class_names)}) "
            f"at jaccard {jaccard:.2f}."
        )
    return (
        f"{name} left: beyond {'top-k of its class' if fate is Fate.BEYOND_TOP_K else 'the cap per picture'}."
    )


def _candidate(selection: Selection, index: int, class_names: Sequence[str]) -> str:
    """Class and score."""
    return f"{class_names[int(selection.labels[index]) - 1]} {float(selection.scores[index]):.2f}"
