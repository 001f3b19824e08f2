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
    "Activation",
    "Architecture",
    "InputContract",
    "ModelConfig",
    "config_from_dict",
    "config_to_dict",
]

Architecture = Literal["ssd-small", "torchvision-ssd300-vgg16", "torchvision-ssdlite320"]
ARCHITECTURES: tuple[Architecture, ...] = ("ssd-small", "torchvision-ssd300-vgg16", "torchvision-ssdlite320")
Activation = Literal["softmax", "sigmoid"]
_IMAGENET_MEAN = (0.485, 0.456, 0.406)  # torchvision, classification presets
_IMAGENET_STD = (0.229, 0.224, 0.225)


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
class ModelConfig:
    """A detector without its weights.

    Attributes:
        architecture: which network.
        class_names: of the objects, in the order of labels 1..C.
        anchors: the anchor configuration.
        contract: the input.
        coder: how codes become boxes.
        activation: ``"softmax"`` has C + 1 logits with background first, ``"sigmoid"`` C.
        selection: the thresholds its source recommends for evaluation.
        category_ids: ids of the classes in results files; ``None``: 1..C.
    """

    architecture: Architecture
    class_names: tuple[str, ...]
    anchors: AnchorConfig
    contract: InputContract = InputContract()
    coder: CoderConfig = field(default_factory=CoderConfig)
    activation: Activation = "softmax"
    selection: SelectionConfig = field(default_factory=SelectionConfig)
    category_ids: tuple[int, ...] | None = None

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

    @property
    def num_logits(self) -> int:
        """Columns of the logits: with background for softmax."""
        return len(self.class_names) + (1 if self.activation == "softmax" else 0)

    @property
    def ids(self) -> tuple[int, ...]:
        """Category id of each class, in the order of labels."""
        return self.category_ids or tuple(range(1, len(self.class_names) + 1))


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
    return {**asdict(config), "anchors": {"kind": kind, **asdict(config.anchors)}}


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
            fields[name] = record(**fields[name])
        config = ModelConfig(**fields)
        _require_sane(config)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise ConfigError(
            f"A model's configuration needs its classes, anchors, input, coder and selection; "
            f"got something else ({type(error).__name__}); write the file again."
        ) from error
    return config


_PARTS: dict[str, Callable[..., object]] = {
    "contract": InputContract,
    "coder": CoderConfig,
    "selection": SelectionConfig,
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
