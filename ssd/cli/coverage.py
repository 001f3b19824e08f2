"""``coverage``: can these anchors cover these objects? No model is needed."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from ssd.cli.parsing import Command, choice, share, whole_number
from ssd.cli.progress import say
from ssd.config import MATCHING_RULES, any_preset, any_preset_names
from ssd.errors import DataError

if TYPE_CHECKING:
    from ssd.coverage import Coverage, Group

__all__ = ["COVERAGE", "coverage_answer"]

_BELOW = 1  # exit code when the recall is lower than asked for


def _add_coverage(parser: argparse.ArgumentParser) -> None:
    """Options of ``coverage``."""
    parser.add_argument("data", type=Path, metavar="DIR", help="a data set, or plain text lists of boxes")
    names = any_preset_names()
    parser.add_argument("--preset", type=choice(names), required=True, metavar="NAME", help=", ".join(names))
    parser.add_argument("--split", default="all", help="of the data set (all)")
    parser.add_argument("--size", type=whole_number, metavar="PX", help="training size (the preset's)")
    parser.add_argument(
        "--threshold", type=share, metavar="T", help="match threshold (default: the preset's)"
    )
    parser.add_argument("--rule", type=choice(MATCHING_RULES), default="bipartite", metavar="RULE",
                        help=f"{', '.join(MATCHING_RULES)} (default: %(default)s)")  # fmt: skip
    parser.add_argument(
        "--sizes", type=Path, metavar="DIR", help="a data set that says how large a text list's pictures are"
    )
    parser.add_argument(
        "--min-recall", type=share, metavar="R", help="exit with 1 when the recall is lower than this"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def _run_coverage(options: argparse.Namespace) -> int:
    """Read the objects, match them all, and answer."""
    from ssd.coverage import preset_coverage
    from ssd.data.object_table import read_objects

    preset = any_preset(options.preset)
    objects = read_objects(options.data, split=options.split, sizes_from=options.sizes)
    for problem in objects.problems:
        print(f"left out: {problem}", file=sys.stderr)
    found = preset_coverage(
        objects, preset, size_px=options.size, rule=options.rule, threshold=options.threshold
    )
    if len(objects) == 0:
        raise DataError("Coverage needs an object that counts, found none; choose another folder or split.")
    answer = coverage_answer(found)
    print(json.dumps(answer) if options.json else "\n".join(_sentences(found, options.preset)))
    recall = found.everything.recall or 0.0
    if options.min_recall is None or recall >= options.min_recall:
        return 0
    say(f"recall {recall:.4f} is below --min-recall {options.min_recall:g}")
    return _BELOW


def coverage_answer(found: Coverage) -> dict[str, object]:
    """The JSON object of the command.

    Args:
        found: the coverage of at least one object.

    Returns:
        Counts, recall and its groups; ``size_unknown`` only where objects had to be left out.
    """
    answer: dict[str, object] = {
        "num_objects": len(found.objects),
        "recall_at_threshold": found.everything.recall,
        "mean_best_jaccard": float(found.best_jaccard.mean()),
        "forced_only": int(found.forced_only.sum()),
        "orphans": int(found.orphan.sum()),
        "by_size": _plain(found.by_size()),
        "by_class": _plain(found.by_class()),
        "by_level": _plain(found.by_level()),
    }
    unknown = found.objects.size_unknown
    return {**answer, "size_unknown": unknown} if unknown else answer


def _plain(groups: dict[str, Group]) -> dict[str, dict[str, object]]:
    """Groups as JSON."""
    return {name: asdict(group) for name, group in groups.items()}


def _sentences(found: Coverage, preset: str) -> list[str]:
    """The answer for people."""
    objects, missed = found.objects, int((~found.covered).sum())
    lines = [
        f"{len(objects):,} objects in {objects.num_pictures:,} pictures under {preset} at "
        f"{found.size_wh[0]} × {found.size_wh[1]} px",
        f"{missed / len(objects):.1%} ({missed:,}) have no anchor at jaccard {found.threshold:g}; "
        f"mean best jaccard {float(found.best_jaccard.mean()):.3f}",
        f"{int(found.forced_only.sum()):,} are held by forced anchors only, "
        f"{int(found.orphan.sum()):,} by none",
    ]
    if objects.size_unknown:
        lines.append(f"{objects.size_unknown:,} more lie in pictures whose size is not known")
    tables = {"side in px": found.by_size(), "class": found.by_class(), "level": found.by_level()}
    for title, groups in tables.items():
        lines.append(f"by {title}:")
        lines += [
            f"  {name:<14} {group.num_objects:>7,}  {group.recall:.1%}"
            for name, group in groups.items()
            if group.recall is not None
        ]
    return lines


COVERAGE = Command(
    "coverage",
    "how well anchors cover the objects of a data set, without a model",
    _add_coverage,
    _run_coverage,
)
