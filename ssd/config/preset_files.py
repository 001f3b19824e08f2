"""Anchor presets in TOML files: exported by ``fit-anchors``, found by their file's name.

They lie in ``presets/`` of the project and of the working directory, or in the folders of
``SSD_PRESET_ROOTS``.
"""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ssd.config.anchors import AnchorConfig, GridAnchors, SizeAnchors
from ssd.config.coding import CoderConfig
from ssd.config.presets import ANCHOR_PRESETS, AnchorPreset
from ssd.config.pyramid import PYRAMID_PRESETS
from ssd.errors import ConfigError
from ssd.limits import MAX_ANCHORS, MAX_CONFIG_BYTES

__all__ = ["preset_paths", "preset_to_toml", "read_preset", "validate_preset_name"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_KINDS = {"size": SizeAnchors, "grid": GridAnchors}
_PROJECT = Path(__file__).resolve().parents[2]


def preset_paths() -> dict[str, Path]:
    """The files that can be taken by name.

    Returns:
        Each file by its stem; where two folders have the same name, the first folder's. Names
        of built-in presets and names that could not stand in a link are left out.
    """
    told = os.environ.get("SSD_PRESET_ROOTS")
    roots = [_PROJECT / "presets", Path("presets")] if told is None else map(Path, told.split(os.pathsep))
    files = [file for root in roots if root.is_dir() for file in sorted(root.glob("*.toml"))]
    taken = {*ANCHOR_PRESETS, *PYRAMID_PRESETS}
    usable = [file for file in files if _NAME.fullmatch(file.stem) and file.stem not in taken]
    return {file.stem: file for file in reversed(usable) if file.is_file()}


def validate_preset_name(name: str) -> None:
    """Raise unless a new preset may have this name.

    Args:
        name: the stem of its file.

    Raises:
        ConfigError: it is a built-in preset's, or could not stand in a link.
    """
    if name in {*ANCHOR_PRESETS, *PYRAMID_PRESETS}:
        raise ConfigError(f"{name} is the name of a built-in preset; choose another one.")
    if not _NAME.fullmatch(name):
        raise ConfigError(
            "A preset's name must be letters, digits, dots, dashes and underscores, at most 64, "
            f"got {name[:80]!r}; choose another one."
        )


def read_preset(path: Path) -> AnchorPreset:
    """The preset of a file.

    Args:
        path: a TOML file as :func:`preset_to_toml` writes it.

    Returns:
        The preset, named like the file.

    Raises:
        ConfigError: the file cannot be read, or holds something else.
    """
    try:
        with open(path, "rb") as stream:
            data = stream.read(MAX_CONFIG_BYTES + 1)
        values = tomllib.loads(data[:MAX_CONFIG_BYTES].decode("utf-8"))
        kind = _KINDS[values["anchors"].pop("kind")]
        anchors = kind(**{name: _tuples(value) for name, value in values["anchors"].items()})
        coder = CoderConfig(**{name: _tuples(value) for name, value in values.get("coder", {}).items()})
        preset = AnchorPreset(path.stem, anchors, str(values["source"]), float(values["threshold"]), coder)
        _require_sane(preset)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError(f"{path.name}: this preset cannot be read as TOML; export it again.") from error
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise ConfigError(
            f"{path.name}: a preset needs a source, a threshold in 0–1 and the numbers of its anchors; "
            "export it again."
        ) from error
    return preset


def _tuples(value: Any) -> Any:
    """Lists become tuples; anything but a number or a word is refused."""
    if isinstance(value, list):
        return tuple(_tuples(item) for item in value)
    if type(value) not in (int, float, str):
        raise TypeError
    return value


def _require_sane(preset: AnchorPreset) -> None:
    """What the configurations themselves do not ask."""
    anchors = preset.anchors
    grids = anchors.grids if isinstance(anchors, GridAnchors) else [n for wh in anchors.grids_wh for n in wh]
    if not all(type(cells) is int for cells in grids) or not 0 <= preset.threshold <= 1:
        raise ValueError
    if isinstance(anchors, SizeAnchors) and anchors.clip not in ("none", "size"):
        raise ValueError
    levels = anchors.levels()
    count = sum(level.grid_wh[0] * level.grid_wh[1] * len(level.shapes_wh) for level in levels)
    if count > MAX_ANCHORS:
        raise ConfigError(f"At most {MAX_ANCHORS:,} anchors can be drawn, this preset makes {count:,}.")


def preset_to_toml(preset: AnchorPreset) -> str:
    """A preset as the text of its file.

    Args:
        preset: built in, or fitted.

    Returns:
        TOML from which :func:`read_preset` makes the same preset, number for number.

    Example:
        >>> print(preset_to_toml(AnchorPreset("mine", GridAnchors(grids=(4,)), "by hand", threshold=0.4)))
        # Anchors of SSD Explorer; in presets/ they are found by this file's name.
        source = "by hand"
        threshold = 0.4
        <BLANKLINE>
        [coder]
        kind = "offset"
        variances = [0.1, 0.2]
        <BLANKLINE>
        [anchors]
        kind = "grid"
        grids = [4]
        zooms = [1.0]
        ratios = [[1.0, 1.0]]
        <BLANKLINE>
    """
    kind = "grid" if isinstance(preset.anchors, GridAnchors) else "size"
    lines = ["# Anchors of SSD Explorer; in presets/ they are found by this file's name."]
    lines += [f"source = {_toml(preset.source)}", f"threshold = {preset.threshold!r}", "", "[coder]"]
    lines += [f"{name} = {_toml(value)}" for name, value in asdict(preset.coder).items()]
    lines += ["", "[anchors]", f'kind = "{kind}"', *_caffe_words(preset.anchors)]
    values = asdict(preset.anchors).items()
    return "\n".join([*lines, *(f"{n} = {_toml(v)}" for n, v in values if v is not None), ""])


def _caffe_words(anchors: AnchorConfig) -> list[str]:
    """Min and max sizes, for people who carry the numbers into Caffe's own files."""
    if isinstance(anchors, GridAnchors):
        return []
    pairs = zip(anchors.sizes_px, anchors.extra_sizes_px, strict=True)
    high = ", ".join(f"{extra * extra / size:.2f}" for size, extra in pairs)
    return [f"# in Caffe's words: min sizes = sizes_px, max sizes = {high}"]


def _toml(value: Any) -> str:
    """A number, a text, or a list of them."""
    if isinstance(value, tuple):
        return f"[{', '.join(_toml(item) for item in value)}]"
    if isinstance(value, str):
        clean = "".join(c if c.isprintable() and c not in '"\\' else " " for c in value)
        return f'"{clean}"'
    return repr(value)
