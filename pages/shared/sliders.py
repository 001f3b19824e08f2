"""Sliders that act while they are dragged: Streamlit's own tell nothing before they are let go."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial

import streamlit as st

from pages.shared import state
from pages.shared.canvas import component


@dataclass(frozen=True)
class LiveSlider:
    """One slider; ``name`` is also its part of the link."""

    name: str
    label: str
    low: float
    most: float
    step: float
    usual: float


def live_sliders(sliders: Sequence[LiveSlider], *, key: str) -> dict[str, float]:
    """Show sliders side by side.

    While one is dragged the part of the page that holds it runs again and again, each time when
    the answer to the last position is there.

    Args:
        sliders: left to right.
        key: of the widget.

    Returns:
        Values by name.
    """
    values = {slider.name: kept_number(slider) for slider in sliders}
    rows = [{**asdict(slider), "value": values[slider.name]} for slider in sliders]
    component("sliders")(
        key=key,
        data={"sliders": rows, "answered": _number_of(key)},
        on_values_change=partial(_hear, key, tuple(sliders)),
    )
    return values


def kept_number(slider: LiveSlider) -> float:
    """The value of the link, where it is one; else the usual one."""
    text = state.kept().get(slider.name, "")
    try:
        value = float(text) if len(text) < 20 else math.nan
    except ValueError:
        value = math.nan
    return value if slider.low <= value <= slider.most else slider.usual


def _number_of(key: str) -> int:
    """Which report of the browser this run answers."""
    report = (st.session_state.get(key) or {}).get("values")
    number = report.get("number") if isinstance(report, Mapping) else None
    return number if isinstance(number, int) else 0


def _hear(key: str, sliders: tuple[LiveSlider, ...]) -> None:
    """Take over what the browser reports; whatever is no number in range is left out."""
    report = (st.session_state.get(key) or {}).get("values")
    values = report.get("values") if isinstance(report, Mapping) else None
    for slider in sliders if isinstance(values, Mapping) else ():
        value = values.get(slider.name)
        if isinstance(value, int | float) and slider.low <= value <= slider.most:
            state.keep(slider.name, None if value == slider.usual else f"{value:g}")
