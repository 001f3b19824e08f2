"""The server's side of a lesson: one child process, kept warm, that teaches one picture at a time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, cast

from ssd.errors import NumericError, ResourceError
from ssd.training.teach_job import TeachJob, TeachReport, job_to_bytes, line_to_report

__all__ = ["TeachWorker"]

_ROOT = Path(__file__).resolve().parents[2]
_STOP = b"stop\n"
_LIMIT_S = 120.0  # of a lesson, the child's start included; then the child is ended
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")


class TeachWorker:
    """A child process that teaches; lessons run one after another, the others wait for a lock.

    The child leads its own session, at low priority, on one thread. Lessons reach it
    through its standard input, with which it ends: it cannot outlive this process.
    Pictures cross through the pipe and are never written to a disk.

    Example:
        >>> TeachWorker().process_id() is None
        True
    """

    def __init__(self) -> None:
        """Without a child; :meth:`start` or the first lesson makes one."""
        self._process: subprocess.Popen[bytes] | None = None
        self._starting, self._teaching = threading.Lock(), threading.Lock()
        self._closed = False

    def start(self) -> None:
        """Begin to warm a child up where none lives; returns at once."""
        self._alive()

    def process_id(self) -> int | None:
        """Of the child; nothing where none lives."""
        process = self._process
        return None if process is None or process.poll() is not None else process.pid

    def teach(self, job: TeachJob, *, stopped: Callable[[], bool] = lambda: False) -> Iterator[TeachReport]:
        """Give the child a lesson and hear what it reports.

        Args:
            job: the lesson.
            stopped: asked after each report; once true, the lesson ends with its next step.

        Yields:
            The reports, as they come. Whoever leaves in the middle ends the child.

        Raises:
            NumericError: the loss is not finite.
            ResourceError: the child ended in the middle of the lesson.
        """
        with self._teaching:
            process, done = self._alive(), False
            limit = threading.Timer(_LIMIT_S, process.kill)
            limit.start()
            try:
                yield from _lesson(process, job, stopped)
                done = True
            finally:
                limit.cancel()
                if not done:
                    _end(process)
                if not done and not self._closed:
                    self.start()

    def close(self) -> None:
        """End the child, whatever it is doing; nothing starts another by itself."""
        self._closed = True
        if self._process is not None:
            _end(self._process)

    def _alive(self) -> subprocess.Popen[bytes]:
        """The child that lives, or a new one."""
        with self._starting:
            if self._process is None or self._process.poll() is not None:
                self._process = _launch()
            return self._process


def _launch() -> subprocess.Popen[bytes]:
    """A child in a session of its own, on one thread."""
    return subprocess.Popen(
        [sys.executable, "-m", "ssd.training.teach_child"],
        cwd=_ROOT,
        env={**os.environ, **_ONE_THREAD},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )


def _lesson(
    process: subprocess.Popen[bytes], job: TeachJob, stopped: Callable[[], bool]
) -> Iterator[TeachReport]:
    """Send the lesson, hand its reports on, and tell the child once to stop."""
    asks, answers = cast(IO[bytes], process.stdin), cast(IO[bytes], process.stdout)
    told, problem = False, ""
    try:
        _send(asks, job_to_bytes(job))
        for line in answers:
            said = json.loads(line)
            if "done" in said:
                break
            problem = said.get("error", problem)
            if "step" in said:
                yield line_to_report(line.decode())
            if not told and stopped():
                told = True
                _send(asks, _STOP)
        else:
            raise ResourceError("The process that teaches ended in the middle of a lesson; teach again.")
    except BrokenPipeError as error:
        raise ResourceError("The process that teaches has ended; teach again.") from error
    if problem:
        raise NumericError(problem)


def _send(stream: IO[bytes], content: bytes) -> None:
    stream.write(content)
    stream.flush()


def _end(process: subprocess.Popen[bytes]) -> None:
    """At once; whatever it was doing is lost."""
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            try:
                stream.close()
            except BrokenPipeError:
                continue  # what was still to be sent has nobody to hear it
