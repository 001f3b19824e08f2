"""Pictures behind a number: each tile opens its picture on another page, with the object selected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from pages.shared import picker
from pages.shared import scene as scenes
from ssd.errors import SSDError

PAGE_SIZE = 8
_COLUMNS = 4
_WITHIN_PX = (300, 220)


@dataclass(frozen=True)
class Tile:
    """One picture behind a number.

    Attributes:
        source: of the scene.
        which: its number there.
        caption: what is to be seen, as text.
        layers: boxes by meaning, in [0, 1] units.
        object: the object to be selected, or ``None``.
        kept: other settings that the page is opened with, by their part of the link.
    """

    source: str
    which: int
    caption: str
    layers: tuple[tuple[str, Any], ...] = ()
    object: int | None = None
    kept: dict[str, str] = field(default_factory=dict)


def gallery(tiles: Sequence[Tile], *, key: str, page: str, empty: str) -> None:
    """Tiles in rows, a few at a time.

    Args:
        tiles: all of them.
        key: of the widgets.
        page: file of the page that a tile opens.
        empty: what is said without any.
    """
    if not tiles:
        st.text(empty)
        return
    pages = -(-len(tiles) // PAGE_SIZE)
    number = 1
    if pages > 1:
        number = int(st.number_input(f"Part, 1–{pages}", 1, pages, key=f"{key}_part", width=140))
    shown = tiles[(number - 1) * PAGE_SIZE : number * PAGE_SIZE]
    for row in range(0, len(shown), _COLUMNS):
        for column, place in zip(
            st.columns(_COLUMNS), range(row, min(row + _COLUMNS, len(shown))), strict=False
        ):
            with column:
                _tile(shown[place], page=page)


def _tile(tile: Tile, *, page: str) -> None:
    """One picture, what it shows, and the way to it."""
    from ssd.figures.thumbnails import BoxLayer, fitted_wh, picture_thumbnail

    try:
        jpeg, size_wh = scenes.public_small(tile.source, tile.which)
    except SSDError as error:
        st.text(f"{tile.caption}\n⚠ {error}")
        return
    width, height = fitted_wh(size_wh, within_wh=_WITHIN_PX)
    layers = [
        BoxLayer(kind, boxes) if isinstance(boxes, list) else BoxLayer.of(kind, boxes)
        for kind, boxes in tile.layers
    ]
    st.image(
        picture_thumbnail(jpeg, width_px=width, height_px=height, layers=layers, title=tile.caption),
        alt=tile.caption,
    )
    st.text(tile.caption)
    selected = {} if tile.object is None else {"object": str(tile.object)}
    st.page_link(
        f"pages/{page}.py", label="Open", icon=":material/open_in_full:",
        query_params={**picker.open_link(tile.source, tile.which), **selected, **tile.kept},
    )  # fmt: skip
