"""The settings of ``train`` and ``lr-find``: a preset or a TOML file, changed by ``--set``."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ssd.cli.parsing import suggestion
from ssd.errors import ConfigError

if TYPE_CHECKING:
    from ssd.training.config import TrainConfig
    from ssd.training.starting import Stored

__all__ = ["Settings", "add_settings_options", "read_settings"]


@dataclass(frozen=True)
class Settings:
    """What was asked for.

    Attributes:
        config: all settings.
        preset: their name; empty where they came from a file alone.
        class_names: that the file names; ``None`` where it names none.
        num_classes: that the file counts; ``None`` where it does not.
    """

    config: TrainConfig
    preset: str
    class_names: tuple[str, ...] | None
    num_classes: int | None

    def require_classes(self, class_names: tuple[str, ...]) -> None:
        """Raise where the file counts other classes than there are.

        Args:
            class_names: of the data.

        Raises:
            ConfigError: the numbers differ.
        """
        if self.num_classes is not None and self.num_classes != len(class_names):
            raise ConfigError(
                f"num_classes says {self.num_classes}, but there are {len(class_names)} classes: "
                f"{', '.join(class_names)}; take the line out, the number follows from the names."
            )


def add_settings_options(parser: argparse.ArgumentParser) -> None:
    """Options that say how to train.

    Args:
        parser: of the command.
    """
    parser.add_argument(
        "--preset", metavar="NAME", help="named settings, such as ssd-small, ssd300-vgg16, shapes or bccd"
    )
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="settings in a TOML file, such as a run's config.toml"
    )
    parser.add_argument(
        "--set", nargs="+", default=[], action="extend", metavar="KEY=VALUE",
        help="other settings, such as steps=200 learning_rate=1e-3 augment.flip=0",
    )  # fmt: skip


def read_settings(options: argparse.Namespace, *, stored: Stored | None = None) -> Settings:
    """Preset, then file, then ``--set``: the later wins.

    A run that goes on keeps its settings unless another preset, a file or ``--set`` says
    otherwise.

    Args:
        options: of the command.
        stored: the run that goes on.

    Returns:
        The settings.

    Raises:
        ConfigError: there is neither preset nor file, or something in them is wrong.
    """
    from ssd.training.config import TrainConfig
    from ssd.training.settings import changed, from_values, read_toml

    values = read_toml(options.config) if options.config is not None else {}
    class_names, num_classes = _class_names(values.pop("class_names", None)), values.pop("num_classes", None)
    if num_classes is not None and type(num_classes) is not int:
        raise ConfigError(f"num_classes is a whole number, got {num_classes!r}; take the line out.")
    preset = options.preset or values.pop("preset", None)
    values.pop("preset", None)
    before = "" if stored is None else str(stored.facts.get("preset") or "")
    if stored is not None and options.config is None and preset in (None, before):
        config, preset = stored.config, before
    elif preset is not None:
        config = _preset(preset)
    elif options.config is not None:
        config = TrainConfig()
    else:
        raise ConfigError(f"Training needs --preset or --config; presets: {', '.join(_names())}.")
    config = changed(from_values(config, values), options.set)
    return Settings(config, preset or "", class_names, num_classes)


def _names() -> tuple[str, ...]:
    """Of all presets."""
    from ssd.training.presets import TRAINING_PRESETS

    return tuple(TRAINING_PRESETS)


def _preset(name: object) -> TrainConfig:
    """The preset of that name, or a sentence with the nearest one."""
    from ssd.training.presets import training_preset

    if name not in _names():
        near = suggestion(str(name), _names())
        raise ConfigError(f"There is no preset {str(name)[:80]!r}{near}; presets: {', '.join(_names())}.")
    return training_preset(str(name))


def _class_names(value: Any) -> tuple[str, ...] | None:
    """The list in a file, if it is one of texts."""
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise ConfigError(f"class_names is a list of texts, got {str(value)[:80]}; write ['cat', 'dog'].")
    return tuple(value)
