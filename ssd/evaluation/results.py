"""Model + pictures → results that metrics can judge, one picture at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

from ssd.config import SelectionConfig
from ssd.data.records import Sample, Target
from ssd.detections import Detections
from ssd.metrics import PictureResult
from ssd.prediction import Predictor

__all__ = ["Pictures", "picture_result", "results"]


@runtime_checkable
class Pictures(Protocol):
    """Anything that gives samples by number."""

    def __len__(self) -> int:
        """How many."""
        ...

    def sample(self, index: int) -> Sample:
        """One picture and its objects."""
        ...


def picture_result(target: Target, found: Detections, *, size_px: tuple[int, int]) -> PictureResult:
    """Detections beside the objects of their picture.

    Args:
        target: the objects. ``difficult`` ones are ignored, as facts.md decides; what is
            ignored and has a class is one of COCO's crowd boxes.
        found: the detections.
        size_px: width and height of the picture.

    Returns:
        The record that metrics read.
    """
    return PictureResult(
        width_px=size_px[0],
        height_px=size_px[1],
        gt_boxes=target.boxes,
        gt_labels=target.labels,
        gt_ignored=target.ignore | target.difficult,
        boxes=found.boxes,
        labels=found.labels,
        scores=found.scores,
        gt_crowd=target.ignore & (target.labels > 0),
    )


def results(
    predictor: Predictor, pictures: Pictures, *, config: SelectionConfig | None = None
) -> Iterator[PictureResult]:
    """Detections beside objects, picture by picture, so that the caller can show progress.

    Args:
        predictor: the detector.
        pictures: a data set whose labels follow the detector's class names.
        config: limits of the selection; ``None``: those of the detector.

    Yields:
        One result for each picture, in order.
    """
    for index in range(len(pictures)):
        sample = pictures.sample(index)
        found = predictor.select(predictor.predict(sample.picture), config).detections
        height, width = sample.picture.shape[1:]
        yield picture_result(sample.target, found, size_px=(width, height))
