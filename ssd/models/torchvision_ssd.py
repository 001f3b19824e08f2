"""torchvision's two single shot detectors behind the same face as our own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from jaxtyping import Float
from torch import Tensor, nn

from ssd.config import ANCHOR_PRESETS
from ssd.contract import Architecture, ModelConfig
from ssd.errors import ConfigError
from ssd.model_presets import model_preset
from ssd.models.detector import Detector, Halves
from ssd.models.outputs import RawPredictions
from ssd.models.published import TORCHVISION_NAMES, published_record
from ssd.models.small import halved
from ssd.models.vgg import vgg300_cells

__all__ = ["TorchvisionSSD", "torchvision_config"]


_NAMES: dict[Architecture, str] = {
    "torchvision-ssd300-vgg16": "ssd300_vgg16",
    "torchvision-ssdlite320": "ssdlite320_mobilenet_v3_large",
}


def torchvision_config(name: str) -> ModelConfig:
    """The configuration of one of torchvision's detectors with COCO classes.

    COCO's 80 classes have ids from 1 to 90. The ten ids that COCO does not use are
    kept as classes called ``unused 12`` and so on: they take part in the softmax, so
    that scores and category ids are torchvision's own.

    Args:
        name: one of ``TORCHVISION_NAMES``.

    Returns:
        Classes, anchors, input contract and the thresholds that torchvision uses.

    Raises:
        ConfigError: the name is another one.

    Source:
        torchvision, models/detection/ssd.py and ssdlite.py.

    Example:
        >>> config = torchvision_config("ssd300_vgg16")
        >>> config.class_names[0], config.class_names[11], len(config.class_names)
        ('person', 'unused 12', 90)
    """
    _require_known(name)
    names = published_record(name).meta["categories"][1:]
    classes = tuple(f"unused {k}" if text == "N/A" else text for k, text in enumerate(names, start=1))
    (architecture,) = (key for key, value in _NAMES.items() if value == name)
    return model_preset(architecture, classes)


class TorchvisionSSD(Detector):
    """One of torchvision's detectors; its transform and post-processing are ours.

    Attributes:
        network: torchvision's module, whose state dict files hold.
    """

    def __init__(self, config: ModelConfig) -> None:
        """Build the network with random weights.

        Raises:
            ConfigError: it is no torchvision model, or not with its anchors, input and softmax.
        """
        super().__init__(config)
        name = _NAMES.get(config.architecture, config.architecture)
        _require_known(name)
        own = model_preset(config.architecture, config.class_names)
        fixed = ("anchors", "contract", "activation")
        if any(getattr(own, field) != getattr(config, field) for field in fixed):
            raise ConfigError(
                f"{name} must have the anchors of {_anchors_name(own)}, its own input and softmax, "
                "got others; start from torchvision_config."
            )
        self.network = _constructor(name)(weights=None, weights_backbone=None, num_classes=config.num_logits)

    def cells(self, pixels: int) -> tuple[int, ...]:
        """Cells of each level along a side of so many pixels."""
        if self.config.architecture == "torchvision-ssdlite320":
            return tuple(halved(pixels, 4 + k) for k in range(6))
        return vgg300_cells(pixels)

    def halves(self) -> Halves:
        """The classifier's layers up to stride 8, and its others; extra levels belong to the head."""
        backbone: Any = self.network.backbone
        if self.config.architecture == "torchvision-ssdlite320":
            first, last = backbone.features[0], backbone.features[1]
            return tuple(first[:7]), (*first[7:], last)
        return tuple(backbone.features[:17]), (*backbone.features[17:], *backbone.extra[0][:7])

    def forward(self, pictures: Float[Tensor, "b 3 h w"]) -> RawPredictions:
        """Raw predictions for normalised pictures of the contract's size."""
        backbone, head = cast(nn.Module, self.network.backbone), cast(nn.Module, self.network.head)
        features: dict[str, Tensor] = backbone(pictures)
        outputs: dict[str, Tensor] = head(list(features.values()))
        return RawPredictions(
            codes=outputs["bbox_regression"], logits=outputs["cls_logits"], activation=self.config.activation
        )


def _require_known(name: str) -> None:
    """The name must be one of torchvision's."""
    if name not in TORCHVISION_NAMES:
        raise ConfigError(f"A torchvision detector is one of {', '.join(TORCHVISION_NAMES)}, got {name!r}.")


def _anchors_name(config: ModelConfig) -> str:
    """The name of a configuration's anchors."""
    return next(name for name, preset in ANCHOR_PRESETS.items() if preset.anchors == config.anchors)


def _constructor(name: str) -> Callable[..., nn.Module]:
    """Torchvision's function that builds the model."""
    from torchvision.models import detection

    build: Callable[..., nn.Module] = getattr(detection, name)
    return build
