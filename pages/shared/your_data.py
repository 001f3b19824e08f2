"""The Your data page's own part: one control row, the verdict in sentences, and a tab for each question."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.shared import dataset, show, sources, work
from pages.shared.augment_bench import augment_tab
from pages.shared.coverage_view import coverage_tab
from pages.shared.dataset import Question
from pages.shared.doctor_view import doctor_tab, pictures_tab
from pages.shared.fit_view import fit_tab, fitted_coverage
from pages.shared.judged import SCENES
from pages.shared.scene import DEFAULTS, THRESHOLDS, Scene
from pages.shared.tabs import open_tab
from ssd.config import MATCHING_RULES, GridAnchors, any_preset, any_preset_names
from ssd.errors import SSDError

if TYPE_CHECKING:
    from ssd.coverage import Coverage

SIZES_PX = (224, 256, 300, 320, 416, 512, 640, 800, 1024)
OWN_SIZE = "the preset's"
LOOK_EVERY_S = 0.7
MOST_LARGER = 6_000  # objects that are measured at twice the training size too: seconds


def your_data(scene: Scene) -> None:
    """All of the page below its title."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="controls"):
        asked = _question(dataset.data_now())
    if not asked.is_folder:
        _teach()
    if asked.is_folder and dataset.known_report(asked) is None:
        _ask_doctor(asked)
    found = _verdict(asked)
    if found is None:
        doctor_tab(asked)
        return
    open_tab(
        {
            "pictures": lambda: pictures_tab(asked, found),
            "doctor": lambda: doctor_tab(asked),
            "coverage": lambda: coverage_tab(asked, found),
            "fit anchors": lambda: fit_tab(asked),
            "augmentation": lambda: augment_tab(scene),
        },
        key="ytab",
    )
    show.copy_as_python(lambda: _code(asked))


def _question(data: str) -> Question:
    """Which objects, under which anchors."""
    splits = dataset.splits_of(data)
    if st.session_state.get("ysplit", dataset.ALL) not in splits:
        del st.session_state["ysplit"]
    split = st.selectbox("Split", splits, key="ysplit", bind="query-params", width=110)
    names, first = any_preset_names(), st.session_state["anchors"]
    index = names.index(first) if first in names else names.index(DEFAULTS["anchors"])
    anchors = st.selectbox(
        "Anchors", names, index, key="yanchors", bind="query-params", width=180, on_change=_own_threshold,
        help="Also those of torchvision's RetinaNet and Faster R-CNN, and what was fitted",
    )  # fmt: skip
    size = st.selectbox(
        "Training size in px", (OWN_SIZE, *map(str, SIZES_PX)), key="ysize", bind="query-params", width=140,
        help="Anchors keep their pixels; a larger input has more cells",
    )  # fmt: skip
    threshold = st.slider(
        "Threshold", *THRESHOLDS, any_preset(anchors).threshold, 0.01, key="ythreshold", bind="query-params",
        width=160, help="Match threshold; it begins at the preset's own",
    )  # fmt: skip
    rule = st.selectbox("Rule", MATCHING_RULES, key="yrule", bind="query-params", width=140)
    return Question(data, split, anchors, None if size == OWN_SIZE else int(size), rule, threshold)


def _own_threshold() -> None:
    """A preset brings the threshold of its source; in a callback only."""
    st.session_state["ythreshold"] = any_preset(st.session_state["yanchors"]).threshold


def _teach() -> None:
    """What to do where no folder is open."""
    names = sorted(sources.folder_paths())
    with st.container(border=True, key="teach_folder"):
        st.markdown("No folder is open: these are 100 drawn scenes. Open yours (it is read, never written):")
        st.code("python -m ssd explore DIR", language="bash")
        if names:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.text("Or one that this server offers:")
                for name in names[:12]:
                    st.page_link("pages/your_data.py", label=name, query_params={"open": f"{name}!1"})


