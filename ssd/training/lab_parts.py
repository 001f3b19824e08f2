"""Where a loss comes from: by level, by class, and how much of it the easy negatives make."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ssd.config import BACKGROUND
from ssd.training.lab import LossLab

__all__ = [
    "EASY",
    "CostPart",
    "EasyShare",
    "costs_by_class",
    "costs_by_level",
    "easy_share",
    "whole_cost",
]

EASY = 0.9  # from this probability of the right answer on a negative is called easy


@dataclass(frozen=True)
class CostPart:
    """A part of the loss: of one level, or of one class. All parts add up to the loss.

    Attributes:
        name: of the level or class.
        positives: anchors that answer for an object.
        negatives: negatives that count.
        localisation: of the positives' boxes, as in the total.
        positive_confidence: of the positives' scores.
        negative_confidence: of the negatives' scores.
    """

    name: str
    positives: int
    negatives: int
    localisation: float
    positive_confidence: float
    negative_confidence: float

    @property
    def total(self) -> float:
        """All three together."""
        return self.localisation + self.positive_confidence + self.negative_confidence


def costs_by_level(lab: LossLab) -> tuple[CostPart, ...]:
    """The loss, level by level.

    Args:
        lab: of the picture.

    Returns:
        One part a level, finest first.
    """
    levels = range(len(lab.anchors.levels))
    return tuple(_part(lab, f"level {k}", lab.anchors.level == k, lab.anchors.level == k) for k in levels)


def costs_by_class(lab: LossLab) -> tuple[CostPart, ...]:
    """The loss, class by class.

    Args:
        lab: of the picture.

    Returns:
        One part a class: its positives, and the negatives that the network takes for it.
        Classes that cost nothing are left out.
    """
    parts = [
        _part(lab, name, lab.labels == k, (lab.labels == BACKGROUND) & (lab.said == k))
        for k, name in enumerate(lab.class_names, start=1)
    ]
    return tuple(part for part in parts if part.positives or part.negatives)


def whole_cost(lab: LossLab) -> CostPart:
    """The loss as one part.

    Args:
        lab: of the picture.

    Returns:
        The sums over all anchors.
    """
    everywhere = torch.ones_like(lab.counted)
    return _part(lab, "all", everywhere, everywhere)


@dataclass(frozen=True)
class EasyShare:
    """What the many easy negatives make of a loss.

    Attributes:
        easy: negatives whose right answer has a probability of at least ``EASY``.
        negatives: of the picture.
        share: of the confidence loss, that the easy ones among those that count make;
            0 where nothing costs anything.
    """

    easy: int
    negatives: int
    share: float


def easy_share(lab: LossLab, right: Float[Tensor, "a"]) -> EasyShare:
    """How much of the confidence loss comes from negatives that are already right.

    Args:
        lab: of the picture.
        right: from :func:`right_shares`.

    Returns:
        The counts and the share.
    """
    negative = lab.labels == BACKGROUND
    easy = negative & (right >= EASY)
    counted = float(lab.confidence[lab.counted].sum())
    share = float(lab.confidence[easy & lab.counted].sum()) / counted if counted > 0 else 0.0
    return EasyShare(int(easy.sum()), int(negative.sum()), share)


def _part(lab: LossLab, name: str, here: Tensor, negatives_here: Tensor) -> CostPart:
    """The sums over some anchors, divided as the loss is."""
    positive = here & (lab.labels > 0)
    negative = negatives_here & lab.counted & (lab.labels == BACKGROUND)
    return CostPart(
        name=name,
        positives=int(positive.sum()),
        negatives=int(negative.sum()),
        localisation=float(lab.localisation[positive].sum()) / lab.divisor,
        positive_confidence=float(lab.confidence[positive].sum()) / lab.divisor,
        negative_confidence=float(lab.confidence[negative].sum()) / lab.divisor,
    )
