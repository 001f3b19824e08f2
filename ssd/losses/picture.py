"""Losses of the networks before SSD: the classes of a picture, and its largest object."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor
from torch.nn import functional

from ssd.boxes import area
from ssd.config import BACKGROUND
from ssd.errors import ConfigError, DataError
from ssd.losses.confidence import widened
from ssd.losses.config import PictureLossConfig

__all__ = ["PictureLossReport", "PictureTargets", "picture_loss", "picture_targets"]


@dataclass(frozen=True)
class PictureTargets:
    """What is to be said of each picture as a whole.

    Attributes:
        box: of the largest object, xyxy in [0, 1] units; zeros without objects.
        label: its class 1..C, or ``BACKGROUND`` without objects.
        present: column ``j`` says whether class ``j + 1`` is in the picture.
    """

    box: Float[Tensor, "b 4"]
    label: Int64[Tensor, "b"]
    present: Bool[Tensor, "b k"]


@dataclass(frozen=True)
class PictureLossReport:
    """The loss of a batch of whole pictures, and how good the answers are.

    Attributes:
        total: the box loss, or the confidence loss, or box + ``class_weight`` × confidence.
        localisation: L1 in pixels, the mean of the four edges; 0 without a box.
        confidence: cross-entropy; 0 without logits.
        num_positive: pictures with an object.
        accuracy: share of right answers: the class of the largest object, or each
            class's yes or no; ``None`` without logits or pictures that count.
        l1_px: the L1 as a metric; ``None`` without a box or pictures that count.
    """

    total: Float[Tensor, ""]
    localisation: Float[Tensor, ""]
    confidence: Float[Tensor, ""]
    num_positive: int
    accuracy: float | None
    l1_px: float | None


def picture_targets(
    gt_boxes: list[Float[Tensor, "_ 4"]], gt_labels: list[Int64[Tensor, "_"]], *, num_classes: int
) -> PictureTargets:
    """The largest object of each picture, and which classes it holds.

    Args:
        gt_boxes: for each picture the xyxy boxes of its objects, in one unit.
        gt_labels: their classes 1..C.
        num_classes: C.

    Returns:
        One row a picture. Of equally large objects the first is the largest.

    Raises:
        DataError: boxes and labels differ in number, or a label is outside 1..C.

    Source:
        The lesson: ``get_lrg``, by the area of the box.

    Example:
        >>> boxes = [torch.tensor([[0.0, 0.0, 0.2, 0.2], [0.1, 0.1, 0.9, 0.5]]), torch.zeros(0, 4)]
        >>> labels = [torch.tensor([3, 1]), torch.zeros(0, dtype=torch.int64)]
        >>> picture_targets(boxes, labels, num_classes=3).label
        tensor([1, 0])
    """
    device = gt_boxes[0].device if gt_boxes else torch.device("cpu")
    box = torch.zeros(len(gt_boxes), 4, device=device)
    label = torch.full((len(gt_boxes),), BACKGROUND, dtype=torch.int64, device=device)
    present = torch.zeros(len(gt_boxes), num_classes, dtype=torch.bool, device=device)
    for index, (boxes, labels) in enumerate(zip(gt_boxes, gt_labels, strict=True)):
        _validate(boxes, labels, index, num_classes)
        if len(boxes):
            largest = int(area(boxes).argmax())
            box[index], label[index] = boxes[largest], labels[largest]
            present[index, labels - 1] = True
    return PictureTargets(box=box, label=label, present=present)


def picture_loss(
    box: Float[Tensor, "b 4"] | None,
    logits: Float[Tensor, "b k"] | None,
    *,
    gt_box: Float[Tensor, "b 4"],
    gt_labels: Int64[Tensor, "b"] | Bool[Tensor, "b k"],
    config: PictureLossConfig,
) -> PictureLossReport:
    """What answers for whole pictures cost: classes, the largest object's class, its box, or both.

    Args:
        box: predicted xyxy box of the largest object in [0, 1] units (a network with a
            sigmoid applies it), or ``None`` where the network gives none.
        logits: of the classes 1..C, without a background column, or ``None``.
        gt_box: ``PictureTargets.box``.
        gt_labels: ``PictureTargets.label`` for ``"softmax"``, ``PictureTargets.present``
            for ``"bce"``.
        config: the losses and their numbers.

    Returns:
        The loss and its metrics, computed in float32 also under autocast. Pictures
        without objects teach ``"bce"`` that no class is there, and do not count elsewhere.

    Raises:
        ConfigError: neither a box nor logits, or labels of the other kind.

    Source:
        The lesson: ``detn_loss``, ``detn_acc``, ``detn_l1``.

    Example:
        >>> report = picture_loss(
        ...     torch.tensor([[0.1, 0.1, 0.5, 0.5]]), torch.zeros(1, 2), gt_box=torch.full((1, 4), 0.1),
        ...     gt_labels=torch.tensor([1]), config=PictureLossConfig(),
        ... )
        >>> round(report.l1_px, 2), round(float(report.total), 2)
        (44.8, 58.66)
    """
    several = config.confidence == "bce"
    if several != (gt_labels.dtype == torch.bool):
        raise ConfigError(
            "The bce loss of a picture takes flags of the classes and softmax takes labels, got "
            f"{config.confidence} with {str(gt_labels.dtype).removeprefix('torch.')}; pass the other."
        )
    counted = gt_labels.any(dim=1) if several else gt_labels > BACKGROUND
    confidence = _confidence(logits, gt_labels, counted, several)
    distance = _distance(box, gt_box, counted, config)
    return PictureLossReport(
        total=_total(distance, confidence, config),
        localisation=gt_box.new_zeros(()) if distance is None else distance,
        confidence=gt_box.new_zeros(()) if confidence is None else confidence,
        num_positive=int(counted.sum()),
        accuracy=_accuracy(logits, gt_labels, counted, config),
        l1_px=None if distance is None or not bool(counted.any()) else float(distance.detach()),
    )


def _validate(boxes: Tensor, labels: Tensor, index: int, num_classes: int) -> None:
    """As many labels as boxes, each with a column."""
    outside = len(labels) and not 1 <= int(labels.min()) <= int(labels.max()) <= num_classes
    if len(boxes) != len(labels) or outside:
        raise DataError(
            f"Picture {index} of the batch needs a box and a label in 1..{num_classes} for each object, "
            f"got {len(boxes)} boxes and labels {labels.tolist()}."
        )


def _confidence(logits: Tensor | None, gt_labels: Tensor, counted: Tensor, several: bool) -> Tensor | None:
    """The mean over pictures (and, for several classes, over classes)."""
    if logits is None:
        return None
    logits = widened(logits)
    if several:
        return functional.binary_cross_entropy_with_logits(logits, gt_labels.to(logits.dtype))
    costs = functional.cross_entropy(logits, (gt_labels - 1).clamp(min=0), reduction="none")
    return (costs * counted).sum() / counted.sum().clamp(min=1)


def _distance(
    box: Tensor | None, gt_box: Tensor, counted: Tensor, config: PictureLossConfig
) -> Tensor | None:
    """L1 in pixels, over the pictures with an object."""
    if box is None:
        return None
    distance = (widened(box) - gt_box).abs().mean(dim=1) * config.size_px
    return (distance * counted).sum() / counted.sum().clamp(min=1)


def _total(distance: Tensor | None, confidence: Tensor | None, config: PictureLossConfig) -> Tensor:
    """The parts that there are."""
    if distance is not None and confidence is not None:
        return distance + config.class_weight * confidence
    only = confidence if distance is None else distance
    if only is None:
        raise ConfigError("A picture's loss needs a box or logits, got neither; check the network's outputs.")
    return only


def _accuracy(
    logits: Tensor | None, gt_labels: Tensor, counted: Tensor, config: PictureLossConfig
) -> float | None:
    """Share of right answers."""
    if logits is None or len(logits) == 0:
        return None
    if config.confidence == "bce":
        return float(((logits.sigmoid() > config.score_threshold) == gt_labels).float().mean())
    right = (logits.argmax(dim=1) + 1 == gt_labels)[counted]
    return float(right.float().mean()) if len(right) else None
