"""The learning-rate finder: raise the rate until the loss blows up, and say where it fell fastest."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch

from ssd.errors import ConfigError, NumericError
from ssd.training.config import TrainConfig
from ssd.training.loader import SampleSource, batches
from ssd.training.objective import backward, clip
from ssd.training.optimisers import training_mode
from ssd.training.setup import Training

__all__ = ["RateFinding", "find_rate", "smoothed", "suggest"]

_SMOOTH = 0.9  # of the exponential average; with its bias removed, as Adam does
_DIVERGED = 4.0  # a smoothed loss this many times the lowest ends the search; fastai's factor
_SKIP = 5  # first losses, which say more about the initial weights than about the rate


@dataclass(frozen=True)
class RateFinding:
    """What the search saw.

    Attributes:
        rates: tried, rising by one factor from step to step.
        losses: at each rate, before the step that used it.
        suggestion: the rate at which the smoothed loss fell fastest.
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    suggestion: float

    @property
    def smooth(self) -> tuple[float, ...]:
        """The smoothed losses, for a curve."""
        return smoothed(self.losses)


def find_rate(
    run: Training,
    source: SampleSource,
    *,
    lowest: float = 1e-6,
    highest: float = 1.0,
    steps: int = 100,
    num_workers: int = 0,
) -> RateFinding:
    """Try rising learning rates on a run, then put everything back.

    Differential rates keep their factors: the rates are those of the last layer group.

    Args:
        run: what ``prepare`` made; afterwards its weights, optimiser and step are as before.
        source: the samples.
        lowest: the first rate.
        highest: the last rate, unless the loss blows up before.
        steps: rates to try.
        num_workers: processes that prepare batches.

    Returns:
        Rates, losses and the suggestion.

    Raises:
        ConfigError: the rates do not rise, or there are fewer than 10 steps.
        NumericError: the loss is not finite at the lowest rates already.

    Source:
        Smith, Cyclical Learning Rates, WACV 2017, section 3.3 ("LR range test").
    """
    if not (0 < lowest < highest and math.isfinite(highest) and steps >= 10):
        raise ConfigError(
            f"A search needs 0 < lowest < highest and at least 10 steps, got {lowest}, {highest} and {steps}."
        )
    before, random_state = run.state(), torch.random.get_rng_state()
    tried = [lowest * (highest / lowest) ** (k / (steps - 1)) for k in range(steps)]
    try:
        losses = list(_losses(run, source, tried, num_workers))
    finally:
        run.restore(before)
        run.optimiser.zero_grad(set_to_none=True)
        torch.random.set_rng_state(random_state)
    rates = tuple(tried[: len(losses)])
    return RateFinding(rates, tuple(losses), suggest(rates, losses))


def _losses(run: Training, source: SampleSource, rates: list[float], num_workers: int) -> Iterator[float]:
    """The loss at each rate, until it blows up."""
    seen: list[float] = []
    config = _flat(run, len(rates))
    shown = batches(source, config, first_step=run.step, num_workers=num_workers)
    for rate, batch in zip(rates, shown, strict=False):
        training_mode(run.model, run.config)
        for group in run.optimiser.param_groups:
            group["lr"] = rate * group["rate_factor"]
        try:
            loss = backward(run, batch).total
        except NumericError:
            if len(seen) <= _SKIP:
                raise
            return
        seen.append(loss)
        yield loss
        average = smoothed(seen)
        if len(seen) > _SKIP and average[-1] > _DIVERGED * min(average):
            return
        clip(run)
        run.optimiser.step()
        run.optimiser.zero_grad(set_to_none=True)
        run.step += 1


def _flat(run: Training, count: int) -> TrainConfig:
    """The run's numbers, with pictures of one size and as many steps as there are rates."""
    return replace(run.config, steps=run.step + count, sizes=(), size_jitter=0.0, validate_every=0)


def smoothed(losses: list[float] | tuple[float, ...]) -> tuple[float, ...]:
    """The exponential average of losses, its start unbiased.

    Args:
        losses: in order.

    Returns:
        As many values.

    Example:
        >>> [round(value, 3) for value in smoothed([2.0, 2.0, 0.0])]
        [2.0, 2.0, 1.262]
    """
    average, values = 0.0, []
    for count, loss in enumerate(losses, start=1):
        average = _SMOOTH * average + (1 - _SMOOTH) * loss
        values.append(average / (1 - _SMOOTH**count))
    return tuple(values)


def suggest(rates: tuple[float, ...], losses: list[float] | tuple[float, ...]) -> float:
    """The rate at which the smoothed loss falls fastest per factor of the rate.

    Args:
        rates: rising by one factor.
        losses: at each of them.

    Returns:
        One of the rates, at or before the lowest smoothed loss; where the loss never
        falls, a tenth of the rate of its lowest value.

    Example:
        >>> rates = tuple(10.0**k for k in range(-8, 4))
        >>> suggest(rates, [9, 9, 9, 9, 9, 9, 9, 8, 1, 1, 1, 90])
        1.0
    """
    curve = smoothed(losses)
    first = min(_SKIP, len(curve) - 1)
    lowest = min(range(first, len(curve)), key=curve.__getitem__)
    slopes = {k: curve[k] - curve[k - 1] for k in range(first + 1, lowest + 1)}
    if not slopes or min(slopes.values()) >= 0:
        return max(rates[lowest] / 10, rates[0])
    return rates[min(slopes, key=slopes.__getitem__)]
