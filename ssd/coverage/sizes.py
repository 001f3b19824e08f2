"""Anchors at training size: one grid for all pictures, or a grid for each shape of picture."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from jaxtyping import Int64
from torch import Tensor

from ssd.anchors import Anchors, make_anchors, resized_anchors
from ssd.config import (
    AnchorConfig,
    AnchorLevel,
    AnchorPreset,
    GridAnchors,
    MatchingRule,
    PyramidAnchors,
    PyramidPreset,
    grids_for_size,
    pyramid_for_picture,
)
from ssd.coverage.matched import coverage
from ssd.coverage.records import Coverage
from ssd.data.object_table import ObjectTable, some_objects

__all__ = ["Grid", "anchors_at_size", "grids", "preset_coverage", "training_size"]

_LESSON_SIDE_PX = 224  # the lesson's pictures; its grids have no size of their own


@dataclass(frozen=True)
class Grid:
    """The anchors of some pictures, made when they are asked for.

    Attributes:
        rows: the objects of those pictures.
        config: the anchors; a pyramid's for the pictures' own shape.
        size_wh: their input in pixels.
    """

    rows: Int64[Tensor, "k"]
    config: AnchorConfig | PyramidAnchors
    size_wh: tuple[int, int]

    @property
    def anchors(self) -> Anchors:
        """All anchors."""
        if isinstance(self.config, PyramidAnchors):
            return make_anchors(self.config)
        return anchors_at_size(self.config, size_wh=self.size_wh)

    @property
    def levels(self) -> tuple[AnchorLevel, ...]:
        """Cells and shapes, without making every anchor of a large grid."""
        return self.config.levels() if isinstance(self.config, PyramidAnchors) else self.anchors.levels


def training_size(preset: AnchorPreset | PyramidPreset, *, size_px: int | None = None) -> tuple[int, int]:
    """Width and height that pictures are brought to.

    Args:
        preset: whose own size counts where no other is given.
        size_px: side of a square input; for a pyramid the shorter side.

    Returns:
        Pixels; of a pyramid the limits of the longer and the shorter side.

    Example:
        >>> from ssd.config import any_preset
        >>> training_size(any_preset("ssd300-voc")), training_size(any_preset("retinanet"))
        ((300, 300), (1333, 800))
    """
    anchors = preset.anchors
    if isinstance(anchors, PyramidAnchors):
        low = anchors.min_side_px if size_px is None else size_px
        return math.floor(anchors.max_side_px * low / anchors.min_side_px), low
    if size_px is not None:
        return size_px, size_px
    return (_LESSON_SIDE_PX,) * 2 if isinstance(anchors, GridAnchors) else anchors.picture_wh


def grids(
    objects: ObjectTable,
    config: AnchorConfig | PyramidAnchors,
    *,
    size_wh: tuple[int, int],
) -> Iterator[Grid]:
    """The grids that the pictures of a data set have at training size.

    Args:
        objects: the data set's. Where the size of its pictures is not known, a pyramid takes
            them for squares.
        config: the anchors.
        size_wh: of :func:`training_size`.

    Yields:
        One grid where all pictures become squares; for a pyramid one for each shape of
        picture. Every object belongs to exactly one.
    """
    if not isinstance(config, PyramidAnchors):
        yield Grid(torch.arange(len(objects)), config, size_wh)
        return
    known = objects.pictures_wh or ((1, 1),) * objects.num_pictures
    shapes = [pyramid_for_picture(config, picture_wh=wh, side_px=min(size_wh)).picture_wh for wh in known]
    kinds = {shape: number for number, shape in enumerate(dict.fromkeys(shapes))}
    kind = torch.tensor([kinds[shape] for shape in shapes], dtype=torch.int64)[objects.picture]
    for shape, number in kinds.items():
        rows = (kind == number).nonzero()[:, 0]
        if len(rows):
            yield Grid(rows, replace(config, picture_wh=shape), shape)


def preset_coverage(
    objects: ObjectTable,
    preset: AnchorPreset | PyramidPreset,
    *,
    size_px: int | None = None,
    rule: MatchingRule = "bipartite",
    threshold: float | None = None,
) -> Coverage:
    """Coverage under a preset, at its training size and threshold or at others.

    Args:
        objects: the data set's.
        preset: any anchor preset, also of another detector.
        size_px: training size; ``None``: the preset's.
        rule: the matching rule.
        threshold: match threshold; ``None``: the preset's.

    Returns:
        The answer for each object. With a pyramid, ``best_anchor`` counts on the grid of
        the object's own picture.

    Raises:
        ConfigError: the size, the rule or the threshold is out of range.

    Example:
        >>> from ssd.config import any_preset
        >>> from ssd.data.object_table import object_table
        >>> table = object_table([], class_names=("cat",))
        >>> preset_coverage(table, any_preset("retinanet")).size_wh
        (1333, 800)
    """
    size_wh = training_size(preset, size_px=size_px)
    limit = preset.threshold if threshold is None else threshold
    rows, parts = [], []
    for grid in grids(objects, preset.anchors, size_wh=size_wh):
        own = some_objects(objects, grid.rows)
        parts.append(coverage(own, grid.anchors, size_wh=grid.size_wh, rule=rule, threshold=limit))
        rows.append(grid.rows)
    if not parts:
        return coverage(objects, make_anchors(preset.anchors), size_wh=size_wh, rule=rule, threshold=limit)
    return _joined(objects, parts, torch.cat(rows), size_wh)


def _joined(
    objects: ObjectTable, parts: list[Coverage], rows: Int64[Tensor, "n"], size_wh: tuple[int, int]
) -> Coverage:
    """The answers of several grids in the order of the objects."""
    order = rows.argsort()
    columns = ("best_jaccard", "best_anchor", "best_level", "num_anchors", "forced_only", "input_wh")
    joined = {name: torch.cat([getattr(part, name) for part in parts])[order] for name in columns}
    return Coverage(
        objects=objects,
        **joined,
        threshold=parts[0].threshold,
        size_wh=size_wh,
        num_levels=parts[0].num_levels,
    )


def anchors_at_size(config: AnchorConfig, *, size_wh: tuple[int, int]) -> Anchors:
    """The anchors of a configuration on the grid of an input of another size.

    Args:
        config: the anchors at their own size.
        size_wh: width and height of the input in pixels.

    Returns:
        At its own size exactly the preset's. Elsewhere an anchor keeps its size in pixels,
        and the grids are those of ``ssd.config.grids_for_size``; the lesson's grids have no
        size in pixels and stay as they are.

    Raises:
        ConfigError: the size is not positive, or makes too many anchors.

    Example:
        >>> from ssd.config import anchor_preset
        >>> anchors_at_size(anchor_preset("ssd300-voc").anchors, size_wh=(512, 512)).levels[0].grid_wh
        (64, 64)
    """
    if isinstance(config, GridAnchors) or size_wh == config.picture_wh:
        return make_anchors(config)
    own, grids_wh = config.picture_wh, grids_for_size(config, size_wh=size_wh)
    return resized_anchors(config, grids_wh=grids_wh, scale_wh=(own[0] / size_wh[0], own[1] / size_wh[1]))
