"""Every number of a paper, once, with its source; and the named presets.

The ground floor takes plain keyword values; these frozen dataclasses carry them.
A slider's start value is the preset's.
"""

from __future__ import annotations

from ssd.config.anchors import (
    AnchorConfig,
    AnchorLevel,
    ClipRule,
    GridAnchors,
    SizeAnchors,
    caffe_anchors,
    scale_formula,
    scaled_anchors,
    square_grids,
    unclipped,
)
from ssd.config.coding import CoderConfig
from ssd.config.constants import BACKGROUND, IGNORE_JACCARD, IGNORED, MATCHING_RULES, UNMATCHED, MatchingRule
from ssd.config.presets import ANCHOR_PRESETS, AnchorPreset, anchor_preset
from ssd.config.selection import SELECTION_PRESETS, SelectionConfig

__all__ = [
    "ANCHOR_PRESETS",
    "BACKGROUND",
    "IGNORED",
    "IGNORE_JACCARD",
    "MATCHING_RULES",
    "SELECTION_PRESETS",
    "UNMATCHED",
    "AnchorConfig",
    "AnchorLevel",
    "AnchorPreset",
    "ClipRule",
    "CoderConfig",
    "GridAnchors",
    "MatchingRule",
    "SelectionConfig",
    "SizeAnchors",
    "anchor_preset",
    "caffe_anchors",
    "scale_formula",
    "scaled_anchors",
    "square_grids",
    "unclipped",
]
