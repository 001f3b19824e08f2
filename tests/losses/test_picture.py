"""Losses of whole pictures: the lesson's formulas by hand, its metrics, and pictures without objects."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional
from torch.testing import assert_close

from ssd.errors import ConfigError, DataError
from ssd.losses import PictureLossConfig, picture_loss, picture_targets

ONE, SEVERAL = PictureLossConfig(), PictureLossConfig(confidence="bce")
NO_BOX = torch.zeros(2, 4)


def answers(seed: int, batch: int = 6, classes: int = 3):
    dice = torch.Generator().manual_seed(seed)
    box, gt_box = torch.rand(batch, 4, generator=dice), torch.rand(batch, 4, generator=dice)
    logits = torch.randn(batch, classes, generator=dice) * 2
    labels = torch.randint(1, classes + 1, (batch,), generator=dice)
    return box, logits, gt_box, labels


def test_the_joint_loss_is_the_lesson_s():
    box, logits, gt_box, labels = answers(0)

    report = picture_loss(box, logits, gt_box=gt_box, gt_labels=labels, config=ONE)

    distance = functional.l1_loss(box * 224, gt_box * 224)
    confidence = functional.cross_entropy(logits, labels - 1)
    assert_close(report.total, distance + 20 * confidence)
    assert_close(report.localisation, distance)
    assert_close(report.confidence, confidence)
    assert report.l1_px == pytest.approx(float(distance))
    assert report.accuracy == float((logits.argmax(dim=1) == labels - 1).float().mean())


def test_by_hand():
    box = torch.tensor([[0.1, 0.1, 0.5, 0.5], [0.0, 0.0, 1.0, 1.0]])
    gt_box = torch.tensor([[0.1, 0.2, 0.5, 0.5], [0.0, 0.0, 1.0, 0.5]])
    logits = torch.tensor([[math.log(3.0), 0.0], [math.log(3.0), 0.0]])  # ¾ and ¼

    report = picture_loss(box, logits, gt_box=gt_box, gt_labels=torch.tensor([1, 2]), config=ONE)

    assert report.l1_px == pytest.approx(224 * (0.1 + 0.5) / 8, rel=1e-5)
    assert float(report.confidence) == pytest.approx(-(math.log(0.75) + math.log(0.25)) / 2)
    assert report.accuracy == 0.5


def test_a_class_or_a_box_alone_is_not_weighted():
    box, logits, gt_box, labels = answers(1)

    classes = picture_loss(None, logits, gt_box=gt_box, gt_labels=labels, config=ONE)
    place = picture_loss(box, None, gt_box=gt_box, gt_labels=labels, config=ONE)

    assert_close(classes.total, functional.cross_entropy(logits, labels - 1))
    assert_close(place.total, functional.l1_loss(box, gt_box) * 224)
    assert (classes.l1_px, float(classes.localisation)) == (None, 0)
    assert (place.accuracy, float(place.confidence)) == (None, 0)


def test_several_labels_are_asked_one_by_one_and_said_above_the_threshold():
    logits = torch.tensor([[0.3, 0.5], [-0.3, -0.5]]).logit().nan_to_num(-5.0)  # .3 .5, and none
    present = torch.tensor([[False, True], [True, False]])

    report = picture_loss(None, logits, gt_box=NO_BOX, gt_labels=present, config=SEVERAL)

    assert_close(report.total, functional.binary_cross_entropy_with_logits(logits, present.float()))
    assert report.accuracy == 0.75  # .5 is said at .4; only the class of the second picture is missed


def test_the_threshold_of_several_labels_decides_the_accuracy():
    logits, present = torch.tensor([[0.3]]).logit(), torch.tensor([[True]])

    said = [
        picture_loss(
            None,
            logits,
            gt_box=NO_BOX[:1],
            gt_labels=present,
            config=PictureLossConfig(confidence="bce", score_threshold=threshold),
        ).accuracy
        for threshold in (0.2, 0.4)
    ]

    assert said == [1.0, 0.0]


def test_pictures_without_objects_do_not_count_for_the_largest_object():
    box, logits, gt_box, labels = answers(2)
    labels[3:] = 0

    report = picture_loss(box, logits, gt_box=gt_box, gt_labels=labels, config=ONE)

    fewer = picture_loss(box[:3], logits[:3], gt_box=gt_box[:3], gt_labels=labels[:3], config=ONE)
    assert_close(report.total, fewer.total)
    assert (report.accuracy, report.num_positive) == (fewer.accuracy, 3)
    assert report.l1_px == pytest.approx(fewer.l1_px)


def test_a_batch_without_objects_is_finite_and_teaches_that_no_class_is_there():
    box, logits, gt_box, labels = answers(3)
    box.requires_grad_(), logits.requires_grad_()

    largest = picture_loss(box, logits, gt_box=gt_box, gt_labels=labels * 0, config=ONE)
    largest.total.backward()
    classes = logits.detach().clone().requires_grad_()
    nothing = torch.zeros(6, 3, dtype=torch.bool)
    picture_loss(None, classes, gt_box=gt_box, gt_labels=nothing, config=SEVERAL).total.backward()

    assert (float(largest.total.detach()), largest.accuracy, largest.l1_px) == (0, None, None)
    assert bool((logits.grad == 0).all() and (box.grad == 0).all())
    assert bool((classes.grad > 0).all())


@pytest.mark.parametrize("config", [ONE, SEVERAL], ids=["one", "several"])
def test_gradients_equal_finite_differences(config):
    box, logits, gt_box, labels = (part.double() if part.is_floating_point() else part for part in answers(4))
    wanted = torch.rand(6, 3) > 0.5 if config is SEVERAL else labels

    def total(box, logits):
        return picture_loss(box, logits, gt_box=gt_box, gt_labels=wanted, config=config).total

    assert torch.autograd.gradcheck(total, (box.requires_grad_(), logits.requires_grad_()))


def test_under_autocast_the_loss_is_computed_in_float32():
    box, logits, gt_box, labels = answers(5)
    box, logits = box.bfloat16(), logits.bfloat16()
    expected = picture_loss(box.float(), logits.float(), gt_box=gt_box, gt_labels=labels, config=ONE)

    with torch.autocast("cpu", dtype=torch.bfloat16):
        report = picture_loss(box, logits, gt_box=gt_box, gt_labels=labels, config=ONE)

    assert report.total.dtype == torch.float32
    assert float(report.total) == float(expected.total)


def test_arguments_are_not_changed():
    held = answers(6)
    before = [part.clone() for part in held]

    picture_loss(held[0], held[1], gt_box=held[2], gt_labels=held[3], config=ONE)

    assert all(torch.equal(a, b) for a, b in zip(held, before, strict=True))


# --- targets ----------------------------------------------------------------------------------------


def test_the_largest_object_is_that_of_the_largest_area_not_of_the_longest_side():
    boxes = torch.tensor([[0.0, 0.0, 1.0, 0.1], [0.2, 0.2, 0.6, 0.7], [0.3, 0.0, 0.4, 0.9]])

    wanted = picture_targets([boxes], [torch.tensor([1, 3, 1])], num_classes=4)

    assert torch.equal(wanted.box, boxes[1:2])
    assert wanted.label.tolist() == [3]
    assert wanted.present.tolist() == [[True, False, True, False]]


def test_of_equally_large_objects_the_first_is_the_largest():
    boxes = torch.tensor([[0.0, 0.0, 0.5, 0.25], [0.5, 0.5, 0.75, 1.0]])

    assert picture_targets([boxes], [torch.tensor([2, 1])], num_classes=2).label.tolist() == [2]


def test_a_picture_without_objects_has_background_and_no_class():
    nothing = torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64)

    wanted = picture_targets([nothing[0]], [nothing[1]], num_classes=2)

    assert wanted.label.tolist() == [0]
    assert wanted.present.tolist() == [[False, False]]
    assert wanted.box.tolist() == [[0, 0, 0, 0]]


def test_an_empty_batch_has_no_targets():
    assert picture_targets([], [], num_classes=3).present.shape == (0, 3)


@pytest.mark.parametrize("labels", [[1, 2], [0], [4]])
def test_labels_that_do_not_fit_name_their_picture(labels):
    boxes = [torch.zeros(0, 4), torch.tensor([[0.0, 0.0, 1.0, 1.0]])]

    with pytest.raises(DataError, match=r"Picture 1 of the batch .* label in 1\.\.3"):
        picture_targets(boxes, [torch.zeros(0, dtype=torch.int64), torch.tensor(labels)], num_classes=3)


# --- refusals ---------------------------------------------------------------------------------------


def test_neither_a_box_nor_logits_is_refused():
    with pytest.raises(ConfigError, match="got neither"):
        picture_loss(None, None, gt_box=NO_BOX, gt_labels=torch.tensor([1, 2]), config=ONE)


def test_labels_of_the_other_kind_are_refused():
    box, logits, gt_box, labels = answers(0)

    with pytest.raises(ConfigError, match="got bce with int64"):
        picture_loss(box, logits, gt_box=gt_box, gt_labels=labels, config=SEVERAL)
    with pytest.raises(ConfigError, match="got softmax with bool"):
        picture_loss(box, logits, gt_box=gt_box, gt_labels=torch.zeros(6, 3) > 0, config=ONE)
