"""Losses: what each anchor costs, summed and one by one."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor
from torch.nn import functional

from ssd.config import BACKGROUND, IGNORED
from ssd.errors import ConfigError

__all__ = ["LossReport", "hard_negatives", "softmax_loss"]


@dataclass(frozen=True)
class LossReport:
    """The loss of a batch and what it is made of.

    Attributes:
        total: localisation + confidence, each divided by the normaliser.
        localisation: smooth L1 over positive anchors, divided.
        confidence: cross-entropy over positives and mined negatives, divided.
        num_positive: anchors that answer for an object, in the batch.
        num_negative: negatives that were mined.
        localisation_per_anchor: before mining and division; 0 where not positive.
        confidence_per_anchor: before mining and division; 0 where ignored.
        mined: the negatives that count.
    """

    total: Float[Tensor, ""]
    localisation: Float[Tensor, ""]
    confidence: Float[Tensor, ""]
    num_positive: int
    num_negative: int
    localisation_per_anchor: Float[Tensor, "b a"]
    confidence_per_anchor: Float[Tensor, "b a"]
    mined: Bool[Tensor, "b a"]


def hard_negatives(
    costs: Float[Tensor, "b a"],
    labels: Int64[Tensor, "b a"],
    *,
    ratio: float = 3.0,
    minimum: int = 0,
) -> Bool[Tensor, "b a"]:
    """The negatives of highest loss: ``ratio`` for each positive of the same picture.

    Args:
        costs: −log p(background) of each anchor.
        labels: 1..C, ``BACKGROUND`` or ``IGNORED``.
        ratio: negatives for each positive.
        minimum: negatives of a picture that has few positives or none.

    Returns:
        True where a negative counts. Equal costs: the lower index first.

    Raises:
        ConfigError: ratio or minimum below 0.

    Source:
        Liu et al., SSD, ECCV 2016, section 2.2 ("Hard negative mining").

    Example:
        >>> costs, labels = torch.tensor([[0.1, 3.0, 2.0, 1.0]]), torch.tensor([[4, 0, 0, 0]])
        >>> hard_negatives(costs, labels, ratio=2.0)
        tensor([[False,  True,  True, False]])
    """
    if ratio < 0 or minimum < 0:
        raise ConfigError(f"Mining needs a ratio and a minimum of at least 0, got {ratio} and {minimum}.")
    negative = labels == BACKGROUND
    wanted = ((labels > 0).sum(dim=1, keepdim=True) * ratio).long().clamp(min=minimum)  # (b, 1)
    ranked = costs.detach().masked_fill(~negative, -torch.inf)
    order = ranked.argsort(dim=1, descending=True, stable=True)
    rank = torch.empty_like(order)
    rank.scatter_(1, order, torch.arange(costs.shape[1], device=costs.device).expand_as(order))
    return negative & (rank < wanted)


def softmax_loss(
    codes: Float[Tensor, "b a 4"],
    logits: Float[Tensor, "b a c"],
    *,
    labels: Int64[Tensor, "b a"],
    targets: Float[Tensor, "b a 4"],
    negative_ratio: float = 3.0,
    min_negatives: int = 0,
    normaliser: float | None = None,
) -> LossReport:
    """The paper's loss: cross-entropy with hard negatives, and smooth L1 on codes.

    Args:
        codes: predicted codes.
        logits: with background in column 0.
        labels: 1..C, ``BACKGROUND`` or ``IGNORED`` for each anchor.
        targets: encoded boxes; only those of positive anchors are read.
        negative_ratio: negatives for each positive of a picture.
        min_negatives: mined also in a picture without objects, so that it teaches.
        normaliser: what both parts are divided by; ``None``: the positives of the
            batch, at least 1. With many processes: those of all of them.

    Returns:
        The parts, computed in float32 also under autocast.

    Source:
        Liu et al., SSD, ECCV 2016, equations 1 to 3.

    Example:
        >>> report = softmax_loss(
        ...     torch.zeros(1, 2, 4), torch.zeros(1, 2, 3),
        ...     labels=torch.tensor([[1, 0]]), targets=torch.full((1, 2, 4), 0.5),
        ... )
        >>> round(float(report.confidence), 4), round(float(report.localisation), 4)
        (2.1972, 0.5)
    """
    codes, logits = codes.to(torch.float32), logits.to(torch.float32)
    positive, counted = labels > 0, labels != IGNORED
    classes = labels.clamp(min=BACKGROUND)
    confidence = functional.cross_entropy(logits.transpose(1, 2), classes, reduction="none") * counted
    distance = functional.smooth_l1_loss(codes[positive], targets[positive], reduction="none").sum(dim=1)
    localisation = torch.zeros_like(confidence).masked_scatter(positive, distance)
    background_cost = -functional.log_softmax(logits.detach(), dim=2)[..., BACKGROUND]
    mined = hard_negatives(background_cost, labels, ratio=negative_ratio, minimum=min_negatives)
    count = int(positive.sum())
    divisor = float(max(count, 1)) if normaliser is None else normaliser
    confidence_sum = (confidence * (positive | mined)).sum() / divisor
    localisation_sum = localisation.sum() / divisor
    return LossReport(
        total=confidence_sum + localisation_sum,
        localisation=localisation_sum,
        confidence=confidence_sum,
        num_positive=count,
        num_negative=int(mined.sum()),
        localisation_per_anchor=localisation,
        confidence_per_anchor=confidence,
        mined=mined,
    )
