"""The heavy parts of a canvas: picture, anchors, candidates; each crosses to the browser once.

A :class:`Blob` is named by the digest of its content; whatever else crosses refers to
it by that name.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from ssd.config import AnchorConfig, AnchorLevel, GridAnchors
from ssd.detections import Selection

__all__ = ["Blob", "anchors_blob", "candidates_blob", "choices_blob", "picture_blob", "to_base64"]


@dataclass(frozen=True)
class Blob:
    """Heavy constant data, named by its content.

    Attributes:
        digest: SHA-256 of the content, its name in the browser.
        data: what crosses, once for each digest.
    """

    digest: str
    data: Mapping[str, Any]


def picture_blob(
    encoded: bytes, *, width_px: int, height_px: int, alt: str, media_type: str = "image/jpeg"
) -> Blob:
    """A picture as a data URI: nothing of it lies on the server.

    Args:
        encoded: the bytes of a JPEG, PNG or WebP file, at most about 1,600 px a side.
        width_px: of the original picture; boxes are shown in its pixels.
        height_px: of the original picture.
        alt: what a person who cannot see it is told.
        media_type: of ``encoded``.

    Returns:
        The blob.

    Example:
        >>> picture_blob(b"...", width_px=4, height_px=3, alt="a dog").data["width"]
        4
    """
    uri = f"data:{media_type};base64,{base64.b64encode(encoded).decode('ascii')}"
    return _blob({"kind": "picture", "uri": uri, "width": width_px, "height": height_px, "alt": alt})


def anchors_blob(config: AnchorConfig) -> Blob:
    """What the browser makes all anchors from: their levels, about a kilobyte.

    Args:
        config: of the detector.

    Returns:
        The blob.

    Example:
        >>> from ssd.config import GridAnchors
        >>> anchors_blob(GridAnchors(grids=(2,))).data["count"]
        4
    """
    levels = config.levels()
    return _blob(
        {
            "kind": "anchors",
            "count": sum(level.grid_wh[0] * level.grid_wh[1] * len(level.shapes_wh) for level in levels),
            "levels": [_level(level) for level in levels],
            "column_first": isinstance(config, GridAnchors),
        }
    )


def choices_blob(configs: Sequence[AnchorConfig]) -> Blob:
    """Several sets of anchors, each under its own digest: the browser makes the one it is asked for.

    Args:
        configs: of the sets.

    Returns:
        The blob.

    Example:
        >>> from ssd.config import GridAnchors
        >>> grid = GridAnchors(grids=(2,))
        >>> list(choices_blob([grid]).data["anchors"]) == [anchors_blob(grid).digest]
        True
    """
    blobs = [anchors_blob(config) for config in configs]
    return _blob({"kind": "choices", "anchors": {blob.digest: dict(blob.data) for blob in blobs}})


def _level(level: AnchorLevel) -> dict[str, Any]:
    """A level under the names that the browser reads."""
    return {
        "grid": list(level.grid_wh),
        "step": list(level.step_wh),
        "first": level.first,
        "shapes": [list(shape) for shape in level.shapes_wh],
    }


def candidates_blob(selection: Selection, *, class_names: Sequence[str], floor: float) -> Blob:
    """All candidates of one selection with their fates.

    The selection of any higher score threshold is a prefix of this one: every limit
    (top-k, NMS, cap) looks only at better candidates. So the browser moves the score
    threshold exactly, from ``floor`` upwards.

    Args:
        selection: made with ``floor`` as its score threshold.
        class_names: class 1..C of the detector.
        floor: where the slider starts.

    Returns:
        The blob.

    Example:
        >>> import torch
        >>> from ssd.config import SelectionConfig
        >>> from ssd.detections import select
        >>> box, score = torch.tensor([[0.0, 0.0, 0.5, 0.5]]), torch.tensor([[0.9]])
        >>> picked = select(box, score, config=SelectionConfig())
        >>> candidates_blob(picked, class_names=["dog"], floor=0.01).data["count"]
        1
    """
    return _blob(
        {
            "kind": "candidates",
            "count": len(selection.scores),
            "boxes": to_base64(selection.boxes, np.float32),
            "scores": to_base64(selection.scores, np.float32),
            "labels": to_base64(selection.labels, np.uint16),
            "anchors": to_base64(selection.anchors, np.int32),
            "fate": to_base64(selection.fate, np.uint8),
            "by": to_base64(selection.suppressed_by, np.int32),
            "overlap": to_base64(selection.overlap, np.float32),
            "decayed": to_base64(selection.decayed, np.float32),
            "decayed_by": to_base64(selection.decayed_by, np.int32),
            "names": list(class_names),
            "floor": floor,
            "num_below": selection.num_below,
        }
    )


def to_base64(values: Tensor, kind: type[np.generic]) -> str:
    """Little-endian bytes of a tensor, as text.

    Args:
        values: of any shape; written row by row.
        kind: the number type that the browser reads.

    Returns:
        Base64.

    Example:
        >>> import torch
        >>> to_base64(torch.tensor([1, 2]), np.uint8)
        'AQI='
    """
    array = values.detach().to("cpu").numpy().astype(np.dtype(kind).newbyteorder("<"))
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode("ascii")


def _blob(data: dict[str, Any]) -> Blob:
    """Named by what is in it."""
    digest = hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:32]
    return Blob(digest, data)
