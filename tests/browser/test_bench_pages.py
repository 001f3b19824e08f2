"""The benchmark of the pages runs, in its smallest size."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from benchmarks.serving import ROOT, chromium_path


@pytest.mark.slow
def test_the_benchmark_measures_every_control_and_a_cold_start(chromium):
    command = [sys.executable, "-m", "benchmarks.pages", "--moves", "1", "--starts", "1"]
    environment = {"SSD_CHROMIUM": chromium_path()}
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=500, env={**os.environ, **environment}
    )

    assert done.returncode == 0, done.stderr[-2000:]
    assert len(re.findall(r" 1 moves   p50 +\d+ ms   p95 +\d+ ms", done.stdout)) == 8
    assert re.search(r"cold start: Home's title after \d+\.\d s, its pictures after \d+\.\d s", done.stdout)
