"""``train`` in a process of its own: signals, kill −9, a full disk, a dead worker; the run survives each."""

import json
import os
import resource
import signal
import time

import psutil
import pytest

from ssd.checkpoints import read_run_state
from tests.cli.tiny_runs import (
    SETTINGS,
    assert_same_run,
    digests,
    start,
    steps_of,
    wait_for_steps,
    write_settings,
    write_squares,
)
from tests.small_models import FORBIDDEN

pytestmark = pytest.mark.slow
LONG = SETTINGS.replace("steps = 7", "steps = 40").replace("validate_every = 3", "validate_every = 15")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A data set, and a run of forty steps that nothing stopped."""
    folder = tmp_path_factory.mktemp("runs")
    write_squares(folder / "data", count=10)
    write_settings(folder, text=LONG)
    process = start("train", *words(folder, "whole"))
    _, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    return folder


def words(folder, name, *more):
    return ["--config", folder / "tiny.toml", "--data", folder / "data", "--out", folder / name, *more]


def ended(process, code):
    """What a process said at its end."""
    out, err = process.communicate(timeout=300)
    assert process.returncode == code, err
    assert not FORBIDDEN.search(err), err
    return out, err


@pytest.mark.parametrize(
    ("number", "code", "said"), [(signal.SIGINT, 130, "Ctrl-C"), (signal.SIGTERM, 143, "SIGTERM")]
)
def test_a_signal_finishes_the_step_and_saves_and_the_run_goes_on_as_if_it_had_not_come(
    place, number, code, said
):
    run = place / f"signal-{code}"
    process = start("train", *words(place, run.name, "--workers", 1))
    wait_for_steps(run, 5, process)

    sent = time.monotonic()
    os.killpg(os.getpgid(process.pid), 0)  # it lives
    for child in psutil.Process(process.pid).children(recursive=True):
        child.send_signal(signal.SIGINT if number == signal.SIGINT else 0)  # as a terminal does
    process.send_signal(number)
    out, err = ended(process, code)

    done = len(steps_of(run))
    facts = json.loads((run / "run.json").read_text())
    assert time.monotonic() - sent < 60  # two or three on an idle machine
    assert out == ""
    assert err.splitlines()[-1] == f"Stopped by {said} after step {done} of 40; --resume goes on from there."
    assert read_run_state(run / "last.ckpt")["step"] == done < 40
    assert facts["status"] == "interrupted"
    assert not (run / "lock.json").exists()
    ended(start("train", "--out", run, "--resume"), 0)
    assert_same_run(run, place / "whole")


def test_a_killed_run_says_nothing_and_goes_on_from_its_last_save(place):
    run = place / "killed"
    process = start("train", *words(place, run.name, "--save-every", 1))
    for steps in (3, 12, 20):  # at three moments, each time in the middle of saving or computing
        wait_for_steps(run, steps, process)
        process.kill()
        process.communicate()
        seen = len(steps_of(run))

        state = read_run_state(run / "last.ckpt")

        assert seen - 1 <= state["step"] <= seen
        assert "status" not in json.loads((run / "run.json").read_text())
        assert json.loads((run / "lock.json").read_text())["pid"] == process.pid
        process = start("train", "--out", run, "--resume", "--save-every", 1)
    ended(process, 0)

    assert_same_run(run, place / "whole")
    assert not list(run.glob("*.tmp"))


def test_a_disk_that_fills_up_stops_the_run_and_leaves_the_checkpoint_before(place):
    run = place / "full"
    process = start("train", *words(place, run.name, "--save-every", 1))
    wait_for_steps(run, 3, process)

    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (1000, 1000))  # no file beyond 1000 bytes
    _, err = ended(process, 6)

    state = read_run_state(run / "last.ckpt")
    assert "could not be written (File too large); free some space" in err.splitlines()[-1]
    assert 2 <= state["step"] <= len(steps_of(run))
    assert not list(run.glob("*.tmp"))
    ended(start("train", "--out", run, "--resume"), 0)
    assert_same_run(run, place / "whole")


def test_a_disk_without_room_for_a_checkpoint_is_noticed_before_the_first_step(place):
    _, err = ended(start("train", *words(place, "tight"), limit="-f 20"), 6)

    assert "cannot hold a run (File too large; a checkpoint takes" in err.splitlines()[-1]
    assert not (place / "tight" / "run.json").exists()
    assert not (place / "tight" / "last.ckpt").exists()


def test_a_dead_loader_process_is_explained_within_ten_seconds(place):
    run = place / "worker"
    process = start("train", *words(place, run.name, "--workers", 1, "--set", "steps=4000"))
    wait_for_steps(run, 3, process)

    (worker,) = psutil.Process(process.pid).children()
    worker.kill()
    sent = time.monotonic()
    _, err = ended(process, 6)

    assert time.monotonic() - sent < 30  # below ten on an idle machine
    assert f"process {worker.pid}" in err.splitlines()[-1]
    assert "memory runs out" in err.splitlines()[-1]
    assert json.loads((run / "run.json").read_text())["status"] == "failed"
    assert read_run_state(run / "last.ckpt")["step"] == 0


def test_two_trainings_cannot_share_a_folder(place):
    run = place / "shared"
    first = start("train", *words(place, run.name, "--set", "steps=4000"))
    wait_for_steps(run, 1, first)

    _, err = ended(start("train", "--out", run, "--resume"), 2)

    assert f"process {first.pid} trains there since 20" in err.splitlines()[-1]
    first.send_signal(signal.SIGTERM)
    ended(first, 143)


def test_ctrl_c_while_the_data_is_read_ends_in_one_line_and_leaves_it_alone(place):
    data = write_squares(place / "large", count=10)
    (data / "Annotations" / "bad.xml").write_text("<annotation>")  # is told before the pictures are read
    big = data / "JPEGImages" / "000.png"
    big.write_bytes(big.read_bytes() + bytes(9_000_000))
    xml = (data / "Annotations" / "000.xml").read_text()
    for number in range(100, 3000):
        os.link(big, data / "JPEGImages" / f"{number}.png")
        (data / "Annotations" / f"{number}.xml").write_text(xml)
    before = {name: len(content) for name, content in digests(data / "Annotations").items()}
    process = start("train", *words(place, "never", "--data", data))
    assert "bad" in process.stderr.readline()

    sent = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, err = ended(process, 130)

    assert time.monotonic() - sent < 10  # below two on an idle machine
    assert (out, err.splitlines()[-1]) == ("", "Stopped by Ctrl-C.")
    assert {name: len(content) for name, content in digests(data / "Annotations").items()} == before
    assert not (place / "never").exists()


def test_two_processes_train_together_and_one_writes(place):
    run = place / "two"
    ended(start("train", *words(place, run.name, "--processes", 2, "--set", "batch_size=2", "steps=3")), 0)

    facts = json.loads((run / "run.json").read_text())
    assert [line["step"] for line in steps_of(run)] == [1, 2, 3]
    assert {line["num_pictures"] for line in steps_of(run)} == {4}
    assert (facts["processes"], facts["status"]) == (2, "finished")
