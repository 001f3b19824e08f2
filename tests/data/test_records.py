"""Targets: lengths, types, labels and boxes are checked before anything works with them."""

from __future__ import annotations

import pytest
import torch

from ssd.data.records import Target, make_target, validate_target
from ssd.errors import BoxError, DataError

GOOD = [[0.1, 0.2, 0.5, 0.9]]


def target(boxes=GOOD, labels=(1,), **flags):
    return make_target(torch.tensor(boxes, dtype=torch.float32), torch.tensor(labels), **flags)


def test_a_good_target_passes_and_the_border_of_the_picture_belongs_to_it():
    validate_target(target([[0.0, 0.0, 1.0, 1.0]], [3]), name="x", num_classes=3)


def test_an_empty_target_has_the_shapes_of_every_other():
    empty = Target.empty()

    validate_target(empty, name="x", num_classes=1)

    assert len(empty) == 0
    assert empty.boxes.shape == (0, 4)
    assert (empty.labels.dtype, empty.difficult.dtype) == (torch.int64, torch.bool)


@pytest.mark.parametrize(
    "box",
    [
        [0.5, 0.2, 0.1, 0.9],
        [0.1, 0.9, 0.5, 0.2],
        [0.1, 0.2, 0.1, 0.9],
        [0.1, 0.2, 0.5, 0.2],
        [-0.01, 0.2, 0.5, 0.9],
        [0.1, 0.2, 1.01, 0.9],
        [float("nan"), 0.2, 0.5, 0.9],
        [0.1, 0.2, 0.5, float("inf")],
    ],
    ids=["x inverted", "y inverted", "no width", "no height", "left of it", "right of it", "NaN", "infinite"],
)
def test_a_box_that_is_none_is_named_by_its_number(box):
    with pytest.raises(BoxError, match=r"^street, object 2: a box must be finite, ordered .* and inside"):
        validate_target(target([*GOOD, box], (1, 1)), name="street")


@pytest.mark.parametrize("label", [0, -1, 4])
def test_a_label_outside_the_classes_is_refused(label):
    with pytest.raises(DataError, match=rf"^street, object 1: a label must be 1..3, got {label};"):
        validate_target(target(labels=(label,)), name="street", num_classes=3)


def test_an_ignored_object_may_carry_the_background_label_and_no_other_may():
    ignored = target(labels=(0,), ignore=torch.tensor([True]))

    validate_target(ignored, name="street", num_classes=3)

    with pytest.raises(DataError, match="1 or more, got 0"):
        validate_target(target(labels=(0,)), name="street")


def test_flags_of_another_length_are_refused():
    broken = object.__new__(Target)  # past the checker of shapes, as no test of a user's program has one
    fields = {"boxes": torch.tensor(GOOD), "labels": torch.tensor([1])}
    flags = {"difficult": torch.zeros(2, dtype=torch.bool), "ignore": torch.zeros(1, dtype=torch.bool)}
    for key, value in {**fields, **flags}.items():
        object.__setattr__(broken, key, value)

    with pytest.raises(DataError, match="give one row an object"):
        validate_target(broken, name="street")
