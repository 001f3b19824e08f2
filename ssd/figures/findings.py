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
from ssd.detections import Detections, Fate, Selection
from ssd.figures.canvas import Outcome
from ssd.metrics import PictureResult, judge

__all__ = ["Worth", "candidate_sentence", "fits", "funnel", "picture_result", "worth_of"]


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


def picture_result(
    detections: Detections,
    target: Target,
    *,
    scene_classes: Sequence[str],
    model_classes: Sequence[str],
    size_wh: tuple[int, int],
) -> PictureResult:
    """Detections beside the scene's objects, told apart by the names of their classes.

    Args:
        detections: of a picture.
        target: its objects.
        scene_classes: names of the target's labels.
        model_classes: names of the detections' labels; objects of other classes are ignored.
        size_wh: of the picture, in pixels.

    Returns:
        The record that metrics and diagnosis read.

    Example:
        >>> from ssd.config import SelectionConfig
        >>> from ssd.data.records import make_target
        >>> from ssd.detections import select
        >>> box = torch.tensor([[0.0, 0.0, 0.5, 0.5]])
        >>> said = select(box, torch.tensor([[0.9]]), config=SelectionConfig()).detections
        >>> there = make_target(box, torch.tensor([2]))
        >>> names = {"scene_classes": ["cat", "dog"], "model_classes": ["dog"]}
        >>> picture_result(said, there, **names, size_wh=(100, 50)).gt_labels
        tensor([1])
    """
    known = {name: index for index, name in enumerate(model_classes, start=1)}
    names = [scene_classes[label - 1] if label else "" for label in target.labels.tolist()]
    labels = torch.tensor([known.get(name, 0) for name in names], dtype=torch.int64)
    return PictureResult(
        width_px=size_wh[0],
        height_px=size_wh[1],
        gt_boxes=target.boxes,
        gt_labels=labels,
        gt_ignored=target.difficult | target.ignore | (labels == 0),
        boxes=detections.boxes,
        labels=detections.labels,
        scores=detections.scores,
    )


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
        target: as in :func:`picture_result`.
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
    result = picture_result(
        selection.detections,
        target,
        scene_classes=scene_classes,
        model_classes=model_classes,
        size_wh=size_wh,
    )
    verdict = judge(result)
    worth = torch.where(verdict.true_positive, int(Outcome.TRUE_POSITIVE), int(Outcome.FALSE_POSITIVE))
    worth = torch.where(verdict.ignored, int(Outcome.DROPPED), worth).to(torch.uint8)
    kept = selection.kept
    outcomes = torch.full_like(selection.fate, int(Outcome.UNKNOWN), dtype=torch.uint8)
    outcomes[kept] = worth
    hits = torch.full_like(selection.fate, UNMATCHED, dtype=torch.int64)
    hits[kept] = torch.where(verdict.true_positive, verdict.gt, UNMATCHED)
    return Worth(outcomes, hits, _answers(selection, result))


def _answers(selection: Selection, result: PictureResult) -> Tensor:
    """The object under each candidate, by the rule of ``metrics.judge``."""
    if not len(result.gt_labels):
        return torch.full_like(selection.fate, UNMATCHED)
    same = (selection.labels[:, None] == result.gt_labels[None]) | result.gt_ignored[None]
    overlap, best = jaccard(selection.boxes, result.gt_boxes).masked_fill(~same, -1.0).max(dim=1)
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
    """Class, and the score that NMS leaves."""
    return f"{class_names[int(selection.labels[index]) - 1]} {float(selection.decayed[index]):.2f}"
