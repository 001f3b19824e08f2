"""Mining: which negatives count."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from ssd.config import BACKGROUND
from ssd.errors import ConfigError

__all__ = ["hard_negatives"]


def hard_negatives(
    costs: Float[Tensor, "b a"],
    labels: Int64[Tensor, "b a"],
    *,
    ratio: float = 3.0,
    minimum: int = 0,
    overlap: Float[Tensor, "b a"] | None = None,
    max_overlap: float | None = None,
) -> Bool[Tensor, "b a"]:
    """The negatives of highest loss: ``ratio`` for each positive of the same picture.

    Args:
        costs: −log p(background) of each anchor.
        labels: 1..C, ``BACKGROUND`` or ``IGNORED``.
        ratio: negatives for each positive.
        minimum: negatives of a picture that has few positives or none.
        overlap: jaccard of each anchor with its best object; only read with ``max_overlap``.
        max_overlap: an anchor whose ``overlap`` is not below this is never mined.

    Returns:
        True where a negative counts. Equal costs: the lower index first.

    Raises:
        ConfigError: ratio or minimum below 0, or ``max_overlap`` without ``overlap``.

    Source:
        Liu et al., SSD, ECCV 2016, section 2.2 ("Hard negative mining"); Caffe-SSD,
        MineHardExamples (``neg_overlap``).

    Example:
        >>> costs, labels = torch.tensor([[0.1, 3.0, 2.0, 1.0]]), torch.tensor([[4, 0, 0, 0]])
        >>> hard_negatives(costs, labels, ratio=2.0)
        tensor([[False,  True,  True, False]])
    """
    if ratio < 0 or minimum < 0:
        raise ConfigError(f"Mining needs a ratio and a minimum of at least 0, got {ratio} and {minimum}.")
    candidate = labels == BACKGROUND
    if max_overlap is not None:
        candidate = candidate & (_required(overlap) < max_overlap)
    wanted = ((labels > 0).sum(dim=1, keepdim=True) * ratio).long().clamp(min=minimum)  # (b, 1)
    order = costs.detach().masked_fill(~candidate, -torch.inf).argsort(dim=1, descending=True, stable=True)
    place = torch.arange(costs.shape[1], device=costs.device)
    return torch.zeros_like(candidate).scatter_(1, order, place < wanted) & candidate


def _required(overlap: Tensor | None) -> Tensor:
    """The overlaps that a limit is about."""
    if overlap is None:
        raise ConfigError(
            "max_overlap limits the jaccard of negatives, got no overlap; pass that of the match."
        )
    return overlap
