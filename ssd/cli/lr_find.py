"""``lr-find``: try rising learning rates, and suggest one."""

from __future__ import annotations

import argparse
import json
import math
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from ssd.cli.parsing import Command, whole_number
from ssd.cli.training_data import add_data_options, open_training_data
from ssd.cli.training_settings import add_settings_options, read_settings
from ssd.errors import ConfigError

__all__ = ["LR_FIND"]


def _add_lr_find(parser: argparse.ArgumentParser) -> None:
    """Options of ``lr-find``."""
    add_settings_options(parser)
    add_data_options(parser)
    add = parser.add_argument
    add("--lowest", type=_rate, default=1e-6, metavar="R", help="first rate (%(default)s)")
    add("--highest", type=_rate, default=1.0, metavar="R", help="last rate (%(default)s)")
    add("--tries", type=whole_number, default=100, metavar="N", help="rates to try, 10 or more (%(default)s)")
    add("--start", type=Path, metavar="FILE", help="weights to start from")
    add("--fetch", action="store_true", help="download the backbone's ImageNet weights if they are not here")
    add("--out", type=Path, metavar="RUN", help="write finder.json into this folder, for the Learning page")
    add("--force", action="store_true", help="replace a finder.json that exists")
    add("--json", action="store_true", help="one JSON object on stdout")
    add("--workers", type=int, default=0, metavar="N", help="processes that prepare batches (0)")


def _rate(text: str) -> float:
    """A type for argparse: a number above 0."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"must be a number above 0, got {text[:80]!r}")
    return number


def _run_lr_find(options: argparse.Namespace) -> int:
    """Search, tell, and keep the curve where that was asked for."""
    from ssd.cli.train import prepared
    from ssd.training.finder import find_rate
    from ssd.training.run_folder import FINDER

    if options.out is not None:
        _require_room(options.out / FINDER, force=options.force)
    settings = read_settings(options)
    data = open_training_data(options, seed=settings.config.seed, classes=settings.class_names)
    settings.require_classes(data.class_names)
    settings = replace(settings, config=replace(settings.config, validate_every=0))
    run = prepared(options, settings, data)
    found = find_rate(
        run,
        data.source,
        lowest=options.lowest,
        highest=options.highest,
        steps=options.tries,
        num_workers=options.workers,
    )
    answer = {
        "preset": settings.preset,
        "suggestion": found.suggestion,
        "rates": list(found.rates),
        "losses": list(found.losses),
    }
    _keep(options.out, answer, force=options.force)
    _tell(answer, as_json=options.json)
    return 0


def _require_room(path: Path, *, force: bool) -> None:
    """Nothing is overwritten unasked, and that is known before the first step."""
    if path.parent.exists() and not path.parent.is_dir():
        raise ConfigError(f"--out must be a folder, {path.parent} is a file; choose another name.")
    if path.exists() and not force:
        raise ConfigError(f"{path} exists already; add --force to replace it, or choose another --out.")


def _keep(folder: Path | None, answer: dict[str, Any], *, force: bool) -> None:
    """The curve as a file, in one step."""
    from ssd.exports import write_new
    from ssd.training.run_folder import FINDER

    if folder is None:
        return
    write_new(folder / FINDER, (json.dumps(answer, allow_nan=False) + "\n").encode(), force=force)
    print(f"written: {folder / FINDER}", file=sys.stderr)


def _tell(answer: dict[str, Any], *, as_json: bool) -> None:
    """The suggestion, for people or for programs."""
    if as_json:
        print(json.dumps(answer))
        return
    rates, losses = answer["rates"], answer["losses"]
    print(f"suggested learning rate: {answer['suggestion']:.2g}")
    print(
        f"tried {len(rates)} rates from {rates[0]:.2g} to {rates[-1]:.2g}; "
        f"the loss went from {losses[0]:.3f} to at best {min(losses):.3f} and ended at {losses[-1]:.3f}"
    )


LR_FIND = Command("lr-find", "try rising learning rates, and suggest one", _add_lr_find, _run_lr_find)
