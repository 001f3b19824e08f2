"""Augmentation for training: the picture changes and its boxes move along.

Built from torchvision's transforms v2; every random choice comes from one seed, so
a sample does not depend on which worker made it or when.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ssd.boxes import from_pixels, to_pixels
from ssd.data.records import Sample, Target
from ssd.errors import ConfigError

__all__ = ["AugmentConfig", "Augmentation"]


@dataclass(frozen=True)
class AugmentConfig:
    """Which changes, and how often.

    Attributes:
        flip: probability of a mirror flip, left to right.
        upside_down: probability of a flip, top to bottom.
        zoom_out: probability of placing the picture on a larger canvas.
        zoom_out_max: largest side of that canvas, in sides of the picture.
        crop: probability of a crop with a minimum jaccard.
        photometric: probability of each of brightness, contrast, saturation, hue.
        min_side_px: objects with a smaller side at training size are left out.
    """

    flip: float = 0.5
    upside_down: float = 0.0
    zoom_out: float = 0.0
    zoom_out_max: float = 2.0
    crop: float = 0.0
    photometric: float = 0.0
    min_side_px: float = 2.0

    def __post_init__(self) -> None:
        """Probabilities are shares; a canvas is no smaller than its picture."""
        for name in ("flip", "upside_down", "zoom_out", "crop", "photometric"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"{name} is a probability in 0–1, got {getattr(self, name)}.")
        if self.zoom_out_max < 1:
            raise ConfigError(f"zoom_out_max must be at least 1, got {self.zoom_out_max}.")


class Augmentation:
    """Samples of any size → samples of training size, changed at random.

    Args:
        config: which changes, and how often.
        size_wh: training size in pixels.

    Source:
        Liu et al., SSD, ECCV 2016, section 2.2 ("Data augmentation") and 3.6 (zoom out).

    Example:
        >>> from ssd.data.synthetic import synthetic_scene
        >>> change = Augmentation(AugmentConfig(flip=1.0), size_wh=(64, 48))
        >>> change(synthetic_scene(0), seed=0).picture.shape
        torch.Size([3, 48, 64])
    """

    def __init__(self, config: AugmentConfig, *, size_wh: tuple[int, int]) -> None:
        """Put the transforms together once."""
        self.size_wh = size_wh
        self._pipeline = _pipeline(config, size_wh)

    def __call__(self, sample: Sample, *, seed: int) -> Sample:
        """One changed copy of a sample.

        Args:
            sample: a picture and its objects.
            seed: the same seed gives the same change.

        Returns:
            A sample of training size; objects that left the picture are left out.
        """
        from torchvision import tv_tensors

        height, width = sample.picture.shape[-2:]
        boxes = to_pixels(sample.target.boxes, width_px=width, height_px=height)
        index = torch.arange(len(boxes))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            changed = self._pipeline(
                {
                    "picture": tv_tensors.Image(sample.picture),
                    "boxes": tv_tensors.BoundingBoxes(boxes, format="XYXY", canvas_size=(height, width)),
                    "labels": index,
                }
            )
        return Sample(
            picture=changed["picture"].as_subclass(Tensor),
            target=_restored(sample.target, changed, self.size_wh),
            name=sample.name,
        )


def _restored(target: Target, changed: dict[str, Any], size_wh: tuple[int, int]) -> Target:
    """The objects that are still there, in [0, 1] units."""
    index = changed["labels"]
    boxes = changed["boxes"].as_subclass(Tensor).to(torch.float32)
    return Target(
        boxes=from_pixels(boxes, width_px=size_wh[0], height_px=size_wh[1]).clamp(0.0, 1.0),
        labels=target.labels[index],
        difficult=target.difficult[index],
        ignore=target.ignore[index],
    )


def _pipeline(config: AugmentConfig, size_wh: tuple[int, int]) -> Any:
    """Geometry at full size, then the resize, then colours on the smaller picture."""
    from torchvision.transforms import v2

    steps: list[Any] = []
    if config.zoom_out:
        fill = [124, 116, 104]  # the mean colour of ImageNet
        steps.append(v2.RandomZoomOut(fill=fill, side_range=(1.0, config.zoom_out_max), p=config.zoom_out))
    if config.crop:
        steps.append(v2.RandomApply([v2.RandomIoUCrop()], p=config.crop))
    steps += [v2.RandomHorizontalFlip(config.flip), v2.RandomVerticalFlip(config.upside_down)]
    steps += [v2.Resize((size_wh[1], size_wh[0]), antialias=True)]
    if config.photometric:
        steps += [
            v2.RandomApply([v2.ColorJitter(**{name: strength})], p=config.photometric)
            for name, strength in (("brightness", 0.2), ("contrast", 0.5), ("saturation", 0.5), ("hue", 0.05))
        ]
    steps += [v2.ClampBoundingBoxes(), v2.SanitizeBoundingBoxes(min_size=config.min_side_px)]
    return v2.Compose(steps)
