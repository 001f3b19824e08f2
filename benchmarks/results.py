"""What the sliders of the Results page ask for, over many pictures: milliseconds of each answer.

    python -m benchmarks.results
    python -m benchmarks.results --model voc5 --data ../shared/data/voc5 --split test

The network runs once for each picture (without ``--data`` for drawn scenes); then selection for
some NMS thresholds, beside the selection that says why each box left, and the table of verdicts
for one of them. After that score and evaluation IoU move at random, and every answer is timed by
the clock.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from ssd.checkpoints import find_model, read_weights
from ssd.config import SelectionConfig
from ssd.data.folders import open_dataset
from ssd.evaluation import MissedTable, Pictures, RawOutputs, raw_outputs
from ssd.metrics import Pairing, average_precision, confusion, pair_up, precision_recall
from ssd.prediction import Predictor
from ssd.training.loader import SyntheticSource

FIRST_SCENE = 9_000  # below the scenes of every training run
NMS_THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7)
Answer = Callable[[float, float], object]


def answers(predictor: Predictor, source: Pictures, folder: Path) -> dict[str, Answer]:
    """What a slider asks for, by name; prints the seconds of what came before."""
    raw, network = timed(partial(raw_outputs, cache=folder), predictor, source)
    pairing, first = timed(selected, raw, None)
    limits = [replace(predictor.config.selection, nms_threshold=share) for share in NMS_THRESHOLDS]
    again = [timed(selected, raw, limit)[1] for limit in limits]
    reasons = [timed(reasoned, raw, limit)[1] for limit in limits]
    table, built = timed(MissedTable, raw)
    print(
        f"{len(raw)} pictures, {pairing.num_objects:,} objects: network {network:.1f} s, the first selection "
        f"{first:.1f} s\nanother NMS threshold: {' · '.join(f'{spent:.2f}' for spent in again)} s; selection "
        f"with reasons takes {statistics.median(reasons) / statistics.median(again):.1f} times as long, the "
        f"table of verdicts {built:.1f} s"
    )
    names = predictor.config.class_names

    def average(_: float, iou: float) -> object:
        return average_precision(pairing, class_names=names, metric="voc07", evaluation_iou=iou)

    def curves(_: float, iou: float) -> object:
        return precision_recall(pairing, class_names=names, evaluation_iou=iou)

    def matrix(score: float, iou: float) -> object:
        return confusion(pairing, class_names=names, score_threshold=score, evaluation_iou=iou)

    def missed(score: float, iou: float) -> object:
        return table.report(score=score, evaluation_iou=iou)

    return {"AP": average, "precision–recall": curves, "confusion": matrix, "why missed": missed}


def selected(raw: RawOutputs, limits: SelectionConfig | None) -> Pairing:
    """What the page does for an NMS threshold."""
    return pair_up(raw.results(limits))


def reasoned(raw: RawOutputs, limits: SelectionConfig) -> None:
    """The same detections, and why every other box left."""
    for index in range(len(raw)):
        raw.select(index, limits)


def timed(work: Callable[..., Any], *arguments: object) -> tuple[Any, float]:
    """What it gives, and its seconds by the clock."""
    started = time.perf_counter()
    return work(*arguments), time.perf_counter() - started


def main(arguments: list[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=500, help="drawn scenes")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--split", default="test")
    parser.add_argument("--model", default="shapes")
    parser.add_argument("--moves", type=int, default=40)
    options = parser.parse_args(arguments)
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    loaded, dice = read_weights(find_model(options.model)), random.Random(0)
    predictor = Predictor(loaded.model, sha256=loaded.sha256)
    with tempfile.TemporaryDirectory() as folder:
        source: Pictures = SyntheticSource(length=options.pictures, first_seed=FIRST_SCENE)
        if options.data is not None:
            source = open_dataset(options.data, split=options.split, classes=predictor.config.class_names)
        asked = answers(predictor, source, Path(folder))
        moves = [(dice.uniform(0.02, 0.98), dice.uniform(0.05, 0.95)) for _ in range(options.moves)]
        for name, answer in asked.items():
            spent = []
            for score, iou in moves:
                started = time.perf_counter()
                answer(score, iou)
                spent.append(1000 * (time.perf_counter() - started))
            p95 = statistics.quantiles(spent, n=20, method="inclusive")[-1]
            print(f"{name:<18} p50 {statistics.median(spent):6.0f} ms   p95 {p95:6.0f} ms")


if __name__ == "__main__":
    main()
