"""Pictures that teach: drawn by us, so every box is exact and every hardship can be asked for.

The default difficulty is a contract, because shipped weights are measured on it:
seeds 10000 to 10499 are the fixed test set.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from ssd.data.records import Sample, make_target
from ssd.data.shapes import (
    SHAPE_CLASSES,
    Colour,
    add_grain,
    far_colour,
    natural_ratio,
    near_colour,
    paint_background,
    pattern,
    placed_outline,
    shape_mask,
)
from ssd.errors import ConfigError

TEST_SEEDS = range(10_000, 10_500)
MIN_VISIBLE = 0.35  # share of a shape's pixels that must stay in sight
PLACEMENT_TRIES = 12
PARTNER_JACCARD = (0.32, 0.6)  # aim of a placement that overlaps on purpose


@dataclass(frozen=True)
class SyntheticConfig:
    """How hard a scene is.

    Attributes:
        canvas_px: smallest and largest side of the picture.
        objects: smallest and largest number of objects.
        side_px: smallest and largest side of a box.
        stretch: a shape's width / height is multiplied by up to this, or divided by it.
        partner_share: chance that an object is placed over an earlier one on purpose,
            with a jaccard above .3.
    """

    canvas_px: tuple[int, int] = (320, 480)
    objects: tuple[int, int] = (1, 12)
    side_px: tuple[float, float] = (16.0, 250.0)
    stretch: float = 1.35
    partner_share: float = 0.2

    def __post_init__(self) -> None:
        (low, high), (few, many), (small, large) = self.canvas_px, self.objects, self.side_px
        if not (64 <= low <= high <= 2000 and 1 <= few <= many <= 60):
            raise ConfigError(
                "a scene needs 64 <= canvas_px <= 2000 and 1..60 objects, smallest first, "
                f"got {self.canvas_px} and {self.objects}; change them."
            )
        if not (8 <= small <= large <= low - 4 and 1 <= self.stretch <= 8 and 0 <= self.partner_share <= 1):
            raise ConfigError(
                "a scene needs 8 <= side_px <= canvas - 4, stretch in 1..8 and partner_share in 0..1, "
                f"got {self.side_px}, {self.stretch:g} and {self.partner_share:g}; change them."
            )


SYNTHETIC_CONFIGS = {
    "default": SyntheticConfig(),
    "small": SyntheticConfig(objects=(4, 14), side_px=(10.0, 32.0), partner_share=0.05),
    "overlapping": SyntheticConfig(objects=(2, 14), partner_share=0.6),
    "crowded": SyntheticConfig(objects=(14, 24), side_px=(24.0, 110.0), partner_share=0.35),
    "extreme-ratio": SyntheticConfig(objects=(2, 7), side_px=(14.0, 300.0), stretch=8.0, partner_share=0.0),
}


@dataclass(frozen=True)
class _Shape:
    """One object to be drawn: xyxy pixels (fractions allowed), its class and its turn."""

    kind: str
    angle: float
    box_px: tuple[float, float, float, float]


@dataclass
class _Stage:
    """A scene while it is being drawn: the canvas, who is in front at each pixel, who shows how much."""

    canvas: Image.Image
    front: NDArray[np.uint8]
    shapes: list[_Shape] = field(default_factory=list)
    pixels: list[int] = field(default_factory=list)
    visible: list[int] = field(default_factory=list)


def synthetic_scene(seed: int, *, config: SyntheticConfig = SYNTHETIC_CONFIGS["default"]) -> Sample:
    """Draw the scene that belongs to a seed.

    The same seed and configuration give the same picture in every process. An object
    stays inside the picture and keeps at least ``MIN_VISIBLE`` of its pixels in sight;
    its box is the tight extent of the whole shape, also where another hides a part.
    Where no room is left a scene holds fewer objects than drawn by lot, never none.

    Args:
        seed: any whole number.
        config: how hard; the default is the contract of the shipped weights.

    Returns:
        Picture and objects; labels follow ``SHAPE_CLASSES``.

    Example:
        >>> scene = synthetic_scene(10_000)
        >>> bool((scene.target.labels >= 1).all()) and len(scene.target) >= 1
        True
    """
    rng = random.Random(seed)
    noise = np.random.Generator(np.random.PCG64(abs(seed)))
    width, height = rng.randint(*config.canvas_px), rng.randint(*config.canvas_px)
    canvas = paint_background(rng, noise, width=width, height=height)
    stage = _Stage(canvas, np.full((height, width), 255, dtype=np.uint8))
    for _ in range(rng.randint(*config.objects)):
        _add_object(rng, noise, stage, config)
    pixels = add_grain(stage.canvas, noise, strength=rng.choice((0, 0, 2, 4, 8, 12)))
    picture = torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))
    boxes = torch.tensor([shape.box_px for shape in stage.shapes], dtype=torch.float64)
    boxes = (boxes / torch.tensor([width, height, width, height])).to(torch.float32)
    labels = torch.tensor([SHAPE_CLASSES.index(shape.kind) + 1 for shape in stage.shapes])
    return Sample(picture, make_target(boxes, labels), f"shapes-{seed}")


def _add_object(
    rng: random.Random, noise: np.random.Generator, stage: _Stage, config: SyntheticConfig
) -> None:
    """Try places until one hides nobody; paint there."""
    partner = rng.choice(stage.shapes) if stage.shapes and rng.random() < config.partner_share else None
    for _ in range(PLACEMENT_TRIES):
        shape = _draw_shape(rng, stage.canvas.size, config, partner)
        if shape is not None and _claim(stage, shape):
            _paint(rng, noise, stage, shape)
            return


def _draw_shape(
    rng: random.Random, canvas_wh: tuple[int, int], config: SyntheticConfig, partner: _Shape | None
) -> _Shape | None:
    """A class, a turn and a box by lot; near a partner when one is given, None when it does not fit."""
    kind, angle = rng.choice(SHAPE_CLASSES), rng.uniform(0, 2 * math.pi)
    small, large = config.side_px
    side = math.exp(rng.uniform(math.log(small), math.log(large)))
    ratio = natural_ratio(kind, angle=angle) * config.stretch ** rng.uniform(-1, 1)
    if partner is not None:
        x1, y1, x2, y2 = partner.box_px
        side = math.sqrt((x2 - x1) * (y2 - y1)) * rng.uniform(0.75, 1.33)
    width, height = side * math.sqrt(ratio), side / math.sqrt(ratio)
    if not (small <= min(width, height) and max(width, height) <= large):
        return None
    if max(width - canvas_wh[0], height - canvas_wh[1]) > -2:
        return None
    left, top = rng.uniform(1, canvas_wh[0] - 1 - width), rng.uniform(1, canvas_wh[1] - 1 - height)
    if partner is None:
        return _Shape(kind, angle, (left, top, left + width, top + height))
    return _beside(rng, canvas_wh, partner, _Shape(kind, angle, (left, top, left + width, top + height)))


def _beside(rng: random.Random, canvas_wh: tuple[int, int], partner: _Shape, shape: _Shape) -> _Shape | None:
    """The shape moved over its partner until their jaccard is as wished; None after 12 tries."""
    x1, y1, x2, y2 = partner.box_px
    width, height = shape.box_px[2] - shape.box_px[0], shape.box_px[3] - shape.box_px[1]
    for _ in range(12):
        left = (x1 + x2 - width) / 2 + rng.uniform(-0.6, 0.6) * (x2 - x1)
        top = (y1 + y2 - height) / 2 + rng.uniform(-0.6, 0.6) * (y2 - y1)
        moved = (left, top, left + width, top + height)
        inside = min(left, top) >= 1 and moved[2] <= canvas_wh[0] - 1 and moved[3] <= canvas_wh[1] - 1
        if inside and PARTNER_JACCARD[0] <= _jaccard_px(moved, partner.box_px) <= PARTNER_JACCARD[1]:
            return _Shape(shape.kind, shape.angle, moved)
    return None


def _jaccard_px(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> float:
    """Jaccard of two boxes as plain numbers (the drawing loop is too hot for tensors)."""
    shared = max(0.0, min(a[2], b[2]) - max(a[0], b[0])) * max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


def _patch(shape: _Shape) -> tuple[int, int, int, int]:
    """Whole pixels that the shape can touch: left, top, right, bottom."""
    x1, y1, x2, y2 = shape.box_px
    return math.floor(x1), math.floor(y1), math.ceil(x2), math.ceil(y2)


def _mask(shape: _Shape, *, inset: float = 0.0) -> Image.Image:
    """Coverage of the shape on its patch."""
    left, top, right, bottom = _patch(shape)
    x1, y1, x2, y2 = shape.box_px
    points = placed_outline(
        shape.kind, angle=shape.angle, left=x1 - left, top=y1 - top, width=x2 - x1, height=y2 - y1
    )
    return shape_mask(points, size=(right - left, bottom - top), hole=shape.kind == "ring", inset=inset)


def _claim(stage: _Stage, shape: _Shape) -> bool:
    """Put the shape in front unless that hides an earlier one; whether it was put."""
    left, top, right, bottom = _patch(shape)
    covered = np.asarray(_mask(shape)) > 127
    window = stage.front[top:bottom, left:right]
    hidden = np.bincount(window[covered], minlength=256)
    for index, total in enumerate(stage.pixels):
        if hidden[index] and stage.visible[index] - hidden[index] < MIN_VISIBLE * total:
            return False
    for index in range(len(stage.visible)):
        stage.visible[index] -= int(hidden[index])
    window[covered] = len(stage.shapes)
    stage.shapes.append(shape)
    count = int(covered.sum())
    stage.pixels.append(count)
    stage.visible.append(count)
    return True


def _paint(rng: random.Random, noise: np.random.Generator, stage: _Stage, shape: _Shape) -> None:
    """Paint the shape in a colour that stands out from what lies under it."""
    left, top, right, bottom = _patch(shape)
    under = stage.canvas.crop((left, top, right, bottom)).reduce(max(1, min(right - left, bottom - top) // 2))
    others: list[Colour] = [tuple(int(v) for v in pixel) for row in np.asarray(under) for pixel in row]  # type: ignore[misc]
    colour = far_colour(rng, others, distance=rng.uniform(40, 70))
    fill = Image.new("RGB", (right - left, bottom - top), colour)
    if rng.random() < 0.45:
        second = Image.new("RGB", fill.size, near_colour(rng, colour, reach=45))
        fill = Image.composite(fill, second, pattern(rng, noise, width=fill.width, height=fill.height))
    inset = rng.uniform(0.1, 0.2) if rng.random() < 0.35 else 0.0
    if inset:
        stage.canvas.paste(far_colour(rng, [colour, *others], distance=45), (left, top), _mask(shape))
    stage.canvas.paste(fill, (left, top), _mask(shape, inset=inset))
