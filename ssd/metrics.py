"""Metrics: which detection found which object, and COCO AP by its full name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from ssd.boxes import jaccard, to_pixels
from ssd.config import UNMATCHED
from ssd.errors import ConfigError

__all__ = ["CocoReport", "Judgement", "PictureResult", "coco_ap", "judge"]


@dataclass(frozen=True)
class PictureResult:
    """What a detector said of a picture, beside what is there.

    Attributes:
        width_px: of the picture.
        height_px: of the picture.
        gt_boxes: xyxy in [0, 1] units.
        gt_labels: 1..C; of ignored objects anything.
        gt_ignored: neither to be found nor punished.
        boxes: detections, xyxy in [0, 1] units.
        labels: 1..C.
        scores: in 0–1.
    """

    width_px: int
    height_px: int
    gt_boxes: Float[Tensor, "g 4"]
    gt_labels: Int64[Tensor, "g"]
    gt_ignored: Bool[Tensor, "g"]
    boxes: Float[Tensor, "n 4"]
    labels: Int64[Tensor, "n"]
    scores: Float[Tensor, "n"]


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
        >>> box = torch.tensor([[0.0, 0.0, 0.5, 0.5]])
        >>> one, no = torch.tensor([1]), torch.tensor([False])
        >>> judge(PictureResult(10, 10, box, one, no, box, one, torch.tensor([0.9]))).precision
        1.0
    """
    if not 0 <= evaluation_iou <= 1:
        raise ConfigError(f"The evaluation IoU must lie in 0–1, got {evaluation_iou}; choose a share.")
    count, objects = len(result.boxes), len(result.gt_boxes)
    hit, ignored = torch.zeros(count, dtype=torch.bool), torch.zeros(count, dtype=torch.bool)
    found = torch.zeros(objects, dtype=torch.bool)
    gt = torch.full((count,), UNMATCHED, dtype=torch.int64)
    overlap = torch.zeros(count)
    if objects and count:
        same = (result.labels[:, None] == result.gt_labels[None]) | result.gt_ignored[None]
        table = jaccard(result.boxes, result.gt_boxes).masked_fill(~same, -1.0)  # (n, g)
        overlap, best = table.max(dim=1)
        gt = torch.where(overlap >= 0, best, UNMATCHED)
        for index in result.scores.argsort(descending=True, stable=True).tolist():
            if float(overlap[index]) < evaluation_iou or gt[index] < 0:
                continue
            target = int(best[index])
            ignored[index] = result.gt_ignored[target]
            hit[index] = ~(result.gt_ignored[target] | found[target])
            found[target] = ~result.gt_ignored[target]
    return Judgement(hit, ignored, gt, overlap.clamp(min=0), found, int((~result.gt_ignored).sum()))


@dataclass(frozen=True)
class CocoReport:
    """COCO AP of a set of pictures, as shares of 1.

    Attributes:
        ap: COCO AP, mean over IoU .50 to .95 and classes; ``None`` without objects.
        ap50: the same at IoU .50.
        ap75: the same at IoU .75.
        per_class: COCO AP of each class; ``None`` where it has no objects.
        per_class50: AP50 of each class.
        num_pictures: all of them, also those without objects.
        num_objects: those that are not ignored.
    """

    ap: float | None
    ap50: float | None
    ap75: float | None
    per_class: dict[str, float | None]
    per_class50: dict[str, float | None]
    num_pictures: int
    num_objects: int


def coco_ap(results: Sequence[PictureResult], *, class_names: Sequence[str]) -> CocoReport:
    """COCO AP, computed by faster-coco-eval.

    Args:
        results: one for each picture, in any order.
        class_names: in the order of labels 1..C.

    Returns:
        The report. Ignored boxes become crowd boxes of every class (facts.md).

    Example:
        >>> box, one = torch.tensor([[0.0, 0.0, 0.5, 0.5]]), torch.tensor([1])
        >>> no, score = torch.tensor([False]), torch.tensor([0.9])
        >>> coco_ap([PictureResult(100, 80, box, one, no, box, one, score)], class_names=["cat"]).ap50
        1.0
    """
    from faster_coco_eval import COCO, COCOeval_faster

    truth = COCO(_coco_truth(results, class_names))
    said = truth.loadRes(_coco_said(results))
    evaluation = COCOeval_faster(truth, said, iouType="bbox")
    evaluation.evaluate()
    evaluation.accumulate()
    precision = torch.as_tensor(evaluation.eval["precision"])[:, :, :, 0, -1]  # (IoU, recall, class)
    return CocoReport(
        ap=_mean(precision),
        ap50=_mean(precision[0]),
        ap75=_mean(precision[5]),
        per_class={name: _mean(precision[:, :, k]) for k, name in enumerate(class_names)},
        per_class50={name: _mean(precision[0, :, k]) for k, name in enumerate(class_names)},
        num_pictures=len(results),
        num_objects=sum(int((~result.gt_ignored).sum()) for result in results),
    )


def _mean(precision: Tensor) -> float | None:
    """Mean over what counts; −1 marks classes without objects."""
    counted = precision[precision > -1]
    return float(counted.mean()) if len(counted) else None


def _xywh(boxes: Tensor, result: PictureResult) -> list[list[float]]:
    """Pixels, corner and size."""
    pixels = to_pixels(boxes.to(torch.float64), width_px=result.width_px, height_px=result.height_px)
    return torch.cat([pixels[:, :2], pixels[:, 2:] - pixels[:, :2]], dim=1).tolist()


def _coco_truth(results: Sequence[PictureResult], class_names: Sequence[str]) -> dict[str, Any]:
    """Ground truth in COCO's form; annotation ids start at 1 (0 breaks the reference tools)."""
    annotations: list[dict[str, Any]] = []
    for number, result in enumerate(results, start=1):
        boxes = _xywh(result.gt_boxes, result)
        flags = zip(boxes, result.gt_labels.tolist(), result.gt_ignored.tolist(), strict=True)
        for box, label, ignored in flags:
            for category in range(1, len(class_names) + 1) if ignored else (label,):
                annotations.append(
                    {
                        "id": len(annotations) + 1,
                        "image_id": number,
                        "category_id": category,
                        "bbox": box,
                        "area": box[2] * box[3],
                        "iscrowd": int(ignored),
                    }
                )
    images = [{"id": n, "width": r.width_px, "height": r.height_px} for n, r in enumerate(results, start=1)]
    categories = [{"id": k, "name": name} for k, name in enumerate(class_names, start=1)]
    return {"images": images, "annotations": annotations, "categories": categories}


def _coco_said(results: Sequence[PictureResult]) -> list[dict[str, Any]]:
    """Detections in COCO's form."""
    return [
        {"image_id": number, "category_id": label, "bbox": box, "score": score}
        for number, result in enumerate(results, start=1)
        for box, label, score in zip(
            _xywh(result.boxes, result), result.labels.tolist(), result.scores.tolist(), strict=True
        )
    ]
