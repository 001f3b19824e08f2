"""A real run of the command line, watched on the page, through a restart of the server and to its end.

The tabs of these tests are asked for last, so that they close before their server stops.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest

from benchmarks.serving import ROOT, Server
from ssd.training.run_reader import follow
from tests.browser.waiting import expect, still

pytestmark = pytest.mark.slow
PATIENCE_S = 240  # a busy machine is no bug
TRAIN = ["-m", "ssd", "train", "--preset", "teach", "--save-every", "2", "--keep-every", "3"]
LONG = ["--set", "steps=100000"]


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """The folder of runs that the servers of this test are told."""
    folder = tmp_path / "runs"
    folder.mkdir()
    monkeypatch.setenv("SSD_RUN_ROOTS", str(folder))
    return folder


@pytest.fixture
def server(tmp_path, runs):
    """The explorer with these runs; not started yet."""
    explorer = Server("app.py", tmp_path / "server.log")
    yield explorer
    explorer.stop()


@pytest.fixture
def train():
    """A function that starts a real training process; what still runs at the end is killed."""
    children = []

    def start(folder, *more: str) -> subprocess.Popen:
        command = [sys.executable, *TRAIN, "--out", str(folder), *more]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        options = {"cwd": ROOT, "env": environment, "start_new_session": True}
        with (folder.parent / f"{folder.name}.log").open("wb") as log:
            children.append(subprocess.Popen(command, **options, stdout=log, stderr=log))
        return children[-1]

    yield start
    for child in children:
        if child.poll() is None:
            child.kill()
            child.wait()


def wait_for(what, *, seconds: float = PATIENCE_S):
    """Ask until there is an answer."""
    limit = time.monotonic() + seconds
    while not (answer := what()):
        assert time.monotonic() < limit, "it did not happen in time"
        time.sleep(0.3)
    return answer


def shown_step(tab) -> int:
    """The step that the page shows."""
    words = tab.locator("[data-testid=stMain]").inner_text()
    return int(re.search(r"step ([\d,]+) of", words).group(1).replace(",", ""))


def wait_for_standing(tab, word: str) -> None:
    """Wait until the page says how the run stands."""
    tab.locator(".stMarkdownBadge", has_text=word).wait_for()


def open_runs(open_tab, server: Server, *, more: str = ""):
    """The tab with the runs."""
    tab = open_tab(f"{server.url}/learning?learn=runs{more}")
    tab.set_default_timeout(PATIENCE_S * 1000)
    return tab


def test_a_real_run_is_watched_through_a_restart_of_the_server_until_it_is_stopped(
    server, train, runs, open_tab
):
    child = train(runs / "mine", *LONG)
    wait_for(lambda: follow(runs / "mine").last_step >= 3)

    server.start()
    tab = open_runs(open_tab, server)
    wait_for_standing(tab, "running")
    first = shown_step(tab)
    wait_for(lambda: shown_step(tab) > first)  # by itself
    tab.locator("[data-testid=stPlotlyChart]").first.wait_for()
    tab.close()
    server.stop()
    assert child.poll() is None  # the run does not hang on the server

    server.start()
    tab = open_runs(open_tab, server)
    wait_for_standing(tab, "running")
    assert shown_step(tab) >= first
    child.send_signal(signal.SIGINT)
    wait_for_standing(tab, "interrupted")
    assert child.wait(timeout=PATIENCE_S) == 130
    assert shown_step(tab) == follow(runs / "mine").last_step


def test_a_run_that_is_killed_is_called_crashed_and_its_checkpoints_are_shown(server, train, runs, open_tab):
    child = train(runs / "mine", *LONG)
    wait_for(lambda: len(list((runs / "mine" / "checkpoints").glob("*.safetensors"))) >= 2)
    server.start()
    tab = open_runs(open_tab, server, more="&run_tab=detections+by+checkpoint")
    wait_for_standing(tab, "running")

    child.kill()
    child.wait()

    wait_for_standing(tab, "crashed")
    tab.get_by_text("go on from its last save with --resume").wait_for()
    picture = tab.get_by_role("img", name=re.compile(r"step \d+ · averaged: \d+ kept · step"))
    picture.first.wait_for()


def test_the_loss_lab_goes_through_the_checkpoints_of_a_run(server, train, runs, open_tab):
    child = train(runs / "mine", "--set", "steps=6")
    assert child.wait(timeout=PATIENCE_S) == 0
    server.start()
    tab = open_tab(
        f"{server.url}/learning?learn=loss+lab&weights=run+%C2%B7+mine&loss_tab=across+checkpoints"
    )
    tab.set_default_timeout(PATIENCE_S * 1000)
    canvas = tab.locator("canvas.ssd-canvas[data-loss]")
    canvas.wait_for()
    still(tab)
    last = canvas.get_attribute("data-loss")

    slider = tab.get_by_role("slider", name=re.compile("Checkpoint")).first
    slider.focus()
    slider.press("Home")
    tab.wait_for_selector(f"canvas.ssd-canvas[data-loss]:not([data-loss='{last}'])")

    expect(tab.locator("[data-testid=stPlotlyChart]")).to_have_count(1)


def test_without_a_run_the_page_says_how_to_start_one_and_sees_it_come(server, runs, open_tab):
    server.start()
    tab = open_runs(open_tab, server)
    tab.get_by_text("There is no run yet.").wait_for()
    assert "python -m ssd train --preset shapes" in tab.locator("[data-testid=stCode]").inner_text()

    (runs / "late").mkdir()
    (runs / "late" / "run.json").write_text(json.dumps({"status": "finished", "sentence": "Finished."}))

    wait_for_standing(tab, "finished")
