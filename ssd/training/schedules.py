"""How the learning rate moves: pure functions of the step, so that a resumed run needs no memory."""

from __future__ import annotations

import math
from collections.abc import Callable

from ssd.training.config import TrainConfig

__all__ = ["momentum_at", "rate_at"]

_FINAL_DIV = 1e4  # one-cycle ends this far below its start; torch, OneCycleLR, final_div_factor
_MOMENTUM_SWING = 0.05  # one-cycle: .95 → .85 → .95 around .9; torch, OneCycleLR


def rate_at(config: TrainConfig, step: int) -> float:
    """The learning rate of a step, before the factors of the layer groups.

    Args:
        config: the schedule and its numbers.
        step: from 0.

    Returns:
        ``learning_rate`` times a factor in 0–1. ``one-cycle``: up and down along
        cosines. ``cyclic``: ``cycles`` triangles, each rising in its first ``warm_up``
        and falling back to ``learning_rate / start_div``. The others rise along a line
        in the first ``warm_up``; then ``multi-step`` multiplies by ``drop`` at each
        milestone, ``cosine`` falls to 0, ``constant`` stays.

    Source:
        one-cycle: Smith and Topin, Super-Convergence, 2018; torch, OneCycleLR. cyclic:
        Smith, Cyclical Learning Rates, WACV 2017, with the slanted triangle of Howard
        and Ruder, ACL 2018, section 3.2 (the lesson's ``use_clr``). cosine: Loshchilov
        and Hutter, SGDR, ICLR 2017. warm-up: Goyal et al., 2017, section 2.2.

    Example:
        >>> config = TrainConfig(steps=100, learning_rate=1.0, schedule="multi-step", warm_up=0.0)
        >>> [round(rate_at(config, step), 4) for step in (0, 65, 66, 83)]
        [1.0, 1.0, 0.1, 0.01]
    """
    return config.learning_rate * _FACTORS[config.schedule](config, step)


def momentum_at(config: TrainConfig, step: int) -> float:
    """The momentum of a step (of Adam: its first beta).

    Args:
        config: the schedule and its numbers.
        step: from 0.

    Returns:
        ``momentum``; one-cycle lowers it while the rate is high.

    Source:
        Smith and Topin, Super-Convergence, 2018; torch, OneCycleLR.

    Example:
        >>> round(momentum_at(TrainConfig(steps=99, warm_up=0.5), 49), 4)
        0.85
    """
    if config.schedule != "one-cycle":
        return config.momentum
    low, high = max(config.momentum - _MOMENTUM_SWING, 0.0), min(config.momentum + _MOMENTUM_SWING, 0.9999)
    return _one_cycle(config, step, start=high, top=low, end=high)


def _one_cycle(config: TrainConfig, step: int, *, start: float, top: float, end: float) -> float:
    """From ``start`` to ``top`` in the first part of the run, then to ``end``, along cosines."""
    turn = config.warm_up * (config.steps + 1) - 1  # torch, OneCycleLR with total_steps = steps + 1
    if step <= turn:
        return _cosine(start, top, step / turn if turn > 0 else 1.0)
    return _cosine(top, end, min((step - turn) / (config.steps - turn), 1.0))


def _cosine(start: float, end: float, share: float) -> float:
    """Half a cosine from ``start`` to ``end``."""
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2


def _one_cycle_factor(config: TrainConfig, step: int) -> float:
    low = 1 / config.start_div
    return _one_cycle(config, step, start=low, top=1.0, end=low / _FINAL_DIV)


def _cyclic_factor(config: TrainConfig, step: int) -> float:
    place = (step * config.cycles / config.steps) % 1.0  # within its cycle, 0–1
    if place < config.warm_up:
        return _between(1 / config.start_div, 1.0, place / config.warm_up)
    return _between(1.0, 1 / config.start_div, (place - config.warm_up) / (1 - config.warm_up))


def _multi_step_factor(config: TrainConfig, step: int) -> float:
    passed = sum(step >= milestone * config.steps for milestone in config.milestones)
    return float(_warm(config, step) * config.drop**passed)


def _cosine_factor(config: TrainConfig, step: int) -> float:
    rise = config.warm_up * config.steps
    share = max(step - rise, 0.0) / max(config.steps - rise, 1.0)
    return _warm(config, step) * _cosine(1.0, 0.0, min(share, 1.0))


def _warm(config: TrainConfig, step: int) -> float:
    """Rising along a line in the first ``warm_up`` of the run, then 1."""
    rise = config.warm_up * config.steps
    return _between(1 / config.start_div, 1.0, step / rise) if step < rise else 1.0


def _between(start: float, end: float, share: float) -> float:
    return start + (end - start) * share


_FACTORS: dict[str, Callable[[TrainConfig, int], float]] = {
    "one-cycle": _one_cycle_factor,
    "cyclic": _cyclic_factor,
    "multi-step": _multi_step_factor,
    "cosine": _cosine_factor,
    "constant": _warm,
}
