"""Lessons of many visitors: one after another, stopped when nobody wants them."""

from __future__ import annotations

import threading
import time

import pytest

from pages.shared import lessons
from pages.shared.lessons import Lesson
from pages.shared.queue import Ticket, line_of
from ssd.data.lessons import lesson_scene
from ssd.errors import NumericError
from ssd.training.teach_job import TeachJob, TeachReport, TeachRules

SCENE = lesson_scene("dog and ball")
JOB = TeachJob(SCENE.sample, SCENE.class_names)


class Worker:
    """Stands for the child: gives a step whenever it is let, and sees whether it is alone."""

    def __init__(self) -> None:
        self.let, self.at_work, self.most = threading.Semaphore(0), 0, 0
        self.problem = ""

    def teach(self, job, *, stopped):
        self.at_work += 1
        self.most = max(self.most, self.at_work)
        try:
            for step in range(3):
                assert self.let.acquire(timeout=20)
                if self.problem:
                    raise NumericError(self.problem)
                yield TeachReport(step, 1.0, 0.5, 0.5, 0.1)
                if stopped():
                    return
        finally:
            self.at_work -= 1


@pytest.fixture
def worker(monkeypatch):
    made = Worker()
    monkeypatch.setattr(lessons, "worker", lambda: made)
    return made


def begun(visitor: str = "a", is_there=lambda: True) -> Lesson:
    ticket = Ticket(visitor, is_there)
    lesson = Lesson((visitor,), "no rule broken", TeachRules(), ("dog",), ("dog",), 3, ticket)
    lesson.begin(JOB)
    return lesson


def wait_until(true) -> None:
    limit = time.monotonic() + 20
    while not true():
        assert time.monotonic() < limit
        time.sleep(0.005)


def test_a_lesson_gathers_its_reports_and_ends(worker):
    lesson = begun()
    worker.let.release(3)
    wait_until(lambda: lesson.is_over)

    assert [report.step for report in lesson.reports] == [0, 1, 2]
    assert (lesson.problem, lesson.waits_for) == ("", "")


def test_fifty_visitors_are_taught_one_after_another_and_see_their_place(worker):
    all_lessons = [begun(str(k)) for k in range(50)]
    wait_until(lambda: worker.at_work == 1)

    assert all_lessons[0].waits_for == ""
    assert all_lessons[1].waits_for == "1 visitor before you …"
    assert all_lessons[49].waits_for == "49 visitors before you …"
    worker.let.release(150)
    wait_until(lambda: all(lesson.is_over for lesson in all_lessons))
    assert [len(lesson.reports) for lesson in all_lessons] == [3] * 50
    assert [lesson.problem for lesson in all_lessons] == [""] * 50
    assert worker.most == 1


def test_a_stopped_lesson_ends_with_its_step(worker):
    lesson = begun()
    worker.let.release()
    wait_until(lambda: len(lesson.reports) == 1)
    lesson.stop()
    worker.let.release()
    wait_until(lambda: lesson.is_over)

    assert len(lesson.reports) == 2
    assert lesson.is_stopped


def test_a_lesson_stopped_in_the_line_never_begins(worker):
    first, second = begun("a"), begun("b")
    wait_until(lambda: worker.at_work == 1)
    second.stop()
    wait_until(lambda: second.is_over)
    worker.let.release(3)
    wait_until(lambda: first.is_over)

    assert second.reports == []
    assert len(first.reports) == 3


def test_closing_the_tab_ends_the_lesson_and_lets_the_next_one_begin(worker):
    there = {"a": True}
    first, second = begun("a", lambda: there["a"]), begun("b")
    worker.let.release()
    wait_until(lambda: len(first.reports) == 1)
    there["a"] = False
    worker.let.release()
    wait_until(lambda: first.is_over)
    worker.let.release(3)
    wait_until(lambda: second.is_over)

    assert len(first.reports) == 2
    assert len(second.reports) == 3


def test_what_fails_is_a_sentence_and_frees_the_line(worker):
    worker.problem = "The loss of step 1 is not finite."
    lesson = begun()
    worker.let.release()
    wait_until(lambda: lesson.is_over)

    assert lesson.problem == "The loss of step 1 is not finite."
    line, following = line_of(lessons.KIND), Ticket("next")
    line.join(following)
    assert line.before(following) == []
    line.leave(following)


def test_without_a_server_no_child_is_started(monkeypatch):
    monkeypatch.setattr(lessons, "worker", lambda: pytest.fail("started"))

    lessons.warm_up()
