"""How a network is trained: every number of a run, checked before anything starts."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field, fields
from typing import Literal, get_args

from ssd.config import AnchorSizes, CoderConfig, MatchingRule
from ssd.contract import BACKBONES, Backbone
from ssd.data.augment import AugmentConfig
from ssd.errors import ConfigError
from ssd.losses import LossConfig, PictureLossConfig

__all__ = ["OptimiserName", "Precision", "ScheduleName", "TrainConfig"]

ScheduleName = Literal["one-cycle", "cyclic", "multi-step", "cosine", "constant"]
OptimiserName = Literal["adamw", "adam", "sgd"]
Precision = Literal["32-true", "bf16-mixed", "16-mixed"]
_NUM_GROUPS = 3  # layer groups of every network: early backbone, late backbone, head
_SIZE_STEP_PX = 32  # sides of multi-scale training are multiples of the coarsest common stride


@dataclass(frozen=True)
class TrainConfig:
    """One run.

    Steps are optimiser steps, counted from 0 here; shares are shares of ``steps``.

    Attributes:
        model: name of the model preset.
        backbone: another one than the model preset's; empty: the preset's own.
        anchors: name of the anchor preset; empty: the model preset's own anchors. At another
            side than theirs they follow as ``anchor_sizes`` says.
        size_px: side of the network's square input.
        steps: optimiser steps.
        batch_size: pictures a step, in each process.
        accumulate: parts in which a step's pictures pass through the network. The loss
            of all parts has one normaliser, so the gradient is that of the whole batch;
            only batch norm sees the smaller parts.
        optimiser: AdamW, Adam (weight decay in the gradient), or SGD with momentum.
        momentum: of SGD; the first beta of Adam.
        learning_rate: highest rate of the schedule.
        schedule: how the rate moves; ``schedules.py`` draws each.
        warm_up: share of the run (cyclic: of a cycle) in which the rate rises.
        start_div: the rate starts at ``learning_rate / start_div``.
        cycles: triangles of the cyclic schedule.
        milestones: shares of the run at which the multi-step schedule multiplies by ``drop``.
        drop: that factor.
        group_rates: factors on the rate of each layer group, from the input on.
        freeze: layer groups, from the input on, that do not learn; their batch norms rest.
        weight_decay: not on biases and norms.
        clip_norm: largest norm of the gradient; 0: any.
        ema: decay of the averaged weights; 0: the average is the last weights.
        match_threshold: an anchor is positive from this jaccard on.
        match_strict: it must be greater instead (the lesson).
        matching: the matching rule.
        coder: how targets are encoded; ``None``: the model preset's.
        loss: of a detector; its kind of confidence loss decides whether the network has a
            background column.
        picture_loss: of the networks that answer for a whole picture.
        augment: the augmentation.
        sizes: (share of the run, side) pairs: from that share on pictures have that side;
            small first, ``size_px`` last. Empty: always ``size_px``.
        anchor_sizes: on pictures of another side an anchor keeps its ``pixels``, or its
            ``shares`` of the picture.
        size_jitter: multi-scale training: each step's side lies within this share of the
            side that is due, except in the last, clean part.
        last_clean: last share of the run without mosaic, mixup and pasting.
        validate_every: steps between two validations; 0: none.
        early_stop: validations without a gain after which the run ends; 0: never.
        precision: Fabric's word for it.
        seed: of weights, order, augmentation and dropout.
    """

    model: str = "ssd-small"
    backbone: Backbone | Literal[""] = ""
    anchors: str = ""
    size_px: int = 320
    steps: int = 1000
    batch_size: int = 16
    accumulate: int = 1
    optimiser: OptimiserName = "adamw"
    momentum: float = 0.9
    learning_rate: float = 2e-3
    schedule: ScheduleName = "one-cycle"
    warm_up: float = 0.15
    start_div: float = 25.0
    cycles: int = 1
    milestones: tuple[float, ...] = (0.66, 0.83)  # Caffe-SSD: 80k and 100k of 120k iterations
    drop: float = 0.1
    group_rates: tuple[float, ...] = (1.0, 1.0, 1.0)
    freeze: int = 0
    weight_decay: float = 0.05
    clip_norm: float = 5.0
    ema: float = 0.995
    match_threshold: float = 0.5
    match_strict: bool = False
    matching: MatchingRule = "bipartite"
    coder: CoderConfig | None = None
    loss: LossConfig = field(default_factory=LossConfig)
    picture_loss: PictureLossConfig = field(default_factory=PictureLossConfig)
    augment: AugmentConfig = AugmentConfig()
    sizes: tuple[tuple[float, int], ...] = ()
    anchor_sizes: AnchorSizes = "pixels"
    size_jitter: float = 0.0
    last_clean: float = 0.0
    validate_every: int = 0
    early_stop: int = 0
    precision: Precision = "32-true"
    seed: int = 0

    def __post_init__(self) -> None:
        """Every number is in its range; a wrong one is named."""
        for name, (low, high) in _RANGES.items():
            _require_within(name, getattr(self, name), low, high)
        for name, words in _WORDS.items():
            if getattr(self, name) not in words:
                raise ConfigError(f"{name} is one of {', '.join(words)}, got {getattr(self, name)!r}.")
        if self.batch_size % self.accumulate:
            raise ConfigError(
                f"batch_size must be a multiple of accumulate, got {self.batch_size} and {self.accumulate}; "
                "a step's pictures pass in equal parts."
            )
        _require_rates(self.group_rates)
        _require_rising("milestones", self.milestones)
        _require_sizes(self.sizes, self.size_px)

    def size_at(self, step: int) -> int:
        """The side of the input in a step.

        Args:
            step: from 0.

        Returns:
            Pixels: what ``sizes`` says, moved by ``size_jitter`` to another multiple of 32
            that depends on seed and step alone.

        Example:
            >>> config = TrainConfig(steps=10, size_px=320, sizes=((0.0, 192), (0.5, 320)))
            >>> [config.size_at(step) for step in (0, 4, 5, 9)]
            [192, 192, 320, 320]
        """
        due = [side for start, side in self.sizes if start <= step / self.steps]
        side = due[-1] if due else self.size_px
        if self.size_jitter == 0 or self.is_clean(step):
            return side
        low = math.ceil(side * (1 - self.size_jitter) / _SIZE_STEP_PX)
        high = math.floor(side * (1 + self.size_jitter) / _SIZE_STEP_PX)
        choices = [count * _SIZE_STEP_PX for count in range(max(low, 1), high + 1)] or [side]
        return random.Random(f"{self.seed} {step}").choice(choices)

    def is_clean(self, step: int) -> bool:
        """Whether a step lies in the last part of the run, without mosaic, mixup and pasting.

        Args:
            step: from 0.

        Returns:
            True from the first step on that leaves at most ``last_clean`` of the run.

        Example:
            >>> [TrainConfig(steps=4, last_clean=0.5).is_clean(step) for step in range(4)]
            [False, False, True, True]
        """
        return self.steps - step <= self.last_clean * self.steps


# What each number may be: from, to (both allowed). 1e-12 stands for "above 0".
_RANGES: dict[str, tuple[float, float]] = {
    "size_px": (32, 2048),
    "steps": (1, 1e9),
    "batch_size": (1, 1e5),
    "accumulate": (1, 1e5),
    "momentum": (0, 0.9999),
    "learning_rate": (1e-12, 1e3),
    "warm_up": (0, 0.9999),
    "start_div": (1, 1e9),
    "cycles": (1, 1e5),
    "drop": (1e-12, 1),
    "freeze": (0, _NUM_GROUPS - 1),
    "weight_decay": (0, 1e3),
    "clip_norm": (0, 1e9),
    "ema": (0, 0.999999),
    "match_threshold": (0, 1),
    "size_jitter": (0, 0.9),
    "last_clean": (0, 1),
    "validate_every": (0, 1e9),
    "early_stop": (0, 1e9),
    "seed": (0, 2**31),
}
_WORDS: dict[str, tuple[str, ...]] = {
    "backbone": ("", *BACKBONES),
    "schedule": get_args(ScheduleName),
    "optimiser": get_args(OptimiserName),
    "matching": get_args(MatchingRule),
    "precision": get_args(Precision),
    "anchor_sizes": get_args(AnchorSizes),
}
_WHOLE = {one.name for one in fields(TrainConfig) if one.type == "int"}


def _require_within(name: str, value: float, low: float, high: float) -> None:
    """A finite number of the right kind in its range."""
    number = isinstance(value, int if name in _WHOLE else int | float) and not isinstance(value, bool)
    if not number or not low <= value <= high:
        least = "above 0" if low == 1e-12 else f"at least {low:g}"
        kind = "a whole number" if name in _WHOLE else "a number"
        raise ConfigError(f"{name} must be {kind}, {least} and at most {high:g}, got {value!r}.")


def _require_rates(rates: tuple[float, ...]) -> None:
    """One factor a layer group."""
    if len(rates) != _NUM_GROUPS or not all(0 <= rate <= 1e6 for rate in rates) or max(rates) == 0:
        raise ConfigError(
            f"group_rates needs {_NUM_GROUPS} factors of at least 0, from the input on, got {rates}."
        )


def _require_rising(name: str, shares: tuple[float, ...]) -> None:
    """Shares in 0–1, each above the one before."""
    if not all(0 <= share <= 1 for share in shares) or sorted(set(shares)) != list(shares):
        raise ConfigError(f"{name} are rising shares of the run in 0–1, got {shares}.")


def _require_sizes(sizes: tuple[tuple[float, int], ...], full: int) -> None:
    """The first side from the start, the full one last."""
    if not sizes:
        return
    shares, sides = tuple(share for share, _ in sizes), [side for _, side in sizes]
    _require_rising("The shares in sizes", shares)
    if shares[0] != 0 or sides[-1] != full or min(sides) < _SIZE_STEP_PX:
        raise ConfigError(
            f"sizes starts at share 0 and ends with size_px ({full}), no side below {_SIZE_STEP_PX}, "
            f"got {sizes}."
        )
