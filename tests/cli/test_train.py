"""``train``: what a run leaves behind, what it refuses, and what it says before it starts."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from ssd.checkpoints import read_run_state, read_weights
from ssd.cli import main
from ssd.cli.training_data import side_by_side
from ssd.model_presets import MODEL_PRESETS
from ssd.training.config import TrainConfig
from ssd.training.lock import LOCK, ProcessId, this_process
from ssd.training.settings import from_values, read_toml
from tests.cli.tiny_runs import assert_same_run, digests, steps_of, write_settings, write_squares
from tests.small_models import FORBIDDEN
from tests.training.tiny import CLASSES, PRESETS


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    monkeypatch.setitem(MODEL_PRESETS, "tiny", PRESETS["tiny"])


@pytest.fixture
def run(capsys, tmp_path):
    """Train in this process on eight pictures, and measure on two."""
    settings = write_settings(tmp_path)
    data = write_squares(tmp_path / "data", count=10)

    def train(*words, out="run", preset=("--config", settings), data=data):
        source = [] if data is None else ["--data", data]
        code = main(["train", *map(str, [*preset, *source, "--out", tmp_path / out, *words])])
        captured = capsys.readouterr()
        assert not FORBIDDEN.search(captured.err), captured.err
        return code, captured.out, captured.err

    return train


@pytest.mark.slow
def test_a_run_leaves_all_that_someone_needs_to_make_it_again(run, tmp_path):
    code, out, err = run("--save-every", 3, "--keep-every", 4)

    folder = tmp_path / "run"
    facts = json.loads((folder / "run.json").read_text())
    config = from_values(TrainConfig(), read_toml(folder / "config.toml"))
    validations = (folder / "validation.jsonl").read_text()
    assert code == 0
    assert out.strip() == str(folder / "best.safetensors")
    assert (config.model, config.steps, config.milestones, config.augment.photometric) == (
        "tiny",
        7,
        (0.8,),
        0.5,
    )
    assert facts["class_names"] == sorted(CLASSES)
    assert (facts["status"], facts["seed"], facts["pid"]) == ("finished", 0, os.getpid())
    assert facts["process_created"] == pytest.approx(this_process().created, abs=1)
    assert (facts["data"]["split"], facts["data"]["count"]) == ("train", 8)
    assert re.fullmatch(r"[0-9a-f]{64}", facts["data"]["digest"] + "") and len(facts["code"]["sources"]) == 64
    assert facts["versions"]["torch"] == torch.__version__.split("+")[0]
    assert [line["step"] for line in steps_of(folder)] == list(range(1, 8))
    assert [json.loads(line)["step"] for line in validations.splitlines()] == [3, 6, 7]
    assert read_run_state(folder / "last.ckpt")["step"] == 7
    for name in ("raw", "averaged", "best", "checkpoints/averaged-step-000004"):
        assert read_weights(folder / f"{name}.safetensors").notes == ()  # with its checksum
    assert read_weights(folder / "checkpoints/averaged-step-000004.safetensors").card["step"] == 4
    assert not list(folder.glob("*.tmp")) and not (folder / LOCK).exists()
    assert "pictures/s" in err and "left" in err


def test_a_folder_with_a_run_is_left_as_it_is(run, tmp_path):
    run("--set", "steps=1")
    before = digests(tmp_path / "run")

    code, out, err = run()

    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "--resume" in err and "another --out" in err
    assert digests(tmp_path / "run") == before


def test_out_must_be_a_folder_that_can_be_made(run, tmp_path):
    (tmp_path / "file").touch()

    assert run(out="file")[0] == 2
    code, _, err = run(out="file/inside")
    assert code == 6
    assert "choose another --out" in err


def test_a_disk_without_room_is_noticed_before_the_first_step(run, tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 1000})())

    code, _, err = run()

    assert code == 6
    assert "needs room for" in err.splitlines()[-1]
    assert not (tmp_path / "run" / "run.json").exists()


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("lerning_rate=1", "did you mean learning_rate?"),
        ("flip=1", "did you mean augment.flip?"),
        ("learning_rate=-1", "above 0 and at most 1000"),
        ("learning_rate=0", "above 0 and at most 1000"),
        ("learning_rate=nan", "above 0 and at most 1000"),
        ("learning_rate=inf", "above 0 and at most 1000"),
        ("learning_rate=1e9", "above 0 and at most 1000"),
        ("schedule=cosin", "did you mean cosine?"),
        ("steps=1.5", "a whole number"),
    ],
)
def test_a_wrong_setting_starts_nothing(run, tmp_path, setting, message):
    code, out, err = run("--set", setting)

    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err
    assert not (tmp_path / "run").exists()


def test_a_rate_may_be_written_as_text_and_later_settings_win(run, tmp_path):
    write_settings(tmp_path, text='model = "tiny"\nsize_px = 64\nsteps = 50\nlearning_rate = "1e-3"\n')

    assert run("--set", "steps=5", "batch_size=2", "--set", "steps=1")[0] == 0

    config = from_values(TrainConfig(), read_toml(tmp_path / "run" / "config.toml"))
    assert (config.learning_rate, config.steps) == (1e-3, 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("steps: 3", "TOML"),
        ("a: &a [x]\nb: [*a, *a]", "TOML"),
        ("!!python/object/apply:os.system ['touch canary']", "TOML"),
        ("x = 1\n" + "# " + "x" * 1_000_001, "at most 1,000,000"),
        ("lerning_rate = 1", "did you mean learning_rate?"),
        ("augment = 3", "a table of settings"),
        ("num_classes = 4", "num_classes says 4, but there are 3 classes: blue, green, red"),
        ("num_classes = 'x'", "whole number"),
        ("class_names = ['red', 'red']", "each once"),
        ("class_names = ['red', '']", "none empty"),
        ("class_names = ['red', 'background']", "none 'background'"),
        ("class_names = ['red', 'geren']", "did you mean green?"),
        ("class_names = 'red'", "list of texts"),
    ],
)
def test_a_wrong_file_starts_nothing(run, tmp_path, text, message):
    write_settings(tmp_path, text=text)

    code, out, err = run()

    assert (code, out) == (2, "")
    assert message in err.splitlines()[-1]
    assert not (tmp_path / "run").exists()
    assert not Path("canary").exists()


def test_class_names_of_the_file_give_the_order_of_labels(run, tmp_path):
    settings = write_settings(tmp_path).read_text()
    write_settings(tmp_path, text="num_classes = 2\nclass_names = ['red', 'blue']\n" + settings)

    assert run("--set", "steps=1")[0] == 0

    assert read_weights(tmp_path / "run" / "raw.safetensors").config.class_names == ("red", "blue")


@pytest.mark.parametrize("words", [["--preset", "shaps"], []])
def test_a_preset_that_is_not_there_lists_those_that_are(run, words):
    code, _, err = run(preset=words)

    assert code == 2
    assert "ssd300-vgg16" in err
    assert not words or "did you mean shapes?" in err


def test_an_epoch_that_fills_no_batch_is_refused_before_the_start(run, tmp_path):
    write_squares(tmp_path / "one", count=1)

    code, _, err = run("--split", "all", data=tmp_path / "one")

    assert code == 2
    assert "0 batches" in err
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_pictures_in_training_and_validation_are_counted_whatever_their_names(run, tmp_path):
    write_squares(tmp_path / "val", count=3, first=8)  # 8 and 9 are in the training data
    for path in [*(tmp_path / "val").glob("*/*")]:
        path.rename(path.with_name(f"other-{path.name}"))

    code, _, err = run("--dry-run", "--split", "all", "--val-data", tmp_path / "val")

    assert code == 0
    assert "warning: 2 of 3 pictures of all are also in all (other-008, other-009)" in err
    assert "warning: 10 of 10" in run("--dry-run", "--split", "all", "--val", "all")[2]
    assert "also in" not in run("--dry-run", "--val-data", write_squares(tmp_path / "new", first=50))[2]


def test_a_dry_run_takes_a_step_and_writes_nothing(run, tmp_path):
    code, out, _ = run("--dry-run")

    assert code == 0
    assert re.match(r"one step of 7: 3 pictures of 64 px, \d+ positive anchors, loss \d", out)
    assert not (tmp_path / "run").exists()


def test_a_class_without_objects_is_a_warning(run, tmp_path):
    data = write_squares(tmp_path / "two", names=("red", "green", "green"))

    code, _, err = run("--dry-run", "--split", "all", data=data)
    assert code == 0
    assert "is the only class" not in err
    code, _, err = run("--dry-run", "--split", "all", "--classes", "red", data=data)
    assert code == 0
    assert "warning: red is the only class" in err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("save_every", "message"),
    [(100, r"(localisation|confidence) loss of step \d+ is not finite \(pictures: \d{3}"), (1, "finite")],
)
def test_numbers_that_are_not_finite_stop_the_run_and_the_last_checkpoint_is_finite(
    run, tmp_path, save_every, message
):
    words = ["optimiser=sgd", "learning_rate=1000", "clip_norm=0", "steps=60", "schedule=constant", "ema=0"]
    code, out, err = run("--save-every", save_every, "--set", *words)

    folder = tmp_path / "run"
    state = read_run_state(folder / "last.ckpt")
    facts = json.loads((folder / "run.json").read_text())
    assert (code, out) == (5, "")
    assert re.search(message, err.splitlines()[-1])
    assert facts["status"] == "failed"
    assert err.endswith(f"{facts['sentence']}\n")
    assert state["step"] == (0 if save_every > 1 else len(steps_of(folder)) - 1)
    assert all(bool(t.isfinite().all()) for t in state["model"].values())


@pytest.mark.slow
@pytest.mark.parametrize("stop", [1, 4])
def test_a_stopped_run_goes_on_in_the_middle_of_an_epoch_as_if_it_had_not_stopped(
    run, tmp_path, monkeypatch, stop
):
    assert run(out="whole")[0] == 0
    with monkeypatch.context() as patch:
        patch.setattr("ssd.cli.train._stopped", lambda run, noted: run.step == stop)
        run()
    assert json.loads((tmp_path / "run" / "run.json").read_text())["status"] == "interrupted"

    code, out, _ = run("--resume", preset=(), data=None)

    assert (code, out.strip()) == (0, str(tmp_path / "run" / "best.safetensors"))
    assert_same_run(tmp_path / "run", tmp_path / "whole")
    facts = json.loads((tmp_path / "run" / "run.json").read_text())
    assert (facts["status"], [start["step"] for start in facts["starts"]]) == ("finished", [0, stop])


@pytest.mark.slow
def test_a_run_on_scenes_of_a_kind_goes_on_with_that_kind(run, tmp_path):
    assert run("--scenes", "overlapping", "--set", "steps=1", "validate_every=0", data=None)[0] == 0
    facts = tmp_path / "run" / "run.json"
    before = json.loads(facts.read_text())["data"]

    code, _, err = run("--resume", preset=(), data=None)

    assert before["scenes"] == "overlapping"
    assert (code, json.loads(facts.read_text())["data"]) == (0, before), err


def test_a_kind_of_scenes_that_there_is_not_is_refused_and_so_is_one_beside_a_data_set(run):
    code, _, err = run("--scenes", "foggy", data=None)
    assert code == 2 and "no kind of scenes 'foggy'; choose one of default, small" in err

    code, _, err = run("--scenes", "crowded")
    assert code == 2 and "--scenes is for synthetic scenes" in err


@pytest.mark.slow
def test_a_finished_run_is_resumed_without_a_step(run, tmp_path):
    run("--set", "steps=2")
    before = digests(tmp_path / "run")

    code, _, _ = run("--resume", preset=())

    after = digests(tmp_path / "run")
    assert code == 0
    assert all(after[name] == before[name] for name in before if name != "run.json")


@pytest.mark.slow
def test_a_resume_with_other_settings_lists_them_and_needs_override(run, tmp_path):
    run("--set", "steps=2")
    before = digests(tmp_path / "run")
    words = ["--resume", "--set", "steps=4", "learning_rate=0.02", "batch_size=2"]

    code, out, err = run(*words, preset=())

    assert (code, out) == (2, "")
    for line in ("steps: 2 → 4", "learning_rate: 0.01 → 0.02", "batch_size: 3 → 2", "--override"):
        assert line in err
    assert digests(tmp_path / "run") == before
    assert run(*words, "--override", preset=())[0] == 0
    assert [line["step"] for line in steps_of(tmp_path / "run")] == [1, 2, 3, 4]


@pytest.mark.slow
def test_a_resume_with_other_classes_or_data_shows_both(run, tmp_path):
    run("--set", "steps=1")
    before = digests(tmp_path / "run")
    other = write_squares(tmp_path / "other", count=10, names=("red", "dog", "cat"))

    code, _, err = run("--resume", preset=(), data=other)

    assert code == 2
    assert "* " + "    1  blue   cat" in err
    assert "classes: blue, green, red → cat, dog, red" in err
    assert "data digest" in err
    assert digests(tmp_path / "run") == before
    code, _, err = run("--resume", "--override", "--classes", "cat,dog", preset=(), data=other)
    assert code == 4  # the network itself is another one
    assert read_run_state(tmp_path / "run" / "last.ckpt")["step"] == 1


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--resume"], 2, "holds no run to go on with"),
        (["--override"], 2, "--override goes with --resume"),
        (["--workers", "99"], 2, "0–64"),
        (["--start", "no.safetensors"], 4, "no.safetensors is missing"),
        (["--split", "trian"], 3, "choose one of"),
        (["--val", "vall"], 3, "choose one of"),
    ],
)
def test_what_cannot_be_meant_is_a_sentence(run, tmp_path, words, code, message):
    found, out, err = run(*words)

    assert (found, out) == (code, "")
    assert message in err
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_weights_of_other_classes_keep_backbone_and_boxes_and_both_lists_are_shown(run, tmp_path):
    run("--set", "steps=1", out="first")
    other = write_squares(tmp_path / "other", count=5, names=("cat", "cat", "cat"))
    weights = tmp_path / "first" / "raw.safetensors"

    code, _, err = run(
        "--start",
        weights,
        "--split",
        "all",
        "--set",
        "steps=1",
        "learning_rate=1e-9",
        "weight_decay=0",
        data=other,
    )

    before = read_weights(weights).model.state_dict()
    after = read_weights(tmp_path / "run" / "raw.safetensors").model.state_dict()
    assert code == 0
    assert side_by_side(("blue", "green", "red"), ("cat",), titles=("weights", "data")) in err
    assert "Kept " in err
    for key in ("backbone.stem.0.0.weight", "heads.0.codes.weight"):
        torch.testing.assert_close(after[key], before[key], atol=1e-6, rtol=0)
    assert after["heads.0.logits.weight"].shape != before["heads.0.logits.weight"].shape


@pytest.mark.slow
def test_a_second_training_in_the_folder_of_a_living_one_is_refused(run, tmp_path):
    run("--set", "steps=1")
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        import psutil

        created = psutil.Process(other.pid).create_time()
        lock = {"pid": other.pid, "created": created, "since": "2026-11-21T08:00:00+00:00"}
        (tmp_path / "run" / LOCK).write_text(json.dumps(lock))
        before = digests(tmp_path / "run")

        code, _, err = run("--resume", "--override", "--set", "steps=2", preset=())

        assert code == 2
        assert f"process {other.pid} trains there since 2026-11-21T08:00:00+00:00" in err
        after = digests(tmp_path / "run")
        assert all(after[name] == before[name] for name in before)
        other.communicate(b"\n")
    assert run("--resume", "--override", "--set", "steps=2", preset=())[0] == 0  # its process has died


@pytest.mark.slow
def test_the_lock_of_another_process_under_the_same_number_is_stale(run, tmp_path):
    run("--set", "steps=1")
    stale = ProcessId(os.getpid(), created=this_process().created - 1000)
    lock = {"pid": stale.pid, "created": stale.created, "since": "long ago"}
    (tmp_path / "run" / LOCK).write_text(json.dumps(lock))
    (tmp_path / "run" / "last.ckpt.999.tmp").write_text("half a checkpoint")

    assert run("--resume", "--override", "--set", "steps=2", preset=())[0] == 0

    assert not list((tmp_path / "run").glob("*.tmp"))


@pytest.mark.slow
def test_a_damaged_checkpoint_is_refused_and_left_alone(run, tmp_path):
    run("--set", "steps=1")
    path = tmp_path / "run" / "last.ckpt"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(bytes(data))
    before = digests(tmp_path / "run")

    code, _, err = run("--resume", "--override", "--set", "steps=2", preset=())

    assert code == 4
    assert "damaged" in err
    after = digests(tmp_path / "run")
    assert all(after[name] == before[name] for name in before)


def test_lists_of_classes_stand_side_by_side():
    shown = side_by_side(("cat", "a long name"), ("cat", "dog", "cow"), titles=("weights", "data"))

    assert shown.splitlines() == [
        "  label  weights      data",
        "      1  cat          cat",
        "*     2  a long name  dog",
        "*     3  –            cow",
    ]
