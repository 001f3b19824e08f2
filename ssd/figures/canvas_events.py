"""What the canvas reports on release: untrusted JSON in, a checked record out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ssd.config import NMS_KINDS, NmsKind
from ssd.figures.canvas import CanvasObject
from ssd.limits import MAX_CANVAS_OBJECTS, MAX_CLASS_NAME_CHARS, MAX_NEGATIVE_RATIO

__all__ = ["NO_EVENTS", "CanvasEvents", "read_events"]

_FIELDS = ("objects", "selected_anchor", "selected_object", "selected_detection")
_LIMITS = ("nms", "top_k", "cap", "agnostic", "nms_kind", "sigma", "nms_step")
_MORE_FIELDS = ("score", "threshold", "ratio", "travel", "hidden_levels", "hidden_classes")


@dataclass(frozen=True)
class CanvasEvents:
    """The canvas as the visitor left it. Look at ``changed`` first.

    Attributes:
        changed: names of the fields below that the visitor touched and that Python
            has not answered yet; the others repeat what Python sent.
        scene: ``CanvasView.scene`` of the view that was touched; ignore the report
            where it is not the present one.
        revision: counts the visitor's actions.
        objects: the ground truth after drawing, dragging, resizing, deleting.
        selected_anchor: index, or ``None``.
        selected_object: index into ``objects``, or ``None``.
        selected_detection: index into the candidates, or ``None``.
        score: the score threshold.
        threshold: the match threshold.
        ratio: hard negatives for each positive.
        travel: where the followed anchor's box stands, from 0 (anchor) to 1 (decoded).
        nms: the NMS threshold.
        top_k: candidates of each class that reach NMS.
        cap: boxes kept in a picture.
        agnostic: NMS among all classes.
        nms_kind: hard or soft.
        sigma: of soft NMS.
        nms_step: step of NMS that is shown; ``None``: all of it is done.
        hidden_levels: levels switched off.
        hidden_classes: names of classes switched off.
        step: −1 for the previous picture, +1 for the next, else 0.
    """

    changed: frozenset[str] = frozenset()
    scene: str = ""
    revision: int = 0
    objects: tuple[CanvasObject, ...] = ()
    selected_anchor: int | None = None
    selected_object: int | None = None
    selected_detection: int | None = None
    score: float | None = None
    threshold: float | None = None
    ratio: float | None = None
    travel: float | None = None
    nms: float | None = None
    top_k: int | None = None
    cap: int | None = None
    agnostic: bool | None = None
    nms_kind: NmsKind | None = None
    sigma: float | None = None
    nms_step: int | None = None
    hidden_levels: tuple[int, ...] = ()
    hidden_classes: tuple[str, ...] = ()
    step: int = 0


MAX_SIGMA = 10.0  # of soft NMS: beyond it nothing falls
NO_EVENTS = CanvasEvents()


def read_events(view: object, step: object = None) -> CanvasEvents:
    """Check what the browser sent.

    Boxes come back clipped to the picture, ordered and finite; whatever is not what
    it should be is left out, never believed.

    Args:
        view: the state named ``view`` of the component.
        step: its trigger named ``step``.

    Returns:
        The record; :data:`NO_EVENTS` where nothing usable was sent.

    Example:
        >>> read_events({"revision": 3, "changed": ["score"], "score": 0.25}).score
        0.25
    """
    known = view if isinstance(view, Mapping) else {}
    changed = known.get("changed")
    names = changed if isinstance(changed, list) else []
    scene = known.get("scene")
    return CanvasEvents(
        changed=frozenset(n for n in names if n in _FIELDS + _LIMITS + _MORE_FIELDS),
        scene=scene if isinstance(scene, str) else "",
        revision=_index(known.get("revision")) or 0,
        objects=_objects(known.get("objects")),
        selected_anchor=_index(known.get("selected_anchor")),
        selected_object=_index(known.get("selected_object")),
        selected_detection=_index(known.get("selected_detection")),
        score=_share(known.get("score")),
        threshold=_share(known.get("threshold")),
        travel=_share(known.get("travel")),
        ratio=_number(known.get("ratio"), most=MAX_NEGATIVE_RATIO),
        nms=_share(known.get("nms")),
        top_k=_index(known.get("top_k")) or None,
        cap=_index(known.get("cap")) or None,
        agnostic=known.get("agnostic") if isinstance(known.get("agnostic"), bool) else None,
        nms_kind=next((kind for kind in NMS_KINDS if kind == known.get("nms_kind")), None),
        sigma=_number(known.get("sigma"), most=MAX_SIGMA),
        nms_step=_index(known.get("nms_step")),
        hidden_levels=tuple(v for v in map(_index, _list(known.get("hidden_levels"))) if v is not None),
        hidden_classes=tuple(v for v in map(_name, _list(known.get("hidden_classes"))) if v is not None),
        step=_step(step),
    )


def _list(value: object) -> list[Any]:
    """A list of sane length, or an empty one."""
    return value[:MAX_CANVAS_OBJECTS] if isinstance(value, list) else []


def _index(value: object) -> int | None:
    """A whole number from 0, or nothing."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31 else None


def _share(value: object) -> float | None:
    """A finite number in 0–1, or nothing."""
    return _number(value, most=1)


def _number(value: object, *, most: float) -> float | None:
    """A finite number from 0 on, or nothing."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if math.isfinite(value) and 0 <= value <= most else None


def _name(value: object) -> str | None:
    """A class name of sane length, or nothing."""
    return value if isinstance(value, str) and 0 < len(value) <= MAX_CLASS_NAME_CHARS else None


def _step(value: object) -> int:
    """The direction of a step; a trigger carries it with a counter."""
    by = value.get("by") if isinstance(value, Mapping) else None
    return by if by in (-1, 1) and not isinstance(by, bool) else 0


def _objects(value: object) -> tuple[CanvasObject, ...]:
    """Those entries that are objects."""
    found = (_object(each) for each in _list(value))
    return tuple(each for each in found if each is not None)


def _object(value: object) -> CanvasObject | None:
    """One object with an ordered box inside the picture, or nothing."""
    if not isinstance(value, Mapping):
        return None
    box, name = value.get("box"), _name(value.get("name"))
    if name is None or not isinstance(box, list) or len(box) != 4:
        return None
    x1, y1, x2, y2 = (_share(each) for each in box)
    if x1 is None or y1 is None or x2 is None or y2 is None or not (x1 < x2 and y1 < y2):
        return None
    return CanvasObject(
        (x1, y1, x2, y2),
        name,
        ignored=value.get("ignored") is True,
        editable=value.get("editable") is not False,
    )
