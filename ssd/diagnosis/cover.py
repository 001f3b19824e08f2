"""How would training teach this object? What the matching rule gives it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import torch
from jaxtyping import Int64
from torch import Tensor

from ssd.config import UNMATCHED
from ssd.matching import Match

__all__ = ["Cover", "TrainingCover", "training_cover"]


class Cover(IntEnum):
    """What the matching rule gives an object in training."""

    COVERED = 0
    FORCED_ONLY = 1
    ORPHAN = 2


@dataclass(frozen=True)
class TrainingCover:
    """How training would teach each object.

    Attributes:
        kind: a :class:`Cover` for each object.
        by: of an orphan the object that its best anchor went to, or ``UNMATCHED``.
    """

    kind: Int64[Tensor, "g"]
    by: Int64[Tensor, "g"]


def training_cover(found: Match) -> TrainingCover:
    """Say of each object whether the threshold gives it an anchor, or force alone, or nothing.

    Args:
        found: the match of a rule. It describes training: another rule changes nothing in
            what a trained model answers.

    Returns:
        Exactly one kind for each object, in the order of the match.

    Example:
        >>> from ssd.matching import match_overlaps
        >>> cover = training_cover(match_overlaps(torch.tensor([[0.4, 0.7], [0.1, 0.8]]), rule="overwrite"))
        >>> cover.kind, cover.by
        (tensor([2, 0]), tensor([ 1, -1]))
    """
    kind = torch.full_like(found.best_anchor, int(Cover.COVERED))
    kind[found.forced_only], kind[found.orphan] = int(Cover.FORCED_ONLY), int(Cover.ORPHAN)
    by = torch.full_like(kind, UNMATCHED)
    lost = found.orphan & (found.best_anchor >= 0)
    by[lost] = found.matched_gt[found.best_anchor[lost]]
    return TrainingCover(kind=kind, by=by)
