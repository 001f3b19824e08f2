"""Ranking: who is a candidate at all, best first; what selection does before NMS."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from ssd.boxes import clip
from ssd.config import SelectionConfig
from ssd.errors import DataError

__all__ = ["Pool", "Ranked", "rank", "rank_in_class"]

_FIRST = 10  # so many times the cap are ranked first: greedy NMS asks those ahead only


@dataclass(frozen=True)
class Ranked:
    """The candidates within top-k of their class, best first.

    Equal scores: the lower anchor, then the lower class.

    Attributes:
        boxes: xyxy in [0, 1] units, clipped.
        labels: class 1..C.
        scores: in 0–1, falling.
        anchors: index of the anchor.
        complete: false where others wait behind the last of these.
    """

    boxes: Float[Tensor, "n 4"]
    labels: Int64[Tensor, "n"]
    scores: Float[Tensor, "n"]
    anchors: Int64[Tensor, "n"]
    complete: bool

    def __len__(self) -> int:
        """How many."""
        return int(self.scores.shape[0])

    def suffices(self, num_stayed: int, *, config: SelectionConfig) -> bool:
        """Whether nobody behind the last of these could become a detection.

        Args:
            num_stayed: how many of these NMS left, the cap counted.
            config: the limits.

        Returns:
            True where nobody waits, or the cap is reached.
        """
        return self.complete or num_stayed >= config.max_detections


def rank(
    boxes: Float[Tensor, "a 4"],
    scores: Float[Tensor, "a c"],
    *,
    config: SelectionConfig,
    ahead: bool = True,
) -> Ranked:
    """Score threshold and top-k of each class, without NMS.

    Args:
        boxes: decoded xyxy boxes in [0, 1] units; they are clipped to the picture.
        scores: score of each class in 0–1, without a background column.
        config: score threshold, top-k, and the cap that says how many are likely to be asked.
        ahead: whether the best few are enough.

    Returns:
        Those whom NMS asks. Non-finite scores and boxes are never among them.

    Raises:
        DataError: boxes and scores differ in number.

    Example:
        >>> boxes = torch.tensor([[0.0, 0.0, 0.5, 0.5], [0.0, 0.0, 0.5, 0.45]])
        >>> rank(boxes, torch.tensor([[0.1], [0.8]]), config=SelectionConfig()).anchors
        tensor([1, 0])
    """
    pool = Pool(boxes, scores, score_threshold=config.score_threshold)
    pool.narrow(config.top_k)
    anchor, column = pool.best(_FIRST * config.max_detections if ahead else None)
    complete = len(anchor) == pool.size
    runner = (rank_in_class(column) < config.top_k).nonzero()[:, 0]
    anchor, column = anchor[runner], column[runner]
    return Ranked(pool.boxes[anchor], column + 1, pool.scores[anchor, column], anchor, complete)


class Pool:
    """Pairs of anchor and class that are candidates.

    Attributes:
        boxes: clipped to the picture.
        scores: as the network gave them, in float32.
        finite: pairs whose score and box are.
        above: those of them above the score threshold.
        size: how many these are.
    """

    boxes: Float[Tensor, "a 4"]
    scores: Float[Tensor, "a c"]
    finite: Bool[Tensor, "a c"]
    above: Bool[Tensor, "a c"]
    size: int

    def __init__(self, boxes: Tensor, scores: Tensor, *, score_threshold: float) -> None:
        """Boxes clipped, and which pairs are finite and above the score threshold."""
        if len(boxes) != len(scores):
            raise DataError(f"Each box needs a row of scores, got {len(boxes)} boxes and {len(scores)} rows.")
        boxes, self.scores = boxes.detach().to(torch.float32), scores.detach().to(torch.float32)
        self.finite = torch.isfinite(self.scores) & torch.isfinite(boxes).all(dim=1, keepdim=True)
        self.boxes = clip(boxes)  # after the check: clipping would turn an infinite edge into a border
        self.above = self.finite & (self.scores.to(torch.float64) > score_threshold)
        self.size = int(self.above.sum())

    def narrow(self, top_k: int) -> None:
        """Leave out those that are beyond top-k of their class whatever stands beside them."""
        if top_k >= len(self.above):
            return
        least = self.scores.masked_fill(~self.above, -1.0).topk(top_k, dim=0, sorted=False).values
        self.above = self.above & (self.scores >= least.min(dim=0).values)  # with all that equal the last
        self.size = int(self.above.sum())

    def best(self, count: int | None = None) -> tuple[Tensor, Tensor]:
        """Anchor and column of each pair, best first; of at least the ``count`` best ones only."""
        above = self.above
        if count is not None and count < self.size:
            least = self.scores[above].topk(count, sorted=False).values.min()
            above = above & (self.scores >= least)  # with all that equal the last one
        anchor, column = above.nonzero(as_tuple=True)
        order = self.scores[anchor, column].argsort(descending=True, stable=True)
        return anchor[order], column[order]


def rank_in_class(column: Int64[Tensor, "n"]) -> Int64[Tensor, "n"]:
    """Position of each candidate among those of its class.

    Args:
        column: class of each candidate; these stand best first.

    Returns:
        Positions from 0.

    Example:
        >>> rank_in_class(torch.tensor([3, 1, 3]))
        tensor([0, 0, 1])
    """
    order = column.argsort(stable=True)  # by class, best first within
    ordered = column[order]
    starts = torch.searchsorted(ordered, ordered)  # first position of the class
    rank = torch.empty_like(column)
    rank[order] = torch.arange(len(column), device=column.device) - starts
    return rank
