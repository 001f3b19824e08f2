"""One training at a time in a run folder: a lock that names its process, and is stale once that is gone."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from ssd.checkpoints.files import write_file
from ssd.errors import ConfigError, ResourceError

__all__ = ["LOCK", "ProcessId", "is_alive", "locked", "this_process"]

LOCK = "lock.json"
_GUARD = ".lock.guard"  # held for the moment in which the lock is looked at and taken
_CLOCK_SLACK_S = 2.0  # creation times are counted from the boot, which the clock may have moved since


@dataclass(frozen=True)
class ProcessId:
    """A process that no later one of the same number is taken for.

    Attributes:
        pid: its number.
        created: when it was started, in seconds since 1970.
    """

    pid: int
    created: float


def this_process() -> ProcessId:
    """The process that asks.

    Returns:
        Its number and start.

    Example:
        >>> is_alive(this_process())
        True
    """
    return ProcessId(os.getpid(), psutil.Process().create_time())


def is_alive(process: ProcessId) -> bool:
    """Whether a process still runs; another one under its number does not count.

    Args:
        process: number and start, as they were written down.

    Returns:
        Whether it runs.

    Example:
        >>> is_alive(ProcessId(os.getpid(), created=1.0))
        False
    """
    try:
        found = psutil.Process(process.pid)
        same = abs(found.create_time() - process.created) < _CLOCK_SLACK_S
        return bool(same and found.status() != psutil.STATUS_ZOMBIE)
    except psutil.AccessDenied:
        return True
    except (psutil.NoSuchProcess, ValueError, OverflowError):
        return False


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a run folder, so that a second training cannot write into it.

    A lock whose process has died, also by kill −9, is taken over.

    Args:
        folder: the run's folder; it exists.

    Yields:
        Nothing; the lock is given back at the end.

    Raises:
        ConfigError: another process trains in this folder.
        ResourceError: the folder cannot be written.
    """
    _take(folder)
    try:
        yield
    finally:
        with suppress(OSError):
            (folder / LOCK).unlink(missing_ok=True)


def _take(folder: Path) -> None:
    """Look and take in one step, as seen by others."""
    try:
        with FileLock(folder / _GUARD, timeout=10):
            _require_free(folder)
            lock = {**asdict(this_process()), "since": datetime.now(UTC).isoformat(timespec="seconds")}
            write_file(folder / LOCK, json.dumps(lock).encode())
    except (OSError, Timeout) as error:
        raise ResourceError(f"{folder} could not be locked; choose a folder that can be written.") from error


def _require_free(folder: Path) -> None:
    """Raise where a living process holds the lock."""
    try:
        held = json.loads((folder / LOCK).read_bytes()[:1000])
        holder = ProcessId(pid=int(held["pid"]), created=float(held["created"]))
        since = str(held["since"])[:40]
    except (OSError, ValueError, KeyError, TypeError):
        return  # no lock, or the rest of one: it was written in one step, so nobody holds it
    if is_alive(holder):
        raise ConfigError(
            f"{folder} is in use: process {holder.pid} trains there since {since}; "
            "wait for it, stop it, or choose another --out."
        )
