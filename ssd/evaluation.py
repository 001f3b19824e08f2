"""Model + pictures → results that metrics can judge, one picture at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

from ssd.config import SelectionConfig
from ssd.data.records import Sample
from ssd.metrics import PictureResult
from ssd.prediction import Predictor

__all__ = ["Pictures", "results"]


@runtime_checkable
class Pictures(Protocol):
    """Anything that gives samples by number."""

    def __len__(self) -> int:
        """How many."""
        ...

    def sample(self, index: int) -> Sample:
        """One picture and its objects."""
        ...


def results(
    predictor: Predictor, pictures: Pictures, *, config: SelectionConfig | None = None
) -> Iterator[PictureResult]:
    """Detections beside objects, picture by picture, so that the caller can show progress.

    Args:
        predictor: the detector.
        pictures: a data set whose labels follow the detector's class names.
        config: limits of the selection; ``None``: those of the detector.

    Yields:
        One result for each picture, in order. ``difficult`` objects are ignored, as facts.md decides.
    """
    for index in range(len(pictures)):
        sample = pictures.sample(index)
        found = predictor.select(predictor.predict(sample.picture), config).detections
        yield PictureResult(
            width_px=int(sample.picture.shape[2]),
            height_px=int(sample.picture.shape[1]),
            gt_boxes=sample.target.boxes,
            gt_labels=sample.target.labels,
            gt_ignored=sample.target.ignore | sample.target.difficult,
            boxes=found.boxes,
            labels=found.labels,
            scores=found.scores,
        )
