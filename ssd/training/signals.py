"""Ctrl-C and SIGTERM during training: the step is finished, the run saved, then it ends."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["Stop", "stoppable"]

_NUMBERS = (signal.SIGINT, signal.SIGTERM)


class Stop:
    """What has been asked for since training began.

    Attributes:
        number: the signal, or ``None`` while nothing has been asked for.
    """

    def __init__(self) -> None:
        self.number: int | None = None
        self._owner = os.getpid()

    def __bool__(self) -> bool:
        """Whether to stop after this step."""
        return self.number is not None

    @property
    def exit_code(self) -> int:
        """What the process returns: 128 + the signal, or 0."""
        return 0 if self.number is None else 128 + self.number

    @property
    def words(self) -> str:
        """What stopped it."""
        return {None: "nothing", int(signal.SIGINT): "Ctrl-C"}.get(self.number, "SIGTERM")

    def handle(self, number: int, frame: FrameType | None) -> None:
        """Note the first signal; the second one stops at once.

        Args:
            number: of the signal.
            frame: where the program was.

        Raises:
            KeyboardInterrupt: it is the second signal.
        """
        if os.getpid() != self._owner:  # a loader worker, forked with this handler
            if number == signal.SIGTERM:
                os._exit(self.exit_code or 128 + number)
            return  # Ctrl-C reaches the whole group: the worker goes on until its owner is done
        if self.number is not None:
            raise KeyboardInterrupt
        self.number = number


@contextmanager
def stoppable() -> Iterator[Stop]:
    """While this is open, SIGINT and SIGTERM are noted instead of obeyed at once.

    Yields:
        What has been asked for. Outside the main thread, where no signal arrives,
        nothing ever is.

    Example:
        >>> with stoppable() as stop:
        ...     bool(stop), stop.exit_code
        (False, 0)
    """
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {number: signal.signal(number, stop.handle) for number in _NUMBERS}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
