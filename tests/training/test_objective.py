"""A step's loss and gradients: in parts as in one go, ignored boxes, whole pictures."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from ssd.config import IGNORED
from ssd.contract import InputContract
from ssd.data.augment import AugmentConfig
from ssd.data.records import Sample, make_target
from ssd.data.transforms import evaluation_input
from ssd.losses import LossConfig, PictureLossConfig
from ssd.training.loader import Batch, batches
from ssd.training.loop import Training, bare, prepare
from ssd.training.objective import StepLoss, assigned, backward, normalised
from tests.training.tiny import CLASSES, TINY, Squares

pytestmark = pytest.mark.usefixtures("tiny")
STILL = replace(TINY, batch_size=6, augment=AugmentConfig(flip=0.0))  # pictures 0–5: number 4 is empty


def gradients(run: Training, batch: Batch) -> tuple[StepLoss, list[Tensor]]:
    """Of a step without active batch norm and dropout."""
    run.model.eval()
    loss = backward(run, batch)
    return loss, [p.grad.clone() for p in bare(run.model).parameters() if p.grad is not None]


def first_batch(config=STILL) -> Batch:
    """The first six pictures, in their own order."""
    samples = [Squares().sample(index) for index in range(config.batch_size)]
    small = [torch.nn.functional.interpolate(s.picture[None].float(), (64, 64)).byte() for s in samples]
    return Batch(torch.cat(small), [s.target for s in samples], [s.name for s in samples])


LOSSES = [
    LossConfig(),
    LossConfig(max_negative_overlap=0.3),
    LossConfig(confidence="bce", localisation="l1", divide_by="pictures"),
    LossConfig(confidence="focal", localisation="giou"),
]


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: f"{loss.confidence} {loss.localisation}")
@pytest.mark.parametrize("parts", [2, 3, 6])
def test_a_batch_in_parts_gives_the_gradients_of_the_whole(parts: int, loss: LossConfig) -> None:
    config, batch = replace(STILL, loss=loss), first_batch()
    at_once, expected = gradients(prepare(config, class_names=CLASSES), batch)

    in_parts, found = gradients(prepare(replace(config, accumulate=parts), class_names=CLASSES), batch)

    for a, b in zip(found, expected, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)
    assert in_parts.total == pytest.approx(at_once.total, rel=1e-5)
    assert (in_parts.num_positive, in_parts.num_pictures) == (at_once.num_positive, 6)


@pytest.mark.parametrize(
    ("model", "confidence"),
    [("multilabel", "bce"), ("largest-class", "softmax"), ("largest-object", "softmax")],
)
@pytest.mark.slow
def test_whole_pictures_in_parts_give_the_gradients_of_the_whole(model: str, confidence: str) -> None:
    config = replace(STILL, model=model, size_px=224, picture_loss=PictureLossConfig(confidence))
    batch = first_batch()
    batch = replace(
        batch, pictures=batch.pictures.repeat_interleave(4, 2).repeat_interleave(4, 3)[..., :224, :224]
    )
    at_once, expected = gradients(prepare(config, class_names=CLASSES), batch)

    in_parts, found = gradients(prepare(replace(config, accumulate=3), class_names=CLASSES), batch)

    scale = max(float(g.abs().max()) for g in expected)
    assert max(float((a - b).abs().max()) for a, b in zip(found, expected, strict=True)) < 1e-5 * scale
    assert in_parts.total == pytest.approx(at_once.total, rel=1e-5)


def test_the_report_adds_up() -> None:
    loss, _ = gradients(prepare(STILL, class_names=CLASSES), first_batch())

    assert loss.total == pytest.approx(loss.localisation + loss.confidence, rel=1e-6)
    assert loss.num_positive >= 10  # two squares on each of five pictures


def test_difficult_and_ignored_objects_are_neither_objects_nor_background() -> None:
    scene = Squares().sample(0)
    yes, no = torch.tensor([True, True]), torch.tensor([False, False])
    run = prepare(STILL, class_names=CLASSES)

    for flags in ({"difficult": yes}, {"ignore": yes}, {"difficult": no}):
        target = make_target(scene.target.boxes, scene.target.labels, **flags)
        labels = assigned(run, Batch(torch.zeros(1, 3, 64, 64, dtype=torch.uint8), [target])).labels
        away = bool(next(iter(flags.values())).all())
        assert bool((labels == IGNORED).any()) == away
        assert bool((labels > 0).any()) != away


def test_batches_of_another_side_meet_anchors_of_that_side() -> None:
    config = replace(TINY, steps=1, sizes=((0.0, 64),), size_px=64)
    run = prepare(config, class_names=CLASSES)
    large = next(batches(Squares(), replace(config, size_px=96, sizes=())))

    loss = backward(run, large)

    assert loss.num_positive > 0
    assert len(run.anchors_at(96)) > len(run.anchors_at(64))


@pytest.mark.parametrize("format", [torch.contiguous_format, torch.channels_last])
def test_training_and_evaluation_see_the_same_values(format: torch.memory_format) -> None:
    contract = InputContract(size_wh=(80, 64))
    picture = Squares().sample(1).picture

    ready = normalised(picture[None], contract, memory_format=format)

    expected = evaluation_input(
        picture, size_wh=(80, 64), mean=contract.mean, std=contract.std, resize="antialias"
    )
    assert torch.equal(ready[0], expected)
    assert ready.is_contiguous(memory_format=format)


def test_normalising_does_not_change_the_batch() -> None:
    picture = Squares().sample(1).picture[None]
    before = picture.clone()

    normalised(picture, InputContract())

    assert torch.equal(picture, before)


def test_a_picture_without_objects_is_legal_and_teaches() -> None:
    config = replace(STILL, batch_size=1)
    empty = Sample(torch.zeros(3, 64, 64, dtype=torch.uint8), Squares().sample(4).target, "empty")

    loss, found = gradients(
        prepare(config, class_names=CLASSES), Batch(empty.picture[None], [empty.target], ["empty"])
    )

    assert loss.num_positive == 0 and loss.localisation == 0 and loss.confidence > 0
    assert any(bool(g.any()) for g in found) and all(bool(g.isfinite().all()) for g in found)
