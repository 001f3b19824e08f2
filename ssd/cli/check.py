"""``check``: the data doctor. Everything that is wrong with a data set; nothing is rewritten."""

from __future__ import annotations

import argparse
import json
import math
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from ssd.cli.parsing import Command, whole_number
from ssd.errors import DataError

if TYPE_CHECKING:
    from ssd.checks import DoctorReport, Problem

__all__ = ["CHECK", "report_answer"]

_LISTED = 10  # problems of a rule that are told one by one


def _add_check(parser: argparse.ArgumentParser) -> None:
    """Options of ``check``."""
    parser.add_argument("data", type=Path, metavar="DIR", help="a data set of any layout")
    parser.add_argument("--split", default="all", help="of the data set (all)")
    parser.add_argument("--size", type=whole_number, default=300, metavar="PX", help="training size (300)")
    parser.add_argument(
        "--classes", metavar="A,B,…", help="names that are right; any other is an unknown class"
    )
    parser.add_argument("--list", type=whole_number, default=_LISTED, metavar="N",
                        help="how many of each rule are listed (%(default)s); --json has all")  # fmt: skip
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def _run_check(options: argparse.Namespace) -> int:
    """Check, tell, and give the exit code."""
    from ssd.checks import check_dataset

    known = None
    if options.classes is not None:
        known = tuple(name.strip() for name in options.classes.split(",") if name.strip())
    bar = _Bar()
    try:
        report = check_dataset(
            options.data, split=options.split, size_px=options.size, classes=known, progress=bar.tell
        )
    finally:
        bar.close()
    print(json.dumps(report_answer(report)) if options.json else "\n".join(_lines(report, options.list)))
    return 0 if report.is_clean else DataError.exit_code


def report_answer(report: DoctorReport) -> dict[str, object]:
    """The JSON object of the command.

    Args:
        report: of a data set.

    Returns:
        Counts, every problem, and the classes; numbers that are not finite are texts.
    """
    return {
        "data": report.name,
        "kind": report.kind,
        "split": report.split,
        "size_px": report.size_px,
        "num_pictures": report.num_pictures,
        "num_objects": report.num_objects,
        "num_read": report.num_read,
        "num_empty": report.num_empty,
        "errors": report.severities["error"],
        "warnings": report.severities["warning"],
        "notes": report.severities["note"],
        "counts": report.counts,
        "problems": [_plain(problem) for problem in report.problems],
        "classes": [asdict(each) for each in report.classes],
        "by_split": dict(report.by_split),
        "passed_over": report.passed_over,
    }


def _plain(problem: Problem) -> dict[str, object]:
    """A problem as JSON."""
    return {
        "rule": problem.rule,
        "severity": problem.severity,
        "file": problem.file,
        "object": problem.object,
        "values": [value if math.isfinite(value) else str(value) for value in problem.values],
        "sentence": problem.sentence,
        "remedy": problem.remedy,
        "picture": problem.picture,
    }


def _lines(report: DoctorReport, listed: int) -> list[str]:
    """The report for people."""
    from ssd.checks import grouped
    from ssd.data.images import shown_name

    found = report.severities
    lines = [
        f"{shown_name(report.name)}: {report.num_pictures:,} pictures ({report.num_read:,} opened, "
        f"{report.num_empty:,} without objects), {report.num_objects:,} objects of "
        f"{len(report.classes):,} classes",
        f"{found['error']:,} errors, {found['warning']:,} warnings, {found['note']:,} notes",
    ]
    for group in grouped(report.problems):
        lines.append(
            f"{group.severity} {group.rule} ({len(group.problems):,}): {group.title}; {group.remedy}"
        )
        lines += [f"  {problem.sentence}" for problem in group.problems[:listed]]
        if len(group.problems) > listed:
            lines.append(f"  … and {len(group.problems) - listed:,} more")
    return lines


class _Bar:
    """A bar on a terminal, where it takes longer than a moment."""

    def __init__(self) -> None:
        from tqdm import tqdm

        tqdm.monitor_interval = 0  # no thread beside the check
        self._bar = tqdm(desc="checking pictures", delay=1.0, leave=False, file=sys.stderr, disable=None)

    def tell(self, done: int, total: int) -> None:
        """So many pictures are done."""
        self._bar.total = total
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        """Take the bar away."""
        self._bar.close()


CHECK = Command(
    "check", "what is wrong with a data set: all problems at once, nothing rewritten", _add_check, _run_check
)
