"""``evaluate``: AP by its full name, of a model over a data set or of another tool's detections."""

from __future__ import annotations

import argparse
import json
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from ssd.cli.evaluation_inputs import PicturesBar, add_input_options, raw_outputs_of, tell_left_out
from ssd.cli.parsing import Command, choice
from ssd.cli.progress import say
from ssd.errors import ConfigError

if TYPE_CHECKING:
    from ssd.metrics import ApReport

__all__ = ["EVALUATE", "evaluation_answer"]

_FULL_NAMES = {"voc07": "VOC07 11-point AP", "voc12": "VOC12 AP", "coco": "COCO AP"}


def _add_evaluate(parser: argparse.ArgumentParser) -> None:
    """Options of ``evaluate``."""
    add_input_options(parser, usual="val; all with --detections")
    add = parser.add_argument
    add("--detections", type=Path, metavar="FILE", help="COCO results of any tool, instead of --model")
    add("--ground-truth", type=Path, metavar="DIR|FILE", help="what --detections are judged by")
    add("--metric", type=choice(_FULL_NAMES), default="coco", metavar="METRIC",
        help=f"{', '.join(_FULL_NAMES)} (default: %(default)s)")  # fmt: skip
    add("--json", action="store_true", help="one JSON object on stdout")


def _run_evaluate(options: argparse.Namespace) -> int:
    """Judge, and answer."""
    _require_one_form(options)
    report = _of_detections(options) if options.detections is not None else _of_model(options)
    if report.ap is None:
        say("note: no object counts, so there is no AP.")
    print(json.dumps(evaluation_answer(report)) if options.json else "\n".join(_sentences(report)))
    return 0


def _require_one_form(options: argparse.Namespace) -> None:
    """A model and its data, or detections and their ground truth."""
    ours = [options.model, options.data, options.weights, options.cache]
    theirs = [options.detections, options.ground_truth]
    if any(option is not None for option in ours) and any(option is not None for option in theirs):
        raise ConfigError(
            "--model and --data judge a model, --detections and --ground-truth a file; give one pair."
        )
    if None in ours[:2] and None in theirs:
        raise ConfigError("evaluate needs --model and --data, or --detections and --ground-truth.")


def _of_model(options: argparse.Namespace) -> ApReport:
    """The network's own detections."""
    from ssd.data.folders import DataSet
    from ssd.evaluation import image_ids
    from ssd.metrics import average_precision

    raw = raw_outputs_of(options)
    with closing(PicturesBar("selection")) as bar:
        results = raw.results(progress=bar)
    ids = image_ids(raw.data) if isinstance(raw.data, DataSet) else None
    return average_precision(results, class_names=raw.class_names, metric=options.metric, image_ids=ids)


def _of_detections(options: argparse.Namespace) -> ApReport:
    """Those of a file."""
    from ssd.evaluation import image_ids, read_detections, read_truth
    from ssd.metrics import average_precision

    data = read_truth(options.ground_truth, split=options.split or "all")
    tell_left_out(data)
    results = read_detections(options.detections, data)
    if not any(len(result.boxes) for result in results):
        say("note: no detections.")
    ids = image_ids(data)
    return average_precision(results, class_names=data.classes, metric=options.metric, image_ids=ids)


def evaluation_answer(report: ApReport) -> dict[str, object]:
    """The JSON object of the command.

    Args:
        report: of any metric.

    Returns:
        Numbers in 0–1; ``None`` where no object counts.
    """
    return {
        "metric": report.metric,
        "ap": report.ap,
        "ap50": report.ap50,
        "per_class": report.per_class,
        "num_pictures": report.num_pictures,
        "num_objects": report.num_objects,
    }


def _sentences(report: ApReport) -> list[str]:
    """The answer for people."""
    lines = [
        f"{report.num_objects:,} objects in {report.num_pictures:,} pictures",
        f"{_FULL_NAMES[report.metric]} {_number(report.ap)}",
    ]
    if report.metric == "coco":
        lines.append(f"COCO AP50 {_number(report.ap50)}")
    width = max((len(name) for name in report.per_class), default=0)
    return [*lines, *(f"  {name:<{width}}  {_number(ap)}" for name, ap in report.per_class.items())]


def _number(ap: float | None) -> str:
    """An AP, or that there is none."""
    return "–" if ap is None else f"{ap:.4f}"


EVALUATE = Command(
    "evaluate", "average precision of a model, or of another tool's detections", _add_evaluate, _run_evaluate
)
