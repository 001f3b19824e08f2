"""``lesson``: real stages on a data set of five pictures, its table, its pictures, its run folders."""

from __future__ import annotations

import json

import pytest

from ssd.cli import main
from ssd.data.images import read_picture
from ssd.training.lesson import STAGES, LessonBudget, StageResult, lesson_table, stage_config
from tests.cli.tiny_runs import write_squares

LAST_TWO = "ssd-multi,ssd-multi-focal"


@pytest.fixture
def squares(tmp_path):
    """A data set with a validation split."""
    return write_squares(tmp_path / "data")


def lesson(squares, out, *more: str) -> int:
    return main(["lesson", "--data", str(squares), "--out", str(out), "--steps", "1", "--batch", "2", *more])


@pytest.mark.slow
def test_the_last_two_stages_are_trained_measured_and_drawn(squares, tmp_path, capsys):
    out = tmp_path / "lesson"

    code = lesson(squares, out, "--stages", LAST_TWO, "--score", "0.01", "--json")

    said = json.loads(capsys.readouterr().out)
    assert code == 0
    assert [row["stage"] for row in said["stages"]] == LAST_TWO.split(",")
    assert all(0 <= row["ap50"] <= 1 and row["accuracy"] is None for row in said["stages"])
    assert json.loads((out / "lesson.json").read_text()) == said
    assert "| `ssd-multi-focal` |" in (out / "lesson.md").read_text()
    for name in ("ssd-multi-nms.png", "ssd-multi-focal-nms.png", "focal.png"):
        assert read_picture(out / name, name=name).pixels.shape[2] == 2 * 372 + 12
    assert json.loads((out / "ssd-multi" / "run.json").read_text())["status"] == "finished"


@pytest.mark.slow
def test_the_stages_before_ssd_are_judged_by_accuracy_and_distance(squares, tmp_path, capsys):
    before_ssd = "multilabel,largest-class,largest-box,largest-object"

    lesson(squares, tmp_path / "lesson", "--stages", before_ssd, "--val", "train", "--json")

    rows = json.loads(capsys.readouterr().out)["stages"]
    assert [row["accuracy"] is None for row in rows] == [False, False, True, False]
    assert [row["l1_px"] is None for row in rows] == [True, True, False, False]
    assert all(row["ap50"] is None for row in rows)


def test_a_folder_that_exists_is_left_alone(squares, tmp_path, capsys):
    (tmp_path / "lesson").mkdir()

    assert lesson(squares, tmp_path / "lesson") == 2
    assert "exists already" in capsys.readouterr().err
    assert list((tmp_path / "lesson").iterdir()) == []


def test_a_misspelt_stage_is_answered_with_the_nearest(squares, tmp_path, capsys):
    assert lesson(squares, tmp_path / "lesson", "--stages", "ssd-mutli") == 2
    assert "ssd-multi" in capsys.readouterr().err


def test_every_stage_gets_the_same_budget():
    configs = [stage_config(stage, LessonBudget(steps=7, batch_size=3)) for stage in STAGES]

    assert {(config.steps, config.batch_size, config.backbone) for config in configs} == {(7, 3, "small")}
    assert [config.model for config in configs] == list(STAGES)
    assert configs[-1].loss.confidence == "focal"
    assert configs[-2].loss.confidence == "bce"


def test_the_table_leaves_out_what_a_stage_does_not_have():
    result = StageResult("ssd-4x4", "16 cells", None, None, 0.25, 0.0625, 1.0, 60, 12.4, pretrained=False)

    assert (
        lesson_table([result]).splitlines()[-1]
        == "| `ssd-4x4` | 16 cells | – | – | 0.250 | 0.062 | 60 | 12 |"
    )
