"""The parts of the Matching page: its controls, the live picture, what another rule would change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from pages.shared import scene as scenes
from pages.shared import show, widgets
from pages.shared.facts import facts
from pages.shared.scene import Scene
from pages.shared.scene_canvas import matching_canvas
from ssd.config import MatchingRule

if TYPE_CHECKING:
    from ssd.figures.canvas import CanvasView
    from ssd.figures.words import Contest
    from ssd.matching import Match

WHOLE_TABLE = 200  # anchors: the lesson's table is open at first


@dataclass(frozen=True)
class View:
    """What the controls ask for, and the match they are about."""

    found: Match
    other: MatchingRule
    contest: Contest | None
    reveal: bool

    def table(self, scene: Scene) -> None:
        """The jaccard table, once the match may be seen."""
        few = len(scenes.anchors_of(scene.config)) <= WHOLE_TABLE
        box = st.expander(
            "The jaccard table", icon=":material/table:", expanded=few, key="table", on_change="rerun"
        )
        if box.open and self.reveal:
            with box:
                show.jaccard_chart(scene)


def controls(scene: Scene) -> View:
    """One row: a rule to compare with, a guess first, three scenes that make the point."""
    found = scenes.match_of(scene)
    with st.container(horizontal=True, vertical_alignment="bottom", key="controls"):
        other = widgets.rule_to_compare(scene)
        guess_first = st.toggle(
            "Predict first",
            key="predict",
            bind="query-params",
            persist_state="session",
            help="Hide the answer.",
        )
        widgets.lesson_buttons("dog and ball", "worked example", "orphan pair")
    contest = show.first_contest(found)
    hidden = guess_first and contest is not None
    reveal = not hidden or widgets.predict(contest, show.titles(scene), rule=scene.rule)
    return View(found, other, contest, reveal)


def picture(scene: Scene, view: View) -> CanvasView:
    """The canvas that matches while an object is dragged, and what another rule would change."""
    shown = matching_canvas(scene, mode="matching")
    facts(key="difference", lines=show.rule_words(scene, view.found, view.other))
    return shown
