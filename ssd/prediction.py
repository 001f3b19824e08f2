"""Prediction: the network once for each picture, selection as often as a slider moves."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import cast

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from ssd.anchors import Anchors
from ssd.coding import decode
from ssd.config import SelectionConfig
from ssd.contract import ModelConfig
from ssd.data.transforms import evaluation_input
from ssd.detections import Selection, select
from ssd.models.network import RawPredictions

__all__ = ["PictureOutput", "Predictor"]


@dataclass(frozen=True)
class PictureOutput:
    """All that a network says about one picture, before any threshold.

    Attributes:
        boxes: decoded xyxy boxes in [0, 1] units, one for each anchor, not clipped.
        scores: of classes 1..C in 0–1; column ``j`` is class ``j + 1``. A row is NaN
            where codes or logits of its anchor were not finite, so that selection drops it.
        codes: as the network gave them.
        logits: as the network gave them, with background in column 0 for softmax.
        seconds: that transform, network and decoding took.
    """

    boxes: Float[Tensor, "a 4"]
    scores: Float[Tensor, "a k"]
    codes: Float[Tensor, "a 4"]
    logits: Float[Tensor, "a c"]
    seconds: float

    @property
    def num_not_finite(self) -> int:
        """Anchors whose codes or logits were NaN or infinite."""
        return int(self.scores.isnan().any(dim=1).sum())


class Predictor:
    """A detector ready for pictures.

    Attributes:
        model: the network, in evaluation mode.
        config: its configuration.
        anchors: one for each row of its output.
        sha256: id of its weights.
    """

    def __init__(self, model: nn.Module, *, sha256: str) -> None:
        """Take a model with ``config`` and ``anchors``, and switch it to evaluation mode."""
        self.model = model.eval()
        self.config = cast(ModelConfig, model.config)
        self.anchors = cast(Anchors, model.anchors)
        self.sha256 = sha256

    def predict(self, picture: UInt8[Tensor, "3 h w"]) -> PictureOutput:
        """Run the network once.

        Args:
            picture: RGB, 0..255, of any size.

        Returns:
            Boxes and scores of every anchor, in float32 on the CPU.
        """
        start = time.perf_counter()
        contract, device = self.config.contract, next(self.model.parameters()).device
        ready = evaluation_input(
            picture, size_wh=contract.size_wh, mean=contract.mean, std=contract.std, resize=contract.resize
        )
        with torch.no_grad():
            raw = cast(RawPredictions, self.model(ready[None].to(device)))
        output = self.output(raw.codes[0].float().cpu(), raw.logits[0].float().cpu())
        return replace(output, seconds=time.perf_counter() - start)

    def output(self, codes: Float[Tensor, "a 4"], logits: Float[Tensor, "a c"]) -> PictureOutput:
        """Boxes and scores of what the network said; it does not run.

        Args:
            codes: regression values of each anchor.
            logits: of each class; with background in column 0 for softmax.

        Returns:
            The output of :meth:`predict`, in no time.
        """
        boxes = decode(codes, self.anchors.to("cpu"), coder=self.config.coder)
        finite = codes.isfinite().all(dim=1) & logits.isfinite().all(dim=1) & boxes.isfinite().all(dim=1)
        raw = RawPredictions(codes[None], logits[None], self.config.activation)
        scores = torch.where(finite[:, None], raw.scores()[0], torch.nan)
        return PictureOutput(boxes=boxes, scores=scores, codes=codes, logits=logits, seconds=0.0)

    def select(self, output: PictureOutput, config: SelectionConfig | None = None) -> Selection:
        """From scores to detections; the network does not run.

        Args:
            output: of :meth:`predict`.
            config: the four limits; ``None``: those that the model's source recommends.

        Returns:
            The detections, and why every other box left.
        """
        return select(output.boxes, output.scores, config=self.config.selection if config is None else config)
