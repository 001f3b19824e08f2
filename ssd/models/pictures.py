"""The networks before SSD in the lesson: one answer for the whole picture."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn

from ssd.contract import ModelConfig
from ssd.models.detector import Halves
from ssd.models.lesson import LastMap
from ssd.models.outputs import PictureOutputs

__all__ = ["PictureNetwork"]

_HIDDEN = 256  # the lesson: 512 × 7 × 7 → 256 → C + 4


class PictureNetwork(nn.Module):
    """Which classes are there, or where and what the largest object is.

    ``multilabel`` and ``largest-class`` average the last map and look at the classes;
    ``largest-box`` flattens it into the four numbers of a box; ``largest-object`` flattens
    it into one layer from which both box and class are read.

    Attributes:
        config: everything but the weights.
    """

    def __init__(self, config: ModelConfig) -> None:
        """Build the network of ``config`` with random weights."""
        super().__init__()
        self.config = config
        kind, classes = config.architecture, len(config.class_names)
        self.backbone = LastMap(config)
        inputs, (columns, rows) = self.backbone.channels[-1], self.backbone.grid_wh
        flat = inputs * columns * rows
        self.shared: nn.Module = nn.Flatten()
        if kind in ("multilabel", "largest-class"):
            self.shared, flat = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()), inputs
        if kind == "largest-object":
            self.shared, flat = _hidden(flat, config.dropout), _HIDDEN
        self.box = nn.Linear(flat, 4) if kind in ("largest-box", "largest-object") else None
        self.logits = nn.Linear(flat, classes) if kind != "largest-box" else None

    def forward(self, pictures: Float[Tensor, "b 3 h w"]) -> PictureOutputs:
        """The answers for normalised pictures."""
        x = self.shared(self.backbone(pictures)[-1])
        box = None if self.box is None else self.box(x)
        if box is not None and self.config.architecture == "largest-object":
            box = box.sigmoid()
        return PictureOutputs(box=box, logits=None if self.logits is None else self.logits(x))

    def halves(self) -> Halves:
        """The backbone's layers up to stride 8, and its others."""
        return self.backbone.halves()


def _hidden(inputs: int, dropout: float) -> nn.Sequential:
    """One layer more, because two questions are asked of it."""
    return nn.Sequential(
        nn.Flatten(), nn.Linear(inputs, _HIDDEN), nn.ReLU(), nn.BatchNorm1d(_HIDDEN), nn.Dropout(dropout)
    )
