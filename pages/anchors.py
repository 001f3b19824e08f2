"""Anchors: where can a detector look?"""

import streamlit as st

from pages.shared import knobs, show, snippets, widgets
from pages.shared import scene as scenes

scene = show.begin(
    "Anchors",
    "SSD looks at a fixed set of boxes, its anchors (the paper's default boxes, the ports' priors), "
    "laid out cell by cell on feature maps called levels.",
)
anchors = scenes.anchors_of(scene.config)
with st.container(horizontal=True, vertical_alignment="bottom"):
    level = widgets.level_picker(scene)
    shown = st.segmented_control(
        "Show",
        ("one cell", "whole level"),
        default="one cell",
        key="show",
        bind="query-params",
        required=True,
    )
    centres = st.toggle("Centres", key="centres", bind="query-params")
    field = st.toggle("Receptive field", key="field", bind="query-params")

picture, verdict = st.columns([2, 1], gap="medium")
cell = widgets.cell_of(scene, level)
seen = scenes.field_of(scene, cell) if field else None
with picture:
    show.scene_canvas(
        scene,
        mode="anchors",
        anchors=scenes.anchors_blob_of(scene.config),
        selected_anchor=cell.anchor,
        hidden_levels=widgets.other_levels(scene, level),
        cell_only=shown == "one cell",
        grid_level=cell.level,
        centres=centres,
        receptive_field=None if seen is None else seen.box,
        editable=False,
        max_height_px=500,
    )
with verdict:
    show.three_numbers(
        [
            ("anchors", f"{len(anchors):,}", "Every one of them gets a code and a score for each class."),
            (f"on level {cell.level}", f"{anchors.per_level[cell.level]:,}", "Cells times anchors a cell."),
            ("a cell", f"{len(scene.config.levels()[cell.level].shapes_wh)}", "Shapes around each centre."),
        ]
    )
    numbers, turn, sees = st.tabs(("shapes", "knobs", "receptive field"), key="side", bind="query-params")
    with numbers:
        if numbers.open:
            show.chart(
                "scale_figure",
                scene.config.levels(),
                chosen=cell.level,
                alt="Width and height of every shape",
            )
    with turn:
        st.session_state["knob_level"] = cell.level
        knobs.draw_knobs(scene, cell.level)
    with sees:
        show.sentences(widgets.field_sentences(scene, cell))

levels = st.expander(
    "All levels side by side", icon=":material/view_module:", key="all_levels", on_change="rerun"
)
if levels.open:
    levels.image(
        show.level_panels(scene), width="stretch", alt="The picture once for each level, with its anchors"
    )
table = st.expander("The scale table", icon=":material/table:", key="scale_table", on_change="rerun")
if table.open:
    table.table(show.scale_rows(scene), alt="Levels with grid, step, sizes and number of anchors")
show.details(
    why="""
Level *k* is a feature map of $f_k × f_k$ cells. Around the centre of each cell stand a few boxes: a square of
size $s_k$, a square of the extra size $\\sqrt{s_k s_{k+1}}$, and for every aspect ratio $a_r$ a box of width
$s_k\\sqrt{a_r}$ and height $s_k/\\sqrt{a_r}$. The paper spreads the sizes evenly,
$s_k = s_{min} + \\frac{s_{max}-s_{min}}{m-1}(k-1)$; Caffe's SSD300 writes them down in pixels.
The lesson uses grids × zooms × ratios instead.

*Liu et al., SSD: Single Shot MultiBox Detector, ECCV 2016, section 2.2.*""",
    think="""
**Do anchors move or learn?** No. They are the same on every picture, before and after training. What is
learned is a correction for each, and a score.

**Is an anchor as large as what its cell can see?** No: switch on the receptive field. A cell sees far more
than its anchors, and it must, to know what lies beside an object.""",
    code=snippets.anchors_code(scene),
)
show.inspector(scene, cell.anchor)
