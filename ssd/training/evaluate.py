"""Validation during training: the averaged weights over the validation pictures, shared by all processes."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar, cast

import torch
from torch import Tensor

from ssd.contract import PICTURE_ARCHITECTURES
from ssd.data.records import Sample
from ssd.data.transforms import evaluation_input
from ssd.evaluation import Pictures, results
from ssd.losses import PictureLossReport, picture_loss, picture_targets
from ssd.metrics import coco_ap
from ssd.models.outputs import PictureOutputs
from ssd.prediction import Predictor
from ssd.training.setup import Training

__all__ = ["Validation", "validate"]

_Item = TypeVar("_Item")


@dataclass(frozen=True)
class Validation:
    """What the averaged weights reach on the validation pictures.

    Attributes:
        step: optimiser steps done.
        metric: what ``early_stop`` and the best weights go by, higher is better: AP50 of
            a detector, the accuracy of a picture network, or its L1 below zero.
        best: whether no validation before was as high.
        ap50: COCO AP50; ``None`` for picture networks and without objects.
        ap: COCO AP.
        accuracy: of a picture network's classes.
        l1_px: of a picture network's box.
        num_pictures: that were looked at, by all processes together.
        seconds: that it took.
    """

    step: int
    metric: float
    best: bool
    ap50: float | None
    ap: float | None
    accuracy: float | None
    l1_px: float | None
    num_pictures: int
    seconds: float


class _Share:
    """Every n-th picture: what one of n processes looks at."""

    def __init__(self, pictures: Pictures, *, first: int, every: int) -> None:
        self.pictures, self.first, self.every = pictures, first, every

    def __len__(self) -> int:
        return len(range(self.first, len(self.pictures), self.every))

    def sample(self, index: int) -> Sample:
        """The sample of this process."""
        return self.pictures.sample(self.first + index * self.every)


def validate(run: Training, pictures: Pictures) -> Validation:
    """Evaluate the averaged weights, and remember whether they are the best so far.

    Each process takes every n-th picture, once; all of them get the same answer.

    Args:
        run: its memory of the best validation is changed.
        pictures: a data set whose labels follow the run's class names.

    Returns:
        The validation.
    """
    started = time.perf_counter()
    run.averaged.eval()  # without an average it is the network that is being trained
    whole = run.model_config.architecture in PICTURE_ARCHITECTURES
    found = _pictures(run, pictures) if whole else _detections(run, pictures)
    choices = (found.ap50, found.accuracy, None if found.l1_px is None else -found.l1_px)
    metric = next((value for value in choices if value is not None), -math.inf)
    best = metric > run.best
    run.best, run.since_best = (metric, 0) if best else (run.best, run.since_best + 1)
    return Validation(
        step=run.step, metric=metric, best=best, **found._asdict(), seconds=time.perf_counter() - started
    )


class _Numbers(NamedTuple):
    """What one kind of network is judged by."""

    ap50: float | None
    ap: float | None
    accuracy: float | None
    l1_px: float | None
    num_pictures: int


def _detections(run: Training, pictures: Pictures) -> _Numbers:
    """COCO AP50 and AP of a detector."""
    predictor = Predictor(run.averaged.module, sha256="")
    found = _gathered(run, list(results(predictor, _mine(run, pictures))))
    report = coco_ap(found, class_names=run.model_config.class_names)
    return _Numbers(report.ap50 or 0.0, report.ap or 0.0, None, None, len(found))


def _pictures(run: Training, pictures: Pictures) -> _Numbers:
    """Accuracy and L1 of a network that answers for whole pictures."""
    mine = _mine(run, pictures)
    said = _gathered(run, [_said(run, mine.sample(index)) for index in range(len(mine))])
    report = _judged(run, said)
    return _Numbers(None, None, report.accuracy, report.l1_px, len(said))


def _mine(run: Training, pictures: Pictures) -> _Share:
    return _Share(pictures, first=run.fabric.global_rank, every=run.fabric.world_size)


def _said(run: Training, sample: Sample) -> tuple[Tensor | None, Tensor | None, Tensor, Tensor]:
    """What the network says of a picture, and its objects, on the CPU."""
    contract = run.model_config.contract
    ready = evaluation_input(
        sample.picture, size_wh=contract.size_wh, mean=contract.mean, std=contract.std, resize=contract.resize
    )
    with torch.no_grad():
        out = cast(PictureOutputs, run.averaged.module(ready[None].to(run.fabric.device)))
    box, logits = (None if value is None else value.float().cpu() for value in (out.box, out.logits))
    counted = ~(sample.target.ignore | sample.target.difficult)
    return box, logits, sample.target.boxes[counted], sample.target.labels[counted]


def _judged(run: Training, said: Sequence[tuple[Any, Any, Tensor, Tensor]]) -> PictureLossReport:
    """Loss and metrics over all pictures at once."""
    boxes, logits, gt_boxes, gt_labels = (list(column) for column in zip(*said, strict=True))
    config = run.config.picture_loss
    wanted = picture_targets(gt_boxes, gt_labels, num_classes=len(run.model_config.class_names))
    return picture_loss(
        None if boxes[0] is None else torch.cat(boxes),
        None if logits[0] is None else torch.cat(logits),
        gt_box=wanted.box,
        gt_labels=wanted.present if config.confidence == "bce" else wanted.label,
        config=config,
    )


def _gathered(run: Training, mine: list[_Item]) -> list[_Item]:
    """Every process's items, each once, in the order of the pictures."""
    world = run.fabric.world_size
    if world == 1:
        return mine
    shares: list[list[_Item]] = [[] for _ in range(world)]
    torch.distributed.all_gather_object(shares, mine)
    count = sum(len(share) for share in shares)
    return [shares[index % world][index // world] for index in range(count)]
