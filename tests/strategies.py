"""Random boxes, scores and anchor configurations for tests by law."""

from __future__ import annotations

import torch
from hypothesis import strategies as st
from torch import Tensor

from ssd.config import GridAnchors, SizeAnchors

EDGES = st.floats(0, 1, width=32, allow_subnormal=False)
SHARES = st.floats(0, 1, width=32, allow_subnormal=False)


@st.composite
def boxes(draw: st.DrawFn, *, min_size: int = 0, max_size: int = 8, min_side: float = 0.0) -> Tensor:
    """xyxy boxes in [0, 1], ordered; without ``min_side`` also boxes without area."""
    count = draw(st.integers(min_size, max_size))
    corners = torch.tensor([[draw(EDGES) for _ in range(4)] for _ in range(count)]).reshape(-1, 4)
    low, high = corners[:, :2].minimum(corners[:, 2:]), corners[:, :2].maximum(corners[:, 2:])
    low = low.clamp(max=1 - min_side)
    return torch.cat([low, high.maximum(low + min_side).clamp(max=1)], dim=1)


@st.composite
def scenes(draw: st.DrawFn, *, max_size: int = 12, classes: int = 3) -> tuple[Tensor, Tensor]:
    """Boxes with area, and scores of several classes; equal scores are frequent."""
    found = draw(boxes(max_size=max_size, min_side=0.05))
    grid = st.integers(0, 20).map(lambda n: n / 20)
    scores = [[draw(grid) for _ in range(classes)] for _ in range(len(found))]
    return found, torch.tensor(scores, dtype=torch.float32).reshape(-1, classes)


SIDES = st.floats(1, 200)


@st.composite
def size_anchors(draw: st.DrawFn) -> SizeAnchors:
    """A configuration of the paper's kind: grids and inputs that are not square, with or without steps."""
    count = draw(st.integers(1, 3))

    def each(values: st.SearchStrategy) -> tuple:
        return tuple(draw(st.lists(values, min_size=count, max_size=count)))

    return SizeAnchors(
        grids_wh=each(st.tuples(st.integers(1, 5), st.integers(1, 5))),
        sizes_px=each(SIDES),
        extra_sizes_px=each(SIDES),
        ratios=each(st.lists(st.floats(1.1, 5), max_size=2).map(tuple)),
        picture_wh=draw(st.tuples(st.integers(50, 400), st.integers(50, 400))),
        steps_px=draw(st.none() | st.just((40.0, 70.0, 90.0)[:count])),
        clip=draw(st.sampled_from(["none", "size"])),
    )


@st.composite
def grid_anchors(draw: st.DrawFn) -> GridAnchors:
    """A configuration of the lesson's kind."""
    factors = st.floats(0.2, 2)
    return GridAnchors(
        grids=tuple(draw(st.lists(st.integers(1, 5), min_size=1, max_size=3))),
        zooms=tuple(draw(st.lists(factors, min_size=1, max_size=3))),
        ratios=tuple(draw(st.lists(st.tuples(factors, factors), min_size=1, max_size=3))),
    )


def anchor_configs() -> st.SearchStrategy:
    """Either family."""
    return size_anchors() | grid_anchors()
