"""Under the picture: one anchor through the whole pipeline, and the code that gives the view."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import streamlit as st

from pages.shared import scene as scenes
from pages.shared.facts import facts
from pages.shared.scene import Scene
from pages.shared.takeaway import take_away

if TYPE_CHECKING:
    from ssd.figures.canvas import CanvasView
    from ssd.figures.inspector import Stage

WHERE = "# Run this in the folder of SSD Explorer, or with that folder on PYTHONPATH."


def inspector(scene: Scene, index: int | None, more: Sequence[Stage] = ()) -> None:
    """One anchor through the pipeline, as far as this page's data reach."""
    if index is None:
        st.caption("Click an anchor on the picture to follow it through the whole pipeline.")
        return
    from ssd.figures.inspector import anchor_stages

    stages = anchor_stages(
        index,
        anchors=scenes.anchors_of(scene.config),
        assignment=scenes.assignment_of(scene),
        overlaps=scenes.overlaps_of(scene),
        object_names=scene.object_names,
        size_wh=scene.size_wh,
        coder=scene.coder,
    )
    box = st.expander(f"Follow anchor {index:,}", icon=":material/conversion_path:", expanded=True)
    with box:
        facts(key="followed", cards=(*stages, *more))


def more(
    scene: Scene,
    anchor: int | None,
    *,
    code: Callable[[Scene], str],
    also: Callable[[Scene], None] | None = None,
    shown: CanvasView | None = None,
) -> None:
    """Under the picture: the inspector, what else the page has, the view as a file and as code."""
    inspector(scene, anchor)
    if also is not None:
        also(scene)
    take_away(scene, shown)
    copy_as_python(lambda: code(scene))


def copy_as_python(code: Callable[[], str]) -> None:
    """The ``ssd`` call that gives the view; written when it is asked for."""
    box = st.expander("Copy as Python", icon=":material/code:", key="python", on_change="rerun")
    if box.open:
        box.code(f"{WHERE}\n{code()}", language="python")
