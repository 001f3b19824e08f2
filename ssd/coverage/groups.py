"""Best jaccard of the objects, group by group: what a chart of coverage draws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ssd.coverage.records import RATIOS, SIDES_PX, Coverage
from ssd.errors import ConfigError

__all__ = ["GROUPINGS", "Grouping", "JaccardGroup", "jaccard_groups"]

Grouping = Literal["size", "class", "level", "ratio"]
GROUPINGS: tuple[Grouping, ...] = ("size", "class", "level", "ratio")


@dataclass(frozen=True, eq=False)
class JaccardGroup:
    """Some of the objects.

    Attributes:
        name: of the group.
        jaccards: best jaccard of each of its objects.
        recall: share with an anchor at the threshold.
    """

    name: str
    jaccards: Float[Tensor, "k"]
    recall: float


def jaccard_groups(found: Coverage, *, by: Grouping) -> tuple[JaccardGroup, ...]:
    """The objects in groups, with the best jaccard of each object.

    Args:
        found: the coverage of a data set.
        by: size (√area in pixels at training size), class, level of the best anchor, or aspect
            ratio (width : height at training size).

    Returns:
        The groups that have objects, in their natural order.

    Raises:
        ConfigError: there is no such grouping.

    Example:
        >>> from ssd.config import anchor_preset
        >>> from ssd.coverage.sizes import preset_coverage
        >>> from ssd.data.object_table import object_table
        >>> from ssd.data.records import make_target
        >>> wide = make_target(torch.tensor([[0.0, 0.0, 1.0, 0.2]]), torch.tensor([1]))
        >>> objects = object_table([wide], class_names=("snake",))
        >>> found = preset_coverage(objects, anchor_preset("ssd300-voc"))
        >>> [group.name for group in jaccard_groups(found, by="ratio")]
        ['>=3:1']
    """
    if by not in GROUPINGS:
        raise ConfigError(f"Groups are by {', '.join(GROUPINGS)}, got {by!r}; choose one of these.")
    masks = {"size": _by_size, "class": _by_class, "level": _by_level, "ratio": _by_ratio}[by](found)
    return tuple(
        JaccardGroup(name, found.best_jaccard[mask], float(found.covered[mask].float().mean()))
        for name, mask in masks.items()
        if bool(mask.any())
    )


def _by_size(found: Coverage) -> dict[str, Bool[Tensor, "n"]]:
    place = torch.bucketize(found.side_px, torch.tensor(SIDES_PX, dtype=torch.float32), right=True)
    names = [*(f"<{side} px" for side in SIDES_PX), f"≥{SIDES_PX[-1]} px"]
    return {name: place == number for number, name in enumerate(names)}


def _by_class(found: Coverage) -> dict[str, Bool[Tensor, "n"]]:
    names = enumerate(found.objects.class_names, start=1)
    return {name: found.objects.labels == label for label, name in names}


def _by_level(found: Coverage) -> dict[str, Bool[Tensor, "n"]]:
    return {f"level {level}": found.best_level == level for level in range(found.num_levels)}


def _by_ratio(found: Coverage) -> dict[str, Bool[Tensor, "n"]]:
    width, height = found.wh_px.unbind(dim=1)
    place = torch.bucketize(width / height, torch.tensor(list(RATIOS.values())), right=True)
    return {name: place == number for number, name in enumerate((*RATIOS, ">=3:1"))}
