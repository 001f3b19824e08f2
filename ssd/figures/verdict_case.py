"""What a verdict about one picture is read from, and what is said of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from jaxtyping import Bool, Float
from torch import Tensor

from ssd.boxes import clip, jaccard
from ssd.config import MatchingRule, SelectionConfig
from ssd.detections import Fate, Selection
from ssd.diagnosis import Diagnosis, FalsePositives, TrainingCover, Verdict
from ssd.figures.words import numbered_names
from ssd.metrics import PictureResult

__all__ = ["Case", "Involved", "Taught", "VerdictLine", "candidate_box", "involved", "object_titles", "short"]

_LINES_OF_FATES = {
    Fate.KEPT: "kept",
    Fate.BEYOND_TOP_K: "beyond_top_k",
    Fate.SUPPRESSED: "suppressed",
    Fate.BEYOND_CAP: "beyond_cap",
}


@dataclass(frozen=True)
class Taught:
    """How training would teach the objects with the network's anchors.

    Attributes:
        cover: of each object that is matched, in their order.
        rule: of matching.
        best_overlap: jaccard of each with its best anchor.
        anchors_per_object: how many answer for each.
    """

    cover: TrainingCover
    rule: MatchingRule
    best_overlap: Float[Tensor, "m"]
    anchors_per_object: Sequence[int]


@dataclass(frozen=True)
class Case:
    """One picture, selected and diagnosed.

    Attributes:
        boxes: decoded boxes of all anchors.
        picked: what the limits made of them.
        config: the limits.
        result: objects beside detections.
        diagnosis: a verdict for each object.
        wrong: a kind for each false positive.
        class_names: of the network, labels 1..C.
        titles: of the objects, as on the canvas.
        object_classes: class of each object, of the picture's own names.
        levels: of each anchor.
        taught: how training would teach them; ``None`` where that is not asked.
        evaluation_iou: least jaccard of a hit.
    """

    boxes: Float[Tensor, "a 4"]
    picked: Selection
    config: SelectionConfig
    result: PictureResult
    diagnosis: Diagnosis
    wrong: FalsePositives
    class_names: Sequence[str]
    titles: Sequence[str]
    object_classes: Sequence[str]
    levels: Tensor
    taught: Taught | None = None
    evaluation_iou: float = 0.5

    def said(self, candidate: int) -> str:
        """A candidate as on the canvas: class and score."""
        name = self.class_names[int(self.picked.labels[candidate]) - 1]
        return f"{name} {short(float(self.picked.decayed[candidate]))}"

    def overlap(self, box: Tensor, g: int) -> float:
        """Jaccard of a box with an object."""
        return float(jaccard(clip(box)[None], self.result.gt_boxes[g, None]))

    def line_of(self, candidate: int) -> str:
        """The kind of line that draws a candidate."""
        return _LINES_OF_FATES[Fate(int(self.picked.fate[candidate]))]

    def found_by(self, candidate: int) -> str | None:
        """The object that a candidate found."""
        found = (self.diagnosis.verdict == int(Verdict.FOUND)) & (self.diagnosis.candidate == candidate)
        return self.titles[int(found.nonzero()[0, 0])] if bool(found.any()) else None


@dataclass(frozen=True)
class Involved:
    """A box that a verdict is about: xyxy in [0, 1] units, its line, its word."""

    box: tuple[float, ...]
    kind: str
    word: str


@dataclass(frozen=True)
class VerdictLine:
    """What is to be said of an object or of a false positive.

    Attributes:
        title: what it is about.
        verdict: in two or three words.
        text: the stage and the box to blame, with numbers.
        kind: the line that draws it on the canvas.
        name: its class.
        at: ``object`` or ``detection``, and its index among the objects or candidates.
        boxes: that are drawn while it is selected.
        remedy: the limits that would have saved it; empty where none would.
        button: what moving them is called.
        effect: what else that changes; or what must change where no limit helps.
    """

    title: str
    verdict: str
    text: str
    kind: str
    name: str
    at: tuple[str, int]
    boxes: tuple[Involved, ...] = ()
    remedy: Mapping[str, float | bool | str] = field(default_factory=dict)
    button: str = ""
    effect: str = ""


def candidate_box(case: Case, candidate: int) -> Involved:
    """A candidate in the line of its fate, with what it says.

    Args:
        case: the picture.
        candidate: its index.

    Returns:
        The box to be drawn.
    """
    return involved(case.picked.boxes[candidate], case.line_of(candidate), case.said(candidate))


def involved(box: Tensor, kind: str, word: str) -> Involved:
    """A box to be drawn, inside the picture as selection has it.

    Args:
        box: xyxy in [0, 1] units.
        kind: of line.
        word: beside it.

    Returns:
        The record.
    """
    return Involved(tuple(clip(box.float()).tolist()), kind, word)


def object_titles(names: Sequence[str], ignored: Bool[Tensor, "g"]) -> tuple[str, ...]:
    """Names of objects as on the canvas: those that count and share a class are numbered.

    Args:
        names: class of each object.
        ignored: those that take no part.

    Returns:
        One title an object.

    Example:
        >>> import torch
        >>> object_titles(["dog", "dog", "dog"], torch.tensor([False, True, False]))
        ('dog 1', 'dog', 'dog 2')
    """
    live = iter(numbered_names([n for n, out in zip(names, ignored.tolist(), strict=True) if not out]))
    return tuple(n if out else next(live) for n, out in zip(names, ignored.tolist(), strict=True))


def short(value: float) -> str:
    """A score in two decimals; in three where two would say nothing, and never as nothing.

    Args:
        value: in 0–1.

    Returns:
        The text.

    Example:
        >>> short(0.25), short(0.004), short(0.0001)
        ('0.25', '0.004', 'below 0.001')
    """
    if 0 < value < 0.001:
        return "below 0.001"
    return f"{value:.3f}" if 0 < value < 0.01 else f"{value:.2f}"
