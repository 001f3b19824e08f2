"""What the anchors' own widgets change on a canvas before Python has answered: presets and knobs."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pages.shared import scene as scenes
from pages.shared import state
from ssd.config import (
    AnchorConfig,
    AnchorPreset,
    GridAnchors,
    anchor_preset,
    anchor_preset_names,
)

if TYPE_CHECKING:
    from ssd.figures.blobs import Blob

_OF_A_LEVEL = {
    "knob_size": "sizes_px",
    "knob_extra": "extra_sizes_px",
    "knob_cells": "grids_wh",
    "knob_step": "steps_px",
    "knob_wide": "ratios",
}


def presets() -> tuple[AnchorPreset, ...]:
    """All presets that the sidebar offers; those in files are read again."""
    return tuple(anchor_preset(name) for name in anchor_preset_names())


@lru_cache(maxsize=4)
def choices_of(configs: tuple[AnchorConfig, ...]) -> Blob:
    """The levels of some configurations: the browser makes the anchors of the one that is asked for."""
    from ssd.figures.blobs import choices_blob

    return choices_blob(configs)


def choices() -> Blob:
    """What the browser needs to follow the sidebar's presets."""
    return choices_of(tuple(preset.anchors for preset in presets()))


def matching_ahead() -> dict[str, dict[str, Any]]:
    """What each preset changes where the browser matches: its anchors, and the threshold of its source."""
    return {
        preset.name: {
            "anchors": scenes.anchors_blob_of(preset.anchors).digest,
            "selected_anchor": None,
            "threshold": preset.threshold,
            "matching": {"threshold": preset.threshold, "strict": is_strict(preset)},
        }
        for preset in presets()
    }


def is_strict(preset: AnchorPreset) -> bool:
    """Whether the preset's source asks for a jaccard above the threshold: the lesson does."""
    return preset.coder.kind == "tanh"


def anchors_ahead() -> dict[str, dict[str, Any]]:
    """What each preset changes where the anchors themselves are shown."""
    found = {}
    for preset in presets():
        anchor, level = _middle(preset.anchors)
        digest = scenes.anchors_blob_of(preset.anchors).digest
        found[preset.name] = {"anchors": digest, "selected_anchor": anchor, "grid_level": level}
    return found


def _middle(config: AnchorConfig) -> tuple[int, int]:
    """The first anchor in the middle of the level that is shown, and the level."""
    levels = config.levels()
    level = state.level_in_view(len(levels))
    before = sum(w * h * len(each.shapes_wh) for each in levels[:level] for w, h in [each.grid_wh])
    columns, rows = levels[level].grid_wh
    column, row = columns // 2, rows // 2
    cell = column * rows + row if isinstance(config, GridAnchors) else row * columns + column
    return before + cell * len(levels[level].shapes_wh), level


def knobs_ahead(config: AnchorConfig, *, level: int) -> dict[str, Any]:
    """Which number of the configuration each knob moves: of a level, or of all of them."""
    if isinstance(config, GridAnchors):
        return {f"knob_{field}": {"knob": field} for field in ("grids", "zooms", "ratios")}
    moved = {key: {"knob": field, "level": level} for key, field in _OF_A_LEVEL.items()}
    return {**moved, "knob_clip": {"knob": "clip"}}
