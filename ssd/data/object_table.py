"""All objects of a data set as one table, without opening a picture that need not be opened."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from ssd.data.annotations import annotation_to_target
from ssd.data.folders import open_dataset
from ssd.data.records import Target
from ssd.data.text_lists import VOC_CLASSES, is_text_list, read_text_lists

__all__ = ["ObjectTable", "object_table", "read_objects"]


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
    """

    boxes: Float[Tensor, "n 4"]
    labels: Int64[Tensor, "n"]
    picture: Int64[Tensor, "n"]
    row: Int64[Tensor, "n"]
    num_pictures: int
    class_names: tuple[str, ...]
    size_unknown: int = 0
    problems: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Number of objects."""
        return len(self.labels)


def object_table(
    targets: list[Target],
    *,
    class_names: tuple[str, ...],
    size_unknown: int = 0,
    problems: tuple[str, ...] = (),
) -> ObjectTable:
    """The objects that count: ignored and difficult ones are left out.

    Args:
        targets: of each picture.
        class_names: in label order.
        size_unknown: objects that are not among the targets for that reason.
        problems: sentences about what was broken.

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
    )


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
    if not is_text_list(path):
        data = open_dataset(path, split=split)
        targets = [data.target(index) for index in range(len(data))]
        return object_table(targets, class_names=data.classes, problems=data.problems)
    sizes = {}
    if sizes_from is not None:
        entries = open_dataset(sizes_from).entries
        sizes = {entry.name: (entry.annotation.width, entry.annotation.height) for entry in entries}
    found = read_text_lists(path, split=split, sizes_wh=sizes)
    targets = [
        annotation_to_target(each, classes=VOC_CLASSES, width=each.width, height=each.height)
        for each in found.annotations
    ]
    return object_table(
        targets, class_names=VOC_CLASSES, size_unknown=found.size_unknown, problems=found.problems
    )
