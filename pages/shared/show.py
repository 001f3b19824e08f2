"""What every page shows alike: title, notes, errors, numbers, explanations, code that runs."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.shared import scene as scenes
from pages.shared import state
from pages.shared.facts import facts, jaccard_grid
from pages.shared.scene import Scene
from ssd.config import CoderConfig, MatchingRule
from ssd.errors import SSDError

if TYPE_CHECKING:
    from streamlit.navigation.page import Page

    from ssd.figures.canvas_events import CanvasEvents
    from ssd.figures.inspector import Stage
    from ssd.figures.words import Contest
    from ssd.matching import Assignment, Match

MAX_LABELS = 400  # printed at once
WHERE = "# Run this in the folder of SSD Explorer, or with that folder on PYTHONPATH."
PAGES = ("home", "anchors", "matching", "assignment", "learning", "detections")


def header(title: str, sentence: str) -> None:
    """Title and one sentence of theory, before anything heavy is imported."""
    _require_app()
    st.title(title, anchor=False)
    st.caption(sentence)
    st.session_state["notes_slot"] = st.container()


def navigation() -> Page:
    """The pages, as tabs above every page; the one to be run."""
    pages = [st.Page(f"pages/{name}.py", title=name.capitalize(), default=name == "home") for name in PAGES]
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
    from pages.shared.picker import step

    with st.session_state["thumbnail_slot"]:
        st.image(_thumbnail_svg(scene), alt=f"The scene, with {len(scene.objects.labels)} objects")
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button("◀", on_click=step, args=(-1,), help="The picture before", key="previous")
            st.text(f"{scene.name}{' · edited' if scene.edited else ''}", width="stretch")
            st.button("▶", on_click=step, args=(1,), help="The next picture", key="next")
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


def scene_canvas(
    scene: Scene,
    *,
    live: bool = False,
    known: Sequence[str] | None = None,
    key: str = "canvas",
    on_event: Callable[[CanvasEvents], None] | None = None,
    **view: Any,
) -> None:
    """The scene on the canvas; what the visitor does there goes into the state.

    Args:
        scene: whose picture and objects.
        live: the browser matches while an object or the match threshold is dragged.
        known: classes that count; objects of others are shown as ignored.
        key: of the canvas; another key makes another canvas.
        on_event: hears of it in the place of :func:`take_events`.
        view: what else the canvas shows.
    """
    from pages.shared.canvas import box_canvas
    from ssd.figures.canvas import CanvasObject, CanvasView, LiveMatching, canvas_payload

    target, names = scene.sample.target, scene.class_names
    rows = zip(
        target.boxes.tolist(),
        target.labels.tolist(),
        (target.difficult | target.ignore).tolist(),
        strict=True,
    )
    objects = []
    for box, label, ignored in rows:
        name = names[label - 1] if label else "left out"
        objects.append(CanvasObject(tuple(box), name, ignored or (known is not None and name not in known)))
    levels = state.kept_indices("levels", below=len(scene.config.levels()))
    classes = state.kept_indices("classes", below=len(names))
    settings = {
        "scene": scene.digest,
        "picture": scenes.picture_of(scene),
        "objects": objects,
        "class_names": names,
        "selected_anchor": scene.anchor,
        "selected_object": scene.object,
        "hidden_levels": levels,
        "hidden_classes": [names[index] for index in classes],
        **view,
    }
    if live:
        settings["matching"] = LiveMatching(rule=scene.rule, threshold=scene.threshold, strict=scene.strict)
        settings.setdefault("threshold_slider", True)
    box_canvas(canvas_payload(CanvasView(**settings)), key=key, on_event=on_event or take_events)


def take_events(events: CanvasEvents) -> None:
    """What the visitor did on the canvas, into the state; runs before the script."""
    from pages.shared.picker import step

    scene = st.session_state["scene"]
    if events.step:
        step(events.step)
        st.rerun()
    if events.scene != scene.digest:
        return
    if "objects" in events.changed:
        objects = [(each.name, each.box) for each in events.objects if not each.ignored]
        state.keep("objects", scenes.drawn_text(objects))
    for field, key in (
        ("selected_anchor", "anchor"),
        ("selected_object", "object"),
        ("selected_detection", "detection"),
    ):
        if field in events.changed:
            state.keep(key, _index_text(getattr(events, field)))
    for name in ("score", "ratio"):
        if name in events.changed and (value := getattr(events, name)) is not None:
            state.keep(name, f"{value:.6g}")
    if "hidden_levels" in events.changed:
        state.keep("levels", state.indices_text(events.hidden_levels))
    if "hidden_classes" in events.changed:
        hidden = [
            scene.class_names.index(name) for name in events.hidden_classes if name in scene.class_names
        ]
        state.keep("classes", state.indices_text(hidden))
    if "threshold" in events.changed and events.threshold is not None:
        low, high = scenes.THRESHOLDS
        st.session_state["threshold"] = min(max(round(events.threshold, 2), low), high)
    if events.changed & {"objects", "threshold"}:
        st.rerun()  # the sidebar shows them too


def _index_text(index: int | None) -> str | None:
    return None if index is None else str(index)


def three_numbers(numbers: Sequence[tuple[str, str, str]]) -> None:
    """Three big numbers: label, value, and what it means."""
    with st.container(horizontal=True, gap="large"):
        for label, value, meaning in numbers:
            st.metric(label, value, help=meaning, width="content")


def sentences(texts: Sequence[str]) -> None:
    """Sentences that may name a visitor's classes: text, never markup."""
    for text in texts:
        st.text(text)


