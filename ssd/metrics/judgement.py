"""Which detection of a picture found which object."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Bool, Float, Int64
from torch import Tensor

from ssd.metrics.pairing import pair_up
from ssd.metrics.results import PictureResult

__all__ = ["Judgement", "judge"]


@dataclass(frozen=True)
class Judgement:
    """Each detection's verdict at one evaluation IoU.

    Attributes:
        true_positive: the first of its class on an object.
        ignored: lies on an ignored box: neither right nor wrong.
        gt: the object of highest jaccard of its class (or the ignored box), or ``UNMATCHED``.
        overlap: jaccard with it.
        found: for each object whether a detection found it; false where ignored.
        num_objects: objects that count.
    """

    true_positive: Bool[Tensor, "n"]
    ignored: Bool[Tensor, "n"]
    gt: Int64[Tensor, "n"]
    overlap: Float[Tensor, "n"]
    found: Bool[Tensor, "g"]
    num_objects: int

    @property
    def false_positive(self) -> Bool[Tensor, "n"]:
        """Detections that count and found nothing new."""
        return ~self.true_positive & ~self.ignored

    @property
    def precision(self) -> float | None:
        """Share of the counted detections that are right; ``None`` without any."""
        counted = int((~self.ignored).sum())
        return int(self.true_positive.sum()) / counted if counted else None

    @property
    def recall(self) -> float | None:
        """Share of the objects that were found; ``None`` without objects."""
        return int(self.true_positive.sum()) / self.num_objects if self.num_objects else None

    @property
    def f1(self) -> float | None:
        """Harmonic mean of precision and recall; ``None`` where one is missing."""
        if self.precision is None or self.recall is None:
            return None
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def judge(result: PictureResult, *, evaluation_iou: float = 0.5) -> Judgement:
    """Say of every detection whether it found an object, as the VOC devkit does.

    By falling score each detection takes the object of its class with the highest
    jaccard, also if that was taken already: a second hit is a false positive. A
    detection whose best box is an ignored one is neither.

    Args:
        result: detections and objects of a picture.
        evaluation_iou: least jaccard of a hit, in 0–1.

    Returns:
        The verdicts, in the order of the detections.

    Raises:
        ConfigError: the evaluation IoU lies outside 0–1.

    Source:
        VOC2007 devkit, VOCevaldet; Caffe's comparison (jaccard ≥ IoU).

    Example:
        >>> import torch
        >>> box = torch.tensor([[0.0, 0.0, 0.5, 0.5]])
        >>> one, no = torch.tensor([1]), torch.tensor([False])
        >>> judge(PictureResult(10, 10, box, one, no, box, one, torch.tensor([0.9]))).precision
        1.0
    """
    pairing = pair_up([result])
    hits = pairing.hits(evaluation_iou=evaluation_iou)
    return Judgement(
        true_positive=hits.true_positive,
        ignored=hits.ignored,
        gt=pairing.gt,
        overlap=pairing.overlap.to(result.boxes.dtype),
        found=hits.found,
        num_objects=pairing.num_objects,
    )
