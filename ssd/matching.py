"""Matching: which anchor answers for which object, and why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from ssd.anchors import Anchors
from ssd.boxes import jaccard
from ssd.coding import encode
from ssd.config import BACKGROUND, IGNORE_JACCARD, IGNORED, UNMATCHED, CoderConfig, MatchingRule
from ssd.errors import ConfigError, DataError

__all__ = ["Assignment", "BatchAssignment", "Match", "assign", "assign_batch", "match", "match_overlaps"]

_SMALLEST_OVERLAP = 1e-6  # Caffe-SSD, MatchBBox: nothing below is matched by force


@dataclass(frozen=True)
class Match:
    """The answer and its reasons, so that no page works them out again.

    Attributes:
        matched_gt: index of the matched object, or ``UNMATCHED``.
        overlap: jaccard with the best object, matched or not; 0 without objects.
        forced: true where the match holds only because no free anchor overlaps
            that object more: the threshold alone would not give it.
        ignored: true where the anchor is free and lies too close to an ignored box.
        best_anchor: of each object over all anchors, before any rule; the lowest
            index among equals.
        best_overlap: jaccard of each object with that anchor.
    """

    matched_gt: Int64[Tensor, "a"]
    overlap: Float[Tensor, "a"]
    forced: Bool[Tensor, "a"]
    ignored: Bool[Tensor, "a"]
    best_anchor: Int64[Tensor, "g"]
    best_overlap: Float[Tensor, "g"]

    @property
    def positive(self) -> Bool[Tensor, "a"]:
        """True where an anchor answers for an object."""
        return self.matched_gt >= 0

    @property
    def anchors_per_object(self) -> Int64[Tensor, "g"]:
        """How many anchors answer for each object."""
        return torch.bincount(self.matched_gt[self.positive], minlength=len(self.best_anchor))

    @property
    def orphan(self) -> Bool[Tensor, "g"]:
        """True for each object that no anchor answers for."""
        return self.anchors_per_object == 0

    @property
    def forced_only(self) -> Bool[Tensor, "g"]:
        """True for each object whose anchors are all forced."""
        free = self.matched_gt[self.positive & ~self.forced]
        return (torch.bincount(free, minlength=len(self.best_anchor)) == 0) & ~self.orphan


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


def match(
    gt_boxes: Float[Tensor, "g 4"],
    anchor_boxes: Float[Tensor, "a 4"],
    *,
    rule: MatchingRule = "bipartite",
    threshold: float = 0.5,
    strict: bool = False,
    ignored_boxes: Float[Tensor, "i 4"] | None = None,
) -> Match:
    """Match objects and anchors.

    Args:
        gt_boxes: xyxy boxes of the objects, in the order in which they are processed.
        anchor_boxes: xyxy boxes in the same unit.
        rule: ``bipartite`` gives every object an anchor of its own first, the best
            pair of all first; ``overwrite`` gives each object its best anchor in
            turn, so that a later object takes it from an earlier one;
            ``torchvision`` writes all best anchors at once over the thresholded match.
        threshold: an anchor with a jaccard of at least this is positive.
        strict: it must be greater instead (the lesson).
        ignored_boxes: free anchors with a jaccard of at least .5 with one of them
            take no part in training.

    Returns:
        The match. Ties: the lower object index first, then the lower anchor index.

    Raises:
        BoxError: a box is not finite, or inverted.
        ConfigError: the rule is unknown or the threshold lies outside 0–1.

    Source:
        Liu et al., SSD, ECCV 2016, section 2.2 ("Matching strategy"); Caffe-SSD,
        MatchBBox; amdegroot/ssd.pytorch, box_utils.match; torchvision, SSDMatcher.

    Example:
        >>> anchors = torch.tensor([[0.0, 0.0, 0.5, 1.0], [0.5, 0.0, 1.0, 1.0]])
        >>> match(torch.tensor([[0.0, 0.0, 0.6, 1.0]]), anchors).matched_gt
        tensor([ 0, -1])
    """
    overlaps = jaccard(gt_boxes, anchor_boxes)  # (g, a)
    near = None if ignored_boxes is None or len(ignored_boxes) == 0 else jaccard(ignored_boxes, anchor_boxes)
    return match_overlaps(overlaps, rule=rule, threshold=threshold, strict=strict, ignored_overlaps=near)


def match_overlaps(
    overlaps: Float[Tensor, "g a"],
    *,
    rule: MatchingRule = "bipartite",
    threshold: float = 0.5,
    strict: bool = False,
    ignored_overlaps: Float[Tensor, "i a"] | None = None,
) -> Match:
    """Match from a jaccard table; :func:`match` says what the arguments mean.

    Args:
        overlaps: jaccard of each object with each anchor.
        rule: as in :func:`match`.
        threshold: as in :func:`match`.
        strict: as in :func:`match`.
        ignored_overlaps: jaccard of each ignored box with each anchor.

    Returns:
        The match.

    Raises:
        ConfigError: the rule is unknown or the threshold lies outside 0–1.

    Example:
        >>> match_overlaps(torch.tensor([[0.2, 0.7], [0.1, 0.6]]), rule="overwrite").orphan
        tensor([ True, False])
    """
    if rule not in _RULES:
        raise ConfigError(f"A matching rule is one of {', '.join(_RULES)}, got {rule!r}.")
    if not 0 <= threshold <= 1:
        raise ConfigError(f"The match threshold must lie in 0–1, got {threshold}; choose a share.")
    objects, anchors = overlaps.shape
    if objects == 0 or anchors == 0:
        return _nothing_matched(overlaps, ignored_overlaps)
    best_overlap, best_anchor = overlaps.max(dim=1)  # (g,)
    overlap, best_gt = overlaps.max(dim=0)  # (a,)
    passes = _passes(overlap, threshold, strict)
    by_threshold = torch.where(passes, best_gt, UNMATCHED)
    matched = _RULES[rule](overlaps, best_anchor, by_threshold)
    return Match(
        matched_gt=matched,
        overlap=overlap,
        forced=(matched >= 0) & (matched != by_threshold),
        ignored=_ignored(matched, ignored_overlaps),
        best_anchor=best_anchor,
        best_overlap=best_overlap,
    )


def _passes(overlap: Tensor, threshold: float, strict: bool) -> Tensor:
    """The float32 jaccard against the float32 threshold: .45 written by a person is .45."""
    limit = torch.tensor(threshold, dtype=overlap.dtype, device=overlap.device)
    return overlap > limit if strict else overlap >= limit


def _bipartite(overlaps: Tensor, best_anchor: Tensor, by_threshold: Tensor) -> Tensor:
    """The best free pair of all, again and again; then the threshold for free anchors."""
    table, matched = overlaps.clone(), by_threshold.clone()
    width = table.shape[1]
    for _ in range(min(table.shape)):
        flat = int(table.argmax())  # the first maximum: lower object, then lower anchor
        gt, anchor = divmod(flat, width)
        if float(table[gt, anchor]) <= _SMALLEST_OVERLAP:
            break
        matched[anchor] = gt
        table[gt, :] = -1.0
        table[:, anchor] = -1.0
    return matched


def _overwrite(overlaps: Tensor, best_anchor: Tensor, by_threshold: Tensor) -> Tensor:
    """Each object in turn takes its best anchor, from whoever had it."""
    matched = by_threshold.clone()
    for gt, anchor in enumerate(best_anchor.tolist()):
        matched[anchor] = gt
    return matched


def _indexed_write(overlaps: Tensor, best_anchor: Tensor, by_threshold: Tensor) -> Tensor:
    """All best anchors written at once; on the CPU the last duplicate wins."""
    matched = by_threshold.clone()
    matched[best_anchor] = torch.arange(len(best_anchor), device=matched.device)
    return matched


_RULES: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "bipartite": _bipartite,
    "overwrite": _overwrite,
    "torchvision": _indexed_write,
}


def _ignored(matched: Tensor, ignored_overlaps: Tensor | None) -> Tensor:
    """Free anchors too close to an ignored box."""
    if ignored_overlaps is None or ignored_overlaps.shape[0] == 0:
        return torch.zeros_like(matched, dtype=torch.bool)
    return (matched < 0) & (ignored_overlaps.max(dim=0).values >= IGNORE_JACCARD)


def _nothing_matched(overlaps: Tensor, ignored_overlaps: Tensor | None) -> Match:
    """A picture without objects (or a detector without anchors)."""
    objects, anchors = overlaps.shape
    matched = torch.full((anchors,), UNMATCHED, dtype=torch.int64, device=overlaps.device)
    return Match(
        matched_gt=matched,
        overlap=overlaps.new_zeros(anchors),
        forced=torch.zeros_like(matched, dtype=torch.bool),
        ignored=_ignored(matched, ignored_overlaps),
        best_anchor=torch.full((objects,), UNMATCHED, dtype=torch.int64, device=overlaps.device),
        best_overlap=overlaps.new_zeros(objects),
    )


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
        >>> found = match(boxes, anchors.boxes)
        >>> assign(found, anchors, gt_boxes=boxes, gt_labels=torch.tensor([3]), coder=CoderConfig()).labels
        tensor([3, 0, 0, 0])
    """
    if len(gt_boxes) != len(gt_labels) or (len(gt_labels) and int(gt_labels.min()) < 1):
        raise DataError(
            f"Each object needs a box and a label of at least 1, got {len(gt_boxes)} boxes "
            f"and labels {gt_labels.tolist()}."
        )
    labels = torch.full_like(found.matched_gt, BACKGROUND)
    labels[found.ignored] = IGNORED
    targets = torch.zeros_like(anchors.boxes)
    if len(gt_boxes):
        who = found.matched_gt.clamp(min=0)
        labels = torch.where(found.positive, gt_labels[who], labels)
        codes = encode(gt_boxes[who], anchors, coder=coder)
        targets = torch.where(found.positive[:, None], codes, targets)
    return Assignment(labels=labels, targets=targets, match=found)


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
    parts = []
    device = anchors.boxes.device
    near = [None] * len(gt_boxes) if ignored_boxes is None else ignored_boxes
    for boxes, labels, ignored in zip(gt_boxes, gt_labels, near, strict=True):
        boxes, labels = boxes.to(device), labels.to(device)
        found = match(
            boxes,
            anchors.boxes,
            rule=rule,
            threshold=threshold,
            strict=strict,
            ignored_boxes=None if ignored is None else ignored.to(device),
        )
        told = assign(found, anchors, gt_boxes=boxes, gt_labels=labels, coder=coder)
        own = torch.zeros_like(anchors.boxes)
        own[found.positive] = boxes[found.matched_gt[found.positive]]
        parts.append((told.labels, told.targets, found.overlap, found.matched_gt, own))
    return BatchAssignment(*(torch.stack(columns) for columns in zip(*parts, strict=True)))
