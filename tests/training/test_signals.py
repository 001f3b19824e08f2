"""Signals during training are noted; the second one, and one in a worker, do what they always did."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from ssd.training.signals import Stop, stoppable


@pytest.mark.parametrize(
    ("number", "code", "words"), [(signal.SIGINT, 130, "Ctrl-C"), (signal.SIGTERM, 143, "SIGTERM")]
)
def test_the_first_signal_is_noted(number, code, words):
    with stoppable() as stop:
        assert not stop
        os.kill(os.getpid(), number)
        time.sleep(0)

        assert (bool(stop), stop.exit_code, stop.words) == (True, code, words)


def test_the_second_signal_stops_at_once():
    with pytest.raises(KeyboardInterrupt), stoppable():  # noqa: PT012
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0)
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(5)


def test_afterwards_signals_mean_what_they_meant():
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]

    with stoppable():
        assert signal.getsignal(signal.SIGTERM) != before[1]

    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_outside_the_main_thread_nothing_is_noted_and_nothing_breaks():
    seen = []

    def work():
        with stoppable() as stop:
            seen.append(bool(stop))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()

    assert seen == [False]


def test_a_forked_worker_ignores_ctrl_c_and_obeys_sigterm():
    stop = Stop()
    worker = os.fork()
    if worker == 0:
        stop.handle(signal.SIGINT, None)
        if stop:
            os._exit(1)
        stop.handle(signal.SIGTERM, None)
        os._exit(2)

    _, status = os.waitpid(worker, 0)

    assert os.waitstatus_to_exitcode(status) == 143
