"""From scores to detections: the limits, and the named sets of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from ssd.errors import ConfigError

__all__ = ["NMS_KINDS", "SELECTION_PRESETS", "NmsKind", "SelectionConfig"]

NmsKind = Literal["hard", "soft"]
NMS_KINDS: tuple[NmsKind, ...] = ("hard", "soft")


@dataclass(frozen=True)
class SelectionConfig:
    """From scores to detections: four limits in the order they act.

    Attributes:
        score_threshold: a box stays when its score is greater.
        top_k: candidates of each class that reach NMS.
        nms_threshold: a box leaves when its jaccard with a better one is greater.
        max_detections: boxes kept in a picture.
        class_agnostic: NMS among all classes instead of within each.
        nms_kind: ``"hard"`` drops a box that is too close to a better one; ``"soft"`` lowers its
            score instead, the more the closer, and drops it when no score above the score
            threshold is left. ``nms_threshold`` belongs to ``"hard"``, ``soft_sigma`` to ``"soft"``.
        soft_sigma: a score is multiplied by exp(−jaccard² / sigma).
    """

    score_threshold: float = 0.01  # Caffe-SSD, confidence_threshold
    nms_threshold: float = 0.45  # Liu et al., section 3.1
    top_k: int = 400  # Caffe-SSD, nms_top_k
    max_detections: int = 200  # Liu et al., section 3.1
    class_agnostic: bool = False
    nms_kind: NmsKind = "hard"
    soft_sigma: float = 0.5  # Bodla et al., Soft-NMS, ICCV 2017, section 6

    def __post_init__(self) -> None:
        """Thresholds are shares, limits are counts."""
        for name in ("score_threshold", "nms_threshold"):
            value = getattr(self, name)
            if not (math.isfinite(value) and 0 <= value <= 1):
                raise ConfigError(f"{name} must lie in 0–1, got {value}; choose a share.")
        if self.nms_threshold == 0:
            raise ConfigError("nms_threshold must be above 0, got 0: boxes that only touch would be dropped.")
        if self.top_k < 1 or self.max_detections < 1:
            raise ConfigError(
                f"top_k and max_detections must be at least 1, got {self.top_k} and {self.max_detections}."
            )
        if self.nms_kind not in NMS_KINDS:
            raise ConfigError(
                f"nms_kind must be one of {', '.join(NMS_KINDS)}, got {str(self.nms_kind)[:40]!r}."
            )
        if not (math.isfinite(self.soft_sigma) and self.soft_sigma > 0):
            raise ConfigError(f"soft_sigma must be finite and above 0, got {self.soft_sigma}; try 0.5.")


SELECTION_PRESETS: dict[str, SelectionConfig] = {
    "evaluation": SelectionConfig(),  # as papers measure
    "display": SelectionConfig(score_threshold=0.5, max_detections=100),  # as people look
    "ssdlite": SelectionConfig(score_threshold=0.001, nms_threshold=0.55, top_k=300, max_detections=300),
    "lesson": SelectionConfig(score_threshold=0.25, nms_threshold=0.5, max_detections=100),
}
