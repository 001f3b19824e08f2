"""How codes and boxes are turned into each other."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from ssd.errors import ConfigError

__all__ = ["CoderConfig"]


@dataclass(frozen=True)
class CoderConfig:
    """How codes and boxes are turned into each other.

    Attributes:
        kind: ``"offset"`` of the paper, or ``"tanh"`` of the lesson.
        variances: of centre and of size; used by ``"offset"`` only.
    """

    kind: Literal["offset", "tanh"] = "offset"
    variances: tuple[float, float] = (0.1, 0.2)  # Caffe-SSD, prior_variance

    def __post_init__(self) -> None:
        """Variances divide: they must be above zero."""
        if self.kind not in ("offset", "tanh"):
            raise ConfigError(f"A coder is 'offset' or 'tanh', got {self.kind!r}.")
        if not all(math.isfinite(v) and v > 0 for v in self.variances):
            raise ConfigError(f"Variances must be finite and above 0, got {self.variances}.")
