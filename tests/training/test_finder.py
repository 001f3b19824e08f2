"""The learning-rate finder: what it tries, what it suggests, and that nothing of it stays."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from ssd.data.augment import AugmentConfig
from ssd.errors import ConfigError, NumericError
from ssd.training.finder import find_rate, smoothed, suggest
from ssd.training.loop import bare, prepare, train
from tests.training.test_setup import same
from tests.training.tiny import CLASSES, TINY, Squares

pytestmark = pytest.mark.usefixtures("tiny")


def test_everything_is_as_before_after_a_search() -> None:
    run = prepare(replace(TINY, steps=6), class_names=CLASSES)
    next(train(run, Squares()))
    before, random_state = run.state(), torch.random.get_rng_state()

    find_rate(run, Squares(), steps=10)

    assert same(run.state(), before)
    assert torch.equal(torch.random.get_rng_state(), random_state)
    assert all(p.grad is None for p in bare(run.model).parameters())


@pytest.mark.slow
def test_a_run_trains_after_a_search_as_it_would_have_without() -> None:
    config = replace(TINY, steps=3)
    plain = [r.loss for r in train(prepare(config, class_names=CLASSES), Squares())]
    run = prepare(config, class_names=CLASSES)

    find_rate(run, Squares(), steps=10)

    assert [r.loss for r in train(run, Squares())] == plain


@pytest.mark.slow
def test_rates_rise_by_one_factor_until_the_loss_blows_up() -> None:
    config = replace(TINY, optimiser="sgd", clip_norm=0.0, batch_size=8, augment=AugmentConfig(flip=0.0))
    run = prepare(config, class_names=CLASSES)

    found = find_rate(run, Squares(), lowest=1e-5, highest=1e4, steps=46)

    factors = {round(b / a, 6) for a, b in zip(found.rates, found.rates[1:], strict=False)}
    assert factors == {round(10**0.2, 6)}
    assert 10 < len(found.rates) == len(found.losses) < 46
    assert found.rates[0] < found.suggestion < found.rates[-1]
    assert found.smooth == smoothed(found.losses)


@pytest.mark.slow
def test_differential_rates_keep_their_factors(monkeypatch: pytest.MonkeyPatch) -> None:
    run = prepare(replace(TINY, group_rates=(0.01, 0.1, 1.0)), class_names=CLASSES)
    seen: list[set[float]] = []
    plain = run.optimiser.step

    def step() -> object:
        seen.append(
            {
                round(g["lr"] / max(h["lr"] for h in run.optimiser.param_groups), 6)
                for g in run.optimiser.param_groups
            }
        )
        return plain()

    monkeypatch.setattr(run.optimiser, "step", step)
    find_rate(run, Squares(), steps=10)

    assert seen and all(rates == {0.01, 0.1, 1.0} for rates in seen)


def test_the_suggestion_lies_where_the_loss_falls_and_before_its_lowest_point() -> None:
    rates = tuple(10 ** (k / 10 - 6) for k in range(60))
    losses = [10.0] * 25 + [10.0 - 0.5 * k for k in range(15)] + [3.0] * 5 + [3.0 * 2**k for k in range(15)]

    rate = suggest(rates, losses)

    assert rates[25] < rate <= rates[44]


def test_a_loss_that_never_falls_suggests_a_tenth_of_its_best() -> None:
    rates = tuple(10.0**k for k in range(-12, 0))

    assert suggest(rates, [float(k) for k in range(1, 13)]) == pytest.approx(rates[5] / 10)


@pytest.mark.parametrize("numbers", [{"lowest": 0.0}, {"lowest": 1.0, "highest": 0.1}, {"steps": 9}])
def test_a_search_that_cannot_work_is_refused(numbers: dict[str, float]) -> None:
    run = prepare(TINY, class_names=CLASSES)

    with pytest.raises(ConfigError, match="lowest < highest and at least 10 steps"):
        find_rate(run, Squares(), **numbers)


def test_a_network_that_is_broken_from_the_start_is_an_error_and_is_left_as_it_was() -> None:
    run = prepare(TINY, class_names=CLASSES)
    with torch.no_grad():
        for head in bare(run.model).heads:
            head.logits.bias.fill_(torch.nan)

    with pytest.raises(NumericError, match="confidence loss of step 1"):
        find_rate(run, Squares(), steps=10)

    assert run.step == 0
