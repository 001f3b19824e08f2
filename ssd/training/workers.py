"""Worker processes of the loader: what to say when one dies, and how an error comes home."""

from __future__ import annotations

import signal
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from torch.utils.data import DataLoader

from ssd.errors import ResourceError, SSDError

__all__ = ["Failure", "explained", "set_up_worker", "unwarned"]

_DYING_S = 0.5  # from a broken pipe to an exit code


@dataclass(frozen=True)
class Failure:
    """What a worker hands over instead of a batch: an error whose message is meant for people."""

    error: SSDError


def set_up_worker(number: int) -> None:
    """Ctrl-C reaches every process of a terminal; only the one that trains decides what it means.

    Args:
        number: of the worker.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def unwarned() -> Iterator[None]:
    """More workers than cores are the user's choice; torch would warn at every turn.

    Yields:
        Nothing.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield


def explained(loader: DataLoader[Any]) -> Iterator[Any]:
    """The batches of a loader, with sentences where a worker fails.

    Args:
        loader: its batches may be :class:`Failure`.

    Yields:
        Each batch.

    Raises:
        SSDError: what a worker could not read, as if it had been read here.
        ResourceError: a worker died; the message names it and how it ended. It comes at most
            a few seconds after the next batch was due.
    """
    iterator = _started(loader)
    try:
        while True:
            step = _next(iterator)
            if step.error is not None:
                raise step.error
            if step.batch is None:
                return
            yield step.batch
    finally:
        # no frame of a traceback may hold on to the workers: collected in a cycle they would
        # miss their last message, and the main process would wait ten seconds for them
        del iterator
        step = _Step()


@dataclass
class _Step:
    """A batch, or an error, or the end."""

    batch: Any = None
    error: SSDError | None = None


def _started(loader: DataLoader[Any]) -> Iterator[Any]:
    """Start the workers, and leave the process's signals as they were."""
    before = signal.getsignal(signal.SIGCHLD)
    with unwarned():
        iterator = iter(loader)
    if threading.current_thread() is threading.main_thread():
        # torch's handler would raise wherever the main process happens to be; without it the
        # death is noticed within five seconds of waiting for a batch, and only there
        signal.signal(signal.SIGCHLD, before)
    return iterator


def _next(iterator: Iterator[Any]) -> _Step:
    """The next batch, or what became of it."""
    try:
        batch = next(iterator)
    except StopIteration:
        return _Step()
    except (RuntimeError, ConnectionError, EOFError):  # torch's own check, or a pipe that broke before it
        death = _death(getattr(iterator, "_workers", []))
        if death is None:
            raise
        return _Step(error=ResourceError(death))
    return _Step(error=batch.error) if isinstance(batch, Failure) else _Step(batch)


def _death(workers: list[Any]) -> str | None:
    """The sentence about the first worker that is gone; None where all live."""
    for number, worker in enumerate(workers, start=1):
        worker.join(_DYING_S)  # its pipe breaks a moment before it is gone
        if worker.exitcode is not None:
            return (
                f"A process that prepares batches must live as long as the training; number {number} of "
                f"{len(workers)} (process {worker.pid}) {_end(worker.exitcode)}. Resume the run with fewer "
                "workers or smaller pictures."
            )
    return None


def _end(code: int) -> str:
    """How a process ended."""
    if code >= 0:
        return f"ended by itself with code {code}"
    name = signal.Signals(-code).name
    why = {
        "SIGKILL": ", as systems do when memory runs out",
        "SIGBUS": ", as systems do when shared memory is full",
    }
    return f"was ended by {name}{why.get(name, '')}"
