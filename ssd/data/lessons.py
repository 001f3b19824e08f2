"""Named scenes that each make one point, drawn here so that every box is exact."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image, ImageDraw

from ssd.config import MatchingRule
from ssd.data.records import Sample, Target, make_target
from ssd.data.shapes import SHAPE_CLASSES
from ssd.data.synthetic import SYNTHETIC_CONFIGS, synthetic_scene
from ssd.errors import DataError

__all__ = ["LESSON_SCENES", "LessonScene", "lesson_scene"]

_FINE = 4  # drawn four times as large, then averaged: smooth edges
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class LessonScene:
    """A scene and the settings under which it makes its point.

    Attributes:
        sample: picture and objects.
        class_names: of labels 1..C.
        point: what to look for, in one sentence.
        anchors: name of the anchor preset.
        rule: matching rule.
        threshold: match threshold.
        strict: the lesson's "greater than".
    """

    sample: Sample
    class_names: tuple[str, ...]
    point: str
    anchors: str = "ssd300-voc"
    rule: MatchingRule = "bipartite"
    threshold: float = 0.5
    strict: bool = False


@dataclass
class _Easel:
    """A picture being painted, in pixels of the finished picture."""

    image: Image.Image

    @staticmethod
    def blank(width: int, height: int, colour: str) -> _Easel:
        """One colour."""
        return _Easel(Image.new("RGB", (width * _FINE, height * _FINE), colour))

    @property
    def brush(self) -> ImageDraw.ImageDraw:
        """Draws on the picture; coordinates are in fine pixels."""
        return ImageDraw.Draw(self.image)

    def box(self, box: Box, colour: str, *, round_px: float = 0) -> None:
        """A filled rectangle with exact edges."""
        x1, y1, x2, y2 = (round(v * _FINE) for v in box)
        self.brush.rounded_rectangle((x1, y1, x2 - 1, y2 - 1), radius=round_px * _FINE, fill=colour)

    def oval(self, box: Box, colour: str) -> None:
        """A filled ellipse."""
        x1, y1, x2, y2 = (round(v * _FINE) for v in box)
        self.brush.ellipse((x1, y1, x2 - 1, y2 - 1), fill=colour)

    def shape(self, points: list[tuple[float, float]], colour: str) -> None:
        """A filled polygon."""
        self.brush.polygon([(x * _FINE, y * _FINE) for x, y in points], fill=colour)

    def finish(self) -> torch.Tensor:
        """The picture as (3, h, w)."""
        small = self.image.reduce(_FINE)
        return torch.from_numpy(np.ascontiguousarray(np.asarray(small).transpose(2, 0, 1)))


def _sample(easel: _Easel, name: str, boxes_px: list[Box], labels: list[int]) -> Sample:
    """Picture and exact boxes, from pixels to [0, 1]."""
    picture = easel.finish()
    height, width = picture.shape[1:]
    boxes = torch.tensor(boxes_px, dtype=torch.float64).reshape(-1, 4)
    scaled = (boxes / torch.tensor([width, height, width, height])).to(torch.float32)
    return Sample(picture, make_target(scaled, torch.tensor(labels, dtype=torch.int64)), name)


def _meadow(easel: _Easel, width: int, height: int) -> None:
    """Sky, hills, grass with blades, a fence."""
    for k in range(12):
        easel.box(
            (0, k * height / 24, width, (k + 1) * height / 24), f"#{150 + 6 * k:02x}{200 + 3 * k:02x}f0"
        )
    easel.oval((-width * 0.2, height * 0.34, width * 0.62, height * 0.9), "#7fb069")
    easel.oval((width * 0.35, height * 0.38, width * 1.25, height), "#6ea05c")
    easel.box((0, height * 0.6, width, height), "#8bbf6a")
    for k in range(220):
        x, y = (k * 97) % width, height * 0.62 + (k * 57) % int(height * 0.37)
        easel.shape([(x, y), (x + 1.5, y - 7), (x + 3, y)], "#79ab58" if k % 2 else "#9ccb78")
    for x in range(10, width, 34):
        easel.box((x, height * 0.5, x + 6, height * 0.64), "#cbb08a", round_px=2)
    easel.box((0, height * 0.535, width, height * 0.555), "#cbb08a")


_DOG: Box = (64.0, 112.0, 214.0, 262.0)
_BALL: Box = (268.0, 218.0, 320.0, 270.0)
_BIRD: Box = (352.0, 44.0, 420.0, 76.0)


def _paint_dog(easel: _Easel, box: Box) -> None:
    """A sitting dog from the side, exactly as large as its box."""
    x, y, width, height = box[0], box[1], box[2] - box[0], box[3] - box[1]

    def at(*values: float) -> Box:
        x1, y1, x2, y2 = values
        return x + x1 * width, y + y1 * height, x + x2 * width, y + y2 * height

    tail = [(x, y + 0.52 * height), (x + 0.05 * width, y + 0.5 * height), (x + 0.2 * width, y + 0.8 * height)]
    easel.shape([*tail, (x + 0.12 * width, y + 0.86 * height)], "#7a4a24")
    easel.oval(at(0.08, 0.5, 0.58, 1.0), "#a8672f")
    easel.shape(
        [at(0.3, 0.62, 0, 0)[:2], at(0.5, 0.3, 0, 0)[:2], at(0.74, 0.4, 0, 0)[:2], at(0.7, 0.98, 0, 0)[:2]],
        "#a8672f",
    )
    for left in (0.5, 0.62):
        easel.box(at(left, 0.6, left + 0.11, 1.0), "#955826", round_px=0.05 * width)
    easel.box(at(0.2, 0.9, 0.5, 1.0), "#955826", round_px=0.05 * width)
    easel.oval(at(0.44, 0.05, 0.9, 0.48), "#b87637")
    easel.box(at(0.7, 0.22, 1.0, 0.43), "#c98a4b", round_px=0.09 * width)
    easel.oval(at(0.92, 0.22, 1.0, 0.31), "#2b1a10")
    easel.oval(at(0.42, 0.0, 0.6, 0.4), "#6b3f1d")
    easel.oval(at(0.7, 0.15, 0.76, 0.22), "#2b1a10")
    easel.box(at(0.5, 0.44, 0.76, 0.5), "#c0392b", round_px=0.02 * width)


def _dog() -> LessonScene:
    """Three objects of three sizes."""
    easel = _Easel.blank(480, 320, "#a0d0f0")
    _meadow(easel, 480, 320)
    _paint_dog(easel, _DOG)
    easel.oval(_BALL, "#d8433b")
    easel.oval((_BALL[0] + 9, _BALL[1] + 8, _BALL[0] + 25, _BALL[1] + 22), "#f08a80")
    x1, y1, x2, y2 = _BIRD
    middle = (x1 + x2) / 2
    easel.shape([(x1, y1), (middle, y2 - 6), (x2, y1), (middle + 5, y2), (middle - 5, y2)], "#37474f")
    return LessonScene(
        _sample(easel, "dog and ball", [_DOG, _BALL, _BIRD], [1, 2, 3]),
        ("dog", "ball", "bird"),
        "Drag the dog and watch anchors change hands.",
    )


_CHAIR: Box = (156.50, 107.83, 206.82, 150.95)  # facts.md: recovered from the lesson's jaccard table
_TABLE: Box = (159.0, 19.0, 222.0, 123.0)
_SOFA: Box = (131.0, 188.0, 160.0, 208.5)


def _worked_example() -> LessonScene:
    """The lesson's 3 objects × 16 cells, as a room seen from above."""
    easel = _Easel.blank(224, 224, "#d9c3a0")
    for y in range(0, 224, 14):
        easel.box((0, y, 224, y + 1), "#cbb38d")
        for x in range((y // 14 % 3) * 23, 224, 70):
            easel.box((x, y, x + 1, y + 14), "#cbb38d")
    easel.box((18, 30, 112, 150), "#7a93a8", round_px=6)
    easel.box((26, 38, 104, 142), "#93abbd", round_px=4)
    easel.box((0, 0, 224, 7), "#8d8579")
    easel.box((0, 0, 7, 224), "#8d8579")
    easel.box(_TABLE, "#7b4b2a", round_px=5)
    easel.box((163, 23, 218, 119), "#93603a", round_px=3)
    for y in (25, 52, 79):
        easel.oval((168, y, 188, y + 20), "#f4f1ea")
        easel.oval((193, y, 213, y + 20), "#f4f1ea")
    easel.box(_CHAIR, "#2f6f73", round_px=7)
    easel.box((162, 112, 201, 138), "#43898d", round_px=5)
    easel.box(_SOFA, "#8c3b3b", round_px=4)
    easel.box((134, 194, 157, 206), "#a85050", round_px=2)
    return LessonScene(
        _sample(easel, "worked example", [_CHAIR, _TABLE, _SOFA], [1, 2, 3]),
        ("chair", "diningtable", "sofa"),
        "No jaccard passes .5, yet every object gets its best cell: 14, 13 and 11.",
        anchors="lesson-4x4",
        rule="overwrite",
        threshold=0.5,
        strict=True,
    )


def _orphan_pair() -> LessonScene:
    """facts.md's pair: both boxes have the same best anchor."""
    width, height = 500, 500
    easel = _Easel.blank(width, height, "#8fc1d4")
    easel.box((0, 0, width, 70), "#dcebf2")
    easel.shape(
        [(0, 72), (90, 30), (190, 66), (300, 22), (420, 64), (500, 44), (500, 78), (0, 78)], "#7d9a86"
    )
    for k in range(60):
        x, y = (k * 137) % width, 90 + (k * 83) % 400
        easel.box((x, y, x + 30 + k % 5 * 8, y + 2), "#a5d0df" if k % 2 else "#7db1c6", round_px=1)
    boxes: list[Box] = [(100.0, 110.0, 260.0, 140.0), (100.0, 105.0, 260.0, 140.0)]  # A and B of facts.md
    x1, y1, x2, y2 = boxes[1]
    easel.shape(
        [(x1, y1), (x1 + 6, y1), (x2, y2 - 6), (x2 - 8, y2)], "#6d4c2f"
    )  # the paddle, corner to corner
    x1, y1, x2, y2 = boxes[0]
    curve = [(x1 + (x2 - x1) * k / 20, y2 - (y2 - y1) * abs(2 * k / 20 - 1) ** 3) for k in range(21)]
    easel.shape([*curve, (x2 - 20, y1 + 12), (x1 + 20, y1 + 12)], "#e07b39")
    return LessonScene(
        _sample(easel, "orphan pair", boxes, [1, 2]),
        ("kayak", "paddle"),
        "Kayak and paddle share their best anchor; who keeps it depends on the rule.",
        rule="overwrite",
    )


def _empty() -> LessonScene:
    """Nothing to find."""
    easel = _Easel.blank(480, 320, "#a0d0f0")
    _meadow(easel, 480, 320)
    return LessonScene(
        Sample(easel.finish(), Target.empty(), "empty meadow"),
        ("dog", "ball", "bird"),
        "A picture without objects: every anchor is negative. Draw one.",
    )


def _shapes(kind: str, seed: int, point: str) -> Callable[[], LessonScene]:
    """A synthetic scene of one kind of hardship."""
    return lambda: LessonScene(synthetic_scene(seed, config=SYNTHETIC_CONFIGS[kind]), SHAPE_CLASSES, point)


_SCENES: dict[str, Callable[[], LessonScene]] = {
    "dog and ball": _dog,
    "worked example": _worked_example,
    "orphan pair": _orphan_pair,
    "small objects": _shapes(
        "small", 3, "Objects below about 20 pixels reach no jaccard of .5 with any anchor."
    ),
    "crowded": _shapes("crowded", 5, "Neighbours compete for the same anchors."),
    "extreme ratios": _shapes("extreme-ratio", 4, "No anchor is as long as the longest objects."),
    "empty meadow": _empty,
}
LESSON_SCENES: tuple[str, ...] = tuple(_SCENES)


def lesson_scene(name: str) -> LessonScene:
    """The scene of that name.

    Args:
        name: one of ``LESSON_SCENES``.

    Returns:
        The scene with the settings that go with it.

    Raises:
        DataError: there is none of that name.

    Example:
        >>> lesson_scene("worked example").class_names
        ('chair', 'diningtable', 'sofa')
    """
    if name not in _SCENES:
        raise DataError(f"A lesson scene is one of {', '.join(_SCENES)}, got {name!r}; choose one of these.")
    return _SCENES[name]()
