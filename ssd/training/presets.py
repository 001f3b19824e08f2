"""Named runs: what each reproduces, where its numbers come from, and what it reached."""

from __future__ import annotations

from ssd.data.augment import AugmentConfig
from ssd.errors import ConfigError
from ssd.training.config import TrainConfig

__all__ = ["TRAINING_PRESETS", "training_preset"]

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
