"""Localisation losses: what the distance between a predicted box and its object costs."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from ssd.boxes import area

__all__ = ["giou_loss", "l1", "smooth_l1"]

_NO_AREA = 1e-12  # of a picture; two boxes without area are 0 of this, not 0 of 0


def smooth_l1(codes: Float[Tensor, "n 4"], targets: Float[Tensor, "n 4"]) -> Float[Tensor, "n"]:
    """Smooth L1 of codes, summed over the four: x²/2 up to 1, then |x| − 1/2.

    Args:
        codes: predicted.
        targets: encoded boxes of the objects.

    Returns:
        One cost a pair.

    Source:
        Liu et al., SSD, ECCV 2016, equation 2.

    Example:
        >>> smooth_l1(torch.zeros(1, 4), torch.tensor([[2.0, 0.5, 0.0, 0.0]]))
        tensor([1.6250])
    """
    return functional.smooth_l1_loss(codes, targets, reduction="none").sum(dim=1)


def l1(boxes: Float[Tensor, "n 4"], wanted: Float[Tensor, "n 4"]) -> Float[Tensor, "n"]:
    """Mean distance of the four edges.

    Args:
        boxes: predicted, decoded, xyxy.
        wanted: boxes of the objects in the same unit.

    Returns:
        One cost a pair, in that unit.

    Source:
        The lesson: ``ssd_1_loss``, ``(…).abs().mean()``.

    Example:
        >>> l1(torch.tensor([[0.0, 0.0, 0.5, 0.5]]), torch.tensor([[0.0, 0.0, 0.5, 0.9]]))
        tensor([0.1000])
    """
    return (boxes - wanted).abs().mean(dim=1)


def giou_loss(boxes: Float[Tensor, "n 4"], wanted: Float[Tensor, "n 4"]) -> Float[Tensor, "n"]:
    """1 − generalised IoU: 0 for the same box, near 2 for boxes far apart.

    Args:
        boxes: predicted, decoded, xyxy; not inverted.
        wanted: boxes of the objects in the same unit.

    Returns:
        One cost a pair in 0–2 (1 for two boxes without area), with a gradient also
        where the boxes do not meet.

    Source:
        Rezatofighi et al., Generalized Intersection over Union, CVPR 2019, algorithm 1.

    Example:
        >>> giou_loss(torch.tensor([[0.0, 0.0, 1.0, 1.0]]), torch.tensor([[3.0, 0.0, 4.0, 1.0]]))
        tensor([1.5000])
    """
    inner = torch.minimum(boxes[:, 2:], wanted[:, 2:]) - torch.maximum(boxes[:, :2], wanted[:, :2])
    outer = torch.maximum(boxes[:, 2:], wanted[:, 2:]) - torch.minimum(boxes[:, :2], wanted[:, :2])
    intersection = inner[:, 0].clamp(min=0) * inner[:, 1].clamp(min=0)
    union, hull = area(boxes) + area(wanted) - intersection, outer[:, 0] * outer[:, 1]
    return 1 - intersection / union.clamp(min=_NO_AREA) + (hull - union) / hull.clamp(min=_NO_AREA)
