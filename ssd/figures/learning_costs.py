"""The loss lab on the canvas: what crosses to the browser once, and what it says in words."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ssd.config import BACKGROUND, UNMATCHED
from ssd.figures.blobs import Blob, to_base64
from ssd.figures.canvas import anchor_states
from ssd.figures.words import numbered_names
from ssd.training.lab import LossLab
from ssd.training.lab_parts import EASY, EasyShare

__all__ = [
    "SCALE_TOP",
    "costs_blob",
    "curve_marks",
    "easy_sentence",
    "hardest_sentence",
    "object_lines",
]

# Where the ramp of colours ends: fixed, so that two checkpoints can be compared. A cross-entropy of
# 5 is a probability of .007; focal loss weighs the same mistake less.
SCALE_TOP: dict[str, float] = {"softmax": 5.0, "bce": 5.0, "focal": 2.0}


def costs_blob(lab: LossLab, *, object_names: Sequence[str]) -> Blob:
    """What every anchor costs, for the canvas: it holds ranks against the ratio of its slider.

    Args:
        lab: of the picture.
        object_names: class of each object that is matched.

    Returns:
        The blob, for ``CanvasView.costs``.
    """
    found = lab.assignment.match
    data = {
        "kind": "costs",
        "count": len(lab.labels),
        "confidence": to_base64(lab.confidence, np.float32),
        "localisation": to_base64(lab.localisation, np.float32),
        "rank": to_base64(lab.rank, np.uint16),
        "states": to_base64(anchor_states(found), np.uint8),
        "matched": to_base64(found.matched_gt.clamp(min=UNMATCHED), np.int16),
        "said": to_base64(lab.said, np.uint16),
        "names": list(lab.class_names),
        "lines": list(object_lines(lab, object_names=object_names)),
        "positives": lab.report.num_positive,
        "minimum": lab.config.min_negatives,
        "divisor": lab.divisor,
        "top": SCALE_TOP[lab.config.confidence],
    }
    return Blob(hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:32], data)


def object_lines(lab: LossLab, *, object_names: Sequence[str]) -> tuple[str, ...]:
    """What each object costs, in words.

    Args:
        lab: of the picture.
        object_names: class of each object that is matched; those that share a class
            are numbered.

    Returns:
        One sentence an object, costs divided as the loss is.
    """
    matched = lab.assignment.match.matched_gt
    names = numbered_names(tuple(object_names))
    return tuple(_object_line(lab, name, matched == g) for g, name in enumerate(names))


def _object_line(lab: LossLab, name: str, mine: Tensor) -> str:
    """The sentence of one object."""
    count = int(mine.sum())
    if not count:
        return f"{name}: orphan, no anchor, so it costs nothing and teaches nothing"
    total, boxes = float(lab.cost[mine].sum()), float(lab.localisation[mine].sum())
    anchors = "1 anchor costs" if count == 1 else f"{count} anchors cost"
    return f"{name}: {anchors} {total / lab.divisor:.2f}, {boxes / lab.divisor:.2f} of it for boxes"


def hardest_sentence(lab: LossLab) -> str:
    """The costliest negative of the picture, in words.

    Args:
        lab: of the picture.

    Returns:
        A sentence.
    """
    negative = lab.labels == BACKGROUND
    if not bool(negative.any()):
        return "No anchor is negative here."
    index = int(lab.confidence.masked_fill(~negative, -torch.inf).argmax())
    level, said = int(lab.anchors.level[index]), lab.class_names[int(lab.said[index]) - 1]
    return (
        f"The costliest negative, anchor {index:,} on level {level}, costs "
        f"{float(lab.confidence[index]):.2f}: it is told background and says {said}."
    )


def easy_sentence(shares: Sequence[tuple[str, EasyShare]]) -> str:
    """How much the easy negatives make of each loss, in words.

    Args:
        shares: name of the loss, and the share there.

    Returns:
        A sentence.

    Example:
        >>> easy_sentence([("BCE", EasyShare(90, 100, 0.5)), ("focal", EasyShare(90, 100, 0.015))])
        '90 of 100 negatives are easy (right answer at .9 or more). They make 50 % of BCE, 1.5 % of focal.'
    """
    first = shares[0][1]
    parts = ", ".join(f"{_percent(share.share)} of {name}" for name, share in shares)
    where = f"right answer at {f'{EASY:g}'.lstrip('0')} or more"
    return f"{first.easy:,} of {first.negatives:,} negatives are easy ({where}). They make {parts}."


def _percent(share: float) -> str:
    """A share with as many digits as it needs."""
    return f"{share:.0%}".replace("%", " %") if share >= 0.1 else f"{share:.1%}".replace("%", " %")


def curve_marks(lab: LossLab, right: Float[Tensor, "a"]) -> tuple[tuple[float, float], ...]:
    """Where the scene's positive anchors lie on the loss curves.

    Args:
        lab: of the picture.
        right: probability of what each anchor is told, from ``ssd.training.lab.right_shares``.

    Returns:
        Probability and confidence loss of each positive anchor.
    """
    positive = lab.labels > 0
    pairs = zip(right[positive].tolist(), lab.confidence[positive].tolist(), strict=True)
    return tuple((p, cost) for p, cost in pairs)
