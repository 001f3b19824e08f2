"""Coming back to a page: its own widgets as they were left, where the address does not say otherwise.

Streamlit forgets a page's widgets on the way to another one. It also writes addresses of the left page
without them into the browser's history, so a step back would find every widget at its default.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx


def is_step() -> bool:
    """Whether this run answers the browser's back or forward."""
    return bool(getattr(get_script_run_ctx(), "is_history_navigation", False))


def is_arrival() -> bool:
    """Whether this run is the first on a page after another one."""
    context = get_script_run_ctx()
    page = "" if context is None else context.page_script_hash
    before, st.session_state["page_before"] = st.session_state.get("page_before", page), page
    return before != page


def remember(*, apart_from: Collection[str]) -> None:
    """Keep the values of the widgets that this page has in its address.

    Args:
        apart_from: keys of the widgets that all pages share.
    """
    had = _had()
    for key in {*had, *st.query_params} - set(apart_from):
        if key in st.session_state:
            had[key] = st.session_state[key]


def take_up() -> bool:
    """Give the page's widgets the values that they had, where the address says nothing of any of them.

    Returns:
        Whether something was given. In a run that answers the browser's back or forward the address
        decides alone, so the page must run again then.
    """
    had = _had()
    if not had or any(key in st.query_params for key in had):
        return False
    st.session_state.update(had)
    return True


def _had() -> dict[str, Any]:
    """What the page that runs had when it ran last."""
    context = get_script_run_ctx()
    page = "" if context is None else context.page_script_hash
    return st.session_state.setdefault("had", {}).setdefault(page, {})
