"""What a step's pictures cost, and the gradients: all parts and all processes under one normaliser."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, cast

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from ssd.contract import PICTURE_ARCHITECTURES, InputContract
from ssd.data.records import Target
from ssd.errors import NumericError
from ssd.losses import detection_loss, loss_normaliser, picture_loss, picture_targets
from ssd.matching import BatchAssignment, assign_batch
from ssd.models.outputs import PictureOutputs, RawPredictions
from ssd.training.loader import Batch, coloured
from ssd.training.setup import Training

__all__ = ["StepLoss", "assigned", "backward", "clip", "normalised", "truths"]


@dataclass(frozen=True)
class StepLoss:
    """The loss of a step over all parts and processes.

    Attributes:
        total: what was minimised.
        localisation: its part on boxes.
        confidence: its part on classes.
        num_positive: anchors that answered for an object (of a picture network: pictures
            with an object).
        num_pictures: in the step.
    """

    total: float
    localisation: float
    confidence: float
    num_positive: int
    num_pictures: int


class _Part(NamedTuple):
    """The loss of some of a step's pictures, as its share of the step's."""

    total: Tensor
    localisation: Tensor
    confidence: Tensor
    num_positive: int
    costs: Tensor  # (b,): finite where a picture's own loss is


_Objective = Callable[[RawPredictions | PictureOutputs, slice], _Part]


def backward(run: Training, batch: Batch) -> StepLoss:
    """Predict, compare, and add the gradients of a step to the parameters.

    The pictures pass in ``config.accumulate`` parts. Every part's loss is divided by
    what the whole step counts in all processes, so the gradient is that of one process
    that sees all pictures at once (but for batch norm, which sees the parts). Torch's
    random numbers, which dropout uses, are seeded by the run's seed, step and process.

    Args:
        run: the run; its parameters get gradients.
        batch: this process's pictures and objects.

    Returns:
        The loss of the step over all processes.

    Raises:
        NumericError: the loss is not finite, in every process alike; the message names
            step, part and pictures.
    """
    torch.manual_seed((run.config.seed * 1_000_003 + run.step) * 1_009 + run.fabric.global_rank)
    objective = _picture_objective if _is_picture_network(run) else _detection_objective
    cost = objective(run, batch)
    pictures = _on_device(run, batch)
    count = len(batch.targets) // run.config.accumulate
    parts = []
    for first in range(0, len(batch.targets), count):
        rows = slice(first, first + count)
        with run.fabric.no_backward_sync(cast(Any, run.model), enabled=rows.stop < len(batch.targets)):
            ready = normalised(pictures[rows], run.model_config.contract, memory_format=run.memory_format)
            part = cost(run.model(ready), rows)
            run.fabric.backward(part.total)
        parts.append(part)
    return _summed(run, batch, parts)


def clip(run: Training) -> None:
    """Shorten a gradient that is longer than the run allows.

    Args:
        run: its gradients are changed. With a loss scale one that is not finite stays;
            the scaler then leaves the step out.
    """
    if run.config.clip_norm:
        run.fabric.clip_gradients(
            run.model, run.optimiser, max_norm=run.config.clip_norm, error_if_nonfinite=False
        )


def _on_device(run: Training, batch: Batch) -> Tensor:
    """The pictures where the network is; there colours change, unless they have on the CPU."""
    pictures = batch.pictures.to(run.fabric.device, non_blocking=True)
    if pictures.device.type == "cpu":
        return pictures
    return coloured(replace(batch, pictures=pictures), run.config).pictures


def _is_picture_network(run: Training) -> bool:
    """Whether the network answers for a whole picture."""
    return run.model_config.architecture in PICTURE_ARCHITECTURES


def _detection_objective(run: Training, batch: Batch) -> _Objective:
    """The loss of a detector, all pictures of the step matched at once."""
    config, coder = run.config, run.model_config.coder
    anchors = run.anchors_at(int(batch.pictures.shape[-1]))
    found = assigned(run, batch)
    normaliser = _over_processes(run, loss_normaliser(found.labels, config=config.loss))

    def cost(outputs: RawPredictions | PictureOutputs, rows: slice) -> _Part:
        raw = cast(RawPredictions, outputs)
        report = detection_loss(
            raw.codes,
            raw.logits,
            labels=found.labels[rows],
            targets=found.targets[rows],
            anchors=anchors,
            coder=coder,
            config=config.loss,
            overlap=found.overlap[rows],
            boxes=found.boxes[rows],
            normaliser=normaliser,
        )
        costs = (report.localisation_per_anchor + report.confidence_per_anchor).detach().sum(dim=1)
        return _Part(report.total, report.localisation, report.confidence, report.num_positive, costs)

    return cost


def assigned(run: Training, batch: Batch) -> BatchAssignment:
    """What each anchor is told to predict.

    Args:
        run: anchors and matching rule.
        batch: pictures and objects.

    Returns:
        Labels and targets on the run's device, computed in float32.
    """
    boxes, labels, ignored = truths(batch.targets, run.fabric.device)
    return assign_batch(
        boxes,
        labels,
        run.anchors_at(int(batch.pictures.shape[-1])),
        ignored_boxes=ignored,
        rule=run.config.matching,
        threshold=run.config.match_threshold,
        strict=run.config.match_strict,
        coder=run.model_config.coder,
    )


def truths(targets: list[Target], device: torch.device) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
    """The objects that count, and the boxes that are ignored.

    Args:
        targets: of each picture.
        device: where the tensors go.

    Returns:
        Boxes and labels of the objects, and the ignored boxes (difficult ones too, as
        facts.md decides), picture by picture.
    """
    away = [target.ignore | target.difficult for target in targets]
    pairs = list(zip(targets, away, strict=True))
    boxes = [target.boxes[~no].to(device) for target, no in pairs]
    labels = [target.labels[~no].to(device) for target, no in pairs]
    return boxes, labels, [target.boxes[no].to(device) for target, no in pairs]


def _picture_objective(run: Training, batch: Batch) -> _Objective:
    """The loss of a network that answers for a whole picture: its classes, or its largest object."""
    config = run.config.picture_loss
    boxes, labels, _ = truths(batch.targets, run.fabric.device)
    wanted = picture_targets(boxes, labels, num_classes=len(run.model_config.class_names))
    gt_labels = wanted.present if config.confidence == "bce" else wanted.label
    counts = torch.ones_like(wanted.label) if config.confidence == "bce" else (wanted.label > 0).long()
    normaliser = _over_processes(run, counts.sum().float())

    def cost(outputs: RawPredictions | PictureOutputs, rows: slice) -> _Part:
        said = cast(PictureOutputs, outputs)
        report = picture_loss(
            said.box, said.logits, gt_box=wanted.box[rows], gt_labels=gt_labels[rows], config=config
        )
        share = counts[rows].sum() / normaliser  # the report is a mean over its own pictures
        parts = (report.total * share, report.localisation * share, report.confidence * share)
        return _Part(*parts, report.num_positive, report.total.detach().expand(len(wanted.label[rows])))

    return cost


def _over_processes(run: Training, count: Tensor) -> Tensor:
    """The mean of a count over the processes, at least 1 in all: gradients are averaged over them."""
    if run.fabric.world_size == 1:
        return count.clamp(min=1)
    total = cast(Tensor, run.fabric.all_reduce(count, reduce_op="sum"))
    return total.clamp(min=1) / run.fabric.world_size


def _summed(run: Training, batch: Batch, parts: list[_Part]) -> StepLoss:
    """The step's loss over parts and processes; stops where it is not finite."""
    sums = torch.stack(
        [torch.stack([part.total, part.localisation, part.confidence]).detach().double() for part in parts]
    ).sum(dim=0)
    counts = sums.new_tensor([sum(part.num_positive for part in parts), len(batch.targets)])
    world = run.fabric.world_size
    if world > 1:
        sums = cast(Tensor, run.fabric.all_reduce(sums, reduce_op="mean"))
        counts = cast(Tensor, run.fabric.all_reduce(counts, reduce_op="sum"))
    total, localisation, confidence, positive, pictures = [*sums.tolist(), *counts.tolist()]
    loss = StepLoss(total, localisation, confidence, int(positive), int(pictures))
    _require_finite(run, batch, loss, torch.cat([part.costs for part in parts]))
    return loss


