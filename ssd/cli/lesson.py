"""``lesson``: the lesson's stages one after another, one table, and the pictures that show the difference."""

from __future__ import annotations

import argparse
import json
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ssd.cli.parsing import Command, choice, share, suggestion, whole_number
from ssd.cli.progress import StepsBar, say
from ssd.cli.training_data import TrainingData, add_data_options, open_training_data
from ssd.config import SelectionConfig
from ssd.contract import BACKBONES
from ssd.errors import ConfigError
from ssd.training.signals import Stop, stoppable

if TYPE_CHECKING:
    from torch import Tensor

    from ssd.training.lesson import LessonBudget, StageResult
    from ssd.training.loop import Training

__all__ = ["LESSON"]

TABLE, NUMBERS = "lesson.md", "lesson.json"


def _add_lesson(parser: argparse.ArgumentParser) -> None:
    """Options of ``lesson``."""
    add_data_options(parser)
    add = parser.add_argument
    add("--val", metavar="SPLIT", help="measure on this split (val, where there is one)")
    add("--val-data", type=Path, metavar="DIR", help="measure on another data set")
    add("--out", type=Path, required=True, metavar="DIR", help="a new folder: table, pictures, a run a stage")
    add("--stages", metavar="A,B,…", help="some of the stages, in this order (all eight)")
    add("--steps", type=whole_number, default=60, metavar="N", help="of each stage (60)")
    add("--batch", type=whole_number, default=16, metavar="N", help="pictures a step (16)")
    add("--backbone", type=choice(BACKBONES), default="small", metavar="NAME", help=", ".join(BACKBONES))
    add("--fetch", action="store_true", help="download the backbone's ImageNet weights if they are not here")
    add("--score", type=share, default=0.1, metavar="S", help="boxes above this score are drawn (0.1)")
    add("--pictures", type=whole_number, default=4, metavar="N", help="test pictures that are drawn (4)")
    add("--seed", type=int, default=0, metavar="N", help="of weights, order and augmentation (0)")
    add("--json", action="store_true", help="one JSON object on stdout")


def _run_lesson(options: argparse.Namespace) -> int:
    """Train, measure, draw; Ctrl-C keeps what is done."""
    from ssd.training.lesson import LessonBudget, lesson_table

    stages, budget = (
        _stages(options),
        LessonBudget(options.steps, options.batch, backbone=options.backbone, seed=options.seed),
    )
    if options.out.exists():
        raise ConfigError(f"{options.out} exists already; choose another --out, nothing was overwritten.")
    data = open_training_data(options, seed=options.seed, validate=True)
    if data.validation is None:
        raise ConfigError("A lesson needs pictures to measure on; name them with --val or --val-data.")
    results: list[StageResult] = []
    runs: dict[str, Training] = {}
    with stoppable() as stop:
        for stage in stages:
            result, runs[stage] = _train(stage, data, budget, options, stop)
            if result is None:
                break
            results.append(result)
            _write(options, data, results, runs)
    table = lesson_table(results)
    print(json.dumps(_numbers(data, results)) if options.json else table, end="")
    if stop:
        done = f"{len(results)} of {len(stages)} stages"
        say(f"Stopped by {stop.words} after {done}; those lie in {options.out}.")
    return stop.exit_code


def _stages(options: argparse.Namespace) -> tuple[str, ...]:
    """The stages that were asked for."""
    from ssd.training.lesson import STAGES

    if options.stages is None:
        return STAGES
    asked = tuple(name.strip() for name in options.stages.split(","))
    for name in asked:
        if name not in STAGES:
            raise ConfigError(
                f"There is no stage {name[:80]!r}{suggestion(name, STAGES)}; stages: {', '.join(STAGES)}."
            )
    if len(set(asked)) != len(asked):
        raise ConfigError(f"--stages names a stage twice: {', '.join(asked)}.")
    return asked


def _train(
    stage: str, data: TrainingData, budget: LessonBudget, options: argparse.Namespace, stop: Stop
) -> tuple[StageResult | None, Training]:
    """One stage; no result where it was stopped."""
    from ssd.training.lesson import train_stage

    say(f"{stage}:")
    steps = train_stage(
        stage,
        data.source,
        cast(Any, data.validation),
        class_names=data.class_names,
        budget=budget,
        folder=options.out / stage,
        facts={"preset": stage, "data": data.summary()},
        fetch=options.fetch,
    )
    bar = StepsBar(first=0, steps=budget.steps)
    with closing(cast(Any, steps)), closing(bar):
        for item in steps:
            if isinstance(item, tuple):
                return item
            bar.tell(item)
            if stop:
                break
    return None, cast("Training", None)


def _numbers(data: TrainingData, results: list[StageResult]) -> dict[str, Any]:
    """What ``lesson.json`` holds."""
    return {"data": data.summary(), "stages": [asdict(result) for result in results]}


def _write(
    options: argparse.Namespace, data: TrainingData, results: list[StageResult], runs: dict[str, Training]
) -> None:
    """Table, numbers and pictures of the stages that are done."""
    from ssd.exports import write_new
    from ssd.training.lesson import lesson_table

    write_new(options.out / TABLE, lesson_table(results).encode(), force=True)
    write_new(options.out / NUMBERS, json.dumps(_numbers(data, results), indent=2).encode(), force=True)
    for name, sheet in _pictures(options, data, runs, newest=results[-1].stage):
        write_new(options.out / name, sheet, force=True)


def _pictures(
    options: argparse.Namespace, data: TrainingData, runs: dict[str, Training], *, newest: str
) -> list[tuple[str, bytes]]:
    """Before and after NMS with each detector; before and after focal loss with the last one."""
    from ssd.contract import PICTURE_ARCHITECTURES

    if runs[newest].model_config.architecture in PICTURE_ARCHITECTURES:
        return []
    validation = cast(Any, data.validation)
    pictures = [validation.sample(index).picture for index in range(min(options.pictures, len(validation)))]
    ways = {"before NMS": (runs[newest], 1.0), "after NMS": (runs[newest], 0.5)}
    sheets = [(f"{newest}-nms.png", _sheet(pictures, ways, options.score))]
    if newest == "ssd-multi-focal" and "ssd-multi" in runs:
        losses = {"BCE": (runs["ssd-multi"], 1.0), "focal loss": (runs[newest], 1.0)}
        sheets.append(("focal.png", _sheet(pictures, losses, options.score)))
    return sheets


def _sheet(pictures: list[Tensor], ways: dict[str, tuple[Training, float]], score: float) -> bytes:
    """The detections of some pictures in several ways: a network and an NMS threshold each."""
    from ssd.figures.sheets import contact_sheet

    return contact_sheet(
        {
            title: [_drawn(picture, run, SelectionConfig(score, nms)) for picture in pictures]
            for title, (run, nms) in ways.items()
        }
    )


def _drawn(picture: Tensor, run: Training, selection: SelectionConfig) -> Tensor:
    """The picture with its detections."""
    from ssd.data.images import read_picture
    from ssd.exports import Classes, draw_detections
    from ssd.figures.colours import class_colours
    from ssd.prediction import Predictor

    predictor = Predictor(run.averaged.module, sha256="")
    names = predictor.config.class_names
    found = predictor.select(predictor.predict(picture), selection).detections
    drawn = draw_detections(
        picture,
        found,
        classes=Classes(names, predictor.config.ids),
        colours=[class_colours(names)[name] for name in names],
    )
    return read_picture(drawn, name="drawn.png").pixels


LESSON = Command(
    "lesson", "train the lesson's stages one after another and compare them", _add_lesson, _run_lesson
)
