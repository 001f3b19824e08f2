"""What every page shows alike: title, notes, errors, numbers, explanations.

Pages take the canvas, the tables and the inspector from here too; those have files of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import streamlit as st

from pages.shared import scene as scenes
from pages.shared import state
from pages.shared.explain import WHERE, copy_as_python, inspector, more
from pages.shared.scene import Scene
from pages.shared.scene_canvas import contest_canvas, scene_canvas, take_events
from pages.shared.tables import (
    chart,
    first_contest,
    jaccard_chart,
    label_code,
    level_chart,
    level_panels,
    rule_words,
    scale_rows,
    spread_chart,
    target_table,
    titles,
)
from ssd.errors import SSDError

if TYPE_CHECKING:
    from streamlit.navigation.page import Page

__all__ = [
    "begin",
    "chart",
    "contest_canvas",
    "copy_as_python",
    "details",
    "error_box",
    "errors",
    "first_contest",
    "header",
    "inspector",
    "jaccard_chart",
    "label_code",
    "level_chart",
    "level_panels",
    "more",
    "navigation",
    "page",
    "rule_words",
    "say_notes",
    "scale_rows",
    "scene_after_header",
    "scene_canvas",
    "scene_now",
    "sentences",
    "spread_chart",
    "take_events",
    "target_table",
    "three_numbers",
    "titles",
]

PAGES = ("home", "anchors", "matching", "assignment", "learning", "detections", "your_data", "results")


def header(title: str, sentence: str) -> None:
    """Title and one sentence of theory, before anything heavy is imported."""
    _require_app()
    st.title(title, anchor=False)
    st.caption(sentence)
    st.session_state["notes_slot"] = st.container()


def navigation() -> Page:
    """The pages, as tabs above every page; the one to be run."""
    pages = [
        st.Page(f"pages/{name}.py", title=name.replace("_", " ").capitalize(), default=name == "home")
        for name in PAGES
    ]
    return st.navigation(pages, position="top")


def _require_app() -> None:
    """Run again below app.py where Streamlit ran the page alone.

    Until ``st.navigation`` was called once in a process, Streamlit takes a folder named pages
    for its older kind of app; a copied link opened first thing would miss the sidebar.
    """
    if not st.session_state.pop("app_ran", False):
        navigation()
        st.rerun()


def begin(title: str, sentence: str) -> Scene:
    """The top of a page; then its scene, and whatever there is to say about the link."""
    header(title, sentence)
    return scene_after_header()


def page(body: Callable[[Scene], None]) -> None:
    """A page's own part: what its controls and the sidebar's settings run again, and nothing else."""
    st.session_state["fresh_scene"] = scene_after_header()

    @st.fragment(key=state.PAGE)
    def part() -> None:
        with errors():
            body(st.session_state.pop("fresh_scene", None) or scene_now())

    st.session_state["page_part"] = True
    part()


def scene_now() -> Scene:
    """The scene as sidebar, canvas and link have it at this moment."""
    from pages.shared.picker import mark_usual_settings, mark_which

    mark_usual_settings()
    mark_which()
    return scenes.current()


def scene_after_header() -> Scene:
    """The scene, the sidebar's picture of it, and notes; here the heavy imports are waited for."""
    scenes.warm_up().join()
    scene = scene_now()
    _thumbnail(scene)
    if (problem := st.session_state.pop("scene_error", None)) is not None:
        error_box(problem)
    return scene


def say_notes() -> None:
    """What there is to say about the link, at the top of the page."""
    with st.session_state["notes_slot"]:
        for text in state.take_notes():
            st.info(text, icon=":material/link:")


def error_box(text: str) -> None:
    """An error in words. The text may hold a file's name, so it is never markup."""
    with st.container(border=True, key="error_box"):
        st.text(f"⚠ {text}")


@contextmanager
def errors() -> Iterator[None]:
    """What fails inside becomes an error box; the rest of the page stays."""
    try:
        yield
    except SSDError as error:
        error_box(str(error))


def _thumbnail(scene: Scene) -> None:
    """The sidebar's picture, its name, and the way to its neighbours."""
    from pages.shared.picker import is_alone, step

    alone = is_alone()
    with st.session_state["thumbnail_slot"]:
        st.image(_thumbnail_svg(scene), alt=f"The scene, with {len(scene.objects.labels)} objects")
        with st.container(horizontal=True, vertical_alignment="center"):
            said = "There is no other picture here" if alone else "The picture before"
            st.button("◀", on_click=step, args=(-1,), help=said, key="previous", disabled=alone)
            st.text(f"{scene.name}{' · edited' if scene.edited else ''}", width="stretch")
            said = said if alone else "The next picture"
            st.button("▶", on_click=step, args=(1,), help=said, key="next", disabled=alone)
        if not scene.travels:
            st.caption("This picture stays in your tab: a link does not carry it.")
        if scene.edited:
            st.button("Undo all changes to the objects", on_click=state.forget, args=(("objects", "object"),))


def _thumbnail_svg(scene: Scene) -> str:
    """The picture with its objects, 240 pixels wide."""
    from ssd.figures.thumbnails import BoxLayer, fitted_wh, picture_thumbnail

    width, height = fitted_wh(scene.size_wh, within_wh=(240, 170))
    layers = [BoxLayer.of("object", scene.objects.boxes)]
    return picture_thumbnail(
        scenes.small_of(scene),
        width_px=width,
        height_px=height,
        layers=layers,
    )


def three_numbers(numbers: Sequence[tuple[str, str, str]]) -> None:
    """Three big numbers: label, value, and what it means."""
    with st.container(horizontal=True, gap="large"):
        for label, value, meaning in numbers:
            st.metric(label, value, help=meaning, width="content")


def sentences(texts: Sequence[str]) -> None:
    """Sentences that may name a visitor's classes: text, never markup."""
    for text in texts:
        st.text(text)


def details(*, why: str, think: str, code: str | None = None) -> None:
    """What explains the page; it stays as it is while the page's own part runs again."""
    with st.expander("Why?", icon=":material/menu_book:"):
        st.markdown(why)
    with st.expander("Think", icon=":material/psychology_alt:"):
        st.markdown(think)
    if code is not None:
        with st.expander("Copy as Python", icon=":material/code:"):
            st.code(f"{WHERE}\n{code}", language="python")
