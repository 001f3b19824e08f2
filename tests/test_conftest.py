"""The ground the tests stand on can itself fail."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from jaxtyping import TypeCheckError

from ssd.boxes import area, jaccard

SKIPPING = """
import pytest

@pytest.mark.browser
def test_needs_a_browser():
    pytest.skip("no browser here")

def test_needs_something_else():
    pytest.skip("another reason")

def test_needs_pictures(shared_data):
    pytest.skip("no pictures here")
"""


ORDERED = """
import os
from pathlib import Path

import torch

def test_says_who_ran_it():
    line = os.environ["PYTEST_XDIST_WORKER"], Path(__file__).stem, str(torch.get_num_threads())
    with Path({path!r}).open("a") as order:
        print(*line, file=order)

def test_is_in_the_same_file():
    test_says_who_ran_it()
"""


def run_pytest(root: Path, folder: Path, *more: str, require_all: bool = False) -> str:
    """Run the tests of ``folder`` under this project's conftest; return what was printed."""
    (folder / "conftest.py").write_text((root / "tests" / "conftest.py").read_text())
    (folder / "test_skipping.py").write_text(SKIPPING)
    (folder / "pytest.ini").write_text("[pytest]\nmarkers =\n    browser\n    data\n")
    env = {**os.environ, "PYTHONPATH": str(root), "SSD_REQUIRE_ALL": "1" if require_all else "0"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *more, str(folder)]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False).stdout


@pytest.mark.slow
def test_skips_stay_skips_where_nothing_is_demanded(root, tmp_path):
    assert "3 skipped" in run_pytest(root, tmp_path, require_all=False)


@pytest.mark.slow
def test_skips_of_browser_and_data_tests_are_failures_where_all_must_run(root, tmp_path):
    printed = run_pytest(root, tmp_path, require_all=True)

    assert "1 failed, 1 skipped, 1 error" in printed
    assert "SSD_REQUIRE_ALL forbids this skip" in printed
    assert "no browser here" in printed


@pytest.mark.slow
def test_skips_are_failures_in_workers_too(root, tmp_path):
    printed = run_pytest(root, tmp_path, "-n", "2", require_all=True)

    assert "1 failed, 1 skipped, 1 error" in printed
    assert "no browser here" in printed


@pytest.mark.slow
def test_a_worker_takes_whole_files_and_nothing_after_the_browser(root, tmp_path):
    (tmp_path / "tests" / "browser").mkdir(parents=True)
    for name in ("browser/test_b1", "browser/test_b2", "browser/test_b3", *(f"test_{k}" for k in "acdxyz")):
        path = tmp_path / "tests" / f"{name}.py"
        third = "test_third = test_is_in_the_same_file\n" if "browser" in name else ""
        path.write_text(ORDERED.format(path=str(tmp_path / "order")) + third)

    printed = run_pytest(root, tmp_path / "tests", "-n", "2")

    assert "21 passed" in printed
    lines = [line.split() for line in (tmp_path / "order").read_text().splitlines()]
    assert {threads for _, _, threads in lines} == {"1"}
    for worker in {worker for worker, _, _ in lines}:
        files = [file for who, file, _ in lines if who == worker]
        assert all(files.count(file) == 2 + file.startswith("test_b") for file in files)
        assert files == sorted(files, key=lambda file: file.startswith("test_b"))


def test_a_wrong_shape_is_refused_while_tests_run():
    with pytest.raises(TypeCheckError):
        area(torch.zeros(3, 5))


def test_a_wrong_dtype_is_refused_while_tests_run():
    with pytest.raises(TypeCheckError):
        jaccard(torch.zeros(3, 4, dtype=torch.int64), torch.zeros(1, 4))


def test_a_test_cannot_reach_another_machine():
    with pytest.raises(pytest.fail.Exception, match="reached for the network"):
        socket.create_connection(("192.0.2.1", 80), timeout=0.1)


def test_a_test_can_ask_to_be_offline(offline):
    with pytest.raises(OSError, match="no network"):
        socket.create_connection(("example.invalid", 80), timeout=0.1)
