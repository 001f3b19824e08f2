"""What a batch costs, and its gradients: every part of it, in every process, under one normaliser."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from ssd.anchors import Anchors
from ssd.contract import InputContract
from ssd.errors import NumericError
from ssd.losses import LossReport, softmax_loss
from ssd.matching import assign, match
from ssd.training.loader import Batch
from ssd.training.setup import Training

__all__ = ["StepLoss", "backward", "batch_loss", "normalised"]


@dataclass(frozen=True)
class StepLoss:
    """The loss of a step over all parts and processes.

    Attributes:
        total: what was minimised.
        localisation: its part on boxes.
        confidence: its part on classes.
        num_positive: anchors that answered for an object.
        num_pictures: in the step.
    """

    total: float
    localisation: float
    confidence: float
    num_positive: int
    num_pictures: int


def backward(run: Training, batch: Batch) -> StepLoss:
    """Interim."""
    loss = batch_loss(run, batch, run.anchors_at(run.config.size_at(run.step)))
    _require_finite(loss, run.step + 1, batch)
    run.fabric.backward(loss.total)
    return StepLoss(
        float(loss.total.detach()),
        float(loss.localisation.detach()),
        float(loss.confidence.detach()),
        loss.num_positive,
        len(batch.targets),
    )


def batch_loss(run: Training, batch: Batch, anchors: Anchors) -> LossReport:
    """Interim."""
    raw = run.model(normalised(batch.pictures.to(run.fabric.device), run.model_config.contract))
    labels, codes = [], []
    for target in batch.targets:
        boxes = target.boxes[~target.ignore].to(anchors.boxes.device)
        found = match(
            boxes,
            anchors.boxes,
            rule=run.config.matching,
            threshold=run.config.match_threshold,
            ignored_boxes=target.boxes[target.ignore].to(anchors.boxes.device),
        )
        gt_labels = target.labels[~target.ignore].to(anchors.boxes.device)
        coder = run.model_config.coder
        assigned = assign(found, anchors, gt_boxes=boxes, gt_labels=gt_labels, coder=coder)
        labels.append(assigned.labels)
        codes.append(assigned.targets)
    return softmax_loss(
        raw.codes,
        raw.logits,
        labels=torch.stack(labels),
        targets=torch.stack(codes),
        negative_ratio=run.config.negative_ratio,
        min_negatives=run.config.min_negatives,
    )


def normalised(pictures: UInt8[Tensor, "b 3 h w"], contract: InputContract) -> Float[Tensor, "b 3 h w"]:
    """0..255 to the network's range, in the memory order that convolutions like.

    Args:
        pictures: RGB, 0..255, on any device.
        contract: mean and deviation.

    Returns:
        Pictures in ``channels_last`` order: the same values as the evaluation transform.
    """
    mean, std = (
        torch.tensor(values, device=pictures.device)[:, None, None]
        for values in (contract.mean, contract.std)
    )
    ready = pictures.to(torch.float32, memory_format=torch.channels_last)
    return ready.div_(255).sub_(mean).div_(std)


def _require_finite(loss: LossReport, step: int, batch: Batch) -> None:
    """Stop at the step where the loss leaves the finite numbers."""
    if bool(torch.isfinite(loss.total)):
        return
    part = "localisation" if not bool(torch.isfinite(loss.localisation)) else "confidence"
    raise NumericError(
        f"The {part} loss of step {step} is not finite (pictures: {', '.join(batch.names)}); "
        "lower the learning rate or check the boxes of these pictures."
    )
