"""Curves of a run for a page: few points that stand for many steps."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ssd.training.run_reader import RunHistory

__all__ = ["MOST_POINTS", "Curve", "column_curve", "recent_mean", "thinned", "top_of"]

MOST_POINTS = 500  # of a curve on a page
_RECENT = 50  # steps that "now" means
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Curve:
    """Many numbers as few points: each stands for a stretch of steps.

    Attributes:
        steps: the last step of each stretch.
        mean: of its numbers.
        low: the smallest of them.
        high: the largest of them.
        stretch: steps that one point stands for, at most.
    """

    steps: tuple[int, ...]
    mean: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    stretch: int


def thinned(steps: NDArray[np.int64], values: Floats, *, most: int = MOST_POINTS) -> Curve:
    """At most that many points; no peak is lost, it stays in ``high``.

    Args:
        steps: rising.
        values: one a step; those that are not finite are left out.
        most: points.

    Returns:
        The curve.

    Example:
        >>> thinned(np.array([1, 2, 3, 4]), np.array([4.0, 2.0, 1.0, 9.0]), most=2).mean
        (3.0, 5.0)
    """
    there = np.isfinite(values)
    steps, values = steps[there], values[there]
    if not len(values):
        return Curve((), (), (), (), 0)
    stretch = -(-len(values) // most)
    starts = np.arange(0, len(values), stretch)
    ends = np.minimum(starts + stretch, len(values))
    mean = np.add.reduceat(values, starts) / (ends - starts)
    low, high = np.minimum.reduceat(values, starts), np.maximum.reduceat(values, starts)
    return Curve(
        steps=tuple(steps[ends - 1].tolist()),
        mean=tuple(mean.tolist()),
        low=tuple(low.tolist()),
        high=tuple(high.tolist()),
        stretch=stretch,
    )


def column_curve(history: RunHistory, name: str) -> Curve:
    """One number of a run, step by step.

    Args:
        history: of the run.
        name: one of ``ssd.training.run_reader.COLUMNS``.

    Returns:
        At most ``MOST_POINTS`` points.
    """
    return thinned(history.steps, history.columns[name])


def recent_mean(history: RunHistory, name: str) -> float | None:
    """What a number of a run is now: its mean over the last steps.

    Args:
        history: of the run.
        name: one of ``ssd.training.run_reader.COLUMNS``.

    Returns:
        The mean of the last 50 that are finite; ``None`` where there is none.
    """
    values = history.columns[name]
    values = values[np.isfinite(values)][-_RECENT:]
    return float(values.mean()) if len(values) else None


def top_of(curves: Iterable[Curve]) -> float | None:
    """Where an axis ends on which all these curves can be compared.

    Args:
        curves: any number.

    Returns:
        A twentieth above the highest point; ``None`` where there is none.

    Example:
        >>> top_of([Curve((1,), (2.0,), (2.0,), (2.0,), 1)])
        2.1
    """
    highest = max((value for curve in curves for value in curve.mean), default=None)
    return None if highest is None or highest <= 0 else highest * 1.05
