"""The loop: it learns, it repeats itself, it stops where numbers end, and it keeps a record."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
import torch

from ssd.checkpoints import read_weights
from ssd.data.augment import AugmentConfig
from ssd.data.records import Sample, Target, make_target
from ssd.data.shapes import SHAPE_CLASSES
from ssd.data.synthetic import synthetic_scene
from ssd.errors import CheckpointError, ConfigError, NumericError
from ssd.evaluation import results
from ssd.losses import LossConfig
from ssd.metrics import coco_ap
from ssd.prediction import Predictor
from ssd.training.config import TrainConfig
from ssd.training.loader import SyntheticSource, batches, synthetic_source
from ssd.training.loop import bare, prepare, train
from ssd.training.presets import TRAINING_PRESETS, training_preset
from ssd.training.runs import AVERAGED, RAW, changed, load_start, recorded

TINY = TrainConfig(steps=3, batch_size=2, augment=AugmentConfig(flip=0.5, crop=0.5))


class Fixed:
    """A few samples by number."""

    def __init__(self, samples: list[Sample]) -> None:
        self.samples = samples

    def __len__(self) -> int:
        return len(self.samples)

    def sample(self, index: int) -> Sample:
        return self.samples[index]


def test_three_steps_report_what_happened() -> None:
    run = prepare(TINY, class_names=SHAPE_CLASSES)

    reports = list(train(run, SyntheticSource()))

    assert [report.step for report in reports] == [1, 2, 3]
    assert all(report.num_pictures == 2 and report.num_positive > 0 for report in reports)
    for report in reports:
        assert report.loss == pytest.approx(report.localisation + report.confidence, rel=1e-5)


def test_the_same_seed_gives_the_same_run_to_the_last_bit() -> None:
    losses = []
    for _ in range(2):
        losses.append([r.loss for r in train(prepare(TINY, class_names=SHAPE_CLASSES), SyntheticSource())])

    assert losses[0] == losses[1]


def test_another_seed_gives_another_run() -> None:
    first = next(train(prepare(TINY, class_names=SHAPE_CLASSES), SyntheticSource()))
    other = next(
        train(prepare(dataclasses.replace(TINY, seed=1), class_names=SHAPE_CLASSES), SyntheticSource())
    )

    assert first.loss != other.loss


@pytest.mark.slow
def test_a_few_scenes_can_be_learnt_by_heart() -> None:
    scenes = Fixed([synthetic_scene(seed) for seed in (31, 32)])
    config = TrainConfig(steps=70, batch_size=2, learning_rate=3e-3, ema=0.8, augment=AugmentConfig(flip=0.0))
    run = prepare(config, class_names=SHAPE_CLASSES)

    losses = [report.loss for report in train(run, scenes)]

    network = run.averaged.module
    report = coco_ap(list(results(Predictor(network, sha256="learnt"), scenes)), class_names=SHAPE_CLASSES)
    assert sum(losses[-5:]) < 0.3 * sum(losses[:5])
    assert report.ap50 is not None and report.ap50 > 0.8


def test_a_loss_that_is_not_finite_names_step_part_and_the_guilty_pictures() -> None:
    scene = synthetic_scene(3)
    empty = Sample(scene.picture, Target.empty(), "empty")
    config = dataclasses.replace(TINY, augment=AugmentConfig(flip=0.0))
    run = prepare(config, class_names=SHAPE_CLASSES)
    before = {name: value.clone() for name, value in run.averaged.state_dict().items()}
    with torch.no_grad():
        for head in bare(run.model).heads:
            head.codes.bias.fill_(torch.inf)

    with pytest.raises(NumericError, match=r"localisation loss of step 1 .*\(pictures: shapes-3\)"):
        next(train(run, Fixed([scene, empty])))

    assert run.step == 0
    assert all(torch.equal(value, run.averaged.state_dict()[name]) for name, value in before.items())


def test_ignored_objects_teach_nothing() -> None:
    scene = synthetic_scene(5)
    away = make_target(
        scene.target.boxes, scene.target.labels, ignore=torch.ones(len(scene.target), dtype=torch.bool)
    )
    config = dataclasses.replace(TINY, steps=1, loss=LossConfig(min_negatives=0))

    report = next(
        train(prepare(config, class_names=SHAPE_CLASSES), Fixed([Sample(scene.picture, away, "away")]))
    )

    assert report.num_positive == 0
    assert report.loss == 0


def test_batches_from_the_middle_are_those_of_the_whole_run() -> None:
    config = dataclasses.replace(TINY, size_px=64, steps=6)
    source = Fixed([synthetic_scene(seed) for seed in range(5)])

    whole = list(batches(source, config))
    rest = list(batches(source, config, first_step=4))

    assert [batch.names for batch in rest] == [batch.names for batch in whole[4:]]
    assert all(torch.equal(a.pictures, b.pictures) for a, b in zip(rest, whole[4:], strict=True))


def test_every_picture_comes_once_in_an_epoch_and_in_another_order_in_the_next() -> None:
    config = dataclasses.replace(TINY, size_px=64, steps=4, batch_size=3)
    source = Fixed([synthetic_scene(seed) for seed in range(6)])

    names = [name for batch in batches(source, config) for name in batch.names]

    assert sorted(names[:6]) == sorted(names[6:]) == sorted(f"shapes-{seed}" for seed in range(6))
    assert names[:6] != names[6:]


def test_workers_do_not_change_what_is_seen() -> None:
    config = dataclasses.replace(TINY, size_px=64, steps=2)

    alone = list(batches(SyntheticSource(), config))
    helped = list(batches(SyntheticSource(), config, num_workers=1))

    assert all(torch.equal(a.pictures, b.pictures) for a, b in zip(alone, helped, strict=True))


def test_an_empty_data_set_is_refused() -> None:
    with pytest.raises(ConfigError, match="at least one picture"):
        batches(Fixed([]), TINY)


def test_no_training_scene_is_a_test_scene() -> None:
    assert synthetic_source(seed=0).first_seed > 10_499
    with pytest.raises(ConfigError, match="at least 0"):
        synthetic_source(seed=-1)


def test_a_run_folder_holds_its_numbers_its_steps_and_both_weights(tmp_path: Path) -> None:
    run = prepare(TINY, class_names=SHAPE_CLASSES)

    list(recorded(run, SyntheticSource(), tmp_path / "run", save_every=2))

    lines = (tmp_path / "run" / "steps.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [1, 2, 3]
    assert json.loads((tmp_path / "run" / "run.json").read_text())["config"]["steps"] == 3
    raw, averaged = (read_weights(tmp_path / "run" / name) for name in (RAW, AVERAGED))
    assert raw.card["step"] == averaged.card["step"] == 3
    assert not torch.equal(raw.model.backbone.stem[0][0].weight, averaged.model.backbone.stem[0][0].weight)


def test_a_stopped_run_keeps_what_it_had(tmp_path: Path) -> None:
    steps = recorded(prepare(TINY, class_names=SHAPE_CLASSES), SyntheticSource(), tmp_path / "run")

    next(steps)
    steps.close()

    assert read_weights(tmp_path / "run" / RAW).card["step"] == 1


def test_a_finished_run_is_not_overwritten(tmp_path: Path) -> None:
    run = prepare(dataclasses.replace(TINY, steps=1), class_names=SHAPE_CLASSES)
    list(recorded(run, SyntheticSource(), tmp_path))
    before = (tmp_path / "steps.jsonl").read_bytes()

    with pytest.raises(ConfigError, match="already holds a run"):
        next(recorded(run, SyntheticSource(), tmp_path))

    assert (tmp_path / "steps.jsonl").read_bytes() == before


def test_another_run_starts_from_its_weights_and_other_classes_are_refused(tmp_path: Path) -> None:
    first = prepare(dataclasses.replace(TINY, steps=1), class_names=SHAPE_CLASSES)
    list(recorded(first, SyntheticSource(), tmp_path))
    second = prepare(dataclasses.replace(TINY, seed=9), class_names=SHAPE_CLASSES)

    load_start(second, tmp_path / RAW)

    for key, value in bare(first.model).state_dict().items():
        assert torch.equal(value, bare(second.model).state_dict()[key]), key
    with pytest.raises(CheckpointError, match="this run trains cat"):
        load_start(prepare(TINY, class_names=("cat",)), tmp_path / RAW)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("lerning_rate=1", "no setting 'lerning_rate'"),
        ("steps", "key=value"),
        ("steps=many", "needs a int"),
        ("learning_rate=-1", "above 0"),
        ("learning_rate=nan", "above 0"),
        ("augment.flip=2", "0–1"),
        ("elsewhere.flip=1", "no setting 'elsewhere.flip'"),
    ],
)
def test_a_wrong_setting_is_a_sentence(setting: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        changed(TrainConfig(), [setting])


@pytest.mark.parametrize("name", TRAINING_PRESETS)
def test_every_preset_takes_a_step(name: str) -> None:
    config = dataclasses.replace(training_preset(name), steps=1, batch_size=1)

    report = next(train(prepare(config, class_names=("a", "b", "c", "d", "e", "f")), SyntheticSource()))

    assert report.loss > 0
