"""Controls that pages share: levels, cells, rules to compare with."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.shared import picker, state
from pages.shared import scene as scenes
from pages.shared.scene import Scene
from pages.shared.sources import LESSONS
from ssd.config import MATCHING_RULES, CoderConfig

if TYPE_CHECKING:
    from ssd.figures.words import Contest

ALL = "all"


@dataclass(frozen=True)
class Cell:
    """The cell that a page talks about, and one of its anchors."""

    anchor: int
    level: int
    row: int
    column: int


def level_picker(scene: Scene, *, label: str = "Level") -> int | None:
    """One level, or all; kept as the levels that are switched off, as the canvas has them."""
    count = len(scene.config.levels())
    hidden, only = state.kept_indices("levels", below=count), state.only_level(count)
    st.session_state["level_choice"] = ALL if only is None and not hidden else only
    options = [ALL, *range(count)]
    st.segmented_control(label, options, key="level_choice", on_change=_keep_level, args=(count,))
    return only


def _keep_level(count: int) -> None:
    """Switch the other levels off; the selected anchor stays only on its own level."""
    choice = st.session_state["level_choice"]
    hidden = () if choice in (ALL, None) else tuple(k for k in range(count) if k != choice)
    state.keep("levels", state.indices_text(hidden))
    state.forget(["anchor"])


def other_levels(scene: Scene, level: int | None) -> tuple[int, ...]:
    """The levels that are switched off."""
    return state.kept_indices("levels", below=len(scene.config.levels()))


def cell_of(scene: Scene, level: int | None) -> Cell:
    """The selected anchor's cell, or the one in the middle of the level."""
    from ssd.figures.words import central_anchor

    anchors = scenes.anchors_of(scene.config)
    middle = min(2, len(anchors.levels) - 1) if level is None else level
    index = central_anchor(anchors, level=middle) if scene.anchor is None else scene.anchor
    return Cell(index, int(anchors.level[index]), int(anchors.row[index]), int(anchors.column[index]))


def level_ahead(scene: Scene) -> dict[str, dict[str, Any]]:
    """What each choice of :func:`level_picker` changes on the canvas."""
    count = len(scene.config.levels())
    found = {}
    for level in (None, *range(count)):
        cell = cell_of(replace(scene, anchor=None), level)
        hidden = [] if level is None else [k for k in range(count) if k != level]
        change = {"hidden_levels": hidden, "selected_anchor": cell.anchor, "grid_level": cell.level}
        found[ALL if level is None else str(level)] = change
    return found


def field_sentences(scene: Scene, cell: Cell) -> tuple[str, ...]:
    """What the cell sees, in words."""
    seen = scenes.field_of(scene, cell)
    if seen is None:
        return ("Free anchors belong to no network, so there is no receptive field to show.",)
    level = scene.config.levels()[cell.level]
    width, height = max(level.shapes_wh, key=lambda wh: wh[0] * wh[1])
    lines = [
        f"Level {cell.level}, row {cell.row}, column {cell.column}:",
        f"its predictions can depend on {seen.wh_px[0]} × {seen.wh_px[1]} pixels of the input.",
        f"Its largest anchor is {width:.2f} × {height:.2f} of the picture.",
    ]
    if seen.convolved is not None:
        reach = "{} × {}".format(*seen.convolved.wh_px)
        lines.append(f"Convolutions alone reach {reach}; squeeze-and-excitation adds the average of all.")
    return (*lines, "That is the whole picture.") if seen.whole else tuple(lines)


def rule_to_compare(scene: Scene) -> str:
    """Another matching rule, beside the scene's own."""
    others = [rule for rule in MATCHING_RULES if rule != scene.rule]
    if st.session_state.get("other_rule", others[0]) not in others:
        st.session_state["other_rule"] = others[0]
    kept = {"bind": "query-params", "persist_state": "session"}
    return st.segmented_control(
        "Compare with", others, default=others[0], key="other_rule", required=True, **kept
    )


def lesson_buttons(*names: str) -> None:
    """One click to scenes that make this page's point."""
    for name in names:
        st.button(name.capitalize(), on_click=_open_lesson, args=(name,), key=f"go_{name}")


def _open_lesson(name: str) -> None:
    """To a lesson scene; the sidebar follows."""
    picker.go_to(LESSONS, name)
    st.rerun()


def predict(contest: Contest, titles: tuple[str, ...], *, rule: str) -> bool:
    """Ask who gets a contested anchor before showing it; whether it may be shown now."""
    options = [*(titles[g] for g in contest.objects), "none of them"]
    st.text(
        f"Anchor {contest.anchor:,} is the best anchor of {' and of '.join(options[:-1])}. "
        f"Who gets it under {rule}?"
    )
    key = f"predicted_{contest.anchor}_{rule}"
    guess = st.radio(
        "Your prediction", options, index=None, key=key, horizontal=True, label_visibility="collapsed"
    )
    if guess is None:
        st.caption("Predict first; then the picture shows it.")
        return False
    truth = "none of them" if contest.winner is None else titles[contest.winner]
    st.text(f"{'Right' if guess == truth else 'Not so'}: it goes to {truth}.")
    return True


def coder_sliders(scene: Scene) -> CoderConfig:
    """The two variances; the lesson's coder has none."""
    usual = CoderConfig().variances
    if scene.coder.kind == "tanh":
        return scene.coder
    kept = {"bind": "query-params", "persist_state": "session", "width": 150}
    centre = st.number_input("Centre variance", 0.05, 1.0, usual[0], 0.05, key="centre_variance", **kept)
    size = st.number_input("Size variance", 0.05, 1.0, usual[1], 0.05, key="size_variance", **kept)
    return CoderConfig(variances=(centre, size))


def level_of_list(scene: Scene) -> int:
    """Which level's labels are printed."""
    count = len(scene.config.levels())
    return (
        0
        if count == 1
        else st.segmented_control(
            "Labels of level",
            range(count),
            default=count - 1,
            key="list_level",
            required=True,
            bind="query-params",
            persist_state="session",
        )
    )
