"""One training at a time: a lock names its process, and dies with it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from ssd.errors import ConfigError, ResourceError
from ssd.training.lock import LOCK, ProcessId, is_alive, locked, this_process


def test_a_lock_says_who_holds_it_and_goes_when_it_is_given_back(tmp_path: Path) -> None:
    with locked(tmp_path):
        held = json.loads((tmp_path / LOCK).read_text())

    assert held["pid"] == os.getpid()
    assert held["created"] == this_process().created
    assert not (tmp_path / LOCK).exists()


def test_of_many_that_ask_at_once_one_gets_the_lock(tmp_path: Path) -> None:
    done, together = threading.Event(), threading.Barrier(8)
    outcomes: list[str] = []

    def ask() -> None:
        together.wait()
        try:
            with locked(tmp_path):
                outcomes.append("held")
                done.wait(20)
        except ConfigError as error:
            outcomes.append(str(error))
        if len(outcomes) == 8:
            done.set()

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert outcomes.count("held") == 1
    assert sum(f"process {os.getpid()} trains there since" in said for said in outcomes) == 7


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"pid": "x"}', b'{"pid": 1e99, "created": 0, "since": 0}']
)
def test_what_is_no_lock_locks_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / LOCK).write_bytes(content)

    with locked(tmp_path):
        assert json.loads((tmp_path / LOCK).read_text())["pid"] == os.getpid()


def test_a_process_is_told_from_a_later_one_of_the_same_number() -> None:
    mine = this_process()

    assert is_alive(mine)
    assert not is_alive(ProcessId(mine.pid, mine.created - 100))
    assert not is_alive(ProcessId(2**31 - 5, mine.created))


def test_a_process_that_has_ended_is_not_alive_also_before_it_is_waited_for() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    held = ProcessId(child.pid, psutil.Process(child.pid).create_time())
    assert is_alive(held)

    child.stdin.close()
    while psutil.Process(child.pid).status() != psutil.STATUS_ZOMBIE:
        pass

    assert not is_alive(held)
    child.wait()
    assert not is_alive(held)


def test_what_is_no_folder_cannot_be_locked(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(ResourceError, match="could not be locked"), locked(tmp_path / "file" / "further"):
        pass
