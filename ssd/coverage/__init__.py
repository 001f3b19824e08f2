"""Anchors against a whole data set: which objects can SSD learn, before any model exists?

Every object meets every anchor of the true grid, and pictures are matched by the rule that
training uses.
"""

from __future__ import annotations

from ssd.coverage.causes import CAUSES, Cause, WorstObject, cause_counts, lifted_jaccards, worst_objects
from ssd.coverage.fit_score import FitScore, Objective
from ssd.coverage.fitting import FitStep, fit_anchors
from ssd.coverage.maps import RecallCurve, SizeMap, best_jaccards, recall_curves, size_map, square_recall
from ssd.coverage.matched import coverage
from ssd.coverage.records import RATIOS, SIDES_PX, Coverage, Group
from ssd.coverage.sizes import Grid, anchors_at_size, grids, preset_coverage, training_size
from ssd.coverage.verdict import verdict

__all__ = [
    "CAUSES",
    "RATIOS",
    "SIDES_PX",
    "Cause",
    "Coverage",
    "FitScore",
    "FitStep",
    "Grid",
    "Group",
    "Objective",
    "RecallCurve",
    "SizeMap",
    "WorstObject",
    "anchors_at_size",
    "best_jaccards",
    "cause_counts",
    "coverage",
    "fit_anchors",
    "grids",
    "lifted_jaccards",
    "preset_coverage",
    "recall_curves",
    "size_map",
    "square_recall",
    "training_size",
    "verdict",
    "worst_objects",
]
