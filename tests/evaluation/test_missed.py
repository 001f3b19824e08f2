"""Why the objects of a data set were missed: the diagnosis of each picture, added up."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
import torch

from ssd.checkpoints import find_model, read_weights
from ssd.config import SelectionConfig
from ssd.data.folders import open_dataset
from ssd.diagnosis import Cover, Verdict, diagnose, false_positives, training_cover
from ssd.errors import ConfigError
from ssd.evaluation import MISSED_VERDICTS, MissedTable, missed_objects, raw_outputs
from ssd.matching import match
from ssd.metrics import judge
from ssd.prediction import Predictor
from tests.diagnosis.scenes import Answer
from tests.diagnosis.test_missed import moves_on
from tests.evaluation.cells import NAMES, cells, predictor, write_cells

HARSH = SelectionConfig(score_threshold=0.8, nms_threshold=0.05, top_k=2, max_detections=2)


@pytest.fixture
def raw(tmp_path):
    return raw_outputs(predictor(), cells(write_cells(tmp_path / "cells")), cache=tmp_path / "cache")


@pytest.mark.parametrize("config", [None, HARSH, SelectionConfig(score_threshold=0.5)], ids=str)
@pytest.mark.parametrize("iou", [0.3, 0.6])
def test_the_report_is_the_sum_of_the_diagnoses(raw, config, iou):
    report = missed_objects(raw, config=config, evaluation_iou=iou, rule="overwrite", threshold=0.6)

    verdicts, covers, wrong, num_objects = Counter(), Counter(), Counter(), 0
    rows = iter(report.objects)
    for index in range(len(raw)):
        output, picked = raw.output(index), raw.select(index, config)
        result = raw.result(index, config)
        found = diagnose(output.boxes, output.scores, picked=picked, result=result, evaluation_iou=iou)
        counted = ~result.gt_ignored
        anchors = raw.predictor.anchors.boxes
        cover = training_cover(match(result.gt_boxes[counted], anchors, rule="overwrite", threshold=0.6))
        num_objects += int(counted.sum())
        wrong.update(k for k in false_positives(result, evaluation_iou=iou).kind.tolist() if k >= 0)
        for number, verdict in enumerate(found.verdict.tolist()):
            if Verdict(verdict) not in MISSED_VERDICTS:
                continue
            row, kind = next(rows), int(cover.kind[int(counted[:number].sum())])
            verdicts[Verdict(verdict).name.lower()] += 1
            covers[Cover(kind).name.lower()] += 1
            assert (row.picture, row.object, row.image_id) == (index, number, f"{index:03}.png")
            assert row.category == NAMES[int(result.gt_labels[number]) - 1]
            assert (row.verdict, row.cover) == (Verdict(verdict).name.lower(), Cover(kind).name.lower())
            assert row.best_jaccard == float(found.best_jaccard[number])
            assert row.score == float(found.score[number])
            assert row.by == expected_by(found, picked, number)
    assert next(rows, None) is None
    assert report.num_objects == num_objects == 8
    assert {name: count for name, count in report.missed.items() if count} == dict(verdicts)
    assert {name: count for name, count in report.cover.items() if count} == dict(covers)
    assert sum(report.false_positives.values()) == sum(wrong.values())
    assert report.found + sum(report.missed.values()) == num_objects


def expected_by(found, picked, number):
    """The anchor that suppressed, the object that claimed, or nothing."""
    if found.verdict[number] == int(Verdict.SUPPRESSED):
        return int(picked.anchors[found.suppressed_by[number]])
    return int(found.claimed_by[number]) if found.verdict[number] == int(Verdict.CLAIMED) else None


@pytest.mark.slow
@pytest.mark.parametrize("config", [SelectionConfig(), HARSH, SelectionConfig(top_k=3, max_detections=4)])
def test_a_table_answers_every_score_and_iou_as_a_selection_of_its_own_does(raw, config):
    low = replace(config, score_threshold=0.05)
    table = MissedTable(raw, config=low)

    for score in (0.05, 0.5, 0.7):
        for iou in (0.0, 0.5, 0.75):
            own = missed_objects(raw, config=replace(low, score_threshold=score), evaluation_iou=iou)
            assert table.report(score=score, evaluation_iou=iou) == own


@pytest.mark.slow
def test_a_table_refuses_thresholds_that_it_cannot_know(raw):
    with pytest.raises(ConfigError, match=r"at least the score threshold 0\.8, got 0\.5"):
        MissedTable(raw, config=HARSH).report(score=0.5)
    soft = MissedTable(raw, config=SelectionConfig(score_threshold=0.3, nms_kind="soft"))
    assert soft.report().num_objects == 8
    with pytest.raises(ConfigError, match=r"for the score threshold 0\.3, got 0\.5"):
        soft.report(score=0.5)


def test_found_is_what_the_metric_finds(raw):
    for config in (None, HARSH):
        report = missed_objects(raw, config=config)

        judged = [judge(result) for result in raw.results(config)]
        assert report.found == sum(int(each.found.sum()) for each in judged)
        assert sum(report.false_positives.values()) == sum(int(each.false_positive.sum()) for each in judged)


def test_the_rule_changes_no_verdict(raw):
    reports = [
        missed_objects(raw, config=HARSH, rule=rule) for rule in ("bipartite", "overwrite", "torchvision")
    ]

    assert reports[0].missed == reports[1].missed == reports[2].missed
    assert sum(reports[0].missed.values()) > 0


def test_every_verdict_and_cover_has_a_count_in_the_order_of_the_pipeline(raw):
    report = missed_objects(raw, config=HARSH)

    assert list(report.missed) == [
        "no_box", "wrong_class", "low_score", "beyond_top_k", "suppressed", "beyond_cap", "claimed"
    ]  # fmt: skip
    assert list(report.cover) == ["covered", "forced_only", "orphan"]
    assert list(report.false_positives) == ["duplicate", "wrong_class", "badly_placed", "background"]


def test_progress_is_told(raw):
    told = []

    missed_objects(raw, progress=lambda *done: told.append(done))

    assert told == [(number, 5) for number in range(1, 6)]


@pytest.mark.slow
def test_lifting_the_one_limit_moves_each_real_object_on(shared_data, tmp_path):
    """The counterfactual of facts.md on photographs: a later verdict, or found."""
    loaded = read_weights(find_model("bccd"))
    detector = Predictor(loaded.model, sha256=loaded.sha256)
    data = open_dataset(shared_data / "bccd", split="val", classes=loaded.config.class_names)
    few = replace(data, entries=(data.entries[0], data.entries[8]))  # in the last cells claim others' boxes
    raw = raw_outputs(detector, few, cache=tmp_path)
    checked = Counter()
    for index in range(len(raw)):
        output, target = raw.output(index), raw.target(index)
        truth = (target.boxes, target.labels, target.ignore | target.difficult)
        limits = (
            SelectionConfig(),
            SelectionConfig(score_threshold=0.5),
            HARSH,
            SelectionConfig(max_detections=9),
        )
        for config, iou in zip(limits, (0.5, 0.5, 0.5, 0.75), strict=True):
            said = Answer(output.boxes, output.scores, config, *truth, evaluation_iou=iou)
            verdicts = moves_on(said)
            checked.update(verdicts)
            alone = raw_result_verdicts(raw, index, config, iou)
            assert Counter(verdict.name.lower() for verdict in verdicts) == alone

    assert len(checked) >= 5 and sum(checked.values()) >= 60


def raw_result_verdicts(raw, index, config, iou):
    """The verdicts that the report gives the objects of one picture."""
    one = raw_outputs(raw.predictor, replace(raw.data, entries=raw.data.entries[index : index + 1]),
                      cache=raw.folder.parent)  # fmt: skip
    report = missed_objects(one, config=config, evaluation_iou=iou)
    return Counter({name: count for name, count in report.missed.items() if count})


def test_arguments_are_not_changed(raw):
    before = raw.output(0)

    missed_objects(raw, config=HARSH)

    assert torch.equal(raw.output(0).logits, before.logits)
