"""Every number of a paper, once, with its source; and the named presets.

The ground floor takes plain keyword values; these frozen dataclasses carry them.
A slider's start value is the preset's.
"""

from __future__ import annotations

from ssd.config.anchors import (
    AnchorConfig,
    AnchorLevel,
    AnchorSizes,
    ClipRule,
    GridAnchors,
    SizeAnchors,
    caffe_anchors,
    scale_formula,
    scaled_anchors,
    square_grids,
    unclipped,
)
from ssd.config.any_preset import anchor_preset, anchor_preset_names, any_preset, any_preset_names
from ssd.config.coding import CoderConfig
from ssd.config.constants import BACKGROUND, IGNORE_JACCARD, IGNORED, MATCHING_RULES, UNMATCHED, MatchingRule
from ssd.config.preset_files import preset_paths, preset_to_toml, read_preset, validate_preset_name
from ssd.config.presets import ANCHOR_PRESETS, AnchorPreset
from ssd.config.pyramid import PYRAMID_PRESETS, PyramidAnchors, PyramidPreset, pyramid_for_picture
from ssd.config.selection import NMS_KINDS, SELECTION_PRESETS, NmsKind, SelectionConfig
from ssd.config.sides import anchors_for_side, grids_for_size

__all__ = [
    "ANCHOR_PRESETS",
    "BACKGROUND",
    "IGNORED",
    "IGNORE_JACCARD",
    "MATCHING_RULES",
    "NMS_KINDS",
    "PYRAMID_PRESETS",
    "SELECTION_PRESETS",
    "UNMATCHED",
    "AnchorConfig",
    "AnchorLevel",
    "AnchorPreset",
    "AnchorSizes",
    "ClipRule",
    "CoderConfig",
    "GridAnchors",
    "MatchingRule",
    "NmsKind",
    "PyramidAnchors",
    "PyramidPreset",
    "SelectionConfig",
    "SizeAnchors",
    "anchor_preset",
    "anchor_preset_names",
    "anchors_for_side",
    "any_preset",
    "any_preset_names",
    "caffe_anchors",
    "grids_for_size",
    "preset_paths",
    "preset_to_toml",
    "pyramid_for_picture",
    "read_preset",
    "scale_formula",
    "scaled_anchors",
    "square_grids",
    "unclipped",
    "validate_preset_name",
]
