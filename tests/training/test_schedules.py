"""Schedules against torch's own, against the lesson's, and against their laws."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ssd.training.config import TrainConfig
from ssd.training.schedules import momentum_at, rate_at

KINDS = ("one-cycle", "cyclic", "multi-step", "cosine", "constant")


def torch_says(scheduler, steps: int, **numbers) -> list[tuple[float, float]]:
    """Rate and momentum of each step by one of torch's schedulers."""
    optimiser = torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))], lr=numbers.get("max_lr", 0.4))
    schedule, seen = scheduler(optimiser, **numbers), []
    for _ in range(steps):
        group = optimiser.param_groups[0]
        seen.append((group["lr"], group["betas"][0]))
        optimiser.step()
        schedule.step()
    return seen


@pytest.mark.parametrize("warm_up", [0.1, 0.15, 0.5])
@pytest.mark.parametrize("steps", [7, 100])
def test_one_cycle_is_torch_s(steps: int, warm_up: float) -> None:
    config = TrainConfig(steps=steps, learning_rate=0.4, warm_up=warm_up)

    ours = [(rate_at(config, step), momentum_at(config, step)) for step in range(steps)]

    one_cycle = torch.optim.lr_scheduler.OneCycleLR
    expected = torch_says(one_cycle, steps, max_lr=0.4, total_steps=steps + 1, pct_start=warm_up)
    assert ours == [pytest.approx(pair, rel=1e-6, abs=1e-9) for pair in expected]


def test_multi_step_is_torch_s() -> None:
    config = TrainConfig(
        steps=100, learning_rate=0.4, schedule="multi-step", warm_up=0.0, milestones=(0.6, 0.9), drop=0.2
    )

    ours = [rate_at(config, step) for step in range(100)]

    multi_step = torch.optim.lr_scheduler.MultiStepLR
    expected = [rate for rate, _ in torch_says(multi_step, 100, milestones=[60, 90], gamma=0.2)]
    assert ours == pytest.approx(expected)


def test_cosine_is_torch_s() -> None:
    config = TrainConfig(steps=40, learning_rate=0.4, schedule="cosine", warm_up=0.0)

    ours = [rate_at(config, step) for step in range(40)]

    cosine = torch.optim.lr_scheduler.CosineAnnealingLR
    assert ours == pytest.approx([rate for rate, _ in torch_says(cosine, 40, T_max=40)])


def test_the_lesson_s_cycles_rise_in_a_fifth_and_fall_back_to_a_thirty_second() -> None:
    config = TrainConfig(  # use_clr=(32, 5), twice
        steps=40, learning_rate=32.0, schedule="cyclic", cycles=2, warm_up=1 / 5, start_div=32.0
    )

    rates = [rate_at(config, step) for step in (0, 2, 4, 12, 19, 20, 24)]

    assert rates == pytest.approx([1.0, 16.5, 32.0, 16.5, 1 + 31 / 16, 1.0, 32.0])


def test_warm_up_rises_along_a_line_and_then_the_rate_stays() -> None:
    config = TrainConfig(steps=10, learning_rate=1.0, schedule="constant", warm_up=0.4, start_div=5.0)

    assert [rate_at(config, step) for step in range(6)] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0, 1.0])


@given(
    kind=st.sampled_from(KINDS),
    steps=st.integers(1, 300),
    share=st.floats(0, 0.999),
    warm_up=st.floats(0, 0.9),
    cycles=st.integers(1, 4),
)
def test_no_rate_is_above_the_highest_or_below_zero(kind, steps, share, warm_up, cycles):
    config = TrainConfig(steps=steps, learning_rate=0.1, schedule=kind, warm_up=warm_up, cycles=cycles)

    rate = rate_at(config, int(share * steps))

    assert 0 < rate <= 0.1 * (1 + 1e-9)


@pytest.mark.parametrize("kind", KINDS[1:])
def test_only_one_cycle_moves_the_momentum(kind: str) -> None:
    config = TrainConfig(steps=10, schedule=kind, momentum=0.8)

    assert {momentum_at(config, step) for step in range(10)} == {0.8}
