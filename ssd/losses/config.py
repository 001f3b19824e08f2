"""Which losses a run adds up, and their numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

from ssd.errors import ConfigError

__all__ = ["ConfidenceLoss", "LocalisationLoss", "LossConfig", "PictureConfidence", "PictureLossConfig"]

ConfidenceLoss = Literal["softmax", "bce", "focal"]
LocalisationLoss = Literal["smooth-l1", "l1", "giou"]
PictureConfidence = Literal["bce", "softmax"]


@dataclass(frozen=True)
class LossConfig:
    """The loss of a detector.

    Attributes:
        confidence: ``"softmax"`` with hard negatives (the paper), ``"bce"`` (the lesson)
            or ``"focal"``; the last two have no background column and count every
            anchor that is not ignored.
        localisation: ``"smooth-l1"`` on codes (the paper), ``"l1"`` on decoded boxes (the
            lesson: the mean of the four distances) or ``"giou"`` of decoded boxes.
        negative_ratio: softmax: hard negatives for each positive of a picture.
        min_negatives: softmax: hard negatives of a picture that has few positives or
            none, so that it teaches.
        max_negative_overlap: softmax: an anchor whose best jaccard is not below this is
            never mined; ``None``: every negative may be.
        alpha: focal: weight of a class that is there; ``1 - alpha`` of one that is not.
        gamma: focal: how fast the weight of a sure answer falls.
        localisation_weight: of the localisation loss in the total.
        divide_by: ``"positives"`` of the batch (the paper), or ``"pictures"``: every picture
            counts alike, its localisation loss is the mean over its positives (the lesson,
            but for its sum over the batch, which changes with the batch size).
        class_mean: bce and focal: divided by the number of classes (the lesson) instead
            of summed over them (Lin et al.).
    """

    confidence: ConfidenceLoss = "softmax"
    localisation: LocalisationLoss = "smooth-l1"
    negative_ratio: float = 3.0  # Liu et al., section 2.2: at most 3:1
    min_negatives: int = 8
    max_negative_overlap: float | None = None  # Caffe-SSD, neg_overlap: 0.5
    alpha: float = 0.25  # Lin et al., section 5.1; the lesson
    gamma: float = 2.0  # Lin et al., section 5.1; the lesson, in another of its documents 1
    localisation_weight: float = 1.0  # Liu et al., equation 1: "set to 1 by cross validation"
    divide_by: Literal["positives", "pictures"] = "positives"
    class_mean: bool = True

    def __post_init__(self) -> None:
        """Words are known, shares are shares, weights are not negative."""
        _require_word("confidence loss", self.confidence, get_args(ConfidenceLoss))
        _require_word("localisation loss", self.localisation, get_args(LocalisationLoss))
        _require_word("normaliser", self.divide_by, ("positives", "pictures"))
        _require_share("alpha", self.alpha)
        if self.max_negative_overlap is not None:
            _require_share("max_negative_overlap", self.max_negative_overlap)
        for name in ("negative_ratio", "min_negatives", "gamma", "localisation_weight"):
            _require_not_negative(name, getattr(self, name))


@dataclass(frozen=True)
class PictureLossConfig:
    """The loss of the networks before SSD, which answer for a whole picture.

    Attributes:
        confidence: ``"bce"``: which classes are in the picture, any number of them;
            ``"softmax"``: the class of the largest object.
        class_weight: of the confidence loss where a network also gives a box.
        size_px: the box loss is in pixels of a picture of this side.
        score_threshold: bce: a class is said to be there when its score is greater.
    """

    confidence: PictureConfidence = "softmax"
    class_weight: float = 20.0  # the lesson: "makes them about the same scale"
    size_px: float = 224.0  # the lesson's input
    score_threshold: float = 0.4  # the lesson's threshold for several labels

    def __post_init__(self) -> None:
        """Words are known, shares are shares, weights are not negative."""
        _require_word("confidence loss of a picture", self.confidence, get_args(PictureConfidence))
        _require_share("score_threshold", self.score_threshold)
        for name in ("class_weight", "size_px"):
            _require_not_negative(name, getattr(self, name))


def _require_word(what: str, value: str, words: tuple[str, ...]) -> None:
    """One of the known words."""
    if value not in words:
        raise ConfigError(f"A {what} is one of {', '.join(words)}, got {value!r}; choose one of them.")


def _require_share(name: str, value: float) -> None:
    """A number in 0–1."""
    if not 0 <= value <= 1:
        raise ConfigError(f"{name} must lie in 0–1, got {value}; choose a share.")


def _require_not_negative(name: str, value: float) -> None:
    """A finite number of at least 0."""
    if not (math.isfinite(value) and value >= 0):
        raise ConfigError(f"{name} must be finite and at least 0, got {value}; choose another number.")
