"""Why was each object of a data set missed? The diagnosis of every picture, added up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from ssd.config import MatchingRule, SelectionConfig
from ssd.diagnosis import (
    Cover,
    FalsePositive,
    PictureLadder,
    Verdict,
    Verdicts,
    join_ladders,
    picture_ladder,
    training_cover,
)
from ssd.errors import ConfigError
from ssd.evaluation.raw import Progress, RawOutputs
from ssd.evaluation.results import picture_result
from ssd.matching import match
from ssd.metrics import PictureResult

__all__ = ["MISSED_VERDICTS", "MissedObject", "MissedReport", "MissedTable", "missed_objects"]

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


class MissedTable:
    """Why each object of a data set was missed, at any score threshold and evaluation IoU.

    Every picture is looked at once (:meth:`add`); then an answer is looked up.

    Args:
        raw: outputs of a network over a data set.
        config: limits of the selection; ``None``: those of the detector. Answers are for its
            score threshold and, with hard NMS, for higher ones.
        rule: matching rule of the training cover; it changes no verdict.
        threshold: match threshold of the training cover.
        progress: told after each picture how many are done, of how many.

    Raises:
        ConfigError: the rule is unknown.
    """

    def __init__(
        self,
        raw: RawOutputs,
        *,
        config: SelectionConfig | None = None,
        rule: MatchingRule = "bipartite",
        threshold: float = 0.5,
        progress: Progress | None = None,
    ) -> None:
        self.raw = raw
        self.config = raw.predictor.config.selection if config is None else config
        ladders = raw.each(self._ladder, progress)
        covers = [self._cover(ladder.result, rule, threshold) for ladder in ladders]
        labels = [label for ladder in ladders for label in ladder.result.gt_labels.tolist()]
        self._names = [raw.class_names[label - 1] if label > 0 else "" for label in labels]
        self._ids = [raw.image_id(index) for index in range(len(raw))]
        self._ladders = join_ladders(ladders)
        self._covers = torch.cat(covers) if covers else torch.zeros(0, dtype=torch.int64)

    def report(self, *, score: float | None = None, evaluation_iou: float = 0.5) -> MissedReport:
        """Give every object that was not found its verdict, and every false positive its kind.

        Args:
            score: score threshold; ``None``: that of the selection.
            evaluation_iou: least jaccard of a hit, in 0–1.

        Returns:
            The report.

        Raises:
            ConfigError: the evaluation IoU lies outside 0–1, the score threshold lies below
                that of the selection, or above it with soft NMS.
        """
        lowest = self.config.score_threshold
        score = lowest if score is None else score
        if score < lowest or (score > lowest and self.config.nms_kind == "soft"):
            raise ConfigError(
                f"These verdicts are for {'the' if self.config.nms_kind == 'soft' else 'at least the'} score "
                f"threshold {lowest:g}, got {score:g}; make a table for it."
            )
        said = self._ladders.verdicts(score=score, evaluation_iou=evaluation_iou)
        return self._report(said)

    def _ladder(self, index: int) -> PictureLadder:
        """Of one picture, from the records of its whole selection."""
        raw, output = self.raw, self.raw.output(index)
        picked = raw.predictor.select(output, self.config)
        result = picture_result(raw.target(index), picked.detections, size_px=raw.size_px(index))
        return picture_ladder(output.boxes, output.scores, picked=picked, result=result)

    def _cover(self, result: PictureResult, rule: MatchingRule, threshold: float) -> Tensor:
        """What the rule gives each object; the ignored ones have no row in the match."""
        counted = ~result.gt_ignored
        anchors = self.raw.predictor.anchors.boxes
        cover = torch.full_like(result.gt_labels, int(Cover.ORPHAN))
        found = match(result.gt_boxes[counted], anchors, rule=rule, threshold=threshold)
        cover[counted] = training_cover(found).kind
        return cover

    def _report(self, said: Verdicts) -> MissedReport:
        """Counts of everything, zeros too."""
        pairing = self._ladders.pairing
        missed = (said.verdict > int(Verdict.IGNORED)) & (said.verdict < int(Verdict.FOUND))
        objects = tuple(self._missed(missed.nonzero()[:, 0], said))
        verdicts, covers = (Counter(getattr(each, key) for each in objects) for key in ("verdict", "cover"))
        wrong = Counter(said.wrong.tolist())
        return MissedReport(
            num_objects=pairing.num_objects,
            found=pairing.num_objects - len(objects),
            missed={_name(verdict): verdicts[_name(verdict)] for verdict in MISSED_VERDICTS},
            cover={_name(cover): covers[_name(cover)] for cover in Cover},
            false_positives={_name(kind): wrong[int(kind)] for kind in FalsePositive},
            objects=objects,
        )

    def _missed(self, chosen: Tensor, said: Verdicts) -> Iterator[MissedObject]:
        """Some objects with all that is known of them."""
        pairing = self._ladders.pairing
        columns = (pairing.gt_picture, pairing.gt_index, said.verdict, said.by, self._covers)
        rows = zip(
            chosen.tolist(),
            *(column[chosen].tolist() for column in (*columns, said.best_jaccard, said.score)),
            strict=True,
        )
        for number, picture, place, verdict, by, cover, best_jaccard, score in rows:
            yield MissedObject(
                image_id=self._ids[picture],
                picture=picture,
                object=place,
                category=self._names[number],
                verdict=_VERDICT_NAMES[verdict],
                by=by if by >= 0 else None,
                cover=_COVER_NAMES[cover],
                best_jaccard=best_jaccard,
                score=score,
            )


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
    table = MissedTable(raw, config=config, rule=rule, threshold=threshold, progress=progress)
    return table.report(evaluation_iou=evaluation_iou)


def _name(member: Verdict | Cover | FalsePositive) -> str:
    """A verdict, cover or kind as results files call it."""
    return member.name.lower()


_VERDICT_NAMES = {int(verdict): _name(verdict) for verdict in Verdict}
_COVER_NAMES = {int(cover): _name(cover) for cover in Cover}
