"""Doors of the Results page: every number opens the pictures behind it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.shared import judged as judging
from pages.shared.gallery import Tile, gallery
from pages.shared.judged import RUN_PREFIX, Judged
from pages.shared.tables import chart
from ssd.config import UNMATCHED

if TYPE_CHECKING:
    from ssd.evaluation import MissedObject, MissedReport
    from ssd.metrics import ApReport, Cell, Confusion, Metric

WORDS = {
    "no_box": "no box lies right",
    "wrong_class": "only of the wrong class",
    "low_score": "score too low",
    "beyond_top_k": "cut by top-k",
    "suppressed": "suppressed",
    "beyond_cap": "cut by the cap",
    "claimed": "claimed by another object",
}
MEANS = {
    "no box lies right": "No decoded box reaches the evaluation IoU: train more, or fit the anchors.",
    "only of the wrong class": "A box lies right, but every class above the threshold is another one.",
    "score too low": "A box of the right class lies right, below the score threshold.",
    "cut by top-k": "Its box came too late in its class to be looked at by NMS.",
    "suppressed": "NMS dropped its box for a better one close by.",
    "cut by the cap": "The picture had enough detections already.",
    "claimed by another object": "Its only box counts for a neighbour that overlaps it more.",
}


@dataclass(frozen=True)
class Settings:
    """What is judged, beside what, and at which thresholds."""

    found: Judged
    beside: Judged | None
    score: float
    iou: float
    metric: Metric
    beside_score: float


def why_missed(settings: Settings) -> None:
    """The funnel: what became of every object, and the pictures of each verdict."""
    found = settings.found
    key = (found.subject, found.config)
    if st.session_state.get("rwhy") != key and not judging.told_at_once(found):
        st.text(f"To say why, each of the {len(found.raw):,} pictures is looked at once: a few seconds.")
        st.button(
            "Tell why", icon=":material/troubleshoot:", type="primary", key="tell_why",
            on_click=st.session_state.update, kwargs={"rwhy": key},
        )  # fmt: skip
        return
    report = judging.missed_of(found, score=settings.score, evaluation_iou=settings.iou)
    counts = {words: report.missed[name] for name, words in WORDS.items() if report.missed[name]}
    _take_click("funnel_chart", "verdict", lambda data: data)
    chosen = _choice(
        "Verdict", list(counts), key="verdict", first=max(counts, key=lambda w: counts[w], default=None)
    )
    chart(
        "verdict_figure", {**counts, "found": report.found}, selected=chosen, room="results",
        key="funnel_chart", alt="How many objects met each verdict", clickable=True,
    )  # fmt: skip
    if chosen is None:
        st.text("Every object was found." if report.num_objects else "There is no object here.")
        return
    st.text(f"{chosen}: {MEANS[chosen]}")
    _covers(report)
    missed = [each for each in report.objects if WORDS[each.verdict] == chosen]
    gallery(
        [_missed_tile(settings, each) for each in missed], key=f"missed_{chosen}", page="detections",
        empty="No object met this verdict.",
    )  # fmt: skip


def _covers(report: MissedReport) -> None:
    """How training would teach the missed ones, in a line."""
    told = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in report.cover.items() if count)
    st.caption(f"Training cover of all missed objects under the model's own anchors: {told or 'none'}.")


def _missed_tile(settings: Settings, missed: MissedObject) -> Tile:
    result = settings.found.results[missed.picture]
    box = result.gt_boxes[missed.object : missed.object + 1]
    said = result.boxes[result.scores > settings.score]
    return _tile(
        settings, missed.picture, missed.object,
        f"{missed.category}: best jaccard {missed.best_jaccard:.2f}, score {missed.score:.2f}",
        (("object", result.gt_boxes), ("kept", said), ("missed", box)),
    )  # fmt: skip


def _tile(
    settings: Settings, picture: int, index: int | None, caption: str, layers: tuple[tuple[str, Any], ...]
) -> Tile:
    """One picture, with what Detections needs to show the same."""
    source, which = judging.scene_of(settings.found, picture)
    model = settings.found.subject.model
    kept = {"score": f"{settings.score:g}", "nms": f"{settings.found.config.nms_threshold:g}"}
    kept |= {} if model.startswith(RUN_PREFIX) else {"model": model}
    return Tile(source, which, caption, layers, index, kept)


def confusion_tab(settings: Settings) -> None:
    """The matrix; a cell opens its pictures, by click or by name."""
    from ssd.metrics import confusion

    found = confusion(
        settings.found.pairing, class_names=settings.found.class_names, score_threshold=settings.score,
        evaluation_iou=settings.iou,
    )  # fmt: skip
    names = list(found.names)
    _take_click("confusion_chart", "rthere", lambda data: names[int(data[0])])
    _take_click("confusion_chart", "rsaid", lambda data: names[int(data[1])])
    with st.container(horizontal=True, vertical_alignment="bottom"):
        worst = _worst(found)
        there = _choice("There", names, key="rthere", first=names[worst[0]])
        said = _choice("Said", names, key="rsaid", first=names[worst[1]])
    cell = (names.index(there or names[0]), names.index(said or names[0]))
    chart(
        "confusion_figure", found, selected=cell, room="results", key="confusion_chart",
        alt="Confusion matrix: rows are what is there, columns what the detector said", clickable=True,
    )  # fmt: skip
    st.text(_cell_words(found, cell))
    gallery(
        [_cell_tile(settings, each, cell, found) for each in found.cells.get(cell, ())],
        key=f"cell_{cell[0]}_{cell[1]}", page="detections", empty="No picture is in this cell.",
    )  # fmt: skip


def _worst(found: Confusion) -> tuple[int, int]:
    """The cell with the most mistakes."""
    wrong = {cell: len(entries) for cell, entries in found.cells.items() if cell[0] != cell[1]}
    return max(wrong, key=lambda cell: wrong[cell], default=(0, 0))


def _cell_words(found: Confusion, cell: tuple[int, int]) -> str:
    """What a cell counts, in words."""
    there, said, count = found.names[cell[0]], found.names[cell[1]], int(found.counts[cell])
    last = len(found.names) - 1
    if cell == (last, last):
        return "Background that was left alone is not counted."
    if cell[1] == last:
        return f"{count:,} objects of class {there} were missed."
    if cell[0] == last:
        return f"{count:,} detections say {said} where no object is left for them."
    return f"{count:,} objects of class {there} were " + ("found." if there == said else f"taken for {said}.")


def _cell_tile(settings: Settings, entry: Cell, cell: tuple[int, int], found: Confusion) -> Tile:
    result = settings.found.results[entry.picture]
    layers: list[tuple[str, Any]] = [("object", result.gt_boxes)]
    caption = f"{found.names[cell[0]]} → {found.names[cell[1]]}"
    if entry.object != UNMATCHED:
        layers.append(
            ("missed" if entry.detection == UNMATCHED else "object", result.gt_boxes[[entry.object]])
        )
    if entry.detection != UNMATCHED:
        kind = "true_positive" if cell[0] == cell[1] else "false_positive"
        layers.append((kind, result.boxes[[entry.detection]]))
        caption += f", score {float(result.scores[entry.detection]):.2f}"
    index = None if entry.object == UNMATCHED else entry.object
    return _tile(settings, entry.picture, index, caption, tuple(layers))


def compare_tab(settings: Settings) -> None:
    """Objects gained and lost between two detectors."""
    from ssd.evaluation import changed_objects
    from ssd.metrics import above

    if settings.beside is None:
        st.text("Choose under “Compare with” what to compare with, to see which objects it gains and loses.")
        return
    if settings.found.class_names != settings.beside.class_names:
        st.text("These detectors name their classes differently, so their objects cannot be compared.")
        return
    first = above(settings.found.results, settings.score)
    second = above(settings.beside.results, settings.beside_score)
    changed = changed_objects(first, second, evaluation_iou=settings.iou)
    one, two = names_of(settings)
    st.text(
        f"Both find {changed.both:,} objects, neither {changed.neither:,}. {two} gains "
        f"{len(changed.gained):,} and loses {len(changed.lost):,} beside {one}."
    )
    _side_by_side(settings)
    side = st.segmented_control(
        "Objects", ("gained", "lost"), default="gained", key="rchange", required=True, bind="query-params"
    )
    places = changed.gained if side == "gained" else changed.lost
    seen = settings
    if side == "gained":
        seen = replace(settings, found=settings.beside, score=settings.beside_score)
    gallery(
        [_changed_tile(seen, place.picture, place.object) for place in places], key=f"changed_{side}",
        page="detections", empty="None at these thresholds.",
    )  # fmt: skip


def names_of(settings: Settings) -> tuple[str, str]:
    """Of both detectors; the same one twice is told apart by its settings."""
    one = settings.found.subject.model
    if settings.beside is None or settings.beside.subject != settings.found.subject:
        return one, "" if settings.beside is None else settings.beside.subject.model
    usual = settings.beside.config.nms_threshold
    return (
        f"{one} at score {settings.score:.2f}, NMS {settings.found.config.nms_threshold:.2f}",
        f"{one} at score {settings.beside_score:.2f}, NMS {usual:.2f}",
    )


def _side_by_side(settings: Settings) -> None:
    """AP of both, class by class."""
    reports = {
        name: judging.report_of(each, metric=settings.metric, evaluation_iou=settings.iou)
        for name, each in zip(names_of(settings), (settings.found, settings.beside), strict=True)
        if each is not None
    }
    rows = ["mean", *settings.found.class_names]
    table: dict[str, list[Any]] = {"class": rows}
    for name, report in reports.items():
        values = [report.ap, *(report.per_class.get(each) for each in settings.found.class_names)]
        table[name] = ["–" if value is None else f"{value:.3f}" for value in values]
    st.table(table, alt="Average precision of both detectors, class by class")


def _changed_tile(settings: Settings, picture: int, index: int) -> Tile:
    result = settings.found.results[picture]
    said = result.boxes[result.scores > settings.score]
    layers = (("object", result.gt_boxes), ("kept", said), ("missed", result.gt_boxes[[index]]))
    name = settings.found.class_names[int(result.gt_labels[index]) - 1]
    return _tile(settings, picture, index, f"{name} in {settings.found.raw.name(picture)}", layers)


def hand_over(settings: Settings, report: ApReport) -> None:
    """Files for other tools, and how to open them there."""
    from ssd.evaluation import coco_files

    files = coco_files(settings.found.raw, settings.found.results)
    with st.container(horizontal=True):
        st.download_button(
            "Ground truth, COCO JSON", files.truth, "instances.json", "application/json", on_click="ignore"
        )
        st.download_button(
            "Detections, COCO JSON",
            files.detections,
            "detections.json",
            "application/json",
            on_click="ignore",
        )
        st.download_button("Detections, CSV", files.table, "detections.csv", "text/csv", on_click="ignore")
        st.download_button(
            "These numbers, JSON",
            _numbers(settings, report),
            "results.json",
            "application/json",
            on_click="ignore",
        )
    st.markdown(
        "Both COCO files use the same ids. All detections of the selection are in them, not only those above "
        "the score slider, and any COCO tool reads them.\n\n"
        "- **FiftyOne** (calibration of scores, label errors, galleries): "
        '`fo.Dataset.from_dir(dataset_type=fo.types.COCODetectionDataset, data_path="PICTURES", '
        'labels_path="instances.json")`, then `fouc.add_coco_labels(dataset, "said", "detections.json", '
        "classes)`.\n"
        "- **pycocotools, faster-coco-eval**: `COCO(\"instances.json\").loadRes(\"detections.json\")`.\n"
        "- **TIDE**: `tide.evaluate(datasets.COCO(\"instances.json\"), "
        "datasets.COCOResult(\"detections.json\"))`.\n"
        "- Here: `python -m ssd evaluate --detections detections.json --ground-truth instances.json`."
    )  # fmt: skip


def _numbers(settings: Settings, report: ApReport) -> str:
    """The page's numbers with the settings that gave them."""
    from ssd.metrics import overall_curve

    point = overall_curve(settings.found.pairing, evaluation_iou=settings.iou).at(settings.score)
    answer = {
        **asdict(report),
        "data": settings.found.subject.data,
        "split": settings.found.subject.split,
        "model": settings.found.subject.model,
        "evaluation_iou": settings.iou,
        "nms_threshold": settings.found.config.nms_threshold,
        "at_score": asdict(point),
    }
    return json.dumps(answer, indent=2)


def _choice(label: str, options: list[str], *, key: str, first: str | None) -> str | None:
    """A select box that keeps what was chosen while its options come and go; part of the link."""
    if not options:
        return None
    if key in st.session_state and st.session_state[key] not in options:
        del st.session_state[key]
    index = options.index(first) if first in options else 0
    return st.selectbox(label, options, index, key=key, width=220, bind="query-params")


def _take_click(chart_key: str, key: str, value: Any) -> None:
    """A click on a chart moves the select box beside it; the box moves alone afterwards."""
    event = st.session_state.get(chart_key)
    points = event.selection.points if event else []
    data = points[0].get("customdata") if points else None
    seen = st.session_state.setdefault("rclicks", {})
    if data != seen.get((chart_key, key)):
        seen[chart_key, key] = data
        if data is not None:
            st.session_state[key] = value(data)
