"""The child process: warm, alone, at low priority, and gone when nobody needs it."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from ssd.data.lessons import lesson_scene
from ssd.errors import ResourceError
from ssd.training.teach_job import TeachJob
from ssd.training.teach_worker import TeachWorker

DOG = lesson_scene("dog and ball")
JOB = TeachJob(DOG.sample, DOG.class_names, steps=4)
LONG = TeachJob(DOG.sample, DOG.class_names, steps=1000)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def shared():
    worker = TeachWorker()
    yield worker
    worker.close()


def is_alive(pid: int) -> bool:
    """Whether a process still does something: neither gone nor a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_one_child_teaches_one_lesson_after_another(shared):
    first = [report.step for report in shared.teach(JOB)]
    pid = shared.process_id()
    second = list(shared.teach(JOB))

    assert first == [report.step for report in second] == [0, 1, 2, 3, 4]
    assert shared.process_id() == pid
    assert second[0].told[0].anchors == 5


def test_the_child_leads_its_own_session_at_low_priority_on_one_thread(shared):
    list(shared.teach(JOB))
    pid = shared.process_id()

    assert os.getsid(pid) == pid != os.getsid(0)
    assert os.getpriority(os.PRIO_PROCESS, pid) >= min(os.getpriority(os.PRIO_PROCESS, 0) + 5, 19)
    assert "OMP_NUM_THREADS=1" in Path(f"/proc/{pid}/environ").read_text().split("\0")


def test_the_child_opens_no_file_for_writing(shared):
    lesson = shared.teach(LONG, stopped=lambda: True)
    next(lesson)
    pid = shared.process_id()
    opened = [entry for entry in Path(f"/proc/{pid}/fd").iterdir() if int(entry.name) > 2]
    kinds = [os.readlink(entry) for entry in opened]
    list(lesson)
    written = [
        kind
        for kind in kinds
        if kind.startswith("/") and not kind.startswith("/dev/") and not os.path.isdir(kind)
    ]

    assert written == []


def test_a_lesson_that_is_stopped_ends_and_the_child_stays(shared):
    seen: list[int] = []
    for report in shared.teach(LONG, stopped=lambda: len(seen) > 3):
        seen.append(report.step)
    pid = shared.process_id()

    assert seen[-1] < 60
    assert is_alive(pid)
    assert [report.step for report in shared.teach(JOB)] == [0, 1, 2, 3, 4]
    assert shared.process_id() == pid


def test_a_lesson_that_is_left_ends_the_child_and_another_one_warms_up():
    worker = TeachWorker()
    try:
        lesson = worker.teach(LONG)
        next(lesson)
        pid = worker.process_id()
        lesson.close()

        assert not is_alive(pid)
        assert worker.process_id() not in (None, pid)
    finally:
        worker.close()


def test_a_child_that_dies_is_said_in_a_sentence():
    worker = TeachWorker()
    try:
        lesson = worker.teach(LONG)
        next(lesson)
        os.kill(worker.process_id(), 9)

        with pytest.raises(ResourceError, match="teach again"):
            list(lesson)
        assert [report.step for report in worker.teach(JOB)] == [0, 1, 2, 3, 4]
    finally:
        worker.close()


def test_the_child_does_not_outlive_whoever_started_it():
    worker = TeachWorker()
    lesson = worker.teach(LONG)
    next(lesson)
    pid = worker.process_id()
    worker._process.stdin.close()  # what the system does when a server is killed

    limit = time.monotonic() + 20
    while is_alive(pid) and time.monotonic() < limit:
        time.sleep(0.05)
    gone = not is_alive(pid)
    worker.close()
    lesson.close()
    assert gone
    assert worker.process_id() is None
