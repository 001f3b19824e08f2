"""Loss curves: what a loss asks for the probability that a network gives the right class."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ssd.errors import ConfigError
from ssd.losses.confidence import binary_cross_entropy, cross_entropy, focal
from ssd.losses.config import ConfidenceLoss, LossConfig

__all__ = ["loss_curve"]

_END = 1e-9  # a probability of 0 costs infinitely much; the curve is cut here


def loss_curve(
    kind: ConfidenceLoss, p: Sequence[float], *, alpha: float = 0.25, gamma: float = 2.0
) -> list[float]:
    """The confidence loss of one positive anchor with one class, by the functions that train.

    Args:
        kind: ``"softmax"``, ``"bce"`` or ``"focal"``.
        p: probabilities that the network gives the anchor's true class, in 0–1; taken as
            at least 1e-9 and at most 1 − 1e-9.
        alpha: focal only; 1 leaves the weight of the answer's sureness alone.
        gamma: focal only; 0 leaves α times the cross-entropy.

    Returns:
        One loss for each probability.

    Raises:
        ConfigError: the kind is unknown, a probability lies outside 0–1, alpha outside
            0–1, or gamma below 0.

    Source:
        Lin et al., Focal Loss for Dense Object Detection, ICCV 2017, figure 1.

    Example:
        >>> [round(cost, 3) for cost in loss_curve("focal", [0.1, 0.5, 0.9], gamma=1.0)]
        [0.518, 0.087, 0.003]
    """
    config = LossConfig(confidence=kind, alpha=alpha, gamma=gamma)
    wrong = next((value for value in p if not 0 <= value <= 1), None)
    if wrong is not None:
        raise ConfigError(f"A probability must lie in 0–1, got {wrong}; choose a share.")
    logit = torch.tensor(list(p), dtype=torch.float64).clamp(_END, 1 - _END).logit()[None, :, None]
    costs: list[float] = _costs(logit, config)[0].tolist()
    return costs


def _costs(logit: Tensor, config: LossConfig) -> Tensor:
    """Each anchor (1, n) answers with one logit: of the class, over that of background for softmax."""
    labels = torch.ones(logit.shape[:2], dtype=torch.int64)
    if config.confidence == "softmax":
        return cross_entropy(torch.cat([torch.zeros_like(logit), logit], dim=2), labels)
    if config.confidence == "bce":
        return binary_cross_entropy(logit, labels)
    return focal(logit, labels, alpha=config.alpha, gamma=config.gamma)
