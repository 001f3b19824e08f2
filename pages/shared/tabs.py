"""Tabs of which only the open one is drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st


def open_tab(draw: Mapping[str, Callable[[], None]], *, key: str) -> None:
    """Show tabs; what stands in one is made when it is open.

    Args:
        draw: what draws a tab, by its name.
        key: of the tabs, and their part of the link.
    """
    for tab, drawn in zip(st.tabs(tuple(draw), key=key, bind="query-params"), draw.values(), strict=True):
        if tab.open:
            with tab:
                drawn()
