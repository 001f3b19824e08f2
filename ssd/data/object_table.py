"""All objects of a data set as one table, without opening a picture that need not be opened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from ssd.data.annotations import annotation_to_target
from ssd.data.folders import dataset_of, open_dataset
from ssd.data.records import Target
from ssd.data.scan import Scan, Scanned, scan_dataset
from ssd.data.scanned import resized

__all__ = ["ObjectTable", "object_table", "read_objects", "some_objects"]


@dataclass(frozen=True)
class ObjectTable:
    """All objects of a data set that count, picture after picture.

    Attributes:
        boxes: xyxy in [0, 1] of the picture.
        labels: class, 1..C.
        picture: which picture, rising.
        row: which object of that picture, as the data set numbers them.
        num_pictures: with those that have no object.
        class_names: in label order.
        size_unknown: objects left out because the size of their picture is not known.
        problems: a sentence for everything that was left out as broken.
        pictures_wh: width and height of each picture in pixels; empty where not known.
    """

    boxes: Float[Tensor, "n 4"]
    labels: Int64[Tensor, "n"]
    picture: Int64[Tensor, "n"]
    row: Int64[Tensor, "n"]
    num_pictures: int
    class_names: tuple[str, ...]
    size_unknown: int = 0
    problems: tuple[str, ...] = ()
    pictures_wh: tuple[tuple[int, int], ...] = ()

    def __len__(self) -> int:
        """Number of objects."""
        return len(self.labels)


def object_table(
    targets: list[Target],
    *,
    class_names: tuple[str, ...],
    size_unknown: int = 0,
    problems: tuple[str, ...] = (),
    pictures_wh: tuple[tuple[int, int], ...] = (),
) -> ObjectTable:
    """The objects that count: ignored and difficult ones are left out.

    Args:
        targets: of each picture.
        class_names: in label order.
        size_unknown: objects that are not among the targets for that reason.
        problems: sentences about what was broken.
        pictures_wh: size of each picture in pixels, where it is known.

    Returns:
        One row for each object.

    Example:
        >>> len(object_table([Target.empty(), Target.empty()], class_names=("cat",)))
        0
    """
    counted = [(~(target.ignore | target.difficult)).nonzero()[:, 0] for target in targets]
    pairs = list(zip(targets, counted, strict=True))
    empty = torch.zeros(0, dtype=torch.int64)
    return ObjectTable(
        boxes=torch.cat([torch.zeros(0, 4), *(target.boxes[rows] for target, rows in pairs)]),
        labels=torch.cat([empty, *(target.labels[rows] for target, rows in pairs)]),
        picture=torch.arange(len(targets)).repeat_interleave(torch.tensor([len(r) for r in counted]).long()),
        row=torch.cat([empty, *counted]),
        num_pictures=len(targets),
        class_names=class_names,
        size_unknown=size_unknown,
        problems=problems,
        pictures_wh=pictures_wh,
    )


def some_objects(objects: ObjectTable, rows: Int64[Tensor, "k"]) -> ObjectTable:
    """Some of the objects of a table, all of their pictures.

    Args:
        objects: a table.
        rows: which of its objects, rising.

    Returns:
        The same pictures with these objects only.

    Example:
        >>> table = object_table([Target.empty()], class_names=("cat",))
        >>> some_objects(table, torch.zeros(0, dtype=torch.int64)).num_pictures
        1
    """
    columns = {name: getattr(objects, name)[rows] for name in ("boxes", "labels", "picture", "row")}
    return replace(objects, **columns)


def read_objects(path: Path, *, split: str = "all", sizes_from: Path | None = None) -> ObjectTable:
    """The objects of a data set of any layout, or of plain text lists.

    Args:
        path: the folder, COCO file or text list.
        split: which part.
        sizes_from: a data set whose annotations say how large the pictures of text lists are.

    Returns:
        The objects that count; no picture is opened that need not be.

    Raises:
        DataError: nothing usable is there.
    """
    scan = scan_dataset(path, split=split)
    if scan.kind == "text":
        return _of_lists(scan, {} if sizes_from is None else _sizes(sizes_from))
    data = dataset_of(scan)
    targets = [data.target(index) for index in range(len(data))]
    sizes_wh = tuple((each.annotation.width, each.annotation.height) for each in data.entries)
    return object_table(targets, class_names=data.classes, problems=data.problems, pictures_wh=sizes_wh)


def _of_lists(scan: Scan, sizes_wh: Mapping[str, tuple[int, int]]) -> ObjectTable:
    """The boxes of text lists: all of them, also those that are flagged as difficult.

    No picture is looked for: the boxes of one whose size is not known are counted.
    """
    pictures = [_with_size(each, sizes_wh) for each in scan.pictures]
    known = [a for each in pictures if (a := each.annotation) is not None and a.width]
    unknown = [a for each in pictures if (a := each.annotation) is not None and not a.width]
    targets = [
        annotation_to_target(each, classes=scan.classes, width=each.width, height=each.height)
        for each in known
    ]
    return object_table(
        [replace(each, difficult=torch.zeros_like(each.difficult)) for each in targets],
        class_names=scan.classes,
        size_unknown=sum(len(each.objects) for each in unknown),
        problems=replace(scan, pictures=tuple(pictures)).problems,
        pictures_wh=tuple((each.width, each.height) for each in known),
    )


def _with_size(scanned: Scanned, sizes_wh: Mapping[str, tuple[int, int]]) -> Scanned:
    """A picture with the size that another data set says."""
    annotation = scanned.annotation
    if annotation is None or annotation.width or scanned.name not in sizes_wh:
        return scanned
    return resized(scanned, sizes_wh[scanned.name])


def _sizes(path: Path) -> dict[str, tuple[int, int]]:
    """Width and height of a data set's pictures, by file stem."""
    entries = open_dataset(path).entries
    return {entry.name: (entry.annotation.width, entry.annotation.height) for entry in entries}
