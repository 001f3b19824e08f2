"""The limits of a selection: a named set above the picture, each of them live on the canvas."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import streamlit as st

from pages.shared import state
from ssd.config import NMS_KINDS, SELECTION_PRESETS, SelectionConfig

if TYPE_CHECKING:
    from ssd.figures.canvas_events import CanvasEvents

FLOOR = 0.01  # lowest score threshold of the canvas's slider
PRESETS = ("display", "evaluation")
MOST = 1000  # of top-k and cap: more are not offered
_KEYS = {
    "nms": "nms",
    "top_k": "topk",
    "cap": "cap",
    "agnostic": "agnostic",
    "nms_kind": "nmskind",
    "sigma": "sigma",
}


def limits() -> SelectionConfig:
    """All but the score threshold, which stands at its floor: as the link has them, else as the preset."""
    name = st.segmented_control(
        "Limits",
        PRESETS,
        default="display",
        key="preset",
        on_change=_use_preset,
        required=True,
        bind="query-params",
        persist_state="session",
    )
    return limits_of(SELECTION_PRESETS[name])


def limits_of(usual: SelectionConfig) -> SelectionConfig:
    """What the visitor moved, over the usual limits; what is no number in range is left out."""
    kept = state.kept()
    return SelectionConfig(
        FLOOR,
        nms_threshold=_number("nms", low=0.05, most=0.95, usual=usual.nms_threshold),
        top_k=int(_number("topk", low=1, most=MOST, usual=usual.top_k)),
        max_detections=int(_number("cap", low=1, most=MOST, usual=usual.max_detections)),
        class_agnostic=kept.get("agnostic", str(usual.class_agnostic)).lower() == "true",
        nms_kind=next((kind for kind in NMS_KINDS if kind == kept.get("nmskind")), usual.nms_kind),
        soft_sigma=_number("sigma", low=0.05, most=2.0, usual=usual.soft_sigma),
    )


def _number(key: str, *, low: float, most: float, usual: float) -> float:
    text = state.kept().get(key, "")
    try:
        value = float(text) if len(text) < 20 else math.nan
    except ValueError:
        value = math.nan
    return value if low <= value <= most else usual


def take_limits(events: CanvasEvents) -> None:
    """What was moved on the canvas, into the state; in a callback only."""
    for field, key in _KEYS.items():
        if field in events.changed and (value := getattr(events, field)) is not None:
            state.keep(key, f"{value:.6g}" if isinstance(value, float) else str(value))
    if "nms_step" in events.changed:
        state.keep("step", None if events.nms_step is None else str(events.nms_step))


def nms_step() -> int | None:
    """The step of NMS that the link shows; the canvas stops at the last there is."""
    return state.kept_index("step", below=10**9)


def _use_preset() -> None:
    """The named limits of papers (evaluation) or of people who look (display)."""
    preset = SELECTION_PRESETS[st.session_state["preset"]]
    state.keep("score", f"{preset.score_threshold:g}")
    state.forget(_KEYS.values())


def score() -> float:
    """The score threshold of the canvas's slider."""
    return max(state.kept_share("score", default=SELECTION_PRESETS["display"].score_threshold), FLOOR)
