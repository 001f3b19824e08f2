"""Anchor presets by name: those built in, and those in files."""

from __future__ import annotations

import difflib

from ssd.config.preset_files import preset_paths, read_preset
from ssd.config.presets import ANCHOR_PRESETS, AnchorPreset
from ssd.config.pyramid import PYRAMID_PRESETS, PyramidPreset
from ssd.errors import ConfigError

__all__ = ["anchor_preset", "anchor_preset_names", "any_preset", "any_preset_names"]


def anchor_preset_names() -> tuple[str, ...]:
    """Names that :func:`anchor_preset` finds now.

    Returns:
        The built-in presets, then those in files.
    """
    return (*ANCHOR_PRESETS, *preset_paths())


def any_preset_names() -> tuple[str, ...]:
    """Names that :func:`any_preset` finds now.

    Returns:
        Those of :func:`anchor_preset_names` and the pyramids of other detectors.
    """
    return (*ANCHOR_PRESETS, *PYRAMID_PRESETS, *preset_paths())


def anchor_preset(name: str) -> AnchorPreset:
    """The anchor preset of that name, for a network of this project.

    Args:
        name: a key of ``ANCHOR_PRESETS``, or the stem of a file in ``presets/``.

    Returns:
        The preset.

    Raises:
        ConfigError: there is none; the message suggests the nearest. Or its file is broken.

    Example:
        >>> anchor_preset("ssd300-voc").threshold
        0.5
    """
    if name in ANCHOR_PRESETS:
        return ANCHOR_PRESETS[name]
    files = preset_paths()
    if name in files:
        return read_preset(files[name])
    if name in PYRAMID_PRESETS:
        raise ConfigError(
            f"{name} holds the anchors of another detector, for coverage only; "
            f"presets of SSD: {', '.join(anchor_preset_names())}."
        )
    raise ConfigError(_unknown(name, anchor_preset_names()))


def any_preset(name: str) -> AnchorPreset | PyramidPreset:
    """The preset of that name, also one of another detector.

    Args:
        name: as for :func:`anchor_preset`, or a key of ``PYRAMID_PRESETS``.

    Returns:
        The preset.

    Raises:
        ConfigError: there is none; the message suggests the nearest. Or its file is broken.

    Example:
        >>> any_preset("faster-rcnn").threshold
        0.7
    """
    if name in PYRAMID_PRESETS:
        return PYRAMID_PRESETS[name]
    if name not in anchor_preset_names():
        raise ConfigError(_unknown(name, any_preset_names()))
    return anchor_preset(name)


def _unknown(name: str, known: tuple[str, ...]) -> str:
    """There is no such preset, but perhaps a similar one."""
    near = difflib.get_close_matches(name, known, n=1)
    hint = f" (did you mean {near[0]}?)" if near else ""
    return f"There is no anchor preset {name!r}{hint}; presets: {', '.join(known)}."
