"""Why was each object of a data set missed? The diagnosis of every picture, added up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from ssd.config import MatchingRule, SelectionConfig
from ssd.diagnosis import (
    Cover,
    Diagnosis,
    FalsePositive,
    TrainingCover,
    Verdict,
    diagnose,
    false_positives,
    training_cover,
)
from ssd.evaluation.raw import Progress, RawOutputs
from ssd.evaluation.results import picture_result
from ssd.matching import match
from ssd.metrics import PictureResult, judge

__all__ = ["MISSED_VERDICTS", "MissedObject", "MissedReport", "missed_objects"]

MISSED_VERDICTS = tuple(verdict for verdict in Verdict if Verdict.IGNORED < verdict < Verdict.FOUND)


@dataclass(frozen=True)
class MissedObject:
    """One object that was not found, and why.

    Attributes:
        image_id: COCO's id of the picture where there is one, else its file's name.
        picture: place of the picture in the data set.
        object: place of the object in its picture, from 0.
        category: class name.
        verdict: name of the :class:`~ssd.diagnosis.Verdict`, in small letters.
        by: with ``suppressed`` the anchor of the box that did it; with ``claimed`` the object
            that the box answers for; else ``None``.
        cover: name of the :class:`~ssd.diagnosis.Cover`, in small letters: what the matching
            rule would give the object in training.
        best_jaccard: of any box with the object.
        score: the highest of its class among the boxes that lie right, or of the nearest box.
    """

    image_id: int | str
    picture: int
    object: int
    category: str
    verdict: str
    by: int | None
    cover: str
    best_jaccard: float
    score: float


@dataclass(frozen=True)
class MissedReport:
    """What became of the objects of a data set.

    Attributes:
        num_objects: those that are not ignored.
        found: how many a detection found.
        missed: how many objects met each verdict, in the order of the pipeline; together with
            ``found`` all of them.
        cover: how many of the missed objects have each training cover.
        false_positives: how many detections are wrong in each way.
        objects: the missed ones, picture by picture.
    """

    num_objects: int
    found: int
    missed: dict[str, int]
    cover: dict[str, int]
    false_positives: dict[str, int]
    objects: tuple[MissedObject, ...]


def missed_objects(
    raw: RawOutputs,
    *,
    config: SelectionConfig | None = None,
    evaluation_iou: float = 0.5,
    rule: MatchingRule = "bipartite",
    threshold: float = 0.5,
    progress: Progress | None = None,
) -> MissedReport:
    """Give every object that was not found its verdict, and every false positive its kind.

    Args:
        raw: outputs of a network over a data set.
        config: limits of the selection; ``None``: those of the detector.
        evaluation_iou: least jaccard of a hit, in 0–1.
        rule: matching rule of the training cover; it changes no verdict.
        threshold: match threshold of the training cover.
        progress: told after each picture how many are done, of how many.

    Returns:
        The report.

    Raises:
        ConfigError: a share lies outside 0–1, or the rule is unknown.
    """
    config = raw.predictor.config.selection if config is None else config
    num_objects, wrong, missed = 0, Counter[FalsePositive](), list[MissedObject]()
    for index in range(len(raw)):
        result = raw.result(index, config)
        kinds = false_positives(result, evaluation_iou=evaluation_iou).kind.tolist()
        wrong.update(FalsePositive(kind) for kind in kinds if kind >= 0)
        judged = judge(result, evaluation_iou=evaluation_iou)
        num_objects += judged.num_objects
        if int(judged.found.sum()) < judged.num_objects:
            told = _diagnosis(raw, index, config, evaluation_iou)
            cover = _cover(raw, result, rule, threshold)
            missed += _missed(raw, index, told.diagnosis, told.suppressor, cover)
        if progress is not None:
            progress(index + 1, len(raw))
    return _report(num_objects, wrong, tuple(missed))


@dataclass(frozen=True)
class _Told:
    """A diagnosis, and of each object the anchor of the candidate that suppressed its box."""

    diagnosis: Diagnosis
    suppressor: list[int]


def _diagnosis(raw: RawOutputs, index: int, config: SelectionConfig, evaluation_iou: float) -> _Told:
    """Of one picture, from the records of its whole selection."""
    output = raw.output(index)
    picked = raw.predictor.select(output, config)
    result = picture_result(raw.target(index), picked.detections, size_px=raw.size_px(index))
    found = diagnose(output.boxes, output.scores, picked=picked, result=result, evaluation_iou=evaluation_iou)
    candidates = found.suppressed_by.tolist()
    return _Told(found, [int(picked.anchors[each]) if each >= 0 else each for each in candidates])


def _cover(raw: RawOutputs, result: PictureResult, rule: MatchingRule, threshold: float) -> TrainingCover:
    """What the rule gives the objects that training would see; the ignored ones have no row of their own."""
    counted = ~result.gt_ignored
    found = match(result.gt_boxes[counted], raw.predictor.anchors.boxes, rule=rule, threshold=threshold)
    return training_cover(found)


def _missed(
    raw: RawOutputs, index: int, found: Diagnosis, suppressor: list[int], cover: TrainingCover
) -> Iterator[MissedObject]:
    """The missed objects of a picture."""
    labels, image_id = raw.target(index).labels.tolist(), raw.image_id(index)
    kinds = iter(cover.kind.tolist())
    columns = (found.verdict, found.claimed_by, found.best_jaccard, found.score)
    rows = zip(*(column.tolist() for column in columns), suppressor, labels, strict=True)
    for number, (verdict, claimed_by, best_jaccard, score, suppressed_by, label) in enumerate(rows):
        kind = Cover.ORPHAN if verdict == Verdict.IGNORED else next(kinds)
        if verdict not in MISSED_VERDICTS:
            continue
        by = max(claimed_by, suppressed_by)
        yield MissedObject(
            image_id=image_id,
            picture=index,
            object=number,
            category=raw.class_names[label - 1],
            verdict=_name(Verdict(verdict)),
            by=by if by >= 0 else None,
            cover=_name(Cover(kind)),
            best_jaccard=best_jaccard,
            score=score,
        )


def _report(
    num_objects: int, wrong: Counter[FalsePositive], missed: tuple[MissedObject, ...]
) -> MissedReport:
    """Counts of everything, zeros too."""
    verdicts, covers = (Counter(getattr(each, key) for each in missed) for key in ("verdict", "cover"))
    return MissedReport(
        num_objects=num_objects,
        found=num_objects - len(missed),
        missed={_name(verdict): verdicts[_name(verdict)] for verdict in MISSED_VERDICTS},
        cover={_name(cover): covers[_name(cover)] for cover in Cover},
        false_positives={_name(kind): wrong[kind] for kind in FalsePositive},
        objects=missed,
    )


def _name(member: Verdict | Cover | FalsePositive) -> str:
    """A verdict, cover or kind as results files call it."""
    return member.name.lower()
