"""``fit-anchors``: a preset that is found by its name, and an honest before and after."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ssd.anchors import make_anchors
from ssd.cli import main
from ssd.config import anchor_preset

ROOT = Path(__file__).parents[2]


@pytest.fixture
def lists(tmp_path):
    """Text lists with two splits of thirty tall boxes in pictures of 200 × 100 px."""
    for split, shift in (("train", 0), ("val", 3)):
        lines = [f"{n:06}.jpg {5 * n + 1 + shift} {n + 5} {5 * n + 20 + shift} {n + 60} 3" for n in range(30)]
        (tmp_path / f"{split}.txt").write_text("\n".join(lines))
    (tmp_path / "train_name_size.txt").write_text("\n".join(f"{n:06} 100 200" for n in range(30)))
    return tmp_path


@pytest.fixture
def presets(tmp_path, monkeypatch):
    """A folder in which presets are found by name."""
    monkeypatch.setenv("SSD_PRESET_ROOTS", str(tmp_path / "presets"))
    return tmp_path / "presets"


def run(capsys, *words):
    """Exit code, stdout, stderr."""
    code = main([str(word) for word in words])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


QUICK = ("--generations", "3", "--population", "8")


@pytest.mark.slow
def test_the_json_holds_both_splits_and_the_preset_is_found_by_its_name(capsys, lists, presets):
    out = presets / "tall.toml"

    code, said, err = run(
        capsys, "fit-anchors", lists, "--preset", "teach160", "--out", out, *QUICK, "--json"
    )  # fmt: skip

    answer = json.loads(said)
    assert code == 0 and "wrote" in err
    assert list(answer) == [
        "preset", "start", "out", "generations", "evaluations", "split", "held_out", "anchors",
    ]  # fmt: skip
    for part in ("split", "held_out"):
        assert answer[part]["num_objects"] == 30
        before, after = answer[part]["before"], answer[part]["after"]
        assert after["mean_best_jaccard"] > before["mean_best_jaccard"]
        assert set(after) == {"without_anchor", "not_free", "mean_best_jaccard", "share_without"}
    found = anchor_preset("tall")
    assert list(found.anchors.sizes_px) == answer["anchors"]["sizes_px"]
    assert len(make_anchors(found.anchors)) == len(make_anchors(anchor_preset("teach160").anchors))
    assert "teach160" in found.source and list(presets.iterdir()) == [out]


def test_coverage_takes_the_new_preset_and_agrees(capsys, lists, presets):
    _, said, _ = run(
        capsys, "fit-anchors", lists, "--preset", "teach160", "--out", presets / "tall.toml", *QUICK, "--json"
    )
    held_out = json.loads(said)["held_out"]

    _, covered, _ = run(capsys, "coverage", lists, "--split", "val", "--preset", "tall", "--json")

    after = json.loads(covered)
    assert after["mean_best_jaccard"] == pytest.approx(held_out["after"]["mean_best_jaccard"], abs=1e-5)
    assert after["recall_at_threshold"] == pytest.approx(1 - held_out["after"]["share_without"], abs=1e-6)


def test_the_answer_for_people_names_both_splits(capsys, lists, presets):
    _, out, err = run(
        capsys, "fit-anchors", lists, "--preset", "teach160", "--out", presets / "t.toml", *QUICK
    )

    assert out.startswith("t: fitted from teach160, ")
    assert "train (30 objects): without an anchor" in out and "val (30 objects): without an anchor" in out
    assert "generation 1 of 3" in err


def test_another_size_makes_anchors_for_that_input(capsys, lists, presets):
    run(
        capsys,
        "fit-anchors",
        lists,
        "--preset",
        "teach160",
        "--out",
        presets / "t.toml",
        "--size",
        "200",
        *QUICK,
    )

    assert anchor_preset("t").anchors.picture_wh == (200, 200)
    assert anchor_preset("t").anchors.grids_wh[0] == (25, 25)


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("--preset", "teach16", "--out", "a.toml"), 2, "did you mean teach160"),
        (("--preset", "retinanet", "--out", "a.toml"), 2, "is not one of"),
        (("--preset", "teach160"), 2, "--out"),
        (("--preset", "teach160", "--out", "a.json"), 2, "TOML file"),
        (("--preset", "teach160", "--out", "paper.toml"), 2, "built-in preset"),
        (("--preset", "teach160", "--out", "a b.toml"), 2, "letters"),
        (("--preset", "teach160", "--out", "a.toml", "--population", "4"), 2, "5 configurations"),
        (("--preset", "teach160", "--out", "a.toml", "--split", "tarin"), 3, "tarin"),
        (("--preset", "teach160", "--out", "a.toml", "--generations", "0"), 2, "above 0"),
    ],
)
def test_a_wrong_word_is_one_sentence_and_nothing_is_written(
    capsys, lists, tmp_path, monkeypatch, words, code, message
):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())

    found, out, err = run(capsys, "fit-anchors", lists, *words)

    assert (found, out) == (code, "") and message in err.splitlines()[-1]
    assert sorted(tmp_path.iterdir()) == before


def test_a_file_that_is_there_is_replaced_only_when_forced(capsys, lists, presets):
    presets.mkdir()
    out = presets / "t.toml"
    out.write_text("mine")
    words = ("fit-anchors", lists, "--preset", "teach160", "--out", out, *QUICK)

    refused, _, err = run(capsys, *words)
    kept = out.read_text()
    forced, _, _ = run(capsys, *words, "--force")

    assert (refused, kept, forced) == (2, "mine", 0) and "--force" in err
    assert "fitted from" in out.read_text()


@pytest.mark.slow
def test_ctrl_c_keeps_the_best_so_far(lists, presets):
    out = presets / "stopped.toml"
    command = [sys.executable, "-m", "ssd", "fit-anchors", lists, "--preset", "teach160", "--out", out]
    process = subprocess.Popen(
        [*map(str, command), "--generations", "100000"], cwd=ROOT, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    try:
        while "generation 10 " not in process.stderr.readline():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()

    assert process.returncode == 130
    assert "Stopped by Ctrl-C." in said and "Traceback" not in said
    assert anchor_preset("stopped").anchors != anchor_preset("teach160").anchors
