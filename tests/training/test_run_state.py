"""How a run stands is read from its folder and the list of processes, never remembered."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import psutil
import pytest

from ssd.checkpoints import write_file
from ssd.training.run_folder import begin_run, end_run
from ssd.training.run_reader import EMPTY_HISTORY, follow
from ssd.training.run_state import checkpoints_of, is_run, last_written, read_settings, read_state
from tests.training.test_run_reader import line


def standing(folder) -> str:
    return read_state(folder, follow(folder)).standing


def test_a_run_whose_process_lives_is_running(tmp_path):
    begin_run(tmp_path, {"class_names": ["dog"], "preset": "shapes"})

    state = read_state(tmp_path, EMPTY_HISTORY)

    assert state.standing == "running"
    assert state.class_names == ("dog",)


@pytest.mark.parametrize("ending", ["finished", "interrupted", "failed"])
def test_a_run_that_wrote_its_end_is_as_it_says(tmp_path, ending):
    begin_run(tmp_path, {})
    end_run(tmp_path, ending, "The last words.")

    state = read_state(tmp_path, EMPTY_HISTORY)

    assert (state.standing, state.sentence) == (ending, "The last words.")


def test_a_run_that_goes_on_after_its_end_is_running(tmp_path):
    begin_run(tmp_path, {})
    end_run(tmp_path, "interrupted", "Stopped.")
    begin_run(tmp_path, {"first_step": 5})

    assert standing(tmp_path) == "running"


def test_a_run_whose_process_was_killed_has_crashed(tmp_path):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    values = {"pid": child.pid, "process_created": psutil.Process(child.pid).create_time()}
    (tmp_path / "run.json").write_text(json.dumps(values))
    (tmp_path / "steps.jsonl").write_bytes(line(7))
    before = standing(tmp_path)
    child.kill()
    child.wait()

    state = read_state(tmp_path, follow(tmp_path))

    assert before == "running"
    assert state.standing == "crashed"
    assert "after step 7" in state.sentence
    assert "--resume" not in state.sentence  # nothing was saved


def test_a_crashed_run_with_a_save_says_how_to_go_on(tmp_path):
    (tmp_path / "run.json").write_text(json.dumps({"pid": os.getpid(), "process_created": 1.0}))
    (tmp_path / "last.ckpt").write_bytes(b"x")

    state = read_state(tmp_path, EMPTY_HISTORY)

    assert state.standing == "crashed"  # the number is ours, but not the start
    assert "--resume" in state.sentence


@pytest.mark.parametrize(
    "text", ["", "nonsense", "[]", '{"pid": "1"}', '{"pid": true, "process_created": 1}', '{"status": "won"}']
)
def test_a_folder_that_does_not_say_is_unknown(tmp_path, text):
    (tmp_path / "run.json").write_text(text)

    assert standing(tmp_path) == "unknown"


def test_a_finder_alone_is_no_run_that_stands(tmp_path):
    (tmp_path / "finder.json").write_text("{}")

    assert is_run(tmp_path)
    assert standing(tmp_path) == "finder"


def test_words_of_a_file_come_without_control_characters_and_short(tmp_path):
    begin_run(tmp_path, {"class_names": ["a\u202eb\n", 7, "x" * 5000]})

    names = read_state(tmp_path, EMPTY_HISTORY).class_names

    assert names[:2] == ("ab", "7")
    assert len(names[2]) == 400


def test_speed_and_time_left_come_from_the_last_steps(tmp_path):
    begin_run(tmp_path, {})
    (tmp_path / "config.toml").write_text("steps = 100\n")
    rows = [{"step": s, "seconds": 0.5, "num_pictures": 8} for s in range(1, 41)]
    (tmp_path / "steps.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    state = read_state(tmp_path, follow(tmp_path))

    assert state.steps == 100
    assert state.sentence == "16.0 pictures a second, 30 s left."


def test_settings_are_dotted_keys(tmp_path):
    (tmp_path / "config.toml").write_text('steps = 9\n[loss]\nconfidence = "focal"\n')

    assert read_settings(tmp_path) == {"steps": "9", "loss.confidence": "focal"}


def test_settings_of_an_older_run_come_from_its_facts(tmp_path):
    (tmp_path / "run.json").write_text(json.dumps({"config": {"steps": 9, "augment": {"flip": 0.5}}}))

    assert read_settings(tmp_path) == {"steps": "9", "augment.flip": "0.5"}


def weights(path, step: int | None) -> None:
    """A weights file as far as its header; nothing reads further here."""
    metadata = {} if step is None else {"card": json.dumps({"step": step})}
    header = json.dumps({"__metadata__": metadata}).encode()
    path.parent.mkdir(exist_ok=True)
    write_file(path, len(header).to_bytes(8, "little") + header)


def test_checkpoints_come_by_step_and_the_better_of_one_step_last(tmp_path):
    weights(tmp_path / "best.safetensors", 20)
    weights(tmp_path / "raw.safetensors", 30)
    weights(tmp_path / "averaged.safetensors", 30)
    weights(tmp_path / "checkpoints" / "step-000010.safetensors", None)

    kept = checkpoints_of(tmp_path)

    assert [(c.step, c.kind) for c in kept] == [(10, "saved"), (20, "best"), (30, "raw"), (30, "averaged")]
    assert kept[0].title == "step 10 · saved"
    assert kept[0].file == "checkpoints/step-000010.safetensors"


def test_two_files_of_the_same_weights_are_one_checkpoint(tmp_path):
    weights(tmp_path / "averaged.safetensors", 10)
    weights(tmp_path / "checkpoints" / "averaged-step-000010.safetensors", 10)
    weights(tmp_path / "checkpoints" / "averaged-step-000005.safetensors", 5)

    kept = checkpoints_of(tmp_path)

    assert [c.title for c in kept] == ["step 5 · averaged", "step 10 · averaged"]
    assert kept[1].file == "checkpoints/averaged-step-000010.safetensors"  # this one stays as it is


def test_a_checkpoint_that_was_written_again_is_another_version(tmp_path):
    path = tmp_path / "best.safetensors"
    weights(path, 20)
    before = checkpoints_of(tmp_path)[0]
    weights(path, 21)
    os.utime(path, ns=(1, 1))

    assert checkpoints_of(tmp_path)[0].version != before.version


def test_the_latest_writing_of_a_run_is_known(tmp_path):
    (tmp_path / "steps.jsonl").write_bytes(line(1))
    os.utime(tmp_path / "steps.jsonl", (1000, 1000))
    (tmp_path / "run.json").write_text("{}")
    os.utime(tmp_path / "run.json", (500, 500))

    assert last_written(tmp_path) == 1000.0
