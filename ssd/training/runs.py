"""A run folder: its numbers, a line for every step, and weights that a stop never tears."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import torch

from ssd.checkpoints import load_exactly, read_weights, write_file, write_weights
from ssd.config import CoderConfig
from ssd.data.augment import AugmentConfig
from ssd.errors import CheckpointError, ConfigError
from ssd.training.config import TrainConfig
from ssd.training.loader import SampleSource
from ssd.training.loop import StepReport, Training, bare, train

__all__ = ["AVERAGED", "RAW", "changed", "load_start", "recorded"]

RAW = "raw.safetensors"  # the weights that are being trained: where another run can start
AVERAGED = "averaged.safetensors"  # their moving average: what is evaluated and shipped


def changed(config: TrainConfig, settings: list[str]) -> TrainConfig:
    """A configuration with some numbers replaced.

    Args:
        config: the preset's.
        settings: texts such as ``steps=200`` or ``augment.flip=0``.

    Returns:
        The new configuration.

    Raises:
        ConfigError: a setting is not ``key=value``, its key is unknown, or its value
            is not of the kind that is there.

    Example:
        >>> changed(TrainConfig(), ["steps=20", "augment.flip=0.25"]).augment.flip
        0.25
    """
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals:
            raise ConfigError(f"A setting is written key=value, got {setting[:80]!r}.")
        inner, _, name = key.rpartition(".")
        config = _replaced(config, inner, name, value)
    return config


def _replaced(config: TrainConfig, inner: str, name: str, value: str) -> TrainConfig:
    """One number replaced, in the configuration itself or in its augmentation."""
    owner: TrainConfig | AugmentConfig = config
    if inner == "augment":
        owner = config.augment
    known = {field.name: getattr(owner, field.name) for field in fields(owner)}
    known = {key: old for key, old in known.items() if not isinstance(old, AugmentConfig | CoderConfig)}
    if inner not in ("", "augment") or name not in known:
        raise ConfigError(
            f"There is no setting {f'{inner}.{name}'.strip('.')!r}; settings: {', '.join(known)}."
        )
    kind = type(known[name])
    try:
        new: Any = kind(value)
    except ValueError:
        raise ConfigError(f"{name} needs a {kind.__name__}, got {value[:80]!r}.") from None
    owner = replace(owner, **{name: new})
    return replace(config, augment=owner) if isinstance(owner, AugmentConfig) else owner


def load_start(run: Training, path: Path) -> None:
    """Start from the weights of another run.

    Args:
        run: what ``prepare`` made; its network and its average are changed.
        path: a weights file of the same network and classes.

    Raises:
        CheckpointError: the file is damaged, or of another network or other classes.
    """
    loaded = read_weights(path)
    if loaded.config.class_names != run.model_config.class_names:
        raise CheckpointError(
            f"The weights in {path.name} know {', '.join(loaded.config.class_names)}; this run trains "
            f"{', '.join(run.model_config.class_names)}. Start from weights of the same classes."
        )
    for network in (bare(run.model), run.averaged.module):
        load_exactly(network, loaded.model.state_dict(), name=path.name)


def recorded(
    run: Training, source: SampleSource, folder: Path, *, save_every: int = 100, num_workers: int = 0
) -> Iterator[StepReport]:
    """Train and keep a record: ``run.json``, ``steps.jsonl``, and weights every so often.

    The weights are also written when the run ends or is stopped.

    Args:
        run: what ``prepare`` made.
        source: the samples.
        folder: the run's folder; must not hold a run.
        save_every: steps between two saves.
        num_workers: processes that prepare batches.

    Yields:
        A report after each step.

    Raises:
        ConfigError: the folder already holds a run.
        NumericError: the loss is not finite; the weights saved last are.
    """
    if (folder / "steps.jsonl").exists():
        raise ConfigError(f"{folder} already holds a run; choose another folder, nothing was overwritten.")
    folder.mkdir(parents=True, exist_ok=True)
    write_file(folder / "run.json", json.dumps(_facts(run), indent=2).encode())
    done = 0
    with open(folder / "steps.jsonl", "w", encoding="utf-8") as lines:
        try:
            for report in train(run, source, num_workers=num_workers):
                lines.write(json.dumps(asdict(report)) + "\n")
                lines.flush()
                done = report.step
                if done % save_every == 0:
                    _save(run, folder, done)
                yield report
        finally:
            if done % save_every:
                _save(run, folder, done)


def _facts(run: Training) -> dict[str, Any]:
    """What someone needs to make the same run again."""
    return {
        "config": asdict(run.config),
        "class_names": list(run.model_config.class_names),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
    }


def _save(run: Training, folder: Path, step: int) -> None:
    """Both sets of weights, each whole or not at all."""
    card = {"step": step, **_facts(run)}
    write_weights(folder / RAW, bare(run.model), card=card, half=False)
    write_weights(folder / AVERAGED, run.averaged.module, card=card, half=False)
