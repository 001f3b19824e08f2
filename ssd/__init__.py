"""SSD Explorer's package: anchors, matching, losses, detections, and the training of the networks.

Names are loaded when they are first used, so that ``import ssd`` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOME = {
    "Anchors": "anchors",
    "make_anchors": "anchors",
    "area": "boxes",
    "clip": "boxes",
    "cxcywh_to_xyxy": "boxes",
    "from_pixels": "boxes",
    "jaccard": "boxes",
    "paired_jaccard": "boxes",
    "to_pixels": "boxes",
    "xyxy_to_cxcywh": "boxes",
    "read_weights": "checkpoints",
    "write_weights": "checkpoints",
    "decode": "coding",
    "encode": "coding",
    "ANCHOR_PRESETS": "config",
    "BACKGROUND": "config",
    "CoderConfig": "config",
    "GridAnchors": "config",
    "IGNORED": "config",
    "SELECTION_PRESETS": "config",
    "SelectionConfig": "config",
    "SizeAnchors": "config",
    "UNMATCHED": "config",
    "anchor_preset": "config",
    "unclipped": "config",
    "Coverage": "coverage",
    "anchors_at_size": "coverage",
    "DataSet": "data.folders",
    "open_dataset": "data.folders",
    "Detections": "detections",
    "Fate": "detections",
    "Selection": "detections",
    "select": "detections",
    "Cover": "diagnosis",
    "Diagnosis": "diagnosis",
    "FalsePositive": "diagnosis",
    "FalsePositives": "diagnosis",
    "TrainingCover": "diagnosis",
    "Verdict": "diagnosis",
    "diagnose": "diagnosis",
    "false_positives": "diagnosis",
    "lifted": "diagnosis",
    "training_cover": "diagnosis",
    "SSDError": "errors",
    "MissedReport": "evaluation",
    "RawOutputs": "evaluation",
    "missed_objects": "evaluation",
    "raw_outputs": "evaluation",
    "read_detections": "evaluation",
    "read_truth": "evaluation",
    "LossConfig": "losses",
    "LossReport": "losses",
    "detection_loss": "losses",
    "hard_negatives": "losses",
    "Assignment": "matching",
    "BatchAssignment": "matching",
    "Match": "matching",
    "assign": "matching",
    "assign_batch": "matching",
    "match": "matching",
    "ApReport": "metrics",
    "CocoReport": "metrics",
    "Confusion": "metrics",
    "Curve": "metrics",
    "Judgement": "metrics",
    "PictureResult": "metrics",
    "above": "metrics",
    "average_precision": "metrics",
    "coco_report": "metrics",
    "confusion": "metrics",
    "judge": "metrics",
    "precision_recall": "metrics",
    "MODEL_PRESETS": "model_presets",
    "model_preset": "model_presets",
    "RawPredictions": "models.network",
    "build_model": "models.network",
    "SoftSuppression": "nms",
    "Suppression": "nms",
    "suppress": "nms",
    "suppress_softly": "nms",
    "PictureOutput": "prediction",
    "Predictor": "prediction",
}
__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    """Load a public name from the module that owns it."""
    if name not in _HOME:
        raise AttributeError(f"module 'ssd' has no attribute {name!r}")
    return getattr(importlib.import_module(f"ssd.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    """All public names."""
    return sorted(__all__)
