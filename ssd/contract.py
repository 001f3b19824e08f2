"""What a network expects and what it answers with: all that must travel in its checkpoint."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from ssd.config import AnchorConfig, CoderConfig, SelectionConfig
from ssd.errors import ConfigError

__all__ = ["ARCHITECTURES", "Activation", "Architecture", "InputContract", "ModelConfig"]

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
            raise ConfigError(f"An input needs a positive size and deviations, got {self.size_wh} and {self.std}.")
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
    coder: CoderConfig = CoderConfig()
    activation: Activation = "softmax"
    selection: SelectionConfig = SelectionConfig()
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
                f"Class names must be different, not empty and not 'background', got {list(self.class_names)}."
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
