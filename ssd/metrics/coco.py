"""COCO AP and the eleven numbers around it, computed by faster-coco-eval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from ssd.errors import DataError
from ssd.metrics.results import PictureResult, in_pixels

__all__ = ["COCO_NUMBERS", "CocoReport", "coco_ap", "coco_report", "coco_said", "coco_truth"]

COCO_NUMBERS = (
    "AP", "AP50", "AP75", "AP small", "AP medium", "AP large",
    "AR 1", "AR 10", "AR 100", "AR small", "AR medium", "AR large",
)  # fmt: skip
_AREAS = {"": 0, " small": 1, " medium": 2, " large": 3}  # all; below 32², below 96² and above, in pixels
_LIMITS = {"1": 0, "10": 1, "100": 2}  # detections of a class in a picture
_IOU50, _IOU75 = 0, 5


@dataclass(frozen=True)
class CocoReport:
    """COCO AP of a set of pictures, as shares of 1.

    Attributes:
        numbers: the twelve numbers of COCO by their names in ``COCO_NUMBERS``; ``None`` where
            no object counts.
        per_class: COCO AP of each class; ``None`` where it has no objects.
        per_class50: AP50 of each class.
        precision50: of each class the precision at the recalls 0, .01 … 1 and IoU .50, as
            COCO interpolates it; no row where it has no objects.
        small50: AP50 of the objects below 32² pixels; ``None`` where there are none.
        num_pictures: all of them, also those without objects.
        num_objects: those that are not ignored.
    """

    numbers: dict[str, float | None]
    per_class: dict[str, float | None]
    per_class50: dict[str, float | None]
    precision50: dict[str, Float[Tensor, "r"]]
    small50: float | None
    num_pictures: int
    num_objects: int

    @property
    def ap(self) -> float | None:
        """COCO AP, the mean over IoU .50 to .95 and classes; ``None`` without objects."""
        return self.numbers["AP"]

    @property
    def ap50(self) -> float | None:
        """The same at IoU .50."""
        return self.numbers["AP50"]

    @property
    def ap75(self) -> float | None:
        """The same at IoU .75."""
        return self.numbers["AP75"]


def coco_report(
    results: Sequence[PictureResult],
    *,
    class_names: Sequence[str],
    image_ids: Sequence[int] | None = None,
) -> CocoReport:
    """The twelve numbers of COCO, computed by faster-coco-eval.

    Ignored boxes become crowd boxes of every class, but for COCO's own crowd boxes
    (``gt_crowd``), which are ignored in their class only. An object's size is the area of
    its box; COCO's own files give the area of the outline instead, which moves the numbers
    by size and no others.

    Args:
        results: one for each picture, in any order.
        class_names: in the order of labels 1..C.
        image_ids: of the pictures: equal scores count in this order. ``None``: as they stand.

    Returns:
        The report.

    Raises:
        DataError: there is not one id of its own for each picture.

    Example:
        >>> box, one = torch.tensor([[0.0, 0.0, 0.5, 0.5]]), torch.tensor([1])
        >>> no, score = torch.tensor([False]), torch.tensor([0.9])
        >>> coco_report([PictureResult(100, 80, box, one, no, box, one, score)], class_names=["cat"]).ap50
        1.0
    """
    from faster_coco_eval import COCO, COCOeval_faster

    ids = list(range(1, len(results) + 1)) if image_ids is None else list(image_ids)
    if len(set(ids)) != len(results) or len(ids) != len(results):
        raise DataError(
            f"Each of the {len(results)} pictures needs an id of its own, got {len(set(ids))}; number them."
        )
    names = list(class_names)
    truth = COCO(coco_truth(results, ids, names))
    evaluation = COCOeval_faster(truth, truth.loadRes(coco_said(results, ids)), iouType="bbox")
    evaluation.evaluate()
    evaluation.accumulate()
    precision = torch.as_tensor(evaluation.eval["precision"])  # (IoU, recall, class, area, limit)
    recall = torch.as_tensor(evaluation.eval["recall"])  # (IoU, class, area, limit)
    return _report(results, names, precision, recall)


coco_ap = coco_report  # the name of the first version


def _report(
    results: Sequence[PictureResult], names: list[str], precision: Tensor, recall: Tensor
) -> CocoReport:
    """Means over what counts; −1 marks classes without objects."""
    usual = precision[:, :, :, 0, -1]
    numbers = {f"AP{area}": _mean(precision[:, :, :, k, -1]) for area, k in _AREAS.items()}
    numbers |= {"AP50": _mean(usual[_IOU50]), "AP75": _mean(usual[_IOU75])}
    numbers |= {f"AR {limit}": _mean(recall[:, :, 0, k]) for limit, k in _LIMITS.items()}
    numbers |= {f"AR{area}": _mean(recall[:, :, k, -1]) for area, k in _AREAS.items() if area}
    curves = {name: usual[_IOU50, :, k] for k, name in enumerate(names)}
    return CocoReport(
        numbers={name: numbers[name] for name in COCO_NUMBERS},
        per_class={name: _mean(usual[:, :, k]) for k, name in enumerate(names)},
        per_class50={name: _mean(curve) for name, curve in curves.items()},
        precision50={name: curve for name, curve in curves.items() if bool((curve > -1).all())},
        small50=_mean(precision[_IOU50, :, :, _AREAS[" small"], -1]),
        num_pictures=len(results),
        num_objects=sum(int((~result.gt_ignored).sum()) for result in results),
    )


def _mean(values: Tensor) -> float | None:
    """Mean over what counts."""
    counted = values[values > -1]
    return float(counted.mean()) if len(counted) else None


def _xywh(boxes: Tensor, result: PictureResult) -> list[list[float]]:
    """Pixels, corner and size."""
    pixels = in_pixels(boxes, result)
    sides = pixels[:, 2:] - pixels[:, :2]
    exact = sides.round(decimals=9) if boxes.dtype == torch.float64 else sides  # x + w − x is not always w
    rows: list[list[float]] = torch.cat([pixels[:, :2], exact], dim=1).tolist()
    return rows


def coco_truth(results: Sequence[PictureResult], ids: list[int], names: list[str]) -> dict[str, Any]:
    """Ground truth in COCO's form.

    Args:
        results: one for each picture.
        ids: of the pictures.
        names: class names in the order of labels 1..C.

    Returns:
        The content of an ``instances`` file. Annotation ids start at 1 (0 breaks the reference
        tools); what is ignored is a crowd box, of every class where its own is not known.
    """
    annotations: list[dict[str, Any]] = []
    for number, result in zip(ids, results, strict=True):
        crowd = result.gt_crowd if result.gt_crowd is not None else torch.zeros_like(result.gt_ignored)
        flags = (result.gt_labels.tolist(), result.gt_ignored.tolist(), crowd.tolist())
        for box, label, ignored, own in zip(_xywh(result.gt_boxes, result), *flags, strict=True):
            everywhere = ignored and not (own and label > 0)
            for category in range(1, len(names) + 1) if everywhere else (label,):
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
    sizes = zip(ids, results, strict=True)
    images = [{"id": number, "width": r.width_px, "height": r.height_px} for number, r in sizes]
    categories = [{"id": label, "name": name} for label, name in enumerate(names, start=1)]
    return {"images": images, "annotations": annotations, "categories": categories}


def coco_said(results: Sequence[PictureResult], ids: list[int]) -> list[dict[str, Any]]:
    """Detections in COCO's form.

    Args:
        results: one for each picture.
        ids: of the pictures.

    Returns:
        The content of a results file.
    """
    return [
        {"image_id": number, "category_id": label, "bbox": box, "score": score}
        for number, result in zip(ids, results, strict=True)
        for box, label, score in zip(
            _xywh(result.boxes, result), result.labels.tolist(), result.scores.tolist(), strict=True
        )
    ]
