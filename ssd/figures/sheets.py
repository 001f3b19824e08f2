"""Pictures beside each other on one sheet: a column for each way, a row for each picture."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from ssd.errors import ConfigError

__all__ = ["contact_sheet"]

_SIDE, _GAP, _TITLE = 360, 12, 36  # pixels: of a cell, between cells, of the titles
_PAPER, _INK = "#FFFFFF", "#1B1B1B"


def contact_sheet(columns: Mapping[str, Sequence[UInt8[Tensor, "3 _ _"]]]) -> bytes:
    """One PNG of all pictures.

    Args:
        columns: pictures of any size under the title of each column, row by row.

    Returns:
        The bytes of the file. Pictures keep their shape; the largest side is 360 pixels.

    Raises:
        ConfigError: there is no picture, or the columns differ in length.

    Example:
        >>> import torch
        >>> grey = torch.full((3, 20, 40), 90, dtype=torch.uint8)
        >>> contact_sheet({"before": [grey], "after": [grey]})[1:4]
        b'PNG'
    """
    lengths = {len(pictures) for pictures in columns.values()}
    if len(lengths) != 1 or lengths == {0}:
        raise ConfigError(f"A sheet needs as many pictures in every column, at least one; got {lengths}.")
    rows = lengths.pop()
    width = len(columns) * (_SIDE + _GAP) + _GAP
    sheet = Image.new("RGB", (width, _TITLE + rows * (_SIDE + _GAP) + _GAP), _PAPER)
    pen = ImageDraw.Draw(sheet)
    for column, (title, pictures) in enumerate(columns.items()):
        left = _GAP + column * (_SIDE + _GAP)
        pen.text((left, _GAP), title, fill=_INK, font=ImageFont.load_default(size=20))
        for row, pixels in enumerate(pictures):
            sheet.paste(_fitted(pixels), (left, _TITLE + _GAP + row * (_SIDE + _GAP)))
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG")
    return buffer.getvalue()


def _fitted(pixels: Tensor) -> Image.Image:
    """The picture in a cell's size."""
    image = Image.fromarray(pixels.permute(1, 2, 0).contiguous().cpu().numpy())
    scale = _SIDE / max(image.size)
    return image.resize((max(1, round(image.width * scale)), max(1, round(image.height * scale))))
