"""Batch size × accumulation against AP and memory: the first table of the SSD300 document, on data that fits.

    python -m benchmarks.accumulate
    python -m benchmarks.accumulate --pictures 9600

Each row trains the same small network on the same synthetic scenes for the same number of
pictures, in a process of its own so that its memory can be measured, and is judged on scenes
20000 and on, which no run trains on. ``32 / 8`` means: 32 pictures a step, in 8 parts of 4.
The learning rate grows with the root of the batch size, as is usual for AdamW.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, replace

ROWS = ((8, 1), (32, 8), (32, 1))  # pictures a step, parts; the document's three
_RATE_AT_16 = 2e-3


@dataclass(frozen=True)
class Row:
    """One run.

    Attributes:
        batch_size: pictures a step.
        accumulate: parts in which they pass.
        steps: optimiser steps.
        ap50: COCO AP50 of the averaged weights.
        memory_mb: by which the process grew while it trained, 10⁶ bytes.
        seconds: of training.
    """

    batch_size: int
    accumulate: int
    steps: int
    ap50: float
    memory_mb: float
    seconds: float


def peak_mb() -> float:
    """Largest memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def measured(batch_size: int, accumulate: int, *, pictures: int, scenes: int) -> Row:
    """Train and judge one row."""
    from ssd.data.shapes import SHAPE_CLASSES
    from ssd.training.loader import SyntheticSource, synthetic_source
    from ssd.training.loop import prepare, train
    from ssd.training.presets import training_preset

    steps = max(1, pictures // batch_size)
    config = replace(
        training_preset("shapes"),
        batch_size=batch_size,
        accumulate=accumulate,
        size_px=160,
        anchors="teach160",
        steps=steps,
        learning_rate=_RATE_AT_16 * math.sqrt(batch_size / 16),
        ema=0.98,
        validate_every=steps,
    )
    run = prepare(config, class_names=SHAPE_CLASSES)
    validation = SyntheticSource(length=scenes, first_seed=20_000)
    before, began = peak_mb(), time.perf_counter()
    reports = list(train(run, synthetic_source(seed=0), validation=validation))
    found = reports[-1].validation
    assert found is not None and found.ap50 is not None  # scenes have objects, and the last step is judged
    seconds = time.perf_counter() - began - found.seconds
    return Row(batch_size, accumulate, steps, found.ap50, peak_mb() - before, seconds)


def in_own_process(batch_size: int, accumulate: int, options: argparse.Namespace) -> Row:
    """The row, measured by a child."""
    numbers = [batch_size, accumulate, options.pictures, options.scenes]
    command = [sys.executable, "-m", "benchmarks.accumulate", "--row", *map(str, numbers)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    return Row(**json.loads(answer.stdout))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=int, default=4800, help="that each run sees")
    parser.add_argument("--scenes", type=int, default=100, help="that each run is judged on")
    parser.add_argument("--json", action="store_true", help="one JSON array")
    parser.add_argument("--row", type=int, nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.row:
        batch, parts, pictures, scenes = options.row
        print(json.dumps(asdict(measured(batch, parts, pictures=pictures, scenes=scenes))))
        return
    rows = [in_own_process(batch, parts, options) for batch, parts in ROWS]
    if options.json:
        print(json.dumps([asdict(row) for row in rows]))
        return
    print(
        "| batch size / parts | steps | COCO AP50 | memory of training, MB | seconds |\n|---|---|---|---|---|"
    )
    for row in rows:
        cells = (f"{row.batch_size} / {row.accumulate}", row.steps, f"{row.ap50:.3f}", f"{row.memory_mb:.0f}")
        print("| " + " | ".join(map(str, cells)) + f" | {row.seconds:.0f} |")


if __name__ == "__main__":
    main()
