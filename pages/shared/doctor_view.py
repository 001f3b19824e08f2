"""What a data set holds and what is wrong with it: pictures with filters, and the doctor's list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.shared import dataset
from pages.shared import scene as scenes
from pages.shared.dataset import Question
from pages.shared.gallery import Tile, gallery
from pages.shared.tables import chart

if TYPE_CHECKING:
    from ssd.checks import DoctorReport, Problem, ProblemGroup
    from ssd.coverage import Coverage
    from ssd.data.annotations import Edges

EVERY = "all classes"
SHOWN = ("all", "with problems", "without problems", "without objects")
SIGNS = {"error": ":material/error:", "warning": ":material/warning:", "note": ":material/info:"}
MOST_VALUES = 50
_SEEN = 0.04  # side of a mark that can be seen, as a share of the picture


def pictures_tab(asked: Question, found: Coverage) -> None:
    """Class balance and box sizes, and the pictures as tiles."""
    _take_click()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        names = found.objects.class_names
        if st.session_state.get("yclass", EVERY) not in (EVERY, *names):
            del st.session_state["yclass"]
        chosen = st.selectbox("Class", (EVERY, *names), key="yclass", bind="query-params", width=200)
        shown = st.selectbox("Pictures", SHOWN, key="yshown", bind="query-params", width=180)
    left, right = st.columns(2, gap="medium")
    with left:
        counts = [(name, group.num_objects) for name, group in found.by_class().items()]
        chart(
            "balance_figure", counts, selected=None if chosen == EVERY else chosen, room="doctor",
            key="balance", alt="Objects of each class", clickable=True,
        )  # fmt: skip
    with right:
        chart(
            "sizes_figure",
            found.by_size(),
            room="doctor",
            key="sizes",
            alt="Objects by size at training size",
        )
    pictures = _chosen(asked, found, chosen, shown)
    st.text(f"{len(pictures):,} of {found.objects.num_pictures:,} pictures")
    gallery(
        [_picture_tile(asked, found, picture) for picture in pictures], key=f"pictures_{chosen}_{shown}",
        page="matching", empty="No picture is like that.",
    )  # fmt: skip


def _take_click() -> None:
    """A click on a class's bar chooses it; a second click on the same one changes nothing."""
    event = st.session_state.get("balance")
    points = event.selection.points if event else []
    name = points[0].get("customdata") if points else None
    if name != st.session_state.get("ybar"):
        st.session_state["ybar"] = name
        if name is not None:
            st.session_state["yclass"] = name


def _chosen(asked: Question, found: Coverage, chosen: str, shown: str) -> list[int]:
    """Which pictures pass both filters."""
    objects = found.objects
    pictures, labels = objects.picture.tolist(), objects.labels.tolist()
    filled = set(pictures)
    if chosen != EVERY:
        label = objects.class_names.index(chosen) + 1
        filled = {picture for picture, each in zip(pictures, labels, strict=True) if each == label}
    here = range(objects.num_pictures) if chosen == EVERY else sorted(filled)
    if shown == "without objects":
        return [picture for picture in range(objects.num_pictures) if picture not in set(pictures)]
    if shown == "all" or not asked.is_folder:
        return list(here) if shown != "with problems" else []
    report = dataset.known_report(asked)
    if report is None:
        st.caption("The doctor is still at work: pictures are told apart when he is done.")
        return list(here)
    bad = {problem.picture for problem in report.problems if problem.severity != "note"}
    names = dataset.part_of(asked.data, asked.split).names
    return [picture for picture in here if (names[picture] in bad) == (shown == "with problems")]


def _picture_tile(asked: Question, found: Coverage, picture: int) -> Tile:
    """One picture with its objects; those without an anchor in their own colour."""
    source, which = dataset.scene_of(asked.data, asked.split, picture)
    own = found.objects.picture == picture
    layers = [
        ("object", found.objects.boxes[own & found.covered]),
        ("orphan", found.objects.boxes[own & ~found.covered]),
    ]
    name = (
        f"scene {which}" if not asked.is_folder else dataset.part_of(asked.data, asked.split).names[picture]
    )
    missed = int((own & ~found.covered).sum())
    words = f", {missed} without an anchor" if missed else ""
    return Tile(
        source, which, f"{name}: {int(own.sum())} objects{words}", tuple(layers), None, dataset.door(asked)
    )


