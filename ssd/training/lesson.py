"""The lesson's stages one after another in a small budget, measured on the same pictures."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, cast

from ssd.contract import Backbone
from ssd.evaluation import Pictures
from ssd.model_presets import MODEL_PRESETS
from ssd.training.config import TrainConfig
from ssd.training.loader import SampleSource
from ssd.training.loop import StepReport, Training, Validation, prepare
from ssd.training.presets import from_scratch, training_preset
from ssd.training.runs import recorded
from ssd.training.starting import start_from_imagenet

__all__ = ["STAGES", "LessonBudget", "StageResult", "lesson_table", "stage_config", "train_stage"]

# In the order of the documents, each with the stage it is to be compared with.
STAGES: tuple[str, ...] = (
    "multilabel",
    "largest-class",
    "largest-box",
    "largest-object",
    "ssd-4x4",
    "yolo-4x4",
    "ssd-multi",
    "ssd-multi-focal",
)


@dataclass(frozen=True)
class LessonBudget:
    """What every stage gets, so that only the stage differs.

    Attributes:
        steps: optimiser steps.
        batch_size: pictures a step.
        backbone: of every network.
        learning_rate: of a backbone that starts from random weights; with ImageNet
            weights the lesson's own rates hold.
        seed: of weights, order and augmentation.
    """

    steps: int = 60
    batch_size: int = 16
    backbone: Backbone = "small"
    learning_rate: float = 2e-3
    seed: int = 0


@dataclass(frozen=True)
class StageResult:
    """What a stage reached.

    Attributes:
        stage: its preset.
        what: in one line.
        accuracy: share of right classes; ``None`` for detectors and the box alone.
        l1_px: mean distance of the box's edges, in pixels of 224; ``None`` without one box.
        ap50: COCO AP50 of a detector.
        ap: COCO AP of a detector.
        loss: of the last step.
        steps: optimiser steps.
        seconds: of training, without the measuring.
        pretrained: whether the backbone came from ImageNet.
    """

    stage: str
    what: str
    accuracy: float | None
    l1_px: float | None
    ap50: float | None
    ap: float | None
    loss: float
    steps: int
    seconds: float
    pretrained: bool


def stage_config(stage: str, budget: LessonBudget) -> TrainConfig:
    """The preset of a stage within the budget, for a backbone without ImageNet weights.

    Args:
        stage: one of ``STAGES``.
        budget: of the stage.

    Returns:
        The run's numbers; it is measured once, after the last step.

    Raises:
        ConfigError: a number is out of range.

    Example:
        >>> stage_config("ssd-multi", LessonBudget(steps=8)).steps
        8
    """
    config = from_scratch(training_preset(stage))
    return replace(
        config,
        backbone=budget.backbone,
        steps=budget.steps,
        batch_size=budget.batch_size,
        learning_rate=budget.learning_rate,
        schedule="one-cycle",
        validate_every=budget.steps,
        seed=budget.seed,
    )


@dataclass
class _Stage:
    """A stage while it is being trained."""

    run: Training
    pretrained: bool
    last: StepReport | None = None
    seconds: float = 0.0


def train_stage(
    stage: str,
    source: SampleSource,
    validation: Pictures,
    *,
    class_names: tuple[str, ...],
    budget: LessonBudget,
    folder: Path,
    facts: dict[str, Any],
    fetch: bool = False,
) -> Iterator[StepReport | tuple[StageResult, Training]]:
    """Train one stage in a run folder of its own.

    Args:
        stage: one of ``STAGES``.
        source: the samples.
        validation: pictures to measure on.
        class_names: of labels 1..C.
        budget: of the stage.
        folder: of the run.
        facts: JSON values for ``run.json``.
        fetch: download the backbone's ImageNet weights if they are not here.

    Yields:
        A report after each step; last the result with the trained run.

    Raises:
        ConfigError: the folder holds a run, or a number is out of range.
        NumericError: the loss is not finite.
    """
    state = _started(stage, class_names, budget, fetch=fetch)
    steps = recorded(state.run, source, folder, facts=facts, validation=validation, save_every=budget.steps)
    began = time.perf_counter()
    with closing(cast(Any, steps)):
        for report in steps:
            state.last = report
            yield report
    state.seconds = time.perf_counter() - began
    yield _result(stage, state), state.run


def _started(stage: str, class_names: tuple[str, ...], budget: LessonBudget, *, fetch: bool) -> _Stage:
    """With the lesson's own rates where the backbone has learnt before, with the budget's otherwise."""
    config = stage_config(stage, budget)
    run = prepare(config, class_names=class_names)
    if not start_from_imagenet(run, fetch=fetch).pretrained:
        return _Stage(run, pretrained=False)
    preset = training_preset(stage)
    config = replace(config, learning_rate=preset.learning_rate, group_rates=preset.group_rates)
    run = prepare(config, class_names=class_names)
    start_from_imagenet(run, fetch=False)
    return _Stage(run, pretrained=True)


def _result(stage: str, state: _Stage) -> StageResult:
    """The last step's measuring as a row."""
    last = cast(StepReport, state.last)
    found = cast(Validation, last.validation)
    return StageResult(
        stage=stage,
        what=MODEL_PRESETS[state.run.config.model].summary,
        accuracy=found.accuracy,
        l1_px=found.l1_px,
        ap50=found.ap50,
        ap=found.ap,
        loss=last.loss,
        steps=last.step,
        seconds=state.seconds - found.seconds,
        pretrained=state.pretrained,
    )


def lesson_table(results: list[StageResult]) -> str:
    """The rows as a Markdown table.

    Args:
        results: in the order of the lesson.

    Returns:
        The table; "–" where a stage has no such number.
    """
    rows = [
        "| stage | what it answers | accuracy | L1, px of 224 | COCO AP50 | COCO AP | steps | seconds |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for result in results:
        numbers = asdict(result)
        cells = [_cell(numbers[name], digits) for name, digits in _COLUMNS]
        rows.append(f"| `{result.stage}` | {result.what} | {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


_COLUMNS = (("accuracy", 3), ("l1_px", 1), ("ap50", 3), ("ap", 3), ("steps", 0), ("seconds", 0))


def _cell(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"
