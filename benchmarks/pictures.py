"""What the canvas shows in benchmarks and in its own tests: a scene's picture, objects, scores of anchors."""

from __future__ import annotations

import torch

from ssd.anchors import Anchors
from ssd.config import SelectionConfig
from ssd.data.synthetic import synthetic_scene
from ssd.detections import Selection, select
from ssd.figures.blobs import Blob, picture_blob
from ssd.figures.canvas import CanvasObject
from ssd.figures.thumbnails import picture_jpeg


def scene_picture(seed: int) -> Blob:
    """The picture of a synthetic scene as the canvas takes it."""
    pixels = synthetic_scene(seed).picture
    jpeg = picture_jpeg(pixels, max_side_px=max(pixels.shape), quality=88)
    return picture_blob(jpeg, width_px=pixels.shape[2], height_px=pixels.shape[1], alt="A scene with shapes")


def random_objects(count: int, *, seed: int, names: tuple[str, ...]) -> list[CanvasObject]:
    """Objects of many sizes all over the picture; their classes take turns."""
    dice = torch.Generator().manual_seed(seed)
    corner = torch.rand(count, 2, generator=dice) * 0.7
    far = corner + torch.rand(corner.shape, generator=dice) * 0.25 + 0.05
    boxes = torch.cat([corner, far], dim=1).clamp(0, 1).tolist()
    return [CanvasObject(tuple(box), names[i % len(names)]) for i, box in enumerate(boxes)]


def scored_everywhere(anchors: Anchors, *, config: SelectionConfig) -> Selection:
    """A score for every anchor."""
    dice = torch.Generator().manual_seed(0)
    scores = torch.rand(len(anchors), 1, generator=dice) * 0.98 + 0.015
    return select(anchors.boxes, scores, config=config)
