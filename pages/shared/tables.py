"""Figures, tables and sentences of a scene that pages share."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.shared import scene as scenes
from pages.shared.facts import jaccard_grid
from pages.shared.scene import Scene
from ssd.config import CoderConfig, MatchingRule

if TYPE_CHECKING:
    from ssd.figures.words import Contest
    from ssd.matching import Assignment, Match

MAX_LABELS = 400  # printed at once


def chart(
    name: str,
    *records: Any,
    alt: str,
    room: str = "charts",
    key: str | None = None,
    clickable: bool = False,
    **options: Any,
) -> None:
    """A figure of a file in ``ssd.figures``, by name: Plotly arrives with the first one.

    A ``key`` keeps apart charts that may happen to look the same; under it the state has what was
    clicked, where a chart is ``clickable``.
    """
    figures = importlib.import_module(f"ssd.figures.{room}")
    figure = getattr(figures, name)(*records, **options)
    chosen = {"on_select": "rerun", "selection_mode": "points"} if clickable else {}
    st.plotly_chart(figure, config={"displayModeBar": False}, alt=alt, key=key, **chosen)


def titles(scene: Scene) -> tuple[str, ...]:
    """Names of the objects that can be told apart."""
    from ssd.figures.words import numbered_names

    return numbered_names(scene.object_names)


def first_contest(found: Match) -> Contest | None:
    """An anchor that several objects want most."""
    from ssd.figures.words import contests

    return next(iter(contests(found)), None)


def rule_words(scene: Scene, found: Match, other: MatchingRule) -> tuple[str, ...]:
    """What another rule would change."""
    from ssd.figures.words import rule_difference

    there = scenes.match_of(scene, rule=other)
    return rule_difference(found, there, names=scene.object_names, rules=(scene.rule, other))


def level_panels(scene: Scene) -> str:
    """The picture once for each level, with the anchors of its middle cells."""
    from ssd.figures.thumbnails import BoxLayer, fitted_wh, small_multiples

    anchors = scenes.anchors_of(scene.config)
    width, height = fitted_wh(scene.size_wh, within_wh=(300, 300))
    panels = []
    for level, count in enumerate(anchors.per_level):
        boxes = anchors.boxes[anchors.level == level]
        drawn = min(count, 200)
        panels.append((f"level {level}: {drawn:,} of {count:,}", [BoxLayer.of("plain", boxes, most=200)]))
    return small_multiples(
        scenes.small_of(scene),
        width_px=width,
        height_px=height,
        panels=panels,
        columns=3,
        title="Anchors level by level",
    )


def scale_rows(scene: Scene) -> dict[str, list[str]]:
    """The scale table, a column a list."""
    levels = scene.config.levels()
    return {
        "level": [str(k) for k in range(len(levels))],
        "cells": [f"{level.grid_wh[0]} × {level.grid_wh[1]}" for level in levels],
        "step": [f"{level.step_wh[0]:.3f}" for level in levels],
        "width × height of each shape, of the picture": [
            "  ".join(f"{w:.2f}×{h:.2f}" for w, h in level.shapes_wh) for level in levels
        ],
        "anchors": [f"{level.grid_wh[0] * level.grid_wh[1] * len(level.shapes_wh):,}" for level in levels],
    }


def jaccard_chart(scene: Scene) -> None:
    """The jaccard table of the scene."""
    from ssd.figures.words import jaccard_table

    if not len(scene.objects.labels):
        st.text("This picture has no objects; draw one with the corner tool above the picture.")
        return
    jaccard_grid(jaccard_table(scenes.overlaps_of(scene), columns=16), names=titles(scene))
    st.caption(
        "A square marks each object's best anchor (maximum along a row, over all anchors), bold type each "
        "anchor's best object (maximum down a column). Two squares in one column: two objects want one."
    )


def label_code(scene: Scene, assignment: Assignment, *, level: int) -> None:
    """The labels of one level, as the lesson prints them."""
    from ssd.figures.words import label_list

    counts = scenes.anchors_of(scene.config).per_level
    first = sum(counts[:level])
    last = first + min(counts[level], MAX_LABELS)
    if counts[level] > MAX_LABELS:
        st.caption(f"The first {MAX_LABELS:,} of {counts[level]:,} anchors of level {level}.")
    st.code(label_list(assignment, class_names=scene.class_names, first=first, last=last), wrap_lines=True)


def target_table(scene: Scene, assignment: Assignment) -> None:
    """Encoded targets of the selected object's anchors, or of all."""
    from ssd.figures.words import target_rows

    rows = target_rows(assignment, scenes.anchors_of(scene.config), g=scene.matched_object, most=12)
    if rows["anchor"]:
        st.table(rows, alt="Positive anchors with their jaccard and the four codes they are told to predict")
    else:
        st.text("No anchor is positive here, so there is nothing to encode.")


def spread_chart(scene: Scene, told: Assignment) -> None:
    """What dividing by the variances does to the targets."""
    if scene.coder.kind == "tanh":
        st.text("The lesson's coder has no variances: tanh keeps every code between −1 and 1.")
        return
    from ssd.figures.words import code_spread

    plain = scenes.assignment_of(scene, coder=CoderConfig(variances=(1.0, 1.0)))
    spreads = [("not divided", code_spread(plain)), ("divided by the variances", code_spread(told))]
    chart("spread_figure", spreads, alt="Root mean square of the four codes, with and without variances")


def level_chart(scene: Scene, told: Assignment) -> None:
    """Positive anchors by level."""
    from ssd.figures.words import positives_per_level

    counts = positives_per_level(told.match, scenes.anchors_of(scene.config))
    chart("level_figure", counts, kind="positive", title="positive anchors", alt="Positive anchors by level")
