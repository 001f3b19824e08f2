"""Which changes augmentation makes, and how often: its numbers and its named settings."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from ssd.errors import ConfigError

__all__ = ["AUGMENT_PRESETS", "AugmentConfig", "calm"]

_SHARES = (
    "flip",
    "upside_down",
    "dihedral",
    "rotate",
    "lighting",
    "zoom_out",
    "crop",
    "photometric",
    "mosaic",
    "mixup",
    "paste",
    "paste_turned",
    "min_visible",
)


@dataclass(frozen=True)
class AugmentConfig:
    """Which changes, and how often. They act in the order of this list, colours last.

    Attributes:
        paste: probability that objects cut out of other pictures are put in.
        paste_classes: labels 1..C of those objects, each as likely; empty: any object.
        paste_max: at most so many of them; the number is drawn from 1 up.
        paste_turned: probability that such a piece is turned and mirrored at random.
        mosaic: probability of four pictures as tiles of one.
        flip: probability of a mirror flip, left to right.
        upside_down: probability of a flip, top to bottom.
        dihedral: probability of one of the eight turns and mirrorings of a square.
        rotate: probability of a rotation by any angle up to ``rotate_deg``.
        rotate_deg: largest angle in degrees, to either side.
        zoom_out: probability of placing the picture on a larger canvas.
        zoom_out_max: largest side of that canvas, in sides of the picture.
        crop: probability of SSD's crop: whole, or a part that holds an object with a
            minimum jaccard.
        mixup: probability of laying two pictures over each other.
        lighting: strength of the lesson's change of brightness and contrast.
        photometric: probability of each of brightness, contrast, saturation, hue.
        min_side_px: objects with a smaller side at training size are left out.
        min_visible: an object of which a smaller share is left is ignored: it is no
            longer an object to be found, nor background.
    """

    flip: float = 0.5
    upside_down: float = 0.0
    zoom_out: float = 0.0
    zoom_out_max: float = 2.0
    crop: float = 0.0
    photometric: float = 0.0
    min_side_px: float = 2.0
    dihedral: float = 0.0
    rotate: float = 0.0
    rotate_deg: float = 3.0  # the lesson: enclosing boxes of larger angles are too loose
    lighting: float = 0.0
    mosaic: float = 0.0
    mixup: float = 0.0
    paste: float = 0.0
    paste_classes: tuple[int, ...] = ()
    paste_max: int = 3
    paste_turned: float = 1.0
    min_visible: float = 0.25  # what a centre inside the picture leaves at least

    def __post_init__(self) -> None:
        """Probabilities are shares; a canvas is no smaller than its picture; labels are objects'."""
        for name in _SHARES:
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise ConfigError(f"{name} must be a share in 0–1, got {value}; choose another number.")
        if not 1 <= self.zoom_out_max <= 16:
            raise ConfigError(
                f"zoom_out_max must lie in 1–16, got {self.zoom_out_max}; choose another number."
            )
        if not 0 <= self.rotate_deg <= 180:
            raise ConfigError(f"rotate_deg must lie in 0–180, got {self.rotate_deg}; choose another angle.")
        if not (math.isfinite(self.min_side_px) and self.min_side_px >= 0):
            raise ConfigError(f"min_side_px must be at least 0, got {self.min_side_px}; choose a length.")
        if self.paste_max < 1 or any(label < 1 for label in self.paste_classes):
            raise ConfigError(
                "paste_max must be at least 1 and paste_classes labels from 1 on, "
                f"got {self.paste_max} and {self.paste_classes}; correct them."
            )

    @property
    def mixes(self) -> bool:
        """Whether other pictures are needed."""
        return max(self.mosaic, self.mixup, self.paste) > 0


AUGMENT_PRESETS: dict[str, AugmentConfig] = {
    "none": AugmentConfig(flip=0.0),
    # the lesson: flip, at most 3° half of the time, brightness and contrast by .05
    "lesson": AugmentConfig(flip=0.5, rotate=0.5, rotate_deg=3.0, lighting=0.05),
    # its example of too far: at 30° the enclosing boxes no longer fit
    "lesson-30": AugmentConfig(flip=0.5, rotate=1.0, rotate_deg=30.0, lighting=0.1),
    # pictures without an up: from above, through a microscope
    "top-down": AugmentConfig(flip=0.0, dihedral=1.0, rotate=0.75, rotate_deg=10.0, lighting=0.05),
    # Liu et al., section 2.2 and 3.6; Caffe-SSD, ssd_pascal.py
    "ssd": AugmentConfig(flip=0.5, zoom_out=0.5, zoom_out_max=4.0, crop=1.0, photometric=0.5),
    "modern": AugmentConfig(
        flip=0.5, zoom_out=0.2, crop=0.5, photometric=0.5, mosaic=0.5, mixup=0.1, paste=0.3
    ),
}


def calm(config: AugmentConfig) -> AugmentConfig:
    """The same changes without those that mix pictures: for the last part of a run.

    Args:
        config: any augmentation.

    Returns:
        A copy without mosaic, mixup and pasting.

    Source:
        Ge et al., YOLOX, 2021, section 2.1 (the last 15 epochs without mosaic and mixup).

    Example:
        >>> calm(AugmentConfig(crop=0.5, mosaic=0.5)).mosaic
        0.0
    """
    return replace(config, mosaic=0.0, mixup=0.0, paste=0.0)
