"""torchvision's two single shot detectors behind the same face as our own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, cast

from jaxtyping import Float
from torch import Tensor, nn

from ssd.anchors import Anchors, make_anchors
from ssd.config import SELECTION_PRESETS, SelectionConfig, anchor_preset
from ssd.contract import Architecture, InputContract, ModelConfig
from ssd.errors import ConfigError
from ssd.models.network import RawPredictions

__all__ = [
    "TORCHVISION_NAMES",
    "PublishedWeights",
    "TorchvisionSSD",
    "published_weights",
    "torchvision_config",
]


@dataclass(frozen=True)
class PublishedWeights:
    """Where torchvision publishes a model's weights.

    Attributes:
        address: of the file.
        file_name: as torchvision names it.
        sha256_start: first digits of the file's SHA-256, part of the name.
        size_mb: megabytes (2^20 bytes), as torchvision states them.
    """

    address: str
    file_name: str
    sha256_start: str
    size_mb: float


@dataclass(frozen=True)
class _Kind:
    """What differs between the two models."""

    architecture: Architecture
    preset: str
    contract: InputContract
    selection: SelectionConfig


_KINDS: dict[str, _Kind] = {
    "ssd300_vgg16": _Kind(
        "torchvision-ssd300-vgg16",
        "ssd300-coco",
        InputContract(
            size_wh=(300, 300),
            mean=(0.48235, 0.45882, 0.40784),  # torchvision, ssd300_vgg16: of the Caffe weights
            std=(1 / 255, 1 / 255, 1 / 255),
            resize="bilinear",
        ),
        SELECTION_PRESETS["evaluation"],
    ),
    "ssdlite320_mobilenet_v3_large": _Kind(
        "torchvision-ssdlite320",
        "ssdlite320-coco",
        InputContract(
            size_wh=(320, 320), mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5), resize="bilinear"
        ),  # torchvision, ssdlite320_mobilenet_v3_large: [0, 1] → [−1, 1]
        SELECTION_PRESETS["ssdlite"],
    ),
}
TORCHVISION_NAMES: tuple[str, ...] = tuple(_KINDS)
_NAMES: dict[Architecture, str] = {kind.architecture: name for name, kind in _KINDS.items()}


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
    kind = _kind(name)
    names = _weights(name).meta["categories"][1:]
    return ModelConfig(
        architecture=kind.architecture,
        class_names=tuple(f"unused {k}" if text == "N/A" else text for k, text in enumerate(names, start=1)),
        anchors=anchor_preset(kind.preset).anchors,
        contract=kind.contract,
        selection=kind.selection,
    )


def published_weights(name: str) -> PublishedWeights:
    """Where torchvision publishes the COCO weights of one of its detectors.

    Args:
        name: one of ``TORCHVISION_NAMES``.

    Returns:
        Address, size and the start of the SHA-256.

    Raises:
        ConfigError: the name is another one.

    Example:
        >>> published_weights("ssd300_vgg16").sha256_start
        'b556d3b4'
    """
    weights = _weights(name)
    file_name = weights.url.rsplit("/", 1)[-1]
    start = file_name.rsplit(".", 1)[0].rsplit("-", 1)[-1]
    return PublishedWeights(weights.url, file_name, start, float(weights.meta["_file_size"]))


class TorchvisionSSD(nn.Module):
    """One of torchvision's detectors; its transform and post-processing are ours.

    Attributes:
        config: everything but the weights.
        anchors: one for each row of the predictions, in torchvision's order.
        network: torchvision's module, whose state dict files hold.
    """

    def __init__(self, config: ModelConfig) -> None:
        """Build the network with random weights.

        Raises:
            ConfigError: it is no torchvision model, or not with its anchors, input and coder.
        """
        super().__init__()
        name = _NAMES.get(config.architecture, config.architecture)
        kind = _kind(name)
        own = replace(
            config, anchors=anchor_preset(kind.preset).anchors, contract=kind.contract, activation="softmax"
        )
        if own != config:
            raise ConfigError(
                f"{name} must have the anchors of {kind.preset}, its own input and softmax, got others; "
                "start from torchvision_config."
            )
        self.config = config
        self.anchors: Anchors = make_anchors(config.anchors)
        self.network = _constructor(name)(weights=None, weights_backbone=None, num_classes=config.num_logits)

    def forward(self, pictures: Float[Tensor, "b 3 h w"]) -> RawPredictions:
        """Raw predictions for normalised pictures of the contract's size."""
        backbone, head = cast(nn.Module, self.network.backbone), cast(nn.Module, self.network.head)
        features: dict[str, Tensor] = backbone(pictures)
        outputs: dict[str, Tensor] = head(list(features.values()))
        return RawPredictions(
            codes=outputs["bbox_regression"], logits=outputs["cls_logits"], activation=self.config.activation
        )


def _kind(name: str) -> _Kind:
    """The model of that name."""
    if name not in _KINDS:
        raise ConfigError(f"A torchvision detector is one of {', '.join(_KINDS)}, got {name!r}.")
    return _KINDS[name]


def _constructor(name: str) -> Callable[..., nn.Module]:
    """Torchvision's function that builds the model."""
    from torchvision.models import detection

    build: Callable[..., nn.Module] = getattr(detection, name)
    return build


def _weights(name: str) -> Any:
    """Torchvision's record of its COCO weights."""
    from torchvision.models import get_model_weights

    _kind(name)
    return get_model_weights(name).COCO_V1
