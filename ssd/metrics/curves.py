"""Precision and recall over every score threshold, and the three ways to make one number of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from ssd.errors import ConfigError
from ssd.metrics.pairing import Hits, Judgeable, Pairing, pair_up

__all__ = [
    "METRICS",
    "Curve",
    "Envelope",
    "Metric",
    "OperatingPoint",
    "overall_curve",
    "precision_recall",
    "validate_metric",
]

Metric = Literal["voc07", "voc12", "coco"]
METRICS: tuple[Metric, ...] = get_args(Metric)
_VOC07_BINS = 10  # recalls 0, 1/10 … 10/10
_COCO_BINS = 100


@dataclass(frozen=True)
class Envelope:
    """Precision as a metric sees it: at each recall the best that is reached there or later.

    Attributes:
        recall: rising, from 0.
        precision: falling; 0 beyond the highest recall. Under ``voc12`` it holds from the
            recall before up to its own, under the others at its own.
    """

    recall: Float[Tensor, "k"]
    precision: Float[Tensor, "k"]


@dataclass(frozen=True)
class OperatingPoint:
    """What one score threshold gives.

    Attributes:
        score: the threshold; detections with a greater score count.
        precision: share of the counted detections that are right; ``None`` without any.
        recall: share of the objects that were found; ``None`` without objects.
        f1: harmonic mean of both; ``None`` where one is missing.
    """

    score: float
    precision: float | None
    recall: float | None
    f1: float | None


@dataclass(frozen=True)
class Curve:
    """What every score threshold gives: an exact point after each detection.

    Attributes:
        scores: of the counted detections, falling.
        hits: how many of the first 1, 2, … detections are right.
        num_objects: objects that count.
    """

    scores: Float[Tensor, "n"]
    hits: Int64[Tensor, "n"]
    num_objects: int

    @property
    def precision(self) -> Float[Tensor, "n"]:
        """Share of the first 1, 2, … detections that are right."""
        return self.hits.to(torch.float64) / torch.arange(1, len(self.hits) + 1)

    @property
    def recall(self) -> Float[Tensor, "n"]:
        """Share of the objects that the first 1, 2, … detections found; 0 without objects."""
        return self.hits.to(torch.float64) / max(self.num_objects, 1)

    @property
    def f1(self) -> Float[Tensor, "n"]:
        """Harmonic mean of precision and recall: 2 · hits / (detections + objects)."""
        both = torch.arange(1, len(self.hits) + 1) + self.num_objects
        return 2 * self.hits.to(torch.float64) / both

    def envelope(self, metric: Metric) -> Envelope:
        """The curve with the metric's own interpolation.

        Args:
            metric: ``voc07`` has the recalls 0, .1 … 1, ``coco`` 0, .01 … 1, ``voc12`` every
                recall that is reached.

        Returns:
            The precision that counts at each recall; no points without objects.

        Raises:
            ConfigError: there is no metric of that name.

        Source:
            VOC2007 devkit, VOCap (with exact bins: 3 of 10 objects reach a recall of .3);
            VOC2012 devkit, VOCap; pycocotools, accumulate.
        """
        validate_metric(metric)
        if self.num_objects == 0:
            return Envelope(torch.zeros(0, dtype=torch.float64), torch.zeros(0, dtype=torch.float64))
        if metric == "coco":
            recall = torch.linspace(0, 1, _COCO_BINS + 1, dtype=torch.float64)
            return Envelope(recall, self._best_from(torch.searchsorted(self.recall, recall)))
        if metric == "voc07":
            bins = torch.arange(_VOC07_BINS + 1)
            first = torch.searchsorted(self.hits * _VOC07_BINS, bins * self.num_objects)  # whole numbers
            return Envelope(bins.to(torch.float64) / _VOC07_BINS, self._best_from(first))
        reached = torch.arange(int(self.hits[-1]) + 1 if len(self.hits) else 1)
        recall = reached.to(torch.float64) / self.num_objects
        return Envelope(recall, self._best_from(torch.searchsorted(self.hits, reached)))

    def ap(self, metric: Metric) -> float | None:
        """Average precision.

        Args:
            metric: whose interpolation; ``coco`` at this one evaluation IoU.

        Returns:
            In 0–1; ``None`` without objects.

        Example:
            >>> three = Curve(torch.linspace(1, 0, 5), torch.tensor([1, 2, 3, 3, 3]), num_objects=10)
            >>> f"{three.ap('voc07'):.4f} {three.ap('voc12'):.4f}"
            '0.3636 0.3000'
        """
        if self.num_objects == 0:
            return None
        envelope = self.envelope(metric)
        if metric == "voc12":
            return float((envelope.recall.diff() * envelope.precision[1:]).sum())
        return float(envelope.precision.mean())

    def at(self, score: float) -> OperatingPoint:
        """What a score threshold gives.

        Args:
            score: detections with a greater score count, as in the selection.

        Returns:
            Precision, recall and F1.

        Example:
            >>> Curve(torch.tensor([0.9, 0.5]), torch.tensor([1, 1]), num_objects=2).at(0.5).precision
            1.0
        """
        limit = torch.tensor(-score, dtype=torch.float64)
        count = int(torch.searchsorted(-self.scores.to(torch.float64), limit))
        hits = int(self.hits[count - 1]) if count else 0
        precision = hits / count if count else None
        recall = hits / self.num_objects if self.num_objects else None
        both = count + self.num_objects
        f1 = None if precision is None or recall is None else 2 * hits / both
        return OperatingPoint(score, precision, recall, f1)

    def best(self) -> OperatingPoint | None:
        """The score threshold of the highest F1; the highest threshold among equals.

        Returns:
            The point, with a threshold halfway to the next lower score; ``None`` without
            objects or detections.

        Example:
            >>> Curve(torch.tensor([0.75, 0.5]), torch.tensor([1, 1]), num_objects=1).best().score
            0.625
        """
        if self.num_objects == 0 or len(self.scores) == 0:
            return None
        scores = self.scores.to(torch.float64)
        following = torch.cat([scores[1:], scores.new_tensor([min(0.0, float(scores[-1]) - 1e-6)])])
        apart = scores > following  # no threshold comes between equal scores
        place = int(self.f1.masked_fill(~apart, -1.0).argmax())
        high, low = float(scores[place]), float(following[place])
        return self.at(round((high + low) / 2, 9) if high - low > 1e-8 else low)

    def _best_from(self, places: Tensor) -> Tensor:
        """The highest precision at each place or later; 0 beyond the last."""
        highest = self.precision.flip(0).cummax(0).values.flip(0) if len(self.hits) else self.precision
        return torch.cat([highest, highest.new_zeros(1)])[places]


def validate_metric(metric: str) -> None:
    """Raise unless there is such a metric.

    Args:
        metric: a name.

    Raises:
        ConfigError: there is none.
    """
    if metric not in METRICS:
        raise ConfigError(
            f"A metric is one of {', '.join(METRICS)}, got {metric[:80]!r}; choose one of them."
        )


def precision_recall(
    results: Judgeable, *, class_names: Sequence[str], evaluation_iou: float = 0.5
) -> dict[str, Curve]:
    """Precision and recall of each class over every score threshold.

    Args:
        results: one for each picture.
        class_names: in the order of labels 1..C.
        evaluation_iou: least jaccard of a hit, in 0–1.

    Returns:
        An exact curve for each class, in label order. Detections on ignored boxes are left out.

    Raises:
        ConfigError: the evaluation IoU lies outside 0–1.

    Source:
        VOC2007 devkit, VOCevaldet; Caffe's comparison (jaccard ≥ IoU).

    Example:
        >>> from ssd.metrics import PictureResult
        >>> box, no = torch.tensor([[0.0, 0.0, 0.5, 0.5]]), torch.tensor([False])
        >>> one, half = torch.tensor([1]), torch.tensor([0.5])
        >>> found = PictureResult(9, 9, box, one, no, box, one, half)
        >>> precision_recall([found], class_names=["cat"])["cat"].at(0.4).f1
        1.0
    """
    pairing = pair_up(results)
    hits = pairing.hits(evaluation_iou=evaluation_iou)
    counts = torch.bincount(
        pairing.gt_label[~pairing.gt_ignored].clamp(min=0), minlength=len(class_names) + 1
    )
    by_label = pairing.order[~hits.ignored[pairing.order]]
    labels = pairing.label[by_label]
    by_label = by_label[labels.argsort(stable=True)]
    held = torch.bincount(labels, minlength=len(class_names) + 1).tolist()
    parts = torch.split(by_label, held)
    return {
        name: _curve(pairing, hits, parts[label], int(counts[label]))
        for label, name in enumerate(class_names, start=1)
    }


def overall_curve(results: Judgeable, *, evaluation_iou: float = 0.5) -> Curve:
    """Precision and recall of all classes together over every score threshold.

    Args:
        results: one for each picture.
        evaluation_iou: least jaccard of a hit, in 0–1.

    Returns:
        One exact curve.

    Raises:
        ConfigError: the evaluation IoU lies outside 0–1.
    """
    pairing = pair_up(results)
    hits = pairing.hits(evaluation_iou=evaluation_iou)
    return _curve(pairing, hits, pairing.order[~hits.ignored[pairing.order]], pairing.num_objects)


def _curve(pairing: Pairing, hits: Hits, rows: Tensor, num_objects: int) -> Curve:
    """The curve of some detections that stand by falling score."""
    return Curve(pairing.score[rows], hits.true_positive[rows].cumsum(0), num_objects)
