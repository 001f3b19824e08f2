"""Results as files for other tools: calibration, label errors and galleries are theirs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass

from ssd.evaluation.raw import RawOutputs
from ssd.metrics import PictureResult, coco_said, coco_truth

__all__ = ["HandedOver", "coco_files"]


@dataclass(frozen=True)
class HandedOver:
    """Three files that belong together.

    Attributes:
        truth: the objects, as COCO's ``instances`` JSON.
        detections: COCO results JSON with the same ids.
        table: the detections as CSV.
    """

    truth: str
    detections: str
    table: str


def coco_files(raw: RawOutputs, results: Sequence[PictureResult]) -> HandedOver:
    """Write what a detector said, and what is there, for other tools.

    Args:
        raw: outputs over a data set; says how its pictures are called.
        results: the selection from them, one for each picture in order.

    Returns:
        Files of which COCO's tools compute the same twelve numbers as :func:`ssd.metrics.coco_report`.
        A picture keeps COCO's id where it has one, else it is numbered from 1.
    """
    names = [raw.image_id(index) for index in range(len(raw))]
    whole = all(isinstance(name, int) for name in names)
    ids = [int(name) if whole else number for number, name in enumerate(names, start=1)]
    truth = coco_truth(results, ids, list(raw.class_names))
    for image, name in zip(truth["images"], names, strict=True):
        image["file_name"] = str(raw.name(names.index(name)) if whole else name)
    said = coco_said(results, ids)
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(("image_id", "file", "category_id", "category", "x", "y", "width", "height", "score"))
    files = {image["id"]: image["file_name"] for image in truth["images"]}
    for row in said:
        category = raw.class_names[row["category_id"] - 1]
        place = (row["image_id"], files[row["image_id"]], row["category_id"], category)
        rows.writerow((*place, *row["bbox"], row["score"]))
    return HandedOver(json.dumps(truth), json.dumps(said), text.getvalue())
