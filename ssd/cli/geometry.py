"""``anchors`` and ``match``: the ground floor as numbers."""

from __future__ import annotations

import argparse
import json
import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from ssd.cli.parsing import Command, choice, share
from ssd.config import MATCHING_RULES, anchor_preset, anchor_preset_names, unclipped
from ssd.errors import BoxError, ConfigError

if TYPE_CHECKING:
    from torch import Tensor

    from ssd.matching import Match

__all__ = ["ANCHORS", "MATCH", "read_boxes"]


def _add_anchors(parser: argparse.ArgumentParser) -> None:
    """Options of ``anchors``."""
    names = anchor_preset_names()
    parser.add_argument("--preset", type=choice(names), required=True, metavar="NAME", help=", ".join(names))
    parser.add_argument(
        "--no-clip", action="store_true", help="do not limit width and height to the picture (ssd300-coco)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def _run_anchors(options: argparse.Namespace) -> int:
    """Count the anchors of a preset and add up their corners in float64."""
    import torch

    from ssd.anchors import make_anchors

    config = anchor_preset(options.preset).anchors
    anchors = make_anchors(unclipped(config) if options.no_clip else config)
    sums = anchors.boxes.to(torch.float64).sum(dim=0).tolist()
    if options.json:
        answer = {"preset": options.preset, "count": len(anchors), "per_level": list(anchors.per_level)}
        print(json.dumps({**answer, "sum_xyxy": sums}))
        return 0
    print(f"{options.preset}: {len(anchors):,} anchors")
    for number, (level, count) in enumerate(zip(anchors.levels, anchors.per_level, strict=True)):
        columns, rows = level.grid_wh
        print(f"  level {number}: {columns} × {rows} cells × {len(level.shapes_wh)} anchors = {count:,}")
    print("sums of x1, y1, x2, y2 in units of the picture: " + ", ".join(f"{value:.4f}" for value in sums))
    return 0


def _add_match(parser: argparse.ArgumentParser) -> None:
    """Options of ``match``."""
    parser.add_argument(
        "--boxes",
        required=True,
        metavar='"x1,y1,x2,y2;…"',
        help="objects in pixels, continuous edges, in the order in which they are processed; may be empty",
    )
    parser.add_argument(
        "--size", required=True, metavar="W,H", help="width and height of the picture in pixels"
    )
    names = anchor_preset_names()
    parser.add_argument("--preset", type=choice(names), default="ssd300-voc", metavar="NAME",
                        help=f"{', '.join(names)} (default: %(default)s)")  # fmt: skip
    parser.add_argument("--rule", type=choice(MATCHING_RULES), default="bipartite", metavar="RULE",
                        help=f"{', '.join(MATCHING_RULES)} (default: %(default)s)")  # fmt: skip
    parser.add_argument(
        "--threshold", type=share, metavar="T", help="match threshold (default: the preset's)"
    )
    parser.add_argument(
        "--strict", action="store_true", help="the jaccard must be greater than the threshold"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def _run_match(options: argparse.Namespace) -> int:
    """Match objects and anchors, and say who answers for whom."""
    from ssd.anchors import make_anchors
    from ssd.matching import match

    preset = anchor_preset(options.preset)
    boxes = read_boxes(options.boxes, size_wh=_read_size(options.size))
    anchors = make_anchors(preset.anchors)
    threshold = preset.threshold if options.threshold is None else options.threshold
    found = match(boxes, anchors.boxes, rule=options.rule, threshold=threshold, strict=options.strict)
    objects = [_matched(found, k) for k in range(len(boxes))]
    if options.json:
        print(
            json.dumps({"num_positive": int(found.positive.sum()), "objects": [asdict(o) for o in objects]})
        )
        return 0
    print(
        f"{options.preset}, {options.rule}, jaccard {'>' if options.strict else '≥'} {threshold:g}: "
        f"{int(found.positive.sum())} of {len(anchors):,} anchors are positive"
    )
    for number, item in enumerate(objects):
        print(f"  object {number}: {_sentence(item)}")
    return 0


@dataclass(frozen=True)
class _MatchedObject:
    """What ``match`` says of an object; the field names are the JSON's keys."""

    best_anchor: int
    best_jaccard: float
    anchors: list[int]
    forced: bool
    orphan: bool


def _matched(found: Match, k: int) -> _MatchedObject:
    """Object ``k`` of a match."""
    return _MatchedObject(
        best_anchor=int(found.best_anchor[k]),
        best_jaccard=float(found.best_overlap[k]),
        anchors=(found.matched_gt == k).nonzero()[:, 0].tolist(),
        forced=bool(found.forced_only[k]),
        orphan=bool(found.orphan[k]),
    )


def _sentence(item: _MatchedObject) -> str:
    """What happened to one object."""
    text = f"best anchor {item.best_anchor} (jaccard {item.best_jaccard:.4f}); "
    if item.orphan:
        return text + "orphan: no anchor answers for it"
    shown = ", ".join(str(anchor) for anchor in item.anchors[:8]) + (", …" if len(item.anchors) > 8 else "")
    count = "1 anchor" if len(item.anchors) == 1 else f"{len(item.anchors)} anchors"
    return text + f"{count}{', forced' if item.forced else ''}: {shown}"


def read_boxes(text: str, *, size_wh: tuple[float, float]) -> Tensor:
    """Boxes that were typed.

    Args:
        text: ``x1,y1,x2,y2;…`` in pixels, continuous edges; empty for no object.
        size_wh: width and height of the picture in pixels.

    Returns:
        xyxy boxes in [0, 1] units, one row each, in the order of the text.

    Raises:
        ConfigError: the text is not four numbers a box.
        BoxError: a box is not finite, has no area or leaves the picture.

    Example:
        >>> read_boxes("0,10,50,20", size_wh=(100, 20))
        tensor([[0.0000, 0.5000, 0.5000, 1.0000]])
    """
    import torch

    from ssd.boxes import from_pixels

    parts = [part for part in text.split(";") if part.strip()]
    boxes = [_read_box(number, part, size_wh) for number, part in enumerate(parts)]
    pixels = torch.tensor(boxes, dtype=torch.float64).reshape(-1, 4)
    return from_pixels(pixels, width_px=size_wh[0], height_px=size_wh[1]).to(torch.float32)


def _read_box(number: int, text: str, size_wh: tuple[float, float]) -> list[float]:
    """Four numbers that make a box inside the picture."""
    numbers = _numbers(text)
    if len(numbers) != 4:
        raise ConfigError(
            f"--boxes must be x1,y1,x2,y2 for each box, with ; between boxes, got {text.strip()[:80]!r}."
        )
    x1, y1, x2, y2 = numbers
    shown = ", ".join(f"{edge:g}" for edge in numbers)
    if not all(math.isfinite(edge) for edge in numbers):
        raise BoxError(f"Object {number} must have finite edges, got ({shown}); correct that number.")
    if not (x1 < x2 and y1 < y2):
        raise BoxError(f"Object {number} must have x1 < x2 and y1 < y2, got ({shown}); swap them.")
    width, height = size_wh
    if x1 < 0 or y1 < 0 or x2 > width or y2 > height:
        raise BoxError(
            f"Object {number} must lie inside the picture of {width:g} × {height:g} pixels, got ({shown}); "
            "correct the box or --size."
        )
    return numbers


def _read_size(text: str) -> tuple[float, float]:
    """Width and height."""
    numbers = _numbers(text)
    if len(numbers) != 2 or not all(math.isfinite(side) and side >= 1 for side in numbers):
        raise ConfigError(f"--size must be width and height in pixels, such as 353,500, got {text[:80]!r}.")
    return numbers[0], numbers[1]


def _numbers(text: str) -> list[float]:
    """Numbers with commas between; nothing where one is none."""
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        return []


ANCHORS = Command(
    "anchors", "count the anchors of a preset and add up their corners", _add_anchors, _run_anchors
)
MATCH = Command("match", "match objects and anchors by a rule", _add_match, _run_match)
