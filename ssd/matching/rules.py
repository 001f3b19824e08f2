"""Matching: which anchor answers for which object, and why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from ssd.boxes import jaccard
from ssd.config import IGNORE_JACCARD, UNMATCHED, MatchingRule
from ssd.errors import ConfigError

__all__ = ["Match", "Matches", "match", "match_overlaps", "match_pictures"]

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


class Matches(NamedTuple):
    """The matches of several pictures, whose objects stand one after another.

    Attributes:
        matched_gt: index of the matched object in its picture, or ``UNMATCHED``.
        by_threshold: the same, had the threshold alone decided.
        overlap: jaccard with the best object, matched or not; 0 without objects.
        best_anchor: of each object, before any rule.
        best_overlap: jaccard of each object with that anchor.
    """

    matched_gt: Int64[Tensor, "b a"]
    by_threshold: Int64[Tensor, "b a"]
    overlap: Float[Tensor, "b a"]
    best_anchor: Int64[Tensor, "n"]
    best_overlap: Float[Tensor, "n"]


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
    objects, anchors = overlaps.shape
    if objects == 0 or anchors == 0:
        _validate(rule, threshold)
        return _nothing_matched(overlaps, ignored_overlaps)
    found = match_pictures(overlaps, [objects], rule=rule, threshold=threshold, strict=strict)
    matched = found.matched_gt[0]
    return Match(
        matched_gt=matched,
        overlap=found.overlap[0],
        forced=(matched >= 0) & (matched != found.by_threshold[0]),
        ignored=_ignored(matched, ignored_overlaps),
        best_anchor=found.best_anchor,
        best_overlap=found.best_overlap,
    )


def match_pictures(
    overlaps: Float[Tensor, "n a"],
    counts: list[int],
    *,
    rule: MatchingRule = "bipartite",
    threshold: float = 0.5,
    strict: bool = False,
) -> Matches:
    """Match the objects of several pictures at once, each picture for itself.

    Args:
        overlaps: jaccard of each object with each anchor, picture after picture.
        counts: how many objects each picture has; together all rows.
        rule: as in :func:`match`.
        threshold: as in :func:`match`.
        strict: as in :func:`match`.

    Returns:
        The matches; ties as in :func:`match`.

    Raises:
        ConfigError: the rule is unknown or the threshold lies outside 0–1.

    Example:
        >>> match_pictures(torch.tensor([[0.2, 0.7], [0.6, 0.1]]), [1, 0, 1]).matched_gt
        tensor([[-1,  0],
                [-1, -1],
                [ 0, -1]])
    """
    _validate(rule, threshold)
    best_overlap, best_anchor = overlaps.max(dim=1)  # (n,)
    columns = [_best_objects(table) for table in torch.split(overlaps, counts)]
    overlap, best_gt = (torch.stack(parts) for parts in zip(*columns, strict=True))  # (b, a)
    by_threshold = torch.where(_passes(overlap, threshold, strict), best_gt, UNMATCHED)
    held = torch.tensor(counts, device=overlaps.device)
    picture = torch.arange(len(counts), device=overlaps.device).repeat_interleave(held)  # (n,)
    place = torch.arange(len(overlaps), device=overlaps.device) - (held.cumsum(0) - held)[picture]
    best = _Best(picture, place, best_anchor, best_overlap)
    return Matches(
        _RULES[rule](overlaps, best, by_threshold), by_threshold, overlap, best_anchor, best_overlap
    )


class _Best(NamedTuple):
    """Of each object: its picture, its place there, its best anchor and the jaccard with it."""

    picture: Tensor
    place: Tensor
    anchor: Tensor
    overlap: Tensor


def _validate(rule: str, threshold: float) -> None:
    """A rule that there is, a threshold that is a share."""
    if rule not in _RULES:
        raise ConfigError(f"A matching rule is one of {', '.join(_RULES)}, got {rule!r}.")
    if not 0 <= threshold <= 1:
        raise ConfigError(f"The match threshold must lie in 0–1, got {threshold}; choose a share.")


def _best_objects(table: Tensor) -> tuple[Tensor, Tensor]:
    """Of each anchor: the jaccard with its best object of one picture, and which that is."""
    if len(table) == 0:
        nobody = torch.full((table.shape[1],), UNMATCHED, dtype=torch.int64, device=table.device)
        return table.new_zeros(table.shape[1]), nobody
    best = table.max(dim=0)
    return best.values, best.indices


def _passes(overlap: Tensor, threshold: float, strict: bool) -> Tensor:
    """The float32 jaccard against the float32 threshold: .45 written by a person is .45."""
    limit = torch.tensor(threshold, dtype=overlap.dtype, device=overlap.device)
    return overlap > limit if strict else overlap >= limit


def _bipartite(overlaps: Tensor, best: _Best, by_threshold: Tensor) -> Tensor:
    """The best free pair of all, again and again; then the threshold for free anchors.

    In each round all pairs are taken that are each other's best: those that the one best
    pair at a time would give, with the same winners of ties, in far fewer rounds.
    """
    taken, matched = torch.zeros_like(by_threshold, dtype=torch.bool), by_threshold.clone()
    table, waiting = overlaps, torch.arange(len(overlaps), device=overlaps.device)
    anchor, overlap = best.anchor, best.overlap
    while len(waiting):
        picture = best.picture[waiting]
        rivals = table[:, anchor].masked_fill(picture[:, None] != picture[None, :], -1.0)
        mutual = rivals.argmax(dim=0) == torch.arange(len(waiting), device=overlaps.device)
        mutual &= overlap > _SMALLEST_OVERLAP
        if not bool(mutual.any()):
            break
        matched[picture[mutual], anchor[mutual]] = best.place[waiting[mutual]]
        taken[picture[mutual], anchor[mutual]] = True
        waiting = waiting[~mutual]
        table = overlaps[waiting].masked_fill(taken[best.picture[waiting]], -1.0)
        overlap, anchor = table.max(dim=1)
    return matched


def _overwrite(overlaps: Tensor, best: _Best, by_threshold: Tensor) -> Tensor:
    """Each object in turn takes its best anchor, from whoever had it: the last one keeps it.

    torchvision writes all of them at once; on the CPU that comes to the same, on a GPU it
    leaves open which duplicate wins, and here it is the last there too.
    """
    claims = torch.full_like(by_threshold, UNMATCHED).flatten()
    cell = best.picture * by_threshold.shape[1] + best.anchor
    claims = claims.scatter_reduce(0, cell, best.place, "amax").reshape(by_threshold.shape)
    return torch.where(claims >= 0, claims, by_threshold)


_RULES: dict[str, Callable[[Tensor, _Best, Tensor], Tensor]] = {
    "bipartite": _bipartite,
    "overwrite": _overwrite,
    "torchvision": _overwrite,
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
