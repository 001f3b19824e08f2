"""What became of each object when its picture was changed, and why."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int64, UInt8
from torch import Tensor

from ssd.boxes import area, from_pixels
from ssd.data.augment_config import AugmentConfig
from ssd.data.augment_views import Rendered, mapped
from ssd.data.records import Sample, Target

Outcome = Literal["kept", "ignored", "dropped"]
KEPT, CENTRE, LITTLE, LEFT, SMALL = range(5)
_OUTCOMES: tuple[Outcome, ...] = ("kept", "ignored", "ignored", "dropped", "dropped")
_REASONS = (
    "",
    "its centre left the picture",
    "too little of it is left",
    "it left the picture",
    "too small at training size",
)


@dataclass(frozen=True)
class ObjectFate:
    """What became of one object.

    Attributes:
        index: of the object in the sample that was changed.
        outcome: kept, ignored (no longer an object to be found, nor background), or dropped.
        reason: why it was not kept; empty where it was.
        visible: share of the object that is still in the picture, 0–1.
        box: xyxy in [0, 1] of the changed picture, of the part that is in it.
        corners: where the four corners of the object's box went, in [0, 1]; they may lie
            outside. After a rotation the box is the one that encloses them.
    """

    index: int
    outcome: Outcome
    reason: str
    visible: float
    box: tuple[float, ...]
    corners: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class AugmentationReport:
    """A changed sample and its reasons.

    Attributes:
        sample: what training sees.
        applied: a few words for each change, in the order in which they were made.
        fates: one for each object of the sample that was changed.
        added: how many objects came from other pictures.
    """

    sample: Sample
    applied: tuple[str, ...]
    fates: tuple[ObjectFate, ...]
    added: int


@dataclass(frozen=True)
class Followed:
    """A changed picture, and all objects of its sample, also those that are gone.

    Attributes:
        picture: RGB, 0..255.
        target: objects, their boxes clipped to the picture.
        corners: x, y of each box's four corners in [0, 1].
        visible: share of each object that is in the picture.
        verdict: ``KEPT``, ``CENTRE``, ``LITTLE``, ``LEFT`` or ``SMALL``.
        applied: a few words for each change.
        others: objects that other pictures brought in.
    """

    picture: UInt8[Tensor, "3 h w"]
    target: Target
    corners: Float[Tensor, "g 4 2"]
    visible: Float[Tensor, "g"]
    verdict: Int64[Tensor, "g"]
    applied: tuple[str, ...]
    others: Target

    @property
    def survivors(self) -> Target:
        """The objects that are still there, with those that were brought in."""
        return joined([taken(self.target, self.verdict < LEFT), self.others])


def follow(
    rendered: Rendered,
    target: Target,
    *,
    config: AugmentConfig,
    size_wh: tuple[int, int],
    place: tuple[int, int] = (0, 0),
) -> Followed:
    """Move the objects of a sample along, and judge each.

    Args:
        rendered: the changed picture, or a tile of it.
        target: the sample's objects.
        config: ``min_side_px`` and ``min_visible``.
        size_wh: of the whole result in pixels.
        place: of the tile's upper left corner in it.

    Source:
        Liu et al., SSD, ECCV 2016, section 2.2: an object stays when its centre is in the
        patch. What SSD then calls background is ignored here.
    """
    corners = mapped(rendered.matrix, target.boxes)
    whole = torch.cat([corners.amin(dim=1), corners.amax(dim=1)], dim=1)
    seen = whole.new_tensor(rendered.seen)
    low, high = seen[:2].repeat(2), seen[2:].repeat(2)
    part = whole.maximum(low).minimum(high)
    visible = (area(part) / area(whole).clamp(min=1e-9)).clamp(0, 1)
    centre = (whole[:, :2] + whole[:, 2:]) / 2
    inside = ((centre >= seen[:2]) & (centre <= seen[2:])).all(dim=1)
    side = (part[:, 2:] - part[:, :2]).amin(dim=1)
    verdict = torch.full_like(target.labels, KEPT)
    verdict[~inside] = CENTRE
    verdict[visible < config.min_visible - 1e-6] = LITTLE
    verdict[side < config.min_side_px] = SMALL
    verdict[visible <= 0] = LEFT
    shift = whole.new_tensor([*place, *place])
    boxes = from_pixels(part + shift, width_px=size_wh[0], height_px=size_wh[1]).to(torch.float32)
    return Followed(
        picture=rendered.picture,
        target=replace(
            target,
            boxes=boxes.clamp(0.0, 1.0),
            ignore=target.ignore | (verdict == CENTRE) | (verdict == LITTLE),
        ),
        corners=((corners + shift[:2]) / whole.new_tensor(size_wh)).to(torch.float32),
        visible=visible.to(torch.float32),
        verdict=verdict,
        applied=rendered.applied,
        others=Target.empty(),
    )


def report(followed: Followed, *, name: str, count: int) -> AugmentationReport:
    """The answer for people: the first ``count`` objects are the sample's own, pasted ones follow."""
    target = followed.survivors
    own = int((followed.verdict[:count] < LEFT).sum())
    return AugmentationReport(
        sample=Sample(followed.picture, target, name),
        applied=followed.applied,
        fates=tuple(_fate(followed, index) for index in range(count)),
        added=len(target) - own,
    )


def _fate(followed: Followed, index: int) -> ObjectFate:
    """One object's fate in words."""
    verdict = int(followed.verdict[index])
    corners = [(float(x), float(y)) for x, y in followed.corners[index].tolist()]
    return ObjectFate(
        index=index,
        outcome=_OUTCOMES[verdict],
        reason=_REASONS[verdict],
        visible=float(followed.visible[index]),
        box=tuple(followed.target.boxes[index].tolist()),
        corners=tuple(corners),
    )


def taken(target: Target, which: Bool[Tensor, "g"]) -> Target:
    """Some of the objects."""
    return Target(target.boxes[which], target.labels[which], target.difficult[which], target.ignore[which])


def joined(targets: list[Target]) -> Target:
    """The objects of several targets, in their order.

    Example:
        >>> len(joined([Target.empty(), Target.empty()]))
        0
    """
    return Target(
        torch.cat([target.boxes for target in targets]),
        torch.cat([target.labels for target in targets]),
        torch.cat([target.difficult for target in targets]),
        torch.cat([target.ignore for target in targets]),
    )
