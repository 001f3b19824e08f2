"""A lesson in pictures and words: reports in, the canvas's boxes, a curve and sentences out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from ssd.config import UNMATCHED
from ssd.detections import Detections, Fate, Selection
from ssd.figures.blobs import Blob, candidates_blob
from ssd.training.teach_job import FOUND_JACCARD, Look, TeachReport, TeachRules, Told

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["Curve", "curve_of", "lesson_figure", "lesson_sentences", "look_blob", "rule_words"]

_SCORE = 0.5  # from here on a box is kept; as in the selection preset "display"
_LEAST_LOSS, _MOST_LOSS = 1e-3, 30.0  # ends of the axis, for every lesson alike


@dataclass(frozen=True)
class Curve:
    """The loss of a lesson, for a chart.

    Attributes:
        name: of the lesson.
        steps: from 1.
        losses: one a step.
        found_at: the step at which every object was found; ``None``: never.
    """

    name: str
    steps: tuple[int, ...]
    losses: tuple[float, ...]
    found_at: int | None = None


def look_blob(look: Look, *, class_names: Sequence[str]) -> Blob:
    """What the network says of the picture, as the canvas draws it.

    Args:
        look: of a lesson.
        class_names: of labels 1..C.

    Returns:
        The candidates; those that are to learn stand below the score, so that the canvas
        tells them apart.

    Example:
        >>> look = Look((7,), (1,), (0.9,), ((0.0, 0.0, 0.5, 0.5),), (0,), (-1,), (0.95,), (0.9,), 0)
        >>> look_blob(look, class_names=["dog"]).data["count"]
        1
    """
    boxes = torch.tensor(look.boxes, dtype=torch.float32).reshape(-1, 4)
    scores, labels = torch.tensor(look.scores, dtype=torch.float32), torch.tensor(look.labels).long()
    anchors, fate = torch.tensor(look.anchors).long(), torch.tensor(look.fates).long()
    kept = (fate == int(Fate.KEPT)) & (scores > _SCORE)
    selection = Selection(
        detections=Detections(boxes[kept], labels[kept], scores[kept], anchors[kept]),
        kept=kept.nonzero()[:, 0],
        boxes=boxes,
        labels=labels,
        scores=scores,
        anchors=anchors,
        fate=fate,
        suppressed_by=torch.tensor(look.suppressed_by).long(),
        overlap=torch.zeros_like(scores),
        decayed=scores,
        decayed_by=torch.full_like(labels, UNMATCHED),
        num_below=0,
        num_not_finite=0,
    )
    return candidates_blob(selection, class_names=class_names, floor=0.0)


def rule_words(rules: TeachRules) -> str:
    """The rules of a lesson in a line.

    Args:
        rules: of the lesson.

    Returns:
        Words split by dots.

    Example:
        >>> rule_words(TeachRules(matching="overwrite"))
        'overwrite · 3 negatives a positive · softmax · variances · mirror'
    """
    mined = {"3 : 1": "3 negatives a positive", "none": "no negatives", "all": "all negatives"}
    loss = {"softmax": "softmax", "focal": "focal loss", "bce": "BCE"}[rules.loss]
    words = [rules.matching, mined[rules.negatives] if rules.loss == "softmax" else "nothing mined", loss]
    words.append("variances" if rules.variances else "no variances")
    words.append("mirror" if rules.augmentation else "no mirror")
    return " · ".join(words)


def curve_of(reports: Sequence[TeachReport], *, name: str) -> Curve:
    """The loss of a lesson so far.

    Args:
        reports: of the lesson.
        name: of the lesson.

    Returns:
        The curve.
    """
    steps = [report for report in reports if report.step > 0]
    last = _last_look(reports)
    everything = None
    if last is not None and 0 < len(last.best) == last.found:
        everything = max(step for g in range(len(last.best)) if (step := _found_at(reports, g)) is not None)
    return Curve(name, tuple(r.step for r in steps), tuple(r.loss for r in steps), everything)


def lesson_figure(curves: Sequence[Curve], *, most_steps: int) -> go.Figure:
    """Loss against steps, on axes that do not move.

    Args:
        curves: the lesson before, if there is one, and the present one last.
        most_steps: of a lesson: the end of the axis.

    Returns:
        A line for each lesson, with a mark where every object was found.

    Example:
        >>> lesson_figure([Curve("a", (1, 2), (3.0, 1.0), found_at=2)], most_steps=10).data[1].x
        (2,)
    """
    import plotly.graph_objects as go

    from ssd.figures.charts import compact
    from ssd.figures.colours import line

    figure = go.Figure()
    styles = [{"color": "#7A828C", "width": 2, "dash": "dot"}, {"color": line("orphan").colour, "width": 3}]
    for curve, style in zip(curves, styles[-len(curves) :], strict=True):
        shown = [min(max(loss, _LEAST_LOSS), _MOST_LOSS) for loss in curve.losses]
        figure.add_scatter(
            x=list(curve.steps), y=shown, mode="lines", name=curve.name, line=style,
            hovertemplate="step %{x}: loss %{y:.3f}<extra></extra>",
        )  # fmt: skip
        if curve.found_at in curve.steps:
            figure.add_scatter(
                x=[curve.found_at],
                y=[shown[curve.steps.index(curve.found_at)]],
                mode="markers+text",
                text=["all found"],
                textposition="top right",
                marker={"size": 11, "color": line("kept").colour, "symbol": "star"},
                hoverinfo="skip",
                showlegend=False,
            )
    figure.update_xaxes(title="step", range=[0, most_steps])
    figure.update_yaxes(title="loss", type="log", range=[-3, 1.5], tickvals=[0.001, 0.01, 0.1, 1, 10])
    return compact(figure, height=230, legend=True)


def lesson_sentences(reports: Sequence[TeachReport], *, titles: Sequence[str]) -> tuple[str, ...]:
    """What became of each object, of boxes that belong to none, and of the mirror.

    Args:
        reports: of the lesson, step 0 first.
        titles: of the objects.

    Returns:
        A sentence for each object; then one about boxes too many, and one about the mirror
        where the lesson is over.
    """
    look = _last_look(reports)
    if look is None:
        return ()
    told = reports[0].told
    lines = [
        _object_sentence(titles[g], told[g], look, g, titles=titles, found_at=_found_at(reports, g))
        for g in range(len(titles))
    ]
    if look.extra:
        boxes = "1 box is" if look.extra == 1 else f"{look.extra} boxes are"
        lines.append(f"{boxes} kept where no object is.")
    seen = reports[-1].mirrored
    if seen:
        found = sum(value >= FOUND_JACCARD for value in seen)
        lines.append(f"Shown the picture in a mirror, the network finds {found} of {len(seen)}.")
    return tuple(lines)


def _object_sentence(
    title: str, told: Told, look: Look, g: int, *, titles: Sequence[str], found_at: int | None
) -> str:
    """One object: found, or the first reason why not."""
    best, score = look.best[g], look.top_score[g]
    if best >= FOUND_JACCARD:
        return f"{title}: found at jaccard {best:.2f} after {found_at} steps."
    if told.anchors == 0:
        taker = "" if told.taker is None else f"; {titles[told.taker]} took its best"
        return f"{title}: not found: no anchor answers for it{taker}."
    if best > 0:
        return f"{title}: not found yet: jaccard {best:.2f} of {FOUND_JACCARD:.2f}."
    if score > 0:
        return f"{title}: not found yet: score {score:.2f} of {_SCORE:.2f}."
    return f"{title}: not found yet: no box is near it."


def _found_at(reports: Sequence[TeachReport], g: int) -> int | None:
    """The step from which on object g is found at every look."""
    since = None
    for report in reports:
        if report.look is not None:
            found = report.look.best[g] >= FOUND_JACCARD
            since = (since or report.step) if found else None
    return since


def _last_look(reports: Sequence[TeachReport]) -> Look | None:
    """The latest time that the picture was looked at."""
    return next((report.look for report in reversed(reports) if report.look is not None), None)
