"""The rules that every box passes, whichever file it comes from."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ssd.data.annotations import AnnotatedObject, Annotation, annotation_to_target, check_box
from ssd.errors import BoxError

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("edges", "expected"),
    [
        ((48, 240, 195, 371), (47, 239, 195, 371)),
        ((1, 1, 353, 500), (0, 0, 353, 500)),
        ((10, 10, 11, 11), (9, 9, 11, 11)),
    ],
    ids=["the dog of picture 000001", "the whole picture", "two pixels"],
)
def test_corners_counted_from_one_become_continuous_edges(edges, expected):
    checked = check_box(edges, width=353, height=500, one_based=True)

    assert checked.box_px == expected
    assert not checked.clipped


@pytest.mark.parametrize(
    ("edges", "rule"),
    [
        ((NAN, 10, 20, 30), "x1 is NaN"),
        ((10, 10, INF, 30), "x2 is infinite"),
        ((10, 10, 20, -INF), "y2 is infinite"),
        ((20, 10, 10, 30), r"after its left and top ones, got \[20, 10, 10, 30\]"),
        ((10, 30, 20, 10), "after its left and top ones"),
        ((10, 10, 10, 30), "must have an area"),
        ((10, 10, 20, 10), "must have an area"),
        ((10, 10, 10.1, 30), "at least 1 px"),
        ((400, 10, 420, 30), "353 × 500 px, .* wholly outside"),
        ((10, -40, 20, -30), "wholly outside"),
        ((300, 10, 355, 30), "2 px outside"),
        ((10, 400, 20, 501.5), "1.5 px outside"),
        ((-1, 10, 20, 30), "2 px outside"),
    ],
    ids=str,
)
def test_a_box_that_breaks_a_rule_is_refused_with_rule_and_values(edges, rule):
    with pytest.raises(BoxError, match=rule):
        check_box(edges, width=353, height=500, one_based=True)


@pytest.mark.parametrize(
    ("edges", "one_based", "expected"),
    [
        ((0, 5, 20, 30), True, (0, 4, 20, 30)),
        ((-1, 5, 20, 30), False, (0, 5, 20, 30)),
        ((5, 5, 101, 30), False, (5, 5, 100, 30)),
        ((5, 5, 20, 61), False, (5, 5, 20, 60)),
    ],
    ids=["VOC's xmin = 0", "a pixel left", "a pixel right", "a pixel below"],
)
def test_up_to_a_pixel_outside_is_clipped_and_counted(edges, one_based, expected):
    checked = check_box(edges, width=100, height=60, one_based=one_based)

    assert checked.box_px == expected
    assert checked.clipped


def test_zero_area_is_judged_on_the_numbers_as_written():
    with pytest.raises(BoxError, match=r"must have an area, got \[504, 337, 504, 337\]"):
        check_box((504, 337, 504, 337), width=640, height=480, one_based=True)


def test_without_a_size_nothing_lies_to_the_right_of_the_picture():
    assert check_box((5, 5, 9000, 9000), width=0, height=0, one_based=False).box_px == (5, 5, 9000, 9000)


@given(
    x=st.floats(0, 60),
    y=st.floats(0, 30),
    wide=st.floats(1, 40),
    high=st.floats(1, 30),
    one_based=st.booleans(),
)
def test_a_box_that_passes_lies_inside_and_has_an_area(x, y, wide, high, one_based):
    first = 1 if one_based else 0

    box = check_box(
        (x + first, y + first, x + wide + first, y + high + first), width=102, height=62, one_based=one_based
    )

    x1, y1, x2, y2 = box.box_px
    assert 0 <= x1 < x2 <= 102
    assert 0 <= y1 < y2 <= 62


def test_a_side_of_one_pixel_passes_whatever_its_decimals_round_to():
    box = check_box((0.0, 1.3524140027098854, 1.0, 2.352414002709885), width=102, height=62, one_based=False)

    assert box.box_px == (0.0, 1.3524140027098854, 1.0, 2.352414002709885)


def test_targets_divide_by_width_and_height_and_number_classes_from_one():
    objects = (
        AnnotatedObject("dog", (47.0, 239.0, 195.0, 371.0), difficult=True),
        AnnotatedObject("tree", (0.0, 0.0, 353.0, 500.0)),
        AnnotatedObject("person", (7.0, 11.0, 352.0, 498.0), crowd=True),
    )

    target = annotation_to_target(
        Annotation(353, 500, objects), classes=("person", "dog"), width=353, height=500
    )

    assert target.labels.tolist() == [2, 0, 1]
    assert target.difficult.tolist() == [True, False, False]
    assert target.ignore.tolist() == [False, True, True]
    expected = [
        [47 / 353, 239 / 500, 195 / 353, 371 / 500],
        [0, 0, 1, 1],
        [7 / 353, 11 / 500, 352 / 353, 498 / 500],
    ]
    torch.testing.assert_close(target.boxes, torch.tensor(expected))


def test_an_annotation_without_objects_is_an_empty_target():
    target = annotation_to_target(Annotation(10, 20, ()), classes=("cat",), width=10, height=20)

    assert target.boxes.shape == (0, 4)
    assert (target.boxes.dtype, target.labels.dtype, target.ignore.dtype) == (
        torch.float32,
        torch.int64,
        torch.bool,
    )
