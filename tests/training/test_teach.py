"""A lesson: what is found, what a broken rule does, and that every number is a prediction's."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from ssd.boxes import jaccard
from ssd.config import UNMATCHED
from ssd.data.lessons import lesson_scene
from ssd.data.records import Sample, make_target
from ssd.training.presets import training_preset
from ssd.training.teach import OnePicture, teach, teach_config
from ssd.training.teach_job import TeachJob, TeachReport, TeachRules, Told

DOG, PAIR = lesson_scene("dog and ball"), lesson_scene("orphan pair")


def lesson(scene, *, steps: int = 120, **rules) -> list[TeachReport]:
    return list(teach(TeachJob(scene.sample, scene.class_names, TeachRules(**rules), steps)))


def test_the_rules_become_the_numbers_of_a_run():
    usual, preset = teach_config(TeachRules()), training_preset("teach")
    broken = teach_config(
        TeachRules("overwrite", negatives="all", loss="focal", variances=False, augmentation=False)
    )

    assert replace(usual, loss=preset.loss) == preset
    assert usual.loss.negative_ratio == 3
    assert (broken.matching, broken.loss.confidence, broken.batch_size) == ("overwrite", "focal", 1)
    assert broken.loss.negative_ratio > 1e4
    assert broken.coder is not None
    assert broken.coder.variances == (1.0, 1.0)
    none = teach_config(TeachRules(negatives="none")).loss
    assert (none.negative_ratio, none.min_negatives) == (0, 0)


@pytest.mark.slow
def test_steps_are_counted_and_the_last_one_says_so():
    reports = lesson(DOG, steps=3)

    assert [report.step for report in reports] == [0, 1, 2, 3]
    assert [report.is_last for report in reports] == [False, False, False, True]
    assert all(report.seconds > 0 and report.loss >= 0 for report in reports)
    assert reports[1].loss == pytest.approx(reports[1].localisation + reports[1].confidence, rel=1e-4)


def test_the_first_look_is_at_the_anchors_that_will_learn():
    start = lesson(DOG, steps=1)[0]
    look = start.look

    assert [told.anchors for told in start.told] == [5, 2, 2]
    assert len(look.anchors) == 9
    assert max(look.scores) < 0.5
    assert look.best == (0.0, 0.0, 0.0)
    boxes, objects = torch.tensor(look.boxes), DOG.sample.target.boxes
    # before the first step a box stands close to its anchor, and that overlaps its object
    assert bool((jaccard(boxes, objects).amax(dim=1) > 0.3).all())
    assert [look.labels.count(label) for label in (1, 2, 3)] == [5, 2, 2]


def test_a_wish_to_stop_ends_the_lesson_after_the_step_that_runs():
    reports = []
    for report in teach(TeachJob(DOG.sample, DOG.class_names), stopped=lambda: len(reports) >= 2):
        reports.append(report)

    assert reports[-1].step == 2
    assert reports[-1].is_last
    assert reports[-1].look is not None


@pytest.mark.slow
def test_under_overwrite_one_of_the_pair_is_told_nothing():
    kept = lesson(PAIR, steps=1)[0].told
    lost = lesson(PAIR, steps=1, matching="overwrite")[0].told

    assert kept == (Told(1), Told(1))
    assert lost == (Told(0, taker=1), Told(1))


@pytest.mark.slow
def test_a_picture_without_objects_can_be_taught():
    empty = lesson_scene("empty meadow")
    last = lesson(empty, steps=2)[-1]

    assert (last.look.best, last.mirrored, last.look.anchors) == ((), (), ())


@pytest.mark.parametrize("flag", ["difficult", "ignore"])
def test_ignored_objects_are_not_asked_for(flag):
    ignored = replace(DOG.sample.target, **{flag: torch.tensor([True, False, False])})
    sample = Sample(DOG.sample.picture, ignored, "x")
    reports = list(teach(TeachJob(sample, DOG.class_names, steps=1)))

    assert len(reports[0].told) == len(reports[-1].look.best) == 2


def test_a_source_of_one_picture_gives_its_views():
    target = make_target(torch.tensor([[0.1, 0.2, 0.3, 0.4]]), torch.tensor([1]))
    views = tuple(Sample(torch.full((3, 8, 8), v, dtype=torch.uint8), target, "x") for v in (1, 2))
    source = OnePicture(views)

    assert len(source) == 2
    assert int(source.sample(1).picture[0, 0, 0]) == 2


@pytest.mark.slow
def test_three_objects_are_found_also_in_a_mirror():
    last = lesson(DOG)[-1]

    assert last.step < 60
    assert last.look.found == 3
    assert last.look.extra == 0
    assert min(last.mirrored) > 0.8
    kept = [k for k, fate in enumerate(last.look.fates) if fate == 0 and last.look.scores[k] > 0.5]
    boxes = torch.tensor([last.look.boxes[k] for k in kept])
    assert jaccard(DOG.sample.target.boxes, boxes).amax(dim=1).tolist() == pytest.approx(
        last.look.best, abs=1e-3
    )
    assert list(last.look.scores) == sorted(last.look.scores, reverse=True)
    by = [b for b in last.look.suppressed_by if b != UNMATCHED]
    assert all(last.look.fates[b] == 0 for b in by)


@pytest.mark.slow
def test_the_orphan_is_never_found_and_bipartite_finds_both():
    assert lesson(PAIR)[-1].look.found == 2
    orphaned = lesson(PAIR, steps=60, matching="overwrite")[-1].look
    assert orphaned.best[0] == 0.0
    assert orphaned.best[1] > 0.9


@pytest.mark.slow
def test_without_negatives_everything_is_an_object():
    assert lesson(DOG, steps=30, negatives="none")[-1].look.extra > 20


@pytest.mark.slow
def test_without_augmentation_the_mirror_shows_nothing():
    last = lesson(DOG, augmentation=False)[-1]

    assert last.look.found == 3
    assert max(last.mirrored) < 0.5


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["focal", "bce"])
def test_the_other_losses_teach_too(loss):
    assert lesson(DOG, loss=loss)[-1].look.found == 3


@pytest.mark.slow
def test_without_variances_it_takes_longer():
    assert lesson(DOG, variances=False)[-1].step > lesson(DOG)[-1].step + 10
