"""Optimisers: which parameters learn, how fast each layer group does, and what does not decay."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from ssd.models.network import layer_groups
from ssd.training.config import TrainConfig
from ssd.training.schedules import momentum_at, rate_at

__all__ = ["bare", "freeze", "make_optimiser", "set_rates", "training_mode"]


def bare(model: nn.Module) -> nn.Module:
    """The network inside Fabric's wrapper.

    Args:
        model: a network, wrapped or not.

    Returns:
        The network itself.

    Example:
        >>> network = nn.Linear(2, 1)
        >>> bare(network) is network
        True
    """
    inner = getattr(model, "module", model)
    return inner if isinstance(inner, nn.Module) else model


def freeze(model: nn.Module, config: TrainConfig) -> None:
    """Stop the first ``config.freeze`` layer groups from learning.

    Args:
        model: the network; its parameters are changed.
        config: how many groups.
    """
    for group in layer_groups(model)[: config.freeze]:
        for module in group.modules:
            module.requires_grad_(False)


def training_mode(model: nn.Module, config: TrainConfig) -> None:
    """Switch a network to training; batch norm and dropout of frozen groups rest.

    Args:
        model: the network, wrapped or not; its mode is changed.
        config: how many groups are frozen.
    """
    model.train()
    if config.freeze == 0:
        return
    for group in layer_groups(bare(model))[: config.freeze]:
        for module in group.modules:
            module.eval()


def make_optimiser(model: nn.Module, config: TrainConfig) -> torch.optim.Optimizer:
    """The optimiser of a run.

    Each layer group has two parameter groups, with and without weight decay: biases
    and the parameters of norms do not decay. Frozen parameters are left out.

    Args:
        model: the network.
        config: optimiser, rate, decay and the factor of each layer group.

    Returns:
        The optimiser; each of its parameter groups carries its ``rate_factor``.

    Source:
        differential rates: Howard and Ruder, ACL 2018, section 3.2 (the lesson's lr/100,
        lr/10, lr). No decay on norms and biases: He et al., Bag of Tricks, CVPR 2019, 3.1.
    """
    groups = _parameter_groups(model, config)
    if config.optimiser == "sgd":
        return torch.optim.SGD(groups, lr=config.learning_rate, momentum=config.momentum)
    kind = torch.optim.AdamW if config.optimiser == "adamw" else torch.optim.Adam
    return kind(groups, lr=config.learning_rate, betas=(config.momentum, 0.999))


def _parameter_groups(model: nn.Module, config: TrainConfig) -> list[dict[str, Any]]:
    """Layer group × (decays, does not decay); empty ones left out."""
    calm = _without_decay(model)
    groups = []
    for layers, factor in zip(layer_groups(model), config.group_rates, strict=True):
        learning = [p for p in layers.parameters() if p.requires_grad]
        for decay, wanted in ((config.weight_decay, False), (0.0, True)):
            chosen = [p for p in learning if (id(p) in calm) == wanted]
            if chosen:
                groups.append({"params": chosen, "weight_decay": decay, "rate_factor": factor})
    return groups


def _without_decay(model: nn.Module) -> set[int]:
    """Biases, and everything that a norm owns."""
    norms = {
        id(p) for m in model.modules() if "Norm" in type(m).__name__ for p in m.parameters(recurse=False)
    }
    return norms | {id(p) for p in model.parameters() if p.ndim <= 1}


def set_rates(optimiser: torch.optim.Optimizer, config: TrainConfig, *, step: int) -> float:
    """Give every parameter group the rate and momentum of a step.

    Args:
        optimiser: of :func:`make_optimiser`; its parameter groups are changed.
        config: the schedule.
        step: from 0.

    Returns:
        The rate before the groups' factors.
    """
    rate, momentum = rate_at(config, step), momentum_at(config, step)
    for group in optimiser.param_groups:
        group["lr"] = rate * group["rate_factor"]
        if "betas" in group:
            group["betas"] = (momentum, group["betas"][1])
        else:
            group["momentum"] = momentum
    return rate
