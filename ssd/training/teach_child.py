"""The process in which lessons run, one after another: ``python -m ssd.training.teach_child``.

Lessons come in through standard input, reports go out through standard output, a line each;
no picture ever lies on a disk. The process makes itself ready once (imports, a first lesson that
nobody sees), so that the next click is answered at once. When its input ends, it ends: nothing
outlives the server that started it.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from queue import SimpleQueue
from typing import IO

from ssd.errors import SSDError
from ssd.training.teach_job import TeachJob, bytes_to_job, report_to_line

__all__ = ["DONE", "READY", "STOP", "main"]

READY, DONE, STOP = '{"ready":true}', '{"done":true}', b"stop\n"
_NICENESS = 5  # the pages come first


class _Inbox:
    """Lessons and stops, read beside the training."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.jobs: SimpleQueue[TeachJob] = SimpleQueue()
        self.stopped = threading.Event()
        self._stream = stream
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        """Until the input ends; then the process ends too, whatever it is doing."""
        try:
            while line := self._stream.readline():
                if line == STOP:
                    self.stopped.set()
                else:
                    self.stopped.clear()
                    self.jobs.put(bytes_to_job(line, read=self._stream.read))
        finally:
            os._exit(0)


def main() -> None:
    """Make ready, then take lessons until the input ends."""
    os.nice(_NICENESS)
    inbox = _Inbox(sys.stdin.buffer)
    _warm_up()
    _say(READY)
    while True:
        _teach(inbox.jobs.get(), inbox)


def _warm_up() -> None:
    """Pay for imports and first calls before anybody waits."""
    import torch

    from ssd.data.lessons import lesson_scene
    from ssd.training.teach import teach

    torch.set_num_threads(1)
    scene = lesson_scene("dog and ball")
    for _ in teach(TeachJob(scene.sample, scene.class_names, steps=2)):
        pass


def _teach(job: TeachJob, inbox: _Inbox) -> None:
    """One lesson, a line each report; what fails is said in a sentence."""
    from ssd.training.teach import teach

    try:
        for report in teach(job, stopped=inbox.stopped.is_set):
            _say(report_to_line(report))
    except SSDError as error:
        _say(json.dumps({"error": str(error)}))
    _say(DONE)


def _say(line: str) -> None:
    """One line, at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
