"""A run's folder while it is filled, and what a kill at any moment of a save leaves of it."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest

from ssd.checkpoints import read_run_state, read_weights
from ssd.errors import CheckpointError, ConfigError, ResourceError
from ssd.training.lock import LOCK
from ssd.training.loop import Training, prepare
from ssd.training.run_folder import JsonLines, keep_until, read_run, require_room
from ssd.training.run_reader import follow
from ssd.training.run_state import read_state
from ssd.training.runs import recorded
from ssd.training.starting import changes, load_start, stored_run
from tests.cli.tiny_runs import assert_same_run, assert_same_values, digests
from tests.training.tiny import CLASSES, TINY, Squares

pytestmark = pytest.mark.usefixtures("tiny")
ROOT = Path(__file__).parents[2]
CONFIG = replace(TINY, steps=6, batch_size=3, validate_every=2)


def fresh(config=CONFIG) -> Training:
    return prepare(config, class_names=CLASSES)


def record(folder: Path, *, stop: int = 0, config=CONFIG, **more) -> Training:
    """A run, closed after some steps; 0: none."""
    run = fresh(config)
    steps = recorded(run, Squares(), folder, validation=Squares(3), **more)
    for report in steps:
        if report.step == stop:
            break
    steps.close()
    return run


@pytest.mark.slow
def test_a_run_says_how_it_stands_at_each_moment(tmp_path: Path) -> None:
    steps = recorded(fresh(), Squares(), tmp_path)
    next(steps)
    assert read_state(tmp_path, follow(tmp_path)).standing == "running"
    assert (tmp_path / LOCK).exists()

    steps.close()
    assert read_state(tmp_path, follow(tmp_path)).standing == "interrupted"
    assert read_run(tmp_path)["sentence"] == "Stopped after step 1 of 6; --resume goes on from the last save."
    list(recorded(fresh(), Squares(), tmp_path, resume=True))
    assert read_state(tmp_path, follow(tmp_path)).standing == "finished"


@pytest.mark.slow
def test_closing_at_the_last_step_is_an_end_and_no_stop(tmp_path: Path) -> None:
    record(tmp_path, stop=6)

    assert read_run(tmp_path)["status"] == "finished"
    assert read_run_state(tmp_path / "last.ckpt")["step"] == 6


@pytest.mark.slow
def test_an_early_stop_says_so(tmp_path: Path) -> None:
    record(tmp_path, config=replace(CONFIG, early_stop=1, learning_rate=1e-9))

    assert read_run(tmp_path)["sentence"] == "Finished early, as validation gained no more after 4 steps."


@pytest.mark.slow
@pytest.mark.parametrize("stop", [1, 3, 5])
def test_a_run_taken_up_again_is_the_run_that_never_stopped(tmp_path: Path, stop: int) -> None:
    record(tmp_path / "whole")
    record(tmp_path / "run", stop=stop)

    record(tmp_path / "run", resume=True)

    assert_same_run(tmp_path / "run", tmp_path / "whole")


@pytest.mark.slow
def test_steps_after_the_last_save_are_told_once(tmp_path: Path) -> None:
    record(tmp_path / "whole")
    record(tmp_path / "run", stop=3)
    with (tmp_path / "run" / "steps.jsonl").open("a") as lines:  # as a killed process leaves it
        lines.write('{"step": 4, "loss": 1.0}\n{"step": 5, "lo')

    record(tmp_path / "run", resume=True)

    assert_same_run(tmp_path / "run", tmp_path / "whole")


def test_an_error_in_the_consumer_is_an_interrupted_run(tmp_path: Path) -> None:
    steps = recorded(fresh(), Squares(), tmp_path)

    def consume() -> None:
        for report in steps:
            raise RuntimeError(report)

    with pytest.raises(RuntimeError):
        consume()
    steps.close()

    assert read_run(tmp_path)["status"] == "interrupted"
    assert read_run_state(tmp_path / "last.ckpt")["step"] == 1


def test_a_broken_step_is_not_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = fresh()
    steps = recorded(run, Squares(), tmp_path)
    next(steps)

    def interrupt(run, batch):
        raise KeyboardInterrupt

    monkeypatch.setattr("ssd.training.loop.backward", interrupt)
    with pytest.raises(KeyboardInterrupt):
        next(steps)

    assert read_run_state(tmp_path / "last.ckpt")["step"] == 0
    assert read_run(tmp_path)["sentence"].startswith("Broken off in step 2 of 6;")


@pytest.mark.slow
def test_a_full_disk_in_the_middle_leaves_the_checkpoint_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = recorded(fresh(), Squares(), tmp_path, save_every=2)
    next(steps), next(steps), next(steps)
    fsync = os.fsync

    def full(descriptor: int) -> None:
        if os.readlink(f"/proc/self/fd/{descriptor}").count("last.ckpt"):
            raise OSError(errno.ENOSPC, "No space left on device")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ResourceError, match="No space left on device"):
        next(steps)

    assert read_run_state(tmp_path / "last.ckpt")["step"] == 2
    assert read_run(tmp_path)["status"] == "failed"
    monkeypatch.undo()


def test_a_folder_with_a_run_is_not_trained_into(tmp_path: Path) -> None:
    record(tmp_path, stop=1)
    before = digests(tmp_path)

    with pytest.raises(ConfigError, match=r"already holds a run \(interrupted\)"):
        next(recorded(fresh(), Squares(), tmp_path))

    assert digests(tmp_path) == before


def test_a_resume_of_another_network_changes_nothing(tmp_path: Path) -> None:
    record(tmp_path, stop=1)
    before = digests(tmp_path)

    with pytest.raises(CheckpointError, match="another network"):
        next(recorded(prepare(CONFIG, class_names=("red",)), Squares(), tmp_path, resume=True))

    after = digests(tmp_path)
    assert all(after[name] == before[name] for name in before)


def test_lines_after_a_step_are_dropped_and_so_are_torn_ones(tmp_path: Path) -> None:
    path = tmp_path / "steps.jsonl"
    lines = JsonLines(path)
    for step in (1, 2, 3):
        lines.add({"step": step})
    lines.close()
    with path.open("ab") as file:
        file.write(b'{"no": 1}\n{"step": 1')

    keep_until(path, 2)
    keep_until(tmp_path / "missing", 2)

    assert path.read_text() == '{"step": 1}\n{"step": 2}\n'


def test_room_is_asked_for_before_it_is_needed(tmp_path: Path) -> None:
    require_room(tmp_path / "new", 1000, largest=1000)
    assert not list((tmp_path / "new").iterdir())
    (tmp_path / "file").touch()

    with pytest.raises(ResourceError, match="cannot hold a run"):
        require_room(tmp_path / "file", 1000, largest=1000)
    with pytest.raises(ResourceError, match=r"needs room for 1,000,000,000,000 MB of checkpoints, [\d,]+ MB"):
        require_room(tmp_path, 10**18, largest=1000)


def test_weights_of_the_same_classes_are_taken_over_whole(tmp_path: Path) -> None:
    first = record(tmp_path, stop=1)
    second = fresh(replace(CONFIG, seed=9))

    start = load_start(second, tmp_path / "raw.safetensors")

    assert start.class_names == CLASSES and start.kept.new == ()
    state = read_weights(tmp_path / "raw.safetensors").model.state_dict()
    for network in (first.model.module, second.model.module, second.averaged.module):
        assert_same_values(network.state_dict(), state)


def test_a_stored_run_knows_what_would_change(tmp_path: Path) -> None:
    data = {"split": "train", "count": 8, "digest": "ab" * 32}
    record(tmp_path, stop=1, facts={"data": data, "preset": "tiny"})
    stored = stored_run(tmp_path)

    assert (stored.config, stored.class_names) == (CONFIG, CLASSES)
    assert changes(stored, CONFIG, class_names=CLASSES, data=data) == ()
    assert changes(
        stored, replace(CONFIG, steps=9), class_names=("red",), data={**data, "count": 7, "digest": "cd" * 32}
    ) == (
        "steps: 6 → 9",
        "classes: red, green, blue → red",
        "data count: 8 → 7",
        "data digest: abababababab → cdcdcdcdcdcd",
    )


@pytest.mark.parametrize("version", [2, "1", None])
def test_a_run_of_another_format_is_refused(tmp_path: Path, version: object) -> None:
    (tmp_path / "run.json").write_text(json.dumps({"format_version": version}))

    with pytest.raises(ConfigError, match="made by another version"):
        stored_run(tmp_path)


@pytest.mark.parametrize("content", ["{", "[]", "\ufeff\x00", "[" * 5000])
def test_a_run_that_cannot_be_read_is_a_sentence(tmp_path: Path, content: str) -> None:
    (tmp_path / "run.json").write_text(content)

    with pytest.raises(ConfigError):
        stored_run(tmp_path)


# A child that saves a new state over an old one, killed at the n-th call of the system that a save makes.
KILLED = """
import os, signal, sys
import torch
from pathlib import Path
from ssd.checkpoints import write_run_state

