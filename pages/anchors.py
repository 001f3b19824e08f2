"""Anchors: where can a detector look?"""

import streamlit as st

from pages.shared import anchor_view, show, snippets
from pages.shared.scene import Scene


def body(scene: Scene) -> None:
    """One level of the anchors on the picture."""
    view = anchor_view.controls(scene)
    picture, verdict = st.columns([2, 1], gap="medium")
    with picture:
        shown = anchor_view.picture(scene, view)
    with verdict:
        anchor_view.verdict(scene, view)
    tables = anchor_view.level_tables
    show.more(scene, view.cell.anchor, code=snippets.anchors_code, also=tables, shown=shown)


show.header(
    "Anchors",
    "SSD looks at a fixed set of boxes, its anchors (the paper's default boxes, the ports' priors), "
    "laid out cell by cell on feature maps called levels.",
)
show.page(body)
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
)
