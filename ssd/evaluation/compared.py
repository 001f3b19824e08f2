"""Two sets of results over the same pictures: which objects the one finds and the other does not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ssd.errors import DataError
from ssd.metrics import PictureResult, pair_up

__all__ = ["Changed", "ObjectPlace", "changed_objects"]


class ObjectPlace(NamedTuple):
    """One object of a data set.

    Attributes:
        picture: place of its picture among the results.
        object: its place in the picture, from 0.
    """

    picture: int
    object: int


@dataclass(frozen=True)
class Changed:
    """What the second set of results finds, beside the first.

    Attributes:
        gained: objects that only the second finds.
        lost: objects that only the first finds.
        both: how many both find.
        neither: how many neither finds.
    """

    gained: tuple[ObjectPlace, ...]
    lost: tuple[ObjectPlace, ...]
    both: int
    neither: int


def changed_objects(
    first: Sequence[PictureResult], second: Sequence[PictureResult], *, evaluation_iou: float = 0.5
) -> Changed:
    """Compare two detectors, or two settings, object by object.

    Args:
        first: one result for each picture.
        second: of the same pictures in the same order.
        evaluation_iou: least jaccard of a hit, in 0–1.

    Returns:
        Every object that counts is gained, lost, found by both, or by neither.

    Raises:
        DataError: the pictures or their objects are not the same.
        ConfigError: the evaluation IoU lies outside 0–1.

    Example:
        >>> import torch
        >>> box, one, no = torch.tensor([[0.0, 0.0, 0.5, 0.5]]), torch.tensor([1]), torch.tensor([False])
        >>> found = PictureResult(9, 9, box, one, no, box, one, torch.tensor([0.9]))
        >>> nothing = PictureResult(9, 9, box, one, no, box[:0], one[:0], torch.zeros(0))
        >>> changed_objects([nothing], [found]).gained
        (ObjectPlace(picture=0, object=0),)
    """
    before, after = pair_up(first), pair_up(second)
    same = before.gt_picture.equal(after.gt_picture) and before.gt_ignored.equal(after.gt_ignored)
    if len(first) != len(second) or not same:
        raise DataError("Two results can be compared over the same pictures and objects only.")
    counts = ~before.gt_ignored
    had = before.hits(evaluation_iou=evaluation_iou).found & counts
    has = after.hits(evaluation_iou=evaluation_iou).found & counts
    places = [
        ObjectPlace(picture, index)
        for picture, index in zip(before.gt_picture.tolist(), before.gt_index.tolist(), strict=True)
    ]
    return Changed(
        gained=tuple(places[g] for g in (has & ~had).nonzero()[:, 0].tolist()),
        lost=tuple(places[g] for g in (had & ~has).nonzero()[:, 0].tolist()),
        both=int((had & has).sum()),
        neither=int((counts & ~had & ~has).sum()),
    )
