"""``train``: a detector from scratch, a line of progress, and a run folder."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ssd.cli.parsing import Command, whole_number
from ssd.errors import ConfigError

if TYPE_CHECKING:
    from ssd.training.loader import SampleSource
    from ssd.training.loop import StepReport

__all__ = ["TRAIN"]


def _add_train(parser: argparse.ArgumentParser) -> None:
    """Options of ``train``."""
    parser.add_argument(
        "--preset", required=True, metavar="NAME", help="shapes or bccd: the shipped models' runs"
    )
    parser.add_argument("--data", metavar="DIR", help="a data set; without it, synthetic scenes")
    parser.add_argument("--split", default="train", help="of the data set (train)")
    parser.add_argument("--out", required=True, type=Path, metavar="RUN", help="the run's folder, a new one")
    parser.add_argument("--start", type=Path, metavar="FILE", help="weights of another run to start from")
    parser.add_argument(
        "--set", nargs="+", default=[], action="extend", metavar="KEY=VALUE", help="other numbers"
    )
    parser.add_argument("--save-every", type=whole_number, default=100, metavar="N", help="steps (100)")
    parser.add_argument(
        "--workers", type=int, default=0, metavar="N", help="processes that prepare batches (0)"
    )


def _run_train(options: argparse.Namespace) -> int:
    """Train; Ctrl-C saves what there is."""
    from ssd.training.loop import prepare
    from ssd.training.presets import training_preset
    from ssd.training.runs import AVERAGED, changed, load_start, recorded

    config = changed(training_preset(options.preset), options.set)
    if not 0 <= options.workers <= 64:
        raise ConfigError(f"--workers must lie in 0–64, got {options.workers}; choose fewer processes.")
    source, class_names = _source(options, config.seed)
    run = prepare(config, class_names=class_names)
    if options.start is not None:
        load_start(run, options.start)
    steps = recorded(run, source, options.out, save_every=options.save_every, num_workers=options.workers)
    for report in steps:
        _tell(report, config.steps)
    print(options.out / AVERAGED)
    return 0


def _source(options: argparse.Namespace, seed: int) -> tuple[SampleSource, tuple[str, ...]]:
    """The samples and the names of their classes."""
    if options.data is None:
        from ssd.data.shapes import SHAPE_CLASSES
        from ssd.training.loader import synthetic_source

        return synthetic_source(seed=seed), SHAPE_CLASSES
    from ssd.data.folders import open_dataset

    data = open_dataset(Path(options.data), split=options.split)
    for problem in data.problems:
        print(f"left out: {problem}", file=sys.stderr)
    return data, data.classes


def _tell(report: StepReport, steps: int) -> None:
    """A line that replaces itself on a terminal, one in fifty elsewhere."""
    if not sys.stderr.isatty() and report.step % 50 and report.step != steps:
        return
    rate = report.num_pictures / max(report.seconds, 1e-9)
    left = (steps - report.step) * report.seconds / 60
    text = (
        f"step {report.step} of {steps}  loss {report.loss:.3f}  localisation {report.localisation:.3f}  "
        f"confidence {report.confidence:.3f}  {rate:.1f} pictures/s  {left:.0f} min left"
    )
    print(text, file=sys.stderr, end="\r" if sys.stderr.isatty() and report.step < steps else "\n")


TRAIN = Command("train", "train a detector from scratch", _add_train, _run_train)
