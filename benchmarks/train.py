"""Pictures per second of a training step, ours beside torchvision's own, on the same network and pictures.

    python -m benchmarks.train
    python -m benchmarks.train --model ssdlite320_mobilenet_v3_large --batch 8 --rounds 9

Torchvision's step is its model with its transform, matching and losses; ours is what the training loop
does, the moving average of the weights included. Both start from the same weights, see the same synthetic
scenes and take turns, so that whatever else the machine does slows both. On a busy machine trust the
seconds of processor time: with one thread they do not count what others use.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import replace

import torch

from ssd.data.augment import AugmentConfig
from ssd.data.shapes import SHAPE_CLASSES
from ssd.model_presets import MODEL_PRESETS
from ssd.models.torchvision_ssd import TorchvisionSSD
from ssd.training.loader import Batch, SyntheticSource, batches
from ssd.training.loop import Training, bare, prepare
from ssd.training.objective import backward, clip
from ssd.training.optimisers import set_rates, training_mode
from ssd.training.presets import training_preset

NAMES = {
    "ssd300_vgg16": "torchvision-ssd300-vgg16",
    "ssdlite320_mobilenet_v3_large": "torchvision-ssdlite320",
}
Step = Callable[[Batch], float]


def our_step(run: Training) -> Step:
    """What one turn of the training loop does with a batch."""

    def step(batch: Batch) -> float:
        training_mode(run.model, run.config)
        set_rates(run.optimiser, run.config, step=run.step)
        loss = backward(run, batch)
        clip(run)
        run.optimiser.step()
        run.optimiser.zero_grad(set_to_none=True)
        if run.config.ema:
            run.averaged.update_parameters(bare(run.model))
        run.step += 1
        return loss.total

    return step


def torchvision_step(name: str, run: Training) -> Step:
    """The usual loop around torchvision's model, from the same weights, with the same optimiser."""
    from torchvision.models import detection

    network = getattr(detection, name)(
        weights=None, weights_backbone=None, num_classes=run.model_config.num_logits
    )
    ours = bare(run.model)
    assert isinstance(ours, TorchvisionSSD)
    network.load_state_dict(ours.network.state_dict())
    network.to(run.fabric.device).train()
    config = run.config
    optimiser = torch.optim.SGD(
        network.parameters(),
        lr=config.learning_rate,
        momentum=config.momentum,
        weight_decay=config.weight_decay,
    )

    def step(batch: Batch) -> float:
        side = float(batch.pictures.shape[-1])
        pictures = [picture.to(run.fabric.device) / 255 for picture in batch.pictures]
        targets = [
            {
                "boxes": target.boxes.to(run.fabric.device) * side,
                "labels": target.labels.to(run.fabric.device),
            }
            for target in batch.targets
        ]
        loss = sum(network(pictures, targets).values())
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        return float(loss.detach())

    return step


def measured(step: Step, batch: Batch) -> tuple[float, float, float]:
    """Seconds on the clock, seconds of processor time, and the loss."""
    wall, processor = time.perf_counter(), time.process_time()
    loss = step(batch)
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - wall, time.process_time() - processor, loss


def compared(name: str, *, batch_size: int, rounds: int) -> dict[str, object]:
    """Both steps in turns; medians over the rounds, the first of which only warms up."""
    preset = training_preset(NAMES[name])
    config = replace(
        preset,
        batch_size=batch_size,
        steps=rounds + 1,
        learning_rate=1e-4,
        schedule="constant",
        warm_up=0.0,
        clip_norm=0.0,
        augment=AugmentConfig(flip=0.0),
    )
    run = prepare(config, class_names=SHAPE_CLASSES)
    steps = {"ours": our_step(run), "torchvision": torchvision_step(name, run)}
    times: dict[str, list[tuple[float, float, float]]] = {who: [] for who in steps}
    for number, batch in enumerate(batches(SyntheticSource(), config)):
        for who in sorted(steps, reverse=number % 2 == 1):
            times[who].append(measured(steps[who], batch))
    answer: dict[str, object] = {"network": MODEL_PRESETS[NAMES[name]].name, "batch_size": batch_size}
    for who, found in times.items():
        later = found[1:]
        answer[who] = {
            "pictures_per_second": round(batch_size / statistics.median(t[0] for t in later), 3),
            "pictures_per_processor_second": round(batch_size / statistics.median(t[1] for t in later), 3),
            "losses": [round(t[2], 2) for t in found],
        }
    ratios = [b[1] / a[1] for a, b in zip(times["ours"][1:], times["torchvision"][1:], strict=True)]
    answer["ours_faster_by_factor"] = round(statistics.median(ratios), 3)
    return answer


def main() -> None:
    """Measure and print one JSON object."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", choices=NAMES, default="ssdlite320_mobilenet_v3_large")
    parser.add_argument("--batch", type=int, default=4, help="pictures a step (4)")
    parser.add_argument("--rounds", type=int, default=5, help="steps that count (5)")
    parser.add_argument("--threads", type=int, default=1, help="of torch (1)")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(json.dumps(compared(options.model, batch_size=options.batch, rounds=options.rounds), indent=2))


if __name__ == "__main__":
    main()
