"""Coverage on the page: which objects have no good anchor, why, and the way to each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.shared import dataset
from pages.shared import scene as scenes
from pages.shared.dataset import Question
from pages.shared.facts import facts
from pages.shared.gallery import Tile, gallery
from pages.shared.tables import chart
from ssd.config import AnchorPreset, any_preset, any_preset_names

if TYPE_CHECKING:
    from ssd.coverage import Coverage, WorstObject
    from ssd.coverage.groups import Grouping

VIEWS = ("groups", "width × height", "recall by size")
GROUPINGS = ("size", "class", "level", "ratio")
WORST = 96
EVERY = "every cause"
MEANS = {
    "size": "no anchor is as large or as small: add a size, or change the training size.",
    "ratio": "no anchor is as long or as tall: add an aspect ratio.",
    "stride": "a fitting anchor exists, but no cell lies where the object does: use a finer grid.",
    "clip": "the fitting anchor reaches beyond the picture's border, or was limited to it.",
}


def coverage_tab(asked: Question, found: Coverage) -> None:
    """Groups, map and curves at the left, the causes at the right, the worst objects below."""
    if len(found.objects) == 0:
        st.text("There is no object here, so there is nothing to cover.")
        return
    left, right = st.columns((2, 1), gap="medium")
    with left:
        with st.container(horizontal=True):
            view = st.segmented_control(
                "View", VIEWS, default=VIEWS[0], key="yview", required=True, bind="query-params",
                label_visibility="collapsed",
            )  # fmt: skip
            by = "size"
            if view == VIEWS[0]:
                by = st.segmented_control(
                    "By", GROUPINGS, default="size", key="yby", required=True, bind="query-params",
                    label_visibility="collapsed",
                )  # fmt: skip
        if view == VIEWS[0]:
            _groups(asked, found, by)
        else:
            (_map if view == VIEWS[1] else _recall)(asked, found)
    with right:
        _numbers(found)
        cause = _causes(asked, found)
    st.subheader("The worst objects", anchor=False)
    _worst(asked, found, cause)


def _groups(asked: Question, found: Coverage, by: Grouping) -> None:
    """Best jaccard by size, class, level, ratio."""
    from ssd.coverage.groups import jaccard_groups

    chart(
        "groups_figure", jaccard_groups(found, by=by), threshold=asked.threshold, room="coverage",
        key=f"groups_{by}", alt=f"Best jaccard of the objects by {by}",
    )  # fmt: skip
    st.caption("Beside each name: how many objects, and the share with an anchor at the threshold (dashed).")


def _map(asked: Question, found: Coverage) -> None:
    """Width × height with the anchors over it."""
    from ssd.coverage import size_map

    mapped = size_map(asked.preset, size_px=asked.size_px, threshold=asked.threshold)
    chart(
        "map_figure", mapped, found.objects, room="coverage", key="size_map",
        alt="Best jaccard by width and height, with anchors as crosses and objects as dots",
    )  # fmt: skip
    st.caption(
        "Colour: best jaccard of an object of that width and height, averaged over places in the picture. "
        "Dashed: the threshold. × anchors, · objects."
    )


def _recall(asked: Question, found: Coverage) -> None:
    """The same objects under several presets."""
    from ssd.coverage import recall_curves

    names = any_preset_names()
    usual = list(dict.fromkeys([asked.anchors, "ssd300-voc", "retinanet"]))
    chosen = st.multiselect(
        "Presets, each at its own training size and threshold", names,
        [name for name in usual if name in names], max_selections=4, key="ypresets", bind="query-params",
    )  # fmt: skip
    curves = recall_curves(found.objects, [any_preset(name) for name in chosen])
    chart(
        "recall_figure", curves, room="coverage", key="recall_by_size",
        alt="Share of objects with an anchor by size, under several presets",
    )  # fmt: skip
    st.caption("Grey: how many objects have that size. Where a line is low, a detector cannot learn them.")


def _numbers(found: Coverage) -> None:
    """Three numbers, and who is held only by force."""
    group, forced = found.everything, int(found.forced_only.sum())
    missed = group.num_objects - int(found.covered.sum())
    facts(
        key="coverage_facts",
        numbers=[
            ("with an anchor", _share(group.recall), f"best jaccard at least {found.threshold:g}"),
            ("mean best jaccard", f"{float(found.best_jaccard.mean()):.3f}", "over all objects"),
            ("orphans", f"{int(found.orphan.sum()):,}", "no anchor answers for them under the rule"),
        ],
        lines=[
            f"{missed:,} of {group.num_objects:,} objects have no anchor at {found.threshold:g}.",
            f"{forced:,} are held by forced anchors only.",
        ],
    )


def _share(recall: float | None) -> str:
    if recall is None or recall == 1:
        return "–" if recall is None else "100%"
    return f"{min(recall, 0.999):.1%}"


def _causes(asked: Question, found: Coverage) -> str:
    """Why objects have no anchor, and which of them are shown below."""
    from ssd.coverage import CAUSES, cause_counts

    counts = cause_counts(found, asked.preset)
    if any(counts.values()):
        chart(
            "cause_figure", counts, room="coverage", key="causes",
            alt="Objects without an anchor at the threshold, by cause",
        )  # fmt: skip
    cause = st.selectbox("Cause", (EVERY, *CAUSES), key="ycause", bind="query-params")
    if cause != EVERY:
        st.text(f"{cause.capitalize()}: {MEANS[cause]}")
    return cause


def _worst(asked: Question, found: Coverage, cause: str) -> None:
    """The objects with the lowest best jaccard; each opens Matching."""
    from ssd.coverage import worst_objects

    worst = worst_objects(found, asked.preset, count=WORST)
    boxes = found.objects.boxes[found.worst(WORST)]
    shown = [(each, row) for row, each in enumerate(worst) if cause in (EVERY, each.cause)]
    if not isinstance(asked.preset, AnchorPreset):
        st.caption("These anchors differ from picture to picture; Matching opens with those of the sidebar.")
    gallery(
        [_tile(asked, each, boxes[row : row + 1]) for each, row in shown], key=f"worst_{cause}",
        page="matching", empty=f"None of the {len(worst):,} worst objects has this cause.",
    )  # fmt: skip


def _tile(asked: Question, worst: WorstObject, box: Any) -> Tile:
    """One object with its best anchor."""
    source, which = dataset.scene_of(asked.data, asked.split, worst.picture)
    layers = [("object" if worst.covered else "orphan", box)]
    kept = dataset.door(asked)
    if isinstance(preset := asked.preset, AnchorPreset):
        kept["anchor"] = str(worst.best_anchor)
        anchors = scenes.anchors_of(dataset.preset_at_size(preset, asked.size_px).anchors)
        layers.insert(0, ("forced", anchors.boxes[worst.best_anchor : worst.best_anchor + 1]))
    width, height = worst.wh_px
    caption = (
        f"{worst.category}, {width:.0f} × {height:.0f} px: best jaccard {worst.best_jaccard:.2f}; "
        f"{worst.cause}, lifted {worst.lifted[worst.cause]:.2f}"
    )
    return Tile(source, which, caption, tuple(layers), worst.row, kept)
