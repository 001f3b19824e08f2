"""Every number of a paper, once, with its source; and the named presets.

The ground floor takes plain keyword values; these frozen dataclasses carry them.
A slider's start value is the preset's.
"""

from __future__ import annotations

import difflib
import itertools
import math
from dataclasses import dataclass, field, replace
from typing import Literal

from ssd.errors import ConfigError

BACKGROUND = 0  # label of "no object"; objects are 1..C
UNMATCHED = -1  # matched_gt of an anchor that answers for no object
IGNORED = -2  # label of an anchor that takes no part in the loss

MatchingRule = Literal["bipartite", "overwrite", "torchvision"]
MATCHING_RULES: tuple[MatchingRule, ...] = ("bipartite", "overwrite", "torchvision")
IGNORE_JACCARD = 0.5  # facts.md: a free anchor this close to an ignored box is ignored
ClipRule = Literal["none", "size"]


@dataclass(frozen=True)
class AnchorLevel:
    """One feature map of anchors.

    Attributes:
        grid_wh: cells across and down.
        shapes_wh: width and height of each anchor of a cell, as a share of the picture.
        step_wh: distance of two centres, as a share of the picture.
    """

    grid_wh: tuple[int, int]
    shapes_wh: tuple[tuple[float, float], ...]
    step_wh: tuple[float, float]


@dataclass(frozen=True)
class SizeAnchors:
    """Anchors the way of the paper and of Caffe: sizes × aspect ratios on each level.

    The order within a cell is: the size, the extra size, then (wide, tall) for
    every ratio. Sizes are in pixels of the network's input and are divided by its
    width and height, so a ratio of 1 is a square in pixels also on a non-square input.

    Attributes:
        grids_wh: cells (across, down) of each level, finest first.
        sizes_px: side of the square anchor of each level.
        extra_sizes_px: side of the second square anchor of each level.
        ratios: aspect ratios > 1 of each level; each brings its reciprocal.
        picture_wh: input of the network in pixels.
        steps_px: distance of centres in pixels; ``None``: the grid divides the picture evenly.
        clip: ``"size"`` limits width and height to the picture as torchvision does.
    """

    grids_wh: tuple[tuple[int, int], ...]
    sizes_px: tuple[float, ...]
    extra_sizes_px: tuple[float, ...]
    ratios: tuple[tuple[float, ...], ...]
    picture_wh: tuple[int, int]
    steps_px: tuple[float, ...] | None = None
    clip: ClipRule = "none"

    def __post_init__(self) -> None:
        """Every level needs each of its numbers, and each must be positive."""
        count = len(self.grids_wh)
        lengths = {len(self.sizes_px), len(self.extra_sizes_px), len(self.ratios)}
        lengths |= {len(self.steps_px)} if self.steps_px is not None else set()
        if count == 0 or lengths != {count}:
            raise ConfigError(
                f"Each of the {count} levels needs a size, an extra size, ratios and (if given) a step; "
                f"got {len(self.sizes_px)} sizes, {len(self.extra_sizes_px)} extra sizes, "
                f"{len(self.ratios)} ratios."
            )
        numbers = [*self.sizes_px, *self.extra_sizes_px, *(self.steps_px or ()), *self.picture_wh]
        numbers += [n for wh in self.grids_wh for n in wh] + [r for level in self.ratios for r in level]
        _require_positive(numbers, "sizes, ratios, steps and grids")

    def levels(self) -> tuple[AnchorLevel, ...]:
        """The levels, finest first, with shapes and steps as shares of the picture."""
        return tuple(self._level(k) for k in range(len(self.grids_wh)))

    def _level(self, k: int) -> AnchorLevel:
        """Level ``k``."""
        width, height = self.picture_wh
        size, extra = self.sizes_px[k], self.extra_sizes_px[k]
        shapes = [(size, size), (extra, extra)]
        for ratio in self.ratios[k]:
            root = math.sqrt(ratio)
            shapes += [(size * root, size / root), (size / root, size * root)]
        shares = [(w / width, h / height) for w, h in shapes]
        if self.clip == "size":
            shares = [(min(w, 1.0), min(h, 1.0)) for w, h in shares]
        columns, rows = self.grids_wh[k]
        if self.steps_px is None:
            step = (1 / columns, 1 / rows)
        else:
            step = (self.steps_px[k] / width, self.steps_px[k] / height)
        return AnchorLevel(grid_wh=(columns, rows), shapes_wh=tuple(shares), step_wh=step)


