"""One anchor through the whole pipeline, stage by stage, in words and numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from ssd.anchors import Anchors
from ssd.boxes import clip, jaccard, to_pixels
from ssd.config import BACKGROUND, UNMATCHED, CoderConfig
from ssd.detections import Fate, Selection
from ssd.figures.words import CODE_NAMES, numbered_names
from ssd.matching import Assignment
from ssd.prediction import PictureOutput
from ssd.training.lab import NEVER_MINED, LossLab

__all__ = ["Stage", "anchor_stages", "followed", "loss_stages", "prediction_stages"]

_FATES = {
    Fate.KEPT: "kept",
    Fate.BEYOND_TOP_K: "beyond top-k",
    Fate.SUPPRESSED: "suppressed",
    Fate.BEYOND_CAP: "beyond the cap",
}
_SHORT_NAMES = tuple(
    name.replace("centre ", "c").replace("width", "w").replace("height", "h") for name in CODE_NAMES
)


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
    coder: CoderConfig = CoderConfig(),
) -> tuple[Stage, ...]:
    """From the cell to the encoded target.

    Args:
        index: of the anchor.
        anchors: all of them.
        assignment: what each is told to predict.
        overlaps: jaccard of each object with each anchor.
        object_names: class of each object.
        size_wh: of the picture, in pixels.
        coder: that made the targets.

    Returns:
        Three stages: the anchor, the object it is matched to, the target it is told to predict.

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
        ('answers for dog: positive', 'jaccard 0.80 with dog')
    """
    g, titles = int(assignment.match.matched_gt[index]), numbered_names(object_names)
    target = assignment.targets[index]
    return (
        Stage("Anchor", (_cell(anchors, index), _box_px(anchors.boxes[index], size_wh))),
        Stage("Matched object", (_state(assignment, index, titles), *_jaccards(overlaps[:, index], titles))),
        Stage("Encoded target", _code_lines(target, coder) if g >= 0 else ("background: no box to learn",)),
    )


def _code_lines(code: Float[Tensor, "4"], coder: CoderConfig) -> tuple[str, ...]:
    """A code as the network has it, and what it says of the box."""
    if coder.kind == "tanh":
        return (_code(code), "tanh keeps each move within half a cell")
    (centre, size), plain = coder.variances, code * _variances(coder)
    grown = plain[2:].exp().tolist()
    return (
        _code(code),
        f"without variances ({centre:g}, {size:g}):",
        _code(plain),
        f"width × {grown[0]:.2f}, height × {grown[1]:.2f}",
    )


def _variances(coder: CoderConfig) -> Tensor:
    """One factor for each of the four codes."""
    centre, size = coder.variances
    return torch.tensor([centre, centre, size, size])


def _code(code: Tensor) -> str:
    """Four numbers with their names."""
    return ", ".join(f"{name} {value:.2f}" for name, value in zip(_SHORT_NAMES, code.tolist(), strict=True))


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
    lines = tuple(f"jaccard {float(column[g]):.2f} with {titles[g]}" for g in order if float(column[g]) > 0)
    return lines or ("overlaps no object",)


def _state(assignment: Assignment, index: int, titles: Sequence[str]) -> str:
    """Forced, positive, ignored or negative."""
    found = assignment.match
    g = int(found.matched_gt[index])
    if g != UNMATCHED:
        return f"answers for {titles[g]}: {'forced' if bool(found.forced[index]) else 'positive'}"
    return "ignored, too close to an ignored box" if bool(found.ignored[index]) else "negative: background"


def prediction_stages(
    index: int,
    *,
    output: PictureOutput,
    selection: Selection,
    class_names: Sequence[str],
    size_wh: tuple[int, int],
    coder: CoderConfig = CoderConfig(),
    gt_boxes: Float[Tensor, "g 4"] | None = None,
    object_names: Sequence[str] = (),
) -> tuple[Stage, ...]:
    """From the predicted code to what became of the box.

    Args:
        index: of the anchor.
        output: what the network said.
        selection: of that output.
        class_names: of the detector, labels 1..C.
        size_wh: of the picture, in pixels.
        coder: of the network.
        gt_boxes: the objects that its box is held against.
        object_names: class of each.

    Returns:
        Four stages: predicted code, decoded box, class scores, NMS fate.
    """
    order = output.scores[index].argsort(descending=True)[:3].tolist()
    scores = tuple(f"{class_names[j]} {float(output.scores[index, j]):.2f}" for j in order)
    near: tuple[str, ...] = ()
    if gt_boxes is not None and len(gt_boxes):
        near = _jaccards(
            jaccard(gt_boxes, clip(output.boxes[index])[None])[:, 0], numbered_names(object_names)
        )
    return (
        Stage("Predicted code", _code_lines(output.codes[index], coder)),
        Stage("Decoded box", (_box_px(output.boxes[index], size_wh), *near)),
        Stage("Class scores", scores),
        Stage("NMS fate", _fates(index, selection, class_names)),
    )


def _fates(index: int, selection: Selection, class_names: Sequence[str]) -> tuple[str, ...]:
    """What became of each candidate of the anchor."""
    rows = (selection.anchors == index).nonzero()[:, 0].tolist()
    lines = []
    for row in rows[:3]:
        fate, by = Fate(int(selection.fate[row])), int(selection.suppressed_by[row])
        text = f"{class_names[int(selection.labels[row]) - 1]}: {_FATES[fate]}"
        if by != UNMATCHED:
            sender = f"{class_names[int(selection.labels[by]) - 1]} {float(selection.decayed[by]):.2f}"
            text += f" by {sender} at jaccard {float(selection.overlap[row]):.2f}"
        lines.append(text)
    return tuple(lines) or ("below the score threshold",)


def loss_stages(lab: LossLab, index: int) -> tuple[Stage, ...]:
    """What one anchor costs, and whether its cost counts.

    Args:
        lab: of the picture.
        index: of the anchor.

    Returns:
        Two stages: loss terms, hard-negative rank.
    """
    positive, counted = int(lab.labels[index]) > 0, bool(lab.counted[index])
    confidence, localisation = float(lab.confidence[index]), float(lab.localisation[index])
    lines = [f"confidence {confidence:.3f}"]
    lines += [f"localisation {localisation:.3f}"] if positive else ["localisation: none, it has no object"]
    share = (confidence + localisation) / lab.divisor if counted else 0.0
    lines.append(f"{share:.3f} of the picture's loss of {float(lab.report.total):.3f}")
    return Stage("Loss terms", tuple(lines)), Stage("Hard-negative rank", _rank_lines(lab, index))


def _rank_lines(lab: LossLab, index: int) -> tuple[str, ...]:
    """Its place among the negatives, where they are mined."""
    label, rank = int(lab.labels[index]), int(lab.rank[index])
    if label != BACKGROUND:
        return ("positive: always counts" if label > 0 else "ignored: never counts",)
    if not lab.mines:
        return ("nothing is mined: every negative counts",)
    mined = int((lab.counted & (lab.labels == BACKGROUND)).sum())
    place = f"number {rank + 1:,}" if rank < NEVER_MINED else f"beyond {NEVER_MINED:,}"
    verdict = "mined" if bool(lab.counted[index]) else "not mined"
    total = int((lab.labels == BACKGROUND).sum())
    return f"{place} of {total:,} negatives", f"{verdict}: the costliest {mined:,} count"


def followed(
    index: int,
    *,
    anchors: Anchors,
    output: PictureOutput,
    coder: CoderConfig,
    object_box: Float[Tensor, "4"] | None = None,
) -> dict[str, Any]:
    """What the browser needs to move a box from an anchor to where its code puts it.

    Args:
        index: of the anchor.
        anchors: of the network.
        output: what the network said.
        coder: of the network.
        object_box: that the box is held against on its way.

    Returns:
        Plain numbers; at a share of 1 the browser's box is the decoded one.

    Example:
        >>> from ssd.anchors import make_anchors
        >>> from ssd.config import GridAnchors
        >>> anchors, one = make_anchors(GridAnchors(grids=(1,))), torch.zeros(1, 4)
        >>> said = PictureOutput(boxes=one, scores=one, codes=one, logits=one, seconds=0.1)
        >>> followed(0, anchors=anchors, output=said, coder=CoderConfig())["anchor"]
        [0.5, 0.5, 1.0, 1.0]
    """
    return {
        "index": index,
        "anchor": anchors.cxcywh[index].tolist(),
        "cell": anchors.cells_wh[index].tolist(),
        "code": output.codes[index].nan_to_num().tolist(),
        "coder": coder.kind,
        "variances": list(coder.variances),
        "object": None if object_box is None else object_box.tolist(),
    }