path, moment, seen = Path(sys.argv[1]), -1, 0
def counted(call):
    def wrapped(*words, **more):
        global seen
        seen += 1
        if seen == moment:
            os.kill(os.getpid(), signal.SIGKILL)
        done = call(*words, **more)
        seen += 1
        if seen == moment:
            os.kill(os.getpid(), signal.SIGKILL)
        return done
    return wrapped
for name in ("open", "fsync", "replace", "rename", "unlink"):
    setattr(os, name, counted(getattr(os, name)))
io_open = Path.open
Path.open = counted(io_open)
state = lambda step: {"step": step, "weights": torch.full((1000,), float(step))}
write_run_state(path, state(1))
seen = 0
write_run_state(path, state(2))
calls = seen
print(calls, flush=True)
for number in range(1, calls + 1):
    moment = -1
    write_run_state(path, state(10 * number))
    child = os.fork()
    if not child:
        seen, moment = 0, number
        write_run_state(path, state(10 * number + 1))
        os._exit(1)
    _, status = os.waitpid(child, 0)
    print(status == signal.SIGKILL, flush=True)
    sys.stdin.readline()
"""


@pytest.mark.slow
def test_a_kill_at_any_moment_of_a_save_leaves_the_old_state_or_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "last.ckpt"
    child = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(KILLED), os.fspath(path)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    calls, found = int(child.stdout.readline()), []

    for number in range(1, calls + 1):
        assert child.stdout.readline() == "True\n"
        state = read_run_state(path)
        assert state["step"] in (10 * number, 10 * number + 1)
        assert state["weights"].tolist() == [float(state["step"])] * 1000
        found.append(state["step"] - 10 * number)
        child.stdin.write("\n")
        child.stdin.flush()

    child.communicate()
    assert calls > 8
    assert found[0] == 0 and found[-1] == 1  # the first kill keeps the old, the last the new
    assert child.returncode == 0
