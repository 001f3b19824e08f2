"""What was made once and is shown often, kept for every visitor under a name.

Only what belongs to the machine comes here: data sets, runs, shipped models. What belongs to a
visitor stays in the visitor's session.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any


class Kept:
    """A few answers by name; the one that was not asked for longest goes first.

    Args:
        most: how many are kept.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._made: dict[Hashable, Any] = {}
        self._lock = Lock()

    def __contains__(self, key: Hashable) -> bool:
        with self._lock:
            return key in self._made

    def get(self, key: Hashable) -> Any:
        """What is kept under that name, or ``None``."""
        with self._lock:
            return self._made.get(key)

    def take(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """What was made before, or what is made now. Nobody waits for what somebody else makes."""
        with self._lock:
            if key in self._made:
                self._made[key] = self._made.pop(key)
                return self._made[key]
        made = make()
        with self._lock:
            self._made[key] = made
            while len(self._made) > self._most:
                self._made.pop(next(iter(self._made)))
        return made

    def forget(self, which: Callable[[Any], bool] = lambda _: True) -> None:
        """Drop everything, or what bears such a name."""
        with self._lock:
            self._made = {key: made for key, made in self._made.items() if not which(key)}
