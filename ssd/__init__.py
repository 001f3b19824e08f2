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
    "decode": "coding",
    "encode": "coding",
    "ANCHOR_PRESETS": "config",
    "BACKGROUND": "config",
    "IGNORED": "config",
    "SELECTION_PRESETS": "config",
    "UNMATCHED": "config",
    "CoderConfig": "config",
    "GridAnchors": "config",
    "SelectionConfig": "config",
    "SizeAnchors": "config",
    "anchor_preset": "config",
    "unclipped": "config",
    "Detections": "detections",
    "Fate": "detections",
    "Selection": "detections",
    "select": "detections",
    "SSDError": "errors",
    "Assignment": "matching",
    "Match": "matching",
    "assign": "matching",
    "match": "matching",
    "Suppression": "nms",
    "suppress": "nms",
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
