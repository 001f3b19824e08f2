"""Sizes and ends read from bytes alone agree with what a decoder finds later."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ssd.data.picture_headers import header_size_wh, is_cut_off, picture_format, why_not_a_picture

KINDS = {
    "JPEG": ("JPEG", {}),
    "progressive JPEG": ("JPEG", {"progressive": True}),
    "PNG": ("PNG", {}),
    "BMP": ("BMP", {}),
    "WebP": ("WEBP", {}),
    "lossless WebP": ("WEBP", {"lossless": True}),
    "WebP with EXIF": ("WEBP", {"exif": b"Exif\0\0II*\0\x08\0\0\0\0\0"}),
}


def written(kind, width, height, **more):
    buffer = io.BytesIO()
    noise = np.random.default_rng(width * height).integers(0, 256, (height, width, 3), dtype=np.uint8)
    Image.fromarray(noise).save(buffer, KINDS[kind][0], **KINDS[kind][1], **more)
    return buffer.getvalue()


@given(kind=st.sampled_from(sorted(KINDS)), width=st.integers(1, 70), height=st.integers(1, 70))
def test_format_size_and_end_are_read_from_the_bytes(kind, width, height):
    data = written(kind, width, height)

    assert picture_format(data) == KINDS[kind][0]
    assert header_size_wh(data, KINDS[kind][0]) == (width, height)
    assert not is_cut_off(data, KINDS[kind][0])
    assert not is_cut_off(data + b"PK\x03\x04 something behind", KINDS[kind][0])


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"BMP"}))  # of a BMP the decoder counts the rows
@pytest.mark.parametrize("missing", [2, 40, 1000])
def test_a_missing_end_is_seen_before_a_decoder_runs(kind, missing):
    data = written(kind, 90, 60)

    assert is_cut_off(data[:-missing], KINDS[kind][0])


@pytest.mark.parametrize("kind", ["JPEG", "progressive JPEG"])
def test_the_end_of_a_thumbnail_is_not_the_end_of_the_picture(kind):
    data = written(kind, 90, 60, exif=b"Exif\0\0II*\0\x08\0\0\0\0\0" + written("JPEG", 9, 8))

    assert data.count(b"\xff\xd9") == 2
    assert header_size_wh(data, "JPEG") == (90, 60)
    assert not is_cut_off(data, "JPEG")
    assert is_cut_off(data[:-2], "JPEG")
    assert is_cut_off(data[: len(data) // 2] + bytes(9999), "JPEG")  # an interrupted download, padded


def test_an_old_bmp_has_its_size_in_short_numbers():
    header = (
        b"BM"
        + bytes(12)
        + (12).to_bytes(4, "little")
        + (30).to_bytes(2, "little")
        + (20).to_bytes(2, "little")
    )

    assert header_size_wh(header, "BMP") == (30, 20)


@given(data=st.binary(max_size=60), kind=st.sampled_from(["JPEG", "PNG", "WEBP", "BMP"]))
def test_any_bytes_have_a_size_or_none_and_a_sentence(data, kind):
    size = header_size_wh(data, kind)

    assert size is None or len(size) == 2
    assert is_cut_off(data, kind) in (True, False)
    assert why_not_a_picture(data).rstrip(".").endswith((")", "PNG", "JPEG"))
