"""The named anchor presets: a table, each row with its source."""

from __future__ import annotations

from dataclasses import dataclass, field

from ssd.config.anchors import (
    AnchorConfig,
    GridAnchors,
    caffe_anchors,
    scale_formula,
    scaled_anchors,
    square_grids,
)
from ssd.config.coding import CoderConfig

__all__ = ["ANCHOR_PRESETS", "AnchorPreset"]

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
    coder: CoderConfig = field(default_factory=CoderConfig)


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
            grids_wh=square_grids(20, 10, 5, 3, 2, 1),
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
            grids_wh=square_grids(*_GRIDS_300),
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
