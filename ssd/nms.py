"""Non-maximum suppression, hard and soft, that says who suppressed whom."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from ssd.boxes import jaccard, paired_jaccard
from ssd.config import UNMATCHED
from ssd.errors import ConfigError

__all__ = ["SoftSuppression", "Suppression", "staying", "suppress", "suppress_softly"]


@dataclass(frozen=True)
class Suppression:
    """Who stays, and for everyone else who sent them away.

    Attributes:
        keep: true where a box stays.
        suppressed_by: index of the first kept box (by score) whose jaccard is
            above the threshold, or ``UNMATCHED`` where the box stays.
        overlap: jaccard with that box, 0 where the box stays.
    """

    keep: Bool[Tensor, "n"]
    suppressed_by: Int64[Tensor, "n"]
    overlap: Float[Tensor, "n"]


def suppress(
    boxes: Float[Tensor, "n 4"],
    scores: Float[Tensor, "n"],
    *,
    nms_threshold: float,
    groups: Int64[Tensor, "n"] | None = None,
) -> Suppression:
    """Greedy suppression: the best box stays, those too close to it leave, and so on.

    A box leaves when its float32 jaccard is greater than the threshold as a double:
    at exactly .45, .5 or .7 it stays. Equal scores: the lower index first.

    Args:
        boxes: xyxy boxes in one unit.
        scores: higher is better; finite.
        nms_threshold: in 0–1.
        groups: boxes of different groups (classes) never meet; ``None``: all meet.

    Returns:
        The reasons, in the order of ``boxes``. No boxes give empty tensors.

    Raises:
        ConfigError: the threshold lies outside 0–1.

    Source:
        torchvision.ops.nms does the suppression; one vectorised step adds who did it.

    Example:
        >>> boxes = torch.tensor([[0.0, 0.0, 2.0, 2.0], [0.0, 0.0, 2.0, 1.8], [5.0, 5.0, 6.0, 6.0]])
        >>> suppress(boxes, torch.tensor([0.9, 0.8, 0.7]), nms_threshold=0.5).suppressed_by
        tensor([-1,  0, -1])
    """
    _require_threshold(nms_threshold)
    keep = torch.zeros(len(boxes), dtype=torch.bool)
    by = torch.full((len(boxes),), UNMATCHED, dtype=torch.int64)
    overlap = torch.zeros(len(boxes))
    boxes, scores = _plain(boxes), _plain(scores)
    for members in _members(len(boxes), groups):
        kept, sender, jaccards = _suppress_group(boxes[members], scores[members], nms_threshold)
        keep[members], overlap[members] = kept, jaccards
        by[members] = torch.where(kept, UNMATCHED, members[sender])
    return Suppression(keep=keep, suppressed_by=by, overlap=overlap)


def staying(
    boxes: Float[Tensor, "n 4"],
    scores: Float[Tensor, "n"],
    *,
    nms_threshold: float,
    groups: Int64[Tensor, "n"] | None = None,
) -> Int64[Tensor, "k"]:
    """Who stays after greedy suppression, without asking who sent the others away.

    Args:
        boxes: xyxy boxes in one unit.
        scores: higher is better; finite.
        nms_threshold: in 0–1.
        groups: boxes of different groups (classes) never meet; ``None``: all meet.

    Returns:
        Indices of the boxes that :func:`suppress` keeps, rising.

    Raises:
        ConfigError: the threshold lies outside 0–1.

    Example:
        >>> boxes = torch.tensor([[0.0, 0.0, 2.0, 2.0], [0.0, 0.0, 2.0, 1.8], [5.0, 5.0, 6.0, 6.0]])
        >>> staying(boxes, torch.tensor([0.9, 0.8, 0.7]), nms_threshold=0.5)
        tensor([0, 2])
    """
    from torchvision.ops import nms

    _require_threshold(nms_threshold)
    boxes, scores = _plain(boxes), _plain(scores)
    kept = [
        members[nms(boxes[members], scores[members], nms_threshold)]
        for members in _members(len(boxes), groups)
    ]
    return torch.cat(kept).sort().values if kept else torch.zeros(0, dtype=torch.int64)


def _require_threshold(nms_threshold: float) -> None:
    """A share."""
    if not 0 <= nms_threshold <= 1:
        raise ConfigError(f"nms_threshold must lie in 0–1, got {nms_threshold}; choose a share.")


def _plain(values: Tensor) -> Tensor:
    """On the CPU, in float32, whatever network they came from."""
    return values.detach().to("cpu", torch.float32)


def _members(count: int, groups: Tensor | None) -> Iterator[Tensor]:
    """The indices of each group."""
    labels = torch.zeros(count, dtype=torch.int64) if groups is None else groups.to("cpu")
    for label in sorted(set(labels.tolist())):
        yield (labels == label).nonzero()[:, 0]


def _suppress_group(boxes: Tensor, scores: Tensor, nms_threshold: float) -> tuple[Tensor, Tensor, Tensor]:
    """Within one group: kept or not, the sender's index, the jaccard with it."""
    from torchvision.ops import nms

    order = nms(boxes, scores, nms_threshold)  # kept boxes, best first
    kept = torch.zeros(len(boxes), dtype=torch.bool)
    kept[order] = True
    sender = torch.zeros(len(boxes), dtype=torch.int64)
    overlap = torch.zeros(len(boxes))
    gone = (~kept).nonzero()[:, 0]
    if len(gone):
        jaccards = jaccard(boxes[gone], boxes[order])  # (gone, kept)
        first = (jaccards.to(torch.float64) > nms_threshold).to(torch.uint8).argmax(dim=1)
        sender[gone] = order[first]
        overlap[gone] = jaccards.gather(1, first[:, None])[:, 0]
    return kept, sender, overlap


