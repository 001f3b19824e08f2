"""The words of a one-file lesson: title, theory, settings, whose picture it is."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ssd.config import MatchingRule, SelectionConfig

__all__ = [
    "DRAWN_HERE",
    "KEYS",
    "LESSON_PAGES",
    "OWN_PICTURE",
    "PRIVACY",
    "RULES",
    "LessonWords",
    "anchor_settings",
    "data_set_picture",
    "detection_settings",
    "lesson_name",
    "matching_settings",
]

# Page → one sentence of theory.
LESSON_PAGES: dict[str, str] = {
    "anchors": "SSD looks at a fixed set of boxes, its anchors (the paper's default boxes, the ports' "
    "priors), laid out cell by cell on feature maps called levels. Click an anchor to go to its cell.",
    "matching": "An anchor answers for an object when their jaccard overlap (IoU) reaches the match "
    "threshold; each object's best anchor is forced. Drag an object, or the threshold.",
    "assignment": "Positive anchors are told their object's class and box, negative ones background, "
    "ignored ones nothing. Drag an object, or the threshold.",
    "detections": "Each anchor gets a code and scores; score threshold, top-k and non-maximum suppression "
    "(NMS) decide what stays. Drag a threshold.",
}
RULES: dict[MatchingRule, str] = {
    "bipartite": "the best pair of all first, each anchor once; every object keeps one.",
    "overwrite": "object by object; a later one takes the anchor from an earlier one.",
    "torchvision": "all best anchors are written at once; where two objects share one, the later keeps it.",
}
DRAWN_HERE = "drawn by SSD Explorer; no photograph."
OWN_PICTURE = "of whoever made this file; all rights are theirs."
PRIVACY = (
    "The picture itself lies in this file, encoded anew without what the camera wrote beside it (place, "
    "time, device): whoever gets the file gets the picture."
)
_LOOKING = (
    "Point at a box to read what it is; click to select it.",
    "h hides the boxes; + − 0 zoom, or pinch; Esc lets go.",
)
KEYS: dict[str, tuple[str, ...]] = {
    "editable": (
        "Drag an object to move it, a corner or an edge to resize it; with the corner tool, draw a new one.",
        *_LOOKING,
        "d draws; n adds an object in the middle; Delete removes the selected one; Ctrl+Z takes back.",
        "Tab walks through the objects; arrows move the selected one (Shift: by ten pixels, Alt: its far "
        "corner).",
    ),
    "detections": (
        *_LOOKING,
        "Step by step plays NMS: Space plays and rests, ← → go one step, Page up and Page down go to the box "
        "that stays next.",
    ),
    "anchors": (
        *_LOOKING,
        "Where one cell is shown, a click beside its anchors goes to the cell that lies there, Shift with an "
        "arrow key to the next one.",
    ),
    "fixed": _LOOKING,
}


@dataclass(frozen=True)
class LessonWords:
    """What stands around the canvas of a one-file lesson; plain text, never markup.

    Attributes:
        title: of the page.
        scene: name of the picture.
        theory: one sentence.
        settings: of the scene, a sentence each.
        source: whose picture it is, and under which terms.
        privacy: for a picture of the visitor's own: that it travels with the file.
    """

    title: str
    scene: str
    theory: str
    settings: tuple[str, ...]
    source: str
    privacy: str = ""


def anchor_settings(*, preset: str, per_level: Sequence[int]) -> str:
    """The anchors in a sentence.

    Args:
        preset: its name.
        per_level: anchors of each level.

    Returns:
        The sentence.

    Example:
        >>> anchor_settings(preset="lesson-multi", per_level=(144, 36, 9))
        'Anchors: lesson-multi, 189 on 3 levels.'
    """
    levels = "1 level" if len(per_level) == 1 else f"{len(per_level)} levels"
    return f"Anchors: {preset}, {sum(per_level):,} on {levels}."


def matching_settings(
    *, rule: MatchingRule, threshold: float, strict: bool, objects: Sequence[str]
) -> tuple[str, ...]:
    """How objects and anchors were matched.

    Args:
        rule: matching rule.
        threshold: match threshold.
        strict: the jaccard must be greater.
        objects: class of each object.

    Returns:
        Two sentences.

    Example:
        >>> matching_settings(rule="bipartite", threshold=0.5, strict=False, objects=("dog", "dog"))
        ('Rule: bipartite, jaccard ≥ 0.50.', 'Objects: 2 × dog.')
    """
    sign = ">" if strict else "≥"
    counted = [f"{count} × {name}" if count > 1 else name for name, count in Counter(objects).items()]
    return (
        f"Rule: {rule}, jaccard {sign} {threshold:.2f}.",
        f"Objects: {', '.join(counted) or 'none'}.",
    )


def detection_settings(
    *, model: str, sha256: str, num_anchors: int, class_names: Sequence[str], config: SelectionConfig
) -> tuple[str, ...]:
    """Which detector said this, and which limits chose.

    Args:
        model: its name.
        sha256: of its weights.
        num_anchors: of its own.
        class_names: of labels 1..C.
        config: the limits, with the score threshold that is shown.

    Returns:
        Two sentences.

    Example:
        >>> detection_settings(model="shapes", sha256="ab" * 32, num_anchors=1600, class_names=("disc",),
        ...                    config=SelectionConfig(score_threshold=0.5))[0]
        'Detector: shapes (weights abababababab), 1,600 anchors, classes: disc.'
    """
    names = ", ".join(class_names) if len(class_names) <= 8 else f"{len(class_names)} of them"
    among = "among all classes" if config.class_agnostic else "within each class"
    nms = (
        f"NMS threshold {config.nms_threshold:.2f}"
        if config.nms_kind == "hard"
        else f"Gaussian soft-NMS, sigma {config.soft_sigma:.2f},"
    )
    return (
        f"Detector: {model} (weights {sha256[:12]}), {num_anchors:,} anchors, classes: {names}.",
        f"Score > {config.score_threshold:.2f}, top-k {config.top_k}, {nms} {among}, "
        f"at most {config.max_detections} boxes.",
    )


def data_set_picture(name: str) -> str:
    """Whose picture it is where it comes from a folder of pictures.

    Args:
        name: of the folder.

    Returns:
        A sentence without its subject.

    Example:
        >>> data_set_picture("bccd")
        'from the data set bccd, whose own licence holds for it.'
    """
    return f"from the data set {name}, whose own licence holds for it."


def lesson_name(page: str, scene: str) -> str:
    """A file name that every system takes.

    Args:
        page: of the lesson.
        scene: name of the picture; anybody may have written it.

    Returns:
        Small ASCII letters, digits and hyphens, with ``.html``.

    Example:
        >>> lesson_name("matching", "</script> Dog & ball.PNG")
        'matching-script-dog-ball-png.html'
    """
    words = re.sub(r"[^a-z0-9]+", "-", scene.lower()).strip("-")[:40].strip("-")
    return f"{page}-{words}.html" if words else f"{page}.html"
