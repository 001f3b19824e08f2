"""Teach one picture: the training of every other run, small and quick, watched step by step."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ssd.boxes import jaccard
from ssd.config import SELECTION_PRESETS, UNMATCHED, CoderConfig
from ssd.data.augment import Augmentation
from ssd.data.drawn import MatchableObjects, split_target
from ssd.data.records import Sample
from ssd.detections import Detections, Fate, Selection
from ssd.losses import LossConfig
from ssd.matching import Match, match
from ssd.prediction import PictureOutput, Predictor
from ssd.training.config import TrainConfig
from ssd.training.loop import StepReport, Training, bare, prepare, train
from ssd.training.presets import training_preset
from ssd.training.teach_job import Look, TeachJob, TeachReport, TeachRules, Told

__all__ = ["OnePicture", "teach", "teach_config"]

LOOK_EVERY = 2  # steps
_CALM_LOOKS = 4  # in a row with every object found that has an anchor: the lesson is over
_NEAR_JACCARD = 0.5  # a box this close to an object is meant for it
_MOST_LEARNERS = 8  # anchors shown on their way, for each object
_MOST_SHOWN = 60  # candidates that were suppressed
_NORM_MOMENTUM = 0.3
_ALL_NEGATIVES = 1e6
_NO_VARIANCES = CoderConfig(variances=(1.0, 1.0))


@dataclass(frozen=True)
class OnePicture:
    """A source that has one picture: as it is, and perhaps in a mirror too.

    Attributes:
        views: at training size, so that no step resizes them again.
    """

    views: tuple[Sample, ...]

    def __len__(self) -> int:
        return len(self.views)

    def sample(self, index: int) -> Sample:
        """One view of the picture."""
        return self.views[index]


def teach_config(rules: TeachRules, *, steps: int = 120) -> TrainConfig:
    """The training preset ``teach`` with the rules of a lesson.

    Args:
        rules: of the lesson.
        steps: at most.

    Returns:
        The run's numbers.

    Example:
        >>> teach_config(TeachRules(matching="overwrite")).matching
        'overwrite'
    """
    preset = training_preset("teach")
    ratio = {"3 : 1": 3.0, "none": 0.0, "all": _ALL_NEGATIVES}[rules.negatives]
    fewest = 0 if rules.negatives == "none" else preset.loss.min_negatives
    return replace(
        preset,
        steps=steps,
        matching=rules.matching,
        loss=LossConfig(confidence=rules.loss, negative_ratio=ratio, min_negatives=fewest, class_mean=False),
        coder=None if rules.variances else _NO_VARIANCES,
        batch_size=2 if rules.augmentation else 1,  # as it is, and in a mirror
    )


def teach(job: TeachJob, *, stopped: Callable[[], bool] = lambda: False) -> Iterator[TeachReport]:
    """Train on one picture until its objects are found, and say after each step how far it is.

    An object for which no anchor answers is not waited for.

    Args:
        job: picture, objects, rules.
        stopped: asked after each step; true ends the lesson there.

    Yields:
        A report before the first step and after each; ``is_last`` marks the end.

    Raises:
        NumericError: the loss is not finite.

    Example:
        >>> from ssd.data.lessons import lesson_scene
        >>> scene = lesson_scene("dog and ball")
        >>> [report.step for report in teach(TeachJob(scene.sample, scene.class_names, steps=2))]
        [0, 1, 2]
    """
    started = time.perf_counter()
    run = prepare(teach_config(job.rules, steps=job.steps), class_names=job.class_names)
    _hasten_norms(run)
    eye, source = _Eye(run, job.sample), _source(run, job)
    told, calm = eye.told(), 0
    can_be_found = sum(each.anchors > 0 for each in told)
    yield TeachReport(0, 0.0, 0.0, 0.0, _since(started), look=eye.look(), told=told)
    for report in train(run, source):
        ends = stopped() or report.step == job.steps
        look = eye.look() if ends or report.step % LOOK_EVERY == 0 else None
        if look is not None:
            calm = calm + 1 if 0 < can_be_found <= look.found else 0
        ends = ends or calm == _CALM_LOOKS
        yield _reported(report, _since(started), look, eye.mirrored() if ends else None)
        if ends:
            return


def _hasten_norms(run: Training) -> None:
    """Running means follow within ten steps: a lesson has fifty, not the thousands they are made for."""
    for module in run.model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = _NORM_MOMENTUM


def _source(run: Training, job: TeachJob) -> OnePicture:
    """The picture at training size; with augmentation in a mirror too."""
    size, rules = run.model_config.contract.size_wh, job.rules
    flips = (0.0, 1.0) if rules.augmentation else (0.0,)
    changes = [Augmentation(replace(run.config.augment, flip=flip), size_wh=size) for flip in flips]
    return OnePicture(tuple(change(job.sample, seed=0) for change in changes))


def _since(started: float) -> float:
    return time.perf_counter() - started


def _reported(
    report: StepReport, seconds: float, look: Look | None, mirrored: tuple[float, ...] | None
) -> TeachReport:
    """What the loop says of a step, and what was seen in it."""
    return TeachReport(
        step=report.step,
        loss=report.loss,
        localisation=report.localisation,
        confidence=report.confidence,
        seconds=seconds,
        look=look,
        mirrored=mirrored,
    )


class _Eye:
    """Looks at the picture with the network as it stands, as any other prediction does."""

    def __init__(self, run: Training, sample: Sample) -> None:
        self.predictor = Predictor(bare(run.model), sha256="")
        self.sample = sample
        self.target = split_target(sample.target)
        self.match = match(
            self.target.boxes,
            self.predictor.anchors.boxes,
            rule=run.config.matching,
            threshold=run.config.match_threshold,
            ignored_boxes=self.target.ignored_boxes,
        )
        self.learners = _learners(self.match)

    def told(self) -> tuple[Told, ...]:
        """How many anchors answer for each object."""
        owners = self.match.matched_gt
        counts = [int((owners == g).sum()) for g in range(len(self.target.labels))]
        takers = [int(owners[anchor]) for anchor in self.match.best_anchor.tolist()]
        return tuple(
            Told(count, taker if count == 0 and taker != UNMATCHED else None)
            for count, taker in zip(counts, takers, strict=True)
        )

    def look(self) -> Look:
        """Candidates, learners, and how well each object is found."""
        output = self._predicted(self.sample.picture)
        picked = self.predictor.select(output, SELECTION_PRESETS["display"])
        shown = _shown(picked)
        waiting = self._waiting(output, picked)
        place = torch.cumsum(shown.long(), dim=0) - 1
        by = picked.suppressed_by[shown]
        by = torch.where(by == UNMATCHED, by, place[by.clamp(min=0)])
        none = torch.full((len(waiting.scores),), UNMATCHED)
        return Look(
            anchors=_ints(torch.cat([picked.anchors[shown], waiting.anchors])),
            labels=_ints(torch.cat([picked.labels[shown], waiting.labels])),
            scores=_floats(torch.cat([picked.scores[shown], waiting.scores])),
            boxes=_boxes(torch.cat([picked.boxes[shown], waiting.boxes])),
            fates=_ints(torch.cat([picked.fate[shown], torch.full_like(none, int(Fate.KEPT))])),
            suppressed_by=_ints(torch.cat([by, none])),
            best=_floats(_best(picked.detections, self.target)),
            top_score=_floats(_top_score(output, self.target)),
            extra=_extra(picked.detections, self.target),
        )

    def mirrored(self) -> tuple[float, ...]:
        """How well each object is found in a mirror."""
        boxes = self.target.boxes
        flipped = torch.stack([1 - boxes[:, 2], boxes[:, 1], 1 - boxes[:, 0], boxes[:, 3]], dim=1)
        output = self._predicted(self.sample.picture.flip(2))
        picked = self.predictor.select(output, SELECTION_PRESETS["display"])
        return _floats(_best(picked.detections, replace(self.target, boxes=flipped)))

    def _predicted(self, picture: Tensor) -> PictureOutput:
        self.predictor.model.eval()  # the loop switches back before its next step
        return self.predictor.predict(picture)

    def _waiting(self, output: PictureOutput, picked: Selection) -> Detections:
        """The learners whose score is still below the threshold, best first."""
        owners = self.match.matched_gt[self.learners]
        labels = self.target.labels[owners]
        scores = output.scores[self.learners, labels - 1].nan_to_num()
        below = scores <= SELECTION_PRESETS["display"].score_threshold
        order = scores[below].argsort(descending=True, stable=True)
        boxes = output.boxes[self.learners].nan_to_num().clamp(0.0, 1.0)
        return Detections(
            boxes[below][order], labels[below][order], scores[below][order], self.learners[below][order]
        )


def _learners(found: Match) -> Tensor:
    """Of each object the anchors with the highest jaccard that answer for it."""
    chosen = []
    for g in range(len(found.best_anchor)):
        own = (found.matched_gt == g).nonzero()[:, 0]
        order = found.overlap[own].argsort(descending=True, stable=True)
        chosen.append(own[order[:_MOST_LEARNERS]])
    return torch.cat(chosen) if chosen else torch.zeros(0, dtype=torch.int64)


def _shown(picked: Selection) -> Tensor:
    """Everything that was kept, and the best of the rest."""
    kept = picked.fate == int(Fate.KEPT)
    return kept | (torch.arange(len(kept)) < _MOST_SHOWN)


def _best(detections: Detections, target: MatchableObjects) -> Tensor:
    """Of each object, the jaccard of the best kept box of its class."""
    if not len(detections):
        return torch.zeros(len(target.labels))
    same = target.labels[:, None] == detections.labels[None]
    return (jaccard(target.boxes, detections.boxes) * same).amax(dim=1)


def _top_score(output: PictureOutput, target: MatchableObjects) -> Tensor:
    """Of each object, the highest score of its class among boxes near it."""
    near = jaccard(target.boxes, output.boxes.nan_to_num()) >= _NEAR_JACCARD  # (g, a)
    scores = output.scores.nan_to_num()[:, target.labels - 1].T  # (g, a)
    return (scores * near).amax(dim=1)


def _extra(detections: Detections, target: MatchableObjects) -> int:
    """Kept boxes that are near no object of their class."""
    if not len(detections) or not len(target.labels):
        return len(detections)
    same = target.labels[:, None] == detections.labels[None]
    near = jaccard(target.boxes, detections.boxes) * same >= _NEAR_JACCARD
    return int((~near.any(dim=0)).sum())


def _ints(values: Tensor) -> tuple[int, ...]:
    return tuple(int(value) for value in values.tolist())


def _floats(values: Tensor) -> tuple[float, ...]:
    return tuple(round(float(value), 5) for value in values.tolist())


def _boxes(values: Tensor) -> tuple[tuple[float, float, float, float], ...]:
    return tuple((x1, y1, x2, y2) for x1, y1, x2, y2 in (_floats(row) for row in values))
