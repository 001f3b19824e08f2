"""The only door for picture bytes: everything is checked before, and little is kept after.

What may come in is decided on the header, before a decoder runs: a PNG of 11 kB can
cost 870 MB once decoded. What goes on are pixels; EXIF, text and profiles stay behind.
"""

from __future__ import annotations

import hashlib
import io
import stat
import threading
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image
from torch import Tensor

from ssd.data.picture_headers import header_size_wh, is_cut_off, picture_format, why_not_a_picture
from ssd.errors import DataError
from ssd.limits import (
    MAX_PICTURE_ASPECT,
    MAX_PICTURE_BYTES,
    MAX_PICTURE_MEGAPIXELS,
    MAX_PICTURE_SIDE_PX,
    MIN_PICTURE_SIDE_PX,
)

CUT_OFF = "The picture is cut off; download or copy it again."
_ORIENTATION = 0x0112  # EXIF tag
_TURNS = {  # EXIF 2.32, table 6: what makes the stored pixels upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# One picture is decoded at a time: memory stays bounded by one of the largest, and
# warnings.catch_warnings is not safe in two threads at once.
_ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True)
class Picture:
    """A picture that passed the door.

    Attributes:
        pixels: RGB, 0..255, upright.
        width: pixels across, after rotation.
        height: pixels down, after rotation.
        note: what a person should know, such as "first of 3 frames".
        turned: EXIF rotation swapped width and height.
        digest: SHA-256 of the bytes as they came.
    """

    pixels: UInt8[Tensor, "3 h w"]
    width: int
    height: int
    note: str | None
    turned: bool
    digest: str


def read_picture(source: bytes | Path, *, name: str) -> Picture:
    """Read a JPEG, PNG, WebP or BMP picture, or say in a sentence why not.

    EXIF rotation is applied once, here. 16-bit grey is scaled; transparency is laid on
    white; of an animation the first frame is taken. Nothing is written to disk.

    Args:
        source: the bytes, or a file to read.
        name: what the person calls it; messages start with it.

    Returns:
        The pixels and what belongs to them.

    Raises:
        DataError: the file is missing, empty, too large, cut off or not such a picture.

    Example:
        >>> read_picture(picture_to_png(torch.zeros(3, 20, 30, dtype=torch.uint8)), name="dark").width
        30
    """
    shown = shown_name(name)
    data = read_picture_bytes(source, name=name)
    kind = _checked_format(data, shown)
    with _ONE_AT_A_TIME, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # damaged EXIF and odd palettes warn; they are dealt with
        try:
            return _decode(data, kind, shown)
        except DataError:
            raise
        except Exception as error:  # Pillow's decoders raise nearly anything on damaged bytes
            raise DataError(f"{shown}: {_reason(error)}") from None


def read_picture_bytes(source: bytes | Path, *, name: str) -> bytes:
    """The bytes of a picture file, after a look at how many there are.

    Args:
        source: the bytes, or a plain file.
        name: what the person calls it.

    Returns:
        The bytes, not looked into.

    Raises:
        DataError: more than ``MAX_PICTURE_BYTES``, no plain file, or not readable.

    Example:
        >>> read_picture_bytes(b"abc", name="a.png")
        b'abc'
    """
    shown = shown_name(name)
    if isinstance(source, bytes):
        _check_bytes(len(source), shown)
        return source
    try:
        status = source.stat()
        if not stat.S_ISREG(status.st_mode):  # a pipe would wait for ever
            raise DataError(f"{shown}: a picture must be a plain file; choose another one.")
        _check_bytes(status.st_size, shown)
        return source.read_bytes()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "its name cannot be used"
        raise DataError(f"{shown}: the picture cannot be read ({why}); check the path.") from None


def read_picture_size(source: Path, *, name: str) -> tuple[int, int]:
    """Width and height of a picture file after EXIF rotation, without decoding it.

    Args:
        source: a plain file.
        name: what the person calls it.

    Returns:
        Pixels across and down.

    Raises:
        DataError: the file cannot be read, is no picture that we take, or its header is cut off.
            Whether the pixels are whole is not looked at.
    """
    shown = shown_name(name)
    data = read_picture_bytes(source, name=name)
    kind = picture_format(data)
    size_wh = header_size_wh(data, kind) if kind is not None else None
    if kind is None or size_wh is None:
        raise DataError(f"{shown}: {CUT_OFF if kind else why_not_a_picture(data)}")
    _check_size(size_wh, shown)
    if (b"eXIf" if kind == "PNG" else b"EXIF") in data:  # PNG and WebP keep it anywhere, and rarely
        picture = read_picture(data, name=name)
        return picture.width, picture.height
    turned = kind == "JPEG" and 5 <= _jpeg_orientation(data) <= 8
    return (size_wh[1], size_wh[0]) if turned else size_wh


def _jpeg_orientation(data: bytes) -> int:
    """What the header says about rotation."""
    with _ONE_AT_A_TIME, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
                return _orientation(image)
        except Exception:  # Pillow raises nearly anything; reading the pixels will say what is wrong
            return 1


def _check_bytes(size: int, shown: str) -> None:
    """Raise when a file is too large to be read at all."""
    if size > MAX_PICTURE_BYTES:
        raise DataError(
            f"{shown}: The file has {size / 1e6:.1f} MB. The limit is {MAX_PICTURE_BYTES / 1e6:.0f} MB. "
            "Save the picture smaller."
        )


def picture_to_jpeg(pixels: UInt8[Tensor, "3 h w"], *, quality: int = 80) -> bytes:
    """A JPEG that holds the pixels and nothing else.

    Args:
        pixels: RGB.
        quality: 1..95, as Pillow counts.

    Returns:
        The bytes of the file.

    Example:
        >>> picture_to_jpeg(torch.zeros(3, 8, 8, dtype=torch.uint8))[:3].hex()
        'ffd8ff'
    """
    return _encoded(pixels, "JPEG", quality=quality)


