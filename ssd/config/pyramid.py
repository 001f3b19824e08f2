"""Anchors of torchvision's RetinaNet and Faster R-CNN, so that their users can ask the same questions.

Their pictures keep their shape: the shorter side is brought to 800 px, so every picture has a grid
of its own. An anchor is rounded to whole pixels around the upper left corner of its cell.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from ssd.config.anchors import AnchorLevel
from ssd.errors import ConfigError

__all__ = ["PYRAMID_PRESETS", "PyramidAnchors", "PyramidPreset", "pyramid_for_picture"]

_CUBE_ROOTS = (1.0, 2 ** (1 / 3), 2 ** (2 / 3))  # Lin et al., Focal Loss, section 4
_BASES_PX = (32, 64, 128, 256, 512)


@dataclass(frozen=True)
class PyramidAnchors:
    """Sizes × aspect ratios on a feature pyramid, as torchvision's AnchorGenerator makes them.

    Attributes:
        sizes_px: sizes of each level in pixels of the input, finest level first.
        first_stride_px: distance of two centres on the finest level; every next level has
            half as many cells, rounded up.
        picture_wh: the input in pixels, before it is padded.
        ratios: height / width of each shape, torchvision's way round.
        pad_px: the input is padded to a multiple of this.
        min_side_px: what the shorter side of a picture is brought to,
        max_side_px: unless the longer one would become longer than this.
    """

    sizes_px: tuple[tuple[float, ...], ...]
    first_stride_px: int
    picture_wh: tuple[int, int] = (800, 800)
    ratios: tuple[float, ...] = (0.5, 1.0, 2.0)
    pad_px: int = 32
    min_side_px: int = 800
    max_side_px: int = 1333

    def levels(self) -> tuple[AnchorLevel, ...]:
        """The levels, finest first, with shapes and steps as shares of the picture."""
        width, height = self.picture_wh
        padded = tuple(math.ceil(side / self.pad_px) * self.pad_px for side in self.picture_wh)
        columns, rows = (side // self.first_stride_px for side in padded)
        found = []
        for sizes in self.sizes_px:
            shapes = [_rounded(size, ratio) for ratio in self.ratios for size in sizes]
            step = (padded[0] // columns / width, padded[1] // rows / height)
            shares = tuple((w / width, h / height) for w, h in shapes)
            found.append(AnchorLevel((columns, rows), shares, step, first=0.0))
            columns, rows = math.ceil(columns / 2), math.ceil(rows / 2)
        return tuple(found)


def _rounded(size: float, ratio: float) -> tuple[float, float]:
    """Width and height of a shape whose edges around 0 were rounded to whole pixels."""
    root = math.sqrt(ratio)
    return 2.0 * round(size / root / 2), 2.0 * round(size * root / 2)


def pyramid_for_picture(
    config: PyramidAnchors, *, picture_wh: tuple[int, int], side_px: int | None = None
) -> PyramidAnchors:
    """The anchors on the input that a picture becomes.

    Args:
        config: any pyramid.
        picture_wh: of the picture in pixels.
        side_px: what the shorter side is brought to, instead of the configuration's; the
            limit of the longer side moves along.

    Returns:
        The same sizes on that picture's own grid.

    Raises:
        ConfigError: a side is not positive.

    Source:
        torchvision, GeneralizedRCNNTransform: one factor for both sides, rounded down.

    Example:
        >>> pyramid_for_picture(PYRAMID_PRESETS["retinanet"].anchors, picture_wh=(640, 480)).picture_wh
        (1066, 800)
    """
    low = config.min_side_px if side_px is None else side_px
    if low < 1 or min(picture_wh) < 1:
        raise ConfigError(
            f"A picture and its training size must be at least 1 px, got "
            f"{picture_wh[0]} × {picture_wh[1]} and {low}; give larger ones."
        )
    high = config.max_side_px * low / config.min_side_px
    factor = min(low / min(picture_wh), high / max(picture_wh))
    width, height = (max(1, math.floor(side * factor)) for side in picture_wh)
    return replace(config, picture_wh=(width, height))


@dataclass(frozen=True)
class PyramidPreset:
    """A named pyramid; not for training here, but coverage answers for it.

    Attributes:
        name: what ``--preset`` calls it.
        anchors: the configuration.
        source: the code it comes from.
        threshold: from which jaccard on an anchor is positive there.
    """

    name: str
    anchors: PyramidAnchors
    source: str
    threshold: float


_PRESETS = (
    PyramidPreset(
        "retinanet",
        PyramidAnchors(tuple(tuple(float(int(s * r)) for r in _CUBE_ROOTS) for s in _BASES_PX), 8),
        "torchvision, retinanet_resnet50_fpn: nine anchors a cell, positive from .5",
        threshold=0.5,  # torchvision, RetinaNet: fg_iou_thresh
    ),
    PyramidPreset(
        "faster-rcnn",
        PyramidAnchors(tuple((float(s),) for s in _BASES_PX), 4),
        "torchvision, fasterrcnn_resnet50_fpn: three anchors a cell, positive from .7",
        threshold=0.7,  # torchvision, FasterRCNN: rpn_fg_iou_thresh
    ),
)
PYRAMID_PRESETS: dict[str, PyramidPreset] = {preset.name: preset for preset in _PRESETS}
