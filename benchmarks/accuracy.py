"""COCO AP of a model on a named split, and its milliseconds a picture on one core.

    python -m benchmarks.accuracy shapes
    python -m benchmarks.accuracy bccd --data ../shared/data/bccd --split val

Without ``--data`` the pictures are the 500 fixed synthetic scenes (seeds 10000–10499).
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections import defaultdict
from pathlib import Path

import torch

from ssd.checkpoints import find_model, read_weights
from ssd.data.folders import open_dataset
from ssd.data.synthetic import TEST_SEEDS
from ssd.evaluation import Pictures, results
from ssd.metrics import PictureResult, coco_ap, judge
from ssd.prediction import Predictor
from ssd.training.loader import SyntheticSource

SIDES_PX = (32, 64, 128, 10_000)


def by_side(found: list[PictureResult]) -> dict[str, dict[str, float]]:
    """Objects and share found at IoU .50 by the square root of their area in pixels."""
    total: dict[int, int] = defaultdict(int)
    hits: dict[int, int] = defaultdict(int)
    for result in found:
        size = (result.gt_boxes[:, 2:] - result.gt_boxes[:, :2]) * torch.tensor(
            [result.width_px, result.height_px]
        )
        judged = judge(result)
        for side, hit, ignored in zip(
            size.prod(dim=1).sqrt().tolist(), judged.found.tolist(), result.gt_ignored.tolist(), strict=True
        ):
            limit = next(limit for limit in SIDES_PX if side < limit)
            total[limit] += not ignored
            hits[limit] += hit
    return {
        f"<{n}": {"num_objects": total[n], "recall": round(hits[n] / max(total[n], 1), 4)} for n in SIDES_PX
    }


def milliseconds(predictor: Predictor, pictures: Pictures, count: int = 30) -> float:
    """Median of transform, network and decoding on one core."""
    torch.set_num_threads(1)
    samples = [pictures.sample(index % len(pictures)) for index in range(count)]
    predictor.predict(samples[0].picture)
    times = []
    for sample in samples:
        start = time.perf_counter()
        predictor.predict(sample.picture)
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)


def main() -> None:
    """Measure and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", nargs="?", default="shapes", help="a shipped model's name, or a file")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--split", default="val")
    parser.add_argument("--limit", type=int, help="first pictures only, for a quick look")
    options = parser.parse_args()
    path = Path(options.model)
    loaded = read_weights(path if path.suffix else find_model(options.model))
    predictor = Predictor(loaded.model, sha256=loaded.sha256)
    count = min(options.limit or len(TEST_SEEDS), len(TEST_SEEDS))
    pictures: Pictures = SyntheticSource(length=count, first_seed=TEST_SEEDS[0])
    if options.data is not None:
        pictures = open_dataset(options.data, split=options.split, classes=predictor.config.class_names)
    found = []
    for number, result in enumerate(results(predictor, pictures), start=1):
        found.append(result)
        print(f"\r{number} of {len(pictures)}", end="", file=sys.stderr)
    report = coco_ap(found, class_names=predictor.config.class_names)
    answer = {
        "coco_ap": report.ap,
        "coco_ap50": report.ap50,
        "coco_ap50_below_32_px": report.small50,
        "coco_ap50_per_class": report.per_class50,
        "num_pictures": report.num_pictures,
        "num_objects": report.num_objects,
        "recall_by_side_px": by_side(found),
        "milliseconds_a_picture_on_one_core": round(milliseconds(predictor, pictures), 1),
    }
    print("\n" + json.dumps(answer, indent=2))


if __name__ == "__main__":
    main()
