"""A file input of our own: pictures cross as a trigger, once, and never touch the disk."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import streamlit as st

from pages.shared.canvas import component
from ssd.limits import MAX_PICTURE_BYTES, MAX_UPLOADS

__all__ = ["DroppedPicture", "picture_drop"]

_TOO_LARGE = f"The limit is {MAX_PICTURE_BYTES // 1_000_000} MB; make the picture smaller."
_TOO_MANY = f"{MAX_UPLOADS} pictures at a time; choose fewer."
_UNREADABLE = "The browser could not read the file; choose it again."
_REFUSALS = {"too large": _TOO_LARGE, "too many": _TOO_MANY, "unreadable": _UNREADABLE}


@dataclass(frozen=True)
class DroppedPicture:
    """One file as it came from the browser; its content has not been looked at.

    Attributes:
        name: as the visitor's machine calls it; show it as text only.
        content: the bytes; empty where the file was refused.
        refusal: why the file was refused and how to mend it, or an empty text.
        position: of this file among those dropped together, from 1.
        total: how many were dropped together.
    """

    name: str
    content: bytes
    refusal: str
    position: int
    total: int


def picture_drop(*, key: str, on_drop: Callable[[DroppedPicture], None]) -> None:
    """Show a drop zone with a file input.

    Args:
        key: of the widget.
        on_drop: called once for each file, before the next run of the script. Files
            dropped together arrive one after the other, a run each. Decode at once
            and keep the picture, not the bytes.
    """
    answered = f"{key}_answered"
    data = {"answered": st.session_state.get(answered, 0)}
    component("drop")(key=key, data=data, on_file_change=lambda: _hear(key, answered, on_drop))


def _hear(key: str, answered: str, on_drop: Callable[[DroppedPicture], None]) -> None:
    """Hand one file on, and tell the browser to send the next."""
    sent = (st.session_state.get(key) or {}).get("file")
    if not isinstance(sent, Mapping):
        return
    number = sent.get("number")
    st.session_state[answered] = number if isinstance(number, int) else 0
    on_drop(_read_file(sent))


def _read_file(sent: Mapping) -> DroppedPicture:
    """Check what the browser sent: it is not believed about sizes."""
    name, content = sent.get("name"), sent.get("content")
    place = [
        n if isinstance(n, int) and 0 < n <= MAX_UPLOADS else 1
        for n in (sent.get("position"), sent.get("total"))
    ]
    refusal = _REFUSALS.get(str(sent.get("refusal")), "")
    data = b"" if refusal else _decode(content)
    if data is None or len(data) > MAX_PICTURE_BYTES:
        data, refusal = b"", _UNREADABLE if data is None else _TOO_LARGE
    return DroppedPicture(str(name)[:255], data, refusal, *place)


def _decode(content: object) -> bytes | None:
    """Base64 text to bytes, or nothing."""
    try:
        return base64.b64decode(content, validate=True) if isinstance(content, str) else None
    except binascii.Error:
        return None
