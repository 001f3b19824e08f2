"""``fit-anchors``: anchors for one data set, measured on objects that fitting never sees."""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from ssd.cli.parsing import Command, choice, share, whole_number
from ssd.config import (
    MATCHING_RULES,
    AnchorPreset,
    anchor_preset,
    anchor_preset_names,
    preset_to_toml,
    validate_preset_name,
)
from ssd.errors import ConfigError

if TYPE_CHECKING:
    from ssd.coverage import FitScore, FitStep
    from ssd.data.object_table import ObjectTable

__all__ = ["FIT_ANCHORS"]

_LINE_EVERY = 10  # generations


def _add_fit_anchors(parser: argparse.ArgumentParser) -> None:
    """Options of ``fit-anchors``."""
    names = anchor_preset_names()
    parser.add_argument("data", type=Path, metavar="DIR", help="a data set, or plain text lists of boxes")
    start = f"the start, which says how many boxes a cell has: {', '.join(names)}"
    parser.add_argument("--preset", type=choice(names), required=True, metavar="START", help=start)
    parser.add_argument("--split", default="train", help="to fit to (%(default)s)")
    parser.add_argument("--held-out", default="val", metavar="SPLIT", help="to measure only (%(default)s)")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="a new preset, such as presets/mine.toml"
    )
    parser.add_argument("--size", type=whole_number, metavar="PX", help="training size (the preset's)")
    parser.add_argument("--threshold", type=share, metavar="T", help="match threshold (the preset's)")
    parser.add_argument("--rule", type=choice(MATCHING_RULES), default="bipartite", metavar="RULE",
                        help=f"{', '.join(MATCHING_RULES)} (default: %(default)s)")  # fmt: skip
    parser.add_argument("--generations", type=whole_number, default=60, metavar="N", help="(%(default)s)")
    parser.add_argument(
        "--population", type=whole_number, default=24, metavar="N", help="(%(default)s; at least 5)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of all chance (%(default)s)")
    parser.add_argument(
        "--keep-grids", action="store_true", help="lesson presets: keep the grids, so that the network fits"
    )
    parser.add_argument("--force", action="store_true", help="replace the file where there is one")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def _run_fit_anchors(options: argparse.Namespace) -> int:
    """Read both splits, fit, and write the best; Ctrl-C writes the best so far."""
    from ssd.coverage import fit_anchors
    from ssd.data.object_table import read_objects

    _require_free(options.out, force=options.force)
    start = _at_size(anchor_preset(options.preset), options.size)
    objects = read_objects(options.data, split=options.split)
    held_out = read_objects(options.data, split=options.held_out)
    _tell_problems(objects, held_out)
    steps = fit_anchors(
        objects,
        start=start,
        held_out=held_out,
        rule=options.rule,
        threshold=options.threshold,
        generations=options.generations,
        population=options.population,
        keep_grids=options.keep_grids,
        seed=options.seed,
    )
    step = next(steps)
    try:
        for step in steps:
            if step.generation % _LINE_EVERY == 0 or step.generation == 1:
                print(_progress(step), file=sys.stderr, flush=True)
    finally:  # also when stopped by Ctrl-C or SIGTERM
        _write(options.out, step)
    answer = _answer(step, options)
    print(json.dumps(answer) if options.json else "\n".join(_sentences(step, options)))
    return 0


def _require_free(out: Path, *, force: bool) -> None:
    """Raise unless the preset can be written, before anything takes long."""
    if out.suffix != ".toml":
        raise ConfigError(f"--out names a TOML file, such as presets/mine.toml; got {out.name[:80]!r}.")
    validate_preset_name(out.stem)
    if out.exists() and not force:
        raise ConfigError(f"{out} exists already; choose another --out, or replace it with --force.")
    out.parent.mkdir(parents=True, exist_ok=True)
    probe = out.with_suffix(".part")
    probe.write_text("")
    probe.unlink()


def _at_size(preset: AnchorPreset, size_px: int | None) -> AnchorPreset:
    """The preset for inputs of another side; its anchors keep their pixels."""
    from dataclasses import replace

    from ssd.config import anchors_for_side

    if size_px is None:
        return preset
    return replace(preset, anchors=anchors_for_side(preset.anchors, side_px=size_px))


def _tell_problems(*tables: ObjectTable) -> None:
    """Say what was left out."""
    for table in tables:
        for problem in table.problems:
            print(f"left out: {problem}", file=sys.stderr)


def _progress(step: FitStep) -> str:
    """A line on the way."""
    unseen = "" if step.held_out is None else f", held out {step.held_out.without_anchor:,}"
    return (
        f"generation {step.generation} of {step.generations}: {step.after.without_anchor:,} objects without "
        f"an anchor{unseen}; mean best jaccard {step.after.mean_best_jaccard:.3f}"
    )


def _write(out: Path, step: FitStep) -> None:
    """The best so far, whole or not at all."""
    part = out.with_suffix(".part")
    with open(part, "w", encoding="utf-8") as stream:
        stream.write(preset_to_toml(step.preset(out.stem)))
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(part, out)
    print(f"wrote {out} after generation {step.generation} of {step.generations}", file=sys.stderr)


def _answer(step: FitStep, options: argparse.Namespace) -> dict[str, object]:
    """The JSON object of the command."""
    return {
        "preset": options.out.stem,
        "start": options.preset,
        "out": str(options.out),
        "generations": step.generation,
        "evaluations": step.evaluations,
        "split": _change(step.before, step.after),
        "held_out": _change(step.held_out_before, step.held_out),
        "anchors": asdict(step.anchors),
    }


def _change(before: FitScore | None, after: FitScore | None) -> dict[str, object] | None:
    """Two scores side by side."""
    if before is None or after is None:
        return None
    pairs = {"before": before, "after": after}
    numbers = {name: {**asdict(score), "share_without": score.share_without} for name, score in pairs.items()}
    for values in numbers.values():
        values.pop("num_objects")
    return {"num_objects": before.num_objects, **numbers}


def _sentences(step: FitStep, options: argparse.Namespace) -> list[str]:
    """The answer for people."""
    lines = [
        f"{options.out.stem}: fitted from {options.preset}, {step.evaluations:,} configurations measured"
    ]
    pairs = {
        options.split: (step.before, step.after),
        options.held_out: (step.held_out_before, step.held_out),
    }
    for split, (before, after) in pairs.items():
        if before is not None and after is not None:
            lines.append(
                f"{split} ({before.num_objects:,} objects): without an anchor {before.share_without:.1%} → "
                f"{after.share_without:.1%} ({before.without_anchor:,} → {after.without_anchor:,}), "
                f"mean best jaccard {before.mean_best_jaccard:.3f} → {after.mean_best_jaccard:.3f}"
            )
    return lines


FIT_ANCHORS = Command(
    "fit-anchors",
    "fit the sizes and ratios of anchors to a data set and save them as a preset",
    _add_fit_anchors,
    _run_fit_anchors,
)
