"""What a run says of itself: how it stands, what it was told, which weights it keeps. All from disk."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ssd.checkpoints import read_card
from ssd.training.lock import ProcessId, is_alive
from ssd.training.run_reader import RunHistory, read_object

__all__ = [
    "Checkpoint",
    "RunState",
    "Standing",
    "checkpoints_of",
    "is_run",
    "last_written",
    "read_settings",
    "read_state",
]

Standing = Literal["running", "finished", "interrupted", "failed", "crashed", "finder", "unknown"]
_FILES = ("run.json", "steps.jsonl", "finder.json")  # each of them makes a folder a run
_ENDINGS: tuple[Standing, ...] = ("finished", "interrupted", "failed")
_KINDS = {"raw": 0, "averaged": 1, "best": 2}  # of one step the later is the better
_MAX_TEXT = 400
_RECENT = 20  # steps that the time left is judged by
_MOST_CHECKPOINTS = 60


@dataclass(frozen=True)
class RunState:
    """How a run stands.

    Attributes:
        standing: ``"running"``; ``"finished"``, ``"interrupted"`` or ``"failed"``, as the
            run wrote at its end; ``"crashed"``: it wrote no end and its process is gone;
            ``"finder"``: only the learning-rate finder was here; ``"unknown"``: the folder
            does not say.
        sentence: for people.
        started: when, as the run wrote it; empty where it does not say.
        class_names: of labels 1..C.
        preset: the run's name for its settings; empty where it does not say.
        steps: that the run is to take; 0 where it does not say.
    """

    standing: Standing
    sentence: str
    started: str
    class_names: tuple[str, ...]
    preset: str
    steps: int


@dataclass(frozen=True)
class Checkpoint:
    """Weights that a run keeps.

    Attributes:
        file: name inside the run's folder.
        kind: ``"raw"``, ``"averaged"``, ``"best"``, or the file's own word.
        step: after which they were saved; 0 where the file does not say.
        version: changes whenever the file does.
    """

    file: str
    kind: str
    step: int
    version: str

    @property
    def title(self) -> str:
        """For a picker."""
        return f"step {self.step:,} · {self.kind}" if self.step else self.kind


def is_run(folder: Path) -> bool:
    """Whether a folder holds a run, or what the learning-rate finder left.

    Args:
        folder: any folder.

    Returns:
        Whether one of a run's files is there.

    Example:
        >>> is_run(Path("no such folder"))
        False
    """
    return any((folder / name).is_file() for name in _FILES)


def last_written(folder: Path) -> float:
    """When a run last wrote one of its files.

    Args:
        folder: of the run.

    Returns:
        Seconds since 1970; 0 where it holds none.

    Example:
        >>> last_written(Path("no such folder"))
        0.0
    """
    times = [0.0]
    for name in _FILES:
        with suppress(OSError):
            times.append((folder / name).stat().st_mtime)
    return max(times)


def read_state(folder: Path, history: RunHistory) -> RunState:
    """How a run stands, from its files and the list of processes.

    Args:
        folder: of the run.
        history: what was read of its steps.

    Returns:
        The state; nothing here depends on who started the run, or on this process.
    """
    values = read_object(folder / "run.json")
    standing, steps = _standing(folder, values), _whole(read_settings(folder).get("steps", ""))
    return RunState(
        standing=standing,
        sentence=_sentence(standing, values, folder, history, steps),
        started=_text(values.get("started")),
        class_names=tuple(_text(name) for name in _list(values.get("class_names"))),
        preset=_text(values.get("preset")),
        steps=steps,
    )


def _standing(folder: Path, values: Mapping[str, Any]) -> Standing:
    """What the files and the process say."""
    ending = values.get("status")
    if ending in _ENDINGS:
        return _ENDINGS[_ENDINGS.index(ending)]
    pid, created = values.get("pid"), values.get("process_created")
    if isinstance(pid, int) and isinstance(created, int | float) and not isinstance(pid, bool):
        return "running" if is_alive(ProcessId(pid, float(created))) else "crashed"
    return "finder" if not values and (folder / "finder.json").is_file() else "unknown"


def _sentence(
    standing: Standing, values: Mapping[str, Any], folder: Path, history: RunHistory, steps: int
) -> str:
    """The run's own last words, or ours."""
    said, step = _text(values.get("sentence")), history.last_step
    resume = "it can go on from its last save with --resume" if (folder / "last.ckpt").is_file() else ""
    if standing == "crashed":
        end = f"; {resume}" if resume else ""
        return f"Its process is gone without a word after step {step:,}{end}."
    if standing == "running":
        return _time_left(history, steps) or "It has begun."
    if standing == "finder":
        return "Only the learning-rate finder was here."
    if standing == "unknown":
        return said or "Its folder does not say how it stands."
    return said or f"After step {step:,}."


