"""Home's strip of live thumbnails, and the steps of its tours."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.shared import detector, show
from pages.shared import scene as scenes
from pages.shared.scene import Scene
from pages.shared.tours import Step
from ssd.config import SELECTION_PRESETS
from ssd.errors import SSDError

FRAME_WH = (230, 190)  # of a thumbnail
ONE = {  # what a number of one counts
    "anchors": "anchor", "levels": "level", "cells": "cell", "orphans": "orphan", "classes": "class",
    "candidates": "candidate",
}  # fmt: skip
BEYOND = {  # pages that are about more than this picture
    "learning": (
        "school",
        "What does it learn from that? Teach a small network this picture: its boxes settle in seconds.",
    ),
    "your_data": ("folder_open", "Can SSD learn your data? Three sentences of verdict, without a model."),
    "results": (
        "troubleshoot",
        "How good is a detector, what does it miss, and why? Every number opens its pictures.",
    ),
}


def draw_tour(steps: dict[str, Step]) -> None:
    """The steps of one tour, each a link."""
    for name, step in steps.items():
        st.page_link(
            f"pages/{step.page}.py",
            label=step.label,
            icon=":material/arrow_forward:",
            query_params={"tour": name, **step.link},
        )


def draw_pipeline(scene: Scene) -> None:
    """Four stages of the same picture, each a door to its page."""
    found, anchors = scenes.match_of(scene), scenes.anchors_of(scene.config)
    told = scenes.assignment_of(scene)
    positive, forced = int(found.positive.sum()), int(found.forced.sum())
    ignored = int(found.ignored.sum())
    columns = st.columns(4, gap="medium")
    with columns[0]:
        numbers = (("anchors", len(anchors)), ("levels", len(anchors.levels)), ("cells", _cells(scene)))
        _stage(scene, "anchors", "Where can it look?", _anchor_layers(scene), numbers)
    with columns[1]:
        numbers = (("positive", positive), ("forced", forced), ("orphans", int(found.orphan.sum())))
        _stage(scene, "matching", "Which anchor for which object?", _match_layers(scene, found), numbers)
    with columns[2]:
        classes = len(set(scene.object_names))
        numbers = (
            ("negative", len(anchors) - positive - ignored),
            ("classes", classes),
            ("ignored", ignored),
        )
        _stage(scene, "assignment", "What is it told?", _told_layers(scene, told), numbers)
    with st.container(border=True, gap=None):
        for page, (icon, sentence) in BEYOND.items():
            _door(page, icon, sentence)
    with columns[3]:
        layers, numbers = _detection_stage(scene)
        _stage(scene, "detections", "What comes out?", layers, numbers)


def _door(page: str, icon: str, sentence: str) -> None:
    """A line that leads to a page without a thumbnail."""
    with st.container(horizontal=True, vertical_alignment="center"):
        label = page.replace("_", " ").capitalize()
        st.page_link(f"pages/{page}.py", label=f"**{label}**", icon=f":material/{icon}:", width=130)
        st.caption(sentence, width="stretch")


def _stage(scene: Scene, page: str, question: str, layers: list, numbers: tuple) -> None:
    """A thumbnail, three numbers, a link."""
    from ssd.figures.thumbnails import fitted_wh, picture_thumbnail

    width, height = fitted_wh(scene.size_wh, within_wh=FRAME_WH)
    svg = picture_thumbnail(
        scenes.small_of(scene), width_px=width, height_px=height, layers=layers, title=question
    )
    st.page_link(f"pages/{page}.py", label=f"**{page.capitalize()}**", icon=":material/arrow_forward:")
    st.image(svg, width=width, alt=f"{question} The scene as the page {page} shows it.")
    words = [name if value is None else f"**{value:,}** {ONE.get(name, name) if value == 1 else name}"
             for name, value in numbers]  # fmt: skip
    st.caption(f"{question}  \n{' · '.join(words)}")


def _cells(scene: Scene) -> int:
    return sum(level.grid_wh[0] * level.grid_wh[1] for level in scene.config.levels())


def _anchor_layers(scene: Scene) -> list:
    from ssd.figures.thumbnails import BoxLayer

    anchors = scenes.anchors_of(scene.config)
    middle = min(2, len(anchors.levels) - 1)
    return [BoxLayer.of("plain", anchors.boxes[anchors.level == middle], most=150)]


def _match_layers(scene: Scene, found: Any) -> list:
    from ssd.figures.thumbnails import BoxLayer

    boxes = scenes.anchors_of(scene.config).boxes
    return [
        BoxLayer.of("positive", boxes[found.positive & ~found.forced]),
        BoxLayer.of("forced", boxes[found.forced]),
        BoxLayer.of("object", scene.objects.boxes),
        BoxLayer.of("orphan", scene.objects.boxes[found.orphan]),
    ]


def _told_layers(scene: Scene, told: Any) -> list:
    from ssd.figures.thumbnails import BoxLayer

    boxes = scenes.anchors_of(scene.config).boxes
    return [
        BoxLayer.of("negative", boxes[told.labels == 0], most=120),
        BoxLayer.of("positive", boxes[told.labels > 0]),
    ]


def _detection_stage(scene: Scene) -> tuple[list, tuple]:
    """Kept boxes of the shipped model that knows the picture; without one the page says so."""
    from ssd.figures.thumbnails import BoxLayer

    try:
        model = detector.fitting(scene)
        if model is None:
            return [], (("no model here knows this picture", None),)
        output = scenes.output_of(scene, model=model)
        selection = scenes.predictor_of(model).select(output, SELECTION_PRESETS["display"])
    except SSDError as error:
        show.error_box(str(error))
        return [], (("the model could not be read", None),)
    numbers = (
        ("candidates", len(selection.scores)),
        ("suppressed", len(selection.scores) - len(selection.detections)),
        ("kept", len(selection.detections)),
    )
    return [BoxLayer.of("kept", selection.detections.boxes)], numbers
