"""Assignment: what is each anchor told to predict?"""

import streamlit as st

from pages.shared import scene as scenes
from pages.shared import show, snippets, widgets

scene = show.begin(
    "Assignment",
    "Positive anchors are told their object's class and box, negative ones background, ignored ones nothing.",
)
with st.container(horizontal=True, vertical_alignment="bottom"):
    threshold = widgets.threshold_buttons()
    coder = widgets.coder_sliders(scene)
    widgets.lesson_buttons("worked example", "small objects")
told = scenes.assignment_of(scene, coder=coder)
show.scene_canvas(
    scene,
    live=True,
    mode="assignment",
    anchors=scenes.anchors_blob_of(scene.config),
    editable=True,
    panel=True,
    max_height_px=500,
)

TABS = ("encoded targets", "what the variances do", "label list", "by level")
targets, variances, labels, levels = st.tabs(TABS, key="tab", bind="query-params")
if targets.open:
    with targets:
        st.caption(
            "Select an object to see its anchors only. Codes: what the network is to predict for the anchor."
        )
        show.target_table(scene, told)
if variances.open:
    with variances:
        show.spread_chart(scene, told)
if labels.open:
    with labels:
        show.label_code(scene, told, level=widgets.level_of_list(scene))
if levels.open:
    with levels:
        show.level_chart(scene, told)
show.details(
    why="""
A positive anchor $p$ that answers for $g$ is told its class and four codes:
$t_x = \\frac{g_x - p_x}{p_w v_1}$, $t_y = \\frac{g_y - p_y}{p_h v_1}$, $t_w = \\ln(g_w/p_w)/v_2$,
$t_h = \\ln(g_h/p_h)/v_2$. The *variances* $v_1 = 0.1$ and $v_2 = 0.2$ divide, so that the four numbers are
about as large as the logits; without them the localisation loss hardly counts. Negative anchors are told
background and no box. Anchors close to a difficult or crowd object are ignored.

The lesson codes with tanh: a centre moves at most half a cell, a side grows or shrinks by at most a half.

*Liu et al., SSD, ECCV 2016, section 2.2; Caffe-SSD prior_variance.*""",
    think="""
**"A negative anchor is a mistake."** No: nearly all are negative, and must be. That is why training mines
only three hard negatives for each positive.

**"Orphans are rare."** Count them on your own data: under *overwrite* every pair of objects that shares its
best anchor makes one.""",
    code=snippets.assignment_code(scene),
)
show.inspector(scene, scene.anchor)
