"""Random detectors' answers in which every verdict and every kind of false positive occurs."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ssd.boxes import cxcywh_to_xyxy
from ssd.config import SelectionConfig
from ssd.detections import Selection, select
from ssd.diagnosis import Diagnosis, diagnose
from ssd.metrics import PictureResult

CLASSES = 3


@dataclass(frozen=True)
class Answer:
    """All that a diagnosis reads of a picture."""

    boxes: Tensor
    scores: Tensor
    config: SelectionConfig
    gt_boxes: Tensor
    gt_labels: Tensor
    gt_ignored: Tensor
    evaluation_iou: float = 0.5

    def picked(self) -> Selection:
        return select(self.boxes, self.scores, config=self.config)

    def result(self) -> PictureResult:
        said = self.picked().detections
        truth = (self.gt_boxes, self.gt_labels, self.gt_ignored)
        return PictureResult(640, 480, *truth, said.boxes, said.labels, said.scores)

    def diagnosis(self) -> Diagnosis:
        return diagnose(
            self.boxes,
            self.scores,
            picked=self.picked(),
            result=self.result(),
            evaluation_iou=self.evaluation_iou,
        )

    def only_object(self, index: int) -> Answer:
        """The same answer, had the picture this one object."""
        rows = slice(index, index + 1)
        truth = {name: getattr(self, name)[rows] for name in ("gt_boxes", "gt_labels", "gt_ignored")}
        return replace(self, **truth)


def random_answer(seed: int) -> Answer:
    """A few objects, boxes around some of them, scores of which some are 0, ties and harsh limits."""
    dice = torch.Generator().manual_seed(seed)

    def uniform(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=dice)

    def pick(*values):
        return values[int(torch.randint(len(values), (1,), generator=dice))]

    objects, anchors = pick(0, 1, 2, 4), pick(1, 6, 15)
    gt = torch.cat([uniform(objects, 2) * 0.6 + 0.2, uniform(objects, 2) * 0.3 + 0.1], dim=1)
    labels = torch.randint(1, CLASSES + 1, (objects,), generator=dice)
    if objects > 1 and pick(True, False):
        gt[1], labels[1] = gt[0] + 0.02 * uniform(4), labels[0]  # two that a single box overlaps
    whose = torch.randint(max(objects, 1), (anchors,), generator=dice)
    around = gt[whose] if objects else uniform(anchors, 4)
    boxes = cxcywh_to_xyxy(around * (1 + (uniform(anchors, 4) - 0.5) * pick(0.02, 0.1, 0.1, 0.8)))
    scores = (uniform(anchors, CLASSES) * 20).floor() / 20 * (uniform(anchors, CLASSES) < 0.5)
    if objects and pick(True, False):
        scores[torch.arange(anchors), labels[whose] - 1] += 0.5
    scores = scores.clamp(max=1.0) * pick(1.0, 0.5)
    if pick(True, False, False):
        boxes[0, 0], scores[-1, 0] = torch.nan, torch.inf
    config = SelectionConfig(
        score_threshold=pick(0.01, 0.3, 0.6),
        nms_threshold=pick(0.1, 0.45, 0.95),
        top_k=pick(1, 2, 400, 400),
        max_detections=pick(1, 2, 200, 200),
        class_agnostic=pick(True, False, False),
    )
    ignored = uniform(objects) < 0.1
    return Answer(boxes, scores, config, cxcywh_to_xyxy(gt), labels, ignored, pick(0.3, 0.5, 0.7))
