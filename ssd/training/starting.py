"""How a run begins: from random weights, from ImageNet, from another run's weights, or where it stopped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ssd.checkpoints import Kept, load_kept, read_weights, start_backbone
from ssd.checkpoints.backbones import BackboneStart
from ssd.errors import ConfigError
from ssd.training.config import TrainConfig
from ssd.training.loop import Training, bare
from ssd.training.run_folder import CONFIG, RUN, read_run
from ssd.training.settings import differences, from_values, read_toml

__all__ = ["Start", "Stored", "changes", "load_start", "start_from_imagenet", "stored_run"]

_NEWEST = 1  # format of run.json


@dataclass(frozen=True)
class Start:
    """What a run took over from a weights file.

    Attributes:
        kept: tensors that were taken over, and those that are new.
        class_names: of the file.
    """

    kept: Kept
    class_names: tuple[str, ...]


def load_start(run: Training, path: Path) -> Start:
    """Start from the weights of another run.

    With other classes the backbone and the box weights are kept, and what speaks of
    classes is new.

    Args:
        run: what ``prepare`` made; its network and its average are changed.
        path: a weights file of a similar network.

    Returns:
        What was kept.

    Raises:
        CheckpointError: the file is damaged, or nothing in it fits.
    """
    loaded = read_weights(path)
    names = loaded.config.class_names
    kept = load_kept(bare(run.model), loaded.model.state_dict(), class_names=names)
    _average_again(run)
    return Start(kept, names)


def start_from_imagenet(run: Training, *, fetch: bool) -> BackboneStart:
    """Give the backbone ImageNet weights where there are any.

    Args:
        run: what ``prepare`` made; its network and its average are changed.
        fetch: download them where they are not on this machine.

    Returns:
        What happened, in words.
    """
    start = start_backbone(bare(run.model), fetch=fetch)
    _average_again(run)
    return start


def _average_again(run: Training) -> None:
    """The average of a run without a step is its weights."""
    run.averaged.module.load_state_dict(bare(run.model).state_dict())


@dataclass(frozen=True)
class Stored:
    """What a run's folder says the run is.

    Attributes:
        config: all settings.
        facts: the values of ``run.json``.
    """

    config: TrainConfig
    facts: Mapping[str, Any]

    @property
    def class_names(self) -> tuple[str, ...]:
        """Of labels 1..C."""
        return tuple(str(name) for name in self.facts.get("class_names", ()))


def stored_run(folder: Path) -> Stored:
    """Read back what a run is, to go on with it.

    Args:
        folder: of the run.

    Returns:
        Its settings and facts.

    Raises:
        ConfigError: there is no run, it cannot be read, or a newer version made it.
    """
    facts = read_run(folder)
    if not facts:
        raise ConfigError(
            f"{folder} holds no run to go on with: it has no {RUN}; start one without --resume."
        )
    version = facts.get("format_version")
    if not isinstance(version, int) or version > _NEWEST:
        raise ConfigError(
            f"{folder} was made by another version (format {version}; this one reads {_NEWEST}); "
            "update SSD Explorer or start a new run."
        )
    return Stored(from_values(TrainConfig(), read_toml(folder / CONFIG)), facts)


def changes(
    stored: Stored, config: TrainConfig, *, class_names: tuple[str, ...], data: Mapping[str, Any]
) -> tuple[str, ...]:
    """What would be different if the run went on like this.

    Args:
        stored: what the run was.
        config: the settings to go on with.
        class_names: of the data to go on with.
        data: its manifest, as in ``run.json``.

    Returns:
        A line for each difference.
    """
    lines = list(differences(stored.config, config))
    if stored.class_names != class_names:
        lines.append(f"classes: {', '.join(stored.class_names)} → {', '.join(class_names)}")
    before = stored.facts.get("data") or {}
    for name in ("split", "count", "digest"):
        if before.get(name) != data.get(name):
            old, new = (str(values.get(name))[:12] for values in (before, data))
            lines.append(f"data {name}: {old} → {new}")
    return tuple(lines)
