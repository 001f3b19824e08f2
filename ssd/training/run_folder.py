"""What lies in a run's folder, and how it is written: whole files at once, lines one by one.

| file | what it is |
|---|---|
| ``config.toml`` | every setting of the run |
| ``run.json`` | code version, data, versions, seed, classes, process, and how it ended |
| ``steps.jsonl``, ``validation.jsonl`` | a line for each step and each validation |
| ``last.ckpt`` | all that going on needs, as of the last save |
| ``raw``, ``averaged``, ``best.safetensors`` | weights: trained, their moving average, the best average |
| ``checkpoints/`` | weights of several steps, where they were asked for |
| ``finder.json`` | of ``lr-find`` |
| ``lock.json`` | while a process trains here |
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

from ssd.checkpoints.files import write_file
from ssd.errors import ConfigError, ResourceError
from ssd.training.lock import this_process

__all__ = [
    "AVERAGED",
    "BEST",
    "CHECKPOINTS",
    "CONFIG",
    "FINDER",
    "LAST",
    "RAW",
    "RUN",
    "STEPS",
    "VALIDATION",
    "JsonLines",
    "begin_run",
    "code_version",
    "end_run",
    "keep_until",
    "library_versions",
    "read_run",
    "remove_rests",
    "require_room",
    "write_json",
]

CONFIG, RUN, STEPS, VALIDATION = "config.toml", "run.json", "steps.jsonl", "validation.jsonl"
LAST, FINDER, CHECKPOINTS = "last.ckpt", "finder.json", "checkpoints"
RAW = "raw.safetensors"  # the weights that are being trained: where another run can start
AVERAGED = "averaged.safetensors"  # their moving average: what is evaluated and shipped
BEST = "best.safetensors"  # the average that validation liked best
Ending = Literal["finished", "interrupted", "failed"]
_LIBRARIES = ("torch", "torchvision", "lightning-fabric", "numpy", "pillow")
_SOURCES = Path(__file__).parents[1]


class JsonLines:
    """A file that grows by one JSON object a line; each is on its way to the disk at once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = _opened(path)

    def add(self, record: Mapping[str, Any]) -> None:
        """Write one line.

        Args:
            record: JSON values.

        Raises:
            ResourceError: the disk is full.
        """
        try:
            self._file.write(json.dumps(dict(record)).encode() + b"\n")
        except OSError as error:
            raise _no_room(self.path, error) from error

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _opened(path: Path) -> Any:
    """The file, unbuffered, so that a failing line fails where it is written."""
    try:
        return path.open("ab", buffering=0)
    except OSError as error:
        raise _no_room(path, error) from error


def _no_room(path: Path, error: OSError) -> ResourceError:
    """What a full disk is called."""
    return ResourceError(
        f"{path} could not be written ({error.strerror}); free some space, then go on with --resume."
    )


def keep_until(path: Path, step: int) -> None:
    """Drop the lines after a step, which going on from that step writes again.

    Args:
        path: of JSON lines; it may be missing.
        step: the last one that stays.

    Raises:
        ResourceError: the file could not be written.
    """
    if not path.exists():
        return
    lines = path.read_bytes().splitlines(keepends=True)
    kept = [line for line in lines if line.endswith(b"\n") and _step_of(line) <= step]
    if len(kept) < len(lines):
        write_file(path, b"".join(kept))


def _step_of(line: bytes) -> float:
    """The step that a line tells of; never kept where it tells none."""
    with suppress(ValueError, KeyError, TypeError):
        return int(json.loads(line)["step"])
    return float("inf")


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    """Write a JSON object in one step.

    Args:
        path: where.
        values: JSON values.

    Raises:
        ResourceError: the file could not be written.
    """
    write_file(path, (json.dumps(dict(values), indent=2, allow_nan=False) + "\n").encode())


