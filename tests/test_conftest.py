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


def run_pytest(root: Path, folder: Path, *, require_all: bool) -> str:
    """Run the tests of ``folder`` under this project's conftest; return what was printed."""
    (folder / "conftest.py").write_text((root / "tests" / "conftest.py").read_text())
    (folder / "test_skipping.py").write_text(SKIPPING)
    (folder / "pytest.ini").write_text("[pytest]\nmarkers =\n    browser\n    data\n")
    env = {**os.environ, "PYTHONPATH": str(root), "SSD_REQUIRE_ALL": "1" if require_all else "0"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder)]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False).stdout


def test_skips_stay_skips_where_nothing_is_demanded(root, tmp_path):
    assert "3 skipped" in run_pytest(root, tmp_path, require_all=False)


def test_skips_of_browser_and_data_tests_are_failures_where_all_must_run(root, tmp_path):
    printed = run_pytest(root, tmp_path, require_all=True)

    assert "1 failed, 1 skipped, 1 error" in printed
    assert "SSD_REQUIRE_ALL forbids this skip" in printed
    assert "no browser here" in printed


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
