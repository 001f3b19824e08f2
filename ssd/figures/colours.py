"""The one table of colours and lines: a colour says what a box is, never which class it has.

The colours are Okabe and Ito's, safe for colour-blind eyes; each is doubled by a line
style. The canvas, the Plotly figures and the exported pictures all read this table.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from zlib import crc32

from ssd.errors import ConfigError

__all__ = ["CLASS_COLOURS", "LINES", "LOSS_RAMP", "Line", "class_colours", "line", "lines_as_json"]


@dataclass(frozen=True)
class Line:
    """How one kind of box is drawn.

    Attributes:
        colour: of the line, ``#RRGGBB``.
        width_px: of the line on the screen.
        dash_px: lengths of strokes and gaps; empty for a solid line.
        alpha: opacity of a box that stands alone.
        cover: share of the picture that hundreds of them may hide together.
        halo: opacity of the dark line under it; 0 for none.
        word: what legends call it.
    """

    colour: str
    width_px: float
    dash_px: tuple[float, ...]
    alpha: float
    cover: float
    halo: float
    word: str


# Source: Okabe and Ito, Color Universal Design, 2008; the house's starting table.
LINES: dict[str, Line] = {
    "object": Line("#FFFFFF", 3.0, (), 1.0, 0.5, 0.72, "object"),
    "orphan": Line("#D55E00", 3.0, (), 1.0, 0.5, 0.72, "orphan object"),
    "ignored_object": Line("#C8C8C8", 2.0, (2.0, 4.0), 1.0, 0.5, 0.45, "ignored object"),
    "plain": Line("#56B4E9", 1.5, (), 1.0, 0.34, 0.5, "anchor"),
    "cell": Line("#F0E442", 2.5, (), 1.0, 0.6, 0.7, "anchor of the selected cell"),
    "positive": Line("#56B4E9", 2.0, (), 1.0, 0.4, 0.5, "positive anchor"),
    "forced": Line("#E69F00", 2.0, (10.0, 4.0, 2.0, 4.0), 1.0, 0.5, 0.6, "forced anchor"),
    "ignored": Line("#C4C4C4", 1.5, (2.0, 3.0), 0.95, 0.3, 0.35, "ignored anchor"),
    "negative": Line("#999999", 1.0, (), 0.6, 0.24, 0.0, "negative anchor"),
    "hard_negative": Line("#CC79A7", 1.5, (), 1.0, 0.4, 0.5, "hard negative"),
    "kept": Line("#00B98A", 2.5, (8.0, 4.0), 1.0, 0.5, 0.6, "kept"),
    "suppressed": Line("#CC79A7", 1.0, (5.0, 4.0), 0.95, 0.3, 0.25, "suppressed"),
    "beyond_top_k": Line("#E69F00", 1.0, (2.0, 3.0), 0.95, 0.3, 0.25, "beyond top-k"),
    "beyond_cap": Line("#56B4E9", 1.0, (2.0, 3.0), 0.95, 0.3, 0.25, "beyond the cap"),
    "waiting": Line("#56B4E9", 1.25, (), 0.95, 0.3, 0.3, "waits for its turn"),
    "below": Line("#999999", 1.0, (1.0, 3.0), 0.7, 0.24, 0.0, "below the score threshold"),
    "true_positive": Line("#00B98A", 2.5, (8.0, 4.0), 1.0, 0.5, 0.6, "true positive"),
    "false_positive": Line("#D55E00", 2.5, (8.0, 4.0), 1.0, 0.5, 0.6, "false positive"),
    "missed": Line("#F0E442", 2.5, (2.0, 4.0), 1.0, 0.5, 0.6, "missed object"),
    "selected": Line("#FFFFFF", 3.5, (), 1.0, 0.5, 0.72, "selected"),
    "field": Line("#F0E442", 2.0, (12.0, 6.0), 1.0, 0.5, 0.6, "receptive field"),
    "grid": Line("#FFFFFF", 1.0, (), 0.55, 0.3, 0.3, "cells"),
}

# Loss, from nothing to much: lightness falls all along, so that it reads without colour too.
# Source: ColorBrewer's YlOrRd, in five steps.
LOSS_RAMP: tuple[str, ...] = ("#FFFFB2", "#FECC5C", "#FD8D3C", "#F03B20", "#99001F")

# A second palette for classes, in chips only, dark enough under white letters.
CLASS_COLOURS: tuple[str, ...] = (
    "#332288",
    "#117733",
    "#882255",
    "#0F6B8F",
    "#8A5A00",
    "#AA4499",
    "#44617B",
    "#A5402D",
    "#5B3C88",
    "#3F6F3F",
)


def line(kind: str) -> Line:
    """How boxes of that kind are drawn.

    Args:
        kind: a key of ``LINES``.

    Returns:
        Colour, width and dashes.

    Raises:
        ConfigError: there is no such kind.

    Example:
        >>> line("forced").colour
        '#E69F00'
    """
    if kind not in LINES:
        raise ConfigError(f"A line is one of {', '.join(LINES)}, got {kind!r}; choose one of these.")
    return LINES[kind]


def class_colours(names: Iterable[str]) -> dict[str, str]:
    """The chip colours of classes: by the name, so that a class looks the same on every page.

    Args:
        names: of all classes that can be seen together.

    Returns:
        A colour for each, dark enough for white letters; all different where there are
        at most as many classes as colours.

    Example:
        >>> class_colours(["dog", "cat"])["dog"] == class_colours(["cat", "dog"])["dog"]
        True
    """
    colours: dict[str, str] = {}
    used: set[int] = set()
    for start, name in sorted((crc32(name.encode()), name) for name in set(names)):
        at = start % len(CLASS_COLOURS)
        while len(used) < len(CLASS_COLOURS) and at in used:
            at = (at + 1) % len(CLASS_COLOURS)
        used.add(at)
        colours[name] = CLASS_COLOURS[at]
    return colours


def lines_as_json() -> dict[str, dict[str, object]]:
    """The table for the browser.

    Returns:
        The fields of every line by name.

    Example:
        >>> lines_as_json()["positive"]["colour"]
        '#56B4E9'
    """
    return {name: asdict(style) for name, style in LINES.items()}
