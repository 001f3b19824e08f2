"""The metrics room: which detection found which object, and AP by its full name."""

from __future__ import annotations

from ssd.metrics.coco import COCO_NUMBERS, CocoReport, coco_ap, coco_report, coco_said, coco_truth
from ssd.metrics.confusion import Cell, Confusion, confusion
from ssd.metrics.curves import (
    METRICS,
    Curve,
    Envelope,
    Metric,
    OperatingPoint,
    overall_curve,
    precision_recall,
)
from ssd.metrics.judgement import Judgement, judge
from ssd.metrics.pairing import Hits, Judgeable, Pairing, pair_up
from ssd.metrics.reports import ApReport, average_precision
from ssd.metrics.results import PictureResult, above

__all__ = [
    "COCO_NUMBERS",
    "METRICS",
    "ApReport",
    "Cell",
    "CocoReport",
    "Confusion",
    "Curve",
    "Envelope",
    "Hits",
    "Judgeable",
    "Judgement",
    "Metric",
    "OperatingPoint",
    "Pairing",
    "PictureResult",
    "above",
    "average_precision",
    "coco_ap",
    "coco_report",
    "coco_said",
    "coco_truth",
    "confusion",
    "judge",
    "overall_curve",
    "pair_up",
    "precision_recall",
]
