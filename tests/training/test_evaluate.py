"""Validation during training: what it says, when it comes, when it ends a run."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from ssd.evaluation import results
from ssd.losses import PictureLossConfig
from ssd.metrics import coco_ap
from ssd.prediction import Predictor
from ssd.training.evaluate import _Numbers, validate
from ssd.training.loop import bare, prepare, train
from tests.training.test_loop import Fixed
from tests.training.tiny import CLASSES, TINY, Squares

pytestmark = pytest.mark.usefixtures("tiny")


def said(ap50: float) -> _Numbers:
    """A validation of one picture."""
    return _Numbers(ap50, 0.0, None, None, 1)


def test_validations_come_every_n_steps_and_at_the_end() -> None:
    run = prepare(replace(TINY, steps=5, validate_every=2), class_names=CLASSES)

    reports = list(train(run, Squares(), validation=Squares(3)))

    due = [(r.step, r.validation is not None) for r in reports]
    assert due == [(1, False), (2, True), (3, False), (4, True), (5, True)]
    assert all(r.validation.step == r.step for r in reports if r.validation)


def test_a_validation_is_coco_ap_of_the_averaged_weights() -> None:
    run = prepare(replace(TINY, ema=0.9, learning_rate=1e-2), class_names=CLASSES)
    list(train(run, Squares()))
    with torch.no_grad():  # weights in training that would find nothing must not matter
        for parameter in bare(run.model).parameters():
            parameter.zero_()

    found = validate(run, Squares(6))

    predictor = Predictor(run.averaged.module, sha256="")
    expected = coco_ap(list(results(predictor, Squares(6))), class_names=CLASSES)
    assert (found.ap50, found.ap) == (expected.ap50, expected.ap)
    assert found.metric == found.ap50 and found.num_pictures == 6


def test_a_run_stops_when_validation_has_not_gained_for_long_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    aps = iter([0.3, 0.5, 0.5, 0.4, 0.9])
    monkeypatch.setattr("ssd.training.evaluate._detections", lambda run, pictures: said(next(aps)))
    run = prepare(replace(TINY, steps=9, validate_every=1, early_stop=2), class_names=CLASSES)

    reports = list(train(run, Squares(), validation=Squares(1)))

    assert [r.validation.best for r in reports] == [True, True, False, False]
    assert run.stopped_early and run.finished and run.best == 0.5
    assert list(train(run, Squares(), validation=Squares(1))) == []  # taken up again it stays stopped


def test_without_early_stop_a_run_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ssd.training.evaluate._detections", lambda run, pictures: said(0.1))
    run = prepare(replace(TINY, steps=4, validate_every=1), class_names=CLASSES)

    assert len(list(train(run, Squares(), validation=Squares(1)))) == 4


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "confidence", "which"),
    [
        ("multilabel", "bce", "accuracy"),
        ("largest-class", "softmax", "accuracy"),
        ("largest-box", "softmax", "l1_px"),
    ],
)
def test_picture_networks_are_judged_by_accuracy_or_l1(model: str, confidence: str, which: str) -> None:
    config = replace(
        TINY, model=model, size_px=224, steps=1, picture_loss=PictureLossConfig(confidence), validate_every=1
    )
    run = prepare(config, class_names=CLASSES)

    (report,) = train(run, Squares(), validation=Squares(3))

    validation = report.validation
    assert validation is not None and validation.ap50 is None
    sign = -1 if which == "l1_px" else 1
    assert validation.metric == sign * getattr(validation, which)


@pytest.mark.parametrize("silent", [True, False])
def test_a_detector_that_finds_nothing_and_pictures_without_objects_have_ap_0(silent: bool) -> None:
    run = prepare(TINY, class_names=CLASSES)
    with torch.no_grad():
        for head in run.averaged.module.heads:
            head.logits.bias.view(-1, 4)[:, 0] = 50.0 if silent else -50.0
    empty = Fixed([Squares().sample(4)])

    found = validate(run, Squares(2) if silent else empty)

    assert (found.ap50, found.ap, found.best) == (0.0, 0.0, True)


@pytest.mark.slow
@pytest.mark.parametrize("ema", [0.0, 0.9], ids=["no-average", "average"])
def test_a_network_is_judged_in_evaluation_mode_and_learns_on_in_training_mode(ema: float) -> None:
    run = prepare(
        replace(
            TINY,
            model="largest-class",
            ema=ema,
            picture_loss=PictureLossConfig(confidence="softmax"),
            steps=2,
            validate_every=1,
        ),
        class_names=CLASSES,
    )
    modes = []
    run.averaged.module.register_forward_hook(lambda module, *_: modes.append(module.training))

    list(train(run, Squares(), validation=Squares(2)))

    learnt = [True] if ema == 0 else []
    assert modes == [*learnt, False, False] * 2