def _whole(text: str) -> int:
    """A whole number above 0, or 0."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _time_left(history: RunHistory, steps: int) -> str:
    """How fast it goes, and how long it will take, judged by its last steps."""
    seconds, pictures = (history.columns[name][-_RECENT:] for name in ("seconds", "num_pictures"))
    if not len(seconds) or not np.isfinite(seconds).all() or not seconds.sum() > 0:
        return ""
    words = f"{np.nansum(pictures) / seconds.sum():.1f} pictures a second"
    left = max(steps - history.last_step, 0) * float(np.median(seconds))
    return f"{words}, {_duration(left)} left." if steps else f"{words}."


def _duration(seconds: float) -> str:
    """A time span in one unit."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def read_settings(folder: Path) -> dict[str, str]:
    """Every setting of a run, as ``key → value`` with dotted keys.

    Args:
        folder: of the run.

    Returns:
        The settings in ``config.toml``, or in ``run.json`` of an older run.

    Example:
        >>> read_settings(Path("no such folder"))
        {}
    """
    try:
        values: Mapping[str, Any] = tomllib.loads((folder / "config.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        config = read_object(folder / "run.json").get("config")
        values = config if isinstance(config, dict) else {}
    return dict(_flat(values, ""))


def _flat(values: Mapping[str, Any], before: str) -> list[tuple[str, str]]:
    """Nested tables as dotted keys."""
    rows: list[tuple[str, str]] = []
    for key, value in values.items():
        rows += _flat(value, f"{before}{key}.") if isinstance(value, dict) else [(before + key, _text(value))]
    return rows


def checkpoints_of(folder: Path) -> tuple[Checkpoint, ...]:
    """The weights that a run keeps, by step.

    Args:
        folder: of the run.

    Returns:
        One record a safetensors file in the folder or in ``checkpoints/`` inside it; of
        one step the raw weights, their average, the best. Two files of one step and
        kind hold the same weights; one of them is named.

    Example:
        >>> checkpoints_of(Path("no such folder"))
        ()
    """
    paths = [*folder.glob("*.safetensors"), *folder.glob("checkpoints/*.safetensors")]
    found = {(kept.step, kept.kind): kept for kept in (_checkpoint(folder, path) for path in paths)}
    ordered = sorted(found.values(), key=lambda c: (c.step, _KINDS.get(c.kind, -1), c.file))
    return tuple(ordered[-_MOST_CHECKPOINTS:])


def _checkpoint(folder: Path, path: Path) -> Checkpoint:
    """One weights file."""
    try:
        facts = path.stat()
        version = f"{facts.st_mtime_ns}-{facts.st_size}"
    except OSError:
        version = "gone"
    step = read_card(path).get("step")
    number = re.search(r"\d+", path.stem)
    if not isinstance(step, int) or isinstance(step, bool) or step < 0:
        step = int(number.group()) if number and len(number.group()) < 12 else 0
    kind = re.sub(r"[-_ ]*(step)?[-_ ]*\d+", "", path.stem) or "saved"
    return Checkpoint(path.relative_to(folder).as_posix(), kind, step, version)


def _text(value: object) -> str:
    """Something from a file as a short text."""
    text = "" if value is None else str(value)
    return "".join(letter for letter in text if letter.isprintable())[:_MAX_TEXT]


def _list(value: object) -> list[Any]:
    """A list of sane length, or none."""
    return value[:2_000] if isinstance(value, list) else []
