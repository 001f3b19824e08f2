"""Match every picture of a data set, without a model, on the true grid and by the rule of training."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch
from jaxtyping import Float
from torch import Tensor

from ssd.anchors import Anchors
from ssd.boxes import jaccard
from ssd.config import MatchingRule
from ssd.coverage.records import Coverage
from ssd.data.object_table import ObjectTable
from ssd.matching import match_pictures

__all__ = ["coverage"]

_Item = TypeVar("_Item")
_PAIRS_AT_ONCE = 250_000  # jaccards computed together: so few that a processor's cache holds them


def coverage(
    objects: ObjectTable,
    anchors: Anchors,
    *,
    size_wh: tuple[int, int],
    rule: MatchingRule = "bipartite",
    threshold: float = 0.5,
    cores: int | None = None,
) -> Coverage:
    """Match every picture of a data set, without a model.

    The cost grows linearly with the pictures; memory does not grow.

    Args:
        objects: the data set's.
        anchors: the true grid at training size.
        size_wh: training size in pixels, for the groups by size.
        rule: the matching rule.
        threshold: an anchor with a jaccard of at least this covers an object.
        cores: to work on; ``None``: all. For a few pictures one is faster.

    Returns:
        The answer for each object.

    Raises:
        ConfigError: the rule is unknown or the threshold lies outside 0–1.

    Example:
        >>> from ssd.anchors import make_anchors
        >>> from ssd.config import GridAnchors
        >>> from ssd.data.object_table import object_table
        >>> from ssd.data.records import Target
        >>> table = object_table([Target.empty()], class_names=("cat",))
        >>> anchors = make_anchors(GridAnchors(grids=(4,)))
        >>> coverage(table, anchors, size_wh=(224, 224)).everything
        Group(num_objects=0, recall=None)
    """
    count = len(objects)
    best_jaccard, best_anchor = torch.zeros(count), torch.zeros(count, dtype=torch.int64)
    num_anchors, forced = torch.zeros(count, dtype=torch.int64), torch.zeros(count, dtype=torch.bool)

    def answer(chunk: tuple[slice, list[int]]) -> None:
        """Of a few pictures, into its place: small pieces kept for long would scatter over the memory."""
        where, held = chunk
        found = _matched(objects.boxes[where], held, anchors, rule=rule, threshold=threshold)
        best_jaccard[where], best_anchor[where], num_anchors[where], forced[where] = found

    _on_cores(answer, _chunks(objects, len(anchors)), cores)
    return Coverage(
        objects=objects,
        best_jaccard=best_jaccard,
        best_anchor=best_anchor,
        best_level=anchors.level[best_anchor],
        num_anchors=num_anchors,
        forced_only=forced,
        threshold=threshold,
        size_wh=size_wh,
        input_wh=torch.tensor([size_wh], dtype=torch.float32).expand(len(objects), 2),
        num_levels=len(anchors.levels),
    )


def _on_cores(answer: Callable[[_Item], None], items: Iterable[_Item], cores: int | None) -> None:
    """Every item, each on one core.

    Cores that share every small step wait for the slowest: on a busy machine that takes many
    times as long.
    """
    before = torch.get_num_threads()
    try:
        if cores == 1:
            torch.set_num_threads(1)
            for item in items:
                answer(item)
            return
        with ThreadPoolExecutor(cores or before, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            for _ in pool.map(answer, items):  # an error of any is raised here
                pass
    finally:
        torch.set_num_threads(before)


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