@dataclass(frozen=True)
class GridAnchors:
    """Anchors the way of the lesson: grids × zooms × ratios.

    A cell's anchors are zoom × ratio × cell; cells run x outer, y inner.

    Attributes:
        grids: cells along each side, one level a grid.
        zooms: factors on the cell's size.
        ratios: (width, height) factors of each shape.
    """

    grids: tuple[int, ...]
    zooms: tuple[float, ...] = (1.0,)
    ratios: tuple[tuple[float, float], ...] = ((1.0, 1.0),)

    def __post_init__(self) -> None:
        """Nothing empty, nothing below zero."""
        if not (self.grids and self.zooms and self.ratios):
            raise ConfigError("A grid of anchors needs at least one grid, one zoom and one ratio.")
        _require_positive(
            [*self.grids, *self.zooms, *(n for pair in self.ratios for n in pair)], "grids, zooms and ratios"
        )

    def levels(self) -> tuple[AnchorLevel, ...]:
        """The levels in the order of ``grids``."""
        return tuple(
            AnchorLevel(
                grid_wh=(grid, grid),
                shapes_wh=tuple((z * w / grid, z * h / grid) for z in self.zooms for w, h in self.ratios),
                step_wh=(1 / grid, 1 / grid),
            )
            for grid in self.grids
        )


AnchorConfig = SizeAnchors | GridAnchors


def _require_positive(numbers: list[float], what: str) -> None:
    """Raise unless every number is finite and above zero."""
    for number in numbers:
        if not (math.isfinite(number) and number > 0):
            raise ConfigError(f"Anchor {what} must be finite and above 0, got {number}; correct that number.")


def _square(*sides: int) -> tuple[tuple[int, int], ...]:
    """Square grids."""
    return tuple((side, side) for side in sides)


def scale_formula(*, s_min: float, s_max: float, levels: int) -> tuple[float, ...]:
    """The paper's scales: equally spaced from ``s_min`` to ``s_max``.

    Args:
        s_min: scale of the first level, a share of the picture.
        s_max: scale of the last level.
        levels: how many levels.

    Returns:
        One scale a level.

    Raises:
        ConfigError: fewer than one level, or scales that do not rise.

    Source:
        Liu et al., SSD, ECCV 2016, equation 4.

    Example:
        >>> [round(s, 3) for s in scale_formula(s_min=0.2, s_max=0.9, levels=5)]
        [0.2, 0.375, 0.55, 0.725, 0.9]
    """
    if levels < 1 or not 0 < s_min <= s_max:
        raise ConfigError(f"Scales need 0 < s_min <= s_max and a level, got {s_min}, {s_max}, {levels}.")
    if levels == 1:
        return (s_min,)
    return tuple(s_min + (s_max - s_min) * k / (levels - 1) for k in range(levels))


def scaled_anchors(
    *,
    grids_wh: tuple[tuple[int, int], ...],
    scales: tuple[float, ...],
    ratios: tuple[tuple[float, ...], ...],
    picture_wh: tuple[int, int],
    steps_px: tuple[float, ...] | None = None,
    clip: ClipRule = "none",
) -> SizeAnchors:
    """Anchors from scales: the extra size of a level is √(s_k · s_{k+1}).

    Args:
        grids_wh: cells (across, down) of each level.
        scales: one scale a level and one more for the last level's extra size;
            shares of the shorter side of the picture.
        ratios: aspect ratios > 1 of each level.
        picture_wh: input of the network in pixels.
        steps_px: distance of centres in pixels, or ``None`` for an even grid.
        clip: as in :class:`SizeAnchors`.

    Returns:
        The configuration in pixels.

    Raises:
        ConfigError: the number of scales is not one more than that of levels.

    Source:
        Liu et al., SSD, ECCV 2016, section 2.2.

    Example:
        >>> config = scaled_anchors(
        ...     grids_wh=((2, 2),), scales=(0.25, 1.0), ratios=((2.0,),), picture_wh=(100, 100)
        ... )
        >>> config.sizes_px, config.extra_sizes_px
        ((25.0,), (50.0,))
    """
    if len(scales) != len(grids_wh) + 1:
        raise ConfigError(f"{len(grids_wh)} levels need {len(grids_wh) + 1} scales, got {len(scales)}.")
    side = min(picture_wh)
    extras = tuple(math.sqrt(a * b) * side for a, b in itertools.pairwise(scales))
    return SizeAnchors(
        grids_wh=grids_wh,
        sizes_px=tuple(s * side for s in scales[:-1]),
        extra_sizes_px=extras,
        ratios=ratios,
        picture_wh=picture_wh,
        steps_px=steps_px,
        clip=clip,
    )


