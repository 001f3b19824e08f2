"""The SSD module: backbone → top-down connection → heads on every level → raw predictions."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ssd.anchors import Anchors, make_anchors
from ssd.contract import Activation, ModelConfig
from ssd.errors import ConfigError
from ssd.models.small import SmallBackbone, TopDown

__all__ = ["RawPredictions", "SSDNetwork", "build_model"]

_PRIOR = 0.01  # share of positive anchors the bias starts from; Lin et al., Focal Loss, section 4.1
_WIDTH = 96  # channels of every level after the top-down connection


class RawPredictions(NamedTuple):
    """What the network says of every anchor, before anything is decided.

    A named tuple, because Fabric's wrapper walks through a network's output and
    refuses frozen dataclasses.

    Attributes:
        codes: regression values of each anchor.
        logits: of each class; with background in column 0 for softmax.
        activation: what turns logits into scores.
    """

    codes: Float[Tensor, "b a 4"]
    logits: Float[Tensor, "b a c"]
    activation: Activation

    def scores(self) -> Float[Tensor, "b a k"]:
        """Scores of the classes 1..C in 0–1, without a background column."""
        if self.activation == "softmax":
            return torch.softmax(self.logits.to(torch.float32), dim=-1)[..., 1:]
        return torch.sigmoid(self.logits.to(torch.float32))


class SSDNetwork(nn.Module):
    """A single shot detector.

    Attributes:
        config: everything but the weights.
        anchors: one for each row of the predictions.
    """

    def __init__(self, config: ModelConfig) -> None:
        """Build the network of ``config`` with random weights.

        Raises:
            ConfigError: the backbone's feature maps are not the grids of the anchors.
        """
        super().__init__()
        self.config = config
        self.anchors: Anchors = make_anchors(config.anchors)
        levels = config.anchors.levels()
        self.backbone = SmallBackbone(num_levels=len(levels))
        self.top_down = TopDown(self.backbone.channels, width=_WIDTH)
        self.heads = nn.ModuleList(_Head(_WIDTH, len(level.shapes_wh), config.num_logits) for level in levels)
        _start_quiet(self.heads, config)
        self._require_grids([level.grid_wh for level in levels])

    def _require_grids(self, wanted: list[tuple[int, int]]) -> None:
        """The feature maps must be the anchors' grids."""
        width, height = self.config.contract.size_wh
        found = [(-(-width // s), -(-height // s)) for s in self.backbone.strides]
        if found != wanted:
            raise ConfigError(
                f"At {width} × {height} pixels the feature maps are {found}, the anchors' grids {wanted}; "
                "choose anchors with the grids of the feature maps."
            )

    def forward(self, pictures: Float[Tensor, "b 3 h w"]) -> RawPredictions:
        """Raw predictions for normalised pictures of the contract's size."""
        features = self.top_down(self.backbone(pictures))
        outputs = [head(feature) for head, feature in zip(self.heads, features, strict=True)]
        codes = torch.cat([codes for codes, _ in outputs], dim=1)
        logits = torch.cat([logits for _, logits in outputs], dim=1)
        return RawPredictions(codes=codes, logits=logits, activation=self.config.activation)


class _Head(nn.Module):
    """Codes and logits of one level, in the order of its anchors."""

    def __init__(self, channels: int, shapes: int, num_logits: int) -> None:
        super().__init__()
        self.num_logits = num_logits
        self.codes = nn.Conv2d(channels, shapes * 4, 3, padding=1)
        self.logits = nn.Conv2d(channels, shapes * num_logits, 3, padding=1)

    def forward(self, feature: Tensor) -> tuple[Tensor, Tensor]:
        """(b, anchors of the level, 4) and (b, anchors of the level, logits)."""
        return _rows(self.codes(feature), 4), _rows(self.logits(feature), self.num_logits)


def _rows(maps: Tensor, columns: int) -> Tensor:
    """(b, shapes · columns, h, w) → (b, h · w · shapes, columns): row by row, as anchors run."""
    return maps.permute(0, 2, 3, 1).reshape(maps.shape[0], -1, columns)


def _start_quiet(heads: nn.ModuleList, config: ModelConfig) -> None:
    """Small predictor weights; a bias that expects background almost everywhere."""
    for head in cast(list[_Head], list(heads)):
        for conv in (head.codes, head.logits):
            nn.init.normal_(conv.weight, std=0.01)
            nn.init.zeros_(cast(Tensor, conv.bias))
        bias = cast(Tensor, head.logits.bias).data.view(-1, config.num_logits)
        odds = torch.log(torch.tensor((1 - _PRIOR) / _PRIOR))
        if config.activation == "softmax":
            bias[:, 0] = odds + torch.log(torch.tensor(float(len(config.class_names))))
        else:
            bias[:] = -odds


def build_model(config: ModelConfig) -> nn.Module:
    """The network of a configuration, with random weights, in training mode.

    Args:
        config: architecture, classes, anchors, input contract.

    Returns:
        A module with ``config`` and ``anchors`` whose ``forward`` gives
        :class:`RawPredictions`.

    Raises:
        ConfigError: anchors and feature maps do not agree.

    Example:
        >>> from ssd.config import anchor_preset
        >>> config = ModelConfig("ssd-small", ("circle", "star"), anchor_preset("small320").anchors)
        >>> build_model(config).eval()(torch.zeros(1, 3, 320, 320)).logits.shape
        torch.Size([1, 9500, 3])
    """
    return _BUILDERS[config.architecture](config)


def _torchvision(config: ModelConfig) -> nn.Module:
    """torchvision's detectors behind the same face."""
    from ssd.models.torchvision_ssd import TorchvisionSSD

    return TorchvisionSSD(config)


_BUILDERS: dict[str, Callable[[ModelConfig], nn.Module]] = {
    "ssd-small": SSDNetwork,
    "torchvision-ssd300-vgg16": _torchvision,
    "torchvision-ssdlite320": _torchvision,
}
