"""The limits of a selection, as the controls of the Detections page have them."""

from __future__ import annotations

import streamlit as st

from pages.shared import state
from ssd.config import SELECTION_PRESETS, SelectionConfig

FLOOR = 0.01  # lowest score threshold of the canvas's slider
PRESETS = ("display", "evaluation")


def limits() -> SelectionConfig:
    """NMS, top-k and cap as the controls have them; the score threshold at its floor."""
    usual, kept = SelectionConfig(), {"bind": "query-params", "persist_state": "session"}
    name = st.segmented_control(
        "Limits", PRESETS, default="display", key="preset", on_change=_use_preset, required=True, **kept
    )
    nms = st.slider("NMS threshold", 0.05, 0.95, usual.nms_threshold, 0.05, key="nms", width=190, **kept)
    with st.popover("Top-k, classes"):
        top_k = st.number_input("Top-k of each class", 1, 1000, usual.top_k, 50, key="topk", **kept)
        agnostic = st.toggle("NMS among all classes together", key="agnostic", **kept)
    cap = SELECTION_PRESETS[name].max_detections
    return SelectionConfig(FLOOR, nms_threshold=nms, top_k=top_k, max_detections=cap, class_agnostic=agnostic)


def _use_preset() -> None:
    """The named limits of papers (evaluation) or of people who look (display)."""
    preset = SELECTION_PRESETS[st.session_state["preset"]]
    state.keep("score", f"{preset.score_threshold:g}")
    st.session_state.update(nms=preset.nms_threshold, topk=preset.top_k, agnostic=preset.class_agnostic)


def score() -> float:
    """The score threshold of the canvas's slider."""
    return max(state.kept_share("score", default=SELECTION_PRESETS["display"].score_threshold), FLOOR)
