"""What a visitor did on the picture, as short texts: kept across pages and written into the link.

Widgets write themselves into the link (``bind="query-params"``); here is the rest: drawn objects,
what is selected, what is switched off, the anchor knobs. Texts that come in with a link may
have been written by anybody: whoever reads one here checks it, and drops it with a note.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable

import streamlit as st
from streamlit import config
from streamlit.runtime.scriptrunner import get_script_run_ctx

from ssd.limits import MAX_QUERY_VALUE_CHARS

KEYS = (
    "knobs",
    "objects",
    "object",
    "anchor",
    "detection",
    "score",
    "nms",
    "topk",
    "cap",
    "agnostic",
    "nmskind",
    "sigma",
    "step",
    "travel",
    "ratio",
    "alpha",
    "gamma",
    "levels",
    "classes",
    "model",
    "settings",
    "which",
)
PAGE = "page"  # key of the fragment that holds a page's own part
OF_THE_PICTURE = ("objects", "object", "detection", "classes", "step")  # meaningless on another picture
DRAWN = ("objects", "knobs")  # a visitor's work: a step back in the browser does not take it away
_ON_ITS_WAY_S = 0.5  # from a part that was written until the browser's next words have it
NOT_IN_A_LINK = ("objects", "object", "detection")  # of a picture that does not travel


def kept() -> dict[str, str]:
    """The texts by key; change them in callbacks only."""
    return st.session_state.setdefault("kept", {})


def keep(key: str, text: str | None) -> None:
    """Set one text, or forget it."""
    kept().pop(key, None)
    if text is not None:
        kept()[key] = text


def forget(keys: Iterable[str]) -> None:
    """Forget several texts."""
    for key in keys:
        kept().pop(key, None)


def rerun_page() -> None:
    """Run only the page's own part again, where it has one; in a callback only, as its last line.

    In a test that reads pages without a browser the whole script runs, so that all of it can be read.
    """
    if st.session_state.get("page_part") and not config.get_option("global.appTest"):
        st.rerun(PAGE)


def note(text: str) -> None:
    """Say something at the top of the page, once. Never put into it what a visitor wrote."""
    notes = st.session_state.setdefault("notes", [])
    if text not in notes:
        notes.append(text)


def take_notes() -> list[str]:
    """What there is to say; said once."""
    return st.session_state.pop("notes", [])


def read_link() -> None:
    """Take over what the address bar holds and we did not write there ourselves.

    A part that we wrote for this page and that is gone again: the visitor went back. What was
    drawn stays then, and so does all that was written too shortly before to be in the address yet.
    """
    written, page = st.session_state.get("written", {}), st.session_state.get("written_on")
    is_back = (
        page == _page_now() and time.monotonic() - st.session_state.get("written_at", 0.0) > _ON_ITS_WAY_S
    )
    for key in KEYS:
        text = st.query_params.get(key)
        if text is None and is_back and key not in DRAWN and kept().get(key) == written.get(key):
            keep(key, None)
        if text is None or text == written.get(key):
            continue
        if len(text) > MAX_QUERY_VALUE_CHARS:
            note(f"The part '{key}' of this link is too long and was left out.")
        else:
            keep(key, text)
            st.session_state["from_link"] = True


def write_link(*, travels: bool) -> None:
    """Bring the address bar up to date, in one message and only where something changed."""
    wanted = {key: kept()[key] for key in KEYS if key in kept() and (travels or key not in NOT_IN_A_LINK)}
    for key in KEYS:
        if key not in wanted and key in st.query_params:
            del st.query_params[key]
    changed = {key: text for key, text in wanted.items() if st.query_params.get(key) != text}
    if changed:
        st.query_params.update(changed)
    if wanted != st.session_state.get("written"):
        st.session_state["written_at"] = time.monotonic()
    st.session_state["written"], st.session_state["written_on"] = wanted, _page_now()


def _page_now() -> str:
    """The page that runs."""
    found = get_script_run_ctx()
    return "" if found is None else found.page_script_hash


def kept_index(key: str, *, below: int) -> int | None:
    """A whole number of the link in 0 … below − 1; otherwise it is forgotten."""
    text = kept().get(key)
    if text is None:
        return None
    if text.isascii() and text.isdigit() and len(text) < 10 and int(text) < below:
        return int(text)
    forget([key])
    note(f"This link selects {_article(key)} that is not there; nothing is selected now.")
    return None


def kept_indices(key: str, *, below: int) -> tuple[int, ...]:
    """Several whole numbers, split by dots; those out of range are left out."""
    parts = kept().get(key, "").split(".")
    numbers = [int(part) for part in parts if part.isascii() and part.isdigit() and len(part) < 6]
    return tuple(sorted({number for number in numbers if number < below}))


def only_level(count: int) -> int | None:
    """The one level of so many that is not switched off; nothing where several are shown."""
    hidden = kept_indices("levels", below=count)
    return next((k for k in range(count) if len(hidden) == count - 1 and k not in hidden), None)


def level_in_view(count: int) -> int:
    """The level that a page talks about: the only one that is shown, or one in the middle."""
    only = only_level(count)
    return min(2, count - 1) if only is None else only


def indices_text(numbers: Iterable[int]) -> str | None:
    """Several whole numbers as a text; nothing for none."""
    return ".".join(str(number) for number in numbers) or None


def kept_share(key: str, *, default: float) -> float:
    """A number in 0–1 of the link; otherwise it is forgotten and the default stands."""
    text = kept().get(key)
    if text is None:
        return default
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if len(text) < 20 and 0 <= value <= 1:
        return value
    forget([key])
    note(f"The {key} of this link must lie in 0–1; {default:g} stands in.")
    return default


def _article(key: str) -> str:
    return f"an {key}" if key[0] in "aeiou" else f"a {key}"
