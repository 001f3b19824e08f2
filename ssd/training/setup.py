"""What a run holds between two steps: built by :func:`prepare`, saved and restored whole."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any, Literal, cast

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins import MixedPrecision
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from ssd.anchors import Anchors
from ssd.config import anchor_preset, anchors_for_side
from ssd.contract import PICTURE_ARCHITECTURES, ModelConfig
from ssd.errors import CheckpointError, ConfigError
from ssd.model_presets import model_preset
from ssd.models.network import build_model
from ssd.training.config import Precision, TrainConfig
from ssd.training.optimisers import bare, freeze, make_optimiser

__all__ = ["Training", "make_fabric", "prepare"]

_SAFE_CHANNELS = 16  # strided 1×1 convolutions with fewer channels are not safe in channels_last


@dataclass
class Training:
    """Everything that a run holds between two steps.

    Attributes:
        config: the run's numbers.
        model_config: the network's.
        fabric: device, precision, processes.
        model: the network being trained, wrapped by Fabric.
        averaged: moving average of its weights; what is evaluated and shipped. Without
            ``ema`` it holds the network itself.
        optimiser: wrapped by Fabric; its rates are set at each step from the schedule.
        memory_format: in which convolutions get weights and pictures.
        step: optimiser steps done.
        best: highest metric of the validations; −inf before the first.
        since_best: validations since then.
    """

    config: TrainConfig
    model_config: ModelConfig
    fabric: Fabric
    model: nn.Module
    averaged: AveragedModel
    optimiser: torch.optim.Optimizer
    memory_format: torch.memory_format
    step: int = 0
    best: float = -math.inf
    since_best: int = 0
    _anchors: dict[int, Anchors] = field(default_factory=dict, repr=False)

    @property
    def stopped_early(self) -> bool:
        """Whether validation has not gained for as long as ``early_stop`` allows."""
        return 0 < self.config.early_stop <= self.since_best

    @property
    def finished(self) -> bool:
        """Whether no step is left."""
        return self.step >= self.config.steps or self.stopped_early

    def anchors_at(self, side_px: int) -> Anchors:
        """The network's anchors for square pictures of a side, on the run's device; made once."""
        if side_px not in self._anchors:
            network = cast(Any, bare(self.model))
            made: Anchors = network.anchors
            if (side_px, side_px) != self.model_config.contract.size_wh:
                made = network.anchors_at((side_px, side_px), keep=self.config.anchor_sizes)
            self._anchors[side_px] = made.to(self.fabric.device)
        return self._anchors[side_px]

    def state(self) -> dict[str, Any]:
        """All that a resumed run needs to be bit-identical to one that never stopped.

        Order, augmentation, dropout, input sizes and the schedule depend on seed and
        step alone, so the step stands for them.

        Returns:
            Copies on the CPU: tensors and plain values only.
        """
        state = {
            "step": self.step,
            "best": self.best,
            "since_best": self.since_best,
            "model": bare(self.model).state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "scaler": self.fabric.strategy.precision.state_dict(),
        }
        return cast(dict[str, Any], _copied(state))

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to a state.

        Args:
            state: of :meth:`state`, of a run with the same network, optimiser and precision.

        Raises:
            CheckpointError: a part is missing, or belongs to another run; nothing is changed then.
        """
        _require_same_form(self.state(), state)
        bare(self.model).load_state_dict(state["model"])
        self.averaged.load_state_dict(state["averaged"])
        self.optimiser.load_state_dict(_copied(state["optimiser"]))
        self.fabric.strategy.precision.load_state_dict(state["scaler"])
        self.step, self.best, self.since_best = state["step"], state["best"], state["since_best"]


def _copied(value: Any) -> Any:
    """Nested containers with every tensor copied to the CPU."""
    if isinstance(value, Tensor):
        return value.detach().to("cpu", copy=True)
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_copied(item) for item in value)
    return value


def _require_same_form(own: dict[str, Any], state: dict[str, Any]) -> None:
    """The parts of a state, and the names and shapes of its tensors, are those of this run."""
    missing = [name for name in own if name not in state]
    if missing:
        raise CheckpointError(
            f"A run's state needs the parts {', '.join(own)}; {', '.join(missing)} is missing. "
            "Resume from another checkpoint."
        )
    for part in ("model", "averaged", "scaler"):
        shapes, found = _shapes(own[part]), _shapes(state[part])
        wrong = [name for name in {**shapes, **found} if shapes.get(name) != found.get(name)]
        if wrong:
            raise CheckpointError(
                f"The state was saved by a run with another network or precision: {part} differs in "
                f"{', '.join(sorted(wrong)[:5])}. Resume with the configuration of that run."
            )
    groups, found_groups = (s["optimiser"]["param_groups"] for s in (own, state))
    if [len(g["params"]) for g in groups] != [len(g["params"]) for g in found_groups]:
        raise CheckpointError(
            "The state was saved by a run with another optimiser or other frozen layers; "
            "resume with the configuration of that run."
        )


