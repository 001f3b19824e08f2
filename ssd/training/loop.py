"""The training loop, as an iterator: the command line prints, a test takes three steps, a page draws."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from ssd.anchors import Anchors
from ssd.config import CoderConfig, anchor_preset
from ssd.contract import InputContract, ModelConfig
from ssd.data.records import Target
from ssd.errors import NumericError
from ssd.losses import LossReport, softmax_loss
from ssd.matching import assign, match
from ssd.models.network import build_model
from ssd.training.config import TrainConfig
from ssd.training.loader import Batch, SampleSource, batches

__all__ = ["StepReport", "Training", "bare", "batch_loss", "prepare", "train"]


@dataclass(frozen=True)
class StepReport:
    """What one optimiser step did.

    Attributes:
        step: from 1.
        loss: total.
        localisation: its part on boxes.
        confidence: its part on classes.
        learning_rate: used in this step.
        seconds: since the step before.
        num_positive: anchors that answered for an object.
        num_pictures: in the batch.
    """

    step: int
    loss: float
    localisation: float
    confidence: float
    learning_rate: float
    seconds: float
    num_positive: int
    num_pictures: int


@dataclass
class Training:
    """Everything that a run holds between two steps.

    Attributes:
        config: the run's numbers.
        model_config: the detector's.
        fabric: device, precision, processes.
        model: the network being trained, wrapped by Fabric.
        averaged: moving average of its weights; what is evaluated and shipped.
        optimiser: AdamW, wrapped by Fabric.
        schedule: one cycle.
    """

    config: TrainConfig
    model_config: ModelConfig
    fabric: Fabric
    model: nn.Module
    averaged: AveragedModel
    optimiser: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LRScheduler


def prepare(config: TrainConfig, *, class_names: tuple[str, ...]) -> Training:
    """Build network, optimiser and schedule of a run.

    Args:
        config: the run's numbers.
        class_names: in the order of labels 1..C.

    Returns:
        The run, before its first step.

    Raises:
        ConfigError: a name or number is out of range.

    Example:
        >>> prepare(TrainConfig(steps=2), class_names=("circle", "star")).model_config.num_logits
        3
    """
    fabric = Fabric(accelerator="auto", devices=1, precision=config.precision)
    fabric.seed_everything(config.seed, verbose=False)
    contract = InputContract(size_wh=(config.size_px, config.size_px))
    anchors = anchor_preset(config.anchors or "small320").anchors
    coder = config.coder or CoderConfig()
    model_config = ModelConfig("ssd-small", class_names, anchors, contract=contract, coder=coder)
    network = build_model(model_config).to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(_groups(network, config.weight_decay), lr=config.learning_rate)
    model, wrapped = fabric.setup(network, optimiser)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, max_lr=config.learning_rate, total_steps=config.steps + 1, pct_start=config.warm_up
    )
    average = get_ema_multi_avg_fn(config.ema)  # type: ignore[no-untyped-call]
    averaged = AveragedModel(network, multi_avg_fn=average, use_buffers=True)
    return Training(config, model_config, fabric, model, averaged, wrapped, schedule)


def _groups(network: nn.Module, weight_decay: float) -> list[dict[str, object]]:
    """No weight decay on biases and norms."""
    decayed = [p for p in network.parameters() if p.ndim > 1]
    rest = [p for p in network.parameters() if p.ndim <= 1]
    return [{"params": decayed, "weight_decay": weight_decay}, {"params": rest, "weight_decay": 0.0}]


def train(run: Training, source: SampleSource, *, num_workers: int = 0) -> Iterator[StepReport]:
    """Train, one report a step.

    Args:
        run: what :func:`prepare` made.
        source: the samples.
        num_workers: processes that prepare batches.

    Yields:
        A report after each optimiser step.

    Raises:
        NumericError: the loss is not finite; the message names step, part and pictures.

    Example:
        >>> from ssd.training.loader import SyntheticSource
        >>> run = prepare(TrainConfig(steps=1, batch_size=1), class_names=("a",) * 0 + tuple("abcdefgh"))
        >>> [report.step for report in train(run, SyntheticSource())]
        [1]
    """
    anchors = _anchors_of(run).to(run.fabric.device)
    run.model.train()
    started = time.perf_counter()
    for step, batch in enumerate(batches(source, run.config, num_workers=num_workers), start=1):
        rate = float(run.optimiser.param_groups[0]["lr"])
        loss = batch_loss(run, batch, anchors)
        _require_finite(loss, step, batch)
        run.optimiser.zero_grad(set_to_none=True)
        run.fabric.backward(loss.total)
        run.fabric.clip_gradients(run.model, run.optimiser, max_norm=run.config.clip_norm)
        run.optimiser.step()
        run.schedule.step()
        run.averaged.update_parameters(bare(run.model))
        now = time.perf_counter()
        yield StepReport(
            step=step,
            loss=float(loss.total.detach()),
            localisation=float(loss.localisation.detach()),
            confidence=float(loss.confidence.detach()),
            learning_rate=rate,
            seconds=now - started,
            num_positive=loss.num_positive,
            num_pictures=len(batch.targets),
        )
        started = now


def bare(model: nn.Module) -> nn.Module:
    """The network inside Fabric's wrapper.

    Args:
        model: a network, wrapped or not.

    Returns:
        The network itself.
    """
    inner = getattr(model, "module", model)
    return inner if isinstance(inner, nn.Module) else model


def _anchors_of(run: Training) -> Anchors:
    """The network's anchors."""
    anchors: Anchors = bare(run.model).anchors  # type: ignore[assignment]
    return anchors


