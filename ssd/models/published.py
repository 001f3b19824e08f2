"""What torchvision publishes: detectors with COCO weights, backbones with ImageNet weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ssd.contract import ModelConfig
from ssd.errors import ConfigError

__all__ = [
    "BACKBONE_NAMES",
    "TORCHVISION_NAMES",
    "PublishedWeights",
    "published_backbone",
    "published_record",
    "published_weights",
]

TORCHVISION_NAMES: tuple[str, ...] = ("ssd300_vgg16", "ssdlite320_mobilenet_v3_large")

# Name here → torchvision's name of the model and of its weights.
_BACKBONES: dict[str, tuple[str, str]] = {
    "resnet18": ("resnet18", "IMAGENET1K_V1"),
    "resnet34": ("resnet34", "IMAGENET1K_V1"),
    "resnet50": ("resnet50", "IMAGENET1K_V1"),
    "mobilenet_v3_large": ("mobilenet_v3_large", "IMAGENET1K_V1"),
    "vgg16": ("vgg16", "IMAGENET1K_V1"),
    "vgg16_features": ("vgg16", "IMAGENET1K_FEATURES"),  # Caffe's, for inputs in 0–255 less the mean
}
BACKBONE_NAMES: tuple[str, ...] = tuple(_BACKBONES)


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


def published_weights(name: str) -> PublishedWeights:
    """Where torchvision publishes a detector's COCO weights or a backbone's ImageNet weights.

    Args:
        name: one of ``TORCHVISION_NAMES`` or ``BACKBONE_NAMES``.

    Returns:
        Address, size and the start of the SHA-256.

    Raises:
        ConfigError: the name is another one.

    Example:
        >>> published_weights("ssd300_vgg16").sha256_start
        'b556d3b4'
    """
    weights = published_record(name)
    file_name = weights.url.rsplit("/", 1)[-1]
    start = file_name.rsplit(".", 1)[0].rsplit("-", 1)[-1]
    return PublishedWeights(weights.url, file_name, start, float(weights.meta["_file_size"]))


def published_backbone(config: ModelConfig) -> str | None:
    """Which published weights a network's backbone can start from.

    Args:
        config: of the network.

    Returns:
        One of ``BACKBONE_NAMES``; ``None`` for our small backbone and for torchvision's
        own detectors, which have COCO weights instead.

    Example:
        >>> from ssd.model_presets import model_preset
        >>> published_backbone(model_preset("ssd-4x4", ("cat",)))
        'resnet34'
    """
    if config.architecture.startswith("torchvision-") or config.backbone == "small":
        return None
    return "vgg16_features" if config.architecture == "ssd300-vgg16" else config.backbone


def published_record(name: str) -> Any:
    """Torchvision's own record of published weights.

    Args:
        name: one of ``TORCHVISION_NAMES`` or ``BACKBONE_NAMES``.

    Returns:
        A member of torchvision's ``WeightsEnum``.

    Raises:
        ConfigError: the name is another one.
    """
    known = (*TORCHVISION_NAMES, *BACKBONE_NAMES)
    if name not in known:
        raise ConfigError(f"Published weights are those of {', '.join(known)}, got {name[:80]!r}.")
    from torchvision.models import get_model_weights

    model, weights = _BACKBONES.get(name, (name, "COCO_V1"))
    return get_model_weights(model)[weights]
