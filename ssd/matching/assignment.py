"""Assignment: what each anchor is told to predict."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from ssd.anchors import Anchors
from ssd.boxes import jaccard
from ssd.coding import encode
from ssd.config import BACKGROUND, IGNORE_JACCARD, IGNORED, CoderConfig, MatchingRule
from ssd.errors import DataError
from ssd.matching.rules import Match, match_pictures

__all__ = ["Assignment", "BatchAssignment", "assign", "assign_batch"]

_CACHED_PAIRS = 500_000  # benchmarks/losses.py: 2 MB of float32; many more at once take twice as long


@dataclass(frozen=True)
class Assignment:
    """What each anchor is told to predict.

    Attributes:
        labels: class 1..C of positive anchors, ``BACKGROUND``, or ``IGNORED``.
        targets: codes of the matched object; zeros where the anchor is not positive.
        match: the reasons.
    """

    labels: Int64[Tensor, "a"]
    targets: Float[Tensor, "a 4"]
    match: Match


@dataclass(frozen=True)
class BatchAssignment:
    """What each anchor of each picture of a batch is told to predict.

    Attributes:
        labels: class 1..C of positive anchors, ``BACKGROUND``, or ``IGNORED``.
        targets: codes of the matched object; zeros where the anchor is not positive.
        overlap: jaccard with the best object, matched or not; 0 without objects.
        matched_gt: index of the matched object in its picture, or ``UNMATCHED``.
        boxes: xyxy box of the matched object; zeros where the anchor is not positive.
    """

    labels: Int64[Tensor, "b a"]
    targets: Float[Tensor, "b a 4"]
    overlap: Float[Tensor, "b a"]
    matched_gt: Int64[Tensor, "b a"]
    boxes: Float[Tensor, "b a 4"]


def assign(
    found: Match,
    anchors: Anchors,
    *,
    gt_boxes: Float[Tensor, "g 4"],
    gt_labels: Int64[Tensor, "g"],
    coder: CoderConfig,
) -> Assignment:
    """Turn a match into labels and encoded targets.

    Args:
        found: the match of these objects and anchors.
        anchors: the anchors.
        gt_boxes: xyxy boxes of the objects in [0, 1] units.
        gt_labels: class of each object, 1..C.
        coder: how targets are encoded.

    Returns:
        A label and a target for every anchor.

    Raises:
        DataError: boxes and labels differ in number, or a label is below 1.

    Source:
        Liu et al., SSD, ECCV 2016, section 2.2.

    Example:
        >>> from ssd.anchors import make_anchors
        >>> from ssd.config import GridAnchors
        >>> anchors, boxes = make_anchors(GridAnchors(grids=(2,))), torch.tensor([[0.0, 0.0, 0.5, 0.4]])
        >>> from ssd.matching import match
        >>> found = match(boxes, anchors.boxes)
        >>> assign(found, anchors, gt_boxes=boxes, gt_labels=torch.tensor([3]), coder=CoderConfig()).labels
        tensor([3, 0, 0, 0])
    """
    _require_labels(gt_boxes, gt_labels)
    labels = torch.full_like(found.matched_gt, BACKGROUND)
    labels[found.ignored] = IGNORED
    targets = torch.zeros_like(anchors.boxes)
    if len(gt_boxes):
        who = found.matched_gt.clamp(min=0)
        labels = torch.where(found.positive, gt_labels[who], labels)
        codes = encode(gt_boxes[who], anchors, coder=coder)
        targets = torch.where(found.positive[:, None], codes, targets)
    return Assignment(labels=labels, targets=targets, match=found)


def _require_labels(gt_boxes: Tensor, gt_labels: Tensor) -> None:
    """As many labels as boxes, none of them background."""
    if len(gt_boxes) != len(gt_labels) or (len(gt_labels) and int(gt_labels.min()) < 1):
        raise DataError(
            f"Each object needs a box and a label of at least 1, got {len(gt_boxes)} boxes "
            f"and labels {gt_labels.tolist()}."
        )


def assign_batch(
    gt_boxes: list[Float[Tensor, "_ 4"]],
    gt_labels: list[Int64[Tensor, "_"]],
    anchors: Anchors,
    *,
    coder: CoderConfig,
    rule: MatchingRule = "bipartite",
    threshold: float = 0.5,
    strict: bool = False,
    ignored_boxes: list[Float[Tensor, "_ 4"]] | None = None,
) -> BatchAssignment:
    """Match and assign every picture of a batch: :func:`match` and :func:`assign`, stacked.

    Args:
        gt_boxes: for each picture the xyxy boxes of its objects in [0, 1] units.
        gt_labels: class of each object, 1..C.
        anchors: the anchors.
        coder: how targets are encoded.
        rule: as in :func:`match`.
        threshold: as in :func:`match`.
        strict: as in :func:`match`.
        ignored_boxes: as in :func:`match`, for each picture.

    Returns:
        A label, a target and a box for every anchor of every picture, on the device of
        the anchors. Pictures without objects are background, or ignored.

    Raises:
        BoxError: a box is not finite, or inverted.
        ConfigError: the rule is unknown or the threshold lies outside 0–1.
        DataError: boxes and labels differ in number, or a label is below 1.

    Source:
        Liu et al., SSD, ECCV 2016, section 2.2.

    Example:
        >>> from ssd.anchors import make_anchors
        >>> from ssd.config import GridAnchors
        >>> anchors, boxes = make_anchors(GridAnchors(grids=(2,))), torch.tensor([[0.0, 0.0, 0.5, 0.4]])
        >>> nothing = torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64)
        >>> pictures = [boxes, nothing[0]], [torch.tensor([3]), nothing[1]]
        >>> assign_batch(*pictures, anchors, coder=CoderConfig()).labels
        tensor([[3, 0, 0, 0],
                [0, 0, 0, 0]])
    """
    _require_batch(gt_boxes, gt_labels)
    device, counts = anchors.boxes.device, [len(boxes) for boxes in gt_boxes]
    every, labels = torch.cat(gt_boxes).to(device), torch.cat(gt_labels).to(device)
    parts = torch.split(every, _rows_at_once(anchors, len(every)))
    table = torch.cat([jaccard(rows, anchors.boxes) for rows in parts])  # (n, a)
    found = match_pictures(table, counts, rule=rule, threshold=threshold, strict=strict)
    told = torch.full_like(found.matched_gt, BACKGROUND)
    for row, ignored in enumerate(ignored_boxes or []):
        if len(ignored):
            near = jaccard(ignored.to(device), anchors.boxes).max(dim=0).values >= IGNORE_JACCARD
            told[row, near] = IGNORED
    first = torch.tensor([0, *counts[:-1]], device=device).cumsum(0)
    picture, anchor = (found.matched_gt >= 0).nonzero(as_tuple=True)
    who = first[picture] + found.matched_gt[picture, anchor]
    told[picture, anchor] = labels[who]
    targets, boxes = (torch.zeros(*told.shape, 4, device=device) for _ in range(2))
    targets[picture, anchor] = encode(every[who], anchors.take(anchor), coder=coder)
    boxes[picture, anchor] = every[who]
    return BatchAssignment(told, targets, found.overlap, found.matched_gt, boxes)


def _rows_at_once(anchors: Anchors, objects: int) -> int:
    """Objects whose jaccards are computed together: on a processor so few that its cache holds them."""
    if anchors.boxes.device.type != "cpu":
        return max(1, objects)
    return max(1, _CACHED_PAIRS // max(1, len(anchors)))


def _require_batch(gt_boxes: list[Tensor], gt_labels: list[Tensor]) -> None:
    """A picture, and for each of its objects a box and a label."""
    if not gt_boxes or len(gt_boxes) != len(gt_labels):
        raise DataError(
            "A batch needs at least one picture with its boxes and its labels, got boxes of "
            f"{len(gt_boxes)} pictures and labels of {len(gt_labels)}."
        )
    for boxes, labels in zip(gt_boxes, gt_labels, strict=True):
        _require_labels(boxes, labels)
