"""Confidence losses: what the class scores of each anchor cost."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn import functional

from ssd.config import BACKGROUND, IGNORED
from ssd.errors import ConfigError

__all__ = ["background_cost", "binary_cross_entropy", "cross_entropy", "focal", "one_hot"]


def cross_entropy(logits: Float[Tensor, "b a c"], labels: Int64[Tensor, "b a"]) -> Float[Tensor, "b a"]:
    """−log of the softmax probability of each anchor's class.

    Args:
        logits: with background in column 0.
        labels: 1..C, ``BACKGROUND`` or ``IGNORED``.

    Returns:
        One cost an anchor; 0 where ignored.

    Raises:
        ConfigError: a label has no column.

    Source:
        Liu et al., SSD, ECCV 2016, equation 3.

    Example:
        >>> cross_entropy(torch.zeros(1, 2, 4), torch.tensor([[3, IGNORED]]))
        tensor([[1.3863, 0.0000]])
    """
    _require_columns(labels, logits.shape[2] - 1, f"{logits.shape[2]} columns of logits hold background and")
    classes = labels.clamp(min=BACKGROUND)
    costs = functional.cross_entropy(logits.transpose(1, 2), classes, reduction="none")
    return costs.masked_fill(labels == IGNORED, 0.0)


def background_cost(logits: Float[Tensor, "b a c"]) -> Float[Tensor, "b a"]:
    """−log p(background) of each anchor: what hard negatives are ranked by.

    Args:
        logits: with background in column 0.

    Returns:
        One cost an anchor, without a gradient.

    Source:
        Caffe-SSD, ComputeConfLoss.

    Example:
        >>> background_cost(torch.zeros(1, 1, 4))
        tensor([[1.3863]])
    """
    return -functional.log_softmax(logits.detach(), dim=2)[..., BACKGROUND]


def one_hot(labels: Int64[Tensor, "b a"], *, num_classes: int) -> Float[Tensor, "b a k"]:
    """A column for each class 1..C and none for background: all zeros is background.

    Args:
        labels: 1..C, ``BACKGROUND`` or ``IGNORED``.
        num_classes: C.

    Returns:
        1 in column ``label - 1`` of anchors with a class, 0 elsewhere.

    Raises:
        ConfigError: a label is above C.

    Source:
        The lesson: ``one_hot_embedding``, whose last column (background) is dropped.

    Example:
        >>> one_hot(torch.tensor([[2, 0]]), num_classes=3)
        tensor([[[0., 1., 0.],
                 [0., 0., 0.]]])
    """
    _require_columns(labels, num_classes, f"{num_classes} columns of logits hold")
    return functional.one_hot(labels.clamp(min=BACKGROUND), num_classes + 1)[..., 1:].float()


def binary_cross_entropy(
    logits: Float[Tensor, "b a k"], labels: Int64[Tensor, "b a"]
) -> Float[Tensor, "b a"]:
    """Binary cross-entropy of each anchor, summed over the classes.

    Args:
        logits: of the classes 1..C, without a background column.
        labels: 1..C, ``BACKGROUND`` or ``IGNORED``.

    Returns:
        One cost an anchor; 0 where ignored.

    Raises:
        ConfigError: a label is above C.

    Source:
        The lesson: ``BCE_Loss``, before its division by the number of classes.

    Example:
        >>> binary_cross_entropy(torch.zeros(1, 2, 3), torch.tensor([[3, IGNORED]]))
        tensor([[2.0794, 0.0000]])
    """
    wanted = one_hot(labels, num_classes=logits.shape[2]).to(logits.dtype)
    costs = functional.binary_cross_entropy_with_logits(logits, wanted, reduction="none").sum(dim=2)
    return costs.masked_fill(labels == IGNORED, 0.0)


def focal(
    logits: Float[Tensor, "b a k"], labels: Int64[Tensor, "b a"], *, alpha: float, gamma: float
) -> Float[Tensor, "b a"]:
    """Focal loss of each anchor, summed over the classes: α (1 − p)^γ · −log p.

    With p the probability of the right answer and α that of the class, or 1 − α where
    the class is not there. Computed from logarithms, so that neither the loss nor its
    gradient leaves the finite numbers, whatever the logit.

    Args:
        logits: of the classes 1..C, without a background column.
        labels: 1..C, ``BACKGROUND`` or ``IGNORED``.
        alpha: weight of a class that is there, in 0–1.
        gamma: 0 leaves the balanced cross-entropy.

    Returns:
        One cost an anchor; 0 where ignored.

    Raises:
        ConfigError: a label is above C.

    Source:
        Lin et al., Focal Loss for Dense Object Detection, ICCV 2017, equation 5; the
        lesson: ``FocalLoss``, before its division by the number of classes.

    Example:
        >>> focal(torch.zeros(1, 1, 1), torch.tensor([[1]]), alpha=0.25, gamma=2.0)
        tensor([[0.0433]])
    """
    wanted = one_hot(labels, num_classes=logits.shape[2]).to(logits.dtype)
    right = logits * (2 * wanted - 1)  # logit of the right answer
    weight = (functional.logsigmoid(-right) * gamma).exp() * (alpha * wanted + (1 - alpha) * (1 - wanted))
    costs = (weight * -functional.logsigmoid(right)).sum(dim=2)
    return costs.masked_fill(labels == IGNORED, 0.0)


def widened(values: Tensor) -> Tensor:
    """Half precision becomes float32; float64 stays."""
    return values if values.dtype == torch.float64 else values.to(torch.float32)


def _require_columns(labels: Tensor, highest: int, columns_hold: str) -> None:
    """Every label has a column: an index out of range stops a GPU for good."""
    if labels.numel() and int(labels.max()) > highest:
        raise ConfigError(
            f"{columns_hold} labels up to {highest}, got {int(labels.max())}; only softmax has a column "
            "for background, so check the activation and the class names."
        )
