"""Lessons that run beside the pages: one at a time, in a child process, for whoever is in line."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from pages.shared.queue import Ticket, has_server, line_of, waiting_words
from ssd.errors import SSDError

if TYPE_CHECKING:
    from ssd.training.teach_job import Look, TeachJob, TeachReport, TeachRules
    from ssd.training.teach_worker import TeachWorker

KIND = "teach"


@cache
def worker() -> TeachWorker:
    """The child process of this server."""
    from ssd.training.teach_worker import TeachWorker

    return TeachWorker()


def warm_up() -> None:
    """Begin to start the child, so that the first click is answered at once; not without a server."""
    if has_server():
        worker().start()


@dataclass(eq=False)
class Lesson:
    """A lesson of one visitor; a thread fills it in, the page looks at it.

    Attributes:
        scene: what names the scene that is taught: its picture and objects.
        name: what is said of its rules in two words.
        rules: by which it is taught.
        titles: of the objects.
        class_names: of labels 1..C.
        steps: at most.
        ticket: the visitor's place in the line.
        reports: so far.
        problem: why it failed, in a sentence; empty while it did not.
        is_over: whether nothing more will come.
    """

    scene: tuple[Any, ...]
    name: str
    rules: TeachRules
    titles: tuple[str, ...]
    class_names: tuple[str, ...]
    steps: int
    ticket: Ticket
    reports: list[TeachReport] = field(default_factory=list)
    problem: str = ""
    is_over: bool = False
    _stopped: threading.Event = field(default_factory=threading.Event)

    def begin(self, job: TeachJob) -> None:
        """Stand in line, and teach when it is this lesson's turn. Returns at once."""
        line_of(KIND).join(self.ticket)
        threading.Thread(target=self._run, args=(job,), daemon=True).start()

    def stop(self) -> None:
        """End with the next step; in the line, at once."""
        self._stopped.set()

    @property
    def is_stopped(self) -> bool:
        """Whether somebody stopped it."""
        return self._stopped.is_set()

    @property
    def waits_for(self) -> str:
        """Who comes first, in words; empty when it is this lesson's turn."""
        before = [] if self.is_over or self.reports else line_of(KIND).ahead_of(self.ticket)
        return waiting_words(before, self.ticket) if before else ""

    @property
    def look(self) -> Look | None:
        """The latest time that the picture was looked at."""
        return next((report.look for report in reversed(self.reports) if report.look is not None), None)

    def _is_unwanted(self) -> bool:
        """Stopped, or the visitor closed the tab."""
        return self._stopped.is_set() or not self.ticket.is_there()

    def _run(self, job: TeachJob) -> None:
        line = line_of(KIND)
        try:
            while line.before(self.ticket):
                if self._is_unwanted():
                    return
                line.wait(self.ticket)
            for report in worker().teach(job, stopped=self._is_unwanted):
                self.reports.append(report)
        except SSDError as error:
            self.problem = str(error)
        finally:
            self.is_over = True
            line.leave(self.ticket)
