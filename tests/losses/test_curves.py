"""Loss curves: the formulas of the papers at known probabilities."""

from __future__ import annotations

import math

import pytest

from ssd.errors import ConfigError
from ssd.losses import loss_curve

SHARES = [0.01, 0.1, 0.3, 0.5, 0.9, 0.99]


@pytest.mark.parametrize("kind", ["softmax", "bce"])
def test_cross_entropy_is_minus_the_logarithm(kind):
    assert loss_curve(kind, SHARES) == pytest.approx([-math.log(p) for p in SHARES])


@pytest.mark.parametrize(("alpha", "gamma"), [(0.25, 2.0), (1.0, 1.0), (0.5, 0.0), (1.0, 5.0)])
def test_focal_loss_is_weighted_by_how_unsure_the_answer_is(alpha, gamma):
    expected = [alpha * (1 - p) ** gamma * -math.log(p) for p in SHARES]

    assert loss_curve("focal", SHARES, alpha=alpha, gamma=gamma) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("kind", ["softmax", "bce", "focal"])
def test_the_ends_are_finite_and_the_curve_falls(kind):
    costs = loss_curve(kind, [0.0, *SHARES, 1.0], alpha=1.0)

    assert costs[0] == pytest.approx(-math.log(1e-9), rel=1e-3)
    assert costs[-1] == pytest.approx(0, abs=1e-8)
    assert costs == sorted(costs, reverse=True)


def test_no_probabilities_give_no_curve():
    assert loss_curve("bce", []) == []


@pytest.mark.parametrize("p", [-0.1, 1.1, math.nan])
def test_what_is_no_probability_is_refused(p):
    with pytest.raises(ConfigError, match="A probability must lie in 0–1"):
        loss_curve("bce", [0.5, p])


@pytest.mark.parametrize("numbers", [{"alpha": 1.5}, {"gamma": -1.0}])
def test_numbers_of_no_focal_loss_are_refused(numbers):
    with pytest.raises(ConfigError):
        loss_curve("focal", [0.5], **numbers)
