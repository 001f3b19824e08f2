"""Long work beside the page: it tells how far it is, and can be stopped.

The work runs in a thread, one visitor's after another's; without a server (in a test) it is done at
once. It ends by itself when its visitor's tab is closed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pages.shared.queue import Ticket, has_server, line_of, this_visitor, waiting_words
from ssd.errors import SSDError


class Stopped(Exception):
    """Somebody stopped the work; raised within it."""


@dataclass(eq=False)
class Work:
    """Work that goes on, or is over.

    Attributes:
        key: what it is about.
        done: how far it is.
        total: how far it goes; 0 while that is not known.
        answer: what it brought so far, or at its end.
        problem: why it failed, in a sentence.
        waits: who comes first, in words, while it waits.
        over: whether it has ended.
        stopped: whether it was ended before its end.
    """

    key: tuple[Any, ...]
    done: int = 0
    total: int = 0
    answer: Any = None
    problem: str = ""
    waits: str = ""
    over: bool = False
    stopped: bool = False
    _stop: threading.Event = field(default_factory=threading.Event)

    def stop(self) -> None:
        """End it at its next step."""
        self._stop.set()

    def tell(self, done: int, total: int) -> None:
        """How far it is; for the work itself, which this may end."""
        self.done, self.total = done, total
        if self._stop.is_set():
            raise Stopped


def start(key: tuple[Any, ...], job: Callable[[Work], None]) -> Work:
    """Begin a piece of work.

    Args:
        key: what it is about.
        job: does it; it calls ``tell`` now and then, and leaves its ``answer``.

    Returns:
        The work, going on.
    """
    work, ticket = Work(key), this_visitor()
    if has_server():
        threading.Thread(target=_run, args=(work, job, ticket), daemon=True).start()
    else:
        _run(work, job, ticket)
    return work


def _run(work: Work, job: Callable[[Work], None], ticket: Ticket) -> None:
    """Wait, work, and say how it ended."""
    line = line_of(str(work.key[0]))
    line.join(ticket)
    try:
        while before := line.before(ticket):
            work.waits = waiting_words(before, ticket)
            work.tell(0, 0)
            line.wait(ticket)
        work.waits = ""
        job(_watched(work, ticket))
    except Stopped:
        work.stopped = True
    except SSDError as error:
        work.problem = str(error)
    except Exception:
        work.problem = "This failed in a way that nobody thought of; the server's log has the details."
        raise
    finally:
        line.leave(ticket)
        work.over = True


def _watched(work: Work, ticket: Ticket) -> Work:
    """The same work; it ends when its visitor has left."""
    tell = work.tell

    def told(done: int, total: int) -> None:
        if not ticket.is_there():
            work.stop()
        tell(done, total)

    work.tell = told  # type: ignore[method-assign]
    return work
