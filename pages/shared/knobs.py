"""The anchor knobs: every number of both families, live; what comes out travels as ``custom``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import streamlit as st

from pages.shared import links, state
from pages.shared.scene import CUSTOM, Scene
from pages.shared.scene import anchors_of as _make
from ssd.config import AnchorConfig, GridAnchors, SizeAnchors, scale_formula, scaled_anchors
from ssd.errors import SSDError

RATIOS = (1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0)
FAMILIES = ("sizes", "grids")
_START_GRIDS = GridAnchors(
    grids=(4, 2, 1), zooms=(0.7, 1.0, 1.3), ratios=((1.0, 1.0), (1.0, 0.5), (0.5, 1.0))
)
_START_SIZES = scaled_anchors(
    grids_wh=((10, 10), (5, 5), (3, 3)),
    scales=(*scale_formula(s_min=0.2, s_max=0.9, levels=3), 1.0),
    ratios=((2.0, 3.0),) * 3,
    picture_wh=(300, 300),
)


def draw_knobs(scene: Scene, level: int) -> None:
    """The knobs of the scene's family, for one level where they belong to a level."""
    config = scene.config
    family = FAMILIES[isinstance(config, GridAnchors)]
    _widget(
        st.segmented_control, "Family", family, "knob_family", _change_family, options=FAMILIES, required=True
    )
    if isinstance(config, GridAnchors):
        _grid_knobs(config)
    else:
        _size_knobs(config, min(level, len(config.grids_wh) - 1))
    if (problem := st.session_state.pop("knob_error", None)) is not None:
        st.text(f"⚠ {problem}")


def _widget(draw: Callable, label: str, value: Any, key: str, change: Callable, **options: Any) -> None:
    """A control that always shows the configuration, and changes it when it is moved."""
    st.session_state[key] = value
    draw(label, key=key, on_change=change, **options)


def _grid_knobs(config: GridAnchors) -> None:
    """The lesson's family, as lists of numbers."""
    _widget(st.text_input, "Grids", _words(config.grids), "knob_grids", _change_grids)
    _widget(st.text_input, "Zooms", _words(config.zooms), "knob_zooms", _change_grids)
    pairs = " ".join(f"{w:g}:{h:g}" for w, h in config.ratios)
    _widget(st.text_input, "Ratios, width:height", pairs, "knob_ratios", _change_grids)


def _level_knob(draw: Callable, label: str, value: Any, key: str, **options: Any) -> None:
    """A control of the chosen level."""
    _widget(draw, label, value, key, _change_level, **options)


def _size_knobs(config: SizeAnchors, k: int) -> None:
    """The paper's family: four numbers and the ratios of one level, then what all share."""
    side = min(config.picture_wh)
    st.caption(f"Level {k} of an input of {config.picture_wh[0]} × {config.picture_wh[1]} px")
    most, steps = round(side * 1.2), config.steps_px
    step = None if steps is None else round(steps[k])
    left, right = st.columns(2)
    with left:
        _level_knob(
            st.slider, "Size, px", _whole(config.sizes_px[k], side), "knob_size", min_value=4, max_value=most
        )
        _level_knob(
            st.number_input, "Cells a side", config.grids_wh[k][0], "knob_cells", min_value=1, max_value=64
        )
    with right:
        extra = _whole(config.extra_sizes_px[k], side)
        _level_knob(st.slider, "Extra size, px", extra, "knob_extra", min_value=4, max_value=most)
        _level_knob(
            _number_or_nothing,
            "Step, px",
            step,
            "knob_step",
            min_value=1,
            max_value=side,
            placeholder="even",
        )
    options = sorted({*RATIOS, *config.ratios[k]})
    _level_knob(
        st.pills, "Aspect ratios, each with its reciprocal", list(config.ratios[k]), "knob_wide",
        options=options, selection_mode="multi", format_func=lambda r: f"{r:g}",
    )  # fmt: skip
    _level_knob(st.toggle, "Limit width and height to the picture", config.clip == "size", "knob_clip")
    with st.popover("Scale formula"):
        st.caption("Sizes rise evenly from the first to the last level; the extra size is √(s·s′).")
        st.slider("Scale of the first and last level", 0.05, 1.0, (0.2, 0.9), 0.05, key="knob_scales")
        st.button("Use on all levels", on_click=_use_formula)