def picture_to_png(pixels: UInt8[Tensor, "3 h w"]) -> bytes:
    """A PNG that holds the pixels and nothing else; reading it back gives the same pixels.

    Args:
        pixels: RGB.

    Returns:
        The bytes of the file.

    Example:
        >>> picture_to_png(torch.zeros(3, 8, 8, dtype=torch.uint8))[1:4]
        b'PNG'
    """
    return _encoded(pixels, "PNG", quality=0)


def shown_name(name: str) -> str:
    """A file name as a message may show it: one line, printable, at most 80 characters.

    Example:
        >>> shown_name("a" * 100 + ".png")[-8:]
        'aaaa.png'
    """
    clean = name if name.isprintable() else "".join(char if char.isprintable() else "?" for char in name)
    return clean if len(clean) <= 80 else clean[:38] + "…" + clean[-41:]


def _checked_format(data: bytes, shown: str) -> str:
    """The format, when header, size and end are as they should be."""
    if not data:
        raise DataError(f"{shown}: The file is empty. Copy or export it again.")
    kind = picture_format(data)
    if kind is None:
        raise DataError(f"{shown}: {why_not_a_picture(data)}")
    size_wh = header_size_wh(data, kind)
    if size_wh is None:
        raise DataError(f"{shown}: {CUT_OFF}")
    _check_size(size_wh, shown)
    if is_cut_off(data, kind):
        raise DataError(f"{shown}: {CUT_OFF}")
    return kind


def _check_size(size_wh: tuple[int, int], shown: str) -> None:
    """Raise unless the picture is neither too small, too large nor too long."""
    short, long = min(size_wh), max(size_wh)
    megapixels = short * long / 1e6
    if short < MIN_PICTURE_SIDE_PX:
        least = f"{MIN_PICTURE_SIDE_PX} × {MIN_PICTURE_SIDE_PX}"
        problem = f"{size_wh[0]} × {size_wh[1]} pixels; at least {least} is needed. Choose a larger picture."
    elif megapixels > MAX_PICTURE_MEGAPIXELS:
        problem = (
            f"{megapixels:.1f} megapixels; the limit is {MAX_PICTURE_MEGAPIXELS:g}. Make it smaller first."
        )
    elif long > MAX_PICTURE_SIDE_PX:
        problem = f"{long} pixels on a side; the limit is {MAX_PICTURE_SIDE_PX}. Make it smaller first."
    elif long > MAX_PICTURE_ASPECT * short:
        problem = (
            f"{size_wh[0]} × {size_wh[1]} pixels have an aspect of {long / short:.1f} : 1; "
            f"the limit is {MAX_PICTURE_ASPECT:g} : 1. Crop it first."
        )
    else:
        return
    raise DataError(f"{shown}: {problem}")


def _decode(data: bytes, kind: str, shown: str) -> Picture:
    """Pixels, upright and opaque."""
    with Image.open(io.BytesIO(data), formats=(kind,)) as image:
        _check_size(image.size, shown)  # what the decoder will allocate
        image.load()
        frames = getattr(image, "n_frames", 1) if kind in ("PNG", "WEBP") else 1
        orientation = _orientation(image)
        upright = _opaque(image)
    if orientation in _TURNS:
        upright = upright.transpose(_TURNS[orientation])
    pixels = torch.empty(3, upright.height, upright.width, dtype=torch.uint8)
    for channel in range(3):  # one after the other: a third of the memory of a transposed copy
        pixels[channel] = torch.from_numpy(np.array(upright.getchannel(channel)))
    note = f"first of {frames} frames" if frames > 1 else None
    turned = 5 <= orientation <= 8
    return Picture(pixels, upright.width, upright.height, note, turned, hashlib.sha256(data).hexdigest())


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation; 1 where there is none that can be read."""
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # garbage in EXIF is no reason to refuse the pixels
        return 1


def _opaque(image: Image.Image) -> Image.Image:
    """RGB: 16-bit grey scaled by 257, transparency on white."""
    if image.mode.startswith("I"):
        values = np.asarray(image).astype(np.int32)  # 0..65535
        return Image.fromarray(((values + 128) // 257).clip(0, 255).astype(np.uint8)).convert("RGB")
    if not image.has_transparency_data:
        return image.convert("RGB")
    seen = image.convert("RGBA")
    white = Image.new("RGB", seen.size, (255, 255, 255))
    white.paste(seen, mask=seen.getchannel("A"))
    return white


def _reason(error: Exception) -> str:
    """Our words for what a decoder complains about; its own may name files of this machine."""
    text = str(error)
    if isinstance(error, ValueError) and "MAX_TEXT" in text:
        return "The picture's metadata is too large. Export it without metadata."
    if "truncated" in text or isinstance(error, EOFError):
        return CUT_OFF
    return "The picture is damaged and cannot be decoded; download or export it again."


def _encoded(pixels: UInt8[Tensor, "3 h w"], kind: str, *, quality: int) -> bytes:
    """The bytes of a picture file."""
    if pixels.ndim != 3 or pixels.shape[0] != 3 or pixels.dtype != torch.uint8:
        raise DataError(
            f"a picture must be uint8 of shape (3, h, w), got {pixels.dtype} of shape {tuple(pixels.shape)}; "
            "convert it."
        )
    image = Image.fromarray(pixels.permute(1, 2, 0).contiguous().cpu().numpy())
    buffer = io.BytesIO()
    image.save(buffer, kind, **({"quality": quality} if kind == "JPEG" else {"compress_level": 4}))
    return buffer.getvalue()
