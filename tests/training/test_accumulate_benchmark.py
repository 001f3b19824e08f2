"""The table of batch size and accumulation, in a smoke size."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_the_table_has_the_rows_of_the_document():
    small = ["--pictures", "32", "--scenes", "2", "--json"]
    command = [sys.executable, "-m", "benchmarks.accumulate", *small]

    rows = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)

    assert [(row["batch_size"], row["accumulate"], row["steps"]) for row in rows] == [
        (8, 1, 4),
        (32, 8, 1),
        (32, 1, 1),
    ]
    assert all(0 <= row["ap50"] <= 1 and row["seconds"] > 0 for row in rows)
    assert rows[2]["memory_mb"] > rows[1]["memory_mb"]  # parts are what accumulation is for
