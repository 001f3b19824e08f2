"""Pictures a second that reach the network: a plain torchvision pipeline against ours.

    python -m benchmarks.augment
    python -m benchmarks.augment --data ../shared/data/bccd --split train --workers 2

*plain* decodes each picture every time and sends it through torchvision's transforms v2 as
its detection reference does. *ours, first* decodes, shrinks and keeps it; *ours* finds it
kept. Without ``--data`` the pictures are synthetic scenes, written to a temporary folder.
Without workers the seconds are those of the processor, so that a busy machine is no excuse.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torchvision import tv_tensors
from torchvision.transforms import v2

from ssd.data.augment import AUGMENT_PRESETS
from ssd.data.folders import open_dataset
from ssd.data.images import read_picture
from ssd.data.records import Sample, Target
from ssd.data.synthetic import synthetic_scene
from ssd.training.config import TrainConfig
from ssd.training.loader import SampleSource, batches


@dataclass(frozen=True)
class Files:
    """Picture files and their objects."""

    paths: tuple[Path, ...]
    targets: tuple[Target, ...]

    def __len__(self) -> int:
        return len(self.paths)

    def sample(self, index: int) -> Sample:
        """Decoded every time."""
        path = self.paths[index]
        return Sample(read_picture(path, name=path.name).pixels, self.targets[index], path.name)


@dataclass(frozen=True)
class First:
    """The first pictures of a source, so that a second round finds all of them kept."""

    source: SampleSource
    count: int

    def __len__(self) -> int:
        return min(self.count, len(self.source))

    def sample(self, index: int) -> Sample:
        """One of them."""
        return self.source.sample(index)


def written(folder: Path, count: int) -> Files:
    """Synthetic scenes as JPEG files."""
    paths, targets = [], []
    for seed in range(count):
        scene = synthetic_scene(seed)
        paths.append(folder / f"{seed}.jpg")
        Image.fromarray(scene.picture.permute(1, 2, 0).numpy()).save(paths[-1], quality=90)
        targets.append(scene.target)
    return Files(tuple(paths), tuple(targets))


PLAIN: dict[str, list[Callable[..., Any]]] = {
    "none": [],
    "lesson": [
        v2.RandomHorizontalFlip(0.5),
        v2.RandomApply([v2.RandomRotation(3, interpolation=v2.InterpolationMode.BILINEAR)], p=0.5),
        v2.ColorJitter(brightness=0.05, contrast=0.05),
    ],
    "ssd": [
        v2.RandomPhotometricDistort(),
        v2.RandomZoomOut(fill=[124, 116, 104]),
        v2.RandomIoUCrop(),
        v2.RandomHorizontalFlip(0.5),
    ],
}


def plain_rate(source: SampleSource, preset: str, *, size_px: int, count: int) -> float:
    """Pictures a second of torchvision's own transforms."""
    last = [v2.Resize((size_px, size_px)), v2.ClampBoundingBoxes(), v2.SanitizeBoundingBoxes()]
    pipeline = v2.Compose([*PLAIN[preset], *last])
    started = time.process_time()
    for index in range(count):
        sample = source.sample(index % len(source))
        height, width = sample.picture.shape[-2:]
        boxes = sample.target.boxes * torch.tensor([width, height, width, height])
        pipeline(
            {
                "picture": tv_tensors.Image(sample.picture),
                "boxes": tv_tensors.BoundingBoxes(boxes, format="XYXY", canvas_size=(height, width)),
                "labels": sample.target.labels,
            }
        )
    return count / (time.process_time() - started)


def our_rates(
    source: SampleSource, preset: str, *, size_px: int, count: int, workers: int
) -> tuple[float, float]:
    """Pictures a second while the cache fills, and once it is full."""
    config = TrainConfig(
        size_px=size_px, steps=2 * count, batch_size=1, augment=replace(AUGMENT_PRESETS[preset])
    )
    made = batches(source, config, num_workers=workers)
    rates, clock = [], time.perf_counter if workers else time.process_time
    for _ in range(2):
        started = clock()
        for _ in range(count):
            next(made)
        rates.append(count / (clock() - started))
    return rates[0], rates[1]


def measure(source: SampleSource, *, size_px: int, count: int, workers: int) -> dict[str, dict[str, float]]:
    """Every preset's rates."""
    rows: dict[str, dict[str, float]] = {}
    for preset in AUGMENT_PRESETS:
        first, kept = our_rates(source, preset, size_px=size_px, count=count, workers=workers)
        row = {"ours, first": round(first, 1), "ours": round(kept, 1)}
        if preset in PLAIN:
            row["plain"] = round(plain_rate(source, preset, size_px=size_px, count=count), 1)
        rows[preset] = row
        print(f"{preset}: {row}", file=sys.stderr)
    return rows


def main(arguments: list[str] | None = None) -> None:
    """Measure and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--split", default="train")
    parser.add_argument("--size", type=int, default=320)
    parser.add_argument("--count", type=int, default=128, help="pictures of each measurement")
    parser.add_argument("--workers", type=int, default=0)
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        source: SampleSource = (
            open_dataset(options.data, split=options.split)
            if options.data
            else written(Path(folder), min(options.count, 64))
        )
        rates = measure(
            First(source, options.count), size_px=options.size, count=options.count, workers=options.workers
        )
    print(
        json.dumps(
            {"size_px": options.size, "workers": options.workers, "pictures_a_second": rates}, indent=2
        )
    )


if __name__ == "__main__":
    main()
