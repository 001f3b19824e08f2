"""The sentences that the browser builds while an object is dragged, and Python after it.

One set of templates, handed to the canvas's script: the two cannot drift apart.
"""

from __future__ import annotations

from collections.abc import Sequence

from ssd.anchors import Anchors
from ssd.config import UNMATCHED
from ssd.matching import Match

__all__ = ["SENTENCES", "object_sentences"]

SENTENCES: dict[str, str] = {
    "matched": "{name}: {count} {anchors}, best {best} on level {level}",
    "mixed": "{name}: {count} {anchors}, {forced} of them forced, best {best} on level {level}",
    "forced": "{name}: {count} forced {anchors}; its best of all is {best} on level {level}",
    "orphan": "{name}: orphan, no anchor; its best, {best} on level {level}, went to {taker}",
    "lost": "{name}: orphan, no anchor; its best is {best} on level {level}",
    "nowhere": "{name}: orphan, no anchor overlaps it",
    "ignored": "{name}: ignored, anchors beside it take no part",
    "empty": "This picture has no objects; draw one.",
    "empty_loss": "No object, so no positive anchor: {count} negatives alone teach what background is.",
    "nms_start": "{above} score more than {score}. The one with the highest score has the first turn.",
    "nms_cut": "{cut} beyond the best {top_k} of their class leave before NMS.",
    "nms_stay": "{name} has the highest score that is left: it stays.",
    "nms_leave": "{name} leaves: its jaccard with {by} is {jaccard}, above {threshold}.",
    "nms_fall": "{name} falls to {after}: its jaccard with {by} is {jaccard}.",
    "nms_fade": "{name} falls to {after}, not above {score}, and leaves: its jaccard with {by} is {jaccard}.",
    "nms_end": "No box is left: NMS keeps {kept} of {above}.",
    "nms_capped": "No box is left: {stayed} stayed, and the cap per picture keeps the best {kept} of them.",
    "nms_release": "{count} candidates: above {most} the new limit acts when you let go.",
    "nms_none": "No candidate scores more than {score}.",
    "nms_many": "NMS can be followed with up to {most} candidates; raise the score threshold.",
    "one": "anchor",
    "many": "anchors",
    "number": "{name} {number}",
}


def object_sentences(found: Match, anchors: Anchors, *, names: Sequence[str]) -> tuple[str, ...]:
    """One sentence an object: how many anchors answer for it, its best jaccard and level.

    Args:
        found: the match of the objects.
        anchors: the anchors that were matched.
        names: class of each object, in the order of the match; objects that share a
            class are numbered from 1.

    Returns:
        The sentences, in the order of the objects.

    Example:
        >>> import torch
        >>> from ssd.anchors import make_anchors
        >>> from ssd.config import GridAnchors
        >>> from ssd.matching import match
        >>> anchors = make_anchors(GridAnchors(grids=(2,)))
        >>> found = match(torch.tensor([[0.0, 0.0, 0.5, 0.4]]), anchors.boxes)
        >>> object_sentences(found, anchors, names=["dog"])
        ('dog: 1 anchor, best 0.80 on level 0',)
    """
    titles = _numbered(names)
    counts, forced = found.anchors_per_object.tolist(), _forced_per_object(found)
    return tuple(
        _sentence(found, anchors, g, titles, counts[g], forced[g]) for g in range(len(found.best_anchor))
    )


def _forced_per_object(found: Match) -> list[int]:
    """How many of each object's anchors are forced."""
    return [int(((found.matched_gt == g) & found.forced).sum()) for g in range(len(found.best_anchor))]


def _numbered(names: Sequence[str]) -> list[str]:
    """Names that occur twice carry a number."""
    seen: dict[str, int] = {}
    titles = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        number = SENTENCES["number"].format(name=name, number=seen[name])
        titles.append(number if list(names).count(name) > 1 else name)
    return titles


def _sentence(found: Match, anchors: Anchors, g: int, titles: list[str], count: int, forced: int) -> str:
    """Choose and fill one template."""
    best_anchor = int(found.best_anchor[g])
    if count == 0 and (best_anchor == UNMATCHED or float(found.best_overlap[g]) == 0.0):
        return SENTENCES["nowhere"].format(name=titles[g])
    taker = int(found.matched_gt[best_anchor])
    if count == 0:
        kind = "orphan" if taker >= 0 else "lost"
    else:
        kind = "forced" if forced == count else "mixed" if forced else "matched"
    return SENTENCES[kind].format(
        name=titles[g],
        count=count,
        forced=forced,
        anchors=SENTENCES["one" if count == 1 else "many"],
        best=f"{float(found.best_overlap[g]):.2f}",
        level=int(anchors.level[best_anchor]),
        taker=titles[taker] if taker >= 0 else "",
    )
