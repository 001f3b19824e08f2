"""What the networks answer with, and how their layers are grouped.

Outputs are named tuples, because Fabric's wrapper walks through a network's output and
refuses frozen dataclasses.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ssd.contract import Activation

__all__ = ["LayerGroup", "PictureOutputs", "RawPredictions"]


class RawPredictions(NamedTuple):
    """What a detector says of every anchor, before anything is decided.

    Attributes:
        codes: regression values of each anchor.
        logits: of each class; with background in column 0 for softmax.
        activation: what turns logits into scores.
    """

    codes: Float[Tensor, "b a 4"]
    logits: Float[Tensor, "b a c"]
    activation: Activation

    def scores(self) -> Float[Tensor, "b a k"]:
        """Scores of the classes 1..C in 0–1, without a background column."""
        if self.activation == "softmax":
            return torch.softmax(self.logits.to(torch.float32), dim=-1)[..., 1:]
        return torch.sigmoid(self.logits.to(torch.float32))


class PictureOutputs(NamedTuple):
    """What a network before SSD says of the whole picture.

    Attributes:
        box: xyxy of the largest object in [0, 1] units; ``None`` where the network
            looks for no box. Nothing forces x1 < x2.
        logits: of the classes 1..C, without background; ``None`` where it looks for no class.
    """

    box: Float[Tensor, "b 4"] | None
    logits: Float[Tensor, "b c"] | None


class LayerGroup(NamedTuple):
    """Layers that are frozen together and share a learning rate.

    Attributes:
        name: ``"early"``, ``"late"`` (both of the backbone) or ``"head"``.
        modules: whose parameters are those of the group; may be empty.
    """

    name: str
    modules: tuple[nn.Module, ...]

    def parameters(self) -> tuple[nn.Parameter, ...]:
        """Every parameter of the group, once."""
        return tuple(parameter for module in self.modules for parameter in module.parameters())
