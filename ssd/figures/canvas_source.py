"""The canvas's script and style as text, for the page and for the exported one-file lesson."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from ssd.config import IGNORE_JACCARD
from ssd.figures.colours import CLASS_COLOURS, LOSS_RAMP, lines_as_json
from ssd.figures.sentences import SENTENCES
from ssd.limits import MAX_ANCHORS, MAX_LIVE_CANDIDATES, MAX_NEGATIVE_RATIO, MAX_PICTURE_BYTES, MAX_UPLOADS

__all__ = ["canvas_css", "canvas_script", "page_css", "page_script"]

_FOLDER = Path(__file__).resolve().parents[2] / "assets" / "canvas"
_MODULES = (
    "numbers",
    "matching",
    "anchors",
    "detections",
    "nms",
    "text",
    "store",
    "costs",
    "view",
    "crowd",
    "style",
    "draw",
    "labels",
    "verdicts",
    "follow",
    "settle",
    "steps",
    "layers",
    "hit",
    "dom",
    "toolbar",
    "panel",
    "edit",
    "player",
    "pointer",
    "keys",
    "derive",
    "fields",
    "canvas",
)


@cache
def canvas_script() -> str:
    """All modules of the canvas in one script that defines ``globalThis.ssdCanvas``.

    Colours, sentences and limits come from Python's tables. The script may stand in a
    ``<script>`` element as it is.

    Returns:
        JavaScript that needs neither a build nor the network.

    Example:
        >>> "mountCanvas" in canvas_script()
        True
    """
    constants = {
        "LINES": lines_as_json(),
        "CLASS_COLOURS": CLASS_COLOURS,
        "RAMP": LOSS_RAMP,
        "MOST_RATIO": MAX_NEGATIVE_RATIO,
        "SENTENCES": SENTENCES,
        "IGNORE_JACCARD": IGNORE_JACCARD,
        "MAX_ANCHORS": MAX_ANCHORS,
        "LIVE_CANDIDATES": MAX_LIVE_CANDIDATES,
        "CSS": canvas_css(),
    }
    head = "\n".join(f"const {name} = {_as_script(value)};" for name, value in constants.items())
    body = "\n".join(_read(f"{name}.js") for name in _MODULES)
    return f'(() => {{\n"use strict";\n{head}\n{body}\n}})();\n'


@cache
def canvas_css() -> str:
    """The canvas's style; it follows Streamlit's theme where there is one.

    Returns:
        A style sheet.

    Example:
        >>> "ssd-canvas" in canvas_css()
        True
    """
    return _read("canvas.css")


@cache
def page_script(name: str) -> str:
    """The script of one page component.

    Args:
        name: ``library``, ``store``, ``canvas``, ``drop``, ``facts``, ``grid`` or ``sliders``.

    Returns:
        A JavaScript module with the default export that Streamlit calls.

    Example:
        >>> "export default" in page_script("store")
        True
    """
    limits = f"const MAX_BYTES = {MAX_PICTURE_BYTES}; const MAX_FILES = {MAX_UPLOADS};\n"
    before = {"library": canvas_script(), "drop": limits, "facts": "", "grid": "", "sliders": ""}
    return before.get(name, _read("page_hub.js")) + _read(f"page_{name}.js")


@cache
def page_css(name: str) -> str:
    """The style of one page component; empty where it has none.

    Args:
        name: of the component.

    Returns:
        A style sheet.

    Example:
        >>> page_css("store")
        ''
    """
    return _read(f"page_{name}.css") if name in ("drop", "facts", "grid", "sliders") else ""


def _read(name: str) -> str:
    """One asset as text."""
    return (_FOLDER / name).read_text(encoding="utf-8")


def _as_script(value: object) -> str:
    """JSON that cannot end a script element early."""
    return json.dumps(value, ensure_ascii=True).replace("</", "<\\/")
