"""Small pictures with boxes on them, as SVG: sharp, light, and nothing left on the server."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from jaxtyping import Float, UInt8
from PIL import Image
from torch import Tensor

from ssd.figures.colours import line

__all__ = ["BoxLayer", "fitted_wh", "picture_jpeg", "picture_thumbnail", "small_multiples"]

_CROWD = 40  # boxes that may stand at full strength together
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class BoxLayer:
    """Boxes of one meaning.

    Attributes:
        kind: a key of ``colours.LINES``.
        boxes: xyxy in [0, 1] units.
    """

    kind: str
    boxes: Sequence[Box]

    @staticmethod
    def of(kind: str, boxes: Float[Tensor, "n 4"], *, most: int = 400) -> BoxLayer:
        """A layer from a tensor; of more than ``most`` boxes every n-th is drawn."""
        step = -(-len(boxes) // most) or 1
        return BoxLayer(kind, [(a, b, c, d) for a, b, c, d in boxes[::step].tolist()])


def picture_jpeg(pixels: UInt8[Tensor, "3 h w"], *, max_side_px: int, quality: int = 85) -> bytes:
    """A JPEG of at most that many pixels a side.

    Args:
        pixels: RGB.
        max_side_px: of the longer side; smaller pictures keep their size.
        quality: of JPEG.

    Returns:
        The bytes of the file, without any metadata.

    Example:
        >>> import torch
        >>> picture_jpeg(torch.zeros(3, 40, 60, dtype=torch.uint8), max_side_px=30)[6:10]
        b'JFIF'
    """
    image = Image.fromarray(pixels.permute(1, 2, 0).contiguous().numpy())
    image.thumbnail((max_side_px, max_side_px), Image.Resampling.BILINEAR, reducing_gap=2.0)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def fitted_wh(size_wh: tuple[int, int], *, within_wh: tuple[int, int]) -> tuple[int, int]:
    """The largest size of the same shape that fits a frame.

    Args:
        size_wh: of the picture.
        within_wh: the frame.

    Returns:
        Width and height in whole pixels, at least 1.

    Example:
        >>> fitted_wh((200, 400), within_wh=(300, 240))
        (120, 240)
    """
    scale = min(within_wh[0] / size_wh[0], within_wh[1] / size_wh[1])
    return max(1, round(size_wh[0] * scale)), max(1, round(size_wh[1] * scale))


def picture_thumbnail(
    jpeg: bytes, *, width_px: int, height_px: int, layers: Iterable[BoxLayer] = (), title: str = ""
) -> str:
    """One picture with boxes, as the text of an SVG file.

    Args:
        jpeg: the picture.
        width_px: of the thumbnail.
        height_px: of the thumbnail.
        layers: boxes, the last on top.
        title: what it shows, for people who cannot see it.

    Returns:
        The SVG; it holds the picture and names nothing outside itself.

    Example:
        >>> picture_thumbnail(b"", width_px=40, height_px=30)[:4]
        '<svg'
    """
    body = _cell(jpeg, width_px, height_px, layers)
    return _svg(width_px, height_px, title, body)


def small_multiples(
    jpeg: bytes,
    *,
    width_px: int,
    height_px: int,
    panels: Sequence[tuple[str, Sequence[BoxLayer]]],
    columns: int,
    title: str = "",
) -> str:
    """The same picture several times, each with its own boxes and caption.

    Args:
        jpeg: the picture.
        width_px: of one panel.
        height_px: of one panel.
        panels: caption and layers of each.
        columns: panels in a row.
        title: what it shows, for people who cannot see it.

    Returns:
        The SVG.

    Example:
        >>> "level 0" in small_multiples(b"", width_px=4, height_px=3, panels=[("level 0", [])], columns=1)
        True
    """
    gap, caption = 10, 22
    rows = -(-len(panels) // columns)
    parts = [f'<defs><image id="p" href="{_uri(jpeg)}" width="{width_px}" height="{height_px}"/></defs>']
    for index, (words, layers) in enumerate(panels):
        x, y = index % columns * (width_px + gap), index // columns * (height_px + caption + gap)
        cell = '<use href="#p"/>' + _boxes(layers, width_px, height_px)
        text = f'<text x="0" y="{height_px + 16}" class="caption">{escape(words)}</text>'
        parts.append(f'<g transform="translate({x} {y})">{_clipped(cell, width_px, height_px)}{text}</g>')
    return _svg(
        columns * (width_px + gap) - gap, rows * (height_px + caption + gap) - gap, title, "".join(parts)
    )


def _uri(jpeg: bytes) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode('ascii')}"


def _svg(width: int, height: int, title: str, body: str) -> str:
    """The frame around everything."""
    style = ".caption{font:13px sans-serif;fill:#7a828c}rect{fill:none}"
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    head = f"<title>{escape(title)}</title><style>{style}</style>"
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">{head}{body}</svg>'


def _cell(jpeg: bytes, width: int, height: int, layers: Iterable[BoxLayer]) -> str:
    """Picture and boxes, cut at the picture's edge."""
    picture = f'<image href="{_uri(jpeg)}" width="{width}" height="{height}" preserveAspectRatio="none"/>'
    return _clipped(picture + _boxes(layers, width, height), width, height)


def _clipped(body: str, width: int, height: int) -> str:
    """A nested picture whose overflow is hidden."""
    return f'<svg width="{width}" height="{height}" viewBox="0 0 {width} {height}">{body}</svg>'


def _boxes(layers: Iterable[BoxLayer], width: int, height: int) -> str:
    """Every layer: a dark halo where boxes stand alone, then the line."""
    return "".join(_layer(layer, width, height) for layer in layers if layer.boxes)


def _layer(layer: BoxLayer, width: int, height: int) -> str:
    """The boxes of one layer; the more there are, the fainter."""
    style = line(layer.kind)
    path = "".join(_path(box, width, height) for box in layer.boxes)
    crowd = len(layer.boxes) > _CROWD
    alpha = max(0.15, style.alpha * _CROWD / len(layer.boxes)) if crowd else style.alpha
    thick = 1.0 if crowd else max(1.2, style.width_px * 0.75)
    dash = f' stroke-dasharray="{" ".join(f"{d:g}" for d in style.dash_px)}"' if style.dash_px else ""
    frame = f'<path d="{path}" fill="none"'
    halo = f'{frame} stroke="#000" stroke-opacity="{style.halo:g}" stroke-width="{thick + 2:g}"/>'
    top = f'{frame} stroke="{style.colour}" stroke-opacity="{alpha:.2f}" stroke-width="{thick:g}"{dash}/>'
    return top if crowd or not style.halo else halo + top


def _path(box: Box, width: int, height: int) -> str:
    """One box as a closed path, with a tenth of a pixel."""
    x1, y1, x2, y2 = box[0] * width, box[1] * height, box[2] * width, box[3] * height
    return f"M{x1:.1f} {y1:.1f}H{x2:.1f}V{y2:.1f}H{x1:.1f}Z"
