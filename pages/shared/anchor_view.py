"""The parts of the Anchors page: its controls, the picture with one level on it, and what stands beside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from pages.shared import knobs, show, widgets
from pages.shared import scene as scenes
from pages.shared.ahead import anchors_ahead, knobs_ahead
from pages.shared.facts import facts
from pages.shared.scene import Scene
from pages.shared.tabs import open_tab
from pages.shared.widgets import Cell

if TYPE_CHECKING:
    from ssd.figures.canvas import CanvasView

SHAPES_WH = (280, 190)  # of the drawing of a level's shapes
WAYS = ("one cell", "whole level")
HINTS = (
    "Click another place on the picture to look from its cell, or press Shift with an arrow key.",
    "Click an anchor to follow it through the pipeline.",
)


@dataclass(frozen=True)
class View:
    """What the controls ask for."""

    level: int | None
    cell: Cell
    whole_level: bool
    centres: bool
    field: bool


def controls(scene: Scene) -> View:
    """One row: level, how much of it, and what is drawn with it."""
    kept = {"bind": "query-params", "persist_state": "session"}
    with st.container(horizontal=True, vertical_alignment="bottom", key="controls"):
        level = widgets.level_picker(scene)
        shown = st.segmented_control(
            "Show", WAYS, default=WAYS[0], key="show", required=True, width=180, **kept
        )
        centres = st.toggle("Centres", key="centres", **kept)
        field = st.toggle("Receptive field", key="field", **kept)
    return View(level, widgets.cell_of(scene, level), shown == WAYS[1], centres, field)


def picture(scene: Scene, view: View) -> CanvasView:
    """The picture with the anchors of one cell or of a level."""
    seen = scenes.field_of(scene, view.cell) if view.field else None
    shown = show.scene_canvas(
        scene,
        mode="anchors",
        anchors=scenes.anchors_blob_of(scene.config),
        selected_anchor=view.cell.anchor,
        hidden_levels=widgets.other_levels(scene, view.level),
        cell_only=not view.whole_level,
        grid_level=view.cell.level,
        centres=view.centres,
        receptive_field=None if seen is None else seen.box,
        editable=False,
        level_chips=False,
        ahead={
            **knobs_ahead(scene.config, level=view.cell.level),
            **({} if view.field else {"anchors": anchors_ahead()}),
            "level_choice": widgets.level_ahead(scene),
            "show": {way: {"cell_only": way == WAYS[0]} for way in WAYS},
            "centres": {"true": {"centres": True}, "false": {"centres": False}},
        },
        knobs=scene.config,
        max_height_px=500,
    )
    st.caption(HINTS[view.whole_level])
    return shown


def verdict(scene: Scene, view: View) -> None:
    """How many there are, and three tabs of which only the open one is made."""
    anchors, cell = scenes.anchors_of(scene.config), view.cell
    shapes = scene.config.levels()[cell.level].shapes_wh
    facts(
        key="numbers",
        numbers=[
            ("anchors", f"{len(anchors):,}", "Every one of them gets a code and a score for each class."),
            (f"on level {cell.level}", f"{anchors.per_level[cell.level]:,}", "Cells times anchors a cell."),
            ("a cell", f"{len(shapes)}", "Shapes around each centre."),
        ],
    )
    st.session_state["knob_level"] = cell.level
    open_tab(
        {
            "shapes": lambda: _draw_shapes(scene, cell.level),
            "knobs": lambda: knobs.draw_knobs(scene, cell.level),
            "receptive field": lambda: facts(key="sees", lines=widgets.field_sentences(scene, cell)),
        },
        key="side",
    )


def _draw_shapes(scene: Scene, level: int) -> None:
    """The shapes of a level around one centre, to scale; the other levels' stay faint."""
    from ssd.figures.thumbnails import BoxLayer, fitted_wh, picture_thumbnail

    levels = scene.config.levels()
    others = [shape for k, each in enumerate(levels) if k != level for shape in each.shapes_wh]
    layers = [BoxLayer("negative", _centred(others)), BoxLayer("cell", _centred(levels[level].shapes_wh))]
    width, height = fitted_wh(scene.size_wh, within_wh=SHAPES_WH)
    small = scenes.small_of(scene)
    svg = picture_thumbnail(small, width_px=width, height_px=height, layers=layers)
    st.image(svg, width=width, alt=f"The shapes of level {level} around one centre, over the picture")
    sizes = " · ".join(f"{w:.2f} × {h:.2f}" for w, h in levels[level].shapes_wh)
    st.caption(f"Level {level} to scale, other levels grey. Width × height, of the picture: {sizes}")


def _centred(shapes_wh: list[tuple[float, float]] | tuple[tuple[float, float], ...]) -> list[tuple]:
    """Boxes of these sizes around the middle of the picture."""
    return [(0.5 - w / 2, 0.5 - h / 2, 0.5 + w / 2, 0.5 + h / 2) for w, h in shapes_wh]


def level_tables(scene: Scene) -> None:
    """All levels side by side, and the scale table; made when they are opened."""
    levels = st.expander(
        "All levels side by side", icon=":material/view_module:", key="all_levels", on_change="rerun"
    )
    if levels.open:
        alt = "The picture once for each level, with its anchors"
        levels.image(show.level_panels(scene), width="stretch", alt=alt)
    table = st.expander("The scale table", icon=":material/table:", key="scale_table", on_change="rerun")
    if table.open:
        table.table(show.scale_rows(scene), alt="Levels with grid, step, sizes and number of anchors")
