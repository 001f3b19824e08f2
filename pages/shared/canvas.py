"""The box canvas on a page: one call mounts it, one callback hears of it on release."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import streamlit as st

if TYPE_CHECKING:
    from ssd.figures.blobs import Blob
    from ssd.figures.canvas import CanvasPayload
    from ssd.figures.canvas_events import CanvasEvents

__all__ = ["box_canvas", "canvas_events"]


@cache
def component(name: str):
    """One of our browser components, registered once in this process."""
    from ssd.figures.canvas_source import page_css, page_script  # brings torch: not at the top of the app

    return st.components.v2.component(f"ssd_{name}", js=page_script(name), css=page_css(name) or None)


def box_canvas(
    payload: CanvasPayload,
    *,
    key: str,
    on_event: Callable[[CanvasEvents], None] | None = None,
    ahead: Mapping[str, Any] | None = None,
    choices: Blob | None = None,
    heard: Mapping[str, Any] | None = None,
) -> CanvasEvents:
    """Show a canvas.

    Args:
        payload: from ``ssd.figures.canvas.canvas_payload``.
        key: of the widget; one a page and place. Keep it while the picture changes.
        on_event: called before the next run of the script with what the visitor
            did. Write it into the scene there: then the whole run sees one scene,
            and the canvas gets it back unchanged.
        ahead: widgets, by key, that the canvas follows before Python has answered: the name of
            the setting that takes a slider's number, the knob that it turns, or what each value
            changes in the payload.
        choices: sets of anchors that ``ahead`` may name.
        heard: what some of those widgets showed when this payload was made: there it is Python
            that has the last word, which may have set more than the widget.

    Returns:
        The last report, whether new or not.
    """
    report, step = partial(_hear, key, on_event, False), partial(_hear, key, on_event, True)
    with st.container(gap=None):
        component("library")(key=f"{key}_library")
        for blob in (*payload.blobs, *([] if choices is None else [choices])):
            component("store")(key=f"{key}_{blob.data['kind']}", data={"digest": blob.digest, **blob.data})
        light = {**payload.light, "revision": canvas_events(key).revision, "ahead": ahead or {}}
        light["heard"] = heard or {}
        component("canvas")(key=key, data=light, on_view_change=report, on_step_change=step)
    return canvas_events(key)


def canvas_events(key: str) -> CanvasEvents:
    """What the canvas of that key reported last; nothing before it was shown."""
    from ssd.figures.canvas_events import read_events

    state = st.session_state.get(key) or {}
    return read_events(state.get("view"), state.get("step"))


def _hear(key: str, on_event: Callable[[CanvasEvents], None] | None, stepped: bool) -> None:
    """Pass a report on; with a step, nothing else is news."""
    if on_event is not None:
        events = canvas_events(key)
        on_event(replace(events, changed=frozenset()) if stepped else replace(events, step=0))
