"""What a network expects and what it answers with: all that must travel in its checkpoint."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

from ssd.config import AnchorConfig, CoderConfig, GridAnchors, SelectionConfig, SizeAnchors
from ssd.errors import ConfigError
from ssd.limits import MAX_CLASSES, MAX_INPUT_SIDE_PX

__all__ = [
    "ARCHITECTURES",
    "BACKBONES",
    "PICTURE_ARCHITECTURES",
    "Activation",
    "Architecture",
    "Backbone",
    "InputContract",
    "ModelConfig",
    "SmallConfig",
    "config_from_dict",
    "config_to_dict",
]

Architecture = Literal[
    "multilabel",
    "largest-class",
    "largest-box",
    "largest-object",
    "ssd-lesson",
    "yolo-lesson",
    "ssd300-vgg16",
    "ssd-small",
    "ssd300-resnet34",
    "torchvision-ssd300-vgg16",
    "torchvision-ssdlite320",
]
ARCHITECTURES: tuple[Architecture, ...] = get_args(Architecture)
PICTURE_ARCHITECTURES: tuple[Architecture, ...] = ARCHITECTURES[:4]  # one answer for the whole picture
Backbone = Literal["small", "resnet18", "resnet34", "resnet50", "vgg16", "mobilenet_v3_large"]
BACKBONES: tuple[Backbone, ...] = get_args(Backbone)
Activation = Literal["softmax", "sigmoid"]
_IMAGENET_MEAN = (0.485, 0.456, 0.406)  # torchvision, classification presets
_IMAGENET_STD = (0.229, 0.224, 0.225)
_MAX_BIAS = 30.0  # sigmoid(−30) is 1e−13


@dataclass(frozen=True)
class InputContract:
    """How a picture becomes the network's input.

    Attributes:
        size_wh: width and height in pixels; the picture is stretched to it.
        mean: of each colour, for values in 0–1.
        std: of each colour, for values in 0–1.
        resize: ``"antialias"`` averages when it shrinks; ``"bilinear"`` samples, as
            torchvision's detection models were trained.
    """

    size_wh: tuple[int, int] = (320, 320)
    mean: tuple[float, float, float] = _IMAGENET_MEAN
    std: tuple[float, float, float] = _IMAGENET_STD
    resize: Literal["antialias", "bilinear"] = "antialias"

    def __post_init__(self) -> None:
        """Sizes are positive, deviations divide."""
        if min(self.size_wh) < 1 or not all(math.isfinite(s) and s > 0 for s in self.std):
            raise ConfigError(
                f"An input needs a positive size and deviations, got {self.size_wh} and {self.std}."
            )
        if self.resize not in ("antialias", "bilinear"):
            raise ConfigError(f"A resize method is 'antialias' or 'bilinear', got {self.resize!r}.")


@dataclass(frozen=True)
class SmallConfig:
    """Widths and depths of our small residual backbone.

    Attributes:
        stem: channels at stride 2.
        stages: channels at strides 4, 8, 16 …; from stride 8 on a level of anchors each.
        blocks: residual blocks of each stage.
        top_down: channels of every level after the top-down connection.
    """

    stem: int = 24
    stages: tuple[int, ...] = (32, 64, 128, 160, 160, 160, 160)
    blocks: tuple[int, ...] = (1, 2, 2, 1, 1, 1, 1)
    top_down: int = 96

    def __post_init__(self) -> None:
        """Widths and depths that a machine can hold."""
        widths, depths = (self.stem, self.top_down, *self.stages), self.blocks
        whole = all(type(number) is int for number in (*widths, *depths))
        if not whole or len(self.stages) != len(depths) or not 2 <= len(depths) <= 8:
            raise ConfigError(
                f"A small backbone has 2–8 stages, each with a width and a number of blocks; "
                f"got widths {self.stages} and blocks {depths}."
            )
        if not (min(widths) >= 1 and max(widths) <= 1024 and min(depths) >= 1 and max(depths) <= 16):
            raise ConfigError(
                f"A small backbone has widths of 1–1,024 and 1–16 blocks a stage, got {widths} and {depths}."
            )


@dataclass(frozen=True)
class ModelConfig:
    """A network without its weights.

    Attributes:
        architecture: which network.
        class_names: of the objects, in the order of labels 1..C.
        anchors: the anchor configuration.
        contract: the input.
        coder: how codes become boxes.
        activation: ``"softmax"`` has C + 1 logits with background first, ``"sigmoid"`` C.
        selection: the thresholds its source recommends for evaluation.
        category_ids: ids of the classes in results files; ``None``: 1..C.
        backbone: what computes the feature maps; torchvision's own networks have their own.
        small: the backbone ``"small"``, and the width of the top-down connection of any.
        dropout: in front of the head.
        dropout_convs: after each convolution of the lesson's head; ``None``: as ``dropout``.
        class_bias: logit at which every class starts; ``None``: a positive anchor in a hundred.
    """

    architecture: Architecture
    class_names: tuple[str, ...]
    anchors: AnchorConfig
    contract: InputContract = InputContract()
    coder: CoderConfig = field(default_factory=CoderConfig)
    activation: Activation = "softmax"
    selection: SelectionConfig = field(default_factory=SelectionConfig)
    category_ids: tuple[int, ...] | None = None
    backbone: Backbone = "small"
    small: SmallConfig = SmallConfig()
    dropout: float = 0.0
    dropout_convs: float | None = None
    class_bias: float | None = None

    def __post_init__(self) -> None:
        """Class names are told apart and none is called background."""
        if self.architecture not in ARCHITECTURES:
            raise ConfigError(
                f"An architecture is one of {', '.join(ARCHITECTURES)}, got {self.architecture!r}."
            )
        names = [name.strip().lower() for name in self.class_names]
        if not names or "" in names or "background" in names or len(set(self.class_names)) != len(names):
            raise ConfigError(
                f"Class names must differ, none empty, none 'background'; got {list(self.class_names)}."
            )
        if self.category_ids is not None and len(set(self.category_ids)) != len(names):
            raise ConfigError(
                f"{len(names)} classes need as many different category ids, got {len(self.category_ids)}."
            )
        _require_head(self)

    @property
    def num_logits(self) -> int:
        """Columns of the logits: with background for a detector with softmax."""
        with_background = self.activation == "softmax" and self.architecture not in PICTURE_ARCHITECTURES
        return len(self.class_names) + (1 if with_background else 0)

    @property
    def ids(self) -> tuple[int, ...]:
        """Category id of each class, in the order of labels."""
        return self.category_ids or tuple(range(1, len(self.class_names) + 1))


def _require_head(config: ModelConfig) -> None:
    """Backbone, dropout and bias are ones that can be built."""
    if config.backbone not in BACKBONES:
        raise ConfigError(f"A backbone is one of {', '.join(BACKBONES)}, got {config.backbone!r}.")
    for share in (config.dropout, config.dropout if config.dropout_convs is None else config.dropout_convs):
        if not 0 <= share < 1:
            raise ConfigError(f"A dropout is a share in 0–1, below 1, got {share}.")
    if config.class_bias is not None and not abs(config.class_bias) <= _MAX_BIAS:
        raise ConfigError(
            f"A class bias lies between −{_MAX_BIAS:.0f} and {_MAX_BIAS:.0f}, got {config.class_bias}."
        )


def config_to_dict(config: ModelConfig) -> dict[str, object]:
    """A configuration as plain values that JSON can carry.

    Args:
        config: the configuration.

    Returns:
        Nested dictionaries; ``config_from_dict`` is the way back.

    Example:
        >>> from ssd.config import GridAnchors
        >>> config_to_dict(ModelConfig("ssd-small", ("cat",), GridAnchors(grids=(4,))))["anchors"]
        {'kind': 'grid', 'grids': (4,), 'zooms': (1.0,), 'ratios': ((1.0, 1.0),)}
    """
    kind = "grid" if isinstance(config.anchors, GridAnchors) else "size"
    values = {**asdict(config), "anchors": {"kind": kind, **asdict(config.anchors)}}
    usual = SelectionConfig()
    for name in _LATER_LIMITS:  # not written where unused, so that older programs read the file
        if getattr(config.selection, name) == getattr(usual, name):
            del values["selection"][name]
    return values


def config_from_dict(values: Mapping[str, Any]) -> ModelConfig:
    """The configuration of :func:`config_to_dict`, checked as if written by a stranger.

    Args:
        values: nested dictionaries, possibly read from JSON.

    Returns:
        The configuration.

    Raises:
        ConfigError: a field is missing, unknown, of the wrong type or out of range.

    Example:
        >>> from ssd.config import GridAnchors
        >>> config = ModelConfig("ssd-small", ("cat",), GridAnchors(grids=(4,)))
        >>> config_from_dict(config_to_dict(config)) == config
        True
    """
    try:
        fields: dict[str, Any] = {name: _tuples(value) for name, value in dict(values).items()}
        anchors = dict(fields.pop("anchors"))
        fields["anchors"] = {"grid": GridAnchors, "size": SizeAnchors}[anchors.pop("kind")](**anchors)
        for name, record in _PARTS.items():
            if name in fields or name != "small":  # files of version 1 do not have it
                fields[name] = record(**fields[name])
        config = ModelConfig(**fields)
        _require_sane(config)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise ConfigError(
            f"A model's configuration needs its classes, anchors, input, coder and selection; "
            f"got something else ({type(error).__name__}); write the file again."
        ) from error
    return config


_LATER_LIMITS = ("nms_kind", "soft_sigma")  # of the selection, younger than the first checkpoints
_PARTS: dict[str, Callable[..., object]] = {
    "contract": InputContract,
    "coder": CoderConfig,
    "selection": SelectionConfig,
    "small": SmallConfig,
}


def _tuples(value: object) -> object:
    """Lists become tuples, all the way down."""
    if isinstance(value, list | tuple):
        return tuple(_tuples(item) for item in value)
    return {key: _tuples(item) for key, item in value.items()} if isinstance(value, dict) else value


def _require_sane(config: ModelConfig) -> None:
    """Types and sizes that a file from elsewhere may have got wrong."""
    sides, ids = config.contract.size_wh, config.ids
    texts = all(isinstance(name, str) for name in config.class_names)
    numbers = all(type(number) is int for number in (*sides, *ids))
    if not (
        texts and numbers and len(sides) == 2 and len(config.contract.mean) == 3 == len(config.contract.std)
    ):
        raise ConfigError(
            "Class names must be text, sides and ids whole numbers, mean and deviation three numbers."
        )
    if len(config.class_names) > MAX_CLASSES or max(sides) > MAX_INPUT_SIDE_PX:
        raise ConfigError(
            f"A model has at most {MAX_CLASSES:,} classes and an input of at most {MAX_INPUT_SIDE_PX:,} px "
            f"a side, got {len(config.class_names):,} and {max(sides):,}."
        )
    if config.activation not in get_args(Activation):
        raise ConfigError(f"An activation is 'softmax' or 'sigmoid', got {config.activation!r}.")
