"""Anchors fitted to a data set: differential evolution, started from k-means, a step at a time."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from ssd.config import AnchorConfig, AnchorPreset, MatchingRule
from ssd.coverage.fit_score import FitScore, Objective
from ssd.coverage.fit_space import FitSpace, Matrix, Vector, fit_space, k_means
from ssd.data.object_table import ObjectTable
from ssd.errors import ConfigError, DataError

__all__ = ["FitStep", "fit_anchors"]

_TOO_MANY = 9.0  # loss of anchors that exceed the budget: worse than any that keep it (at most 6)
_SPREAD = 0.15  # of the members that begin around a known point, in logarithms
_DIGITS = 10  # to which two vectors are the same


@dataclass(frozen=True)
class FitStep:
    """Where fitting stands; the best so far is always here, so it can be stopped at any step.

    Attributes:
        generation: how many generations are done; 0 before the first.
        generations: of the whole fit.
        evaluations: configurations that were measured so far.
        start: the preset to start from.
        anchors: the best so far, by the loss on the objects that are fitted.
        before: score of ``start`` on those objects.
        after: score of ``anchors`` on them.
        held_out_before: score of ``start`` on objects that fitting never sees.
        held_out: score of ``anchors`` on them.
    """

    generation: int
    generations: int
    evaluations: int
    start: AnchorPreset
    anchors: AnchorConfig
    before: FitScore
    after: FitScore
    held_out_before: FitScore | None
    held_out: FitScore | None

    def preset(self, name: str) -> AnchorPreset:
        """The best so far as a preset.

        Args:
            name: of the new preset.

        Returns:
            With the threshold and the coder of the start.
        """
        objects = f"{self.after.num_objects:,} objects"
        source = f"fitted from {self.start.name} to {objects}, {self.evaluations:,} configurations measured"
        return replace(self.start, name=name, anchors=self.anchors, source=source)


def fit_anchors(
    objects: ObjectTable,
    *,
    start: AnchorPreset,
    held_out: ObjectTable | None = None,
    rule: MatchingRule = "bipartite",
    threshold: float | None = None,
    generations: int = 60,
    population: int = 24,
    keep_grids: bool = False,
    seed: int = 0,
) -> Iterator[FitStep]:
    """Fit the numbers of a preset to a data set, with as many boxes a cell as it has.

    The loss is what the mean best jaccard lacks to 1, plus five times the share of objects that
    no free anchor answers for: both on the true grid and by the matching rule.

    Args:
        objects: to fit to.
        start: the anchors to start from, at training size.
        held_out: objects that are only measured.
        rule: the matching rule.
        threshold: match threshold; ``None``: the preset's.
        generations: rounds of differential evolution; the default takes about half a minute
            for 3,000 objects.
        population: configurations of a round, at least 5.
        keep_grids: the lesson's grids stay, so that the same network can be trained.
        seed: of all chance; the same seed gives the same anchors.

    Yields:
        The start, then every generation's best.

    Raises:
        DataError: there is no object to fit to.
        ConfigError: a number is out of range.

    Source:
        Storn and Price, Differential Evolution, 1997; SciPy, differential_evolution.

    Example:
        >>> import torch
        >>> from ssd.config import GridAnchors
        >>> from ssd.data.object_table import object_table
        >>> from ssd.data.records import make_target
        >>> target = make_target(torch.tensor([[0.1, 0.1, 0.2, 0.4]]), torch.tensor([1]))
        >>> start = AnchorPreset("cells", GridAnchors(grids=(4,)), "an example")
        >>> steps = list(fit_anchors(object_table([target], class_names=("a",)), start=start, generations=9))
        >>> len(steps), steps[-1].after.mean_best_jaccard > steps[0].after.mean_best_jaccard
        (10, True)
    """
    if len(objects) == 0:
        raise DataError("Anchors can be fitted to at least one object, found none; choose another split.")
    if generations < 1 or population < 5:
        raise ConfigError(
            f"Fitting needs a generation and 5 configurations, got {generations} and {population}."
        )
    limit = start.threshold if threshold is None else threshold
    fitted = Objective(objects, rule=rule, threshold=limit)
    unseen = None if held_out is None else Objective(held_out, rule=rule, threshold=limit)
    return _steps(fitted, unseen, start, generations, population, keep_grids, seed)


def _steps(
    fitted: Objective,
    unseen: Objective | None,
    start: AnchorPreset,
    generations: int,
    population: int,
    keep_grids: bool,
    seed: int,
) -> Iterator[FitStep]:
    """The steps of :func:`fit_anchors`."""
    before = fitted.score(start.anchors)
    held_out = None if unseen is None else unseen.score(start.anchors)
    step = FitStep(0, generations, 1, start, start.anchors, before, before, held_out, held_out)
    yield step
    space = fit_space(start.anchors, keep_grids=keep_grids)
    memory = _Memory(fitted, space)
    wh = (fitted.objects.boxes[:, 2:] - fitted.objects.boxes[:, :2]).double().numpy()
    rng = np.random.default_rng(seed)
    members = _first_members(space, k_means(start.anchors, wh), population, rng)
    for number in range(1, generations + 1):
        members = _next_members(space, members, memory.losses, rng)
        step = replace(step, generation=number, evaluations=memory.evaluations)
        if memory.best is not None and memory.best.score.loss < step.after.loss:
            anchors = memory.best.config
            step = replace(step, anchors=anchors, after=memory.best.score)
            step = replace(step, held_out=None if unseen is None else unseen.score(anchors))
        yield step


@dataclass(frozen=True)
class _Tried:
    """A configuration and its score."""

    config: AnchorConfig
    score: FitScore


class _Memory:
    """Losses of vectors; what was measured once is not measured again.

    A trial replaces the member in its place only where it is not worse. So its exact loss is
    of no use where the best case is worse already.
    """

    def __init__(self, objective: Objective, space: FitSpace) -> None:
        self.objective, self.space = objective, space
        self.known: dict[bytes, float] = {}
        self.members = np.zeros(0)  # losses of the members that the next trials meet
        self.evaluations = 1  # the start
        self.best: _Tried | None = None

    def losses(self, vectors: Matrix) -> Vector:
        """Of each column: of the members, or of a trial against each."""
        known = [self.known.get(_key(vector)) for vector in vectors.T]
        if len(self.members) and None not in known:  # SciPy asks for the members again
            self.members = np.array(known)
            return self.members
        limits = self.members if len(self.members) else np.full(vectors.shape[1], math.inf)
        pairs = zip(vectors.T, known, limits.tolist(), strict=True)
        found = [self._measured(vector, limit) if loss is None else loss for vector, loss, limit in pairs]
        if len(self.members) == 0:
            self.members = np.array(found)
        return np.array(found)

    def _measured(self, vector: Vector, limit: float) -> float:
        """Measure a configuration; remember it where the loss is exact, and the best of all."""
        config = self.space.config(vector)
        if config is None:
            return _TOO_MANY
        score = self.objective.score(config, limit=limit)
        self.evaluations += 1
        if score.loss <= limit:
            self.known[_key(vector)] = score.loss
            if self.best is None or score.loss < self.best.score.loss:
                self.best = _Tried(config, score)
        return score.loss


def _key(vector: Vector) -> bytes:
    """A vector up to rounding."""
    return np.round(vector, _DIGITS).tobytes()


def _first_members(space: FitSpace, clusters: AnchorConfig, count: int, rng: np.random.Generator) -> Matrix:
    """The start, the clusters, members around both, and some from anywhere."""
    low, high = np.array(space.low), np.array(space.high)
    known = [space.vector(space.start), space.vector(clusters)]
    members = [*known]
    for number in range(len(members), count):
        if number % 4 == 3:
            members.append(rng.uniform(low, high))
        else:
            members.append(known[number % 2] + rng.normal(0, _SPREAD, len(low)))
    return np.clip(np.array(members), low, high)


def _next_members(
    space: FitSpace,
    members: Matrix,
    losses: Callable[[Matrix], Vector],
    rng: np.random.Generator,
) -> Matrix:
    """One generation; SciPy asks again for the losses of the members, which are remembered."""
    from scipy.optimize import Bounds, differential_evolution

    result = differential_evolution(
        losses,
        Bounds(np.array(space.low), np.array(space.high)),
        init=members,
        maxiter=1,
        tol=0,
        atol=0,
        recombination=0.9,
        polish=False,
        updating="deferred",
        vectorized=True,
        integrality=np.array(space.whole),
        rng=rng,
    )
    found: Matrix = result.population
    return found
