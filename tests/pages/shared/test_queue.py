"""The line: first come, first served, and whoever leaves frees the place."""

from __future__ import annotations

import threading
import time

from streamlit.testing.v1 import AppTest

from pages.shared import queue
from pages.shared.queue import Line, Ticket, line_of, waiting_words


def three(line: Line) -> list[Ticket]:
    tickets = [Ticket(name) for name in "abc"]
    for ticket in tickets:
        line.join(ticket)
    return tickets


def test_whoever_comes_first_is_served_first():
    line = Line()
    a, b, c = three(line)

    assert line.before(a) == []
    assert line.before(b) == [a]
    assert line.before(c) == [a, b]


def test_whoever_leaves_lets_the_others_move_up():
    line = Line()
    a, b, c = three(line)

    line.leave(b)
    assert line.before(c) == [a]
    line.leave(a)
    line.leave(a)
    assert line.before(c) == []


def test_a_closed_tab_frees_a_waiting_place_but_work_that_runs_is_waited_for():
    line, there = Line(), {"a": True, "b": True}
    a, b, c = Ticket("a", lambda: there["a"]), Ticket("b", lambda: there["b"]), Ticket("c")
    for ticket in (a, b, c):
        line.join(ticket)

    there["a"] = there["b"] = False

    assert line.before(c) == [a]


def test_whoever_was_away_and_comes_back_stands_at_the_end():
    line, there = Line(), {"b": True}
    a, b, c = Ticket("a"), Ticket("b", lambda: there["b"]), Ticket("c")
    for ticket in (a, b, c):
        line.join(ticket)

    there["b"] = False
    line.before(c)
    there["b"] = True

    assert line.before(b) == [a, c]


def test_two_abreast_are_served_at_once():
    line = Line(abreast=2)
    a, b, c = three(line)

    assert line.before(b) == []
    assert line.before(c) == [a, b]


def test_the_place_is_said_in_visitors():
    me, other = Ticket("me"), Ticket("other")

    assert waiting_words([other], me) == "1 visitor before you …"
    assert waiting_words([Ticket("x"), other, Ticket("me")], me) == "2 visitors before you …"
    assert "Your last wish" in waiting_words([Ticket("me")], me)


def test_threads_are_never_served_together():
    line, busy, most = Line(), [], []

    def work(name: str) -> None:
        ticket = Ticket(name)
        line.join(ticket)
        while line.before(ticket):
            line.wait(ticket)
        busy.append(name)
        most.append(len(busy))
        time.sleep(0.002)
        busy.remove(name)
        line.leave(ticket)

    threads = [threading.Thread(target=work, args=(str(k),)) for k in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)

    assert most == [1] * 50


def script_that_waits() -> None:
    import streamlit as st

    from pages.shared.queue import turn

    with turn("a test"):
        st.write("my turn")


def test_a_visitor_sees_the_place_in_the_line_and_then_gets_the_turn(monkeypatch):
    line, other, said = line_of("a test"), Ticket("other"), []
    line.join(other)
    words = queue.waiting_words

    def hear(before, ticket):
        said.append(words(before, ticket))
        line.leave(other)
        return said[-1]

    monkeypatch.setattr(queue, "waiting_words", hear)
    app = AppTest.from_function(script_that_waits).run()

    assert said == ["1 visitor before you …"]
    assert [each.value for each in app.markdown] == ["my turn"]
    assert list(app.info) == []
    assert line.before(Ticket("nobody")) == []


def script_that_fails() -> None:
    from pages.shared.queue import turn

    with turn("another test"):
        raise ValueError("on purpose")


def test_work_that_fails_gives_up_its_place():
    AppTest.from_function(script_that_fails).run()
    newcomer = Ticket("newcomer")
    line_of("another test").join(newcomer)

    assert line_of("another test").before(newcomer) == []
    line_of("another test").leave(newcomer)


def test_who_looks_at_a_ticket_that_has_left_does_not_bring_it_back():
    line, first, second = Line(), Ticket("a"), Ticket("b")
    line.join(first)
    line.leave(first)

    seen = line.ahead_of(first)  # a page that looks while the lesson's thread is leaving
    line.join(second)

    assert seen == []
    assert line.before(second) == []


def test_who_looks_sees_those_who_come_first():
    line, first, second = Line(), Ticket("a"), Ticket("b")
    line.join(first)
    line.join(second)

    assert line.ahead_of(second) == [first]
    assert line.ahead_of(first) == []
