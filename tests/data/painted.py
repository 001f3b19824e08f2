"""Pictures with rectangles of unique colours, and where those colours are found again."""

from __future__ import annotations

import torch
from torch import Tensor

from ssd.data.records import Sample, make_target

GREY = 128
COLOURS = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (255, 0, 255), (0, 255, 255)]
BOXES_PX = [(10.0, 10.0, 60.0, 50.0), (120.0, 20.0, 190.0, 70.0), (40.0, 70.0, 100.0, 110.0)]


def painted(
    *, size_wh: tuple[int, int] = (200, 120), first_label: int = 1, boxes_px: list[tuple] | None = None
) -> Sample:
    """Rectangles on grey; the label of each says its colour."""
    boxes = torch.tensor(BOXES_PX if boxes_px is None else boxes_px, dtype=torch.float32).reshape(-1, 4)
    labels = torch.arange(first_label, first_label + len(boxes))
    picture = torch.full((3, size_wh[1], size_wh[0]), GREY, dtype=torch.uint8)
    for (x1, y1, x2, y2), label in zip(boxes.int().tolist(), labels.tolist(), strict=True):
        picture[:, y1:y2, x1:x2] = torch.tensor(COLOURS[label - 1], dtype=torch.uint8)[:, None, None]
    shares = boxes / torch.tensor([size_wh[0], size_wh[1], size_wh[0], size_wh[1]])
    return Sample(picture, make_target(shares, labels), "painted")


def extents_px(picture: Tensor, label: int, *, reach: int = 100) -> Tensor | None:
    """xyxy of where the colour of a label is in the picture."""
    colour = torch.tensor(COLOURS[label - 1])[:, None, None]
    ys, xs = ((picture.int() - colour).abs().amax(dim=0) < reach).nonzero(as_tuple=True)
    if len(xs) == 0:
        return None
    return torch.tensor([xs.min(), ys.min(), xs.max() + 1, ys.max() + 1], dtype=torch.float32)
