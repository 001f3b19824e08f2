"""What a picture's first bytes say: its format and its size, before any decoder runs."""

from __future__ import annotations

import re
import struct

HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
EXPORT = "{} is not supported; export as PNG."
HEIC = "HEIC is not supported. On iPhone: Settings > Camera > Formats > Most Compatible, or export as JPEG."
_FOREIGN: tuple[tuple[bytes, str], ...] = (
    (b"GIF8", "GIF"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"%!PS", "EPS"),
    (b"\xc5\xd0\xd3\xc6", "EPS"),
    (b"8BPS", "PSD"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\x00\x00\x00\x0cJXL ", "JPEG XL"),
)
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")  # not stuffing, not a restart, not fill
_SOF = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}  # start of frame, every coding of ITU T.81
_SOS, _EOI = 0xDA, 0xD9


def picture_format(data: bytes) -> str | None:
    """The format named by the first bytes: ``JPEG``, ``PNG``, ``WEBP`` or ``BMP``, else None.

    Example:
        >>> picture_format(b"BM....") , picture_format(b"hello") is None
        ('BMP', True)
    """
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    return "BMP" if data.startswith(b"BM") else None


def why_not_a_picture(data: bytes) -> str:
    """A sentence about content that is no picture we take.

    Example:
        >>> why_not_a_picture(b"hello, world")
        "This is not a JPEG, PNG, WebP or BMP picture (the content starts with 'hell')."
    """
    if data[4:8] == b"ftyp":
        if data[8:12] in HEIC_BRANDS:
            return HEIC
        return EXPORT.format("AVIF" if data[8:11] == b"avi" else "Video")
    for magic, kind in _FOREIGN:
        if data.startswith(magic):
            return EXPORT.format(kind)
    head = data[:1024]
    if b"%PDF-" in head:
        return "PDF is not supported; export the page as PNG."
    if b"<svg" in head.lower():
        return EXPORT.format("SVG")
    start = "".join(char if char.isprintable() else "." for char in data[:4].decode("latin-1"))
    return f"This is not a JPEG, PNG, WebP or BMP picture (the content starts with '{start}')."


def header_size_wh(data: bytes, kind: str) -> tuple[int, int] | None:
    """Width and height in pixels as the header says, before rotation; None where it is cut off."""
    try:
        if kind == "PNG":
            return struct.unpack(">II", data[16:24])
        if kind == "WEBP":
            return _webp_size(data)
        if kind == "BMP":
            return _bmp_size(data)
        return _jpeg_size(data)
    except (struct.error, IndexError):
        return None


def is_cut_off(data: bytes, kind: str) -> bool:
    """Whether the end that the format asks for is missing; what follows the end does not matter."""
    if kind == "PNG":
        return b"IEND\xaeB`\x82" not in data  # the end and its check sum
    if kind == "WEBP":
        return len(data) < 8 + int.from_bytes(data[4:8], "little")
    return kind == "JPEG" and not _jpeg_ends(data)


def _webp_size(data: bytes) -> tuple[int, int] | None:
    """Simple, lossless and extended files keep the size in three different ways."""
    chunk, body = data[12:16], data[20:]
    if chunk == b"VP8X":
        return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
    if chunk == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    width, height = struct.unpack("<HH", body[6:10])
    return width & 0x3FFF, height & 0x3FFF


def _bmp_size(data: bytes) -> tuple[int, int]:
    """Old headers of 12 bytes use short numbers; a negative height means top-down rows."""
    if data[14:18] == b"\x0c\x00\x00\x00":
        return struct.unpack("<HH", data[18:22])
    width, height = struct.unpack("<ii", data[18:26])
    return width, abs(height)


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    """The size in the first start-of-frame segment."""
    position = 2
    while (found := _MARKER.search(data, position)) is not None:
        marker, after = data[found.start() + 1], found.end()
        if marker in _SOF:
            height, width = struct.unpack(">HH", data[after + 3 : after + 7])
            return width, height
        position = after + struct.unpack(">H", data[after : after + 2])[0]
    return None


def _jpeg_ends(data: bytes) -> bool:
    """Whether the picture's own end marker follows its scans (thumbnails have one of their own)."""
    position = 2
    while (found := _MARKER.search(data, position)) is not None:
        marker, after = data[found.start() + 1], found.end()
        if marker == _EOI:
            return True
        if after + 2 > len(data):
            return False
        position = after + struct.unpack(">H", data[after : after + 2])[0]
    return False
