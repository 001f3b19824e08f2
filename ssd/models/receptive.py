"""Receptive fields: which pixels can reach one cell of a feature map.

Computed backwards from strides and kernels, interval by interval, so it is exact; the
tests hold it against gradients. What the network makes most use of is a smaller,
bell-shaped part of it (Luo et al., NIPS 2016).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ssd.errors import ConfigError

__all__ = ["LAYERS", "Layer", "ReceptiveField", "receptive_field"]

Span = tuple[int, int]  # first and last index, both inside
_WHOLE = (0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True)
class Layer:
    """What matters of a convolution or pooling along one axis."""

    kernel: int
    stride: int = 1
    padding: int = 0
    dilation: int = 1

    def source(self, span: Span) -> Span:
        """The span of inputs that a span of outputs looks at."""
        first = span[0] * self.stride - self.padding
        last = span[1] * self.stride - self.padding + (self.kernel - 1) * self.dilation
        return first, last


@dataclass(frozen=True)
class ReceptiveField:
    """What one cell can see.

    Attributes:
        box: xyxy in [0, 1] units, cut at the border of the picture.
        wh_px: width and height of the uncut field in pixels of the network's input.
        whole: the field covers the whole picture.
        convolved: the part that convolutions alone reach, where squeeze-and-excitation
            adds the rest; ``None`` where there is none of it.
    """

    box: tuple[float, float, float, float]
    wh_px: tuple[int, int]
    whole: bool
    convolved: ReceptiveField | None = None


@dataclass(frozen=True)
class Tower:
    """The layers from the picture to each level.

    Attributes:
        picture_wh: the network's input.
        levels: layers that lead from the level before (the first: from the picture) to each level.
        head: layers between a level and its predictions.
        top_down: every level is joined with the coarser ones before the head.
        excited: squeeze-and-excitation before the first level: channels are scaled by what
            the whole map says on average, so that every pixel has a say everywhere.
    """

    picture_wh: tuple[int, int]
    levels: tuple[tuple[Layer, ...], ...]
    head: tuple[Layer, ...] = (Layer(3, padding=1),)
    top_down: bool = False
    excited: bool = False

    def span(self, level: int, span: Span) -> Span:
        """The pixels behind a span of cells of one level, before the head."""
        reached = span
        for layers in reversed(self.levels[: level + 1]):
            reached = _back(layers, reached)
        if self.top_down and level + 1 < len(self.levels):
            coarser = self.span(level + 1, (span[0] // 2, span[1] // 2))
            reached = min(reached[0], coarser[0]), max(reached[1], coarser[1])
        return reached


def _back(layers: tuple[Layer, ...], span: Span) -> Span:
    """Through several layers, last first."""
    for layer in reversed(layers):
        span = layer.source(span)
    return span


_C3, _C1, _POOL = Layer(3, padding=1), Layer(1), Layer(2, stride=2)
_C3_HALF, _C3_BARE = Layer(3, stride=2, padding=1), Layer(3)
_VGG_43 = (
    _C3,
    _C3,
    _POOL,
    _C3,
    _C3,
    _POOL,
    _C3,
    _C3,
    _C3,
    _POOL,
    _C3,
    _C3,
    _C3,
)  # Simonyan, VGG16, to conv4_3
_VGG_7 = (_POOL, _C3, _C3, _C3, _C3, Layer(3, padding=6, dilation=6), _C1)  # pool5 3×3/1, fc6 dilated, fc7
_EXTRA_HALF, _EXTRA_BARE = (_C1, _C3_HALF), (_C1, _C3_BARE)
_HALVE, _BLOCK = (_C3_HALF, _C3), (_C3, _C3)  # residual blocks: two 3×3 convolutions
_RESNET_34 = (  # He et al., CVPR 2016, table 1: to strides 8, 16 and 32
    (Layer(7, stride=2, padding=3), _C3_HALF, *_BLOCK * 3, *_HALVE, *_BLOCK * 3),
    (*_HALVE, *_BLOCK * 5),
    (*_HALVE, *_BLOCK * 2),
)
_LESSON = (*(layer for stage in _RESNET_34 for layer in stage), _C3, _C3_HALF)
_C5, _C5_HALF = Layer(5, padding=2), Layer(5, stride=2, padding=2)
_MOBILE_C4 = (
    _C3_HALF,
    _C3,
    _C3_HALF,
    _C3,
    _C5_HALF,
    _C5,
    _C5,
    _C3_HALF,
    *(_C3,) * 5,
)  # Howard et al., table 1

# The network each anchor preset was made for.
LAYERS: dict[str, Tower] = {
    "ssd300-voc": Tower((300, 300), (_VGG_43, _VGG_7, _EXTRA_HALF, _EXTRA_HALF, _EXTRA_BARE, _EXTRA_BARE)),
    "ssd512-voc": Tower(
        (512, 512), (_VGG_43, _VGG_7, *(_EXTRA_HALF,) * 4, (_C1, Layer(4, padding=1)))
    ),  # Liu et al., section 3.3
    "lesson-4x4": Tower((224, 224), (_LESSON,)),
    "lesson-multi": Tower((224, 224), (_LESSON, (_C3_HALF,), (_C3_HALF,))),
    "small320": Tower(
        (320, 320),
        ((_C3_HALF, *_HALVE, *_HALVE, *_BLOCK), (*_HALVE, *_BLOCK), _HALVE, _HALVE),
        head=(_C3, _C3),
        top_down=True,
    ),
    "wide320": Tower(
        (320, 320),
        ((_C3_HALF, *(*_HALVE, *_BLOCK) * 2), (*_HALVE, *_BLOCK), *(_HALVE,) * 4),
        head=(_C3, _C3),
        top_down=True,
    ),
    "resnet300": Tower((300, 300), (*_RESNET_34, *(_EXTRA_HALF,) * 3), head=(_C3, _C3), top_down=True),
    "ssdlite320-coco": Tower(
        (320, 320), (_MOBILE_C4, (_C5_HALF, _C5, _C5), *(_EXTRA_HALF,) * 4), excited=True
    ),
}
LAYERS |= {"ssd300-coco": LAYERS["ssd300-voc"], "paper": LAYERS["ssd300-voc"]}
LAYERS |= {"lesson-multi-75": LAYERS["lesson-multi"], "lesson-144": LAYERS["lesson-4x4"]}
LAYERS |= {"small384": replace(LAYERS["small320"], picture_wh=(384, 384))}
LAYERS |= {"teach160": replace(LAYERS["small320"], picture_wh=(160, 160))}


def receptive_field(network: str, *, level: int, column: int, row: int) -> ReceptiveField:
    """The receptive field of one cell's predictions.

    Args:
        network: a key of ``LAYERS``; networks go by the name of their anchor preset.
        level: feature map, 0 = finest.
        column: of the cell, from the left.
        row: of the cell, from the top.

    Returns:
        The field; every pixel outside it leaves the cell's codes and logits as they are.

    Raises:
        ConfigError: the network or the level is unknown.

    Source:
        Araujo et al., Computing Receptive Fields, Distill 2019.

    Example:
        >>> receptive_field("ssd300-voc", level=0, column=19, row=19).wh_px
        (108, 108)
    """
    if network not in LAYERS:
        raise ConfigError(f"A network is one of {', '.join(LAYERS)}, got {network!r}; choose one of these.")
    tower = LAYERS[network]
    if not 0 <= level < len(tower.levels):
        raise ConfigError(
            f"{network} has levels 0–{len(tower.levels) - 1}, got {level}; choose one of these."
        )
    width, height = tower.picture_wh
    (x1, x2), (y1, y2) = (tower.span(level, _back(tower.head, (cell, cell))) for cell in (column, row))
    box = (max(x1, 0) / width, max(y1, 0) / height, min(x2 + 1, width) / width, min(y2 + 1, height) / height)
    field = ReceptiveField(box=box, wh_px=(x2 - x1 + 1, y2 - y1 + 1), whole=box == _WHOLE)
    return ReceptiveField(_WHOLE, tower.picture_wh, whole=True, convolved=field) if tower.excited else field
