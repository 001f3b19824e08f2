"""Changes of colour: they move no box, and take a batch on any device as well as one picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from ssd.data.augment_config import AugmentConfig

__all__ = ["ColourChange", "change_colours", "colour_change"]

_BRIGHTNESS = 32.0  # of 255; Caffe-SSD, distort_param: each of the four with probability .5
_CONTRAST = (0.5, 1.5)
_SATURATION = (0.5, 1.5)
_HUE_DEG = 18.0  # Caffe adds 18 to OpenCV's half degrees, its ports to degrees: degrees here
_SEED_OF_COLOURS = 0x5EED


@dataclass(frozen=True)
class ColourChange:
    """What happens to the colours of one picture; the defaults change nothing.

    Attributes:
        light: added to every value, 0..255.
        light_contrast: factor on the distance from the picture's mean.
        brightness: added to every value, 0..255.
        contrast: factor on every value.
        saturation: factor on the saturation.
        hue_deg: angle added to the hue.
        contrast_first: contrast before saturation and hue, or after.
    """

    light: float = 0.0
    light_contrast: float = 1.0
    brightness: float = 0.0
    contrast: float = 1.0
    saturation: float = 1.0
    hue_deg: float = 0.0
    contrast_first: bool = True

    @property
    def words(self) -> tuple[str, ...]:
        """A few words for each change."""
        said = []
        if (self.light, self.light_contrast) != (0.0, 1.0):
            said.append(f"light {self.light / 255:+.2f}, contrast about the mean ×{self.light_contrast:.2f}")
        if self.brightness:
            said.append(f"brightness {self.brightness:+.0f}")
        for name in ("contrast", "saturation"):
            if getattr(self, name) != 1.0:
                said.append(f"{name} ×{getattr(self, name):.2f}")
        return (*said, f"hue {self.hue_deg:+.0f}°") if self.hue_deg else tuple(said)


def colour_change(config: AugmentConfig, *, seed: int) -> ColourChange:
    """Draw the change of one picture.

    Args:
        config: strength of ``lighting``, probability of ``photometric``.
        seed: the same seed gives the same change.

    Returns:
        The change; numbers that were not drawn change nothing.

    Source:
        Liu et al., SSD, ECCV 2016, section 2.2, after Howard, 2013; Caffe-SSD,
        im_transforms.cpp (DistortImage); the lesson's lighting.

    Example:
        >>> colour_change(AugmentConfig(), seed=0) == ColourChange()
        True
    """
    if not (config.lighting or config.photometric):
        return ColourChange()
    generator = torch.Generator().manual_seed(seed ^ _SEED_OF_COLOURS)
    drawn, at, sides = (torch.rand(n, generator=generator).tolist() for n in (5, 4, 2))
    change = ColourChange(contrast_first=drawn[4] < 0.5)
    if config.lighting:
        light, contrast = (config.lighting * (2 * side - 1) for side in sides)
        change = replace(change, light=255 * light, light_contrast=1 + contrast)
    values = {
        "brightness": _BRIGHTNESS * (2 * at[0] - 1),
        "contrast": _CONTRAST[0] + at[1] * (_CONTRAST[1] - _CONTRAST[0]),
        "saturation": _SATURATION[0] + at[2] * (_SATURATION[1] - _SATURATION[0]),
        "hue_deg": _HUE_DEG * (2 * at[3] - 1),
    }
    chosen = zip(values.items(), drawn, strict=False)
    return replace(change, **{name: value for (name, value), p in chosen if p < config.photometric})


def change_colours(
    pictures: UInt8[Tensor, "b 3 h w"], changes: Sequence[ColourChange]
) -> UInt8[Tensor, "b 3 h w"]:
    """Change the colours of a batch, each picture in its own way.

    Args:
        pictures: RGB, 0..255, on any device.
        changes: one for each picture.

    Returns:
        The changed pictures on the same device, or ``pictures`` where nothing changes.

    Example:
        >>> change_colours(torch.full((1, 3, 1, 1), 100, dtype=torch.uint8), [ColourChange(brightness=20.0)])
        tensor([[[[120]], [[120]], [[120]]]], dtype=torch.uint8)
    """
    if all(change.words == () for change in changes):
        return pictures
    values = pictures.to(torch.float32)
    values = _lit(values, changes)
    values = values + _column(values, [change.brightness for change in changes])
    values = _contrasted(values, [change.contrast if change.contrast_first else 1.0 for change in changes])
    if any(change.saturation != 1.0 or change.hue_deg for change in changes):
        values = values.clamp(0, 255)
        values = _saturated(values, [change.saturation for change in changes])
        values = _turned(values, [change.hue_deg for change in changes])
    values = _contrasted(values, [1.0 if change.contrast_first else change.contrast for change in changes])
    return values.clamp(0, 255).round().to(torch.uint8)


def _column(like: Tensor, numbers: list[float]) -> Tensor:
    """One number for each picture, shaped (b, 1, 1, 1)."""
    return torch.tensor(numbers, dtype=torch.float32).to(like.device)[:, None, None, None]


def _lit(values: Float[Tensor, "b 3 h w"], changes: Sequence[ColourChange]) -> Float[Tensor, "b 3 h w"]:
    """The lesson's lighting: spread about the picture's mean, then shift."""
    if all((change.light, change.light_contrast) == (0.0, 1.0) for change in changes):
        return values
    mean = values.mean(dim=(1, 2, 3), keepdim=True)
    factor = _column(values, [change.light_contrast for change in changes])
    lit = (values - mean) * factor + mean + _column(values, [change.light for change in changes])
    return lit.clamp(0, 255)


def _contrasted(values: Float[Tensor, "b 3 h w"], factors: list[float]) -> Float[Tensor, "b 3 h w"]:
    """Every value times a factor."""
    return values if all(factor == 1.0 for factor in factors) else values * _column(values, factors)


def _saturated(values: Float[Tensor, "b 3 h w"], factors: list[float]) -> Float[Tensor, "b 3 h w"]:
    """HSV's saturation times a factor, at most 1: each colour moves away from the largest one."""
    if all(factor == 1.0 for factor in factors):
        return values
    top, bottom = values.amax(dim=1, keepdim=True), values.amin(dim=1, keepdim=True)
    most = top / (top - bottom).clamp(min=1e-3)  # the factor at which the saturation is 1
    return top - (top - values) * torch.minimum(_column(values, factors), most)


def _turned(values: Float[Tensor, "b 3 h w"], degrees: list[float]) -> Float[Tensor, "b 3 h w"]:
    """HSV's hue turned by an angle; largest and smallest colour stay."""
    if not any(degrees):
        return values
    red, green, blue = values.unbind(dim=1)
    top = values.amax(dim=1)
    chroma = top - values.amin(dim=1)
    safe = chroma.clamp(min=1e-3)
    hue = torch.where(top == green, (blue - red) / safe + 2, (red - green) / safe + 4)
    hue = torch.where(top == red, (green - blue) / safe, hue)  # in steps of 60°
    hue = hue + _column(values, degrees)[:, 0] / 60
    turned = []
    for offset in (5, 3, 1):  # of red, green, blue
        place = (hue + offset) % 6
        turned.append(top - chroma * torch.minimum(place, 4 - place).clamp(0, 1))
    return torch.stack(turned, dim=1)
