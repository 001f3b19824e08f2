"""Boxes: conversions, area, jaccard, clip, and the border between units."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close
from torchvision import ops

from ssd.boxes import (
    area,
    clip,
    cxcywh_to_xyxy,
    from_pixels,
    jaccard,
    paired_jaccard,
    to_pixels,
    validate_boxes,
    xyxy_to_cxcywh,
)
from ssd.errors import BoxError
from tests.strategies import boxes

BY_HAND = {
    "the same box": ([0, 0, 4, 2], [0, 0, 4, 2], 1.0),
    "half of it": ([0, 0, 4, 2], [0, 0, 2, 2], 0.5),
    "inside, wide": ([0, 0, 10, 2], [1, 0, 4, 1], 3 / 20),
    "side by side, a third": ([0, 0, 2, 2], [1, 0, 3, 2], 1 / 3),
    "on top of each other, a seventh": ([0, 0, 2, 4], [0, 3, 2, 7], 2 / 14),
    "touching": ([0, 0, 2, 2], [2, 0, 4, 2], 0.0),
    "touching in a corner": ([0, 0, 2, 2], [2, 2, 4, 4], 0.0),
    "apart in x only": ([0, 0, 1, 5], [3, 0, 4, 5], 0.0),
    "apart in y only": ([0, 0, 5, 1], [0, 3, 5, 4], 0.0),
    "partly outside the picture": ([-2, -1, 2, 1], [0, 0, 2, 1], 2 / 8),
    "no area in a box": ([0, 0, 2, 2], [1, 0, 1, 2], 0.0),
    "no area in both": ([1, 1, 1, 1], [1, 1, 1, 1], 0.0),
    "lines that cross": ([0, 1, 4, 1], [2, 0, 2, 4], 0.0),
}


@pytest.mark.parametrize(("a", "b", "overlap"), BY_HAND.values(), ids=BY_HAND)
def test_jaccard_by_hand(a, b, overlap):
    found = jaccard(torch.tensor([a]).float(), torch.tensor([b]).float())

    assert_close(found, torch.tensor([[overlap]]))


def test_the_row_belongs_to_the_first_argument_and_the_column_to_the_second():
    a = torch.tensor([[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 0.5]])
    b = torch.tensor([[0.0, 0.0, 1.0, 1.0], [0.5, 0.0, 1.0, 1.0], [0.0, 0.0, 0.1, 1.0]])

    assert_close(jaccard(a, b), torch.tensor([[1.0, 0.5, 0.1], [0.5, 1 / 3, 0.05 / 0.55]]))


@pytest.mark.parametrize(("rows", "columns"), [(0, 3), (3, 0), (0, 0)])
def test_without_boxes_on_a_side_the_table_is_empty_on_that_side(rows, columns):
    assert jaccard(torch.zeros(rows, 4), torch.zeros(columns, 4)).shape == (rows, columns)


@given(a=boxes(), b=boxes())
def test_jaccard_agrees_with_torchvision(a, b):
    expected = ops.box_iou(a, b).nan_to_num(0.0)  # torchvision has NaN for two boxes without area

    assert_close(jaccard(a, b), expected, rtol=1e-6, atol=1e-6)


@given(a=boxes(), b=boxes())
def test_jaccard_is_symmetric_and_lies_between_0_and_1(a, b):
    overlap = jaccard(a, b)

    assert torch.equal(overlap, jaccard(b, a).T)
    assert bool(((overlap >= 0) & (overlap <= 1)).all())


@given(a=boxes(min_side=0.01), b=boxes(min_side=0.01), width=st.integers(1, 999), height=st.integers(1, 999))
def test_jaccard_does_not_depend_on_the_unit(a, b, width, height):
    scale = {"width_px": width, "height_px": height}

    assert_close(jaccard(to_pixels(a, **scale), to_pixels(b, **scale)), jaccard(a, b), rtol=1e-4, atol=1e-5)


@given(a=boxes(min_side=0.01))
def test_a_box_with_area_overlaps_itself_by_one(a):
    assert_close(jaccard(a, a).diagonal(), torch.ones(len(a)))


@given(pairs=st.integers(0, 6).flatmap(lambda n: st.tuples(*[boxes(min_size=n, max_size=n)] * 2)))
def test_a_pair_has_the_jaccard_of_the_table_s_diagonal(pairs):
    a, b = pairs

    assert torch.equal(paired_jaccard(a, b), jaccard(a, b).diagonal())


def test_half_precision_boxes_are_compared_in_float32():
    a = torch.tensor([[0.0, 0.0, 0.51, 0.37]], dtype=torch.bfloat16)
    b = torch.tensor([[0.0, 0.0, 0.47, 0.33]], dtype=torch.bfloat16)

    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = jaccard(a, b)

    assert found.dtype == torch.float32
    assert_close(found, jaccard(a.float(), b.float()), rtol=0, atol=0)


def test_double_precision_stays_double():
    tiny = torch.tensor([[0.0, 0.0, 1.0, 1.0]], dtype=torch.float64)

    assert jaccard(tiny, tiny - 1e-12).dtype == torch.float64


@given(found=boxes())
def test_corners_and_centres_turn_into_each_other(found):
    assert_close(cxcywh_to_xyxy(xyxy_to_cxcywh(found)), found, rtol=0, atol=1e-6)


@given(found=boxes())
def test_conversions_and_area_agree_with_torchvision(found):
    assert_close(xyxy_to_cxcywh(found), ops.box_convert(found, "xyxy", "cxcywh"))
    assert_close(cxcywh_to_xyxy(found), ops.box_convert(found, "cxcywh", "xyxy"))
    assert_close(area(found), ops.box_area(found))


def test_width_stands_before_height():
    assert xyxy_to_cxcywh(torch.tensor([[0.0, 0.0, 6.0, 2.0]])).tolist() == [[3.0, 1.0, 6.0, 2.0]]


def test_x_is_scaled_by_the_width_and_y_by_the_height():
    box = torch.tensor([[0.1, 0.2, 0.5, 1.0]])

    assert_close(to_pixels(box, width_px=500, height_px=353), torch.tensor([[50.0, 70.6, 250.0, 353.0]]))


@given(found=boxes(), width=st.integers(1, 5000), height=st.integers(1, 5000))
def test_to_pixels_and_back_is_the_same_box(found, width, height):
    there = to_pixels(found, width_px=width, height_px=height)

    assert_close(from_pixels(there, width_px=width, height_px=height), found, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("width", "height"), [(0, 10), (10, 0), (-1, 10)])
def test_a_picture_without_size_is_refused(width, height):
    with pytest.raises(BoxError, match="positive size"):
        from_pixels(torch.zeros(1, 4), width_px=width, height_px=height)


@given(found=boxes(), shift=st.floats(-2, 2, width=32))
def test_clipping_twice_is_clipping_once_and_stays_inside(found, shift):
    once = clip(found + shift)

    assert torch.equal(clip(once), once)
    assert bool(((once >= 0) & (once <= 1)).all())


def test_clip_agrees_with_torchvision_on_a_picture_of_one_by_one():
    outside = torch.tensor([[-0.3, 0.2, 0.5, 1.7], [1.2, -3.0, 1.4, -2.0], [0.1, 0.2, 0.3, 0.4]])

    assert torch.equal(clip(outside), ops.clip_boxes_to_image(outside, (1, 1)))


BAD = {
    "NaN": [0.0, float("nan"), 1.0, 1.0],
    "infinite": [0.0, 0.0, float("inf"), 1.0],
    "right of itself": [0.6, 0.0, 0.5, 1.0],
    "below itself": [0.0, 0.6, 1.0, 0.5],
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
@pytest.mark.parametrize("side", ["a", "b"])
def test_a_bad_box_is_named_with_its_place(bad, side):
    good, mixed = torch.tensor([[0.0, 0.0, 1.0, 1.0]]), torch.tensor([[0.0, 0.0, 1.0, 1.0], bad])

    with pytest.raises(BoxError, match=rf"{side}\[1\] must"):
        jaccard(*((mixed, good) if side == "a" else (good, mixed)))


def test_a_box_of_no_width_is_no_error():
    validate_boxes(torch.tensor([[0.5, 0.0, 0.5, 1.0]]))


def test_no_function_changes_its_argument():
    box = torch.tensor([[-0.2, 0.1, 0.6, 1.4]])
    before = box.clone()

    for call in (area, clip, xyxy_to_cxcywh, cxcywh_to_xyxy, validate_boxes):
        call(box)
    jaccard(box, box)
    to_pixels(box, width_px=3, height_px=5)

    assert torch.equal(box, before)
