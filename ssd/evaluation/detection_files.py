"""Detections of other tools: a results file in COCO's form beside the objects of a data set."""

from __future__ import annotations

import difflib
import json
import math
import reprlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from ssd.boxes import from_pixels
from ssd.config import UNMATCHED
from ssd.data.folders import DataSet, Entry, dataset_of
from ssd.data.images import shown_name
from ssd.data.paths import composed
from ssd.data.scan import Scanned, scan_dataset
from ssd.data.voc import read_annotation_bytes
from ssd.detections import Detections
from ssd.errors import DataError
from ssd.evaluation.results import picture_result
from ssd.limits import MAX_COCO_BYTES
from ssd.metrics import PictureResult

__all__ = ["image_ids", "read_detections", "read_truth"]

_SHOWN = 20  # problems in one message
_AMBIGUOUS = -2  # a stem that several pictures have


def read_truth(path: Path, *, split: str = "all") -> DataSet:
    """Open the ground truth that detections are judged by; its pictures need not be there.

    Args:
        path: a data set's folder, or one file of annotations.
        split: ``all`` or the name of a part.

    Returns:
        The data set, with every class of the data.

    Raises:
        DataError: there is no data set or split, or no picture whose objects and size are known.
    """
    scan = scan_dataset(path, split=split)
    return dataset_of(replace(scan, pictures=tuple(_known(each, scan.root) for each in scan.pictures)))


def _known(scanned: Scanned, root: Path) -> Scanned:
    """The picture as one that can be used, where only its file is missing."""
    if not scanned.faults or any(fault.rule != "no-picture" for fault in scanned.faults):
        return scanned
    picture = root / scanned.file_name if scanned.file_name else None
    return replace(scanned, faults=(), picture=picture)


def image_ids(data: DataSet) -> tuple[int, ...]:
    """The number of every picture of a data set.

    Args:
        data: the pictures.

    Returns:
        COCO's ids; where there are none the position by sorted file name, from 1.
    """
    known = [entry.image_id for entry in data.entries]
    if all(number is not None for number in known):
        return tuple(number for number in known if number is not None)
    order = sorted(range(len(data)), key=lambda index: (_file_name(data.entries[index], data), index))
    position = {index: number for number, index in enumerate(order, start=1)}
    return tuple(position[index] for index in range(len(data)))


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
    door = _Door(_pictures(data), _categories(data), dict(enumerate(data.classes, start=1)))
    gathered = [_Gathered() for _ in range(len(data))]
    problems: list[str] = []
    for number, row in enumerate(rows, start=1):
        try:
            door.take(row, gathered)
        except DataError as error:
            problems.append(f"detection {number}: {error}")
    if problems:
        listed = "; ".join(problems[:_SHOWN])
        more = f"; and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
        raise DataError(f"{shown}: {listed}{more}; correct the file or choose the ground truth it is of.")
    return [_result(data, index, found) for index, found in enumerate(gathered)]


@dataclass
class _Gathered:
    """The detections of one picture so far: xyxy in pixels, labels, scores."""

    boxes: list[tuple[float, float, float, float]] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class _Door:
    """What rows may name: pictures, category ids, classes."""

    pictures: Mapping[int | str, int]
    categories: Mapping[int, int]
    classes: Mapping[int, str]

    def take(self, row: object, gathered: list[_Gathered]) -> None:
        """Check one row and give it to its picture; a DataError without file and number says why not."""
        if not isinstance(row, dict):
            raise DataError(f"must be an object, got {_shown(row)}")
        picture, label = self._picture(row.get("image_id")), self._label(row)
        box, score = row.get("bbox"), row.get("score")
        if not isinstance(box, list) or len(box) != 4 or not all(_is_finite(value) for value in box):
            raise DataError(f"bbox must be 4 finite numbers, got {_shown(box)}")
        if not isinstance(score, int | float) or not _is_finite(score):
            raise DataError(f"score must be a finite number, got {_shown(score)}")
        x, y, width, height = (float(value) for value in box)
        if width < 0 or height < 0:
            raise DataError(f"bbox must have a width and a height of at least 0, got {_shown(box)}")
        found = gathered[picture]
        found.boxes.append((x, y, x + width, y + height))
        found.labels.append(label)
        found.scores.append(float(score))

    def _picture(self, image_id: object) -> int:
        """The place of the picture that an id names."""
        if isinstance(image_id, str):
            place = self.pictures.get(composed(image_id), UNMATCHED)
        elif isinstance(image_id, int) and not isinstance(image_id, bool):
            place = self.pictures.get(image_id, UNMATCHED)
        else:
            raise DataError(f"image_id must be a whole number or a name, got {_shown(image_id)}")
        if place == _AMBIGUOUS:
            raise DataError(f"image_id {_shown(image_id)} is the stem of several pictures; use the file name")
        if place < 0:
            raise DataError(f"image_id {_shown(image_id)} is no picture of the ground truth")
        return place

    def _label(self, row: Mapping[str, Any]) -> int:
        """The label that a row names."""
        name, number = row.get("category"), row.get("category_id")
        if isinstance(name, str):
            for label, known in self.classes.items():
                if name == known:
                    return label
            near = difflib.get_close_matches(name, self.classes.values(), n=1)
            hint = f" (did you mean {near[0]}?)" if near else ""
            raise DataError(f"category '{shown_name(name)}' is no class of the ground truth{hint}")
        if isinstance(number, int) and not isinstance(number, bool) and number in self.categories:
            return self.categories[number]
        known_ids = ", ".join(str(each) for each in list(self.categories)[:_SHOWN])
        raise DataError(f"category_id must be one of {known_ids}, got {_shown(number)}")