def _shapes(values: dict[str, Any]) -> dict[str, object]:
    """Name → shape of a tensor, or the kind of a plain value."""
    return {
        name: tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
        for name, value in values.items()
    }


def make_fabric(precision: Precision, *, processes: int = 1) -> Fabric:
    """Fabric for a run.

    Args:
        precision: as in :class:`TrainConfig`.
        processes: on this machine; more than one need ``launch()``.

    Returns:
        Fabric on the accelerator that is there, or on the CPU.
    """
    strategy: Literal["auto", "ddp"] = "auto" if processes == 1 else "ddp"
    if precision == "16-mixed" and not torch.cuda.is_available():  # else Fabric takes bf16 on a CPU
        plugin = MixedPrecision("16-mixed", device="cpu")
        return Fabric(accelerator="cpu", devices=processes, strategy=strategy, plugins=[plugin])
    return Fabric(accelerator="auto", devices=processes, strategy=strategy, precision=precision)


def prepare(config: TrainConfig, *, class_names: tuple[str, ...], fabric: Fabric | None = None) -> Training:
    """Build network, optimiser and average of a run.

    Args:
        config: the run's numbers.
        class_names: in the order of labels 1..C.
        fabric: launched, with the precision of ``config``; ``None``: one process.

    Returns:
        The run, before its first step.

    Raises:
        ConfigError: a name or number is out of range.

    Example:
        >>> prepare(TrainConfig(steps=2), class_names=("circle", "star")).model_config.num_logits
        3
    """
    fabric = make_fabric(config.precision) if fabric is None else fabric
    if (found := fabric.strategy.precision.precision) != config.precision:
        raise ConfigError(f"Fabric must have the run's precision {config.precision}, got {found}.")
    fabric.seed_everything(config.seed, verbose=False)
    model_config = _model_config(config, class_names)
    network = build_model(model_config)
    memory_format = _memory_format(network, fabric.device)
    network = network.to(memory_format=memory_format)
    freeze(network, config)
    average = get_ema_multi_avg_fn(config.ema)  # type: ignore[no-untyped-call]
    averaged = AveragedModel(network, multi_avg_fn=average, use_buffers=True).to(fabric.device)
    if config.ema == 0:
        averaged.module = network  # the last weights themselves: nothing to be copied at every step
    model, optimiser = fabric.setup(network, make_optimiser(network, config))
    return Training(config, model_config, fabric, model, averaged.eval(), optimiser, memory_format)


def _memory_format(network: nn.Module, device: torch.device) -> torch.memory_format:
    """The faster order of memory; never one that corrupts it.

    On a CPU (AVX2, one thread) a step of ssd-small takes 387 ms in ``channels_last`` and
    454 ms without, SSDlite 466 and 671, but VGG16, which has no batch norm, 4,596 and
    2,802 ms. Narrow strided 1×1 convolutions write past their memory: oneDNN issue 6035.
    """
    if device.type != "cpu":
        return torch.channels_last
    if not any(isinstance(module, nn.BatchNorm2d) for module in network.modules()):
        return torch.contiguous_format
    strided = [
        module.in_channels
        for module in network.modules()
        if isinstance(module, nn.Conv2d) and module.kernel_size == (1, 1) and max(module.stride) > 1
    ]
    if strided and min(strided) < _SAFE_CHANNELS:
        return torch.contiguous_format
    return torch.channels_last


def _model_config(config: TrainConfig, class_names: tuple[str, ...]) -> ModelConfig:
    """The model preset with the run's classes, input side, anchors, coder and background column."""
    preset = model_preset(config.model, class_names)
    if config.backbone:
        preset = replace(preset, backbone=config.backbone)
    side = config.size_px
    changes: dict[str, Any] = {"contract": replace(preset.contract, size_wh=(side, side))}
    if preset.architecture in PICTURE_ARCHITECTURES:
        _require_picture_loss(config, preset)
        return replace(preset, **changes)
    changes["activation"] = "softmax" if config.loss.confidence == "softmax" else "sigmoid"
    own = anchor_preset(config.anchors).anchors if config.anchors else preset.anchors
    changes["anchors"] = anchors_for_side(own, side_px=side, keep=config.anchor_sizes)
    if config.coder is not None:
        changes["coder"] = config.coder
    return replace(preset, **changes)


def _require_picture_loss(config: TrainConfig, preset: ModelConfig) -> None:
    """Several classes need yes or no for each; one class needs a softmax."""
    wanted = "bce" if preset.activation == "sigmoid" else "softmax"
    if config.picture_loss.confidence != wanted:
        raise ConfigError(
            f"{config.model} learns with picture_loss.confidence = {wanted}, got "
            f"{config.picture_loss.confidence}; change one of them."
        )
