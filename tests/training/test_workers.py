"""What is said when a worker process dies, however the main process notices it."""

from __future__ import annotations

import multiprocessing
import os
import signal

import pytest

from ssd.training.workers import _next


class _Broken:
    """A loader's iterator whose worker is gone, noticed by an error."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        worker = multiprocessing.get_context("spawn").Process(target=os.kill, args=(0, 0))
        worker.start()
        os.kill(worker.pid, signal.SIGKILL)
        self._workers = [worker]

    def __iter__(self):
        return self

    def __next__(self):
        raise self.error


@pytest.mark.parametrize(
    "error", [ConnectionResetError("reset by peer"), EOFError(), RuntimeError("exited unexpectedly")]
)
def test_a_dead_worker_is_named_however_its_death_shows(error):
    iterator = _Broken(error)

    step = _next(iterator)

    assert f"process {iterator._workers[0].pid}" in str(step.error)
    assert "killed" in str(step.error) or "SIGKILL" in str(step.error)


def test_an_error_of_living_workers_stays_what_it_is():
    alive = _Broken(ConnectionResetError("something else"))
    alive._workers = []

    with pytest.raises(ConnectionResetError, match="something else"):
        _next(alive)
