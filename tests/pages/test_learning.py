"""Teach it this picture, without a browser: what is said, what is kept, what is refused."""

from __future__ import annotations

import contextlib
import io
import threading

import pytest

from pages.shared import lessons, teach
from ssd.training.teach_job import Look, TeachReport, TeachRules, Told
from tests.pages.reading import texts


def look(best: float) -> Look:
    return Look((5,), (1,), (0.9,), ((0.1, 0.2, 0.3, 0.4),), (0,), (-1,), (best,) * 3, (0.9,) * 3, 0)


class Worker:
    """Stands for the child: says at once that all three objects were found in step 4."""

    def __init__(self) -> None:
        self.jobs, self.go = [], threading.Event()
        self.go.set()

    def teach(self, job, *, stopped):
        self.jobs.append(job)
        yield TeachReport(0, 0.0, 0.0, 0.0, 0.1, look=look(0.0), told=(Told(2),) * 3)
        self.go.wait(20)
        yield TeachReport(4, 0.5, 0.2, 0.3, 0.4, look=look(0.95), mirrored=(0.9, 0.0, 0.0))


@pytest.fixture
def worker(monkeypatch):
    made = Worker()
    monkeypatch.setattr(lessons, "worker", lambda: made)
    return made


def finish(app):
    """Wait for the threads of the lessons, then look again."""
    for lesson in app.session_state["lessons"]:
        for thread in threading.enumerate():
            if getattr(thread, "_target", None) == lesson._run:
                thread.join(20)
    return app.run()


def dog(open_page, **link):
    return open_page("learning", source="lesson scenes", **link)


def test_one_click_teaches_and_says_what_became_of_each_object(open_page, worker):
    app = finish(dog(open_page).button(key="teach").click().run())

    assert list(app.exception) == []
    for name in ("dog", "ball", "bird"):
        assert f"{name}: found at jaccard 0.95 after 4 steps." in texts(app)
    assert "the network finds 1 of 3" in texts(app)
    assert [metric.value for metric in app.metric] == ["4", "3 of 3", "0.4"]
    assert worker.jobs[0].rules == TeachRules()
    assert len(worker.jobs[0].sample.target) == 3


def test_drawn_objects_are_taught_too(open_page, worker):
    drawn = "AB" + "AAA" * 2 + "gAA" * 2  # one object in the upper left quarter
    finish(dog(open_page, objects=drawn).button(key="teach").click().run())

    assert len(worker.jobs[0].sample.target) == 1


@pytest.mark.parametrize("name", [name for name in teach.BREAKS if name != teach.NONE])
def test_each_rule_can_be_broken_and_the_two_lessons_stand_side_by_side(open_page, worker, name):
    app = finish(dog(open_page).button(key="teach").click().run())
    app = app.button_group(key="broken").set_value(name).run()
    app = finish(app.button(key="teach").click().run())

    assert list(app.exception) == []
    assert worker.jobs[1].rules == teach.rules_of(name) != TeachRules()
    assert len(app.metric) == 6
    assert "This lesson" in texts(app)
    assert "The lesson before" in texts(app)


def test_while_a_lesson_goes_on_it_can_be_stopped_not_begun(open_page, worker):
    worker.go.clear()
    app = dog(open_page).button(key="teach").click().run()

    assert [button.key for button in app.button if button.key in ("teach", "stop_lesson")] == ["stop_lesson"]
    app = app.button(key="stop_lesson").click().run()
    assert app.session_state["lessons"][0].is_stopped
    worker.go.set()
    assert "Stopped." in texts(finish(app))


def test_another_scene_stops_the_lesson_and_begins_anew(open_page, worker):
    worker.go.clear()
    app = dog(open_page).button(key="teach").click().run()
    lesson = app.session_state["lessons"][0]
    app = app.button(key="next").click().run()
    worker.go.set()

    assert lesson.is_stopped
    assert app.session_state["lessons"] == []
    assert "Draw, drag or delete objects, then teach." in texts(app)


def test_a_picture_without_objects_teaches_what_to_do(open_page, worker):
    app = dog(open_page, lesson="empty meadow")

    assert app.button(key="teach").disabled
    assert "This picture has no objects; draw one" in texts(app)


def test_who_waits_sees_how_many_come_before(open_page, worker):
    line, other = lessons.line_of(lessons.KIND), lessons.Ticket("somebody else")
    line.join(other)
    try:
        app = dog(open_page).button(key="teach").click().run()
        assert "1 visitor before you" in texts(app)
        assert list(app.error) == []
    finally:
        line.leave(other)
    assert "found at jaccard" in texts(finish(app))


@pytest.mark.parametrize("tab", ["loss lab", "runs"])
def test_the_other_tabs_open(open_page, tab):
    app = open_page("learning", learn=tab)

    assert list(app.exception) == []
    assert "Teach it this picture" not in [button.label for button in app.button]


@pytest.mark.slow
def test_the_python_of_the_page_teaches_the_same_picture(open_page):
    app = dog(open_page)
    code = next(block.value for block in app.code if "teach(" in block.value)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(code, {})  # noqa: S102
    last = printed.getvalue().strip().splitlines()[-1]

    assert min(float(word) for word in last.split("(")[1].strip(")").split(",")) >= 0.9
