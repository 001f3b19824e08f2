"""Localisation losses by hand, against torchvision, and by law."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close
from torchvision.ops import generalized_box_iou_loss

from ssd.losses.localisation import giou_loss, l1, smooth_l1
from tests.strategies import boxes

PAIRS = st.integers(1, 5).flatmap(lambda n: st.tuples(*[boxes(min_size=n, max_size=n, min_side=0.05)] * 2))
WIDE, TALL = torch.tensor([[0.0, 0.0, 0.8, 0.2]]), torch.tensor([[0.0, 0.0, 0.2, 0.8]])


@pytest.mark.parametrize(
    ("distance", "cost"), [(0.0, 0.0), (0.5, 0.125), (1.0, 0.5), (-1.0, 0.5), (3.0, 2.5)]
)
def test_smooth_l1_is_half_the_square_up_to_one_and_linear_beyond(distance, cost):
    codes = torch.tensor([[0.0, distance, 0.0, 0.0]])

    assert smooth_l1(codes, torch.zeros(1, 4)).tolist() == [cost]


def test_smooth_l1_adds_the_four_codes_and_l1_averages_the_four_edges():
    a, b = torch.tensor([[1.0, 2.0, 3.0, 4.0]]), torch.zeros(1, 4)

    assert smooth_l1(a, b).tolist() == [0.5 + 1.5 + 2.5 + 3.5]
    assert l1(a, b).tolist() == [2.5]


def test_giou_of_a_wide_and_a_tall_box_by_hand():
    # intersection .04, union .16 + .16 − .04 = .28, hull .64
    assert float(giou_loss(WIDE, TALL)) == pytest.approx(1 - 0.04 / 0.28 + (0.64 - 0.28) / 0.64)


def test_giou_of_boxes_that_touch_at_a_corner_still_pulls_them_together():
    box = torch.tensor([[0.0, 0.0, 0.3, 0.2]], requires_grad=True)

    giou_loss(box, torch.tensor([[0.3, 0.2, 0.9, 0.5]])).sum().backward()

    assert bool((box.grad[0, 2:] < 0).all())  # right and bottom edges grow toward the object


@given(pair=PAIRS)
def test_giou_loss_agrees_with_torchvision_and_lies_in_zero_to_two(pair):
    costs = giou_loss(*pair)

    assert_close(costs, generalized_box_iou_loss(*pair, eps=1e-12), rtol=1e-4, atol=1e-5)
    assert bool(((costs >= -1e-6) & (costs <= 2)).all())


@given(pair=PAIRS)
def test_giou_does_not_depend_on_the_unit_or_on_which_box_comes_first(pair):
    a, b = pair
    to_pixels = torch.tensor([640.0, 480.0, 640.0, 480.0])

    assert_close(giou_loss(a * to_pixels, b * to_pixels), giou_loss(a, b), rtol=1e-4, atol=1e-5)
    assert_close(giou_loss(b, a), giou_loss(a, b))


@given(a=boxes(min_size=1, max_size=4, min_side=0.05))
def test_the_same_box_costs_nothing(a):
    zeros = torch.zeros(len(a))

    assert_close(giou_loss(a, a), zeros, rtol=0, atol=1e-6)
    assert torch.equal(l1(a, a), zeros) and torch.equal(smooth_l1(a, a), zeros)


def test_two_boxes_without_area_have_a_finite_cost_and_gradient():
    point = torch.tensor([[0.5, 0.5, 0.5, 0.5]], requires_grad=True)

    cost = giou_loss(point, torch.tensor([[0.5, 0.5, 0.5, 0.5]]))
    cost.sum().backward()

    assert cost.tolist() == [1.0]
    assert bool(point.grad.isfinite().all())


@pytest.mark.parametrize("loss", [smooth_l1, l1, giou_loss])
def test_no_pairs_have_no_costs(loss):
    assert loss(torch.zeros(0, 4), torch.zeros(0, 4)).shape == (0,)


@pytest.mark.parametrize("loss", [smooth_l1, l1, giou_loss])
def test_arguments_are_not_changed(loss):
    a, b = WIDE.clone(), TALL.clone()

    loss(a, b)

    assert torch.equal(a, WIDE) and torch.equal(b, TALL)
