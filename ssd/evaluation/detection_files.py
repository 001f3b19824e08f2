"""Detections of other tools: a results file in COCO's form beside the objects of a data set."""

from __future__ import annotations

import difflib
import gc
import itertools
import reprlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from ssd.boxes import from_pixels
from ssd.config import UNMATCHED
from ssd.data.folders import DataSet
from ssd.data.images import shown_name
from ssd.data.json_text import parse_json
from ssd.data.paths import composed
from ssd.data.voc import read_annotation_bytes
from ssd.detections import Detections
from ssd.errors import DataError
from ssd.evaluation.results import picture_result
from ssd.evaluation.truth import AMBIGUOUS, category_labels, class_labels, picture_names
from ssd.limits import MAX_COCO_BYTES
from ssd.metrics import PictureResult

__all__ = ["read_detections"]

_SHOWN = 20  # different problems in one message
_LARGEST = 1e15  # of a coordinate or score


def read_detections(path: Path, data: DataSet) -> list[PictureResult]:
    """Read a results file of any tool, to be judged as our own detections are.

    The file is an array of objects with ``image_id`` (the integer id, the stem or the file name
    of a picture), ``bbox`` (x, y, width, height in pixels), ``score`` and a class: ``category``
    (its name, which is believed first) or ``category_id`` (the data's own ids; where it has
    none from 1, in the order of its classes). Boxes are taken as they are, not clipped.

    Args:
        path: the JSON file.
        data: the pictures and their objects.

    Returns:
        One result for each picture of the data, in its order, in float64.

    Raises:
        DataError: the file cannot be read, or a row is not understood; up to twenty rows are
            named.

    Source:
        cocodataset.org, "Results format", object detection.
    """
    shown = shown_name(path.name)
    rows = _parse(read_annotation_bytes(path, limit=MAX_COCO_BYTES), shown)
    door = _Door(picture_names(data), category_labels(data), class_labels(data))
    found = _all_at_once(rows, door)
    if found is None:
        found = _one_by_one(rows, door, shown)
    held = torch.bincount(found.picture, minlength=len(data))
    order = found.picture.argsort(stable=True)  # within a picture the order of the file: ties count so
    parts = (torch.split(column[order], held.tolist()) for column in (found.xywh, found.label, found.score))
    return [_result(data, index, *columns) for index, columns in enumerate(zip(*parts, strict=True))]


@dataclass(frozen=True)
class _Columns:
    """All rows of a file: place of the picture, label, x, y, width and height in pixels, score."""

    picture: Int64[Tensor, "n"]
    label: Int64[Tensor, "n"]
    xywh: Float[Tensor, "n 4"]
    score: Float[Tensor, "n"]


def _all_at_once(rows: list[Any], door: _Door) -> _Columns | None:
    """The columns, a million rows in a second; ``None`` where a row needs to be looked at."""
    try:
        ids, boxes, scores = ([row[key] for row in rows] for key in ("image_id", "bbox", "score"))
        names = [row.get("category") for row in rows]
        kinds = names if rows and names[0] is not None else [row["category_id"] for row in rows]
        known: Mapping[Any, int] = door.classes if kinds is names else door.categories
        numbers = list(itertools.chain.from_iterable(boxes))
        plain = (
            set(map(type, ids)) <= {int, str}
            and set(map(type, kinds)) <= ({str} if kinds is names else {int})
            and (kinds is names or set(names) <= {None})
            and set(map(type, boxes)) <= {list}
            and set(map(len, boxes)) <= {4}
            and set(map(type, itertools.chain(numbers, scores))) <= {int, float}
        )
        if not plain:
            return None
        picture = torch.tensor([door.pictures.get(each, UNMATCHED) for each in ids], dtype=torch.int64)
        label = torch.tensor([known.get(each, UNMATCHED) for each in kinds], dtype=torch.int64)
        xywh = torch.tensor(numbers, dtype=torch.float64).reshape(-1, 4)
        score = torch.tensor(scores, dtype=torch.float64)
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError, RuntimeError):
        return None
    good = bool((picture >= 0).all()) and bool((label >= 0).all()) and bool((xywh[:, 2:] >= 0).all())
    finite = all(bool((each.abs() < _LARGEST).all()) for each in (xywh, score))  # NaN is not below
    return _Columns(picture, label, xywh, score) if good and finite else None


