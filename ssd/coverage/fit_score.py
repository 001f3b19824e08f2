"""How good anchors are for some objects: exact, on the true grid and by the true matching rule, and fast.

The best anchor of a shape is the one in the nearest cell (:mod:`ssd.coverage.nearest`). An object
can lose it only to another object of its picture that overlaps this anchor at least as much, or
(where the last object wins) that claims the same anchor as its best; only pictures where that can happen are
matched in full.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch

from ssd.anchors import make_anchors
from ssd.config import AnchorConfig, AnchorLevel, MatchingRule
from ssd.coverage.matched import coverage
from ssd.data.object_table import ObjectTable, some_objects

__all__ = ["FitScore", "Objective"]

_ROUNDING = 1e-5  # jaccards this close may be ordered either way in float32: match in full
_TOUCHING = 0.5  # from this threshold on only objects that touch can want one anchor
_SHARE_WEIGHT = 5.0  # an object that only force holds weighs as much as .05 of mean jaccard on each of 100


@dataclass(frozen=True)
class FitScore:
    """What anchors reach on some objects.

    Attributes:
        num_objects: how many there are.
        without_anchor: those whose best jaccard stays below the threshold.
        not_free: those held by forced anchors only, or by none, under the matching rule.
        mean_best_jaccard: over all objects; 0 without any.
    """

    num_objects: int
    without_anchor: int
    not_free: int
    mean_best_jaccard: float

    @property
    def share_without(self) -> float:
        """Share of the objects without an anchor at the threshold; 0 without objects."""
        return self.without_anchor / max(1, self.num_objects)

    @property
    def loss(self) -> float:
        """What fitting minimises: what the mean jaccard lacks to 1, and 5 × the share only force holds."""
        return _SHARE_WEIGHT * self.not_free / max(1, self.num_objects) + 1 - self.mean_best_jaccard


class Objective:
    """Scores anchors on one data set.

    In numpy, shape by shape: on arrays this small torch's threads would mostly wait for each
    other.

    Args:
        objects: the data set's.
        rule: the matching rule.
        threshold: the match threshold.
    """

    def __init__(self, objects: ObjectTable, *, rule: MatchingRule, threshold: float) -> None:
        self.objects, self.rule, self.threshold = objects, rule, threshold
        edges = objects.boxes.double().numpy().T  # x1, y1, x2, y2
        self._edges = edges
        self._middle, self._side = (edges[:2] + edges[2:]) / 2, edges[2:] - edges[:2]
        self._area = self._side.prod(axis=0)
        self._picture = objects.picture.numpy()
        touching = rule == "bipartite" and threshold >= _TOUCHING
        self._first, self._second = _pairs(self._picture, edges if touching else None)
        self._centres: dict[tuple[object, ...], np.ndarray] = {}

    def score(self, config: AnchorConfig, *, limit: float = math.inf) -> FitScore:
        """What these anchors reach, as ``coverage`` would find it.

        Args:
            config: the anchors at training size.
            limit: a loss that is of no use any more when it is exceeded.

        Returns:
            The score. Where the loss exceeds ``limit`` even if no object loses its anchor to
            another one, that best case: nothing is matched then.
        """
        if len(self.objects) == 0:
            return FitScore(0, 0, 0, 0.0)
        best, anchors = self._best(config)
        covered = best >= self.threshold
        free = covered.copy()
        best_case = _score(best, covered, free)
        if best_case.loss > limit:
            return best_case
        unsure = np.abs(best - self.threshold) < _ROUNDING
        asked = self._with_their_pictures(unsure | (covered & self._contested(best, anchors)))
        if asked.any():
            found = coverage(
                some_objects(self.objects, torch.from_numpy(asked.nonzero()[0])),
                make_anchors(config),
                size_wh=(1, 1),
                rule=self.rule,
                threshold=self.threshold,
                cores=1,
            )
            covered[asked] = found.covered.numpy()
            free[asked] = ~(found.forced_only | found.orphan).numpy()
        return _score(best, covered, free)

    def _best(self, config: AnchorConfig) -> tuple[np.ndarray, np.ndarray]:
        """Best jaccard of each object, and the edges of that anchor: (n,) and (4, n)."""
        best, edges = np.full(len(self.objects), -1.0), np.zeros((4, len(self.objects)))
        for level in config.levels():
            centre = self._nearest_centre(level)
            reach = self._side / 2 - np.abs(self._middle - centre)
            for shape in level.shapes_wh:
                wh = np.array(shape)[:, None]
                shared = np.minimum(np.minimum(self._side, wh), reach + wh / 2).clip(min=0).prod(axis=0)
                jaccard = shared / (self._area + wh.prod() - shared)
                better = jaccard > best
                best = np.where(better, jaccard, best)
                edges = np.where(better, np.concatenate([centre - wh / 2, centre + wh / 2]), edges)
        return best, edges

    def _nearest_centre(self, level: AnchorLevel) -> np.ndarray:
        """The centre nearest to each object, (2, n); the same for every shape that is tried."""
        key = (level.grid_wh, level.step_wh, level.first)
        if key not in self._centres:
            step, cells = np.array(level.step_wh)[:, None], np.array(level.grid_wh)[:, None]
            cell = (self._middle / step - level.first).round().clip(0, cells - 1)
            self._centres[key] = (cell + level.first) * step
        return self._centres[key]

    def _contested(self, best: np.ndarray, anchors: np.ndarray) -> np.ndarray:
        """Objects whose best anchor another one may get."""
        own, other = anchors[:, self._first], self._edges[:, self._second]
        sides = (np.minimum(own[2:], other[2:]) - np.maximum(own[:2], other[:2])).clip(min=0)
        shared = sides.prod(axis=0)
        areas = (own[2:] - own[:2]).prod(axis=0) + self._area[self._second]
        overlap = shared / (areas - shared)
        rival = overlap >= best[self._first] - _ROUNDING
        if self.rule != "bipartite":  # one of equals may be claimed, and of those that no anchor touches any
            rival |= overlap >= best[self._second] - _ROUNDING
        contested = np.zeros(len(best), dtype=bool)
        contested[self._first[rival]] = True
        return contested

    def _with_their_pictures(self, objects: np.ndarray) -> np.ndarray:
        """All objects of the pictures of some objects."""
        return np.isin(self._picture, self._picture[objects])


def _score(best: np.ndarray, covered: np.ndarray, free: np.ndarray) -> FitScore:
    """Counts of what was found for each object."""
    return FitScore(len(best), int((~covered).sum()), int((~free).sum()), float(best.mean()))


def _pairs(picture: np.ndarray, touching: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Every ordered pair of two objects of one picture; of those only that touch where edges are given.

    An anchor that overlaps each of two boxes by a jaccard of .5 holds half of itself in each:
    they touch.
    """
    starts = np.flatnonzero(np.diff(picture, prepend=-1))
    parts = []
    for group in np.split(np.arange(len(picture)), starts[1:]):
        first, second = np.meshgrid(group, group, indexing="ij")
        keep = first != second
        if touching is not None:
            a, b = touching[:, first], touching[:, second]
            keep &= (np.minimum(a[2:], b[2:]) >= np.maximum(a[:2], b[:2]) - _ROUNDING).all(axis=0)
        parts.append(np.stack([first[keep], second[keep]]))
    both = np.concatenate([np.zeros((2, 0), dtype=np.int64), *parts], axis=1)
    return both[0], both[1]
