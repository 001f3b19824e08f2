"""Seconds and memory of the VOC metrics, from files as another tool writes them to AP.

    python -m benchmarks.metrics
    python -m benchmarks.metrics --pictures 500 --metric coco

Made detections: some near objects, some anywhere. Each step is timed by the clock and by the
processor; memory is the highest of the whole process, the making included.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path

import torch

from ssd.evaluation import image_ids, read_detections, read_truth
from ssd.metrics import METRICS, average_precision, confusion, pair_up, precision_recall

SIZE_PX = (500, 375)
CLASSES, OBJECTS = 20, 10
KILOBYTES = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss


def write_files(folder: Path, *, pictures: int, detections: int) -> tuple[Path, Path]:
    """An annotation file and a results file in COCO's form."""
    dice = torch.Generator().manual_seed(0)
    size = torch.tensor([*SIZE_PX, *SIZE_PX])
    truth, found = folder / "instances.json", folder / "detections.json"
    objects: list[dict[str, object]] = []
    with found.open("w") as file:
        file.write("[")
        for picture in range(1, pictures + 1):
            boxes = torch.rand(OBJECTS, 4, generator=dice) * torch.tensor([0.6, 0.6, 0.3, 0.3]) + 0.05
            labels = torch.randint(1, CLASSES + 1, (OBJECTS,), generator=dice)
            for box, label in zip((boxes * size).tolist(), labels.tolist(), strict=True):
                objects.append(
                    {
                        "id": len(objects) + 1,
                        "image_id": picture,
                        "category_id": label,
                        "bbox": box,
                        "iscrowd": 0,
                    }
                )
            whose = torch.randint(OBJECTS, (detections,), generator=dice)
            near = boxes[whose] * (1 + 0.2 * (torch.rand(detections, 4, generator=dice) - 0.5))
            said = torch.where(torch.rand(detections, generator=dice) < 0.8, labels[whose], 1)
            scores = torch.rand(detections, generator=dice)
            rows = zip((near * size).tolist(), said.tolist(), scores.tolist(), strict=True)
            lines = [
                f'{{"image_id": {picture}, "category_id": {label}, "bbox": {[round(v, 3) for v in box]}, '
                f'"score": {score:.6f}}}'
                for box, label, score in rows
            ]
            file.write(("" if picture == 1 else ",\n") + ",\n".join(lines))
        file.write("]")
    width, height = SIZE_PX
    images = [
        {"id": k, "file_name": f"{k}.jpg", "width": width, "height": height} for k in range(1, pictures + 1)
    ]
    categories = [{"id": label, "name": f"class {label}"} for label in range(1, CLASSES + 1)]
    truth.write_text(json.dumps({"images": images, "annotations": objects, "categories": categories}))
    return truth, found


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=5000)
    parser.add_argument("--detections", type=int, default=200, help="in each picture")
    parser.add_argument("--metric", choices=METRICS, action="append", help="voc07 and voc12")
    options = parser.parse_args(arguments)
    seconds: dict[str, dict[str, float]] = {}

    @contextmanager
    def timed(what: str):
        """Clock and processor."""
        clock, processor = time.perf_counter(), time.process_time()
        yield
        taken = {"clock": time.perf_counter() - clock, "processor": time.process_time() - processor}
        seconds[what] = {name: round(value, 3) for name, value in taken.items()}

    with tempfile.TemporaryDirectory() as folder:
        truth, found = write_files(Path(folder), pictures=options.pictures, detections=options.detections)
        with timed("read the ground truth"):
            data = read_truth(truth)
        with timed("read the detections"):
            results = read_detections(found, data)
    with timed("pair detections and objects"):
        pairing = pair_up(results)
    names = data.classes
    aps: dict[str, float | None] = {}
    for metric in options.metric or ("voc07", "voc12"):
        with timed(metric):
            report = average_precision(pairing, class_names=names, metric=metric, image_ids=image_ids(data))
        aps[metric] = report.ap
    with timed("another evaluation IoU"):
        precision_recall(pairing, class_names=names, evaluation_iou=0.75)
    with timed("confusion matrix"):
        confusion(pairing, class_names=names, score_threshold=0.5)
    answer = {
        "pictures": report.num_pictures,
        "detections": len(pairing.score),
        "objects": report.num_objects,
        "ap": aps,
        "seconds": seconds,
        "peak_megabytes": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KILOBYTES / 1e6),
    }
    print(json.dumps(answer, indent=2))


if __name__ == "__main__":
    main()
