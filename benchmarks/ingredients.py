"""What each ingredient of training from scratch gives: short runs, each with one thing taken out or put in.

    python -m benchmarks.ingredients --data ../shared/data/voc5
    python -m benchmarks.ingredients --data ../shared/data/voc5 --steps 1500 --size 224
    python -m benchmarks.ingredients --only mosaic SSD300 --seconds 170
    python -m benchmarks.ingredients --only all mosaic scenes --folds 3

Every run has the same steps, order of pictures and seed, learns from `train` and is measured on `val`.
The last rows are torchvision's own SSDlite320 and SSD300, from scratch, for as many seconds as the first run
took (``--seconds`` says otherwise; ``--their-steps`` counts steps instead, where other work goes on beside).
So short a run shows what helps a network to begin, not what it ends at. With ``--folds`` every row is
cross-validated over `trainval`: so many runs, each measured on the part that it did not learn from; `test` is
never read.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from ssd.checkpoints import find_model
from ssd.data.folders import DataSet, open_dataset
from ssd.evaluation import results
from ssd.metrics import coco_ap
from ssd.prediction import Predictor
from ssd.training.config import TrainConfig
from ssd.training.loop import prepare, train
from ssd.training.presets import training_preset
from ssd.training.starting import load_start

CLASSES = ("bus", "car", "cat", "person", "train")
TORCHVISION = {  # the preset, and its learning rate for 16 pictures a step
    "torchvision's SSDlite320": ("torchvision-ssdlite320", 0.0125),
    "torchvision's SSD300": ("torchvision-ssd300-vgg16", 1e-3),
}


@dataclass(frozen=True)
class Row:
    """One run.

    Attributes:
        what: it differs in.
        ap50: COCO AP50 of the averaged weights on the validation pictures, of each fold.
        steps: taken, of each.
        seconds: of training, of each.
    """

    what: str
    ap50: tuple[float, ...]
    steps: int
    seconds: float


def whole(steps: int, size_px: int) -> TrainConfig:
    """The run with everything: the preset `voc5` on the small network, at one size."""
    return replace(
        training_preset("voc5"),
        model="ssd-small",
        steps=steps,
        size_px=size_px,
        anchor_sizes="shares",
        sizes=(),
        size_jitter=0.0,
        ema=max(0.0, 1 - 5 / steps),  # the average looks back on a fifth of the run
    )


def variants(base: TrainConfig) -> Iterator[tuple[str, TrainConfig, str]]:
    """What differs, the settings, and the model whose weights it starts from."""
    augment = base.augment
    yield "all of them", base, ""
    yield "no moving average", replace(base, ema=0.0), ""
    yield "a tenth of the learning rate", replace(base, learning_rate=base.learning_rate / 10), ""
    yield "no mosaic", replace(base, augment=replace(augment, mosaic=0.0)), ""
    yield "no zoom-out", replace(base, augment=replace(augment, zoom_out=0.0)), ""
    yield "no jaccard crop", replace(base, augment=replace(augment, crop=0.0)), ""
    yield "no photometric changes", replace(base, augment=replace(augment, photometric=0.0)), ""
    yield "and pre-training on drawn scenes", base, "shapes"


Part = tuple[DataSet, DataSet]  # to learn from, and to be measured on


def parts_of(folder: Path, folds: int) -> list[Part]:
    """The data set's own `train` and `val`, or `trainval` in so many folds, every picture measured once."""
    if folds < 2:
        train_set, val = (open_dataset(folder, split=split, classes=CLASSES) for split in ("train", "val"))
        return [(train_set, val)]
    whole_set = open_dataset(folder, split="trainval", classes=CLASSES)

    def those(keep: Callable[[int], bool]) -> DataSet:
        return replace(whole_set, entries=tuple(e for i, e in enumerate(whole_set.entries) if keep(i)))

    return [
        (those(lambda i, k=k: i % folds != k), those(lambda i, k=k: i % folds == k)) for k in range(folds)
    ]


def measured(
    what: str, config: TrainConfig, parts: list[Part], *, start: str = "", seconds: float = float("inf")
) -> Row:
    """Train on each part until the steps are taken or the time is up, and judge."""
    found = []
    for source, validation in parts:
        run = prepare(config, class_names=CLASSES)
        if start:
            load_start(run, find_model(start))
        began = time.perf_counter()
        for _ in train(run, source):
            spent = time.perf_counter() - began
            if spent >= seconds:
                break
        predictor = Predictor(run.averaged.module if config.ema else run.model, sha256="")
        report = coco_ap(list(results(predictor, validation)), class_names=CLASSES)
        found.append((report.ap50 or 0.0, run.step, spent))
    return Row(what, tuple(f[0] for f in found), max(f[1] for f in found), max(f[2] for f in found))


def main() -> None:
    """Print the table, row by row."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("../shared/data/voc5"))
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--size", type=int, default=160, help="side of the input in pixels")
    parser.add_argument("--folds", type=int, default=1, help="cross-validate over trainval (no: train, val)")
    parser.add_argument("--only", nargs="+", default=[""], help="rows whose name has one of these words")
    parser.add_argument("--seconds", type=float, help="of torchvision's run (those of the first row)")
    parser.add_argument("--their-steps", type=int, help="of torchvision's run, in place of ours' time")
    options = parser.parse_args()
    parts = parts_of(options.data, options.folds)
    where = "val" if options.folds < 2 else f"{options.folds} folds of trainval, and of each"
    print(f"| run | COCO AP50 on {where} | steps | seconds |\n|---|---|---|---|")

    def tell(row: Row) -> None:
        each = "" if len(row.ap50) == 1 else f" ({', '.join(f'{ap:.3f}' for ap in row.ap50)})"
        ap50 = sum(row.ap50) / len(row.ap50)
        print(f"| {row.what} | {ap50:.3f}{each} | {row.steps:,} | {row.seconds:.0f} |", flush=True)

    seconds: float | None = options.seconds
    for what, config, start in variants(whole(options.steps, options.size)):
        if not any(word in what for word in options.only):
            continue
        row = measured(what, config, parts, start=start)
        seconds = seconds or row.seconds
        tell(row)
    for what, (preset, rate) in TORCHVISION.items():
        if not any(word in what for word in options.only):
            continue
        if options.their_steps:
            seconds = options.seconds or float("inf")
        elif seconds is None:
            parser.error("without a row of ours torchvision's needs --seconds or --their-steps")
        config = replace(
            training_preset(preset), batch_size=16, learning_rate=rate, steps=options.their_steps or 200
        )
        tell(measured(what, config, parts, seconds=seconds))


if __name__ == "__main__":
    main()
