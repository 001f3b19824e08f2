"""The lesson's heads on a classifier's last feature map: 4 × 4 cells, several grids, one linear layer."""

from __future__ import annotations

from torch import Tensor, nn

from ssd.contract import ModelConfig
from ssd.models.small import halved
from ssd.models.trunks import make_trunk

__all__ = ["LastMap", "LessonLevels", "LinearHead"]

_WIDTH = 256  # channels of the lesson's head
_MAX_GRID = 7  # cells along a side of what a linear layer is put on: 224 / 32


class _Convolution(nn.Module):
    """3×3 convolution, ReLU, batch norm, dropout: in the lesson's order."""

    def __init__(self, inputs: int, *, stride: int, dropout: float) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, _WIDTH, 3, stride=stride, padding=1)
        self.relu = nn.ReLU(inplace=True)
        self.norm = nn.BatchNorm2d(_WIDTH)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.dropout(self.norm(self.relu(self.conv(x))))
        return out


class LessonLevels(nn.Module):
    """A trunk, one convolution on its last map, and one of stride 2 before each level.

    Attributes:
        channels: of each level.
    """

    def __init__(self, config: ModelConfig, *, num_levels: int) -> None:
        super().__init__()
        self.trunk = make_trunk(config.backbone, config.small)
        after = config.dropout if config.dropout_convs is None else config.dropout_convs
        self.dropout = nn.Dropout(config.dropout)
        self.first = _Convolution(self.trunk.channels[-1], stride=1, dropout=after)
        self.steps = nn.ModuleList(_Convolution(_WIDTH, stride=2, dropout=after) for _ in range(num_levels))
        self.channels = (_WIDTH,) * num_levels

    def forward(self, pictures: Tensor) -> list[Tensor]:
        """One feature map a level: 7 × 7 → 4 × 4 → 2 × 2 → 1 × 1."""
        x, features = self.first(self.dropout(self.trunk(pictures)[-1].relu())), []
        for step in self.steps:
            x = step(x)
            features.append(x)
        return features

    def cells(self, pixels: int) -> tuple[int, ...]:
        """Cells of each level along a side of so many pixels."""
        last = self.trunk.cells(pixels)[-1]
        return tuple(halved(last, k + 1) for k in range(len(self.steps)))

    def halves(self) -> tuple[tuple[nn.Module, ...], tuple[nn.Module, ...]]:
        """The trunk's layers; the lesson's own are the head."""
        return self.trunk.halves()


class LastMap(nn.Module):
    """A trunk's last map alone, pooled to the grid that it has at the contract's size.

    Attributes:
        channels: of the map.
        grid_wh: its cells across and down, at most 7 × 7.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.trunk = make_trunk(config.backbone, config.small)
        self.channels = self.trunk.channels[-1:]
        columns, rows = (max(self.trunk.cells(side)[-1], 1) for side in config.contract.size_wh)
        self.grid_wh = min(columns, _MAX_GRID), min(rows, _MAX_GRID)
        self.pool = nn.AdaptiveAvgPool2d(self.grid_wh[::-1])  # the identity at the contract's size
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, pictures: Tensor) -> list[Tensor]:
        """The map, as a list of one."""
        return [self.dropout(self.pool(self.trunk(pictures)[-1].relu()))]

    def cells(self, pixels: int) -> tuple[int, ...]:
        """Cells of the trunk's map along a side of so many pixels, before it is pooled."""
        return self.trunk.cells(pixels)[-1:]

    def halves(self) -> tuple[tuple[nn.Module, ...], tuple[nn.Module, ...]]:
        """The trunk's layers."""
        return self.trunk.halves()


class LinearHead(nn.Module):
    """Codes and logits of all cells as a linear function of a whole map: every cell sees everything.

    Source: Redmon et al., You Only Look Once, CVPR 2016, section 2 (its fully connected layers).
    """

    def __init__(self, inputs: int, *, anchors: int, num_logits: int) -> None:
        super().__init__()
        self.num_logits = num_logits
        self.codes = nn.Linear(inputs, anchors * 4)
        self.logits = nn.Linear(inputs, anchors * num_logits)

    def forward(self, feature: Tensor) -> tuple[Tensor, Tensor]:
        """(b, anchors, 4) and (b, anchors, logits), in the order of the anchors."""
        flat = feature.flatten(1)
        rows = len(flat), -1
        return self.codes(flat).view(*rows, 4), self.logits(flat).view(*rows, self.num_logits)
