"""The scene on the canvas, and what the visitor does there: into the state."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.shared import scene as scenes
from pages.shared import state
from pages.shared.ahead import choices, matching_ahead
from pages.shared.limits import take_limits
from pages.shared.scene import Scene
from ssd.config import MATCHING_RULES

if TYPE_CHECKING:
    from ssd.figures.canvas import CanvasView
    from ssd.figures.canvas_events import CanvasEvents
    from ssd.figures.words import Contest

_MATCHING_AHEAD = {
    "threshold": "threshold",
    "rule": {rule: {"matching": {"rule": rule}} for rule in MATCHING_RULES},
    "strict": {"true": {"matching": {"strict": True}}, "false": {"matching": {"strict": False}}},
}
_HEARD = ("anchors", *_MATCHING_AHEAD)  # widgets of the sidebar whose value is what the page shows of them


def scene_canvas(
    scene: Scene,
    *,
    live: bool = False,
    known: Sequence[str] | None = None,
    key: str = "canvas",
    on_event: Callable[[CanvasEvents], None] | None = None,
    ahead: Mapping[str, Any] | None = None,
    **view: Any,
) -> CanvasView:
    """The scene on the canvas; what the visitor does there goes into the state.

    Args:
        scene: whose picture and objects.
        live: the browser matches while an object or the match threshold is dragged.
        known: classes that count; objects of others are shown as ignored.
        key: of the canvas; another key makes another canvas.
        on_event: hears of it in the place of :func:`take_events`.
        ahead: other widgets that it follows at once, as in ``canvas.box_canvas``; with ``live``
            those of the matching are among them.
        view: what else the canvas shows.

    Returns:
        All that it shows.
    """
    from pages.shared.canvas import box_canvas
    from ssd.figures.canvas import CanvasView, LiveMatching, canvas_payload
    from ssd.figures.scene_views import canvas_objects

    names = scene.class_names
    levels = state.kept_indices("levels", below=len(scene.config.levels()))
    classes = state.kept_indices("classes", below=len(names))
    settings = {
        "scene": scene.digest,
        "picture": scenes.picture_of(scene),
        "objects": canvas_objects(scene.sample.target, class_names=names, known=known),
        "class_names": names,
        "selected_anchor": scene.anchor,
        "selected_object": scene.object,
        "hidden_levels": levels,
        "hidden_classes": [names[index] for index in classes],
        **view,
    }
    if live:
        settings["matching"] = LiveMatching(rule=scene.rule, threshold=scene.threshold, strict=scene.strict)
        settings.setdefault("threshold_slider", True)
    shown = CanvasView(**settings)
    followed = {**(ahead or {}), **({**_MATCHING_AHEAD, "anchors": matching_ahead()} if live else {})}
    box_canvas(
        canvas_payload(shown),
        key=key,
        on_event=on_event or take_events,
        ahead=followed,
        choices=choices() if "anchors" in followed else None,
        heard={key: st.session_state[key] for key in _HEARD if key in followed and key in st.session_state},
    )
    return shown


def matching_canvas(scene: Scene, *, mode: str) -> CanvasView:
    """The canvas that matches while an object or the match threshold is dragged."""
    return scene_canvas(
        scene,
        live=True,
        mode=mode,
        anchors=scenes.anchors_blob_of(scene.config),
        editable=True,
        panel=True,
        max_height_px=500,
    )


def take_events(events: CanvasEvents) -> None:
    """What the visitor did on the canvas, into the state; runs before the script."""
    from pages.shared.picker import step

    scene = st.session_state["scene"]
    if events.step:
        step(events.step)
        st.rerun()
    if events.scene != scene.digest:
        return
    if "objects" in events.changed:
        objects = [(each.name, each.box) for each in events.objects if not each.ignored]
        state.keep("objects", scenes.drawn_text(objects))
    for field, key in (
        ("selected_anchor", "anchor"),
        ("selected_object", "object"),
        ("selected_detection", "detection"),
    ):
        if field in events.changed:
            state.keep(key, _index_text(getattr(events, field)))
    for name in ("score", "ratio", "travel"):
        if name in events.changed and (value := getattr(events, name)) is not None:
            state.keep(name, f"{value:.6g}")
    take_limits(events)
    if "hidden_levels" in events.changed:
        state.keep("levels", state.indices_text(events.hidden_levels))
    if "hidden_classes" in events.changed:
        hidden = [
            scene.class_names.index(name) for name in events.hidden_classes if name in scene.class_names
        ]
        state.keep("classes", state.indices_text(hidden))
    if "threshold" in events.changed and events.threshold is not None:
        low, high = scenes.THRESHOLDS
        st.session_state["threshold"] = min(max(round(events.threshold, 2), low), high)
    if events.changed & {"objects", "threshold"}:
        st.rerun()  # the sidebar shows them too


def _index_text(index: int | None) -> str | None:
    return None if index is None else str(index)


def contest_canvas(scene: Scene, contest: Contest) -> None:
    """Only the contested anchor, without telling whose it is."""
    scene_canvas(
        scene,
        mode="anchors",
        anchors=scenes.anchors_blob_of(scene.config),
        selected_anchor=contest.anchor,
        cell_only=True,
        editable=False,
        max_height_px=460,
    )
