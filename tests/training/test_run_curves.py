"""Curves for a page: few points, and no peak is lost."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssd.training.run_curves import Curve, column_curve, recent_mean, thinned, top_of
from ssd.training.run_reader import EMPTY_HISTORY, follow
from tests.training.test_run_reader import line

numbers = st.lists(st.floats(-1e6, 1e6), max_size=300)


@given(values=numbers, most=st.integers(1, 50))
def test_a_thinned_curve_keeps_its_ends_and_its_peaks(values, most):
    steps = np.arange(1, len(values) + 1)

    curve = thinned(steps, np.array(values, dtype=np.float64), most=most)

    assert len(curve.steps) <= most
    assert curve.steps[-1:] == tuple(steps[-1:].tolist())
    assert max(curve.high, default=0.0) == max(values, default=0.0)
    assert min(curve.low, default=0.0) == min(values, default=0.0)


@given(values=st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=40))
def test_a_short_curve_is_not_thinned(values):
    steps = np.arange(1, len(values) + 1)

    curve = thinned(steps, np.array(values))

    assert curve.mean == curve.low == curve.high == tuple(values)
    assert curve.stretch == 1


def test_a_long_curve_has_at_most_500_points():
    curve = thinned(np.arange(1, 1002), np.ones(1001))

    assert len(curve.steps) == 334  # stretches of 3
    assert curve.stretch == 3


def test_a_number_that_is_missing_is_no_point():
    curve = thinned(np.array([1, 2, 3]), np.array([1.0, math.nan, 3.0]))

    assert curve.steps == (1, 3)


def test_the_mean_now_is_that_of_the_last_fifty_steps(tmp_path):
    (tmp_path / "steps.jsonl").write_bytes(b"".join(line(s, 100.0 if s <= 10 else 2.0) for s in range(1, 61)))
    history = follow(tmp_path)

    assert recent_mean(history, "loss") == 2.0
    assert recent_mean(history, "seconds") is None
    assert column_curve(history, "loss").mean[0] == 100.0


def test_an_empty_run_has_empty_curves():
    assert column_curve(EMPTY_HISTORY, "loss") == Curve((), (), (), (), 0)
    assert top_of([column_curve(EMPTY_HISTORY, "loss")]) is None


@pytest.mark.parametrize(("values", "top"), [((1.0, 4.0), 4.2), ((0.0,), None)])
def test_the_axis_ends_above_the_highest_point(values, top):
    curve = Curve(tuple(range(len(values))), values, values, values, 1)

    assert top_of([curve]) == (None if top is None else pytest.approx(top))