def caffe_anchors(
    *,
    grids: tuple[int, ...],
    min_px: tuple[float, ...],
    max_px: tuple[float, ...],
    ratios: tuple[tuple[float, ...], ...],
    side_px: int,
    steps_px: tuple[float, ...] | None = None,
    clip: ClipRule = "none",
) -> SizeAnchors:
    """Anchors from min and max sizes: the extra size is √(min · max).

    Args:
        grids: cells along a side of each level.
        min_px: min size of each level.
        max_px: max size of each level.
        ratios: aspect ratios > 1 of each level.
        side_px: side of the square input.
        steps_px: distance of centres in pixels, or ``None`` for an even grid.
        clip: as in :class:`SizeAnchors`.

    Returns:
        The configuration.

    Source:
        Caffe-SSD, prior_box_layer (sizes, steps and their order).

    Example:
        >>> caffe_anchors(grids=(1,), min_px=(4,), max_px=(9,), ratios=((2.0,),), side_px=10).extra_sizes_px
        (6.0,)
    """
    return SizeAnchors(
        grids_wh=_square(*grids),
        sizes_px=tuple(float(s) for s in min_px),
        extra_sizes_px=tuple(math.sqrt(low * high) for low, high in zip(min_px, max_px, strict=True)),
        ratios=ratios,
        picture_wh=(side_px, side_px),
        steps_px=steps_px,
        clip=clip,
    )


_GRIDS_300 = (38, 19, 10, 5, 3, 1)
_STEPS_300 = (8.0, 16.0, 32.0, 64.0, 100.0, 300.0)
_RATIOS_300 = ((2.0,), (2.0, 3.0), (2.0, 3.0), (2.0, 3.0), (2.0,), (2.0,))
_SIZES_512 = (35.84, 76.8, 153.6, 230.4, 307.2, 384.0, 460.8, 537.6)  # .07, .15, .30 … 1.05 of 512
_LESSON_RATIOS = ((1.0, 1.0), (1.0, 0.5), (0.5, 1.0))


@dataclass(frozen=True)
class AnchorPreset:
    """A named anchor configuration, and where its numbers come from.

    Attributes:
        name: what ``--preset`` and the pages call it.
        anchors: the configuration.
        source: paper, code or document.
        threshold: the match threshold its source uses.
        coder: how its source turns codes into boxes.
    """

    name: str
    anchors: AnchorConfig
    source: str
    threshold: float = 0.5
    coder: CoderConfig = field(default_factory=lambda: CoderConfig())


@dataclass(frozen=True)
class CoderConfig:
    """How codes and boxes are turned into each other.

    Attributes:
        kind: ``"offset"`` of the paper, or ``"tanh"`` of the lesson.
        variances: of centre and of size; used by ``"offset"`` only.
    """

    kind: Literal["offset", "tanh"] = "offset"
    variances: tuple[float, float] = (0.1, 0.2)  # Caffe-SSD, prior_variance

    def __post_init__(self) -> None:
        """Variances divide: they must be above zero."""
        if self.kind not in ("offset", "tanh"):
            raise ConfigError(f"A coder is 'offset' or 'tanh', got {self.kind!r}.")
        if not all(math.isfinite(v) and v > 0 for v in self.variances):
            raise ConfigError(f"Variances must be finite and above 0, got {self.variances}.")


