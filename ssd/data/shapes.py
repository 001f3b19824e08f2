"""Brushes of the synthetic scenes: shape outlines, patterns, colours. Pillow draws, numpy makes patterns."""

from __future__ import annotations

import math
import random

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

SHAPE_CLASSES = ("circle", "cross", "ring", "square", "star", "triangle")
RING_HOLE = 0.55  # inner radius of a ring, of its outer radius

Point = tuple[float, float]
Colour = tuple[int, int, int]


def _on_circle(radii: list[float]) -> tuple[Point, ...]:
    """Points at equal angles, the first one on top."""
    step = 2 * math.pi / len(radii)
    return tuple(
        (radius * math.sin(i * step), -radius * math.cos(i * step)) for i, radius in enumerate(radii)
    )


def _turned(points: tuple[Point, ...], angle: float) -> list[Point]:
    """The points turned about the origin."""
    cosine, sine = math.cos(angle), math.sin(angle)
    return [(x * cosine - y * sine, x * sine + y * cosine) for x, y in points]


_QUARTER_CROSS = ((0.34, -1.0), (0.34, -0.34), (1.0, -0.34))
OUTLINES: dict[str, tuple[Point, ...]] = {  # polygons around (0, 0), within radius 1 (the cross within 1.06)
    "circle": _on_circle([1.0] * 48),
    "cross": tuple(point for turn in range(4) for point in _turned(_QUARTER_CROSS, turn * math.pi / 2)),
    "ring": _on_circle([1.0] * 48),
    "square": _on_circle([1.0] * 4),
    "star": _on_circle([1.0, 0.42] * 5),
    "triangle": _on_circle([1.0] * 3),
}


def placed_outline(
    shape: str, *, angle: float, left: float, top: float, width: float, height: float
) -> list[Point]:
    """The outline, turned, then stretched so that its tight box is exactly the one given (pixels)."""
    turned = _turned(OUTLINES[shape], angle)
    xs, ys = [x for x, _ in turned], [y for _, y in turned]
    low_x, low_y = min(xs), min(ys)
    scale_x, scale_y = width / (max(xs) - low_x), height / (max(ys) - low_y)
    return [(left + (x - low_x) * scale_x, top + (y - low_y) * scale_y) for x, y in turned]


def natural_ratio(shape: str, *, angle: float) -> float:
    """Width / height of the turned, unstretched shape."""
    turned = _turned(OUTLINES[shape], angle)
    xs, ys = [x for x, _ in turned], [y for _, y in turned]
    return (max(xs) - min(xs)) / (max(ys) - min(ys))


def shape_mask(points: list[Point], *, size: tuple[int, int], hole: bool, inset: float = 0.0) -> Image.Image:
    """Coverage of a polygon on a patch of ``size`` pixels, 0..255, drawn larger and reduced.

    ``inset`` moves the border inwards by that share (for outlines); ``hole`` cuts a ring's hole.
    """
    fine = 4 if max(size) <= 100 else 2
    big = Image.new("L", (size[0] * fine, size[1] * fine), 0)
    draw = ImageDraw.Draw(big)
    draw.polygon(_fine_points(points, scale=1 - inset, fine=fine), fill=255)
    if hole:
        draw.polygon(_fine_points(points, scale=RING_HOLE * (1 + 0.8 * inset), fine=fine), fill=0)
    return big.reduce(fine)


def _fine_points(points: list[Point], *, scale: float, fine: int) -> list[Point]:
    """The polygon shrunk about its middle, in pixels of the enlarged patch (Pillow names pixel centres)."""
    middle_x = sum(x for x, _ in points) / len(points)
    middle_y = sum(y for _, y in points) / len(points)
    return [
        ((middle_x + (x - middle_x) * scale) * fine - 0.5, (middle_y + (y - middle_y) * scale) * fine - 0.5)
        for x, y in points
    ]


def random_colour(rng: random.Random) -> Colour:
    """Any colour."""
    return (rng.randrange(256), rng.randrange(256), rng.randrange(256))


def near_colour(rng: random.Random, colour: Colour, *, reach: int) -> Colour:
    """A colour that differs by at most ``reach`` a channel."""
    red, green, blue = (min(255, max(0, part + rng.randint(-reach, reach))) for part in colour)
    return (red, green, blue)


