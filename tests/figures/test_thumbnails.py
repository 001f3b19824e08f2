"""Thumbnails: boxes where they belong, nothing from outside, words that cannot break out."""

from __future__ import annotations

import io
from xml.etree import ElementTree  # what is read here was written here

import pytest
import torch
from PIL import Image

from ssd.figures.thumbnails import BoxLayer, fitted_wh, picture_jpeg, picture_thumbnail, small_multiples


def test_a_large_picture_is_made_small_and_keeps_its_shape():
    jpeg = picture_jpeg(torch.zeros(3, 500, 2000, dtype=torch.uint8), max_side_px=400)

    assert Image.open(io.BytesIO(jpeg), formats=("JPEG",)).size == (400, 100)


def test_a_small_picture_keeps_its_size_and_colours():
    picture = torch.zeros(3, 20, 30, dtype=torch.uint8)
    picture[0] = 255
    image = Image.open(io.BytesIO(picture_jpeg(picture, max_side_px=400, quality=95)), formats=("JPEG",))

    assert image.size == (30, 20)
    assert image.getpixel((15, 10))[0] > 240
    assert max(image.getpixel((15, 10))[1:]) < 15


def test_a_box_stands_where_it_belongs_on_a_wide_picture():
    svg = picture_thumbnail(
        b"", width_px=200, height_px=100, layers=[BoxLayer("object", [(0.1, 0.2, 0.5, 0.9)])]
    )

    assert svg.count("M20.0 20.0H100.0V90.0H20.0Z") == 2  # halo and line
    ElementTree.fromstring(svg)


def test_a_crowd_is_thinned_and_fainter_than_one():
    layer = BoxLayer.of("positive", torch.rand(1000, 4), most=100)
    crowd = picture_thumbnail(b"", width_px=20, height_px=10, layers=[layer])
    one = picture_thumbnail(b"", width_px=20, height_px=10, layers=[BoxLayer("positive", [(0, 0, 1, 1)])])

    assert len(layer.boxes) == 100
    assert 'stroke-opacity="0.40"' in crowd
    assert 'stroke-opacity="1.00"' in one


def test_no_boxes_are_drawn_for_none():
    assert "<path" not in picture_thumbnail(
        b"", width_px=9, height_px=9, layers=[BoxLayer.of("kept", torch.zeros(0, 4))]
    )


@pytest.mark.parametrize("words", ["</title><script>alert(1)</script>", 'a "quoted" & <b>'])
def test_words_cannot_break_out_of_the_picture(words):
    svg = picture_thumbnail(b"", width_px=9, height_px=9, title=words)
    many = small_multiples(b"", width_px=9, height_px=9, panels=[(words, [])], columns=1, title=words)

    assert "<script" not in svg + many
    assert ElementTree.fromstring(svg)[0].text == words


def test_small_multiples_stand_in_rows():
    svg = small_multiples(
        b"", width_px=30, height_px=20, panels=[(f"level {k}", []) for k in range(5)], columns=3
    )
    places = [
        group.get("transform") for group in ElementTree.fromstring(svg).iter() if group.get("transform")
    ]

    assert places == [f"translate({x} {y})" for y in (0, 52) for x in (0, 40, 80)][:5]


def test_a_picture_fits_its_frame_either_way():
    assert fitted_wh((200, 400), within_wh=(300, 240)) == (120, 240)
    assert fitted_wh((4000, 100), within_wh=(300, 240)) == (300, 8)
