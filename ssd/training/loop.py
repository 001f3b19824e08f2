"""The training loop, as an iterator: the command line prints, a test takes three steps, a page draws."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from ssd.evaluation import Pictures
from ssd.training.evaluate import Validation, validate
from ssd.training.loader import Batch, SampleSource, batches
from ssd.training.objective import backward, clip
from ssd.training.optimisers import bare, set_rates, training_mode
from ssd.training.setup import Training, make_fabric, prepare

__all__ = ["StepReport", "Training", "Validation", "bare", "make_fabric", "prepare", "train"]


@dataclass(frozen=True)
class StepReport:
    """What one optimiser step did.

    Attributes:
        step: from 1.
        loss: total.
        localisation: its part on boxes.
        confidence: its part on classes.
        learning_rate: used in this step, before the factors of the layer groups.
        seconds: since the step before.
        num_positive: anchors that answered for an object.
        num_pictures: in the step, over all processes.
        size_px: side of the pictures.
        validation: of the averaged weights after this step, where one was due.
    """

    step: int
    loss: float
    localisation: float
    confidence: float
    learning_rate: float
    seconds: float
    num_positive: int
    num_pictures: int
    size_px: int
    validation: Validation | None = None


def train(
    run: Training, source: SampleSource, *, num_workers: int = 0, validation: Pictures | None = None
) -> Iterator[StepReport]:
    """Train from ``run.step`` on, one report a step.

    Order, augmentation, sizes, dropout and rate depend on seed and step alone, so a
    resumed run does what an uninterrupted one would have done.

    Args:
        run: what :func:`prepare` made, or a state of it restored.
        source: the samples.
        num_workers: processes that prepare batches.
        validation: pictures for ``validate_every`` and for the last step; ``None``: no
            validation, and no early stop.

    Yields:
        A report after each optimiser step.

    Raises:
        NumericError: the loss is not finite; the message names step, part and pictures.

    Example:
        >>> from ssd.training.config import TrainConfig
        >>> from ssd.training.loader import SyntheticSource
        >>> run = prepare(TrainConfig(steps=1, batch_size=1), class_names=tuple("abcdefgh"))
        >>> [report.step for report in train(run, SyntheticSource())]
        [1]
    """
    config, started = run.config, time.perf_counter()
    for batch in _batches(run, source, num_workers):
        if run.finished:
            return
        training_mode(run.model, config)
        rate = set_rates(run.optimiser, config, step=run.step)
        loss = backward(run, batch)
        clip(run)
        run.optimiser.step()
        run.optimiser.zero_grad(set_to_none=True)
        if config.ema:
            run.averaged.update_parameters(bare(run.model))
        run.step += 1
        validated = validate(run, validation) if validation is not None and _is_due(run) else None
        seconds, started = time.perf_counter() - started, time.perf_counter()
        yield StepReport(
            step=run.step,
            loss=loss.total,
            localisation=loss.localisation,
            confidence=loss.confidence,
            learning_rate=rate,
            seconds=seconds,
            num_positive=loss.num_positive,
            num_pictures=loss.num_pictures,
            size_px=int(batch.pictures.shape[-1]),
            validation=validated,
        )


def _batches(run: Training, source: SampleSource, num_workers: int) -> Iterator[Batch]:
    """This process's batches of the steps that are left; on a GPU colours change there."""
    fabric = run.fabric
    return batches(
        source,
        run.config,
        first_step=run.step,
        num_workers=num_workers,
        rank=fabric.global_rank,
        world_size=fabric.world_size,
        colours=fabric.device.type == "cpu",
    )


def _is_due(run: Training) -> bool:
    """Whether a validation follows the step just done."""
    every = run.config.validate_every
    return every > 0 and (run.step % every == 0 or run.step == run.config.steps)
