"""A scene of a page as one HTML file: the page's canvas and payload, without server or network.

The file holds the canvas's own script, the payload that a page sends, and a small script
(``assets/takeaway/lesson.js``) in the place of Streamlit and Python. A strict content
security policy lets nothing else run, and nothing leave.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from string import Template
from typing import Any

from jaxtyping import UInt8
from torch import Tensor

from ssd.config import AnchorConfig
from ssd.errors import ResourceError
from ssd.figures.blobs import Blob, picture_blob
from ssd.figures.canvas import CanvasPayload, CanvasView, canvas_payload
from ssd.figures.canvas_source import canvas_css, canvas_script
from ssd.figures.takeaway_candidates import left_out, live_view
from ssd.figures.takeaway_words import KEYS, RULES, LessonWords
from ssd.figures.thumbnails import picture_jpeg
from ssd.limits import MAX_LESSON_BYTES

__all__ = ["LessonWords", "LevelGuide", "lesson_file", "level_guides"]

_FOLDER = Path(__file__).resolve().parents[2] / "assets" / "takeaway"
_SCENE = "lesson"  # the digest of a visitor's picture does not travel with it
# Longest side in pixels and JPEG quality, best first: the first that fits is taken.
_SIZES = ((1600, 88), (1600, 78), (1280, 80), (1024, 80), (800, 78), (640, 75), (480, 70), (320, 60))
Span = tuple[float, float]


@dataclass(frozen=True)
class LevelGuide:
    """What the controls of an anchors lesson know about one level.

    Attributes:
        shapes: width and height of the anchors around each centre, as shares of the picture.
        columns: for each column the x-span that its predictions can see; empty where no
            network belongs to the anchors.
        rows: for each row the y-span.
    """

    shapes: tuple[tuple[float, float], ...]
    columns: tuple[Span, ...] = ()
    rows: tuple[Span, ...] = ()


def level_guides(config: AnchorConfig, *, network: str) -> tuple[LevelGuide, ...]:
    """The levels as the controls of an anchors lesson need them.

    Args:
        config: the anchor configuration.
        network: the network it was made for goes by the name of its preset; any other
            name means free anchors, which no network sees through.

    Returns:
        One guide a level, finest first.

    Example:
        >>> from ssd.config import anchor_preset
        >>> guides = level_guides(anchor_preset("ssd300-voc").anchors, network="ssd300-voc")
        >>> len(guides), len(guides[2].columns)
        (6, 10)
    """
    from ssd.models.receptive import LAYERS, receptive_field

    guides = []
    for level, each in enumerate(config.levels()):
        columns, rows = each.grid_wh if network in LAYERS else (0, 0)
        across = [receptive_field(network, level=level, column=k, row=0).box for k in range(columns)]
        down = [receptive_field(network, level=level, column=0, row=k).box for k in range(rows)]
        guides.append(
            LevelGuide(each.shapes_wh, tuple((b[0], b[2]) for b in across), tuple((b[1], b[3]) for b in down))
        )
    return tuple(guides)


def lesson_file(
    view: CanvasView,
    *,
    picture: UInt8[Tensor, "3 h w"],
    words: LessonWords,
    guides: Sequence[LevelGuide] = (),
    max_bytes: int = MAX_LESSON_BYTES,
) -> bytes:
    """A view as a file that a browser opens from disk.

    The picture is encoded anew from its pixels, so nothing that came with its file
    travels along; where it would be too heavy it is scaled down. Boxes are shares of the
    picture, and stay where they are.

    Args:
        view: of the modes ``anchors``, ``matching``, ``assignment`` and ``detections``.
        picture: its pixels, RGB.
        words: what stands around it, as plain text.
        guides: of :func:`level_guides`, for the mode ``anchors``.
        max_bytes: no larger file is made.

    Returns:
        HTML in UTF-8.

    Raises:
        ResourceError: everything but the picture is too large already.

    Example:
        >>> import torch
        >>> from ssd.config import GridAnchors
        >>> from ssd.figures.blobs import anchors_blob
        >>> blob = picture_blob(b"", width_px=60, height_px=40, alt="a dog")
        >>> anchors = anchors_blob(GridAnchors((2,)))
        >>> view = CanvasView(mode="matching", picture=blob, anchors=anchors)
        >>> words = LessonWords("Matching", "a <dog>", "Drag it.", ("bipartite",), "drawn here.")
        >>> pixels = torch.zeros(3, 40, 60, dtype=torch.uint8)
        >>> b"a &lt;dog&gt;" in lesson_file(view, picture=pixels, words=words)
        True
    """
    fewer = left_out(view)
    view, words = live_view(view), replace(words, settings=(*words.settings, *([fewer] if fewer else [])))
    around = len(_assembled(_payload(view, _picture(view, b"")), words, guides))
    for side, quality in _SIZES:
        encoded = picture_jpeg(picture, max_side_px=side, quality=quality)
        if around + 4 * (len(encoded) // 3 + 1) <= max_bytes:
            return _assembled(_payload(view, _picture(view, encoded)), words, guides)
    raise ResourceError(
        f"A lesson's file may have {max_bytes / 1e6:g} MB, got {around / 1e6:.1f} MB before the picture; "
        "raise the score threshold or choose a preset with fewer anchors."
    )


def _picture(view: CanvasView, encoded: bytes) -> Blob:
    """The view's picture with other bytes; its size in pixels stays the original's."""
    data = view.picture.data
    return picture_blob(encoded, width_px=data["width"], height_px=data["height"], alt=data["alt"])


def _payload(view: CanvasView, picture: Blob) -> CanvasPayload:
    """What a page would send."""
    return canvas_payload(replace(view, picture=picture, scene=_SCENE, static=False))


def _assembled(payload: CanvasPayload, words: LessonWords, guides: Sequence[LevelGuide]) -> bytes:
    """The whole file."""
    script = f'{canvas_script()}(() => {{\n"use strict";\n{_asset("lesson.js")}}})();\n'
    style = _asset("lesson.css")
    content: dict[str, Any] = {
        "light": payload.light,
        "blobs": [{"digest": blob.digest, **blob.data} for blob in payload.blobs],
        "guides": [asdict(guide) for guide in guides],
        "rules": RULES,
    }
    kind = "editable" if payload.light["editable"] else payload.light["mode"]
    text = Template(_asset("lesson.html")).substitute(
        policy=_policy(script, styles=(style, canvas_css(), "")),  # the canvas fills its sheet once it stands
        tab=html.escape(f"{words.title}: {words.scene} · SSD Explorer"),
        title=html.escape(words.title),
        scene=html.escape(words.scene),
        theory=html.escape(words.theory),
        settings=html.escape(" ".join(words.settings)),
        source=html.escape(words.source),
        privacy=f"<br>{html.escape(words.privacy)}" if words.privacy else "",
        keys="".join(f"<li>{html.escape(line)}</li>" for line in KEYS.get(kind, KEYS["fixed"])),
        style=style,
        script=script,
        data=_as_data(content),
    )
    return text.encode("utf-8", errors="backslashreplace")  # a file name need not be text


def _policy(script: str, *, styles: Sequence[str]) -> str:
    """Nothing runs or loads but these texts, and pictures that lie in the file itself."""
    allowed = " ".join(_hash(style) for style in styles)
    rules = (
        "default-src 'none'",
        f"script-src {_hash(script)}",
        f"style-src {allowed}",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
    )
    return "; ".join(rules)


def _hash(text: str) -> str:
    """How a policy names an inline text."""
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
    return f"'sha256-{digest}'"


def _as_data(content: object) -> str:
    """JSON in which no character can begin or end an element."""
    text = json.dumps(content, ensure_ascii=True, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


@cache
def _asset(name: str) -> str:
    """One file of ``assets/takeaway/``."""
    return (_FOLDER / name).read_text(encoding="utf-8")
