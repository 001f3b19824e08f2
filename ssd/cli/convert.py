"""``convert``: a data set in another format, in a new folder."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ssd.cli.parsing import Command, choice

if TYPE_CHECKING:
    from ssd.data.writers import Written
    from ssd.data.written import File

__all__ = ["CONVERT"]

_FORMATS = ("voc", "coco", "lesson-json", "lesson-csv-classes", "lesson-csv-boxes", "yolo", "text")
_LISTED = 20  # problems that are told one by one


def _add_convert(parser: argparse.ArgumentParser) -> None:
    """Options of ``convert``."""
    parser.add_argument("source", type=Path, metavar="FROM", help="a data set of any format; only read")
    parser.add_argument("target", type=Path, metavar="TO", help="a new folder")
    parser.add_argument(
        "--format", type=choice(_FORMATS), required=True, metavar="NAME", help=", ".join(_FORMATS)
    )
    parser.add_argument("--split", metavar="NAME", help="only this one (default: all, kept apart)")
    parser.add_argument("--no-pictures", action="store_true", help="annotations only")
    parser.add_argument("--force", action="store_true", help="replace a data set that is at TO")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def _run_convert(options: argparse.Namespace) -> int:
    """Look at the place, read everything, write everything."""
    from ssd.data.conversion import read_parts
    from ssd.data.layouts import find_layout
    from ssd.data.writers import require_room, write_parts

    source, target = options.source, options.target
    require_room(target, sources=[source, find_layout(source).root], force=options.force)
    read = read_parts(source, split=options.split)
    for problem in read.problems[:_LISTED]:
        print(f"left out: {problem}", file=sys.stderr)
    if len(read.problems) > _LISTED:
        print(f"left out: {len(read.problems) - _LISTED} more", file=sys.stderr)
    written = write_parts(
        read.parts,
        target,
        format=options.format,
        force=options.force,
        copy_pictures=not options.no_pictures,
        progress=_with_bar,
    )
    answer = _answer(written, problems=len(read.problems))
    print(json.dumps(answer) if options.json else "\n".join(_sentences(written)))
    return 0


def _with_bar(files: Iterable[File]) -> Iterable[File]:
    """A bar on a terminal where writing takes longer than a moment."""
    from tqdm import tqdm

    bar: Any = tqdm(files, desc="writing", unit="file", delay=1.0, leave=False, file=sys.stderr, disable=None)
    yield from bar


def _answer(written: Written, *, problems: int) -> dict[str, object]:
    """The JSON object of the command."""
    return {
        "path": str(written.path),
        "format": written.format,
        "splits": written.splits,
        "num_pictures": written.num_pictures,
        "num_objects": written.num_objects,
        "left_out": written.left_out,
        "problems": problems,
    }


def _sentences(written: Written) -> list[str]:
    """The answer for people."""
    splits = ", ".join(f"{name} {count:,}" for name, count in written.splits.items())
    return [
        f"{written.path}: {written.num_pictures:,} pictures with {written.num_objects:,} objects as "
        f"{written.format} ({splits})",
        *(f"{written.format} cannot hold: {count:,} {why}" for why, count in written.left_out.items()),
    ]


CONVERT = Command("convert", "write a data set in another format", _add_convert, _run_convert)
