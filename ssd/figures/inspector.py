"""One anchor through the whole pipeline, stage by stage, in words and numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from ssd.anchors import Anchors
from ssd.boxes import to_pixels
from ssd.config import UNMATCHED
from ssd.detections import Fate, Selection
from ssd.figures.words import numbered_names
from ssd.matching import Assignment
from ssd.prediction import PictureOutput

__all__ = ["Stage", "anchor_stages", "prediction_stages"]

_FATES = {
    Fate.KEPT: "kept",
    Fate.BEYOND_TOP_K: "beyond top-k",
    Fate.SUPPRESSED: "suppressed",
    Fate.BEYOND_CAP: "beyond the cap",
}


@dataclass(frozen=True)
class Stage:
    """One station of the pipeline.

    Attributes:
        title: of the station.
        lines: what is known of the anchor there; may hold a visitor's class names.
    """

    title: str
    lines: tuple[str, ...]


def anchor_stages(
    index: int,
    *,
    anchors: Anchors,
    assignment: Assignment,
    overlaps: Float[Tensor, "g a"],
    object_names: Sequence[str],
    size_wh: tuple[int, int],
) -> tuple[Stage, ...]:
    """From the cell to the encoded target.

    Args:
        index: of the anchor.
        anchors: all of them.
        assignment: what each is told to predict.
        overlaps: jaccard of each object with each anchor.
        object_names: class of each object.
        size_wh: of the picture, in pixels.

    Returns:
        Four stages: cell, jaccard, state, target.

    Example:
        >>> import torch
        >>> from ssd.anchors import make_anchors
        >>> from ssd.config import CoderConfig, GridAnchors
        >>> from ssd.boxes import jaccard
        >>> from ssd.matching import assign, match_overlaps
        >>> anchors, box = make_anchors(GridAnchors(grids=(2,))), torch.tensor([[0.0, 0.0, 0.5, 0.4]])
        >>> overlaps, labels = jaccard(box, anchors.boxes), torch.tensor([1])
        >>> found = match_overlaps(overlaps)
        >>> told = assign(found, anchors, gt_boxes=box, gt_labels=labels, coder=CoderConfig())
        >>> stages = anchor_stages(
        ...     0, anchors=anchors, assignment=told, overlaps=overlaps, object_names=["dog"], size_wh=(9, 9)
        ... )
        >>> stages[1].lines
        ('0.80 with dog',)
    """
    g, titles = int(assignment.match.matched_gt[index]), numbered_names(object_names)
    codes = ", ".join(f"{value:.2f}" for value in assignment.targets[index].tolist())
    return (
        Stage("Cell", (_cell(anchors, index), _box_px(anchors.boxes[index], size_wh))),
        Stage("Jaccard", _jaccards(overlaps[:, index], titles)),
        Stage("State", (_state(assignment, index, titles),)),
        Stage("Target", (f"({codes})",) if g >= 0 else ("background: no box",)),
    )


def _cell(anchors: Anchors, index: int) -> str:
    """Where the anchor sits."""
    return (
        f"level {int(anchors.level[index])}, row {int(anchors.row[index])}, "
        f"column {int(anchors.column[index])}, shape {int(anchors.shape[index])}"
    )


def _box_px(box: Float[Tensor, "4"], size_wh: tuple[int, int]) -> str:
    """Corners in pixels of the original picture."""
    pixels = to_pixels(box, width_px=size_wh[0], height_px=size_wh[1]).tolist()
    return f"xyxy {', '.join(f'{value:.0f}' for value in pixels)} px"


def _jaccards(column: Float[Tensor, "g"], titles: Sequence[str]) -> tuple[str, ...]:
    """The objects that the anchor overlaps, most first."""
    order = column.argsort(descending=True, stable=True)[:3].tolist()
    lines = tuple(f"{float(column[g]):.2f} with {titles[g]}" for g in order if float(column[g]) > 0)
    return lines or ("overlaps no object",)


def _state(assignment: Assignment, index: int, titles: Sequence[str]) -> str:
    """Forced, positive, ignored or negative."""
    found = assignment.match
    g = int(found.matched_gt[index])
    if g != UNMATCHED:
        return f"{'forced to answer' if bool(found.forced[index]) else 'positive, answers'} for {titles[g]}"
    return "ignored, too close to an ignored box" if bool(found.ignored[index]) else "negative: background"


def prediction_stages(
    index: int,
    *,
    output: PictureOutput,
    selection: Selection,
    class_names: Sequence[str],
    size_wh: tuple[int, int],
) -> tuple[Stage, ...]:
    """From the predicted code to what became of the box.

    Args:
        index: of the anchor.
        output: what the network said.
        selection: of that output.
        class_names: of the detector, labels 1..C.
        size_wh: of the picture, in pixels.

    Returns:
        Four stages: predicted code, decoded box, scores, fate.
    """
    codes = ", ".join(f"{value:.2f}" for value in output.codes[index].tolist())
    order = output.scores[index].argsort(descending=True)[:3].tolist()
    scores = tuple(f"{class_names[j]} {float(output.scores[index, j]):.2f}" for j in order)
    return (
        Stage("Predicted code", (f"({codes})",)),
        Stage("Decoded box", (_box_px(output.boxes[index], size_wh),)),
        Stage("Scores", scores),
        Stage("Fate", _fates(index, selection, class_names)),
    )


def _fates(index: int, selection: Selection, class_names: Sequence[str]) -> tuple[str, ...]:
    """What became of each candidate of the anchor."""
    rows = (selection.anchors == index).nonzero()[:, 0].tolist()
    lines = []
    for row in rows[:3]:
        fate, by = Fate(int(selection.fate[row])), int(selection.suppressed_by[row])
        text = f"{class_names[int(selection.labels[row]) - 1]}: {_FATES[fate]}"
        if by != UNMATCHED:
            text += f" by candidate {by} at jaccard {float(selection.overlap[row]):.2f}"
        lines.append(text)
    return tuple(lines) or ("below the score threshold",)