def read_run(folder: Path) -> dict[str, Any]:
    """What a run's folder says about itself.

    Args:
        folder: of the run.

    Returns:
        The values of ``run.json``; empty where there is no run.

    Raises:
        ConfigError: the file is there but cannot be read.
    """
    path = folder / RUN
    if not path.exists():
        return {}
    try:
        return dict(json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise ConfigError(f"{path} cannot be read; restore it or start a new run with --out.") from error


def end_run(folder: Path, ending: Ending, sentence: str) -> None:
    """Write down how the run ended; a full disk cannot keep it from ending.

    Args:
        folder: of the run.
        ending: ``"finished"``, ``"interrupted"`` or ``"failed"``.
        sentence: for people.
    """
    with suppress(ResourceError, ConfigError):
        values = {**read_run(folder), "status": ending, "sentence": sentence, "ended": _now()}
        write_json(folder / RUN, values)


def begin_run(folder: Path, facts: Mapping[str, Any]) -> None:
    """Write down that this process trains here; earlier starts of the run are kept in a list.

    Args:
        folder: of the run.
        facts: JSON values: what someone needs to make the same run again.

    Raises:
        ResourceError: the file could not be written.
    """
    before = read_run(folder)
    starts = [*before.get("starts", []), {"step": facts.get("first_step", 0), "at": _now()}]
    process = this_process()
    values = {
        "format_version": 1,
        **facts,
        "started": before.get("started", starts[0]["at"]),
        "starts": starts,
        "pid": process.pid,
        "process_created": process.created,
    }
    write_json(folder / RUN, values)


def _now() -> str:
    """The time in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def code_version() -> dict[str, Any]:
    """Which code trains: a digest of the package's sources, and git's name for them where there is one.

    Returns:
        ``sources`` (SHA-256), ``commit`` and ``changed``; the latter ``None`` outside a git checkout.

    Example:
        >>> len(code_version()["sources"])
        64
    """
    total = hashlib.sha256()
    for path in sorted(_SOURCES.rglob("*.py")):
        total.update(path.relative_to(_SOURCES).as_posix().encode() + b"\0" + path.read_bytes())
    commit, status = _git("rev-parse", "HEAD"), _git("status", "--porcelain", "--", str(_SOURCES))
    changed = None if status is None else bool(status)
    return {"sources": total.hexdigest(), "commit": commit, "changed": changed}


def _git(*words: str) -> str | None:
    """What git says about the project, or nothing."""
    command = ["git", "-C", str(_SOURCES.parent), *words]
    with suppress(OSError, subprocess.SubprocessError):
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
        return done.stdout.strip()
    return None


def library_versions() -> dict[str, str]:
    """Versions of Python and of what decides the numbers.

    Returns:
        Versions by name.

    Example:
        >>> "torch" in library_versions()
        True
    """
    found = {"python": platform.python_version()}
    for name in _LIBRARIES:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def require_room(folder: Path, size: int, *, largest: int) -> None:
    """Raise unless a run of that size can be written; nothing of the trial stays.

    Args:
        folder: of the run; it is made where missing.
        size: bytes of all files together.
        largest: bytes of the largest.

    Raises:
        ResourceError: the folder cannot be made or written, or has not that much room.
    """
    probe = folder / f".probe.{os.getpid()}.tmp"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
        if free < size:
            raise ResourceError(
                f"{folder} needs room for {size / 1e6:,.0f} MB of checkpoints, {free / 1e6:,.0f} MB are "
                "free; free some space or choose another --out."
            )
        with probe.open("wb") as file:
            _reserve(file.fileno(), largest)
    except OSError as error:
        reason = error.strerror or "the system refused"
        raise ResourceError(
            f"{folder} cannot hold a run ({reason}; a checkpoint takes {largest / 1e6:,.0f} MB); "
            "free some space or choose another --out."
        ) from error
    finally:
        with suppress(OSError):
            probe.unlink(missing_ok=True)


def _reserve(descriptor: int, size: int) -> None:
    """Take the room for real."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, max(size, 1))
        return
    block = bytes(1_000_000)
    for start in range(0, size, len(block)):
        os.write(descriptor, block[: size - start])


def remove_rests(folder: Path) -> None:
    """Take away the half-written files of a process that was killed; the lock must be held.

    Args:
        folder: of the run.
    """
    for path in [*folder.glob("*.tmp"), *folder.glob("*.sha256.old")]:
        with suppress(OSError):
            path.unlink()
