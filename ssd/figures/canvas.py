"""Records → what the canvas draws: heavy parts that cross once, and a light rest.

The light part names the heavy ones (``ssd.figures.blobs``) by digest and weighs about
one kilobyte, and one state byte for each anchor where Python chooses the states.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import IntEnum
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Bool, Int64, UInt8
from torch import Tensor

from ssd.config import AnchorConfig, MatchingRule, SelectionConfig
from ssd.errors import DataError
from ssd.figures.blobs import Blob, anchors_blob, candidates_blob, picture_blob, to_base64
from ssd.limits import MAX_DRAWN_OBJECTS
from ssd.matching import Match

__all__ = [
    "AnchorState",
    "Blob",
    "CanvasObject",
    "CanvasPayload",
    "CanvasView",
    "LiveMatching",
    "Outcome",
    "anchor_states",
    "anchors_blob",
    "candidates_blob",
    "canvas_payload",
    "picture_blob",
]

CanvasMode = Literal["anchors", "matching", "assignment", "detections", "loss"]


class AnchorState(IntEnum):
    """The state byte of one anchor: which line of ``colours.LINES`` draws it."""

    NEGATIVE = 0
    POSITIVE = 1
    FORCED = 2
    IGNORED = 3
    HARD_NEGATIVE = 4
    PLAIN = 5
    CELL = 6
    HIDDEN = 7


class Outcome(IntEnum):
    """What a kept detection is worth where the picture has objects."""

    UNKNOWN = 0
    TRUE_POSITIVE = 1
    FALSE_POSITIVE = 2
    DROPPED = 3


@dataclass(frozen=True)
class CanvasObject:
    """An object on the picture.

    Attributes:
        box: xyxy in [0, 1] units.
        name: of its class.
        ignored: difficult, crowd, or of a class that is left out: never matched.
        editable: whether it may be dragged, resized and deleted.
    """

    box: tuple[float, float, float, float]
    name: str
    ignored: bool = False
    editable: bool = True


@dataclass(frozen=True)
class LiveMatching:
    """How the browser matches while an object is dragged; as in ``ssd.matching.match``."""

    rule: MatchingRule = "bipartite"
    threshold: float = 0.5
    strict: bool = False


@dataclass(frozen=True, kw_only=True)
class CanvasView:
    """Everything one canvas shows. Only ``mode`` and ``picture`` are needed.

    Attributes:
        mode: ``anchors``, ``matching``, ``assignment``, ``detections`` or ``loss``.
        picture: from :func:`picture_blob`.
        scene: name of what is shown (digest of the picture and the source of its
            objects): another name makes the browser drop what was being dragged.
        anchors: from :func:`anchors_blob`.
        knobs: the numbers behind ``anchors``, where the browser follows a page's knobs.
        candidates: from :func:`candidates_blob`.
        costs: from ``ssd.figures.learning_costs.costs_blob``, for the mode ``loss``.
        ratio: hard negatives for each positive where the slider starts; ``None``: nothing
            is mined, every negative counts.
        objects: the ground truth, in the order in which it is matched.
        class_names: what a drawn object may be called.
        states: one :class:`AnchorState` an anchor; without them they follow from
            ``matching``, or are all ``PLAIN``.
        matching: match in the browser, live; ``None``: the states stand.
        num_anchors: of the detector whose candidates these are: where the funnel starts.
        selected_anchor: index, or ``None``.
        selected_object: index into ``objects``, or ``None``.
        selected_detection: index into the candidates, or ``None``.
        score: the score threshold where its slider starts.
        limits: with them the browser moves NMS and top-k itself, up to
            ``limits.MAX_LIVE_CANDIDATES`` candidates above the score; ``None``: the fates stand.
        nms_step: step of NMS that is shown, or ``None``: all of it is done.
        answers: index of the object that each candidate would take, else ``UNMATCHED``: with
            them the browser judges whoever it keeps.
        outcomes: one :class:`Outcome` a candidate, of the selection at the lowest score.
        hits: index of the object that each true positive found, else ``UNMATCHED``.
        level_chips: switches for the levels above the canvas.
        threshold_slider: with ``matching``: the match threshold above the canvas, live.
        hidden_levels: levels switched off.
        hidden_classes: names of classes switched off.
        cell_only: draw only the anchors of the selected anchor's cell.
        centres: draw the centres of the visible anchors.
        grid_level: draw the cells of this level over the picture.
        receptive_field: xyxy box in [0, 1] units, may reach outside.
        editable: whether objects can be drawn, dragged, resized, deleted.
        static: a thumbnail: no toolbar, no events.
        settling: the candidates of a network that learns: their boxes glide to where they
            are now, and those below the score are drawn as what they are, positive anchors.
        verdicts: lines of the panel in the place of its own, each a ``verdict_case.VerdictLine``
            as a mapping: its boxes are drawn while what it is about is selected.
        follow: an anchor with its code, from ``inspector.followed``: a slider under the picture
            moves its box from the anchor to where the code puts it.
        travel: where that slider stands: 0 at the anchor, 1 at the decoded box.
        panel: three live numbers and the live sentences beside the canvas.
        max_height_px: of the canvas without its toolbar.
    """

    mode: CanvasMode
    picture: Blob
    scene: str = ""
    anchors: Blob | None = None
    knobs: AnchorConfig | None = None
    candidates: Blob | None = None
    costs: Blob | None = None
    ratio: float | None = None
    objects: Sequence[CanvasObject] = ()
    class_names: Sequence[str] = ()
    states: UInt8[Tensor, "a"] | None = None
    matching: LiveMatching | None = None
    num_anchors: int | None = None
    selected_anchor: int | None = None
    selected_object: int | None = None
    selected_detection: int | None = None
    score: float = 0.5
    limits: SelectionConfig | None = None
    nms_step: int | None = None
    answers: Int64[Tensor, "n"] | None = None
    outcomes: UInt8[Tensor, "n"] | None = None
    hits: Int64[Tensor, "n"] | None = None
    level_chips: bool = True
    threshold_slider: bool = False
    hidden_levels: Sequence[int] = ()
    hidden_classes: Sequence[str] = ()
    cell_only: bool = False
    centres: bool = False
    grid_level: int | None = None
    receptive_field: tuple[float, float, float, float] | None = None
    editable: bool = False
    static: bool = False
    settling: bool = False
    verdicts: Sequence[Mapping[str, Any]] | None = None
    follow: Mapping[str, Any] | None = None
    travel: float = 1.0
    panel: bool = False
    max_height_px: int = 520


@dataclass(frozen=True)
class CanvasPayload:
    """What crosses to the browser.

    Attributes:
        blobs: heavy parts, each sent once.
        light: the rest, JSON only; names the blobs by digest.
    """

    blobs: tuple[Blob, ...]
    light: Mapping[str, Any]


def anchor_states(
    found: Match,
    *,
    hard_negative: Bool[Tensor, "a"] | None = None,
    hidden: Bool[Tensor, "a"] | None = None,
) -> UInt8[Tensor, "a"]:
    """The state byte of each anchor.

    Args:
        found: the match.
        hard_negative: negatives that mining picked.
        hidden: anchors that are not drawn, whatever they are.

    Returns:
        An :class:`AnchorState` for each anchor.

    Example:
        >>> from ssd.matching import match
        >>> box = torch.tensor([[0.0, 0.0, 0.5, 1.0]])
        >>> anchor_states(match(box, torch.tensor([[0.0, 0.0, 0.6, 1.0], [0.5, 0.0, 1.0, 1.0]])))
        tensor([1, 0], dtype=torch.uint8)
    """
    states = found.positive.to(torch.uint8) * int(AnchorState.POSITIVE)
    states[found.forced] = int(AnchorState.FORCED)
    states[found.ignored] = int(AnchorState.IGNORED)
    if hard_negative is not None:
        states[hard_negative & (states == int(AnchorState.NEGATIVE))] = int(AnchorState.HARD_NEGATIVE)
    if hidden is not None:
        states[hidden] = int(AnchorState.HIDDEN)
    return states


def canvas_payload(view: CanvasView) -> CanvasPayload:
    """Split a view into what crosses once and what crosses with every run.

    Args:
        view: what the canvas shows.

    Returns:
        The payload.

    Raises:
        DataError: the mode needs anchors or candidates that are not there, or the
            states are not one byte an anchor.

    Example:
        >>> view = CanvasView(mode="matching", picture=picture_blob(b"", width_px=4, height_px=3, alt=""))
        >>> canvas_payload(view).light["mode"]
        'matching'
    """
    _check(view)
    heavy = ("picture", "anchors", "candidates", "costs")
    kept_apart = (*heavy, "knobs", "states", "limits", "answers", "outcomes", "hits", "objects", "matching")
    light = {name: value for name, value in vars(view).items() if name not in kept_apart}
    blobs = {name: getattr(view, name) for name in heavy}
    light |= {name: None if blob is None else blob.digest for name, blob in blobs.items()}
    light |= {
        "width": view.picture.data["width"],
        "height": view.picture.data["height"],
        "states": None if view.states is None else to_base64(view.states, np.uint8),
        "knobs": None if view.knobs is None else asdict(view.knobs),
        **_limits(view.limits),
        "answers": None if view.answers is None else to_base64(view.answers, np.int16),
        "outcomes": None if view.outcomes is None else to_base64(view.outcomes, np.uint8),
        "hits": None if view.hits is None else [[i, view.hits[i]] for i in (view.hits >= 0).nonzero()[:, 0]],
        "objects": [asdict(each) for each in view.objects],
        "matching": None if view.matching is None else asdict(view.matching),
        "threshold": None if view.matching is None else view.matching.threshold,
        "max_objects": MAX_DRAWN_OBJECTS,
    }
    plain = json.loads(json.dumps(light, default=_plain))  # sequences become lists, numbers plain
    return CanvasPayload(tuple(blob for blob in blobs.values() if blob is not None), plain)


def _limits(config: SelectionConfig | None) -> dict[str, Any]:
    """The limits after the score, under the names that the browser reports them with."""
    names = {
        "nms": "nms_threshold",
        "top_k": "top_k",
        "cap": "max_detections",
        "agnostic": "class_agnostic",
        "nms_kind": "nms_kind",
        "sigma": "soft_sigma",
    }
    return {name: None if config is None else getattr(config, field) for name, field in names.items()}


def _check(view: CanvasView) -> None:
    """Raise where parts of a view do not fit each other."""
    for name, blob, given in _bytes_of(view):
        needed = 0 if blob is None else int(blob.data["count"])
        if given is not None and len(given) != needed:
            raise DataError(f"{name} must hold one value for each of {needed} boxes, got {len(given)}.")
    if view.mode == "detections" and view.candidates is None:
        raise DataError("The canvas shows detections only of candidates, got none; call candidates_blob.")
    if view.mode == "loss" and (
        view.costs is None or view.anchors is None or view.costs.data["count"] != view.anchors.data["count"]
    ):
        raise DataError("The canvas shows a loss only of the anchors it has; call costs_blob with the same.")
    if view.mode == "anchors" and view.anchors is None:
        raise DataError("The canvas shows anchors only of a preset, got none; call anchors_blob.")


def _bytes_of(view: CanvasView) -> Iterator[tuple[str, Blob | None, Tensor | None]]:
    """The columns that go with a blob, by name."""
    yield "states", view.anchors, view.states
    yield "answers", view.candidates, view.answers
    yield "outcomes", view.candidates, view.outcomes
    yield "hits", view.candidates, view.hits


def _plain(value: object) -> object:
    """Tensors and numpy numbers as numbers, other sequences as lists."""
    if isinstance(value, (Tensor, np.generic)):
        return value.item()
    return list(value) if isinstance(value, Iterable) else str(value)
