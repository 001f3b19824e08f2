"""The evaluation room: a model over many pictures, for the metrics, and why objects were missed."""

from __future__ import annotations

from ssd.evaluation.compared import Changed, ObjectPlace, changed_objects
from ssd.evaluation.detection_files import read_detections
from ssd.evaluation.handed_over import HandedOver, coco_files
from ssd.evaluation.missed import MISSED_VERDICTS, MissedObject, MissedReport, MissedTable, missed_objects
from ssd.evaluation.raw import Progress, RawOutputs, raw_outputs
from ssd.evaluation.results import Pictures, picture_result, results
from ssd.evaluation.truth import image_ids, read_truth

__all__ = [
    "MISSED_VERDICTS",
    "Changed",
    "HandedOver",
    "MissedObject",
    "MissedReport",
    "MissedTable",
    "ObjectPlace",
    "Pictures",
    "Progress",
    "RawOutputs",
    "changed_objects",
    "coco_files",
    "image_ids",
    "missed_objects",
    "picture_result",
    "raw_outputs",
    "read_detections",
    "read_truth",
    "results",
]
