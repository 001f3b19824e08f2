"""A small residual backbone with batch norm, and the top-down connection over its levels.

Batch norm in backbone and heads is what lets a detector train from scratch
(DSOD, ScratchDet; facts.md). Strides are 8, 16, 32, 64 …
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from ssd.contract import SmallConfig
from ssd.errors import ConfigError

__all__ = ["SmallBackbone", "TopDown", "halved", "norm_conv"]


def halved(cells: int, times: int) -> int:
    """Cells along a side after some 3×3 convolutions of stride 2 with a border of one cell.

    Args:
        cells: before, or pixels.
        times: how many convolutions.

    Returns:
        Cells after them; half of an odd number is rounded up.

    Example:
        >>> halved(300, 3)
        38
    """
    return -(-cells // (1 << times))


def norm_conv(inputs: int, outputs: int, *, kernel: int, stride: int = 1, relu: bool = True) -> nn.Sequential:
    """Convolution, batch norm and (mostly) ReLU.

    Args:
        inputs: channels in.
        outputs: channels out.
        kernel: side of the kernel, odd.
        stride: the grid is divided by it, rounded up.
        relu: false leaves the ReLU to a later sum.

    Returns:
        The layers, without a bias beside the norm.

    Example:
        >>> norm_conv(3, 8, kernel=3, stride=2)(torch.zeros(1, 3, 5, 5)).shape
        torch.Size([1, 8, 3, 3])
    """
    layers: list[nn.Module] = [
        nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
    ]
    return nn.Sequential(*layers, nn.ReLU(inplace=True)) if relu else nn.Sequential(*layers)


class _Residual(nn.Module):
    """Two 3×3 convolutions around a shortcut. Source: He et al., CVPR 2016, section 3."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.first = norm_conv(inputs, outputs, kernel=3, stride=stride)
        self.second = norm_conv(outputs, outputs, kernel=3, relu=False)
        same = stride == 1 and inputs == outputs
        self.shortcut = (
            nn.Identity() if same else norm_conv(inputs, outputs, kernel=1, stride=stride, relu=False)
        )
        nn.init.zeros_(cast(Tensor, self.second[1].weight))  # each block starts as its shortcut

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.second(self.first(x)) + self.shortcut(x))


class SmallBackbone(nn.Module):
    """Feature maps at strides 8, 16, 32 …, finest first.

    Attributes:
        channels: of each level.
    """

    def __init__(self, *, num_levels: int, config: SmallConfig | None = None) -> None:
        """Build it with random weights.

        Raises:
            ConfigError: the configuration has no stage for some level.
        """
        super().__init__()
        config = SmallConfig() if config is None else config
        if num_levels >= len(config.stages):
            raise ConfigError(
                f"{num_levels} levels of anchors need {num_levels + 1} stages, got {len(config.stages)}; "
                "give the small backbone more stages."
            )
        quarter, self.channels = config.stages[0], config.stages[1 : num_levels + 1]
        self.stem = nn.Sequential(
            norm_conv(3, config.stem, kernel=3, stride=2),
            *_blocks(config.stem, quarter, config.blocks[0]),
        )
        inputs, counts = (quarter, *self.channels[:-1]), config.blocks[1:]
        self.levels = nn.ModuleList(
            nn.Sequential(*_blocks(i, o, count))
            for i, o, count in zip(inputs, self.channels, counts, strict=False)
        )

    def forward(self, pictures: Tensor) -> list[Tensor]:
        """One feature map a level."""
        x, features = self.stem(pictures), []
        for level in self.levels:
            x = level(x)
            features.append(x)
        return features

    def cells(self, pixels: int) -> tuple[int, ...]:
        """Cells of each level along a side of so many pixels."""
        return tuple(halved(pixels, 3 + k) for k in range(len(self.channels)))

    def halves(self) -> tuple[tuple[nn.Module, ...], tuple[nn.Module, ...]]:
        """Layers up to stride 8, and those after."""
        return (self.stem, *self.levels[:1]), tuple(self.levels[1:])


def _blocks(inputs: int, outputs: int, count: int) -> list[nn.Module]:
    """Residual blocks of which the first halves the grid."""
    return [_Residual(inputs, outputs, 2), *(_Residual(outputs, outputs, 1) for _ in range(count - 1))]


class TopDown(nn.Module):
    """Coarse levels tell fine ones what they saw. Source: Lin et al., FPN, CVPR 2017, section 3."""

    def __init__(self, channels: tuple[int, ...], *, width: int) -> None:
        super().__init__()
        self.lateral = nn.ModuleList(norm_conv(c, width, kernel=1, relu=False) for c in channels)
        self.smooth = nn.ModuleList(norm_conv(width, width, kernel=3) for _ in channels)

    def forward(self, features: list[Tensor]) -> list[Tensor]:
        """As many maps as came in, all of one width."""
        merged = [lateral(feature) for lateral, feature in zip(self.lateral, features, strict=True)]
        for k in range(len(merged) - 2, -1, -1):
            up = nn.functional.interpolate(merged[k + 1], size=merged[k].shape[-2:], mode="nearest")
            merged[k] = merged[k] + up
        return [smooth(feature) for smooth, feature in zip(self.smooth, merged, strict=True)]
