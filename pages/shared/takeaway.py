"""A page's canvas as one HTML file: for slides, learning platforms, and places without a network."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import streamlit as st

from pages.shared import scene as scenes
from pages.shared.scene import Scene
from pages.shared.sources import LESSONS, OWN, PHOTOGRAPHS, SYNTHETIC

if TYPE_CHECKING:
    from ssd.figures.canvas import CanvasView

WHAT = (
    "One HTML file with the picture as it stands here: open it from disk, put it into slides or onto a "
    "learning platform. Thresholds, dragging and keys stay live; no server, no network."
)
Settings = Callable[[], tuple[str, ...]]


def take_away(scene: Scene, view: CanvasView | None, *, settings: Settings | None = None) -> None:
    """The way to the file, where the page shows a canvas that may be taken along."""
    if view is None:
        return
    box = st.expander("Download", icon=":material/download:", key="offers", on_change="rerun")
    if box.open:
        with box:
            lesson_button(scene, view, settings=settings)


def lesson_button(scene: Scene, view: CanvasView, *, settings: Settings | None = None) -> None:
    """The file itself, made when the button is pressed."""
    from ssd.figures.takeaway_words import PRIVACY, lesson_name

    st.caption(WHAT if scene.travels else f"{WHAT} {PRIVACY}")
    st.download_button(
        "One-file lesson",
        lambda: _made(scene, view, settings or (lambda: _scene_settings(scene, view))),
        file_name=lesson_name(view.mode, scene.name),
        mime="text/html",
        on_click="ignore",
        icon=":material/interactive_space:",
        key="lesson_file",
    )


def _made(scene: Scene, view: CanvasView, settings: Settings) -> bytes:
    """The bytes of the file."""
    from ssd.data.images import shown_name
    from ssd.figures.takeaway import lesson_file, level_guides
    from ssd.figures.takeaway_words import LESSON_PAGES, PRIVACY, LessonWords

    words = LessonWords(
        title=view.mode.capitalize(),
        scene=shown_name(scene.name),
        theory=LESSON_PAGES[view.mode],
        settings=settings(),
        source=_source(scene),
        privacy="" if scene.travels else PRIVACY,
    )
    guides = level_guides(scene.config, network=scene.anchors_name) if view.mode == "anchors" else ()
    return lesson_file(view, picture=scene.sample.picture, words=words, guides=guides)


def _scene_settings(scene: Scene, view: CanvasView) -> tuple[str, ...]:
    """Anchors, rule and objects in words."""
    from ssd.figures.takeaway_words import anchor_settings, matching_settings

    anchors = anchor_settings(preset=scene.anchors_name, per_level=scenes.anchors_of(scene.config).per_level)
    if view.mode == "anchors":
        return (anchors,)
    matched = matching_settings(
        rule=scene.rule, threshold=scene.threshold, strict=scene.strict, objects=scene.object_names
    )
    return (anchors, *matched)


def _source(scene: Scene) -> str:
    """Whose picture it is."""
    from ssd.figures.takeaway_words import DRAWN_HERE, OWN_PICTURE, data_set_picture

    if scene.source == PHOTOGRAPHS:
        from ssd.data.samples import sample_source

        return sample_source(str(scene.which))
    if scene.source in OWN:
        return OWN_PICTURE
    return DRAWN_HERE if scene.source in (SYNTHETIC, LESSONS) else data_set_picture(scene.source)
