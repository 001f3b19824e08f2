"""Matching: which anchor overlaps which object?"""

import streamlit as st

from pages.shared import scene as scenes
from pages.shared import show, snippets, widgets

scene = show.begin(
    "Matching",
    "An anchor answers for an object when their jaccard overlap (IoU) reaches the match threshold; "
    "each object's best anchor is forced. Drag an object.",
)
found = scenes.match_of(scene)
with st.container(horizontal=True, vertical_alignment="bottom"):
    other = widgets.rule_to_compare(scene)
    guess_first = st.toggle("Predict first", key="predict", bind="query-params", help="Hide the answer.")
    widgets.lesson_buttons("dog and ball", "worked example", "orphan pair")
contest = show.first_contest(found)
reveal = not guess_first or contest is None or widgets.predict(contest, show.titles(scene), rule=scene.rule)

if reveal:
    show.scene_canvas(
        scene,
        live=True,
        mode="matching",
        anchors=scenes.anchors_blob_of(scene.config),
        editable=True,
        panel=True,
        max_height_px=500,
    )
    show.sentences(show.rule_words(scene, found, other))
else:
    show.contest_canvas(scene, contest)

few = len(scenes.anchors_of(scene.config)) <= 200  # the lesson's table fits whole
table = st.expander(
    "The jaccard table", icon=":material/table:", expanded=few, key="table", on_change="rerun"
)
if table.open and reveal:
    with table:
        show.jaccard_chart(scene)
show.details(
    why="""
For an object $g$ and an anchor $a$ the jaccard overlap (IoU) is $J = |g ∩ a| / |g ∪ a|$. Each anchor looks
for its best object (maximum down a column) and takes it when $J$ ≥ the match threshold. Each object looks for
its best anchor (maximum along a row) and forces it, so that small objects are learned too. Sources differ:

- **bipartite** (Caffe-SSD, the paper): the best pair of all first, each anchor once. Every object keeps one.
- **overwrite** (most ports, the lesson): object by object; a later one takes the anchor from an earlier one.
- **torchvision**: all best anchors written at once; which duplicate wins is not defined on a GPU.

*Liu et al., SSD, ECCV 2016, section 2.2; Caffe-SSD, MatchBBox; torchvision, SSDMatcher.*""",
    think="""
**"Every object gets an anchor."** Not under *overwrite*: open the orphan pair. Two objects share their best
anchor, the later one takes it, and the first is background in training.

**"A higher threshold gives better boxes."** It gives fewer anchors to each object, and small objects live on
their forced anchor alone.""",
    code=snippets.match_code(scene),
)
show.inspector(scene, scene.anchor)
