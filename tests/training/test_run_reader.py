"""A run is read while it is written: by bytes, whole lines only, whatever a stranger put there."""

from __future__ import annotations

import json
import math
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssd.training.run_reader import (
    EMPTY_HISTORY,
    Finding,
    Validation,
    follow,
    read_finding,
    read_validations,
    tail,
)


def line(step: int, loss: float = 1.0) -> bytes:
    """One step as the command line writes it."""
    return json.dumps({"step": step, "loss": loss, "localisation": 0.25, "confidence": 0.75}).encode() + b"\n"


def test_only_what_was_added_is_read(tmp_path):
    path = tmp_path / "steps.jsonl"
    path.write_bytes(line(1) + line(2))
    first = tail(path)
    path.write_bytes(path.read_bytes() + line(3))

    second = tail(path, first.offset, file=first.file)

    assert [record["step"] for record in first.records] == [1, 2]
    assert [record["step"] for record in second.records] == [3]
    assert not second.restarted


def test_a_line_that_is_still_being_written_waits_for_its_end(tmp_path):
    path = tmp_path / "steps.jsonl"
    path.write_bytes(line(1) + line(2)[:9])
    first = tail(path)
    path.write_bytes(line(1) + line(2))

    assert [record["step"] for record in first.records] == [1]
    assert [record["step"] for record in tail(path, first.offset).records] == [2]


@given(cuts=st.lists(st.integers(1, 400), max_size=12), count=st.integers(0, 9))
def test_however_the_writing_is_cut_every_step_is_read_once(tmp_path_factory, cuts, count):
    folder = tmp_path_factory.mktemp("run")
    whole, history = b"".join(line(step) for step in range(1, count + 1)), EMPTY_HISTORY

    for end in [*np.minimum(np.cumsum(cuts), len(whole)).tolist(), len(whole)]:
        with (folder / "steps.jsonl").open("ab") as file:
            file.write(whole[file.tell() : int(end)])
        history = follow(folder, history)

    assert history.steps.tolist() == list(range(1, count + 1))
    assert history.skipped == 0


def test_a_file_that_was_put_in_its_place_is_read_from_the_start(tmp_path):
    path = tmp_path / "steps.jsonl"
    path.write_bytes(line(1) + line(2) + line(3))
    known = follow(tmp_path)
    other = tmp_path / "new"
    other.write_bytes(line(1, 9.0) + line(2, 9.0) + line(3, 9.0))
    other.replace(path)  # as --resume drops the lines after the last save

    again = follow(tmp_path, known)

    assert again.columns["loss"].tolist() == [9.0, 9.0, 9.0]


def test_a_shorter_file_is_read_from_the_start(tmp_path):
    path = tmp_path / "steps.jsonl"
    path.write_bytes(line(1) + line(2) + line(3))
    known = follow(tmp_path)
    with path.open("r+b") as file:
        file.truncate(len(line(1)))

    assert follow(tmp_path, known).steps.tolist() == [1]


def test_steps_that_were_taken_again_replace_the_first_attempt(tmp_path):
    path = tmp_path / "steps.jsonl"
    path.write_bytes(b"".join(line(step, 1.0) for step in (1, 2, 3, 4)))
    known = follow(tmp_path)
    with path.open("ab") as file:
        file.write(line(3, 7.0))

    history = follow(tmp_path, known)

    assert history.steps.tolist() == [1, 2, 3]
    assert history.columns["loss"].tolist() == [1.0, 1.0, 7.0]
    assert follow(tmp_path).steps.tolist() == [1, 2, 3]  # the same when read at once


@pytest.mark.parametrize(
    "bad",
    [b"nonsense\n", b"[1, 2]\n", b"\xff\xfe\n", b"[" * 5000 + b"\n", b'"step"\n', b'{"step": 1e999'],
    ids=["words", "a list", "no text", "deep", "a string", "cut off"],
)
def test_lines_that_are_no_records_are_left_out(tmp_path, bad):
    (tmp_path / "steps.jsonl").write_bytes(line(1) + bad + b"\n" + line(2))

    history = follow(tmp_path)

    assert history.steps.tolist() == [1, 2]
    assert history.skipped == 1


@pytest.mark.parametrize("step", ["3", None, True, -1, 0, 2.5, 2**70], ids=str)
def test_a_line_without_a_step_is_no_step(tmp_path, step):
    (tmp_path / "steps.jsonl").write_text(json.dumps({"step": step, "loss": 1.0}) + "\n")

    assert len(follow(tmp_path)) == 0


@pytest.mark.parametrize("loss", ["many", None, True, 1e400, -1e400, [1]], ids=str)
def test_a_number_that_is_none_is_a_gap(tmp_path, loss):
    (tmp_path / "steps.jsonl").write_text(json.dumps({"step": 1, "loss": loss}) + "\n")

    assert math.isnan(follow(tmp_path).columns["loss"][0])


def test_a_history_that_nothing_was_added_to_is_the_same_one(tmp_path):
    (tmp_path / "steps.jsonl").write_bytes(line(1))
    known = follow(tmp_path)

    assert follow(tmp_path, known) is known


def test_validations_come_by_step_with_the_full_name_of_their_metric(tmp_path):
    rows = [
        {"step": 20, "ap50": 0.5, "ap": 0.25, "metric": "COCO AP50"},
        {"step": 10, "ap50": 0.4, "ap": None, "metric": "COCO AP50"},
        {"step": 10, "ap50": 0.3, "metric": "COCO AP50"},
        {"step": 30, "ap50": None},
        {"step": 40, "ap50": None, "ap": None, "value": 0.75, "metric": "accuracy"},
    ]
    (tmp_path / "validation.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    assert read_validations(tmp_path) == (
        Validation(10, 0.3, None, "COCO AP50"),
        Validation(20, 0.5, 0.25, "COCO AP50"),
        Validation(40, 0.75, None, "accuracy"),
    )


def test_the_finder_is_read_with_its_suggestion(tmp_path):
    values = {"rates": [1e-4, 1e-3, 1e-2], "losses": [5.0, None, 2.0], "suggestion": 1e-3}
    (tmp_path / "finder.json").write_text(json.dumps(values))

    assert read_finding(tmp_path) == Finding((1e-4, 1e-2), (5.0, 2.0), 1e-3)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"rates": 3, "losses": [1]}', '{"rates": [0], "losses": [1]}']
)
def test_a_finder_without_a_curve_is_none(tmp_path, text):
    (tmp_path / "finder.json").write_text(text)

    assert read_finding(tmp_path) is None


@pytest.mark.slow
def test_a_long_run_is_read_in_a_moment(tmp_path):
    (tmp_path / "steps.jsonl").write_bytes(b"".join(line(step) for step in range(1, 60_001)))
    started = time.process_time()

    history = follow(tmp_path)

    assert history.last_step == 60_000
    assert time.process_time() - started < 8  # about half a second; comparing all with all took minutes