def far_colour(rng: random.Random, others: list[Colour], *, distance: float) -> Colour:
    """A colour at least ``distance`` from the others (mean absolute difference), or the farthest of 30."""
    best, best_gap = random_colour(rng), -1.0
    for _ in range(30):
        colour = random_colour(rng)
        gap = min(sum(abs(a - b) for a, b in zip(colour, other, strict=True)) / 3 for other in others)
        if gap >= distance:
            return colour
        if gap > best_gap:
            best, best_gap = colour, gap
    return best


def pattern(rng: random.Random, noise: np.random.Generator, *, width: int, height: int) -> Image.Image:
    """A grey texture, 0..255: gradient, stripes, checks, blobs or noise."""
    kind = rng.choice(("gradient", "stripes", "checks", "blobs", "noise"))
    if kind in ("blobs", "noise"):
        cell = rng.uniform(40, 120) if kind == "blobs" else rng.uniform(1.5, 10)
        rows, columns = max(2, round(height / cell)), max(2, round(width / cell))
        small = Image.fromarray(noise.integers(0, 256, (rows, columns), dtype=np.uint8))
        return small.resize((width, height), Image.Resampling.BILINEAR)
    return Image.fromarray(_regular(rng, kind, width=width, height=height))


def _regular(rng: random.Random, kind: str, *, width: int, height: int) -> NDArray[np.uint8]:
    """Gradient, stripes or checks at any angle."""
    angle, period = rng.uniform(0, math.pi), rng.uniform(6, 60)
    x = np.arange(width, dtype=np.float32)[None, :]
    y = np.arange(height, dtype=np.float32)[:, None]
    along = x * math.cos(angle) + y * math.sin(angle)
    if kind == "gradient":
        along -= along.min()
        return (along * (255 / max(1.0, float(along.max())))).astype(np.uint8)
    bands = np.floor(along / period).astype(np.int32)
    if kind == "checks":
        bands += np.floor((y * math.cos(angle) - x * math.sin(angle)) / period).astype(np.int32)
    return ((bands & 1) * 255).astype(np.uint8)


def paint_background(
    rng: random.Random, noise: np.random.Generator, *, width: int, height: int
) -> Image.Image:
    """A textured background with low-contrast clutter that is no object."""
    base = random_colour(rng)
    first = Image.new("RGB", (width, height), base)
    second = Image.new("RGB", (width, height), near_colour(rng, base, reach=rng.choice((15, 35, 60))))
    canvas = Image.composite(first, second, pattern(rng, noise, width=width, height=height))
    if rng.random() < 0.4:
        third = Image.new("RGB", (width, height), near_colour(rng, base, reach=40))
        canvas = Image.composite(canvas, third, pattern(rng, noise, width=width, height=height))
    _paint_clutter(rng, canvas, base)
    return canvas


def _paint_clutter(rng: random.Random, canvas: Image.Image, base: Colour) -> None:
    """Scribbles, dots and ragged patches, close to the background in colour."""
    draw = ImageDraw.Draw(canvas)
    for _ in range(rng.randint(0, 14)):
        x, y, reach = rng.uniform(0, canvas.width), rng.uniform(0, canvas.height), rng.uniform(8, 70)
        ragged = rng.random() < 0.3
        corners = rng.randint(7, 10) if ragged else rng.randint(2, 5)
        points = [(x + rng.uniform(-reach, reach), y + rng.uniform(-reach, reach)) for _ in range(corners)]
        if ragged:
            draw.polygon(points, fill=near_colour(rng, base, reach=18))
        else:
            draw.line(points, fill=near_colour(rng, base, reach=32), width=rng.randint(1, 4))


def add_grain(canvas: Image.Image, noise: np.random.Generator, *, strength: int) -> NDArray[np.uint8]:
    """The picture as (h, w, 3) with uniform grain of ±strength, clipped."""
    pixels: NDArray[np.uint8] = np.asarray(canvas)
    if strength == 0:
        return pixels.copy()
    grain = noise.integers(0, 2 * strength + 1, pixels.shape[:2], dtype=np.uint8)[..., None]
    lifted: NDArray[np.uint8] = np.minimum(pixels, 255 - 2 * strength) + grain
    lowered: NDArray[np.uint8] = np.maximum(lifted, strength) - np.uint8(strength)
    return lowered