def _verdict(asked: Question) -> Coverage | None:
    """Up to three sentences, large; nothing where no object can be read."""
    try:
        with st.spinner("Every object meets every anchor …", show_time=True):
            found = dataset.coverage_of(asked)
            larger = _larger(asked, found)
    except SSDError as error:
        show.error_box(str(error))
        return None
    from ssd.coverage import verdict

    report = dataset.known_report(asked)
    sentences = verdict(
        found,
        preset=asked.anchors,
        without_area=0 if report is None else report.without_area,
        problems=None if report is None else sum(report.severities[kind] for kind in ("error", "warning")),
        fitted=fitted_coverage(asked),
        larger=larger,
    )
    with st.container(key="verdict"):
        st.text(" ".join(sentences))
    if found.objects.size_unknown:
        st.caption(
            f"{found.objects.size_unknown:,} more objects are of unknown size: their pictures are not here."
        )
    if asked.is_folder and report is None:
        _progress(asked)
    return found


def _larger(asked: Question, found: Coverage) -> Coverage | None:
    """The same at twice the training size, where that could help."""
    few = len(found.objects) <= MOST_LARGER
    if not few or bool(found.covered.all()) or isinstance(asked.preset.anchors, GridAnchors):
        return None
    return dataset.coverage_of(asked, size_px=2 * min(found.size_wh))


def _ask_doctor(asked: Question) -> None:
    """Begin to check every file, beside the page."""
    key = ("doctor", asked.data, asked.split, asked.anchors, asked.size_px)
    going: work.Work | None = st.session_state.get("ydoctor")
    if going is not None and going.key == key:
        return
    if going is not None:
        going.stop()
    path = sources.folder_paths()[asked.data]

    def check(this: work.Work) -> None:
        from ssd.checks import check_dataset

        size_px = dataset.training_side(asked)
        this.answer = check_dataset(path, split=asked.split, size_px=size_px, progress=this.tell)
        dataset.keep_report(asked, this.answer)

    st.session_state["ydoctor"] = work.start(key, check)


@st.fragment(run_every=LOOK_EVERY_S)
def _progress(asked: Question) -> None:
    """How far the doctor is, and a way to stop; at the end the page runs again."""
    going: work.Work | None = st.session_state.get("ydoctor")
    if going is None or dataset.known_report(asked) is not None:
        st.rerun()
    if going.over:
        st.text(
            f"⚠ {going.problem}"
            if going.problem
            else f"The doctor was stopped after {going.done:,} pictures."
        )
        st.button("Go on", key="ydoctor_again", on_click=_again)
        return
    words = going.waits or f"The doctor opens picture {going.done:,} of {going.total:,}"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(going.done / max(going.total, 1), words)
        st.button("Stop", key="ydoctor_stop", on_click=going.stop, icon=":material/stop_circle:")


def _again() -> None:
    """Ask the doctor again; in a callback only."""
    st.session_state.pop("ydoctor", None)


def _code(asked: Question) -> str:
    """The calls behind the sentences."""
    size = "" if asked.size_px is None else f", size_px={asked.size_px}"
    head = "from ssd.config import any_preset\n"
    head += "from ssd.coverage import preset_coverage, verdict, worst_objects\n"
    if asked.data == SCENES:
        head += (
            "from ssd.data.object_table import object_table\nfrom ssd.data.shapes import SHAPE_CLASSES\n"
            "from ssd.data.synthetic import synthetic_scene\n"
        )
        seeds = dataset.scenes_of(asked.split)
        objects = (
            f"object_table([synthetic_scene(seed).target for seed in {seeds!r}], class_names=SHAPE_CLASSES)"
        )
    else:
        head += "from pathlib import Path\n\nfrom ssd.data.object_table import read_objects\n"
        objects = f"read_objects(Path({str(sources.folder_paths()[asked.data])!r}), split={asked.split!r})"
    return f"""{head}
objects = {objects}
preset = any_preset({asked.anchors!r})
found = preset_coverage(objects, preset{size}, rule={asked.rule!r}, threshold={asked.threshold:g})
print(*verdict(found, preset=preset.name), sep="\\n")
for worst in worst_objects(found, preset, count=5):
    print(worst.category, worst.best_jaccard, worst.cause)"""
