"""Two processes started by torchrun are one process with the doubled batch."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

pytestmark = pytest.mark.slow
SCRIPT = "tests.training.two_processes"


def started(processes: int, out: Path, root: Path) -> list[dict[str, Any]]:
    """Run the script alone or under torchrun; what each process saw, by rank."""
    torchrun = ["torch.distributed.run", "--standalone", f"--nproc-per-node={processes}", "-m"]
    launcher = torchrun if processes > 1 else []
    command = [sys.executable, "-m", *launcher, SCRIPT, str(processes), str(out)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=420)
    assert done.returncode == 0, done.stderr[-3000:]
    return [torch.load(out / f"{processes}-{rank}.pt", weights_only=True) for rank in range(processes)]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What one process saw, and what two did."""
    out, root = tmp_path_factory.mktemp("processes"), Path(__file__).parent.parent.parent
    return started(1, out, root)[0], started(2, out, root)


@pytest.mark.parametrize("parts", [1, 2])
def test_two_processes_give_the_gradients_of_one_with_the_doubled_batch(found, parts: int) -> None:
    alone, together = found

    for process in together:
        for a, b in zip(process[f"gradients {parts}"], alone[f"gradients {parts}"], strict=True):
            torch.testing.assert_close(a, b, rtol=1e-6, atol=1e-6)
        assert process[f"loss {parts}"] == pytest.approx(alone[f"loss {parts}"], rel=1e-6)


def test_the_processes_share_the_pictures_of_a_run(found) -> None:
    alone, together = found

    seen = [set(process["seen"]) for process in together]

    assert sorted(together[0]["seen"] + together[1]["seen"]) == sorted(alone["seen"])
    assert seen[0] != seen[1]


def test_a_validation_counts_every_picture_once_and_is_the_same_everywhere(found) -> None:
    alone, together = found

    assert alone["validation"][0] > 0 and alone["validation"][2] == 7
    assert together[0]["validation"] == together[1]["validation"] == alone["validation"]


def test_weights_stay_the_same_in_every_process(found) -> None:
    _, (first, second) = found

    for a, b in zip(first["after training"], second["after training"], strict=True):
        assert torch.equal(a, b)


def test_a_loss_that_is_not_finite_in_one_process_stops_all_and_names_its_pictures(found) -> None:
    _, (first, second) = found

    assert "localisation loss of step" in first["not finite"] and "another process" in first["not finite"]
    assert "squares-" in second["not finite"]
