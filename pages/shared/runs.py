"""Training runs of the command line, watched while they go on. A tab of the Learning page.

Everything is read from the run's folder: a page that is opened again, or a server that was
started again, sees the same.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from pages.shared import picker, show, sources
from pages.shared import scene as scenes
from pages.shared.sources import START_SEED, SYNTHETIC
from pages.shared.tabs import open_tab
from ssd.errors import SSDError

if TYPE_CHECKING:
    from pages.shared.scene import Scene
    from ssd.training.run_reader import RunHistory, Validation
    from ssd.training.run_state import Checkpoint, RunState

MOST_RUNS = 4  # compared at once: as many as there are lines that can be told apart
LIVE_S, IDLE_S = 2.0, 6.0  # how often the folders are looked at
MOST_SAMPLES = 8  # checkpoints whose detections are shown
SAMPLE_SCORE = 0.3
PARTS = {"loss": "loss", "localisation": "localisation loss", "confidence": "confidence loss"}
STANDINGS = {  # colour and sign of each: never the colour alone
    "running": ("blue", ":material/play_circle:"),
    "finished": ("green", ":material/check_circle:"),
    "interrupted": ("orange", ":material/pause_circle:"),
    "failed": ("red", ":material/error:"),
    "crashed": ("red", ":material/power_off:"),
    "finder": ("gray", ":material/search:"),
    "unknown": ("gray", ":material/help:"),
}


@dataclass(frozen=True)
class Watched:
    """A run as its folder shows it now."""

    name: str
    path: Path
    history: RunHistory
    state: RunState
    validations: tuple[Validation, ...]


def show_runs() -> None:
    """The whole tab."""
    names = list(sources.run_paths())
    if not names:
        _teach_empty()
        return
    chosen = _choose(names)
    live = any(watch(name).state.standing == "running" for name in names if name in chosen)
    st.fragment(_watch, run_every=LIVE_S if live else IDLE_S)(tuple(chosen), tuple(names), live)
    with st.expander("Start a run", icon=":material/terminal:"):
        _start_command()


def _teach_empty() -> None:
    """No run yet: what to do about it."""
    with st.container(border=True):
        st.markdown(
            "**There is no run yet.** Long training runs start on the command line and are watched here: "
            "loss, learning rate, average precision, detections of every checkpoint. Copy this line into a "
            "terminal in the project's folder; the run appears here by itself."
        )
        _start_command()
    st.fragment(_wait_for_first, run_every=IDLE_S)()


def _wait_for_first() -> None:
    """Look for a first run now and then."""
    if sources.run_paths():
        st.rerun()


def _choose(names: list[str]) -> list[str]:
    """The runs that are watched, the latest first; a link may name some that are gone."""
    asked = st.session_state.get("runs")
    if asked is not None and not set(asked) <= set(names):
        st.session_state["runs"] = [name for name in asked if name in names]
    return st.multiselect(
        "Runs",
        names,
        default=names[:1],
        key="runs",
        bind="query-params",
        max_selections=MOST_RUNS,
        placeholder="Choose one to watch it, two or more to compare them",
    )


def watch(name: str) -> Watched:
    """A run with what was added to its files since the last look."""
    from ssd.training.run_reader import EMPTY_HISTORY, follow, read_validations
    from ssd.training.run_state import read_state

    path = sources.run_paths()[name]
    known = st.session_state.setdefault("run_histories", {})
    history = known[name] = follow(path, known.get(name, EMPTY_HISTORY))
    return Watched(name, path, history, read_state(path, history), read_validations(path))


def _watch(chosen: tuple[str, ...], names: tuple[str, ...], live: bool) -> None:
    """What is looked at again and again."""
    paths = sources.run_paths()
    if set(paths) != set(names):
        st.rerun()
    runs = [watch(name) for name in chosen if name in paths]
    if any(run.state.standing == "running" for run in runs) != live:
        st.rerun()
    if not runs:
        st.text("Choose a run.")
        return
    for run in runs:
        _standing(run)
    with show.errors():
        open_tab(
            {
                "progress": lambda: _progress(runs),
                "detections by checkpoint": lambda: _samples(runs),
                "settings": lambda: _settings(runs),
            },
            key="run_tab",
        )


def _standing(run: Watched) -> None:
    """One line: name, how it stands, what it says."""
    colour, sign = STANDINGS[run.state.standing]
    with st.container(horizontal=True, vertical_alignment="center", key=f"standing_{run.name}"):
        st.text(run.name, width="content")
        st.badge(run.state.standing, color=colour, icon=sign, width="content")
        steps = f" of {run.state.steps:,}" if run.state.steps else ""
        st.text(f"step {run.history.last_step:,}{steps} · {run.state.sentence}", width="stretch")


def _progress(runs: list[Watched]) -> None:
    """One run in parts; several on the same axes."""
    if len(runs) == 1:
        _numbers(runs[0])
    left, right = st.columns(2, gap="medium")
    last = max(max(run.state.steps, run.history.last_step) for run in runs)
    with left:
        _losses(runs, last)
    with right:
        _validation(runs, last)
        _rates(runs, last)
    with left if len(runs) == 1 else right:  # where there is room
        _finder(runs)
    skipped = sum(run.history.skipped for run in runs)
    if skipped:
        st.caption(f"{skipped:,} lines of steps.jsonl could not be read and were left out.")


def _numbers(run: Watched) -> None:
    """Three numbers of one run."""
    from ssd.training.run_curves import recent_mean

    loss = recent_mean(run.history, "loss")
    best = max(run.validations, key=lambda v: v.value, default=None)
    show.three_numbers(
        [
            ("loss now", "–" if loss is None else f"{loss:.2f}", "mean of the last 50 steps"),
            ("best validation", *_precision(best)),
            ("last validation", *_precision(run.validations[-1] if best else None)),
        ]
    )


def _precision(point: Validation | None) -> tuple[str, str]:
    """The number, and what it is."""
    if point is None:
        return "–", "not validated yet"
    return f"{point.value:.3f}", f"{point.metric}, after step {point.step:,}"


def _losses(runs: list[Watched], last: int) -> None:
    """The loss in its parts: one chart for one run, one a part on one scale for several."""
    from ssd.training.run_curves import column_curve, top_of

    curves = {part: [(run.name, column_curve(run.history, part)) for run in runs] for part in PARTS}
    most = top_of(curve for pairs in curves.values() for _, curve in pairs)
    if len(runs) == 1:
        parts = [(words, curves[part][0][1]) for part, words in PARTS.items()]
        _chart("curve_figure", parts, title="loss", last_step=last, most=most, alt="Loss by step")
    else:
        for part, words in PARTS.items():
            _chart("curve_figure", curves[part], title=words, last_step=last, most=most, alt=words)
    stretch = max((curve.stretch for pairs in curves.values() for _, curve in pairs), default=1)
    if stretch > 1:
        st.caption(f"Each point is the mean of up to {stretch} steps.")


def _validation(runs: list[Watched], last: int) -> None:
    """Average precision by its full name; runs that name different ones are not mixed."""
    metrics = sorted({point.metric for run in runs for point in run.validations})
    if not metrics:
        st.caption("No validation yet; the setting validate_every says when one is due.")
    for metric in metrics:
        pairs = [(run.name, [v for v in run.validations if v.metric == metric]) for run in runs]
        st.caption(metric)
        _chart("validation_figure", pairs, last_step=last, alt=metric)


def _rates(runs: list[Watched], last: int) -> None:
    """The learning rate, step by step."""
    from ssd.training.run_curves import column_curve, top_of

    curves = [(run.name, column_curve(run.history, "learning_rate")) for run in runs]
    _chart(
        "curve_figure", curves, title="learning rate", last_step=last,
        most=top_of(curve for _, curve in curves), number=".2e", legend=len(runs) > 1, alt="Learning rate",
    )  # fmt: skip


def _finder(runs: list[Watched]) -> None:
    """What the learning-rate finder saw, for each run that asked it."""
    from ssd.training.run_reader import read_finding
    from ssd.training.run_state import read_settings

    for run in runs:
        finding = read_finding(run.path)
        if finding is None:
            continue
        st.caption(f"Learning-rate finder{f' of {run.name}' if len(runs) > 1 else ''}")
        rate = read_settings(run.path).get("learning_rate", "")
        used = float(rate) if rate.replace(".", "", 1).replace("e-", "", 1).isdigit() else None
        _chart("finding_figure", finding, used=used, alt=f"Learning-rate finder of {run.name}")


def _chart(name: str, *records: object, alt: str, **options: object) -> None:
    show.chart(name, *records, alt=alt, room="learning_runs", key=f"{name} {alt}", **options)


def _samples(runs: list[Watched]) -> None:
    """What each checkpoint finds on the current scene."""
    from ssd.figures.findings import fits
    from ssd.training.run_state import checkpoints_of

    scene: Scene = st.session_state["scene"]
    for run in runs:
        kept = [c for c in checkpoints_of(run.path) if c.kind != "raw"]
        if len(runs) > 1:
            st.text(run.name)
        if not kept:
            st.text("No weights are saved yet.")
        elif not fits(scene.class_names, run.state.class_names):
            _other_scene(run)
        else:
            _sample_pictures(scene, run, kept)


def _other_scene(run: Watched) -> None:
    """The scene shows things that the run does not learn."""
    from ssd.data.shapes import SHAPE_CLASSES
    from ssd.figures.findings import fits

    st.text(f"This run learns {', '.join(run.state.class_names) or 'unnamed classes'}: choose such a scene.")
    if fits(SHAPE_CLASSES, run.state.class_names):
        st.button(
            "Open a drawn scene", on_click=picker.go_to, args=(SYNTHETIC, START_SEED), key=f"drawn_{run.name}"
        )


def _sample_pictures(scene: Scene, run: Watched, kept: list[Checkpoint]) -> None:
    """Small multiples: the same picture, one checkpoint after another."""
    from ssd.figures.thumbnails import BoxLayer, fitted_wh, small_multiples

    step = -(-len(kept) // MOST_SAMPLES)
    objects = BoxLayer.of("object", scene.objects.boxes)
    panels = []
    for checkpoint in kept[::-1][::step][::-1]:
        try:
            boxes = _detected(scene, run, checkpoint)
        except SSDError as error:
            st.text(f"{checkpoint.title}: {error}")
            continue
        panels.append((f"{checkpoint.title}: {len(boxes)} kept", [objects, BoxLayer.of("kept", boxes)]))
    if not panels:
        return
    width, height = fitted_wh(scene.size_wh, within_wh=(300, 260))
    columns = min(3, len(panels))
    svg = small_multiples(
        scenes.small_of(scene), width_px=width, height_px=height, panels=panels, columns=columns,
        title="Detections of each checkpoint on the scene",
    )  # fmt: skip
    st.image(svg, alt=" · ".join(words for words, _ in panels))
    st.caption(
        f"White: the scene's objects. Dashed: detections with a score of at least {SAMPLE_SCORE:g}. The "
        "average of the weights is shown; the loss lab has every checkpoint."
    )


def _detected(scene: Scene, run: Watched, checkpoint: Checkpoint) -> object:
    """The boxes that a checkpoint keeps."""
    from ssd.config import SelectionConfig
    from ssd.detections import select

    answer = scenes.run_answer_of(scene, run=run.name, checkpoint=checkpoint)
    config = SelectionConfig(score_threshold=SAMPLE_SCORE)
    return select(answer.output.boxes, answer.output.scores, config=config).detections.boxes


def _settings(runs: list[Watched]) -> None:
    """The settings of one run; of several only where they differ."""
    from ssd.training.run_state import read_settings

    settings = [read_settings(run.path) for run in runs]
    keys = list(dict.fromkeys(key for each in settings for key in each))
    if len(runs) > 1:
        keys = [key for key in keys if len({each.get(key, "–") for each in settings}) > 1]
        if not keys:
            st.text("These runs have the same settings.")
            return
        st.caption("Only the settings that differ.")
    table = {"setting": keys}
    for run, each in zip(runs, settings, strict=True):
        table[run.name] = [each.get(key, "–") for key in keys]
    st.table(table, alt="Settings of the runs")


def _start_command() -> None:
    """The line to copy for a new run; the page itself starts none."""
    from ssd.training.presets import TRAINING_PRESETS

    folders = sources.folder_paths()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        names = [name for name in TRAINING_PRESETS if name != "teach"]  # the tab before this one
        preset = st.selectbox("Preset", names, names.index("shapes"), key="run_preset", width=200)
        data = st.selectbox("Data", ["synthetic scenes", *folders], key="run_data", width=240)
        key = f"run_name_{preset}"
        name = st.text_input("Name of the run", f"{preset}-1", key=key, width=200, max_chars=60)
    words = "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in name) or "run"
    where = f" --data {_shell_path(folders[data])}" if data in folders else ""
    st.code(
        f"python -m ssd train --preset {preset}{where} --out runs/{words} "
        "--keep-every 200 --set validate_every=200",
        language="bash",
    )
    st.caption(
        "Ctrl-C saves and stops; --resume in the place of --preset goes on. --keep-every keeps weights to "
        "look back on. For a learning rate first: python -m ssd lr-find with the same preset, data and --out."
    )


def _shell_path(path: Path) -> str:
    """A path as a shell takes it, from the project's folder where that is shorter."""
    import shlex

    short = os.path.relpath(path, sources.RUNS.parent)
    return shlex.quote(short if len(short) < len(str(path)) else str(path))
