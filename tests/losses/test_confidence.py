"""Confidence losses by hand, against torch and torchvision, and where logits are extreme."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close
from torchvision.ops import sigmoid_focal_loss

from ssd.config import IGNORED
from ssd.errors import ConfigError
from ssd.losses.confidence import (
    background_cost,
    binary_cross_entropy,
    cross_entropy,
    focal,
    one_hot,
)
from tests.losses.reference import CLASSES, random_case

ODDS = math.log(0.9 / 0.1)  # the logit of .9


def test_cross_entropy_is_minus_the_logarithm_of_the_class_s_share():
    logits = torch.tensor([[[0.0, 1.0, 2.0]] * 3]).exp().log()
    shares = [math.exp(k) / (1 + math.e + math.e**2) for k in range(3)]

    costs = cross_entropy(logits, torch.tensor([[0, 2, IGNORED]]))

    assert costs[0].tolist() == pytest.approx([-math.log(shares[0]), -math.log(shares[2]), 0])
    assert background_cost(logits)[0].tolist() == pytest.approx([-math.log(shares[0])] * 3)


def test_binary_cross_entropy_asks_one_question_a_class():
    logits = torch.tensor([[[ODDS, -ODDS], [ODDS, -ODDS], [ODDS, -ODDS]]])  # .9 and .1

    costs = binary_cross_entropy(logits, torch.tensor([[1, 2, 0]]))

    expected = [-2 * math.log(0.9), -2 * math.log(0.1), -math.log(0.1) - math.log(0.9)]
    assert costs[0].tolist() == pytest.approx(expected, rel=1e-5)


def test_focal_loss_by_hand():
    logits = torch.tensor([[[ODDS], [ODDS], [-ODDS]]])  # .9, .9, .1

    costs = focal(logits, torch.tensor([[1, 0, 1]]), alpha=0.25, gamma=2.0)

    expected = [0.25 * 0.01 * -math.log(0.9), 0.75 * 0.81 * -math.log(0.1), 0.25 * 0.81 * -math.log(0.1)]
    assert costs[0].tolist() == pytest.approx(expected, rel=1e-5)


def test_the_lesson_s_gamma_of_one_by_hand():
    costs = focal(torch.tensor([[[ODDS]]]), torch.tensor([[0]]), alpha=0.25, gamma=1.0)

    assert float(costs) == pytest.approx(0.75 * 0.9 * -math.log(0.1), rel=1e-5)


@given(
    seed=st.integers(0, 10_000), alpha=st.sampled_from([0.0, 0.25, 0.9]), gamma=st.sampled_from([0, 0.5, 2])
)
def test_focal_loss_agrees_with_torchvision(seed, alpha, gamma):
    _, logits, labels, _ = random_case(seed, background=False)

    costs = focal(logits, labels, alpha=alpha, gamma=float(gamma))

    wanted = one_hot(labels, num_classes=CLASSES)
    expected = sigmoid_focal_loss(logits, wanted, alpha=alpha, gamma=gamma).sum(dim=2)
    assert_close(costs, expected.masked_fill(labels == IGNORED, 0.0), rtol=1e-4, atol=1e-6)


def test_with_gamma_zero_and_half_alpha_focal_loss_is_half_of_binary_cross_entropy():
    _, logits, labels, _ = random_case(1, background=False)

    assert_close(focal(logits, labels, alpha=0.5, gamma=0.0) * 2, binary_cross_entropy(logits, labels))


def test_the_surer_the_right_answer_the_smaller_its_share_under_focal_loss():
    logits = torch.linspace(-4, 4, 9)[None, :, None]
    labels = torch.ones(1, 9, dtype=torch.int64)

    shares = focal(logits, labels, alpha=1.0, gamma=2.0) / binary_cross_entropy(logits, labels)

    assert bool((shares.diff() < 0).all())


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_a_sure_answer_right_or_wrong_has_a_finite_focal_gradient(gamma):
    logits = torch.tensor([[[1e6], [-1e6], [1e6], [-1e6]]], requires_grad=True)

    costs = focal(logits, torch.tensor([[1, 1, 0, 0]]), alpha=0.25, gamma=gamma)
    costs.sum().backward()

    assert costs[0].tolist() == pytest.approx([0, 0.25e6, 0.75e6, 0])
    assert logits.grad[0, :, 0].tolist() == pytest.approx([0, -0.25, 0.75, 0])


def test_background_is_a_row_of_zeros_and_an_ignored_anchor_too():
    rows = one_hot(torch.tensor([[1, 3, 0, IGNORED]]), num_classes=3)

    assert rows[0].tolist() == [[1, 0, 0], [0, 0, 1], [0, 0, 0], [0, 0, 0]]


@pytest.mark.parametrize("loss", [cross_entropy, binary_cross_entropy])
def test_no_anchors_have_no_costs(loss):
    assert loss(torch.zeros(2, 0, 3), torch.zeros(2, 0, dtype=torch.int64)).shape == (2, 0)


def test_a_label_without_a_column_is_refused():
    with pytest.raises(ConfigError, match=r"3 columns of logits hold labels up to 3, got 4"):
        binary_cross_entropy(torch.zeros(1, 1, 3), torch.tensor([[4]]))
    with pytest.raises(ConfigError, match="hold background and labels up to 2, got 3"):
        cross_entropy(torch.zeros(1, 1, 3), torch.tensor([[3]]))
