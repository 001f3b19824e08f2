"""The losses room: what each anchor costs, summed and one by one."""

from __future__ import annotations

from ssd.losses.config import LossConfig, PictureLossConfig
from ssd.losses.curves import loss_curve
from ssd.losses.detection import LossReport, detection_loss, loss_normaliser
from ssd.losses.mining import hard_negatives
from ssd.losses.picture import PictureLossReport, PictureTargets, picture_loss, picture_targets

__all__ = [
    "LossConfig",
    "LossReport",
    "PictureLossConfig",
    "PictureLossReport",
    "PictureTargets",
    "detection_loss",
    "hard_negatives",
    "loss_curve",
    "loss_normaliser",
    "picture_loss",
    "picture_targets",
]
