"""The anchor optimiser on the page: start, watch, stop, compare, take away."""

from __future__ import annotations

import os
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from pages.shared import dataset, show, sources, work
from pages.shared.dataset import Question
from pages.shared.tables import chart
from ssd.config import GridAnchors, anchor_preset, anchor_preset_names
from ssd.errors import SSDError

if TYPE_CHECKING:
    from ssd.coverage import Coverage, FitStep

LOOK_EVERY_S = 1.0
BUDGETS = {"quick: 10": 10, "usual: 60": 60, "long: 200": 200}
NOTHING = "nothing"


@dataclass(frozen=True)
class Plan:
    """What is fitted to what."""

    asked: Question
    start: str
    fit_to: str
    held_out: str
    generations: int
    keep_grids: bool

    @property
    def key(self) -> tuple[object, ...]:
        """Names the work."""
        return ("fit", self)


def fit_tab(asked: Question) -> None:
    """The whole tab."""
    st.markdown(
        "Differential evolution, started from k-means, moves sizes and ratios; every try is measured on the "
        "true grid with the true matching rule. The held-out objects are never seen by it."
    )
    plan = _plan(asked)
    going: work.Work | None = st.session_state.get("yfit")
    with st.container(horizontal=True, vertical_alignment="center"):
        busy = going is not None and not going.over
        st.button("Start", key="yfit_start", type="primary", disabled=busy, on_click=_start, args=(plan,),
                  icon=":material/play_arrow:")  # fmt: skip
        if busy:
            st.button("Stop", key="yfit_stop", on_click=going.stop, icon=":material/stop_circle:")
    if going is None:
        st.caption("The best so far is kept whenever you stop. The same on the command line:")
        st.code(_command(plan), language="bash")
    elif busy:
        _watch()
    elif st.session_state.pop("yfit_seen", True):
        _result(going)
    else:
        st.rerun()  # it ended after the verdict above was drawn


def _plan(asked: Question) -> Plan:
    """Start, budget and both parts of the data."""
    splits = dataset.splits_of(asked.data)
    for key in ("yfit_to", "yheld"):
        if st.session_state.get(key, NOTHING) not in (NOTHING, *splits):
            del st.session_state[key]
    names = anchor_preset_names()
    first = names.index(asked.anchors) if asked.anchors in names else 0
    with st.container(horizontal=True, vertical_alignment="bottom"):
        start = st.selectbox("Start from", names, first, key="yfit_start_at", bind="query-params", width=180)
        fit_to = st.selectbox(
            "Fit to", splits, splits.index("train") if "train" in splits else 0, key="yfit_to",
            bind="query-params", width=130,
        )  # fmt: skip
        others = (NOTHING, *splits)
        held = st.selectbox(
            "Hold out", others, others.index("val") if "val" in others else 0, key="yheld",
            bind="query-params", width=130,
        )  # fmt: skip
        budget = st.selectbox("Generations", list(BUDGETS), 1, key="ybudget", bind="query-params", width=140)
        keep = isinstance(anchor_preset(start).anchors, GridAnchors) and st.toggle(
            "Keep the grids", True, key="ykeep", bind="query-params", help="So that the lesson's network fits"
        )
    return Plan(asked, start, fit_to, held, BUDGETS[budget], keep)


def _start(plan: Plan) -> None:
    """Begin; in a callback only."""
    st.session_state["yfit"] = work.start(plan.key, lambda this: _fit(this, plan))


def _fit(this: work.Work, plan: Plan) -> None:
    """Step by step; the best so far is always the answer."""
    from ssd.coverage import fit_anchors

    asked = plan.asked
    held_out = None if plan.held_out == NOTHING else dataset.objects_of(asked.data, plan.held_out)
    steps = fit_anchors(
        dataset.objects_of(asked.data, plan.fit_to),
        start=dataset.preset_at_size(anchor_preset(plan.start), asked.size_px),
        held_out=held_out, rule=asked.rule, threshold=asked.threshold, generations=plan.generations,
        keep_grids=plan.keep_grids,
    )  # fmt: skip
    told: list[FitStep] = []
    for step in steps:
        told.append(step)
        this.answer = tuple(told)
        this.tell(step.generation, step.generations)


@st.fragment(run_every=LOOK_EVERY_S)
def _watch() -> None:
    """The best so far, once a second; at the end the page runs again."""
    going: work.Work = st.session_state["yfit"]
    if going.over:
        st.rerun()
    words = going.waits or f"Generation {going.done:,} of {going.total:,}"
    st.progress(going.done / max(going.total, 1), words)
    if going.answer:
        _scores(going.answer)


