"""What every detector has: its configuration, its anchors, and anchors for pictures of other sizes."""

from __future__ import annotations

from abc import abstractmethod
from typing import Literal

from torch import nn

from ssd.anchors import Anchors, make_anchors, resized_anchors
from ssd.contract import ModelConfig
from ssd.errors import ConfigError

__all__ = ["Detector", "Halves"]

Halves = tuple[tuple[nn.Module, ...], tuple[nn.Module, ...]]


class Detector(nn.Module):
    """A single shot detector, ours or torchvision's.

    Attributes:
        config: everything but the weights.
        anchors: one for each row of the predictions on pictures of the contract's size.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.anchors: Anchors = make_anchors(config.anchors)

    @abstractmethod
    def cells(self, pixels: int) -> tuple[int, ...]:
        """Cells of each level along a side of so many pixels; below 1 where it is too short."""

    @abstractmethod
    def halves(self) -> Halves:
        """The backbone's layers up to stride 8, and its others."""

    def grids_at(self, size_wh: tuple[int, int]) -> tuple[tuple[int, int], ...]:
        """Cells across and down of each level for pictures of another size.

        Args:
            size_wh: width and height in pixels.

        Returns:
            One grid a level.

        Raises:
            ConfigError: the pictures are too small for the layers.
        """
        columns, rows = (self.cells(side) for side in size_wh)
        if min(*columns, *rows) < 1:
            raise ConfigError(
                f"A picture of {size_wh[0]} × {size_wh[1]} pixels is too small for the layers of this "
                "network; choose a larger input."
            )
        return tuple(zip(columns, rows, strict=True))

    def anchors_at(
        self, size_wh: tuple[int, int], *, keep: Literal["pixels", "shares"] = "pixels"
    ) -> Anchors:
        """The anchors for pictures of another size.

        Args:
            size_wh: width and height in pixels.
            keep: ``"pixels"``: an anchor has as many pixels as before, so that on a
                smaller picture it is a larger part of it; ``"shares"``: it is the same
                part of the picture.

        Returns:
            One anchor for each row of the predictions on such pictures.

        Raises:
            ConfigError: the pictures are too small for the layers.
        """
        own, scale = self.config.contract.size_wh, (1.0, 1.0)
        if keep == "pixels":
            scale = (own[0] / size_wh[0], own[1] / size_wh[1])
        return resized_anchors(self.config.anchors, grids_wh=self.grids_at(size_wh), scale_wh=scale)

    def require_grids(self) -> None:
        """Refuse anchors whose grids are not those of the feature maps.

        Raises:
            ConfigError: they differ; both are named.
        """
        width, height = self.config.contract.size_wh
        found = list(self.grids_at((width, height)))
        wanted = [level.grid_wh for level in self.config.anchors.levels()]
        if found != wanted:
            raise ConfigError(
                f"At {width} × {height} pixels the feature maps are {found}, the anchors' grids {wanted}; "
                "choose anchors with the grids of the feature maps."
            )
