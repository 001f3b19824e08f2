"""The candidates of a one-file lesson: no more than the browser works with while a slider moves.

A page leaves a new NMS threshold over thousands of candidates to Python. A file has no Python, so
it takes along the best candidates only: those above a higher score, which are a selection of their own.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ssd.figures.blobs import Blob
from ssd.figures.canvas import CanvasView
from ssd.limits import MAX_LIVE_CANDIDATES

__all__ = ["left_out", "live_view"]


def live_view(view: CanvasView, *, most: int = MAX_LIVE_CANDIDATES) -> CanvasView:
    """The view with the best of its candidates.

    Args:
        view: of any mode.
        most: candidates that may stay.

    Returns:
        The view itself where there are no more. Else candidates above a higher score
        only, the score threshold raised to it where it was lower: every candidate that
        is left has the fate that it had, because top-k, NMS and cap look only at better ones.
    """
    if view.candidates is None or view.candidates.data["count"] <= most:
        return view
    scores = _column(view.candidates.data["scores"])
    floor = float(scores[most])
    keep = int((scores > floor).sum()) or most
    score = max(view.score, floor)
    same = score == view.score
    selected = view.selected_detection
    return replace(
        view,
        candidates=_best(view.candidates, keep=keep, floor=floor),
        score=score,
        answers=None if view.answers is None else view.answers[:keep],
        outcomes=None if view.outcomes is None else view.outcomes[:keep],
        hits=None if view.hits is None else view.hits[:keep],
        verdicts=view.verdicts if same else None,
        nms_step=view.nms_step if same else None,
        selected_detection=None if selected is None or selected >= keep else selected,
    )


def left_out(view: CanvasView, *, most: int = MAX_LIVE_CANDIDATES) -> str:
    """A sentence where :func:`live_view` leaves candidates out; else nothing.

    Args:
        view: as it was.
        most: candidates that may stay.

    Returns:
        The sentence, or an empty text.
    """
    best = live_view(view, most=most)
    if best is view or view.candidates is None or best.candidates is None:
        return ""
    kept, all_of_them = best.candidates.data["count"], view.candidates.data["count"]
    floor = best.candidates.data["floor"]
    return f"This file holds the best {kept:,} of {all_of_them:,} candidates, those above score {floor:.3f}."


def _best(candidates: Blob, *, keep: int, floor: float) -> Blob:
    """The first rows of every column."""
    data: Mapping[str, Any] = candidates.data
    count = data["count"]
    columns = {
        name: _first_rows(text, count=count, keep=keep)
        for name, text in data.items()
        if isinstance(text, str) and name != "kind"
    }
    rest = {"count": keep, "floor": floor, "num_below": data["num_below"] + count - keep}
    cut = {**data, **columns, **rest}
    return Blob(f"{candidates.digest}-{keep}", cut)


def _first_rows(text: str, *, count: int, keep: int) -> str:
    """A column of so many rows, cut."""
    raw = base64.b64decode(text)
    return base64.b64encode(raw[: len(raw) // count * keep]).decode("ascii")


def _column(text: str) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Numbers of float32."""
    return np.frombuffer(base64.b64decode(text), dtype="<f4")