def _number_or_nothing(label: str, **options: Any) -> int | None:
    """A number that may be taken out."""
    return st.number_input(label, value=None, **options)


def _whole(size: float, side: int) -> int:
    """A size as its slider can show it."""
    return min(max(round(size), 4), round(side * 1.2))


def _words(numbers: tuple[float, ...]) -> str:
    return " ".join(f"{number:g}" for number in numbers)


def _keep(make: Callable[[], AnchorConfig]) -> None:
    """Take a new configuration, or say why not; in a callback only."""
    try:
        config = make()
        text = links.knobs_to_text(config)
        _make(links.text_to_knobs(text))
    except (SSDError, ValueError) as error:
        words = (
            str(error) if isinstance(error, SSDError) else "Numbers stand apart by blanks, as in 0.7 1 1.3."
        )
        st.session_state["knob_error"] = words
        return
    if len(_make(config)) != len(_make(st.session_state["scene"].config)):
        state.forget(["anchor"])  # its number means another one now
    state.keep("knobs", text)
    if st.session_state["anchors"] != CUSTOM:
        st.session_state["anchors"] = CUSTOM
        st.rerun()  # the sidebar names the preset


def _change_family() -> None:
    start = _START_GRIDS if st.session_state["knob_family"] == "grids" else _START_SIZES
    _keep(lambda: start)


def _change_grids() -> None:
    grids, zooms, ratios = (st.session_state[f"knob_{name}"].split() for name in ("grids", "zooms", "ratios"))

    def make() -> AnchorConfig:
        pairs = tuple((float(w), float(h)) for w, h in (part.split(":") for part in ratios))
        return GridAnchors(tuple(int(g) for g in grids), tuple(float(z) for z in zooms), pairs)

    _keep(make)


def _change_level() -> None:
    """The chosen level's knobs into the configuration; sizes that were not moved keep their fractions."""
    values, config = st.session_state, st.session_state["scene"].config
    k = min(values["knob_level"], len(config.grids_wh) - 1)
    side, grid = min(config.picture_wh), config.grids_wh[k]
    steps = config.steps_px or tuple(w / columns for w, (columns, _) in _widths(config))
    step, cells = values["knob_step"], values["knob_cells"]

    def moved(old: float, new: int) -> float:
        return old if new in (round(old), _whole(old, side)) else float(new)

    changed = replace(
        config,
        grids_wh=_with(config.grids_wh, k, grid if cells == grid[0] else (cells, cells)),
        sizes_px=_with(config.sizes_px, k, moved(config.sizes_px[k], values["knob_size"])),
        extra_sizes_px=_with(config.extra_sizes_px, k, moved(config.extra_sizes_px[k], values["knob_extra"])),
        ratios=_with(config.ratios, k, tuple(sorted(values["knob_wide"]))),
        steps_px=None
        if step is None
        else _with(steps, k, steps[k] if step == round(steps[k]) else float(step)),
        clip="size" if values["knob_clip"] else "none",
    )
    _keep(lambda: changed)


def _widths(config: SizeAnchors) -> list[tuple[int, tuple[int, int]]]:
    return [(config.picture_wh[0], grid) for grid in config.grids_wh]


def _use_formula() -> None:
    config, (low, high) = st.session_state["scene"].config, st.session_state["knob_scales"]
    count = len(config.grids_wh)
    _keep(
        lambda: scaled_anchors(
            grids_wh=config.grids_wh,
            scales=(*scale_formula(s_min=low, s_max=high, levels=count), 1.0),
            ratios=config.ratios,
            picture_wh=config.picture_wh,
            steps_px=config.steps_px,
            clip=config.clip,
        )
    )


def _with(values: tuple, k: int, new: Any) -> tuple:
    return (*values[:k], new, *values[k + 1 :])
