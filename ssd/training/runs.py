"""A run that is kept: its folder is filled while it trains, and a stop at any moment loses little."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch import Tensor

from ssd.checkpoints import read_run_state, write_file, write_run_state, write_weights
from ssd.errors import ConfigError, SSDError
from ssd.evaluation import Pictures
from ssd.training.evaluate import Validation
from ssd.training.loader import SampleSource
from ssd.training.lock import locked
from ssd.training.loop import StepReport, Training, bare, train
from ssd.training.run_folder import (
    AVERAGED,
    BEST,
    CHECKPOINTS,
    CONFIG,
    LAST,
    RAW,
    STEPS,
    VALIDATION,
    JsonLines,
    begin_run,
    code_version,
    end_run,
    keep_until,
    library_versions,
    read_run,
    remove_rests,
    require_room,
)
from ssd.training.settings import changed, to_toml

__all__ = ["AVERAGED", "BEST", "RAW", "changed", "recorded", "require_new"]


def recorded(
    run: Training,
    source: SampleSource,
    folder: Path,
    *,
    facts: Mapping[str, Any] | None = None,
    validation: Pictures | None = None,
    save_every: int = 100,
    keep_every: int = 0,
    num_workers: int = 0,
    resume: bool = False,
) -> Iterator[StepReport]:
    """Train and keep a record in a folder (``run_folder.py`` says what lies there).

    The run is also saved when it ends, and when the iterator is closed before: that is
    an interrupted run. After an error the checkpoint of the last save is the newest.
    Of several processes the first writes, the others only train.

    Args:
        run: what ``prepare`` made.
        source: the samples.
        folder: of the run.
        facts: JSON values for ``run.json``, such as the data's manifest.
        validation: pictures for ``validate_every``.
        save_every: steps between two saves.
        keep_every: steps between two weights files that stay, in ``checkpoints/``; 0: none.
        num_workers: processes that prepare batches.
        resume: go on from ``last.ckpt``.

    Yields:
        A report after each step; after the last save the run is complete on disk.

    Raises:
        ConfigError: the folder holds a run and ``resume`` is not given, or another
            process trains there.
        CheckpointError: ``last.ckpt`` is missing, damaged or of another network.
        NumericError: the loss is not finite; the checkpoint saved last is.
        ResourceError: the disk is full or a loader's process died; the checkpoint saved
            last is whole.
    """
    if run.fabric.global_rank > 0:
        yield from _followed(run, source, folder, validation, num_workers, resume)
        return
    if not resume:
        require_new(folder)
    require_room(folder, **_sizes(run))
    with locked(folder):
        remove_rests(folder)
        if resume:
            run.restore(read_run_state(folder / LAST))
        else:  # from here on there is always a checkpoint to go on from
            write_run_state(folder / LAST, run.state())
        _begin(run, folder, facts or {})
        run.fabric.barrier()
        keeper = _Keeper(run, folder, save_every=save_every, keep_every=keep_every)
        steps = train(run, source, num_workers=num_workers, validation=validation)
        with _ending(run, folder), keeper, closing(steps):  # type: ignore[type-var]
            for report in steps:
                keeper.keep(report)
                yield report


def _followed(
    run: Training,
    source: SampleSource,
    folder: Path,
    validation: Pictures | None,
    num_workers: int,
    resume: bool,
) -> Iterator[StepReport]:
    """What the processes do that write nothing."""
    if resume:
        run.restore(read_run_state(folder / LAST))
    run.fabric.barrier()
    yield from train(run, source, num_workers=num_workers, validation=validation)


def require_new(folder: Path) -> None:
    """Raise where a folder holds a run, or cannot become one.

    Args:
        folder: where a run is to be written.

    Raises:
        ConfigError: it is a file, or a run is there; nothing is overwritten.
    """
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"--out must be a folder, {folder} is a file; choose another name.")
    if read_run(folder) or (folder / STEPS).exists():
        status = read_run(folder).get("status") or "unfinished"
        raise ConfigError(
            f"{folder} already holds a run ({status}), and nothing is overwritten; "
            "use --resume to go on with it, or another --out."
        )


def _sizes(run: Training) -> dict[str, int]:
    """Bytes that the run will take: two states while one replaces the other, and four weights files."""
    weights = _bytes(bare(run.model).state_dict())
    learning = sum(p.numel() * p.element_size() for p in run.model.parameters() if p.requires_grad)
    state = 2 * weights + 2 * learning  # with the average and the optimiser's two moments
    return {"size": 2 * state + 4 * weights, "largest": state}


def _bytes(state: Mapping[str, Tensor]) -> int:
    """Of all tensors."""
    return sum(tensor.numel() * tensor.element_size() for tensor in state.values())


def _begin(run: Training, folder: Path, facts: Mapping[str, Any]) -> None:
    """Write what the run is, before its first step; lines after the step it goes on from are dropped."""
    write_file(folder / CONFIG, to_toml(run.config).encode())
    for name in (STEPS, VALIDATION):
        keep_until(folder / name, run.step)
    begin_run(
        folder,
        {
            "class_names": list(run.model_config.class_names),
            "seed": run.config.seed,
            **facts,
            "first_step": run.step,
            "processes": run.fabric.world_size,
            "code": code_version(),
            "versions": library_versions(),
        },
    )


@contextmanager
def _ending(run: Training, folder: Path) -> Iterator[None]:
    """Write down how the run ended, whichever way it does."""
    go_on = "; --resume goes on from the last save."
    try:
        yield
    except GeneratorExit:
        if run.finished:
            _finished(run, folder)
            raise
        end_run(folder, "interrupted", f"Stopped after step {run.step} of {run.config.steps}{go_on}")
        raise
    except KeyboardInterrupt:
        end_run(folder, "interrupted", f"Broken off in step {run.step + 1} of {run.config.steps}{go_on}")
        raise
    except BaseException as error:
        words = str(error) if isinstance(error, SSDError) else f"{type(error).__name__}{go_on}"
        end_run(folder, "failed", words)
        raise
    _finished(run, folder)


def _finished(run: Training, folder: Path) -> None:
    """Write down that no step is left."""
    early = " early, as validation gained no more" if run.stopped_early else ""
    end_run(folder, "finished", f"Finished{early} after {run.step} steps.")


class _Keeper:
    """Writes lines and checkpoints of a run while it trains."""

    def __init__(self, run: Training, folder: Path, *, save_every: int, keep_every: int) -> None:
        self.run, self.folder = run, folder
        self.save_every, self.keep_every = save_every, keep_every
        self.saved = run.step

    def __enter__(self) -> _Keeper:
        """Open the files of lines."""
        self.steps = JsonLines(self.folder / STEPS)
        self.validations = JsonLines(self.folder / VALIDATION)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        """Save what the last save does not hold, unless the run broke in the middle of a step."""
        self.steps.close()
        self.validations.close()
        if (kind is None or kind is GeneratorExit) and self.run.step > self.saved:
            self.save()

    def keep(self, report: StepReport) -> None:
        """A line for each step; weights where they are due."""
        self.steps.add({name: value for name, value in asdict(report).items() if name != "validation"})
        if report.validation is not None:
            self.validations.add(_validation_line(report.validation))
            if report.validation.best:
                self._write(BEST, averaged=True)
        if self.keep_every and report.step % self.keep_every == 0:
            self._write(f"{CHECKPOINTS}/averaged-step-{report.step:06d}.safetensors", averaged=True)
        if report.step % self.save_every == 0:
            self.save()

    def save(self) -> None:
        """All that going on needs, then both sets of weights; each file whole or not at all."""
        write_run_state(self.folder / LAST, self.run.state())
        self._write(RAW, averaged=False)
        self._write(AVERAGED, averaged=True)
        self.saved = self.run.step

    def _write(self, name: str, *, averaged: bool) -> None:
        """One weights file."""
        network = self.run.averaged.module if averaged else bare(self.run.model)
        card = {"step": self.run.step, "model": self.run.config.model, "training": asdict(self.run.config)}
        write_weights(self.folder / name, network, card=card, half=False)


def _validation_line(validation: Validation) -> dict[str, Any]:
    """A validation as a line: its main number under the name of its metric."""
    values = asdict(validation)
    kinds = {"ap50": "COCO AP50", "accuracy": "accuracy", "l1_px": "L1 in pixels of 224, below zero"}
    name = next((words for key, words in kinds.items() if values[key] is not None), "none")
    return {**values, "metric": name, "value": validation.metric}
