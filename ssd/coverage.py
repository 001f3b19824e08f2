"""Anchors against a whole data set: which objects can SSD learn, before any model exists?

Every object meets every anchor of the true grid, and pictures are matched by the rule that
training uses.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from ssd.anchors import Anchors, make_anchors, resized_anchors
from ssd.boxes import jaccard
from ssd.config import AnchorConfig, GridAnchors, MatchingRule
from ssd.data.object_table import ObjectTable
from ssd.errors import ConfigError
from ssd.matching import match_pictures

__all__ = [
    "Coverage",
    "Group",
    "anchors_at_size",
    "coverage",
]

SIDES_PX = (16, 24, 32, 64, 128, 256)  # borders of the groups by size, at training size
_Item = TypeVar("_Item")
_Answer = TypeVar("_Answer")
_PAIRS_AT_ONCE = 250_000  # jaccards computed together: so few that a processor's cache holds them


@dataclass(frozen=True)
class Group:
    """Some of the objects.

    Attributes:
        num_objects: how many.
        recall: share with an anchor at the threshold; ``None`` where there are none.
    """

    num_objects: int
    recall: float | None


@dataclass(frozen=True)
class Coverage:
    """How well anchors cover each object.

    Attributes:
        objects: whose coverage this is.
        best_jaccard: of each object, over all anchors.
        best_anchor: the anchor of that jaccard; the lowest index among equals.
        best_level: its level.
        num_anchors: how many anchors answer for each object under the rule.
        forced_only: objects whose anchors are all forced.
        threshold: the match threshold.
        size_wh: training size in pixels.
        num_levels: levels of the anchors.
    """

    objects: ObjectTable
    best_jaccard: Float[Tensor, "n"]
    best_anchor: Int64[Tensor, "n"]
    best_level: Int64[Tensor, "n"]
    num_anchors: Int64[Tensor, "n"]
    forced_only: Bool[Tensor, "n"]
    threshold: float
    size_wh: tuple[int, int]
    num_levels: int

    @property
    def covered(self) -> Bool[Tensor, "n"]:
        """True for each object with an anchor at the threshold."""
        return self.best_jaccard >= torch.tensor(self.threshold, dtype=torch.float32)

    @property
    def orphan(self) -> Bool[Tensor, "n"]:
        """True for each object that no anchor answers for."""
        return self.num_anchors == 0

    @property
    def side_px(self) -> Float[Tensor, "n"]:
        """Square root of each object's area in pixels at training size."""
        size = self.objects.boxes[:, 2:] - self.objects.boxes[:, :2]
        return (size * torch.tensor(self.size_wh, dtype=torch.float32)).prod(dim=1).sqrt()

    @property
    def everything(self) -> Group:
        """All objects."""
        return self.group(torch.ones_like(self.covered))

    def group(self, which: Bool[Tensor, "n"]) -> Group:
        """Some of the objects."""
        count = int(which.sum())
        return Group(count, float(self.covered[which].float().mean()) if count else None)

    def by_size(self) -> dict[str, Group]:
        """Groups by ``side_px``: below 16, below 24 but not below 16, and so on."""
        limits = torch.tensor(SIDES_PX, dtype=torch.float32)
        place = torch.bucketize(self.side_px, limits, right=True)
        names = [*(f"<{side}" for side in SIDES_PX), f">={SIDES_PX[-1]}"]
        return {name: self.group(place == number) for number, name in enumerate(names)}

    def by_class(self) -> dict[str, Group]:
        """Groups by class, in label order."""
        names = enumerate(self.objects.class_names, start=1)
        return {name: self.group(self.objects.labels == label) for label, name in names}

    def by_level(self) -> dict[str, Group]:
        """Groups by the level of an object's best anchor, 0 = finest."""
        return {str(level): self.group(self.best_level == level) for level in range(self.num_levels)}

    def worst(self, count: int) -> Int64[Tensor, "k"]:
        """The objects with the lowest best jaccard, the lowest first."""
        return self.best_jaccard.argsort(stable=True)[:count]


