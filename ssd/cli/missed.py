"""``missed``: why each object of a data set was not found, one verdict for each."""

from __future__ import annotations

import argparse
import json
from contextlib import closing
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from ssd.cli.evaluation_inputs import PicturesBar, add_input_options, raw_outputs_of
from ssd.cli.parsing import Command, choice, share, share_above_zero, whole_number
from ssd.config import MATCHING_RULES, SelectionConfig

if TYPE_CHECKING:
    from ssd.evaluation import MissedObject, MissedReport

__all__ = ["MISSED", "missed_answer"]

_MEANINGS = {
    "no_box": "no decoded box lies right",
    "wrong_class": "only of the wrong class",
    "low_score": "score too low",
    "beyond_top_k": "cut by top-k",
    "suppressed": "suppressed by another box",
    "beyond_cap": "cut by the cap of the picture",
    "claimed": "its only box was claimed by another object",
}
_LISTED = 20


def _add_missed(parser: argparse.ArgumentParser) -> None:
    """Options of ``missed``."""
    add_input_options(parser)
    add = parser.add_argument
    add("--score", type=share, metavar="S", help="score threshold (default: the model's)")
    add("--nms", type=share_above_zero, metavar="N", help="NMS threshold (default: the model's)")
    add("--top-k", type=whole_number, metavar="K", help="candidates of a class before NMS (the model's)")
    add("--max", type=whole_number, metavar="M", help="detections in a picture (the model's)")
    add("--iou", type=share_above_zero, default=0.5, metavar="I", help="evaluation IoU (%(default)s)")
    add("--rule", type=choice(MATCHING_RULES), default="bipartite", metavar="RULE",
        help=f"matching rule of the training cover: {', '.join(MATCHING_RULES)} (%(default)s)")  # fmt: skip
    add("--threshold", type=share, default=0.5, metavar="T", help="its match threshold (%(default)s)")
    add("--json", action="store_true", help="one JSON object on stdout")


def _run_missed(options: argparse.Namespace) -> int:
    """Diagnose every picture, and answer."""
    raw = raw_outputs_of(options)
    from ssd.evaluation import missed_objects

    with closing(PicturesBar("diagnosis")) as bar:
        report = missed_objects(
            raw,
            config=_selection(options, raw.predictor.config.selection),
            evaluation_iou=options.iou,
            rule=options.rule,
            threshold=options.threshold,
            progress=bar,
        )
    print(json.dumps(missed_answer(report)) if options.json else "\n".join(_sentences(report)))
    return 0


def _selection(options: argparse.Namespace, own: SelectionConfig) -> SelectionConfig:
    """The model's limits where nothing else was asked for."""
    asked = {
        "score_threshold": options.score,
        "nms_threshold": options.nms,
        "top_k": options.top_k,
        "max_detections": options.max,
    }
    return replace(own, **{name: value for name, value in asked.items() if value is not None})


def missed_answer(report: MissedReport) -> dict[str, object]:
    """The JSON object of the command.

    Args:
        report: of a data set.

    Returns:
        Counts, and the missed objects one by one.
    """
    objects = [asdict(each) for each in report.objects]
    for each in objects:
        del each["picture"]  # a place in memory; image_id says which it is
    return {
        "num_objects": report.num_objects,
        "found": report.found,
        "missed": report.missed,
        "cover": report.cover,
        "objects": objects,
    }


def _sentences(report: MissedReport) -> list[str]:
    """The answer for people."""
    lines = [f"{report.found:,} of {report.num_objects:,} objects found, {len(report.objects):,} missed:"]
    lines += [f"  {count:>7,}  {_MEANINGS[name]}" for name, count in report.missed.items() if count]
    covers = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in report.cover.items())
    wrong = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in report.false_positives.items())
    lines += [f"training cover of the missed: {covers}", f"false positives: {wrong}"]
    lines += [_line(each) for each in report.objects[:_LISTED]]
    more = len(report.objects) - _LISTED
    return [*lines, f"  and {more:,} more; --json lists all"] if more > 0 else lines


def _line(missed: MissedObject) -> str:
    """One missed object."""
    whose = "object" if missed.verdict == "claimed" else "anchor"
    by = f" by {whose} {missed.by}" if missed.by is not None else ""
    verdict, cover = (name.replace("_", " ") for name in (missed.verdict, missed.cover))
    return (
        f"  {missed.image_id}, object {missed.object}, {missed.category}: {verdict}{by}, "
        f"best jaccard {missed.best_jaccard:.2f}, score {missed.score:.3f}, {cover}"
    )


MISSED = Command("missed", "why each object of a data set was missed", _add_missed, _run_missed)
