"""How a detector is trained: every number of a run, and the runs that made the shipped weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ssd.config import CoderConfig, MatchingRule
from ssd.data.augment import AugmentConfig
from ssd.errors import ConfigError

__all__ = ["TRAINING_PRESETS", "TrainConfig", "training_preset"]


@dataclass(frozen=True)
class TrainConfig:
    """One run.

    Attributes:
        anchors: name of the anchor preset.
        size_px: side of the network's square input.
        steps: optimiser steps.
        batch_size: pictures a step.
        learning_rate: highest rate of the one-cycle schedule.
        warm_up: share of the steps in which the rate rises.
        weight_decay: of AdamW; not on biases and norms.
        clip_norm: largest norm of the gradient.
        ema: decay of the averaged weights.
        match_threshold: an anchor is positive from this jaccard on.
        matching: the matching rule.
        coder: how targets are encoded.
        negative_ratio: hard negatives for each positive.
        min_negatives: hard negatives of a picture without objects.
        augment: the augmentation.
        precision: Fabric's word for it.
        seed: of weights, order and augmentation.
    """

    anchors: str = "small320"
    size_px: int = 320
    steps: int = 1000
    batch_size: int = 16
    learning_rate: float = 2e-3
    warm_up: float = 0.15
    weight_decay: float = 0.05
    clip_norm: float = 5.0
    ema: float = 0.995
    match_threshold: float = 0.5
    matching: MatchingRule = "bipartite"
    coder: CoderConfig = CoderConfig()
    negative_ratio: float = 3.0
    min_negatives: int = 8
    augment: AugmentConfig = AugmentConfig()
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = "32-true"
    seed: int = 0

    def __post_init__(self) -> None:
        """Counts and rates are positive."""
        for name in ("size_px", "steps", "batch_size", "learning_rate", "clip_norm"):
            if not 0 < getattr(self, name) < 1e9:
                raise ConfigError(f"{name} must be above 0, got {getattr(self, name)}.")
        if not (0 <= self.ema < 1 and 0 < self.warm_up < 1):
            raise ConfigError(f"ema and warm_up are shares below 1, got {self.ema} and {self.warm_up}.")


TRAINING_PRESETS: dict[str, TrainConfig] = {
    "shapes": TrainConfig(steps=1800, augment=AugmentConfig(flip=0.5, upside_down=0.5, photometric=0.2)),
    "bccd": TrainConfig(
        steps=1700,
        augment=AugmentConfig(flip=0.5, upside_down=0.5, crop=0.4, zoom_out=0.1, photometric=0.4),
    ),
}


def training_preset(name: str) -> TrainConfig:
    """The training preset of that name.

    Args:
        name: a key of ``TRAINING_PRESETS``.

    Returns:
        The configuration.

    Raises:
        ConfigError: there is none of that name.

    Example:
        >>> training_preset("bccd").size_px
        320
    """
    if name not in TRAINING_PRESETS:
        raise ConfigError(f"There is no training preset {name!r}; presets: {', '.join(TRAINING_PRESETS)}.")
    return TRAINING_PRESETS[name]