def _pictures(data: DataSet) -> dict[int | str, int]:
    """Every id and name that a picture answers to; a whole file name goes before a stem."""
    found: dict[int | str, int] = {}
    for way in (_stem, _file_name, _path_in_data):
        names = [composed(way(entry, data)) for entry in data.entries]
        twice = {name for name in names if names.count(name) > 1} if len(set(names)) < len(names) else set()
        found |= {name: _AMBIGUOUS if name in twice else index for index, name in enumerate(names)}
    return found | {number: index for index, number in enumerate(image_ids(data))}


def _stem(entry: Entry, data: DataSet) -> str:
    """cat for cat.jpg."""
    return entry.name


def _file_name(entry: Entry, data: DataSet) -> str:
    """cat.jpg."""
    return entry.name if entry.picture is None else entry.picture.name


def _path_in_data(entry: Entry, data: DataSet) -> str:
    """val/cat.jpg, where the picture lies in the data set's folder."""
    if entry.picture is None or not entry.picture.is_relative_to(data.root):
        return _file_name(entry, data)
    return entry.picture.relative_to(data.root).as_posix()


def _categories(data: DataSet) -> dict[int, int]:
    """Category id to label."""
    ids = data.category_ids or tuple(range(1, len(data.classes) + 1))
    return {number: label for label, number in enumerate(ids, start=1)}


def _parse(content: bytes, shown: str) -> list[Any]:
    """The top-level array; every way in which Python's json can fail becomes a sentence."""
    try:
        rows = json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise DataError(
            f"{shown}: JSON must be UTF-8, byte {error.start + 1} is not; save it again."
        ) from None
    except json.JSONDecodeError as error:
        raise DataError(
            f"{shown}: not well-formed JSON at line {error.lineno}, column {error.colno}; "
            "the file may be cut off, copy it again."
        ) from None
    except RecursionError:
        raise DataError(f"{shown}: JSON may not be nested so deeply; export it again.") from None
    except ValueError:  # Python refuses integers of more than 4,300 digits
        raise DataError(f"{shown}: a number has too many digits; correct it.") from None
    if not isinstance(rows, list):
        raise DataError(
            f"{shown}: a results file is an array of detections, got {_shown(rows)}; choose the file that "
            "a detector wrote, not an annotation file."
        )
    return rows


def _result(data: DataSet, index: int, found: _Gathered) -> PictureResult:
    """Detections and objects in float64, so that numbers that agree in the files agree here."""
    annotation = data.entries[index].annotation
    size = {"width_px": annotation.width, "height_px": annotation.height}
    target = data.target(index)
    edges = torch.tensor([each.box_px for each in annotation.objects], dtype=torch.float64).reshape(-1, 4)
    boxes = torch.tensor(found.boxes, dtype=torch.float64).reshape(-1, 4)
    said = Detections(
        from_pixels(boxes, **size),
        torch.tensor(found.labels, dtype=torch.int64),
        torch.tensor(found.scores, dtype=torch.float64),
        torch.full((len(found.labels),), UNMATCHED, dtype=torch.int64),
    )
    exact = type(target)(from_pixels(edges, **size), target.labels, target.difficult, target.ignore)
    return picture_result(exact, said, size_px=(annotation.width, annotation.height))


def _is_finite(value: object) -> bool:
    """A number that is neither NaN nor infinite, also as a float."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) < 10**15 and math.isfinite(value)


def _shown(value: object) -> str:
    """A JSON value as a message may show it."""
    return shown_name(reprlib.repr(value))
