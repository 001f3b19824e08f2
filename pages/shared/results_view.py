"""The Results page's own part: one control row, AP by its full name, and doors to the pictures behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.shared import judged as judging
from pages.shared import results_doors as doors
from pages.shared import show, sources
from pages.shared.facts import facts
from pages.shared.judged import SCENES, SPLITS, Judged, Subject
from pages.shared.scene import Scene
from pages.shared.tables import chart
from pages.shared.tabs import open_tab

if TYPE_CHECKING:
    from ssd.metrics import ApReport, Curve, OperatingPoint

METRICS = {"coco": "COCO AP", "voc07": "VOC07 11-point AP", "voc12": "VOC12 AP"}
NOBODY, ITSELF = "nothing", "itself, at the usual settings"
USUAL_SCORE = 0.5
ALL = "all classes"


def results_of(_: Scene) -> None:
    """All of the page below its title."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="rcontrols"):
        subject = _subject()
        other = None if subject is None else _other(subject)
    if subject is None:
        return
    score, iou, metric, nms = _thresholds(subject)
    found = judging.judged(subject, nms=nms)
    beside = None
    if other is not None:
        itself = other == subject.model
        theirs = Subject(subject.data, subject.split, other)
        beside = judging.judged(theirs, nms=None if itself else nms)
    report = judging.report_of(found, metric=metric, evaluation_iou=iou)
    settings = doors.Settings(
        found, beside, score=score, iou=iou, metric=metric,
        beside_score=USUAL_SCORE if other == subject.model else score,
    )  # fmt: skip
    left, right = st.columns((2, 1), gap="medium")
    with right:
        _verdict(settings, report)
    with left:
        open_tab(
            {
                "why missed": lambda: doors.why_missed(settings),
                "precision–recall": lambda: _precision_recall(settings),
                "F1 by score": lambda: _f1(settings),
                "confusion": lambda: doors.confusion_tab(settings),
                "compare": lambda: doors.compare_tab(settings),
                "hand over": lambda: doors.hand_over(settings, report),
            },
            key="results",
        )
    show.copy_as_python(lambda: _code(settings))


def _subject() -> Subject | None:
    """Data, split and detector."""
    names = judging.data_names()
    data = st.selectbox(
        "Data", names, key="rdata", bind="query-params", width=175, on_change=_forget_model,
        help="Another data set: python -m ssd explore DIR",
    )  # fmt: skip
    split = "all"
    if data != SCENES:
        split = st.selectbox("Split", SPLITS, key="rsplit", bind="query-params", width=110)
    models = judging.model_names()
    if not models:
        st.text("There is no detector here: python -m ssd train --preset shapes --out runs/mine")
        return None
    model = _detector(models, judging.usual_model(data, split))
    return Subject(data, split, model)


def _forget_model() -> None:
    """Other data ask for the detector that fits them; in a callback only."""
    for key in ("rmodel", "rother", "rclass", "rthere", "rsaid"):
        st.session_state.pop(key, None)


def _detector(models: tuple[str, ...], usual: str | None) -> str:
    """Whose detections are judged; on other data the one that fits there."""
    if "rmodel" in st.session_state and st.session_state["rmodel"] not in models:
        del st.session_state["rmodel"]
    index = models.index(usual) if usual in models else 0
    return st.selectbox(
        "Detector", models, index, key="rmodel", bind="query-params", width=175,
        help="Shipped models, fetched ones, and your runs",
    )  # fmt: skip


def _other(subject: Subject) -> str | None:
    """A second detector that knows the same classes."""
    known = set(judging.class_names_of(subject.model))
    here = [name for name in judging.model_names() if name != subject.model]
    others = [name for name in here if known & set(judging.class_names_of(name))]
    options = (NOBODY, ITSELF, *others)
    if st.session_state.get("rother", NOBODY) not in options:
        del st.session_state["rother"]
    choice = st.selectbox("Compare with", options, key="rother", bind="query-params", width=220)
    return {NOBODY: None, ITSELF: subject.model}.get(choice, choice)


def _thresholds(subject: Subject) -> tuple[float, float, Any, float]:
    """Score, evaluation IoU, metric and NMS threshold: all act on answers that are there already."""
    own = judging.predictor_of(subject.model).config.selection
    with st.container(horizontal=True, vertical_alignment="bottom", key="thresholds"):
        low = min(own.score_threshold, 0.5)
        score = st.slider(
            "Score",
            low,
            0.99,
            0.5,
            0.01,
            key="rscore",
            width=175,
            bind="query-params",
            help="AP does not depend on it",
        )
        iou = st.slider("Evaluation IoU", 0.05, 0.95, 0.5, 0.05, key="riou", width=175, bind="query-params")
        nms = st.slider(
            "NMS", 0.05, 0.95, own.nms_threshold, 0.05, key="rnms", width=175, bind="query-params"
        )
        metric = st.selectbox(
            "Metric", list(METRICS), format_func=METRICS.get, key="rmetric", width=175, bind="query-params"
        )
    return score, iou, metric, nms


