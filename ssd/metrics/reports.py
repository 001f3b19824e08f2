"""Average precision by the name of its metric, in one report whatever the metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ssd.metrics.coco import coco_report
from ssd.metrics.curves import Metric, precision_recall, validate_metric
from ssd.metrics.pairing import Judgeable, Pairing, pair_up

__all__ = ["ApReport", "average_precision"]


@dataclass(frozen=True)
class ApReport:
    """AP of a set of pictures, in 0–1.

    Attributes:
        metric: by which interpolation.
        ap: mean over the classes that have objects; ``None`` without any. Under ``coco``
            also the mean over IoU .50 to .95, else at the evaluation IoU.
        ap50: the same at IoU .50.
        per_class: of each class; ``None`` where it has no objects.
        per_class50: of each class at IoU .50.
        num_pictures: all of them, also those without objects.
        num_objects: those that are not ignored.
    """

    metric: Metric
    ap: float | None
    ap50: float | None
    per_class: dict[str, float | None]
    per_class50: dict[str, float | None]
    num_pictures: int
    num_objects: int


def average_precision(
    results: Judgeable,
    *,
    class_names: Sequence[str],
    metric: Metric,
    evaluation_iou: float = 0.5,
    image_ids: Sequence[int] | None = None,
) -> ApReport:
    """VOC07 11-point AP, VOC12 AP or COCO AP.

    Under VOC a detection whose best box – among the objects of its class and the ignored
    boxes of any – is an ignored one is dropped; COCO's rules are those of
    :func:`ssd.metrics.coco_report`.

    Args:
        results: one for each picture.
        class_names: in the order of labels 1..C.
        metric: ``voc07``, ``voc12`` or ``coco``.
        evaluation_iou: least jaccard of a hit for ``ap`` under VOC; COCO has its own ten.
        image_ids: for COCO, the order of equal scores; ``None``: as the pictures stand.

    Returns:
        The report.

    Raises:
        ConfigError: there is no such metric, or the evaluation IoU lies outside 0–1.
        DataError: there is not one id of its own for each picture.

    Source:
        Everingham et al., VOC2007 and VOC2012 devkits; pycocotools.

    Example:
        >>> import torch
        >>> from ssd.metrics import PictureResult
        >>> box, one = torch.tensor([[0.0, 0.0, 0.5, 0.5]]), torch.tensor([1])
        >>> found = PictureResult(9, 9, box, one, torch.tensor([False]), box, one, torch.tensor([0.9]))
        >>> average_precision([found], class_names=["cat", "dog"], metric="voc07").per_class
        {'cat': 1.0, 'dog': None}
    """
    validate_metric(metric)
    if metric == "coco":
        pictures = results.results if isinstance(results, Pairing) else results
        found = coco_report(pictures, class_names=class_names, image_ids=image_ids)
        numbers = (found.ap, found.ap50, found.per_class, found.per_class50)
        return ApReport(metric, *numbers, found.num_pictures, found.num_objects)
    pairing = pair_up(results)
    each = _per_class(pairing, class_names, metric, evaluation_iou)
    each50 = each if evaluation_iou == 0.5 else _per_class(pairing, class_names, metric, 0.5)
    means = (_mean(each), _mean(each50))
    return ApReport(metric, *means, each, each50, len(pairing.results), pairing.num_objects)


def _per_class(
    pairing: Pairing, class_names: Sequence[str], metric: Metric, evaluation_iou: float
) -> dict[str, float | None]:
    """AP of each class."""
    curves = precision_recall(pairing, class_names=class_names, evaluation_iou=evaluation_iou)
    return {name: curve.ap(metric) for name, curve in curves.items()}


def _mean(values: Mapping[str, float | None]) -> float | None:
    """Mean over the classes that have objects."""
    counted = [value for value in values.values() if value is not None]
    return sum(counted) / len(counted) if counted else None
