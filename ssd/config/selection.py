"""From scores to detections: the limits, and the named sets of them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ssd.errors import ConfigError

__all__ = ["SELECTION_PRESETS", "SelectionConfig"]


@dataclass(frozen=True)
class SelectionConfig:
    """From scores to detections: four limits in the order they act.

    Attributes:
        score_threshold: a box stays when its score is greater.
        top_k: candidates of each class that reach NMS.
        nms_threshold: a box leaves when its jaccard with a better one is greater.
        max_detections: boxes kept in a picture.
        class_agnostic: NMS among all classes instead of within each.
    """

    score_threshold: float = 0.01  # Caffe-SSD, confidence_threshold
    nms_threshold: float = 0.45  # Liu et al., section 3.1
    top_k: int = 400  # Caffe-SSD, nms_top_k
    max_detections: int = 200  # Liu et al., section 3.1
    class_agnostic: bool = False

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


SELECTION_PRESETS: dict[str, SelectionConfig] = {
    "evaluation": SelectionConfig(),  # as papers measure
    "display": SelectionConfig(score_threshold=0.5, max_detections=100),  # as people look
    "ssdlite": SelectionConfig(score_threshold=0.001, nms_threshold=0.55, top_k=300, max_detections=300),
    "lesson": SelectionConfig(score_threshold=0.25, nms_threshold=0.5, max_detections=100),
}
