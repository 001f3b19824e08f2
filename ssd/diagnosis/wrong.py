"""What is wrong with this detection? Exactly one kind for each false positive."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from ssd.boxes import jaccard
from ssd.config import UNMATCHED
from ssd.metrics import Judgement, PictureResult, judge

__all__ = [
    "FalsePositive",
    "FalsePositives",
    "Nearest",
    "false_positives",
    "kinds_if_wrong",
    "nearest_objects",
]

NEARBY_JACCARD = 0.1  # Hoiem et al.; TIDE, t_b: below this a box has nothing to do with an object


class FalsePositive(IntEnum):
    """What is wrong with a detection."""

    DUPLICATE = 0
    WRONG_CLASS = 1
    BADLY_PLACED = 2
    BACKGROUND = 3


@dataclass(frozen=True)
class FalsePositives:
    """What is wrong with each detection that found nothing new.

    Attributes:
        kind: a :class:`FalsePositive`, or ``UNMATCHED`` where a detection is right or ignored.
        gt: the object it lies on or near, or ``UNMATCHED`` on background.
        duplicate_of: of a duplicate the detection that found the object, or ``UNMATCHED``.
    """

    kind: Int64[Tensor, "n"]
    gt: Int64[Tensor, "n"]
    duplicate_of: Int64[Tensor, "n"]

    def count(self, kind: FalsePositive) -> int:
        """How many detections are wrong in that way."""
        return int((self.kind == int(kind)).sum())


def false_positives(result: PictureResult, *, evaluation_iou: float = 0.5) -> FalsePositives:
    """Say what is wrong with each detection that is neither right nor ignored.

    The first that holds: a ``DUPLICATE`` lies on an object of its class that a better
    detection found; a ``WRONG_CLASS`` lies on an object of another class; a ``BADLY_PLACED``
    one has a jaccard of at least .1 with an object of its class; one near an object of
    another class is a ``WRONG_CLASS`` too; all others lie on ``BACKGROUND``.

    Args:
        result: detections and objects of a picture.
        evaluation_iou: least jaccard of a hit, in 0–1.

    Returns:
        Exactly one kind for each false positive. Ignored objects explain none.

    Raises:
        ConfigError: the evaluation IoU lies outside 0–1.

    Source:
        Hoiem et al., Diagnosing Error in Object Detectors, ECCV 2012; Bolya et al., TIDE,
        ECCV 2020 (the jaccard of .1).

    Example:
        >>> box, one, no = torch.tensor([[0.0, 0.0, 0.5, 0.5]]), torch.tensor([1]), torch.tensor([False])
        >>> wrong = PictureResult(9, 9, box, one, no, box, torch.tensor([2]), torch.tensor([0.9]))
        >>> false_positives(wrong).kind.tolist() == [int(FalsePositive.WRONG_CLASS)]
        True
    """
    judged = judge(result, evaluation_iou=evaluation_iou)
    near = nearest_objects(result)
    kind = kinds_if_wrong(near.own, near.other, evaluation_iou=evaluation_iou)
    gt = torch.where(kind == int(FalsePositive.WRONG_CLASS), near.other_gt, near.own_gt)
    gt[kind == int(FalsePositive.BACKGROUND)] = UNMATCHED
    kind[~judged.false_positive], gt[~judged.false_positive] = UNMATCHED, UNMATCHED
    return FalsePositives(kind=kind, gt=gt, duplicate_of=_finders(kind, gt, judged))


@dataclass(frozen=True)
class Nearest:
    """Of each detection the nearest objects; ignored ones are none.

    Attributes:
        own: jaccard with the nearest object of its class; −1 without one.
        other: jaccard with the nearest of another class; −1 without one.
        own_gt: that object of its class, or ``UNMATCHED``.
        other_gt: that object of another class, or ``UNMATCHED``.
    """

    own: Float[Tensor, "n"]
    other: Float[Tensor, "n"]
    own_gt: Int64[Tensor, "n"]
    other_gt: Int64[Tensor, "n"]


def nearest_objects(result: PictureResult) -> Nearest:
    """Which objects the detections of a picture lie near.

    Args:
        result: detections and objects of a picture.

    Returns:
        The nearest ones, whatever any threshold says.
    """
    table = jaccard(result.boxes, result.gt_boxes).masked_fill(result.gt_ignored, -1.0)  # (n, g)
    same = result.labels[:, None] == result.gt_labels[None, :]
    own, own_gt = _best(table.masked_fill(~same, -1.0))
    other, other_gt = _best(table.masked_fill(same, -1.0))
    return Nearest(own, other, own_gt, other_gt)


def kinds_if_wrong(
    own: Float[Tensor, "n"], other: Float[Tensor, "n"], *, evaluation_iou: float
) -> Int64[Tensor, "n"]:
    """What would be wrong with each detection if it found nothing new.

    Args:
        own: of :func:`nearest_objects`.
        other: of :func:`nearest_objects`.
        evaluation_iou: least jaccard of a hit, in 0–1.

    Returns:
        A :class:`FalsePositive` for each.
    """
    near = min(NEARBY_JACCARD, evaluation_iou)
    duplicate = own.to(torch.float64) >= evaluation_iou
    confused = ~duplicate & (other.to(torch.float64) >= evaluation_iou)
    placed = ~duplicate & ~confused & (own >= near)
    confused |= ~duplicate & ~placed & (other >= near)
    kind = torch.full(own.shape, int(FalsePositive.BACKGROUND))
    kind[duplicate], kind[confused] = int(FalsePositive.DUPLICATE), int(FalsePositive.WRONG_CLASS)
    kind[placed] = int(FalsePositive.BADLY_PLACED)
    return kind


def _best(table: Tensor) -> tuple[Tensor, Tensor]:
    """The highest of each row and where; −1 without columns."""
    if table.shape[1] == 0:
        return table.new_full((len(table),), -1.0), torch.full((len(table),), UNMATCHED, dtype=torch.int64)
    best = table.max(dim=1)
    return best.values, best.indices


def _finders(kind: Tensor, gt: Tensor, judged: Judgement) -> Tensor:
    """Of each duplicate the detection that found its object."""
    finder = torch.full((len(judged.found) + 1,), UNMATCHED, dtype=torch.int64)
    hits = judged.true_positive.nonzero()[:, 0]
    finder[judged.gt[hits]] = hits
    return torch.where(kind == int(FalsePositive.DUPLICATE), finder[gt], UNMATCHED)