_PRESETS: tuple[AnchorPreset, ...] = (
    AnchorPreset(
        "ssd300-voc",
        caffe_anchors(
            grids=_GRIDS_300,
            min_px=(30, 60, 111, 162, 213, 264),
            max_px=(60, 111, 162, 213, 264, 315),
            ratios=_RATIOS_300,
            side_px=300,
            steps_px=_STEPS_300,
        ),
        "Caffe-SSD, ssd_pascal.py (SSD300 for VOC)",
    ),
    AnchorPreset(
        "ssd300-coco",
        caffe_anchors(
            grids=_GRIDS_300,
            min_px=(21, 45, 99, 153, 207, 261),
            max_px=(45, 99, 153, 207, 261, 315),
            ratios=_RATIOS_300,
            side_px=300,
            steps_px=_STEPS_300,
            clip="size",
        ),
        "Caffe-SSD, ssd_coco.py; torchvision ssd300_vgg16, which limits width and height to the picture",
    ),
    AnchorPreset(
        "ssd512-voc",
        caffe_anchors(
            grids=(64, 32, 16, 8, 4, 2, 1),
            min_px=_SIZES_512[:-1],
            max_px=_SIZES_512[1:],
            ratios=((2.0,), (2.0, 3.0), (2.0, 3.0), (2.0, 3.0), (2.0, 3.0), (2.0,), (2.0,)),
            side_px=512,
            steps_px=(8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0),
        ),
        "Caffe-SSD, ssd_pascal_512.py, without its truncation to whole pixels",
    ),
    AnchorPreset(
        "ssdlite320-coco",
        scaled_anchors(
            grids_wh=_square(20, 10, 5, 3, 2, 1),
            scales=(0.2, 0.35, 0.5, 0.65, 0.8, 0.95, 1.0),
            ratios=((2.0, 3.0),) * 6,
            picture_wh=(320, 320),
            clip="size",
        ),
        "torchvision ssdlite320_mobilenet_v3_large",
    ),
    AnchorPreset(
        "paper",
        scaled_anchors(
            grids_wh=_square(*_GRIDS_300),
            scales=(0.1, *scale_formula(s_min=0.2, s_max=0.9, levels=5), 1.0),
            ratios=_RATIOS_300,
            picture_wh=(300, 300),
        ),
        "Liu et al., SSD, ECCV 2016, section 2.2 and 3.1",
    ),
    AnchorPreset(
        "lesson-4x4",
        GridAnchors(grids=(4,)),
        "the lesson's first SSD: one anchor a cell",
        threshold=0.4,
        coder=CoderConfig(kind="tanh"),
    ),
    AnchorPreset(
        "lesson-multi",
        GridAnchors(grids=(4, 2, 1), zooms=(0.7, 1.0, 1.3), ratios=_LESSON_RATIOS),
        "the lesson's 189 anchors; one of its documents has .75 as the first zoom",
        threshold=0.4,
        coder=CoderConfig(kind="tanh"),
    ),
    AnchorPreset(
        "lesson-multi-75",
        GridAnchors(grids=(4, 2, 1), zooms=(0.75, 1.0, 1.3), ratios=_LESSON_RATIOS),
        "the lesson's 189 anchors with the first zoom of its other document",
        threshold=0.4,
        coder=CoderConfig(kind="tanh"),
    ),
    AnchorPreset(
        "lesson-144",
        GridAnchors(grids=(4,), zooms=(0.75, 1.0, 1.3), ratios=_LESSON_RATIOS),
        "the lesson's 16 cells with nine anchors each",
        threshold=0.4,
        coder=CoderConfig(kind="tanh"),
    ),
    AnchorPreset(
        "small320",
        caffe_anchors(
            grids=(40, 20, 10, 5),
            min_px=(16, 40, 92, 180),
            max_px=(40, 92, 180, 300),
            ratios=((2.0,), (2.0, 3.0), (2.0, 3.0), (2.0,)),
            side_px=320,
        ),
        "ours: four levels of strides 8 to 64 for the small networks that we ship",
    ),
    AnchorPreset(
        "small384",
        caffe_anchors(
            grids=(48, 24, 12, 6),
            min_px=(16, 40, 92, 180),
            max_px=(40, 92, 180, 300),
            ratios=((2.0,), (2.0, 3.0), (2.0, 3.0), (2.0,)),
            side_px=384,
        ),
        "ours: the same sizes in pixels on a larger input, for smaller objects",
    ),
    AnchorPreset(
        "wide320",
        caffe_anchors(
            grids=(40, 20, 10, 5, 3, 2),
            min_px=(20, 44, 92, 150, 210, 270),
            max_px=(44, 92, 150, 210, 270, 330),
            ratios=_RATIOS_300,
            side_px=320,
        ),
        "ours: six levels of strides 8 to 256 for photographs, where objects fill the picture",
    ),
    AnchorPreset(
        "resnet300",
        caffe_anchors(
            grids=(38, 19, 10, 5, 3, 2),
            min_px=(30, 60, 111, 162, 213, 264),
            max_px=(60, 111, 162, 213, 264, 315),
            ratios=_RATIOS_300,
            side_px=300,
        ),
        "ours: the sizes of ssd300-voc on maps of strides 8 to 256",
    ),
    AnchorPreset(
        "teach160",
        caffe_anchors(
            grids=(20, 10, 5, 3),
            min_px=(12, 28, 55, 95),
            max_px=(28, 55, 95, 150),
            ratios=((2.0,), (2.0, 3.0), (2.0, 3.0), (2.0,)),
            side_px=160,
        ),
        "ours: of the small network that the Learning page trains",
    ),
)
ANCHOR_PRESETS: dict[str, AnchorPreset] = {preset.name: preset for preset in _PRESETS}


