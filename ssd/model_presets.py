"""The networks of the lesson and of the paper by name: all of a model but its weights and classes."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, replace

from ssd.config import SELECTION_PRESETS, CoderConfig, GridAnchors, SelectionConfig, anchor_preset
from ssd.contract import InputContract, ModelConfig, SmallConfig
from ssd.errors import ConfigError

__all__ = ["MODEL_PRESETS", "ModelPreset", "model_preset"]


@dataclass(frozen=True)
class ModelPreset:
    """A named network.

    Attributes:
        name: what ``--preset`` and the pages call it.
        config: everything but the classes; those in it stand for any.
        summary: what it is, in one line.
        source: paper, code or document.
    """

    name: str
    config: ModelConfig
    summary: str
    source: str


_ANY = ("object",)
_LESSON = InputContract(size_wh=(224, 224))  # of the backbones of the lesson, ImageNet's mean and deviation
_CAFFE_300 = InputContract(
    size_wh=(300, 300),
    mean=(0.48235, 0.45882, 0.40784),  # torchvision, ssd300_vgg16: of the Caffe weights
    std=(1 / 255, 1 / 255, 1 / 255),
    resize="bilinear",
)
_LITE_320 = InputContract(
    size_wh=(320, 320), mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5), resize="bilinear"
)  # torchvision, ssdlite320_mobilenet_v3_large: [0, 1] → [−1, 1]
_WHOLE = GridAnchors(grids=(1,))  # these networks have one box: the whole picture
_PICTURE = ModelConfig("multilabel", _ANY, _WHOLE, _LESSON, backbone="resnet34", dropout=0.5)
_CELLS = ModelConfig(
    "ssd-lesson",
    _ANY,
    anchor_preset("lesson-4x4").anchors,
    _LESSON,
    coder=CoderConfig(kind="tanh"),
    activation="sigmoid",
    backbone="resnet34",
    dropout=0.25,
    dropout_convs=0.1,
    class_bias=-3.0,
)
_MULTI = replace(
    _CELLS,
    anchors=anchor_preset("lesson-multi").anchors,
    dropout=0.4,
    dropout_convs=None,
    class_bias=-4.0,
)

_PRESETS: tuple[ModelPreset, ...] = (
    ModelPreset(
        "multilabel",
        replace(_PICTURE, activation="sigmoid", selection=SelectionConfig(score_threshold=0.4)),
        "which classes are in the picture",
        "the lesson, multi-label classification",
    ),
    ModelPreset(
        "largest-class",
        replace(_PICTURE, architecture="largest-class"),
        "the class of the largest object",
        "the lesson, largest object",
    ),
    ModelPreset(
        "largest-box",
        replace(_PICTURE, architecture="largest-box", dropout=0.0),
        "the box of the largest object",
        "the lesson, largest object",
    ),
    ModelPreset(
        "largest-object",
        replace(_PICTURE, architecture="largest-object"),
        "the largest object: one box, one class",
        "the lesson, largest object",
    ),
    ModelPreset("ssd-4x4", _CELLS, "the lesson's first SSD: 16 cells, an anchor each", "the lesson, 4 × 4"),
    ModelPreset(
        "yolo-4x4",
        replace(_CELLS, architecture="yolo-lesson"),
        "the same 16 answers through one linear layer, as YOLO's first version",
        "the lesson, SSD against YOLO",
    ),
    ModelPreset("ssd-multi", _MULTI, "three grids, nine anchors a cell: 189", "the lesson, more anchors"),
    ModelPreset(
        "ssd-multi-144",
        replace(_MULTI, anchors=anchor_preset("lesson-144").anchors),
        "one grid, nine anchors a cell: 144",
        "the lesson, more anchors",
    ),
    ModelPreset("ssd-multi-focal", _MULTI, "ssd-multi, trained with focal loss", "the lesson, focal loss"),
    ModelPreset(
        "ssd300-vgg16",
        ModelConfig("ssd300-vgg16", _ANY, anchor_preset("ssd300-voc").anchors, _CAFFE_300, backbone="vgg16"),
        "the paper's SSD300",
        "Liu et al., SSD, ECCV 2016",
    ),
    ModelPreset(
        "ssd-small",
        ModelConfig("ssd-small", _ANY, anchor_preset("small320").anchors),
        "small, with batch norm and a top-down connection, for training from scratch",
        "ours",
    ),
    ModelPreset(
        "ssd-small-wide",
        ModelConfig(
            "ssd-small",
            _ANY,
            anchor_preset("wide320").anchors,
            small=SmallConfig(
                stem=24,
                stages=(48, 96, 192, 320, 128, 128, 128),
                blocks=(2, 2, 2, 1, 1, 1, 1),
                top_down=112,
            ),
        ),
        "the same, wider and with six levels, for photographs",
        "ours",
    ),
    ModelPreset(
        "ssd300-resnet34",
        ModelConfig(
            "ssd300-resnet34",
            _ANY,
            anchor_preset("resnet300").anchors,
            InputContract(size_wh=(300, 300)),
            backbone="resnet34",
            small=SmallConfig(top_down=128),
        ),
        "ResNet 34 with batch norm in the heads and a top-down connection",
        "ours",
    ),
    ModelPreset(
        "torchvision-ssd300-vgg16",
        ModelConfig(
            "torchvision-ssd300-vgg16",
            _ANY,
            anchor_preset("ssd300-coco").anchors,
            _CAFFE_300,
            backbone="vgg16",
        ),
        "torchvision's SSD300",
        "torchvision, ssd300_vgg16",
    ),
    ModelPreset(
        "torchvision-ssdlite320",
        ModelConfig(
            "torchvision-ssdlite320",
            _ANY,
            anchor_preset("ssdlite320-coco").anchors,
            _LITE_320,
            selection=SELECTION_PRESETS["ssdlite"],
            backbone="mobilenet_v3_large",
        ),
        "torchvision's SSDlite on MobileNetV3",
        "torchvision, ssdlite320_mobilenet_v3_large",
    ),
)
MODEL_PRESETS: dict[str, ModelPreset] = {preset.name: preset for preset in _PRESETS}


def model_preset(name: str, class_names: tuple[str, ...]) -> ModelConfig:
    """The configuration of a named network for some classes.

    Args:
        name: a key of ``MODEL_PRESETS``.
        class_names: in the order of labels 1..C.

    Returns:
        The configuration; ``build_model`` makes the network of it.

    Raises:
        ConfigError: there is no preset of that name, or the class names are not usable.

    Example:
        >>> model_preset("ssd-multi", ("cat", "dog")).class_bias
        -4.0
    """
    if name not in MODEL_PRESETS:
        near = difflib.get_close_matches(name, MODEL_PRESETS, n=1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        raise ConfigError(f"There is no network {name[:80]!r}{hint}; networks: {', '.join(MODEL_PRESETS)}.")
    return replace(MODEL_PRESETS[name].config, class_names=class_names)
