"""Anchor knobs as the short text that carries them in a link."""

from __future__ import annotations

from collections.abc import Iterable

from ssd.config import AnchorConfig, GridAnchors, SizeAnchors
from ssd.errors import ConfigError

_MAX_LEVELS = 8
_MAX_SHAPES = 20  # of one cell


def knobs_to_text(config: AnchorConfig) -> str:
    """A configuration as text: fields split by ``!``, numbers by ``_``, levels and pairs by ``*``."""
    if isinstance(config, GridAnchors):
        ratios = "*".join(_numbers(pair) for pair in config.ratios)
        return "!".join(["g", _numbers(config.grids), _numbers(config.zooms), ratios])
    fields = ["s", _numbers(config.picture_wh), "*".join(_numbers(wh) for wh in config.grids_wh)]
    fields += [_numbers(config.sizes_px), _numbers(config.extra_sizes_px)]
    fields += [
        "*".join(_numbers(level) for level in config.ratios),
        _numbers(config.steps_px or ()),
        config.clip,
    ]
    return "!".join(fields)


def text_to_knobs(text: str) -> AnchorConfig:
    """The configuration of a link; ``ConfigError`` says that the text was cut or made up."""
    kind, *fields = text.split("!")
    try:
        if kind == "g" and len(fields) == 3:
            return _grid_anchors(fields)
        if kind == "s" and len(fields) == 7:
            return _size_anchors(fields)
    except (ValueError, OverflowError):
        pass
    raise ConfigError("The anchor knobs of this link cannot be read; copy the whole link.")


def _grid_anchors(fields: list[str]) -> GridAnchors:
    grids, zooms, ratios = fields
    pairs = tuple(_pair(part, float) for part in ratios.split("*"))
    config = GridAnchors(grids=_parse(grids, int), zooms=_parse(zooms, float), ratios=pairs)
    _require_small(len(config.grids), len(config.zooms) * len(pairs))
    return config


def _size_anchors(fields: list[str]) -> SizeAnchors:
    picture, grids, sizes, extras, ratios, steps, clip = fields
    if clip not in ("none", "size"):
        raise ValueError(clip)
    config = SizeAnchors(
        picture_wh=_pair(picture, int),
        grids_wh=tuple(_pair(part, int) for part in grids.split("*")),
        sizes_px=_parse(sizes, float),
        extra_sizes_px=_parse(extras, float),
        ratios=tuple(_parse(part, float) for part in ratios.split("*")),
        steps_px=_parse(steps, float) or None,
        clip=clip,
    )
    _require_small(len(config.grids_wh), max(2 + 2 * len(level) for level in config.ratios))
    return config


def _require_small(levels: int, shapes: int) -> None:
    if levels > _MAX_LEVELS or shapes > _MAX_SHAPES:
        raise ConfigError(
            f"The knobs allow {_MAX_LEVELS} levels and {_MAX_SHAPES} anchors a cell, "
            f"got {levels} and {shapes}; use fewer."
        )


def _numbers(values: Iterable[float]) -> str:
    return "_".join(f"{value:.9g}" for value in values)


def _parse(text: str, kind: type) -> tuple:
    return tuple(kind(part) for part in text.split("_")) if text else ()


def _pair(text: str, kind: type) -> tuple:
    first, second = _parse(text, kind)
    return first, second
