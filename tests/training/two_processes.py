"""What one of several training processes does; test_processes.py starts it with torchrun, and alone."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import torch

from ssd.data.augment import AugmentConfig
from ssd.errors import NumericError
from ssd.training.evaluate import validate
from ssd.training.loader import Batch, batches
from ssd.training.loop import Training, bare, make_fabric, prepare, train
from ssd.training.objective import backward
from tests.training.tiny import CLASSES, TINY, Squares, add_tiny

STILL = replace(TINY, steps=3, augment=AugmentConfig(flip=0.0), clip_norm=0.0)


def main(processes: int, out: Path) -> None:
    """The same pictures, shared by the processes; what each saw goes to a file of its own."""
    add_tiny()
    fabric = make_fabric("32-true", processes=processes)
    fabric.launch()
    found: dict[str, object] = {}
    for parts in (1, 2):
        config = replace(STILL, batch_size=4 // processes * 2, accumulate=parts)
        run = prepare(config, class_names=CLASSES, fabric=fabric)
        run.model.eval()  # no active batch norm, no dropout
        loss = backward(run, _shared(run))
        found[f"gradients {parts}"] = [p.grad for p in bare(run.model).parameters() if p.grad is not None]
        found[f"loss {parts}"] = (loss.total, loss.localisation, loss.num_positive, loss.num_pictures)
    found["seen"] = [name for batch in _all(run) for name in batch.names]
    found["validation"] = _validated(run)
    found["after training"] = _trained(run)
    found["not finite"] = _broken(run)
    torch.save(found, out / f"{processes}-{fabric.global_rank}.pt")
    fabric.barrier()


def _all(run: Training) -> list[Batch]:
    fabric = run.fabric
    return list(batches(Squares(), run.config, rank=fabric.global_rank, world_size=fabric.world_size))


def _shared(run: Training) -> Batch:
    return _all(run)[0]


def _validated(run: Training) -> tuple[float | None, float | None, int]:
    """Seven pictures: the processes' shares differ in length."""
    with torch.no_grad():
        for parameter in run.averaged.parameters():  # random scores instead of quiet ones
            parameter.normal_(std=0.3, generator=torch.Generator().manual_seed(parameter.numel()))
    validation = validate(run, Squares(7))
    return validation.ap50, validation.ap, validation.num_pictures


def _trained(run: Training) -> list[torch.Tensor]:
    """The weights after a few steps: the same in every process."""
    run.optimiser.zero_grad(set_to_none=True)
    list(train(run, Squares()))
    return [p.detach().clone() for p in bare(run.model).parameters()]


def _broken(run: Training) -> str:
    """A loss that is not finite in the last process alone stops all of them."""
    batch = _shared(run)
    fabric = run.fabric
    if fabric.global_rank == fabric.world_size - 1:
        targets = [replace(t, boxes=t.boxes * torch.nan) for t in batch.targets]
        batch = replace(batch, targets=targets)
        import ssd.training.objective as objective

        plain = objective.assigned
        found = plain(run, replace(batch, targets=_shared(run).targets))
        broken = replace(found, targets=found.targets * torch.nan)
        objective.assigned = lambda run, batch: broken  # a box no reader would let in
    try:
        backward(run, batch)
    except NumericError as error:
        return str(error)
    return "went on"


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
