"""``train``: a network, a bar of progress, and a run folder that a stop never tears."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ssd.cli.parsing import Command, whole_number
from ssd.cli.progress import StepsBar, say
from ssd.cli.training_data import TrainingData, add_data_options, open_training_data, side_by_side
from ssd.cli.training_settings import Settings, add_settings_options, read_settings
from ssd.errors import ConfigError
from ssd.training.signals import Stop, stoppable

if TYPE_CHECKING:
    from ssd.training.config import TrainConfig
    from ssd.training.loop import StepReport, Training
    from ssd.training.starting import Stored

__all__ = ["TRAIN", "prepared"]

_MAX_WORKERS = 64


def _add_train(parser: argparse.ArgumentParser) -> None:
    """Options of ``train``."""
    add_settings_options(parser)
    add_data_options(parser)
    add = parser.add_argument
    add("--val", metavar="SPLIT", help="measure on this split (val, where there is one)")
    add("--val-data", type=Path, metavar="DIR", help="measure on another data set")
    add("--out", type=Path, metavar="RUN", help="the run's folder, for example runs/mine")
    add("--resume", action="store_true", help="go on with the run in --out where it stopped")
    add("--override", action="store_true", help="with --resume: other settings, classes or data than before")
    add("--start", type=Path, metavar="FILE", help="weights to start from; other classes get a new head")
    add("--fetch", action="store_true", help="download the backbone's ImageNet weights if they are not here")
    add("--dry-run", action="store_true", help="take one step, tell about it, write nothing")
    add("--save-every", type=whole_number, default=100, metavar="N", help="steps between two saves (100)")
    add("--keep-every", type=whole_number, metavar="N", help="steps between two weights files that stay")
    add("--workers", type=int, default=0, metavar="N", help="processes that prepare batches (0)")
    add("--processes", type=whole_number, default=1, metavar="N", help="processes that train together (1)")


def _run_train(options: argparse.Namespace) -> int:
    """Train; Ctrl-C and SIGTERM finish the step and save."""
    _require_sane(options)
    from ssd.training.runs import require_new
    from ssd.training.starting import stored_run

    stored = stored_run(options.out) if options.resume else None
    if stored is None and not options.dry_run:
        require_new(options.out)
    settings = read_settings(options, stored=stored)
    data = _data(options, settings, stored)
    run = prepared(options, settings, data)
    if options.dry_run:
        return _dry_run(run, data, options)
    return _train(run, data, options, {"preset": settings.preset, "data": data.summary()})


def _require_sane(options: argparse.Namespace) -> None:
    """What argparse does not see."""
    if not 0 <= options.workers <= _MAX_WORKERS:
        raise ConfigError(
            f"--workers must lie in 0–{_MAX_WORKERS}, got {options.workers}; choose fewer processes."
        )
    if options.out is None and not options.dry_run:
        raise ConfigError("train needs --out with the run's folder, for example --out runs/mine.")
    if options.override and not options.resume:
        raise ConfigError("--override goes with --resume; without it a new run has no settings to override.")
    if options.resume and (options.start is not None or options.dry_run):
        raise ConfigError("--resume goes on from the run's own weights; leave --start and --dry-run out.")


def _data(options: argparse.Namespace, settings: Settings, stored: Stored | None) -> TrainingData:
    """The data, checked against the settings and against the run that goes on."""
    from ssd.training.manifest import require_batches
    from ssd.training.starting import changes

    config = settings.config
    if stored is not None and options.data is None:
        before = stored.facts.get("data") or {}
        options.data = Path(before["path"]) if before.get("path") else None
        options.scenes = options.scenes or before.get("scenes") or None
    data = open_training_data(options, seed=config.seed, classes=settings.class_names, validate=True)
    settings.require_classes(data.class_names)
    require_batches(data.manifest.count, batch_size=config.batch_size * options.processes)
    if config.validate_every and data.validation is None:
        raise ConfigError("validate_every needs pictures to measure on; name them with --val or --val-data.")
    if stored is not None:
        found = changes(stored, config, class_names=data.class_names, data=data.summary())
        _require_wanted(found, options, stored, data)
    return data


def _require_wanted(
    found: tuple[str, ...], options: argparse.Namespace, stored: Stored, data: TrainingData
) -> None:
    """A run goes on as it was, unless told otherwise."""
    if stored.class_names != data.class_names:
        say(side_by_side(stored.class_names, data.class_names, titles=("run", "data")))
    if found and not options.override:
        raise ConfigError(
            f"{options.out} was trained with something else ({'; '.join(found)}); "
            "add --override to go on like this, or leave the changes out."
        )
    for line in found:
        say(f"changed: {line}")


def prepared(options: argparse.Namespace, settings: Settings, data: TrainingData) -> Training:
    """The run, with the weights it starts from.

    Args:
        options: of ``train`` or ``lr-find``.
        settings: of the run.
        data: that it will learn from.

    Returns:
        The run before its first step.

    Raises:
        CheckpointError: the weights to start from do not fit.
    """
    from ssd.training.loop import make_fabric, prepare
    from ssd.training.starting import load_start, start_from_imagenet

    config = settings.config
    fabric = make_fabric(config.precision, processes=getattr(options, "processes", 1))
    fabric.launch()
    run = prepare(config, class_names=data.class_names, fabric=fabric)
    if getattr(options, "resume", False):
        return run
    if options.start is not None:
        start = load_start(run, options.start)
        if start.class_names != data.class_names:
            say(side_by_side(start.class_names, data.class_names, titles=("weights", "data")))
        say(f"{options.start.name}: {start.kept.sentence}")
        return run
    start_words = start_from_imagenet(run, fetch=options.fetch)
    say(f"note: {start_words.sentence}")
    scratch = _for_scratch(config, options)
    if start_words.pretrained or scratch == config:
        return run
    say("note: without ImageNet weights every layer learns at the full rate.")
    return prepare(scratch, class_names=data.class_names, fabric=fabric)


def _for_scratch(config: TrainConfig, options: argparse.Namespace) -> TrainConfig:
    """Settings for a backbone without ImageNet weights, where nothing else was asked for."""
    from ssd.training.presets import from_scratch

    asked = {setting.partition("=")[0].strip() for setting in options.set}
    scratch = from_scratch(config)
    if "group_rates" in asked:
        scratch = replace(scratch, group_rates=config.group_rates)
    return replace(scratch, freeze=config.freeze) if "freeze" in asked else scratch


def _dry_run(run: Training, data: TrainingData, options: argparse.Namespace) -> int:
    """One step, told in full."""
    from ssd.training.loop import train

    with closing(_iterator(train(run, data.source, num_workers=options.workers))) as steps:
        report = next(steps)
    print(
        f"one step of {run.config.steps}: {report.num_pictures} pictures of {report.size_px} px, "
        f"{report.num_positive} positive anchors, loss {report.loss:.3f} "
        f"(localisation {report.localisation:.3f}, confidence {report.confidence:.3f}), "
        f"{report.seconds:.1f} s; nothing was written"
    )
    return 0


def _iterator(steps: Iterator[StepReport]) -> Any:
    """The generator that an iterator of steps is: it can be closed."""
    return steps


def _train(run: Training, data: TrainingData, options: argparse.Namespace, facts: dict[str, Any]) -> int:
    """All steps that are left, or as many as there may be."""
    from ssd.training.runs import AVERAGED, BEST, recorded

    steps = recorded(
        run,
        data.source,
        options.out,
        facts=facts,
        validation=data.validation if run.config.validate_every else None,
        save_every=options.save_every,
        keep_every=options.keep_every or 0,
        num_workers=options.workers,
        resume=options.resume,
    )
    with stoppable() as stop, closing(_iterator(steps)):
        _follow(run, steps, stop)
        code = stop.exit_code if not run.finished else 0
    if code:
        done = f"step {run.step} of {run.config.steps}"
        say(f"Stopped by {stop.words} after {done}; --resume goes on from there.")
    elif run.fabric.global_rank == 0:
        print(options.out / (BEST if (options.out / BEST).exists() else AVERAGED))
    return code


def _follow(run: Training, steps: Iterator[StepReport], stop: Stop) -> None:
    """Show each step, until the last one or a signal."""
    bar: StepsBar | None = None
    for report in steps:
        bar = bar or StepsBar(first=report.step - 1, steps=run.config.steps)
        if run.fabric.global_rank == 0:
            bar.tell(report)
        if _stopped(run, stop):
            break
    if bar is not None:
        bar.close()


def _stopped(run: Training, stop: Stop) -> bool:
    """Whether any of the processes has been told to stop: they end after the same step."""
    if run.fabric.world_size == 1:
        return bool(stop)
    import torch

    told = cast(torch.Tensor, run.fabric.all_reduce(torch.tensor(float(bool(stop))), reduce_op="sum"))
    return bool(told.item() > 0)


TRAIN = Command("train", "train a network, into a run folder", _add_train, _run_train)
