"""The evaluation transform: the one way a picture becomes a network's input."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.nn.functional import interpolate

__all__ = ["evaluation_input"]


def evaluation_input(
    picture: UInt8[Tensor, "3 h w"],
    *,
    size_wh: tuple[int, int],
    mean: tuple[float, float, float],
    std: tuple[float, float, float],
    resize: Literal["antialias", "bilinear"],
) -> Float[Tensor, "3 _ _"]:
    """Stretch a picture to the network's size and normalise its colours.

    Boxes in [0, 1] units stay as they are: stretching does not move them.

    Args:
        picture: RGB, 0..255.
        size_wh: width and height of the network's input.
        mean: of each colour, for values in 0–1.
        std: of each colour, for values in 0–1.
        resize: ``"antialias"`` averages over what a smaller picture leaves out;
            ``"bilinear"`` normalises first and then takes the four nearest pixels.

    Returns:
        The input, float32, ``size_wh`` wide and high.

    Source:
        torchvision, GeneralizedRCNNTransform with ``fixed_size`` (``"bilinear"``).

    Example:
        >>> grey = torch.full((3, 2, 4), 51, dtype=torch.uint8)
        >>> plain = {"mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0)}
        >>> evaluation_input(grey, size_wh=(2, 1), resize="bilinear", **plain)[0]
        tensor([[0.2000, 0.2000]])
    """
    width, height = size_wh
    if resize == "antialias":
        from torchvision.transforms.v2 import functional

        small = functional.resize(picture, [height, width], antialias=True)
        return _normalised(small, mean, std)
    normal = _normalised(picture, mean, std)[None]
    return interpolate(normal, size=(height, width), mode="bilinear", align_corners=False)[0]


def _normalised(picture: Tensor, mean: tuple[float, ...], std: tuple[float, ...]) -> Tensor:
    """0..255 → 0–1 → (value − mean) / std, colour by colour."""
    shift, scale = torch.tensor(mean)[:, None, None], torch.tensor(std)[:, None, None]
    return (picture.to(torch.float32) / 255 - shift) / scale