def doctor_tab(asked: Question) -> None:
    """The list, rule by rule; each entry opens its picture."""
    if not asked.is_folder:
        st.text("Drawn scenes have no files that could be broken; open a folder to have it checked.")
        return
    report = dataset.known_report(asked)
    if report is None:
        st.text("The doctor is at work; the list stands here when he is done.")
        return
    _summary(asked, report)
    from ssd.checks import grouped

    groups = {group.rule: group for group in grouped(report.problems)}
    if not groups:
        st.text("Nothing is wrong.")
        return
    if st.session_state.get("ybroken", next(iter(groups))) not in groups:
        del st.session_state["ybroken"]
    left, right = st.columns((1, 2), gap="medium")
    with left:
        rule = st.radio(
            "Rule", list(groups), key="ybroken", bind="query-params",
            captions=[_counted(group) for group in groups.values()],
        )  # fmt: skip
    with right:
        _group(asked, groups[rule])


def _counted(group: ProblemGroup) -> str:
    """How often a rule is broken, and how bad that is."""
    return f"{SIGNS[group.severity]} {len(group.problems):,} × {group.severity}"


def _summary(asked: Question, report: DoctorReport) -> None:
    """What was read, and the way to do it again."""
    found = report.severities
    with st.container(horizontal=True, vertical_alignment="center"):
        st.text(
            f"{report.num_read:,} of {report.num_pictures:,} pictures opened whole, {report.num_objects:,} "
            f"objects; {found['error']:,} errors, {found['warning']:,} warnings, {found['note']:,} notes."
        )
        st.button(
            "Check again", key="ycheck_again", on_click=dataset.forget, args=(asked.data,),
            icon=":material/refresh:", help="After you mended something",
        )  # fmt: skip


def _group(asked: Question, group: ProblemGroup) -> None:
    """All entries of one rule."""
    st.text(f"{group.title[:1].upper()}{group.title[1:]}. To mend it: {group.remedy}.")
    tiles = [tile for problem in group.problems if (tile := _entry_tile(asked, problem)) is not None]
    if tiles:
        gallery(tiles, key=f"entries_{group.rule}", page="matching", empty="")
    closed = [problem for problem in group.problems if not _opens(asked, problem)]
    for problem in closed[:MOST_VALUES]:
        st.text(problem.sentence)
    if len(closed) > MOST_VALUES:
        st.caption(f"… and {len(closed) - MOST_VALUES:,} more: python -m ssd check DIR lists them all.")


def _opens(asked: Question, problem: Problem) -> bool:
    """Whether the pages can show its picture."""
    return problem.path is not None and problem.picture in dataset.usable_numbers(asked.data)


def _entry_tile(asked: Question, problem: Problem) -> Tile | None:
    """The picture of an entry with its box marked."""
    if not _opens(asked, problem):
        return None
    which = dataset.usable_numbers(asked.data)[problem.picture]
    annotation = scenes.open_folder(asked.data).entries[which - 1].annotation
    sizes = (annotation.width, annotation.height)
    layers: list[tuple[str, Any]] = [("object", [_shares(each.box_px, sizes) for each in annotation.objects])]
    index = None
    if problem.box_px is not None:
        layers.append(("missed", [_visible(_shares(problem.box_px, sizes))]))
        numbers = [each.number for each in annotation.objects]
        index = numbers.index(problem.object) if problem.object in numbers else None
    return Tile(asked.data, which, problem.sentence, tuple(layers), index, dataset.door(asked))


def _shares(box_px: Edges, size_wh: tuple[int, int]) -> Edges:
    """A box in [0, 1] of its picture; a broken one may lie outside."""
    (width, height), (x1, y1, x2, y2) = size_wh, box_px
    return x1 / width, y1 / height, x2 / width, y2 / height


def _visible(box: Edges) -> Edges:
    """The same box, or one around it that can be seen where it has hardly an area."""
    x1, y1, x2, y2 = (min(max(edge, 0.0), 1.0) for edge in box)
    wide, high = (max(0.0, (_SEEN - side) / 2) for side in (x2 - x1, y2 - y1))
    return x1 - wide, y1 - high, x2 + wide, y2 + high
