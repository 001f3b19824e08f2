"""Waiting in line: heavy work is done for one visitor after another, and the others see their place.

``turn("inference")`` stands around slow work in a page's script. What runs beside the script
(a lesson of the Learning page) waits in a :class:`Line` by itself.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

LOOK_EVERY_S = 0.25  # how often a waiting visitor's place is looked at


def _stays() -> bool:
    return True


@dataclass(frozen=True, eq=False)
class Ticket:
    """A place in a line.

    Attributes:
        visitor: whose it is; the same for all that one visitor asks for.
        is_there: false once the visitor has left; the place is free then.
    """

    visitor: str
    is_there: Callable[[], bool] = _stays


class Line:
    """First come, first served; those who leave give up their place.

    Args:
        abreast: how many are served at once.
    """

    def __init__(self, *, abreast: int = 1) -> None:
        self._abreast = abreast
        self._tickets: list[Ticket] = []
        self._changed = threading.Condition()

    def join(self, ticket: Ticket) -> None:
        """Stand at the end."""
        with self._changed:
            self._tickets.append(ticket)

    def leave(self, ticket: Ticket) -> None:
        """Give up the place, served or not; a second time does nothing."""
        with self._changed:
            self._tickets = [each for each in self._tickets if each is not ticket]
            self._changed.notify_all()

    def before(self, ticket: Ticket) -> list[Ticket]:
        """Those who must leave before the ticket is served, themselves being served or not."""
        with self._changed:
            served, waiting = self._tickets[: self._abreast], self._tickets[self._abreast :]
            self._tickets = served + [each for each in waiting if each is ticket or each.is_there()]
            if not any(each is ticket for each in self._tickets):
                self._tickets.append(ticket)  # was away, and is back: at the end
            place = next(k for k, each in enumerate(self._tickets) if each is ticket)
            return self._tickets[:place] if place >= self._abreast else []

    def ahead_of(self, ticket: Ticket) -> list[Ticket]:
        """The same for somebody who only looks: a ticket that has left stays away."""
        with self._changed:
            place = next((k for k, each in enumerate(self._tickets) if each is ticket), 0)
            return self._tickets[:place] if place >= self._abreast else []

    def wait(self, ticket: Ticket, *, at_most_s: float = LOOK_EVERY_S) -> None:
        """Until somebody leaves, or for a while."""
        with self._changed:
            if self._tickets[: self._abreast].count(ticket) == 0:
                self._changed.wait(at_most_s)


_LINES: dict[str, Line] = {}
_LINES_LOCK = threading.Lock()


def line_of(kind: str) -> Line:
    """The line of one kind of work; the same for every visitor of this server."""
    with _LINES_LOCK:
        return _LINES.setdefault(kind, Line())


@contextmanager
def turn(kind: str) -> Iterator[None]:
    """Wait for one's turn, with the place in the line on the page, then do the work inside.

    Args:
        kind: of work: visitors wait only for others who do the same kind.
    """
    line, ticket = line_of(kind), this_visitor()
    line.join(ticket)
    try:
        _wait_visibly(line, ticket)
        yield
    finally:  # also when Streamlit stops the script, because the visitor left or moved on
        line.leave(ticket)


def _wait_visibly(line: Line, ticket: Ticket) -> None:
    if not line.before(ticket):
        return
    place = st.empty()
    while before := line.before(ticket):
        place.info(waiting_words(before, ticket), icon=":material/hourglass_top:")  # ends a left script
        line.wait(ticket)
    place.empty()


def waiting_words(before: list[Ticket], ticket: Ticket) -> str:
    """Who comes first, in words."""
    others = len({each.visitor for each in before} - {ticket.visitor})
    if others == 0:
        return "Your last wish is still being worked on …"
    return f"{others} {'visitor' if others == 1 else 'visitors'} before you …"


def this_visitor() -> Ticket:
    """A new ticket for whoever's script this is."""
    context = get_script_run_ctx()
    session = "" if context is None else context.session_id
    return Ticket(session, lambda: is_there(session))


def is_there(session: str) -> bool:
    """Whether the tab of a session is open. Without a server everybody stays."""
    return not has_server() or runtime.get_instance().is_active_session(session)


def has_server() -> bool:
    """Whether browsers can come; not so in a test, where something else stands for the server."""
    return runtime.exists() and type(runtime.get_instance()) is runtime.Runtime
