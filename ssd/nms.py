"""Non-maximum suppression that says who suppressed whom."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from ssd.boxes import jaccard
from ssd.config import UNMATCHED
from ssd.errors import ConfigError

__all__ = ["Suppression", "suppress"]


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
    if not 0 <= nms_threshold <= 1:
        raise ConfigError(f"nms_threshold must lie in 0–1, got {nms_threshold}; choose a share.")
    keep = torch.zeros(len(boxes), dtype=torch.bool)
    by = torch.full((len(boxes),), UNMATCHED, dtype=torch.int64)
    overlap = torch.zeros(len(boxes))
    boxes, scores = boxes.detach().to("cpu", torch.float32), scores.detach().to("cpu", torch.float32)
    labels = torch.zeros(len(boxes), dtype=torch.int64) if groups is None else groups.to("cpu")
    for label in sorted(set(labels.tolist())):
        members = (labels == label).nonzero()[:, 0]
        kept, sender, jaccards = _suppress_group(boxes[members], scores[members], nms_threshold)
        keep[members], overlap[members] = kept, jaccards
        by[members] = torch.where(kept, UNMATCHED, members[sender])
    return Suppression(keep=keep, suppressed_by=by, overlap=overlap)


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
