"""From the click on "Teach it this picture" to every object found. Run ``python -m benchmarks.teach``.

Seeded scenes of three objects go to the same child process that the Learning page uses, one
after another. A scene counts as found when each object has a kept box of its class at jaccard
.90 or more, and the time runs from the click to the report that says so, the way through both
pipes included. Promised: at least 19 of 20 within five seconds on one core.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from ssd.data.records import Sample
from ssd.data.shapes import SHAPE_CLASSES
from ssd.data.synthetic import SyntheticConfig, synthetic_scene
from ssd.training.teach_job import TeachJob, TeachRules
from ssd.training.teach_worker import TeachWorker

LIMIT_S = 5.0
OBJECTS = 3


@dataclass(frozen=True)
class Taught:
    """One scene: what was found, and when.

    ``cpu_seconds`` is what the child used until then: what a core of its own would have taken,
    also where other work keeps the machine busy.
    """

    name: str
    found: int
    steps: int
    seconds: float
    cpu_seconds: float
    lowest: float

    @property
    def is_quick(self) -> bool:
        """Whether all were found in time."""
        return self.found == OBJECTS and self.seconds <= LIMIT_S


def scenes(count: int, *, first_seed: int = 0) -> Iterator[Sample]:
    """The first ``count`` scenes with three objects."""
    config, seed = SyntheticConfig(objects=(OBJECTS, OBJECTS)), first_seed
    while count:
        sample = synthetic_scene(seed, config=config)
        seed += 1
        if len(sample.target) == OBJECTS:
            count -= 1
            yield sample


def teach_one(worker: TeachWorker, sample: Sample, rules: TeachRules) -> Taught:
    """One lesson, timed until every object is found, or to its end."""
    clock, spent = time.perf_counter(), cpu_seconds(worker)
    result = None
    for report in worker.teach(TeachJob(sample, SHAPE_CLASSES, rules)):
        if report.look is not None and result is None and (report.look.found == OBJECTS or report.is_last):
            used = cpu_seconds(worker) - spent
            now = time.perf_counter() - clock
            best = min(report.look.best)
            result = Taught(sample.name, report.look.found, report.step, now, used, best)
    if result is None:
        raise SystemExit(f"{sample.name}: the lesson said nothing.")
    return result


def cpu_seconds(worker: TeachWorker) -> float:
    """Of the child so far; 0 where the system does not tell."""
    stat = Path(f"/proc/{worker.process_id()}/stat")
    if not stat.exists():
        return 0.0
    fields = stat.read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def warm_up_seconds(worker: TeachWorker) -> float:
    """From the start of the child to its first answer: paid when the page opens, not at the click."""
    started = time.perf_counter()
    (sample,) = scenes(1)
    for _ in worker.teach(TeachJob(sample, SHAPE_CLASSES, steps=1)):
        pass
    return time.perf_counter() - started


def measure(count: int, *, first_seed: int = 0, rules: TeachRules | None = None) -> dict[str, object]:
    """All scenes, one after another."""
    worker, rules = TeachWorker(), rules or TeachRules()
    try:
        warm = warm_up_seconds(worker)
        taught = []
        for sample in scenes(count, first_seed=first_seed):
            taught.append(teach_one(worker, sample, rules))
            print(_row(taught[-1]), flush=True)
    finally:
        worker.close()
    return {
        "scenes": count,
        "quick": sum(each.is_quick for each in taught),
        "quick_on_a_core_of_its_own": sum(
            each.found == OBJECTS and each.cpu_seconds <= LIMIT_S for each in taught
        ),
        "found": sum(each.found == OBJECTS for each in taught),
        "median_seconds": round(statistics.median(each.seconds for each in taught), 2),
        "longest_seconds": round(max(each.seconds for each in taught), 2),
        "median_cpu_seconds": round(statistics.median(each.cpu_seconds for each in taught), 2),
        "median_steps": statistics.median(each.steps for each in taught),
        "warm_up_seconds": round(warm, 1),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "each": [asdict(each) for each in taught],
    }


def _row(taught: Taught) -> str:
    return (
        f"{taught.name:<12} {taught.found} of {OBJECTS} after {taught.steps:>3} steps, "
        f"{taught.seconds:5.2f} s ({taught.cpu_seconds:5.2f} s of one core), lowest jaccard "
        f"{taught.lowest:.2f}"
    )


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenes", type=int, default=20)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="write all numbers there")
    asked = parser.parse_args()
    result = measure(asked.scenes, first_seed=asked.first_seed)
    print({name: value for name, value in result.items() if name != "each"})
    if asked.json:
        asked.json.write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