def chart(
    name: str, *records: Any, alt: str, room: str = "charts", key: str | None = None, **options: Any
) -> None:
    """A figure of a file in ``ssd.figures``, by name: Plotly arrives with the first one.

    A ``key`` keeps apart charts that may happen to look the same.
    """
    figures = importlib.import_module(f"ssd.figures.{room}")
    figure = getattr(figures, name)(*records, **options)
    st.plotly_chart(figure, config={"displayModeBar": False}, alt=alt, key=key)


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
) -> None:
    """Under the picture: the inspector, what else the page has, and the call that gives the view."""
    inspector(scene, anchor)
    if also is not None:
        also(scene)
    copy_as_python(lambda: code(scene))


def copy_as_python(code: Callable[[], str]) -> None:
    """The ``ssd`` call that gives the view; written when it is asked for."""
    box = st.expander("Copy as Python", icon=":material/code:", key="python", on_change="rerun")
    if box.open:
        box.code(f"{WHERE}\n{code()}", language="python")


def details(*, why: str, think: str, code: str | None = None) -> None:
    """What explains the page; it stays as it is while the page's own part runs again."""
    with st.expander("Why?", icon=":material/menu_book:"):
        st.markdown(why)
    with st.expander("Think", icon=":material/psychology_alt:"):
        st.markdown(think)
    if code is not None:
        with st.expander("Copy as Python", icon=":material/code:"):
            st.code(f"{WHERE}\n{code}", language="python")


def titles(scene: Scene) -> tuple[str, ...]:
    """Names of the objects that can be told apart."""
    from ssd.figures.words import numbered_names

    return numbered_names(scene.object_names)


def first_contest(found: Match) -> Contest | None:
    """An anchor that several objects want most."""
    from ssd.figures.words import contests

    return next(iter(contests(found)), None)


def contest_canvas(scene: Scene, contest: Contest) -> None:
    """Only the contested anchor, without telling whose it is."""
    scene_canvas(
        scene,
        mode="anchors",
        anchors=scenes.anchors_blob_of(scene.config),
        selected_anchor=contest.anchor,
        cell_only=True,
        editable=False,
        max_height_px=460,
    )


def rule_words(scene: Scene, found: Match, other: MatchingRule) -> tuple[str, ...]:
    """What another rule would change."""
    from ssd.figures.words import rule_difference

    there = scenes.match_of(scene, rule=other)
    return rule_difference(found, there, names=scene.object_names, rules=(scene.rule, other))


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

    rows = target_rows(assignment, scenes.anchors_of(scene.config), g=scene.object, most=12)
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