def coverage(
    objects: ObjectTable,
    anchors: Anchors,
    *,
    size_wh: tuple[int, int],
    rule: MatchingRule = "bipartite",
    threshold: float = 0.5,
) -> Coverage:
    """Match every picture of a data set, without a model.

    The cost grows linearly with the pictures; memory does not grow.

    Args:
        objects: the data set's.
        anchors: the true grid at training size.
        size_wh: training size in pixels, for the groups by size.
        rule: the matching rule.
        threshold: an anchor with a jaccard of at least this covers an object.

    Returns:
        The answer for each object.

    Raises:
        ConfigError: the rule is unknown or the threshold lies outside 0–1.

    Example:
        >>> from ssd.data.object_table import object_table
        >>> from ssd.data.records import Target
        >>> table = object_table([Target.empty()], class_names=("cat",))
        >>> anchors = make_anchors(GridAnchors(grids=(4,)))
        >>> coverage(table, anchors, size_wh=(224, 224)).everything
        Group(num_objects=0, recall=None)
    """

    def answer(chunk: tuple[slice, list[int]]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Of a few pictures."""
        return _matched(objects.boxes[chunk[0]], chunk[1], anchors, rule=rule, threshold=threshold)

    columns = _on_all_cores(answer, _chunks(objects, len(anchors)))
    none = torch.zeros(0, dtype=torch.int64)
    parts = zip(*columns, strict=True) if columns else [[torch.zeros(0)], [none], [none], [none.bool()]]
    best_jaccard, best_anchor, num_anchors, forced = (torch.cat(list(part)) for part in parts)
    return Coverage(
        objects=objects,
        best_jaccard=best_jaccard,
        best_anchor=best_anchor,
        best_level=anchors.level[best_anchor],
        num_anchors=num_anchors,
        forced_only=forced,
        threshold=threshold,
        size_wh=size_wh,
        num_levels=len(anchors.levels),
    )


def _on_all_cores(answer: Callable[[_Item], _Answer], items: Iterable[_Item]) -> list[_Answer]:
    """Answers in the order of the items, each on one core.

    Cores that share every small step wait for the slowest: on a busy machine that takes many
    times as long.
    """
    cores = torch.get_num_threads()
    try:
        with ThreadPoolExecutor(cores, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            return list(pool.map(answer, items))
    finally:
        torch.set_num_threads(cores)


def _chunks(objects: ObjectTable, num_anchors: int) -> Iterator[tuple[slice, list[int]]]:
    """Whole pictures together, as many as fit, and how many objects each has."""
    room, first = max(1, _PAIRS_AT_ONCE // num_anchors), 0
    counts: list[int] = []
    for count in torch.bincount(objects.picture, minlength=1).tolist():
        if counts and sum(counts) + count > room:
            yield slice(first, first + sum(counts)), counts
            first, counts = first + sum(counts), []
        counts += [count] if count else []
    if counts:
        yield slice(first, first + sum(counts)), counts


def _matched(
    boxes: Float[Tensor, "n 4"],
    counts: list[int],
    anchors: Anchors,
    *,
    rule: MatchingRule,
    threshold: float,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Best jaccard and anchor, number of anchors, forced only, of the objects of a few pictures."""
    rows = max(1, _PAIRS_AT_ONCE // len(anchors))
    table = torch.cat([jaccard(part, anchors.boxes) for part in torch.split(boxes, rows)])  # (n, a)
    found = match_pictures(table, counts, rule=rule, threshold=threshold)
    first = torch.tensor([0, *counts[:-1]]).cumsum(0)[:, None]  # (b, 1)
    held = found.matched_gt >= 0
    free = held & (found.matched_gt == found.by_threshold)
    owner = found.matched_gt + first
    total, unforced = (torch.bincount(owner[which], minlength=len(boxes)) for which in (held, free))
    return found.best_overlap, found.best_anchor, total, (total > 0) & (unforced == 0)


def anchors_at_size(config: AnchorConfig, *, size_wh: tuple[int, int]) -> Anchors:
    """The anchors of a configuration on the grid of an input of another size.

    Args:
        config: the anchors at their own size.
        size_wh: width and height of the input in pixels.

    Returns:
        At its own size exactly the preset's. Elsewhere an anchor keeps its size in pixels,
        and a level has a cell for every step (or begun step) of its own; the lesson's grids
        have no size in pixels and stay as they are.

    Raises:
        ConfigError: the size is not positive, or makes too many anchors.

    Example:
        >>> from ssd.config import anchor_preset
        >>> anchors_at_size(anchor_preset("ssd300-voc").anchors, size_wh=(512, 512)).levels[0].grid_wh
        (64, 64)
    """
    if min(size_wh) < 1:
        raise ConfigError(f"A training size must be at least 1 px, got {size_wh[0]} × {size_wh[1]}.")
    if isinstance(config, GridAnchors) or size_wh == config.picture_wh:
        return make_anchors(config)
    own = config.picture_wh
    grids = []
    for number, (columns, rows) in enumerate(config.grids_wh):
        step = None if config.steps_px is None else config.steps_px[number]
        steps = (step or own[0] / columns, step or own[1] / rows)
        grids.append((math.ceil(size_wh[0] / steps[0]), math.ceil(size_wh[1] / steps[1])))
    scale = (own[0] / size_wh[0], own[1] / size_wh[1])
    return resized_anchors(config, grids_wh=tuple(grids), scale_wh=scale)
