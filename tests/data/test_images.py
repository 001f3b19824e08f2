"""The door for picture bytes: each bad input of the table is built here and gets its sentence."""

from __future__ import annotations

import hashlib
import io
import os
import re
import struct
import subprocess
import sys
import time
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from ssd.data.images import (
    Picture,
    picture_to_jpeg,
    picture_to_png,
    read_picture,
    read_picture_bytes,
    shown_name,
)
from ssd.errors import DataError

FORBIDDEN = r"Traceback|site-packages|File \"/|0x[0-9a-f]{6,}|weights_only"
CUT_OFF = "The picture is cut off; download or copy it again."
EXPORT = "is not supported; export as PNG."


def picture(width=40, height=24, mode="RGB"):
    """Every pixel differs from its neighbours, so that a turn or a swap is seen."""
    rows, columns = np.mgrid[0:height, 0:width]
    colours = np.stack([columns * 255 // width, rows * 255 // height, (rows * 7 + columns * 3) % 256], axis=2)
    return Image.fromarray(colours.astype(np.uint8)).convert(mode)


def saved(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def as_tensor(image):
    return torch.from_numpy(np.asarray(image.convert("RGB")).transpose(2, 0, 1).copy())


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width, height, *, depth=8, colour=2, rows=b"", before=()):
    """A PNG written by hand: header, further chunks, rows, end."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    parts = [chunk(b"IHDR", header), *before, chunk(b"IDAT", zlib.compress(rows, 9)), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


JPEG = saved(picture(), "JPEG", quality=95)
PNG = saved(picture(), "PNG")
WEBP = saved(picture(), "WEBP", lossless=True)
BMP = saved(picture(), "BMP")
LARGE_JPEG = saved(Image.effect_noise((300, 200), 90), "JPEG")
TEXT_BOMB = png(9, 9, before=[chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(100_000_000), 9))])
HEIC = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(200)
SVG = b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'

REFUSED = {
    "U1 empty": (b"", "The file is empty."),
    "U2 text": (
        b"hello, this is text",
        "This is not a JPEG, PNG, WebP or BMP picture (the content starts with 'hell').",
    ),
    "three bytes": (b"\x00\x01a", "the content starts with '..a')"),
    "U4 SVG": (SVG, f"SVG {EXPORT}"),
    "SVG with a byte order mark": (b"\xef\xbb\xbf" + SVG, f"SVG {EXPORT}"),
    "U5 PDF": (b"%PDF-1.7\n%\xe2\xe3", "PDF is not supported; export the page as PNG."),
    "U7 EPS": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", f"EPS {EXPORT}"),
    "EPS with a preview": (b"\xc5\xd0\xd3\xc6" + bytes(40), f"EPS {EXPORT}"),
    "U8 HEIC": (
        HEIC,
        "HEIC is not supported. On iPhone: Settings > Camera > Formats > Most Compatible, or export as JPEG.",
    ),
    "AVIF": (HEIC.replace(b"ftypheic", b"ftypavif"), f"AVIF {EXPORT}"),
    "GIF": (saved(picture(), "GIF"), f"GIF {EXPORT}"),
    "TIFF": (saved(picture(), "TIFF"), f"TIFF {EXPORT}"),
    "U10 half a JPEG": (LARGE_JPEG[: len(LARGE_JPEG) // 2], CUT_OFF),
    "U11 JPEG minus 2 bytes": (JPEG[:-2], CUT_OFF),
    "JPEG of a header only": (JPEG[:20], CUT_OFF),
    "half a PNG": (PNG[: len(PNG) // 2], CUT_OFF),
    "PNG minus its end": (PNG[:-12], CUT_OFF),
    "PNG of a signature only": (PNG[:8], CUT_OFF),
    "half a WebP": (WEBP[: len(WEBP) // 2], CUT_OFF),
    "half a BMP": (BMP[: len(BMP) // 2], CUT_OFF),
    "U13 header 30,000 x 30,000": (png(30_000, 30_000), "900.0 megapixels; the limit is 25."),
    "U14 12,000 x 12,000 of 1 bit": (
        png(12_000, 12_000, depth=1, colour=0, rows=bytes(1501 * 12_000)),
        "144.0 megapixels; the limit is 25.",
    ),
    "U16 the largest PNG": (png(2**31 - 1, 2**31 - 1), "megapixels; the limit is 25."),
    "U17 text of 100 MB": (TEXT_BOMB, "The picture's metadata is too large."),
    "U19 no width": (png(0, 10), "0 × 10 pixels; at least 8 × 8 is needed."),
    "U20 one pixel": (saved(picture(1, 1), "PNG"), "1 × 1 pixels; at least 8 × 8 is needed."),
    "7 rows": (saved(picture(20, 7), "JPEG"), "20 × 7 pixels; at least 8 × 8 is needed."),
    "U22 too long": (saved(picture(8, 401), "PNG"), "an aspect of 50.1 : 1; the limit is 50 : 1."),
    "20,001 on a side": (png(20_001, 401, rows=b""), "20001 pixels on a side; the limit is 20000."),
    "U23 25.1 MP": (png(5020, 5000), "25.1 megapixels; the limit is 25."),
    "U34 10.1 MB": (JPEG + bytes(10_100_000 - len(JPEG)), "The limit is 10 MB."),
    "WebP of 16,000 x 16,000": (
        b"RIFF\x40\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00" + bytes(4) + b"\x7f\x3e\x00" * 2 + bytes(46),
        "256.0 megapixels; the limit is 25.",
    ),
    "JPEG of 60,000 x 60,000": (
        re.sub(
            rb"(\xff\xc0\x00\x11\x08).{4}", lambda found: found[1] + b"\xea\x60" * 2, JPEG, flags=re.DOTALL
        ),
        "3600.0 megapixels; the limit is 25.",
    ),
    "BMP of 60,000 x -60,000": (
        BMP[:18] + struct.pack("<ii", 60_000, -60_000) + BMP[26:],
        "3600.0 megapixels; the limit is 25.",
    ),
    "a PNG whose rows are garbage": (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", 20, 20, 8, 2, 0, 0, 0))
        + chunk(b"IDAT", b"garbage" * 9)
        + chunk(b"IEND", b""),
        "The picture is damaged and cannot be decoded",
    ),
}


@pytest.mark.parametrize(("data", "sentence"), REFUSED.values(), ids=REFUSED)
def test_a_bad_upload_gets_its_sentence(data, sentence):
    with pytest.raises(DataError) as caught:
        read_picture(data, name="holiday.jpg")

    assert str(caught.value).startswith("holiday.jpg: ")
    assert sentence in str(caught.value)
    assert not re.search(FORBIDDEN, str(caught.value))


@pytest.mark.parametrize("case", ["U13 header 30,000 x 30,000", "U16 the largest PNG", "U7 EPS"])
def test_a_bad_header_is_refused_at_once(case):
    start = time.perf_counter()
    with pytest.raises(DataError):
        read_picture(REFUSED[case][0], name="x")

    assert time.perf_counter() - start < 0.05


@pytest.mark.parametrize("case", ["U7 EPS", "EPS with a preview"])
def test_postscript_starts_no_other_program(case, monkeypatch):
    monkeypatch.setattr(subprocess, "Popen", lambda *args, **kwargs: pytest.fail("a program was started"))

    with pytest.raises(DataError, match="EPS is not supported"):
        read_picture(REFUSED[case][0], name="drawing.png")


@pytest.mark.parametrize("data", [JPEG, PNG, WEBP, BMP], ids=["JPEG", "PNG", "WebP", "BMP"])
def test_every_format_that_is_promised_is_read(data):
    read = read_picture(data, name="x")

    assert (read.width, read.height, tuple(read.pixels.shape)) == (40, 24, (3, 24, 40))
    difference = (read.pixels.int() - as_tensor(picture()).int()).abs()
    assert difference.float().mean() < (6 if data is JPEG else 1e-9)
    assert read.digest == hashlib.sha256(data).hexdigest()
    assert (read.note, read.turned) == (None, False)


def test_sizes_on_the_border_of_what_is_allowed_are_read():
    sizes = [(8, 8), (8, 400), (400, 8)]

    read = [read_picture(saved(picture(*size), "PNG"), name="x") for size in sizes]

    assert [(each.width, each.height) for each in read] == sizes


TURNS = {  # orientation: what a camera stores when the scene is upright
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
    9: None,
}


def with_orientation(number, kind):
    upright = picture()
    stored = upright if TURNS[number] is None else upright.transpose(TURNS[number])
    exif = Image.Exif()
    exif[0x0112] = number
    return saved(stored, kind, exif=exif, **({"lossless": True} if kind == "WEBP" else {}))


@pytest.mark.parametrize("number", TURNS)
@pytest.mark.parametrize("kind", ["PNG", "WEBP", "JPEG"])
def test_exif_rotation_is_applied_once(number, kind):
    read = read_picture(with_orientation(number, kind), name="x")

    difference = (read.pixels.int() - as_tensor(picture()).int()).abs().float().mean()
    assert (read.width, read.height) == (40, 24)
    assert difference < (8 if kind == "JPEG" else 1e-9)
    assert read.turned == (number in (5, 6, 7, 8))


@pytest.mark.parametrize("exif", [b"Exif\0\0garbage" * 9, b"", b"Exif\0\0II*\0\xff\xff\xff\xff"], ids=str)
def test_garbage_in_exif_is_no_reason_to_refuse(exif):
    read = read_picture(saved(picture(), "JPEG", exif=exif), name="x")

    assert (read.width, read.height) == (40, 24)


def test_sixteen_bit_grey_is_scaled_not_clipped():
    values = np.linspace(0, 65535, 40 * 24).astype(np.uint16).reshape(24, 40)

    read = read_picture(saved(Image.fromarray(values), "PNG"), name="x")

    expected = torch.from_numpy(np.round(values / 257).astype(np.uint8))
    for channel in range(3):
        assert torch.equal(read.pixels[channel], expected)


def test_sixteen_bit_colour_is_scaled():
    values = np.random.default_rng(1).integers(0, 65536, (9, 11, 3), dtype=np.uint16)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)

    read = read_picture(png(11, 9, depth=16, rows=rows), name="x")

    expected = torch.from_numpy((values / 257).transpose(2, 0, 1).copy())
    assert (read.pixels - expected).abs().max() <= 1


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK", "YCbCr"])
def test_every_colour_mode_becomes_rgb(mode):
    kind = "JPEG" if mode in ("CMYK", "YCbCr") else "PNG"
    image = picture(mode=mode)

    read = read_picture(saved(image, kind, **({"quality": 95} if kind == "JPEG" else {})), name="x")

    assert (read.pixels.int() - as_tensor(image).int()).abs().float().mean() < 6


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "RGB", "L", "1"])
def test_transparency_is_laid_on_white(mode):
    if mode in ("RGBA", "LA"):
        image = Image.new("RGBA", (10, 9), (200, 200, 200, 255)).convert(mode)
        image.paste((0, 0, 0, 0) if mode == "RGBA" else (0, 0), (0, 0, 5, 9))
        data = saved(image, "PNG")
    else:
        clear, solid = {"P": (0, 1), "RGB": ((0, 0, 0), (200,) * 3), "L": (0, 200), "1": (0, 255)}[mode]
        image = Image.new(mode, (10, 9), solid)
        if mode == "P":
            image.putpalette([0, 0, 0, 200, 200, 200])
        image.paste(clear, (0, 0, 5, 9))
        data = saved(image, "PNG", transparency=clear)

    read = read_picture(data, name="x")

    assert (read.pixels[:, :, :5] == 255).all()
    assert (read.pixels[:, :, 5:] == (255 if mode == "1" else 200)).all()


def test_half_transparency_mixes_with_white():
    read = read_picture(saved(Image.new("RGBA", (9, 9), (0, 100, 200, 51)), "PNG"), name="x")

    assert read.pixels[:, 0, 0].tolist() == [204, 224, 244]


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_of_an_animation_the_first_frame_is_taken(kind):
    frames = [Image.new("RGB", (20, 10), colour) for colour in ("red", "lime", "blue")]
    options = {"lossless": True} if kind == "WEBP" else {}

    read = read_picture(saved(frames[0], kind, save_all=True, append_images=frames[1:], **options), name="x")

    assert read.note == "first of 3 frames"
    assert read.pixels[:, 5, 5].tolist() == [255, 0, 0]


def test_a_multi_picture_file_of_a_phone_is_a_jpeg():
    data = saved(picture(), "MPO", save_all=True, append_images=[picture(20, 12)])

    read = read_picture(data, name="x")

    assert (read.width, read.height, read.note) == (40, 24, None)


def test_a_progressive_jpeg_with_a_thumbnail_is_cut_off_by_its_own_end_marker():
    exif = Image.Exif()
    exif[0x010E] = "\xff\xd9 looks like an end"
    data = saved(picture(), "JPEG", progressive=True, exif=exif.tobytes() + JPEG)

    assert read_picture(data, name="x").width == 40
    with pytest.raises(DataError, match="cut off"):
        read_picture(data[:-2], name="x")


def test_a_picture_that_is_also_an_archive_is_read_as_a_picture():
    buffer = io.BytesIO(JPEG)
    buffer.seek(0, io.SEEK_END)
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("payload.txt", "x" * 1000)

    read = read_picture(buffer.getvalue(), name="x")

    assert torch.equal(read.pixels, read_picture(JPEG, name="x").pixels)


def test_what_goes_out_holds_pixels_and_nothing_that_came_in_beside_them():
    exif = Image.Exif()
    exif[0x010E] = "a secret place"
    exif.get_ifd(0x8825)[1] = "N"
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "a secret place")
    came_in = [
        saved(picture(), "JPEG", exif=exif, icc_profile=b"a secret place" * 9, comment=b"a secret place"),
        saved(picture(), "PNG", exif=exif, pnginfo=text, icc_profile=b"a secret place" * 9),
    ]

    pixels = [read_picture(data, name="x").pixels for data in came_in]
    went_out = [encode(each) for each in pixels for encode in (picture_to_jpeg, picture_to_png)]

    for data in went_out:
        assert b"secret" not in data
        assert not re.search(rb"Exif|ICC_PROFILE|iCCP|eXIf|tEXt|zTXt|iTXt", data)


def test_png_brings_back_the_same_pixels_and_jpeg_nearly():
    pixels = as_tensor(picture())

    assert torch.equal(read_picture(picture_to_png(pixels), name="x").pixels, pixels)
    near = read_picture(picture_to_jpeg(pixels, quality=95), name="x").pixels
    assert (near.int() - pixels.int()).abs().float().mean() < 6
    assert len(picture_to_jpeg(pixels, quality=20)) < len(picture_to_jpeg(pixels, quality=90))


def test_a_file_is_read_like_bytes(tmp_path):
    path = tmp_path / "ü #%.JPG"
    path.write_bytes(JPEG)

    assert torch.equal(read_picture(path, name=path.name).pixels, read_picture(JPEG, name="x").pixels)
    assert read_picture_bytes(path, name=path.name) == JPEG


def test_a_file_that_is_none_is_named_and_a_pipe_does_not_block(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "sparse.png").touch()
    os.truncate(tmp_path / "sparse.png", 10**12)
    start = time.perf_counter()

    for name, why in {
        "missing.png": "No such file",
        "pipe.jpg": "plain file",
        "sparse.png": "The limit is 10 MB",
        "nul\0.png": "cannot be used",
    }.items():
        with pytest.raises(DataError, match=why) as caught:
            read_picture(tmp_path / name, name=name)
        assert str(tmp_path) not in str(caught.value)
    with pytest.raises(DataError, match="plain file"):
        read_picture(tmp_path, name="a folder")
    assert time.perf_counter() - start < 2


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("<img src=x onerror=alert(1)>.png", "<img src=x onerror=alert(1)>.png"),
        ("two\nlines\x1b[31m.png", "two?lines?[31m.png"),
        ("\udcff.png", "?.png"),
        ("a" * 300 + ".png", "a" * 38 + "…" + "a" * 37 + ".png"),
    ],
)
def test_a_name_in_a_message_is_literal_short_and_on_one_line(name, shown):
    assert shown_name(name) == shown
    with pytest.raises(DataError, match=re.escape(shown)):
        read_picture(b"", name=name)


def outcome(data):
    try:
        return read_picture(data, name="x")
    except DataError as error:
        return str(error)


@given(data=st.data(), kind=st.sampled_from([JPEG, PNG, WEBP, BMP]))
def test_damaged_bytes_give_a_picture_or_a_sentence_never_anything_else(data, kind):
    damaged = bytearray(kind)
    for _ in range(data.draw(st.integers(1, 8))):
        damaged[data.draw(st.integers(0, len(kind) - 1))] = data.draw(st.integers(0, 255))
    damaged = bytes(damaged[: data.draw(st.integers(1, len(kind)))])

    answer = outcome(damaged)

    assert isinstance(answer, Picture) or (answer.startswith("x: ") and not re.search(FORBIDDEN, answer))


MEASURE = """
import resource, sys
sys.path.insert(0, sys.argv[2])
from ssd.data.images import read_picture
from ssd.errors import DataError
from PIL import Image
import io
small = io.BytesIO()
Image.new("RGB", (50, 40)).save(small, "PNG")
read_picture(small.getvalue(), name="warm")
data = open(sys.argv[1], "rb").read()
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
before = peak()
try:
    print(read_picture(data, name="x").width)
except DataError as error:
    print("refused")
print(peak() - before)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("data", "answer", "limit_mb"),
    [
        (lambda: REFUSED["U14 12,000 x 12,000 of 1 bit"][0], "refused", 20),
        (lambda: TEXT_BOMB, "refused", 20),
        (lambda: REFUSED["WebP of 16,000 x 16,000"][0], "refused", 20),
        (lambda: saved(Image.new("RGB", (4980, 5000), "teal"), "PNG"), "4980", 350),
        (lambda: saved(Image.new("RGBA", (4980, 5000), (0, 99, 0, 99)), "PNG"), "4980", 350),
        (lambda: saved(Image.new("I;16", (4980, 5000), 999), "PNG"), "4980", 350),
    ],
    ids=[
        "1-bit bomb",
        "text bomb",
        "WebP bomb",
        "24.9 MP",
        "24.9 MP transparent",
        "24.9 MP of 16 bit",
    ],
)
def test_memory_stays_within_what_was_promised(tmp_path, data, answer, limit_mb):
    (tmp_path / "picture").write_bytes(data())
    command = [sys.executable, "-c", MEASURE, str(tmp_path / "picture"), str(Path(__file__).parents[2])]

    done = subprocess.run(command, capture_output=True, text=True, check=True)

    said, grew = done.stdout.split()
    assert said == answer
    assert float(grew) < limit_mb