def anchor_preset(name: str) -> AnchorPreset:
    """The anchor preset of that name.

    Args:
        name: a key of ``ANCHOR_PRESETS``.

    Returns:
        The preset.

    Raises:
        ConfigError: there is none; the message suggests the nearest.

    Example:
        >>> anchor_preset("ssd300-voc").threshold
        0.5
    """
    if name not in ANCHOR_PRESETS:
        raise ConfigError(
            f"There is no anchor preset {name!r}{_nearest(name)}; presets: {', '.join(ANCHOR_PRESETS)}."
        )
    return ANCHOR_PRESETS[name]


def unclipped(config: AnchorConfig) -> AnchorConfig:
    """The same anchors without any limit on width and height.

    Args:
        config: an anchor configuration.

    Returns:
        A copy with ``clip="none"``, or ``config`` itself where nothing was clipped.

    Example:
        >>> unclipped(anchor_preset("ssd300-coco").anchors).clip
        'none'
    """
    return replace(config, clip="none") if isinstance(config, SizeAnchors) else config


def _nearest(name: str) -> str:
    """Return a suggestion in brackets, or nothing."""
    near = difflib.get_close_matches(name, ANCHOR_PRESETS, n=1)
    return f" (did you mean {near[0]}?)" if near else ""


@dataclass(frozen=True)
class SelectionConfig:
    """From scores to detections: four limits in the order they act.

    Attributes:
        score_threshold: a box stays when its score is greater.
        top_k: candidates of each class that reach NMS.
        nms_threshold: a box leaves when its jaccard with a better one is greater.
        max_detections: boxes kept in a picture.
        class_agnostic: NMS among all classes instead of within each.
    """

    score_threshold: float = 0.01  # Caffe-SSD, confidence_threshold
    nms_threshold: float = 0.45  # Liu et al., section 3.1
    top_k: int = 400  # Caffe-SSD, nms_top_k
    max_detections: int = 200  # Liu et al., section 3.1
    class_agnostic: bool = False

    def __post_init__(self) -> None:
        """Thresholds are shares, limits are counts."""
        for name in ("score_threshold", "nms_threshold"):
            value = getattr(self, name)
            if not (math.isfinite(value) and 0 <= value <= 1):
                raise ConfigError(f"{name} must lie in 0–1, got {value}; choose a share.")
        if self.nms_threshold == 0:
            raise ConfigError("nms_threshold must be above 0, got 0: boxes that only touch would be dropped.")
        if self.top_k < 1 or self.max_detections < 1:
            raise ConfigError(
                f"top_k and max_detections must be at least 1, got {self.top_k} and {self.max_detections}."
            )


SELECTION_PRESETS: dict[str, SelectionConfig] = {
    "evaluation": SelectionConfig(),  # as papers measure
    "display": SelectionConfig(score_threshold=0.5, max_detections=100),  # as people look
    "ssdlite": SelectionConfig(score_threshold=0.001, nms_threshold=0.55, top_k=300, max_detections=300),
    "lesson": SelectionConfig(score_threshold=0.25, nms_threshold=0.5, max_detections=100),
}