def _require_finite(run: Training, batch: Batch, loss: StepLoss, costs: Tensor) -> None:
    """Stop at the step where the loss leaves the finite numbers, and say whose loss it is."""
    values = {"localisation": loss.localisation, "confidence": loss.confidence, "total": loss.total}
    wrong = [name for name, value in values.items() if not torch.tensor(value).isfinite()]
    if not wrong:
        return
    finite = costs.isfinite().tolist()
    guilty = [name for name, fine in zip(batch.names, finite, strict=True) if not fine]
    names = ", ".join(guilty) if guilty else "of another process"
    raise NumericError(
        f"The {wrong[0]} loss of step {run.step + 1} is not finite (pictures: {names}); "
        "lower the learning rate or check the boxes of these pictures."
    )


def normalised(
    pictures: UInt8[Tensor, "b 3 h w"],
    contract: InputContract,
    *,
    memory_format: torch.memory_format = torch.channels_last,
) -> Float[Tensor, "b 3 h w"]:
    """0..255 to the network's range.

    Args:
        pictures: RGB, 0..255, on any device.
        contract: mean and deviation.
        memory_format: of the result.

    Returns:
        The same values as the evaluation transform gives.

    Example:
        >>> grey = torch.full((1, 3, 2, 2), 51, dtype=torch.uint8)
        >>> normalised(grey, InputContract(mean=(0.2, 0.2, 0.2), std=(1.0, 1.0, 1.0))).abs().max() < 1e-6
        tensor(True)
    """
    mean, std = (
        torch.tensor(values, device=pictures.device)[:, None, None]
        for values in (contract.mean, contract.std)
    )
    ready = pictures.to(torch.float32, memory_format=memory_format)
    return ready.div_(255).sub_(mean).div_(std)
