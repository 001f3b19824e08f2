"""What coverage answers for each object, and for groups of them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from ssd.data.object_table import ObjectTable

__all__ = ["RATIOS", "SIDES_PX", "Coverage", "Group"]

SIDES_PX = (16, 24, 32, 64, 128, 256)  # borders of the groups by size, at training size
RATIOS = {
    "<1:3": 1 / 3,
    "<1:2": 1 / 2,
    "<2:3": 2 / 3,
    "<3:2": 3 / 2,
    "<2:1": 2.0,
    "<3:1": 3.0,
}  # width : height


@dataclass(frozen=True)
class Group:
    """Some of the objects.

    Attributes:
        num_objects: how many.
        recall: share with an anchor at the threshold; ``None`` where there are none.
    """

    num_objects: int
    recall: float | None


@dataclass(frozen=True)
class Coverage:
    """How well anchors cover each object.

    Attributes:
        objects: whose coverage this is.
        best_jaccard: of each object, over all anchors.
        best_anchor: the anchor of that jaccard; the lowest index among equals.
        best_level: its level.
        num_anchors: how many anchors answer for each object under the rule.
        forced_only: objects whose anchors are all forced.
        threshold: the match threshold.
        size_wh: training size in pixels; where pictures keep their shape, the limits of
            their longer and shorter side.
        input_wh: what the picture of each object becomes, in pixels.
        num_levels: levels of the anchors.
    """

    objects: ObjectTable
    best_jaccard: Float[Tensor, "n"]
    best_anchor: Int64[Tensor, "n"]
    best_level: Int64[Tensor, "n"]
    num_anchors: Int64[Tensor, "n"]
    forced_only: Bool[Tensor, "n"]
    threshold: float
    size_wh: tuple[int, int]
    input_wh: Float[Tensor, "n 2"]
    num_levels: int

    @property
    def covered(self) -> Bool[Tensor, "n"]:
        """True for each object with an anchor at the threshold."""
        return self.best_jaccard >= torch.tensor(self.threshold, dtype=torch.float32)

    @property
    def orphan(self) -> Bool[Tensor, "n"]:
        """True for each object that no anchor answers for."""
        return self.num_anchors == 0

    @property
    def side_px(self) -> Float[Tensor, "n"]:
        """Square root of each object's area in pixels at training size."""
        return self.wh_px.prod(dim=1).sqrt()

    @property
    def wh_px(self) -> Float[Tensor, "n 2"]:
        """Width and height of each object in pixels at training size."""
        return (self.objects.boxes[:, 2:] - self.objects.boxes[:, :2]) * self.input_wh

    @property
    def everything(self) -> Group:
        """All objects."""
        return self.group(torch.ones_like(self.covered))

    def group(self, which: Bool[Tensor, "n"]) -> Group:
        """Some of the objects."""
        count = int(which.sum())
        return Group(count, float(self.covered[which].float().mean()) if count else None)

    def by_size(self) -> dict[str, Group]:
        """Groups by ``side_px``: below 16, below 24 but not below 16, and so on."""
        limits = torch.tensor(SIDES_PX, dtype=torch.float32)
        place = torch.bucketize(self.side_px, limits, right=True)
        names = [*(f"<{side}" for side in SIDES_PX), f">={SIDES_PX[-1]}"]
        return {name: self.group(place == number) for number, name in enumerate(names)}

    def by_class(self) -> dict[str, Group]:
        """Groups by class, in label order."""
        names = enumerate(self.objects.class_names, start=1)
        return {name: self.group(self.objects.labels == label) for label, name in names}

    def by_level(self) -> dict[str, Group]:
        """Groups by the level of an object's best anchor, 0 = finest."""
        return {str(level): self.group(self.best_level == level) for level in range(self.num_levels)}

    def by_ratio(self) -> dict[str, Group]:
        """Groups by aspect ratio at training size: below 1:3, below 1:2 but not below 1:3, and so on."""
        width, height = self.wh_px.unbind(dim=1)
        place = torch.bucketize(width / height, torch.tensor(list(RATIOS.values())), right=True)
        names = [*RATIOS, ">=3:1"]
        return {name: self.group(place == number) for number, name in enumerate(names)}

    def worst(self, count: int) -> Int64[Tensor, "k"]:
        """The objects with the lowest best jaccard, the lowest first."""
        return self.best_jaccard.argsort(stable=True)[:count]