def _one_by_one(rows: list[Any], door: _Door, shown: str) -> _Columns:
    """The columns, or a sentence about the rows that are not understood."""
    read: list[tuple[int, int, list[float], float]] = []
    problems: dict[str, list[int]] = {}  # rows by what is wrong with them
    for number, row in enumerate(rows, start=1):
        try:
            read.append(door.read(row))
        except DataError as error:
            problems.setdefault(str(error), []).append(number)
    if problems:
        listed = "; ".join(_rows_words(*each) for each in itertools.islice(problems.items(), _SHOWN))
        more = f"; and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
        raise DataError(f"{shown}: {listed}{more}; correct the file or choose the ground truth it is of.")
    picture, label, xywh, score = zip(*read, strict=True)
    return _Columns(
        torch.tensor(picture),
        torch.tensor(label),
        torch.tensor(xywh, dtype=torch.float64),
        torch.tensor(score, dtype=torch.float64),
    )


def _rows_words(problem: str, rows: list[int]) -> str:
    """A problem with the first row that has it, and how many others do."""
    others = f" and {len(rows) - 1:,} more" if len(rows) > 1 else ""
    return f"detection {rows[0]}{others}: {problem}"


@dataclass(frozen=True)
class _Door:
    """What rows may name: pictures, category ids, classes."""

    pictures: Mapping[int | str, int]
    categories: Mapping[int, int]
    classes: Mapping[str, int]

    def read(self, row: object) -> tuple[int, int, list[float], float]:
        """Picture, label, box and score of one row; a DataError without file and number says why not."""
        if not isinstance(row, dict):
            raise DataError(f"must be an object, got {_shown(row)}")
        picture, label = self._picture(row.get("image_id")), self._label(row)
        box, score = row.get("bbox"), row.get("score")
        if not isinstance(box, list) or len(box) != 4 or not all(_is_finite(value) for value in box):
            raise DataError(f"bbox must be 4 finite numbers, got {_shown(box)}")
        if not isinstance(score, int | float) or not _is_finite(score):
            raise DataError(f"score must be a finite number, got {_shown(score)}")
        if box[2] < 0 or box[3] < 0:
            raise DataError(f"bbox must have a width and a height of at least 0, got {_shown(box)}")
        return picture, label, [float(value) for value in box], float(score)

    def _picture(self, image_id: object) -> int:
        """The place of the picture that an id names."""
        if isinstance(image_id, str):
            place = self.pictures.get(composed(image_id), UNMATCHED)
        elif isinstance(image_id, int) and not isinstance(image_id, bool):
            place = self.pictures.get(image_id, UNMATCHED)
        else:
            raise DataError(f"image_id must be a whole number or a name, got {_shown(image_id)}")
        if place == AMBIGUOUS:
            raise DataError(f"image_id {_shown(image_id)} is the stem of several pictures; use the file name")
        if place < 0:
            raise DataError(f"image_id {_shown(image_id)} is no picture of the ground truth")
        return place

    def _label(self, row: Mapping[str, Any]) -> int:
        """The label that a row names."""
        name, number = row.get("category"), row.get("category_id")
        if isinstance(name, str):
            if name in self.classes:
                return self.classes[name]
            near = difflib.get_close_matches(name, self.classes, n=1)
            hint = f" (did you mean {near[0]}?)" if near else ""
            raise DataError(f"category '{shown_name(name)}' is no class of the ground truth{hint}")
        if isinstance(number, int) and not isinstance(number, bool) and number in self.categories:
            return self.categories[number]
        known_ids = ", ".join(str(each) for each in list(self.categories)[:_SHOWN])
        raise DataError(f"category_id must be one of {known_ids}, got {_shown(number)}")


def _parse(content: bytes, shown: str) -> list[Any]:
    """The top-level array."""
    with _uncollected():
        rows = parse_json(content, shown=shown)
    if not isinstance(rows, list):
        raise DataError(
            f"{shown}: a results file is an array of detections, got {_shown(rows)}; choose the file that "
            "a detector wrote, not an annotation file."
        )
    return rows


@contextmanager
def _uncollected() -> Iterator[None]:
    """Python's collector waits: among a million new objects, none of them garbage, it takes half the time."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


def _result(data: DataSet, index: int, xywh: Tensor, labels: Tensor, scores: Tensor) -> PictureResult:
    """Detections and objects in float64, so that numbers that agree in the files agree here."""
    annotation, target = data.entries[index].annotation, data.target(index)
    size = {"width_px": annotation.width, "height_px": annotation.height}
    edges = torch.tensor([each.box_px for each in annotation.objects], dtype=torch.float64).reshape(-1, 4)
    boxes = torch.cat([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], dim=1)
    nowhere = torch.full_like(labels, UNMATCHED)
    said = Detections(from_pixels(boxes, **size), labels, scores, nowhere)
    exact = replace(target, boxes=from_pixels(edges, **size))
    return picture_result(exact, said, size_px=(annotation.width, annotation.height))


def _is_finite(value: object) -> bool:
    """A number that is neither NaN nor infinite, nor larger than any picture."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) < _LARGEST


def _shown(value: object) -> str:
    """A JSON value as a message may show it."""
    return shown_name(reprlib.repr(value))
