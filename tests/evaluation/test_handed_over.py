"""Files for other tools: they compute from them what we computed."""

from __future__ import annotations

import csv
import io
import json

import pytest

from ssd.cli.dispatch import main
from ssd.evaluation import coco_files, image_ids, raw_outputs
from ssd.metrics import average_precision
from tests.evaluation.cells import NAMES, cells, predictor, write_cells


@pytest.fixture
def handed(tmp_path):
    data = cells(write_cells(tmp_path / "cells"))
    raw = raw_outputs(predictor(), data, cache=tmp_path / "cache")
    results = raw.results()
    return coco_files(raw, results), results, data


def test_evaluate_gives_the_same_numbers_from_the_files(handed, tmp_path, capsys):
    files, results, data = handed
    report = average_precision(results, class_names=NAMES, metric="coco", image_ids=image_ids(data))
    truth, said = tmp_path / "instances.json", tmp_path / "detections.json"
    truth.write_text(files.truth)
    said.write_text(files.detections)

    code = main(
        ["evaluate", "--detections", str(said), "--ground-truth", str(truth), "--metric", "coco", "--json"]
    )

    answer = json.loads(capsys.readouterr().out)
    assert code == 0
    assert answer["ap"] == pytest.approx(report.ap, abs=1e-9)
    assert answer["num_objects"] == report.num_objects


def test_the_table_has_a_line_for_every_detection_and_names_its_file(handed):
    files, results, _ = handed
    rows = list(csv.DictReader(io.StringIO(files.table)))

    assert len(rows) == sum(len(result.boxes) for result in results) > 0
    assert {row["file"] for row in rows} <= {f"{number:03}.png" for number in range(5)}
    assert {row["category"] for row in rows} <= set(NAMES)
    assert [image["id"] for image in json.loads(files.truth)["images"]] == [1, 2, 3, 4, 5]
