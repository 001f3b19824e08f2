"""Learning: what does it learn from that?"""

import streamlit as st

from pages.shared import show
from pages.shared.loss_lab import show_loss_lab
from pages.shared.runs import show_runs
from pages.shared.teach import show_teach

scene = show.begin(
    "Learning",
    "Each anchor's answer costs a loss; training moves the weights until it costs less. "
    "Teach a small network this picture and watch.",
)
TABS = ("teach it this picture", "loss lab", "runs")
teach, lab, runs = st.tabs(TABS, key="learn", bind="query-params")
if teach.open:
    with teach:
        show_teach(scene)
if lab.open:
    with lab:
        show_loss_lab(scene)
if runs.open:
    with runs:
        show_runs()