@dataclass(frozen=True)
class SoftSuppression:
    """Every score before and after, and who lowered it.

    Attributes:
        keep: true where a score above the score threshold is left when the box's turn comes.
        before: the scores that came in.
        after: the score at its turn; of a box that leaves, the score with which it left.
        decayed_by: index of the box that lowered the score most (the first of equals), or
            ``UNMATCHED`` where none did.
        suppressed_by: index of the box that brought the score down to the score threshold,
            or ``UNMATCHED`` where the box stays, or never was above it.
        overlap: jaccard with ``suppressed_by``, 0 where there is none.
    """

    keep: Bool[Tensor, "n"]
    before: Float[Tensor, "n"]
    after: Float[Tensor, "n"]
    decayed_by: Int64[Tensor, "n"]
    suppressed_by: Int64[Tensor, "n"]
    overlap: Float[Tensor, "n"]


def suppress_softly(
    boxes: Float[Tensor, "n 4"],
    scores: Float[Tensor, "n"],
    *,
    sigma: float,
    score_threshold: float = 0.0,
    groups: Int64[Tensor, "n"] | None = None,
) -> SoftSuppression:
    """Gaussian soft-NMS: the best box stays, the scores of those close to it fall, and so on.

    In turn the box with the highest score that is left stays, and the score of every box
    that still waits is multiplied by exp(−jaccard² / sigma). A box whose score is not
    greater than the score threshold any more leaves. Equal scores: the lower index first.
    The turns come by falling score, so a higher score threshold keeps exactly those whose
    ``after`` is greater. The factor is computed in float64; factors and scores are float32.

    Args:
        boxes: xyxy boxes in one unit.
        scores: in 0–1; finite.
        sigma: above 0; the smaller, the more a neighbour loses.
        score_threshold: in 0–1.
        groups: boxes of different groups (classes) never meet; ``None``: all meet.

    Returns:
        The reasons, in the order of ``boxes``. No boxes give empty tensors.

    Raises:
        ConfigError: sigma is not above 0, or the score threshold lies outside 0–1.

    Source:
        Bodla et al., Soft-NMS: improving object detection with one line of code, ICCV 2017,
        equation of the Gaussian penalty; its score floor is here the score threshold.

    Example:
        >>> boxes = torch.tensor([[0.0, 0.0, 2.0, 2.0], [0.0, 0.0, 2.0, 1.0]])
        >>> suppress_softly(boxes, torch.tensor([0.9, 0.8]), sigma=0.5).after
        tensor([0.9000, 0.4852])
    """
    if not (math.isfinite(sigma) and sigma > 0):
        raise ConfigError(f"soft_sigma must be finite and above 0, got {sigma}; try 0.5.")
    if not 0 <= score_threshold <= 1:
        raise ConfigError(f"score_threshold must lie in 0–1, got {score_threshold}; choose a share.")
    boxes, before = _plain(boxes), _plain(scores).clone()
    found = SoftSuppression(
        keep=torch.zeros(len(boxes), dtype=torch.bool),
        before=before,
        after=before.clone(),
        decayed_by=torch.full((len(boxes),), UNMATCHED, dtype=torch.int64),
        suppressed_by=torch.full((len(boxes),), UNMATCHED, dtype=torch.int64),
        overlap=torch.zeros(len(boxes)),
    )
    for members in _members(len(boxes), groups):
        _soften_group(boxes[members], members, sigma, score_threshold, found)
    return found


def _soften_group(boxes: Tensor, members: Tensor, sigma: float, floor: float, found: SoftSuppression) -> None:
    """Give each box of a group its turn, and write down what becomes of it."""
    scores = found.before[members].clone()
    waiting = scores.to(torch.float64) > floor
    least = torch.ones(len(members))  # the smallest factor so far
    while bool(waiting.any()):
        best = int(scores.masked_fill(~waiting, -1.0).argmax())
        waiting[best] = False
        found.keep[members[best]] = True
        overlap = paired_jaccard(boxes[best].expand_as(boxes), boxes)
        factor = torch.exp(-(overlap.to(torch.float64) ** 2) / sigma).to(torch.float32)
        scores = torch.where(waiting, scores * factor, scores)
        most = waiting & (factor < least)
        least = torch.where(most, factor, least)
        found.decayed_by[members[most]] = members[best]
        gone = waiting & (scores.to(torch.float64) <= floor)
        found.suppressed_by[members[gone]] = members[best]
        found.overlap[members[gone]] = overlap[gone]
        waiting &= ~gone
    found.after[members] = scores
