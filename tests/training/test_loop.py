"""The loop: it learns, it repeats itself, it changes sizes, and it stops where numbers end."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from ssd.data.augment import AugmentConfig
from ssd.data.records import Sample, Target
from ssd.data.shapes import SHAPE_CLASSES
from ssd.data.synthetic import synthetic_scene
from ssd.errors import NumericError
from ssd.evaluation import results
from ssd.losses import LossConfig
from ssd.metrics import coco_ap
from ssd.prediction import Predictor
from ssd.training.config import TrainConfig
from ssd.training.loop import bare, prepare, train
from tests.training.tiny import CLASSES, TINY, Squares

pytestmark = pytest.mark.usefixtures("tiny")


class Fixed:
    """A few samples by number."""

    def __init__(self, samples: list[Sample]) -> None:
        self.samples = samples

    def __len__(self) -> int:
        return len(self.samples)

    def sample(self, index: int) -> Sample:
        return self.samples[index]


def test_three_steps_report_what_happened() -> None:
    config = replace(TINY, steps=3, learning_rate=0.4)

    reports = list(train(prepare(config, class_names=CLASSES), Squares()))

    assert [report.step for report in reports] == [1, 2, 3]
    assert all(report.num_pictures == 2 and report.num_positive > 0 for report in reports)
    assert all(report.seconds > 0 and report.size_px == 64 for report in reports)
    rates = [report.learning_rate for report in reports]
    assert 0.4 > rates[0] > rates[1] > rates[2] > 0  # one-cycle, past its top
    for report in reports:
        assert report.loss == pytest.approx(report.localisation + report.confidence, rel=1e-5)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_run_to_the_last_bit() -> None:
    runs = [list(train(prepare(TINY, class_names=CLASSES), Squares())) for _ in range(2)]

    assert [r.loss for r in runs[0]] == [r.loss for r in runs[1]]


def test_another_seed_gives_another_run() -> None:
    first, other = (
        next(train(prepare(replace(TINY, seed=seed), class_names=CLASSES), Squares())) for seed in (0, 1)
    )

    assert first.loss != other.loss


def test_sizes_grow_and_the_loop_follows() -> None:
    config = replace(TINY, steps=4, size_px=128, sizes=((0.0, 64), (0.5, 96), (0.75, 128)), model="tiny-128")

    reports = list(train(prepare(config, class_names=CLASSES), Squares()))

    assert [report.size_px for report in reports] == [64, 64, 96, 128]
    assert all(report.num_positive > 0 for report in reports)


def test_the_average_follows_the_weights_slowly() -> None:
    run = prepare(replace(TINY, ema=0.9, steps=3), class_names=CLASSES)
    expected = None

    for _ in train(run, Squares()):
        now = bare(run.model).heads[0].logits.weight.detach().clone()
        expected = now if expected is None else expected * 0.9 + now * 0.1

    torch.testing.assert_close(run.averaged.module.heads[0].logits.weight, expected)


def test_without_an_average_the_last_weights_are_evaluated() -> None:
    run = prepare(replace(TINY, ema=0.0), class_names=CLASSES)

    list(train(run, Squares()))

    averaged = run.averaged.module.state_dict()
    assert all(torch.equal(value, averaged[name]) for name, value in bare(run.model).state_dict().items())


def test_no_step_is_longer_than_the_clipped_gradient_allows() -> None:
    config = replace(
        TINY, steps=1, optimiser="sgd", momentum=0.0, weight_decay=0.0, schedule="constant", warm_up=0.0
    )
    moved = {}
    for limit in (0.0, 0.5):
        run = prepare(replace(config, clip_norm=limit, learning_rate=1.0), class_names=CLASSES)
        before = [p.detach().clone() for p in bare(run.model).parameters()]
        next(train(run, Squares()))
        after = [p.detach() for p in bare(run.model).parameters()]
        moved[limit] = sum(float((a - b).square().sum()) for a, b in zip(after, before, strict=True)) ** 0.5

    assert moved[0.5] == pytest.approx(0.5, rel=1e-3) and moved[0.0] > 1


@pytest.mark.parametrize("precision", ["bf16-mixed", "16-mixed"])
def test_half_precision_learns_and_keeps_its_weights_in_float32(precision: str) -> None:
    run = prepare(replace(TINY, precision=precision, steps=3), class_names=CLASSES)
    before = bare(run.model).heads[0].logits.weight.detach().clone()

    reports = list(train(run, Squares()))

    assert all(r.loss > 0 for r in reports)
    assert all(p.dtype == torch.float32 for p in bare(run.model).parameters())
    assert not torch.equal(before, bare(run.model).heads[0].logits.weight)


@pytest.mark.slow
def test_eight_scenes_can_be_learnt_by_heart() -> None:
    scenes = Fixed([synthetic_scene(seed) for seed in range(31, 39)])
    config = TrainConfig(
        anchors="teach160",
        size_px=160,
        steps=90,
        batch_size=4,
        learning_rate=4e-3,
        weight_decay=0.0,
        ema=0.8,
        augment=AugmentConfig(flip=0.0),
    )
    run = prepare(config, class_names=SHAPE_CLASSES)

    losses = [report.loss for report in train(run, scenes)]

    network = run.averaged.module
    report = coco_ap(list(results(Predictor(network, sha256="learnt"), scenes)), class_names=SHAPE_CLASSES)
    assert sum(losses[-5:]) < 0.2 * sum(losses[:5])
    assert report.ap50 is not None and report.ap50 > 0.8


def test_a_loss_that_is_not_finite_names_step_part_and_the_guilty_pictures() -> None:
    scene = Squares().sample(3)
    empty = Sample(scene.picture, Target.empty(), "empty")
    run = prepare(replace(TINY, augment=AugmentConfig(flip=0.0)), class_names=CLASSES)
    before = run.state()
    with torch.no_grad():
        for head in bare(run.model).heads:
            head.codes.bias.fill_(torch.inf)

    with pytest.raises(NumericError, match=r"localisation loss of step 1 .*\(pictures: squares-3\)"):
        next(train(run, Fixed([scene, empty])))

    assert run.step == 0
    assert all(torch.equal(v, run.averaged.state_dict()[name]) for name, v in before["averaged"].items())


def test_ignored_objects_teach_nothing() -> None:
    scene = Squares().sample(5)
    away = replace(scene.target, ignore=torch.ones(len(scene.target), dtype=torch.bool))
    config = replace(TINY, steps=1, batch_size=1, loss=LossConfig(min_negatives=0))

    report = next(train(prepare(config, class_names=CLASSES), Fixed([Sample(scene.picture, away, "away")])))

    assert report.num_positive == 0
    assert report.loss == 0
