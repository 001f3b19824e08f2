"""Ground truth for detections that come from elsewhere: what its pictures and classes are called."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

from ssd.data.folders import DataSet, Entry, dataset_of
from ssd.data.paths import composed
from ssd.data.scan import Scanned, scan_dataset

__all__ = ["AMBIGUOUS", "category_labels", "class_labels", "image_ids", "picture_names", "read_truth"]

AMBIGUOUS = -2  # the place of a stem that several pictures have


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


def picture_names(data: DataSet) -> dict[int | str, int]:
    """Every id and name that a picture answers to; a whole file name goes before a stem.

    Args:
        data: the pictures.

    Returns:
        Id or name to the picture's place; ``AMBIGUOUS`` where several pictures have the name.
    """
    found: dict[int | str, int] = {}
    for way in (_stem, _file_name, _path_in_data):
        names = [composed(way(entry, data)) for entry in data.entries]
        twice = {name for name, count in Counter(names).items() if count > 1}
        found |= {name: AMBIGUOUS if name in twice else index for index, name in enumerate(names)}
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


def class_labels(data: DataSet) -> dict[str, int]:
    """Class name to label.

    Args:
        data: with classes in label order.

    Returns:
        1 for the first class.
    """
    return {name: label for label, name in enumerate(data.classes, start=1)}


def category_labels(data: DataSet) -> dict[int, int]:
    """Category id to label.

    Args:
        data: with COCO's ids, or without.

    Returns:
        The data's own ids; where it has none, a label is its own id.
    """
    ids = data.category_ids or tuple(range(1, len(data.classes) + 1))
    return {number: label for label, number in enumerate(ids, start=1)}
