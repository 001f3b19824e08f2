"""The parts of the Assignment page: its controls, the live picture, four tabs about the targets."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from pages.shared import scene as scenes
from pages.shared import show, widgets
from pages.shared.scene import Scene
from pages.shared.scene_canvas import matching_canvas
from pages.shared.tabs import open_tab
from ssd.config import CoderConfig

if TYPE_CHECKING:
    from ssd.figures.canvas import CanvasView


def controls(scene: Scene) -> CoderConfig:
    """One row: how boxes are coded, and two scenes that make the point."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="controls"):
        coder = widgets.coder_sliders(scene)
        widgets.lesson_buttons("worked example", "small objects", "orphan pair")
    return coder


def picture(scene: Scene) -> CanvasView:
    """The canvas that assigns while an object or the match threshold is dragged."""
    return matching_canvas(scene, mode="assignment")


def tables(scene: Scene, coder: CoderConfig) -> None:
    """What stands in the tab that is open."""
    told = scenes.assignment_of(scene, coder=coder)
    draw = {
        "encoded targets": _targets,
        "what the variances do": show.spread_chart,
        "label list": _labels,
        "by level": show.level_chart,
    }
    open_tab({name: partial(each, scene, told) for name, each in draw.items()}, key="tab")


def _targets(scene: Scene, told) -> None:
    st.caption("Select an object to see its anchors only. Codes: what the network is to predict.")
    show.target_table(scene, told)


def _labels(scene: Scene, told) -> None:
    show.label_code(scene, told, level=widgets.level_of_list(scene))
