"""Backbones: torchvision's classifiers without their classifier, as feature maps of strides 8, 16, 32."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from ssd.contract import Backbone, SmallConfig
from ssd.errors import ConfigError
from ssd.models.small import SmallBackbone, halved, norm_conv

__all__ = ["Pyramid", "Trunk", "make_trunk", "trunk_state"]


@dataclass(frozen=True)
class _Kind:
    """Where the feature maps of one of torchvision's classifiers are.

    Attributes:
        prefix: of the layers' names in a state dict.
        taps: index of the layer after which each map is taken, finest first.
        channels: of each map.
        early: number of layers up to stride 8.
        rounds_up: half of an odd side is rounded up; VGG's pooling rounds down.
    """

    prefix: str
    taps: tuple[int, int, int]
    channels: tuple[int, int, int]
    early: int
    rounds_up: bool = True


_KINDS: dict[str, _Kind] = {
    "resnet18": _Kind("", (5, 6, 7), (128, 256, 512), 6),
    "resnet34": _Kind("", (5, 6, 7), (128, 256, 512), 6),
    "resnet50": _Kind("", (5, 6, 7), (512, 1024, 2048), 6),
    "vgg16": _Kind("features.", (22, 29, 30), (512, 512, 512), 17, rounds_up=False),
    "mobilenet_v3_large": _Kind("features.", (6, 12, 16), (40, 112, 960), 7),
}


class Trunk(nn.Module):
    """One of torchvision's classifiers up to its last feature map.

    The names of its tensors are torchvision's own behind ``layers.``.

    Attributes:
        channels: of the three maps.
    """

    def __init__(self, name: Backbone) -> None:
        """Build it with random weights.

        Raises:
            ConfigError: the name is none of torchvision's.
        """
        super().__init__()
        if name not in _KINDS:
            raise ConfigError(f"A backbone of torchvision is one of {', '.join(_KINDS)}, got {name!r}.")
        from torchvision import models

        kind = _KINDS[name]
        network = _vgg16_features() if name == "vgg16" else getattr(models, name)(weights=None)
        if name == "mobilenet_v3_large":
            network = network.features
        self.layers = nn.Sequential()
        for key, layer in list(network.named_children())[: kind.taps[-1] + 1]:
            self.layers.add_module(key, layer)
        self.channels: tuple[int, ...] = kind.channels
        self._taps, self._early, self._rounds_up = kind.taps, kind.early, kind.rounds_up

    def forward(self, pictures: Tensor) -> list[Tensor]:
        """Maps of strides 8, 16 and 32."""
        x, features = pictures, []
        for index, layer in enumerate(self.layers):
            x = layer(x)
            if index in self._taps:
                features.append(x)
        return features

    def cells(self, pixels: int) -> tuple[int, ...]:
        """Cells of each map along a side of so many pixels."""
        return tuple(-(-pixels // stride) if self._rounds_up else pixels // stride for stride in (8, 16, 32))

    def halves(self) -> tuple[tuple[nn.Module, ...], tuple[nn.Module, ...]]:
        """Layers up to stride 8, and those after."""
        layers = tuple(self.layers)
        return layers[: self._early], layers[self._early :]


def _vgg16_features() -> nn.Sequential:
    """VGG16 without ever filling its classifier, which has 124 million weights."""
    from torchvision import models

    with torch.device("meta"):
        network = models.vgg16(weights=None, init_weights=False)
    features: nn.Sequential = network.features.to_empty(device="cpu")
    for layer in features:
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
            nn.init.zeros_(cast(Tensor, layer.bias))
    return features


def make_trunk(name: Backbone, small: SmallConfig | None = None) -> Trunk | SmallBackbone:
    """A backbone with three feature maps.

    Args:
        name: ours or one of torchvision's.
        small: widths and depths of ours.

    Returns:
        A module with ``channels``; pictures go in, maps of strides 8, 16 and 32 come out.

    Example:
        >>> [tuple(x.shape[1:]) for x in make_trunk("resnet18").eval()(torch.zeros(1, 3, 64, 96))]
        [(128, 8, 12), (256, 4, 6), (512, 2, 3)]
    """
    return SmallBackbone(num_levels=3, config=small) if name == "small" else Trunk(name)


def trunk_state(name: Backbone, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A classifier's tensors under the names that a :class:`Trunk` has for them.

    Args:
        name: one of torchvision's backbones.
        state: its state dict, as torchvision publishes it.

    Returns:
        The tensors of the layers that the trunk keeps.

    Example:
        >>> sorted(trunk_state("resnet18", {"conv1.weight": torch.zeros(1), "fc.bias": torch.zeros(1)}))
        ['layers.conv1.weight']
    """
    prefix = _KINDS[name].prefix
    kept = {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
    heads = ("fc.", "classifier.", "avgpool.")
    return {f"layers.{key}": value for key, value in kept.items() if not key.startswith(heads)}


class Pyramid(nn.Module):
    """A trunk and extra levels that halve the grid.

    Attributes:
        channels: of each level.
    """

    def __init__(self, trunk: Trunk | SmallBackbone, *, num_levels: int, width: int = 256) -> None:
        """Put extra levels on a trunk.

        Raises:
            ConfigError: fewer levels than the trunk has.
        """
        super().__init__()
        if num_levels < len(trunk.channels):
            raise ConfigError(
                f"This backbone has levels of strides 8, 16, 32 …: at least 3, got {num_levels}."
            )
        self.trunk = trunk
        count = num_levels - len(trunk.channels)
        self.channels = (*trunk.channels, *(width,) * count)
        self.extra = nn.ModuleList(
            nn.Sequential(
                norm_conv(inputs, width // 2, kernel=1), norm_conv(width // 2, width, kernel=3, stride=2)
            )
            for inputs in (trunk.channels[-1], *(width,) * count)[:count]
        )

    def forward(self, pictures: Tensor) -> list[Tensor]:
        """One feature map a level, finest first."""
        features: list[Tensor] = self.trunk(pictures)
        for level in self.extra:
            features.append(level(features[-1]))
        return features

    def cells(self, pixels: int) -> tuple[int, ...]:
        """Cells of each level along a side of so many pixels."""
        own = self.trunk.cells(pixels)
        return (*own, *(halved(own[-1], k + 1) for k in range(len(self.extra))))

    def halves(self) -> tuple[tuple[nn.Module, ...], tuple[nn.Module, ...]]:
        """The trunk's layers; the extra levels are new and belong to the head."""
        return self.trunk.halves()