def _verdict(settings: doors.Settings, report: ApReport) -> None:
    """Three numbers, a sentence, and AP class by class."""
    from ssd.metrics import overall_curve

    curve = overall_curve(settings.found.pairing, evaluation_iou=settings.iou)
    now, best = curve.at(settings.score), curve.best()
    at = "IoU .50 to .95" if settings.metric == "coco" else f"IoU {settings.iou:.2f}"
    facts(
        key="result_facts",
        numbers=[
            (METRICS[settings.metric], _number(report.ap), f"mean over classes, {at}"),
            ("recall", _number(now.recall), f"objects found at score > {settings.score:.2f}"),
            (
                "precision",
                _number(now.precision),
                f"detections that are right at score > {settings.score:.2f}",
            ),
        ],
        lines=_lines(report, now, best),
    )
    each = sorted(report.per_class.items(), key=lambda item: (item[1] is None, item[1] or 0.0))
    st.dataframe(
        {"class": [name for name, _ in each], METRICS[settings.metric]: [value for _, value in each]},
        column_config={
            METRICS[settings.metric]: st.column_config.ProgressColumn(min_value=0, max_value=1, format="%.3f")
        },
        hide_index=True,
        height=min(300, 38 + 35 * max(len(each), 1)),
        key="per_class",
    )


def _lines(report: ApReport, now: OperatingPoint, best: OperatingPoint | None) -> list[str]:
    """What the numbers say."""
    lines = [f"{report.num_objects:,} objects in {report.num_pictures:,} pictures."]
    if report.ap is None:
        return [*lines, "No object counts here, so there is no AP."]
    if report.metric == "coco" and report.ap50 is not None:
        lines.append(f"COCO AP50, at IoU .50 alone: {report.ap50:.3f}.")
    if best is not None and best.f1 is not None and now.f1 is not None:
        lines.append(f"F1 is {now.f1:.2f} here; its best is {best.f1:.2f}, at score {best.score:.2f}.")
    worst = min((v, n) for n, v in report.per_class.items() if v is not None)
    return [*lines, f"Weakest class: {worst[1]}, {worst[0]:.2f}."]


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _curves(settings: doors.Settings) -> list[tuple[str, Curve]]:
    """Of the chosen class, or of all together; of both detectors where two are compared."""
    from ssd.metrics import overall_curve, precision_recall

    names = settings.found.class_names
    chosen = st.selectbox("Class", (ALL, *names), key="rclass", width=220, bind="query-params")
    curves = []
    for name, each in zip(doors.names_of(settings), (settings.found, settings.beside), strict=True):
        if each is None:
            continue
        if chosen == ALL:
            curve = overall_curve(each.pairing, evaluation_iou=settings.iou)
        else:
            by_name = precision_recall(
                each.pairing, class_names=each.class_names, evaluation_iou=settings.iou
            )
            if chosen not in by_name:
                continue
            curve = by_name[chosen]
        curves.append((name, curve))
    return curves


def _precision_recall(settings: doors.Settings) -> None:
    """The curve with the metric's own interpolation."""
    curves = _curves(settings)
    points = [curve.at(settings.score) for _, curve in curves]
    chart(
        "precision_recall_figure", curves, metric=settings.metric, points=points, room="results", key="pr",
        alt="Precision over recall, with the metric's own interpolation",
    )  # fmt: skip
    st.caption(
        f"At evaluation IoU {settings.iou:.2f}. The strong line is what {METRICS[settings.metric]} averages: "
        "at each recall the best precision that is reached there or later."
    )


def _f1(settings: doors.Settings) -> None:
    """F1 over the score threshold."""
    chart(
        "f1_figure",
        _curves(settings),
        score=settings.score,
        room="results",
        key="f1_chart",
        alt="F1 by score",
    )
    st.caption("The dashed line is the score slider; a dot marks the best F1 and the score that gives it.")


def _code(settings: doors.Settings) -> str:
    """The calls behind the numbers."""
    found: Judged = settings.found
    subject = found.subject
    if subject.data == SCENES:
        source = "from ssd.training.loader import SyntheticSource"
        pictures = f"SyntheticSource(length={judging.NUM_SCENES}, first_seed={judging.FIRST_SCENE})"
    else:
        source = "from ssd.data.folders import open_dataset"
        path, names = sources.folder_paths()[subject.data], found.class_names
        pictures = f"open_dataset({str(path)!r}, split={subject.split!r}, classes={names!r})"
    return f'''from ssd.checkpoints import find_model, read_weights
from ssd.evaluation import missed_objects, raw_outputs
from ssd.metrics import average_precision
from ssd.prediction import Predictor
{source}

loaded = read_weights(find_model("{found.subject.model}"))
pictures = {pictures}
raw = raw_outputs(Predictor(loaded.model, sha256=loaded.sha256), pictures, cache=None)
report = average_precision(raw.results(), class_names=raw.class_names, metric="{settings.metric}")
print(report.ap, missed_objects(raw).missed)'''
