"""Mining: the costliest negatives, no more than asked, and nothing but negatives."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ssd.config import BACKGROUND, IGNORED
from ssd.errors import ConfigError
from ssd.losses import hard_negatives
from tests.losses.reference import random_case


def test_mining_takes_the_costliest_negatives_of_each_picture():
    costs = torch.tensor([[5.0, 1.0, 9.0, 4.0, 8.0], [1.0, 2.0, 3.0, 4.0, 5.0]])
    labels = torch.tensor([[1, 0, IGNORED, 0, 0], [0, 0, 0, 0, 0]])

    mined = hard_negatives(costs, labels, ratio=2.0)

    assert mined.tolist() == [[False, False, False, True, True], [False] * 5]


def test_of_equal_costs_the_lower_index_is_mined_first():
    mined = hard_negatives(torch.ones(1, 2000), torch.tensor([[1] + [0] * 1999]), ratio=3.0)

    assert mined.nonzero()[:, 1].tolist() == [1, 2, 3]


def test_a_ratio_that_is_not_whole_is_rounded_down():
    labels = torch.tensor([[1, 1, 1, 0, 0, 0, 0, 0]])

    assert int(hard_negatives(torch.ones(1, 8), labels, ratio=1.5).sum()) == 4


@pytest.mark.parametrize(("overlap", "mined"), [(0.499999, True), (0.5, False), (0.7, False)])
def test_an_anchor_whose_overlap_is_not_below_the_limit_is_never_mined(overlap, mined):
    found = hard_negatives(
        torch.tensor([[9.0, 1.0, 2.0]]),
        torch.tensor([[0, 0, 0]]),
        minimum=3,
        overlap=torch.tensor([[overlap, 0.1, 0.2]]),
        max_overlap=0.5,
    )

    assert found.tolist() == [[mined, True, True]]


def test_the_limit_makes_room_for_the_next_hardest():
    found = hard_negatives(
        torch.tensor([[9.0, 3.0, 2.0, 1.0]]),
        torch.tensor([[0, 0, 0, 2]]),
        ratio=1.0,
        overlap=torch.tensor([[0.6, 0.1, 0.2, 0.9]]),
        max_overlap=0.5,
    )

    assert found.tolist() == [[False, True, False, False]]


@given(seed=st.integers(0, 10_000), ratio=st.sampled_from([0.0, 1.0, 3.0, 100.0]), minimum=st.integers(0, 9))
def test_mining_takes_as_many_as_asked_and_none_that_is_cheaper_than_one_left(seed, ratio, minimum):
    _, logits, labels, _ = random_case(seed)
    costs = logits[..., 0]

    mined = hard_negatives(costs, labels, ratio=ratio, minimum=minimum)

    negatives = labels == BACKGROUND
    wanted = ((labels > 0).sum(dim=1) * ratio).long().clamp(min=minimum)
    assert torch.equal(mined.sum(dim=1), torch.minimum(wanted, negatives.sum(dim=1)))
    assert not bool((mined & ~negatives).any())
    cheapest = costs.masked_fill(~mined, math.inf).min(dim=1).values
    costliest = costs.masked_fill(mined | ~negatives, -math.inf).max(dim=1).values
    assert bool((cheapest >= costliest).all())


def test_no_gradient_flows_through_the_choice():
    costs = torch.tensor([[1.0, 2.0]], requires_grad=True)

    assert not hard_negatives(costs, torch.tensor([[0, 0]]), minimum=1).requires_grad


def test_arguments_are_not_changed():
    costs, labels = torch.tensor([[1.0, 2.0, 3.0]]), torch.tensor([[0, IGNORED, 2]])
    before = costs.clone(), labels.clone()

    hard_negatives(costs, labels)

    assert torch.equal(costs, before[0]) and torch.equal(labels, before[1])


@pytest.mark.parametrize("numbers", [{"ratio": -1.0}, {"minimum": -1}])
def test_less_than_nothing_is_refused(numbers):
    with pytest.raises(ConfigError, match="at least 0"):
        hard_negatives(torch.zeros(1, 2), torch.zeros(1, 2, dtype=torch.int64), **numbers)