def batch_loss(run: Training, batch: Batch, anchors: Anchors) -> LossReport:
    """The loss of one batch: normalise, predict, match each picture, compare.

    Args:
        run: the run.
        batch: pictures and objects.
        anchors: the network's anchors on the run's device.

    Returns:
        The loss and its parts.
    """
    pictures = _normalised(batch.pictures.to(run.fabric.device), run.model_config.contract)
    raw = run.model(pictures)
    labels, targets = _assigned(batch.targets, anchors, run.config, run.model_config.coder)
    return softmax_loss(
        raw.codes,
        raw.logits,
        labels=labels,
        targets=targets,
        negative_ratio=run.config.negative_ratio,
        min_negatives=run.config.min_negatives,
    )


def _normalised(pictures: Tensor, contract: InputContract) -> Tensor:
    """0..255 to the network's range."""
    mean, std = (
        pictures.new_tensor(v, dtype=torch.float32)[:, None, None] for v in (contract.mean, contract.std)
    )
    return ((pictures.to(torch.float32) / 255 - mean) / std).contiguous(memory_format=torch.channels_last)


def _assigned(
    targets: list[Target], anchors: Anchors, config: TrainConfig, coder: CoderConfig
) -> tuple[Tensor, Tensor]:
    """Labels (b, a) and encoded targets (b, a, 4) of a batch."""
    labels, codes = [], []
    for target in targets:
        counted, ignored = ~target.ignore, target.ignore
        boxes = target.boxes[counted].to(anchors.boxes.device)
        found = match(
            boxes,
            anchors.boxes,
            rule=config.matching,
            threshold=config.match_threshold,
            ignored_boxes=target.boxes[ignored].to(anchors.boxes.device),
        )
        gt_labels = target.labels[counted].to(anchors.boxes.device)
        assigned = assign(found, anchors, gt_boxes=boxes, gt_labels=gt_labels, coder=coder)
        labels.append(assigned.labels)
        codes.append(assigned.targets)
    return torch.stack(labels), torch.stack(codes)


def _require_finite(loss: LossReport, step: int, batch: Batch) -> None:
    """Stop at the step where the loss leaves the finite numbers."""
    if bool(torch.isfinite(loss.total)):
        return
    part = "localisation" if not bool(torch.isfinite(loss.localisation)) else "confidence"
    raise NumericError(
        f"The {part} loss of step {step} is not finite (pictures: {', '.join(batch.names)}); "
        "lower the learning rate or check the boxes of these pictures."
    )
