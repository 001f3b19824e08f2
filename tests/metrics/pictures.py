"""Pictures with a few objects and detections, by hand and by chance."""

from __future__ import annotations

import torch
from torch import Tensor

from ssd.metrics import PictureResult

DOG = [0.1, 0.2, 0.5, 0.6]
CAT = [0.5, 0.5, 0.9, 0.9]


def picture(
    objects: list[tuple[list[float], int, bool]],
    detections: list[tuple[list[float], int, float]],
    width_px: int = 200,
    height_px: int = 100,
) -> PictureResult:
    return PictureResult(
        width_px=width_px,
        height_px=height_px,
        gt_boxes=torch.tensor([box for box, _, _ in objects]).reshape(-1, 4),
        gt_labels=torch.tensor([label for _, label, _ in objects], dtype=torch.int64),
        gt_ignored=torch.tensor([ignored for _, _, ignored in objects], dtype=torch.bool),
        boxes=torch.tensor([box for box, _, _ in detections]).reshape(-1, 4),
        labels=torch.tensor([label for _, label, _ in detections], dtype=torch.int64),
        scores=torch.tensor([score for _, _, score in detections]),
    )


def dice(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def random_results(seed: int, *, pictures: int = 6, classes: int = 3) -> list[PictureResult]:
    """Whole pixels, so that jaccards of exactly .5 occur; few scores, so that ties occur; empty pictures."""
    chance = dice(seed)
    return [_random_picture(chance, classes) for _ in range(pictures)]


def _random_picture(chance: torch.Generator, classes: int) -> PictureResult:
    def whole(high: int, *shape: int) -> Tensor:
        return torch.randint(high, shape, generator=chance)

    width, height = 40 + int(whole(60)), 40 + int(whole(60))
    size = torch.tensor([width, height, width, height], dtype=torch.float64)
    objects, detections = int(whole(5)), int(whole(9))
    corner = whole(20, objects, 2)
    gt = torch.cat([corner, corner + 2 + whole(18, objects, 2)], dim=1).to(torch.float64)
    loose = torch.cat([c := whole(20, detections, 2), c + 2 + whole(18, detections, 2)], dim=1).to(
        torch.float64
    )
    said, labels = loose, whole(classes, detections) + 1
    if objects and detections:
        near = whole(objects, detections)
        on = whole(3, detections) > 0
        moved = gt[near] + (whole(2, detections, 4) * whole(5, detections, 4)).to(torch.float64)
        moved[:, 2:] = torch.maximum(moved[:, 2:], moved[:, :2] + 1)
        said = torch.where(on[:, None], moved, loose)
    gt_labels = whole(classes, objects) + 1
    if objects and detections:
        labels = torch.where(whole(4, detections) > 0, gt_labels[near], labels)
    crowd = whole(6, objects) == 0
    return PictureResult(
        width, height, gt / size, gt_labels, crowd, said / size, labels,
        (whole(8, detections) + 1).to(torch.float64) / 8, crowd,
    )  # fmt: skip
