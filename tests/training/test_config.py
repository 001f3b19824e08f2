"""A run's numbers: what is refused, and the size and augmentation of each step."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssd.errors import ConfigError
from ssd.training.config import TrainConfig

GROWING = TrainConfig(steps=100, size_px=320, sizes=((0.0, 160), (0.5, 256), (0.8, 320)))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"learning_rate": 0.0}, "learning_rate must be a number, above 0"),
        ({"learning_rate": float("nan")}, "learning_rate must be a number"),
        ({"learning_rate": float("inf")}, "learning_rate must be a number"),
        ({"steps": 0}, "steps must be a whole number, at least 1"),
        ({"ema": 1.0}, "ema must be a number, at least 0"),
        ({"warm_up": 1.0}, "warm_up must be"),
        ({"freeze": 3}, "freeze must be a whole number, at least 0 and at most 2"),
        ({"schedule": "linear"}, "schedule is one of one-cycle, cyclic"),
        ({"optimiser": "lamb"}, "optimiser is one of adamw"),
        ({"batch_size": 6, "accumulate": 4}, "multiple of accumulate, got 6 and 4"),
        ({"group_rates": (1.0, 1.0)}, "3 factors"),
        ({"group_rates": (0.0, 0.0, 0.0)}, "3 factors"),
        ({"group_rates": (1.0, -0.1, 1.0)}, "3 factors"),
        ({"milestones": (0.8, 0.6)}, "rising shares"),
        ({"milestones": (0.8, 1.6)}, "rising shares"),
        ({"sizes": ((0.1, 320),)}, "starts at share 0"),
        ({"sizes": ((0.0, 320), (0.5, 160))}, "ends with size_px"),
        ({"sizes": ((0.0, 16), (0.5, 320))}, "no side below 32"),
        ({"seed": -1}, "seed must be"),
    ],
)
@pytest.mark.usefixtures("unchecked")
def test_a_number_out_of_range_is_named(values: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        TrainConfig(**values)


def test_sides_grow_at_their_shares_of_the_run() -> None:
    sides = [GROWING.size_at(step) for step in (0, 49, 50, 79, 80, 99)]

    assert sides == [160, 160, 256, 256, 320, 320]


def test_the_side_of_a_plain_run_never_changes() -> None:
    assert {TrainConfig(steps=50, size_px=300).size_at(step) for step in range(50)} == {300}


@given(step=st.integers(0, 99), jitter=st.floats(0.01, 0.6), seed=st.integers(0, 5))
def test_multi_scale_sides_stay_within_their_share_and_depend_on_seed_and_step_alone(step, jitter, seed):
    config = replace(GROWING, size_jitter=jitter, seed=seed)
    due = GROWING.size_at(step)

    side = config.size_at(step)

    assert side == replace(config, learning_rate=1.0).size_at(step)
    assert side % 32 == 0 and abs(side - due) <= jitter * due


def test_multi_scale_training_visits_many_sides_and_ends_on_the_full_one() -> None:
    config = TrainConfig(steps=200, size_px=320, size_jitter=0.3, last_clean=0.1)

    sides = [config.size_at(step) for step in range(200)]

    assert set(sides[:180]) == {224, 256, 288, 320, 352, 384, 416}
    assert set(sides[180:]) == {320}


@pytest.mark.parametrize(("share", "clean"), [(0.0, 0), (0.25, 2), (0.3, 2), (1.0, 8)])
def test_the_clean_part_is_the_last_share_of_the_run(share: float, clean: int) -> None:
    config = TrainConfig(steps=8, last_clean=share)

    assert [config.is_clean(step) for step in range(8)] == [False] * (8 - clean) + [True] * clean