def _scores(steps: tuple[FitStep, ...]) -> None:
    """Best so far, generation by generation, in numbers and as a curve."""
    last = steps[-1]
    rows = {"": ["without an anchor", "held by force only", "mean best jaccard"]}
    for name, before, after in (
        ("fitted to", last.before, last.after),
        ("held out", last.held_out_before, last.held_out),
    ):
        if before is not None and after is not None:
            rows[f"{name}: {before.num_objects:,} objects"] = [
                f"{before.without_anchor:,} → {after.without_anchor:,}",
                f"{before.not_free:,} → {after.not_free:,}",
                f"{before.mean_best_jaccard:.3f} → {after.mean_best_jaccard:.3f}",
            ]
    left, right = st.columns(2, gap="medium")
    with left:
        st.table(rows, alt="Start and best so far, on the objects it is fitted to and on those held out")
        st.caption(f"{last.evaluations:,} configurations measured.")
    with right:
        chart("fit_figure", steps, room="coverage", key="fit_steps", alt="Mean best jaccard by generation")


def _result(going: work.Work) -> None:
    """Before and after on the same axes, and the way to keep it."""
    if going.problem:
        show.error_box(going.problem)
    if not going.answer:
        return
    plan, step = going.key[1], going.answer[-1]
    if going.stopped:
        st.text(
            f"Stopped after generation {step.generation:,} of {step.generations:,}; this is the best so far."
        )
    _scores(going.answer)
    _same_axes(plan, step)
    _export(plan, step)


def _same_axes(plan: Plan, step: FitStep) -> None:
    """Recall by size before and after, on objects that were never seen where there are some."""
    from ssd.coverage import recall_curves

    split = plan.fit_to if plan.held_out == NOTHING else plan.held_out
    objects = dataset.objects_of(plan.asked.data, split)
    curves = recall_curves(objects, [step.start, step.preset("fitted")])
    chart("recall_figure", curves, room="coverage", key="fit_recall", alt="Recall by size, start and fitted")
    st.caption(f"Before and after on {split}, at the threshold of {step.start.name}.")


def _export(plan: Plan, step: FitStep) -> None:
    """As a file, here or in the browser, and as a command."""
    from ssd.config import preset_to_toml

    with st.container(horizontal=True, vertical_alignment="bottom"):
        usual = re.sub(r"[^a-z0-9]+", "-", f"{plan.asked.data}-{plan.start}".lower()).strip("-")
        name = st.text_input("Name of the preset", usual, key="yname", max_chars=60, width=260)
        text = preset_to_toml(step.preset(name))
        st.button("Save in presets/", key="ysave", on_click=_save, args=(name, text), icon=":material/save:")
        st.download_button("Download", text, f"{name}.toml", "application/toml", on_click="ignore")
    if (said := st.session_state.pop("ysaved", None)) is not None:
        st.text(said)
    st.code(_command(plan, name), language="bash")


def _save(name: str, text: str) -> None:
    """Write the preset; from then on it is found by name. In a callback only."""
    from ssd.config import validate_preset_name
    from ssd.storage import write_file

    try:
        validate_preset_name(name)
        path = _preset_folder() / f"{name}.toml"
        if path.exists():
            st.session_state["ysaved"] = f"⚠ {name} is there already; choose another name."
            return
        write_file(path, text.encode())
        st.session_state["ysaved"] = f"Saved; {name} is in every list of anchors now."
    except SSDError as error:
        st.session_state["ysaved"] = f"⚠ {error}"


def _preset_folder() -> Path:
    """Where presets are found by name: the first root of ``SSD_PRESET_ROOTS``, or ``presets/``."""
    told = os.environ.get("SSD_PRESET_ROOTS", "").split(os.pathsep)[0]
    return Path(told) if told else Path(__file__).resolve().parents[2] / "presets"


def _command(plan: Plan, name: str = "mine") -> str:
    """The same in a terminal."""
    asked = plan.asked
    folder = str(sources.folder_paths()[asked.data]) if asked.is_folder else "DIR"
    words = [
        "python -m ssd fit-anchors",
        shlex.quote(folder),
        f"--preset {plan.start}",
        f"--split {plan.fit_to}",
    ]
    if plan.held_out != NOTHING:
        words.append(f"--held-out {plan.held_out}")
    if asked.size_px is not None:
        words.append(f"--size {asked.size_px}")
    words += [f"--threshold {asked.threshold:g}", f"--rule {asked.rule}", f"--generations {plan.generations}"]
    return " ".join([*words, *(["--keep-grids"] if plan.keep_grids else []), f"--out presets/{name}.toml"])


def fitted_coverage(asked: Question) -> Coverage | None:
    """Coverage by anchors that were fitted to this data set in this session."""
    going: work.Work | None = st.session_state.get("yfit")
    st.session_state["yfit_seen"] = going is None or going.over
    if going is None or not going.over or not going.answer or going.key[1].asked.data != asked.data:
        return None
    from ssd.coverage import preset_coverage

    step = going.answer[-1]
    if step.generation == 0 or going.key[1].start != asked.anchors:
        return None
    return preset_coverage(
        dataset.objects_of(asked.data, asked.split), step.preset("fitted"), rule=asked.rule,
        threshold=asked.threshold,
    )  # fmt: skip
