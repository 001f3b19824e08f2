"""What the sliders of the Results page ask for, over many pictures: milliseconds of each answer.

    python -m benchmarks.results
    python -m benchmarks.results --pictures 100 --model shapes

The network runs once for each drawn scene; then selection, and the table of verdicts, once for
an NMS threshold. After that score and evaluation IoU move at random, and every answer is timed
by the clock.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from ssd.checkpoints import find_model, read_weights
from ssd.evaluation import MissedTable, raw_outputs
from ssd.metrics import average_precision, confusion, pair_up, precision_recall
from ssd.prediction import Predictor
from ssd.training.loader import SyntheticSource

FIRST_SCENE = 9_000  # below the scenes of every training run
Answer = Callable[[float, float], object]


def answers(predictor: Predictor, *, pictures: int, folder: Path) -> dict[str, Answer]:
    """What a slider asks for, by name; prints what came before, which no slider asks for again."""
    source = SyntheticSource(length=pictures, first_seed=FIRST_SCENE)
    started = time.perf_counter()
    raw = raw_outputs(predictor, source, cache=folder)
    read = time.perf_counter()
    pairing = pair_up(raw.results())
    selected = time.perf_counter()
    table = MissedTable(raw)
    built = time.perf_counter()
    print(
        f"{pictures} pictures, {pairing.num_objects:,} objects: network {read - started:.1f} s; for an NMS "
        f"threshold selection {selected - read:.1f} s, table of verdicts {built - selected:.1f} s"
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


def main(arguments: list[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=500)
    parser.add_argument("--model", default="shapes")
    parser.add_argument("--moves", type=int, default=40)
    options = parser.parse_args(arguments)
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    loaded, dice = read_weights(find_model(options.model)), random.Random(0)
    predictor = Predictor(loaded.model, sha256=loaded.sha256)
    with tempfile.TemporaryDirectory() as folder:
        asked = answers(predictor, pictures=options.pictures, folder=Path(folder))
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
