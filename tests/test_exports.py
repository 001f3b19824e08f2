"""Results as files: what is written is what was detected, and other readers agree."""

import csv
import errno
import io
import json
import os

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ssd.data.images import read_picture
from ssd.data.voc import parse_voc
from ssd.detections import Detections
from ssd.errors import ConfigError, ResourceError
from ssd.exports import (
    Classes,
    ImageResult,
    draw_detections,
    result_rows,
    results_to_csv,
    results_to_json,
    results_to_voc,
    write_new,
)
from tests.strategies import boxes

CLASSES = Classes(names=("cat", "dog & <friend>", "unused 12"), ids=(1, 18, 12))


def make_detections(rows):
    """Detections of (x1, y1, x2, y2, label, score)."""
    return Detections(
        boxes=torch.tensor([row[:4] for row in rows], dtype=torch.float32).reshape(-1, 4),
        labels=torch.tensor([row[4] for row in rows], dtype=torch.int64),
        scores=torch.tensor([row[5] for row in rows], dtype=torch.float32),
        anchors=torch.arange(len(rows)),
    )


def make_result(name="dog.jpg", width=400, height=200):
    rows = [(0.25, 0.5, 0.5, 1.0, 2, 0.75), (0.1, 0.0, 1.0, 0.123, 1, 0.25)]
    return ImageResult(name, width, height, make_detections(rows))


def test_rows_are_cocos_results():
    first, second = result_rows(make_result(), classes=CLASSES)

    assert first == {
        "image_id": "dog.jpg",
        "category_id": 18,
        "category": "dog & <friend>",
        "bbox": [100.0, 100.0, 100.0, 100.0],
        "score": 0.75,
    }
    assert second["bbox"] == [40.0, 0.0, 360.0, 24.6]


def test_json_holds_the_rows_of_all_pictures_in_order():
    results = [
        make_result("a.jpg"),
        make_result("b\udcff\n.jpg"),
        ImageResult("c", 9, 9, make_detections([])),
    ]

    text = results_to_json(results, classes=CLASSES)

    text.encode("ascii")
    assert json.loads(text) == [row for result in results for row in result_rows(result, classes=CLASSES)]
    assert json.loads(results_to_json([], classes=CLASSES)) == []


def test_csv_holds_the_same_numbers():
    results = [make_result('odd, "name"\n.jpg')]

    table = list(csv.DictReader(io.StringIO(results_to_csv(results, classes=CLASSES))))

    for line, row in zip(table, result_rows(results[0], classes=CLASSES), strict=True):
        assert [float(line[key]) for key in ("x", "y", "width", "height")] == row["bbox"]
        assert (line["image_id"], line["category"]) == (row["image_id"], row["category"])
        assert (int(line["category_id"]), float(line["score"])) == (row["category_id"], row["score"])


@given(found=boxes(max_size=5, min_side=0.02), width=st.integers(110, 4000), height=st.integers(110, 4000))
def test_our_reader_gives_back_what_voc_xml_holds(found, width, height):
    count = len(found)
    labels = torch.arange(count) % 3 + 1
    detections = Detections(found, labels, torch.linspace(1, 0.1, count), torch.arange(count))
    result = ImageResult("a.png", width, height, detections)

    read = parse_voc(results_to_voc(result, classes=CLASSES).encode(), name="a.xml")

    assert read.problems == ()
    assert (read.width, read.height) == (width, height)
    for item, row in zip(read.objects, result_rows(result, classes=CLASSES), strict=True):
        x, y, w, h = row["bbox"]
        np.testing.assert_allclose(item.box_px, [x, y, x + w, y + h], atol=2e-9)
        assert (item.name, item.difficult) == (row["category"], False)


def test_voc_corners_count_from_one_and_keep_only_the_decimals_they_have():
    text = results_to_voc(make_result(), classes=CLASSES)

    assert "<xmin>101</xmin>" in text
    assert "<ymin>101</ymin>" in text
    assert "<xmax>200</xmax>" in text
    assert "<ymax>24.6</ymax>" in text
    assert "dog &amp; &lt;friend&gt;" in text


def test_voc_xml_stays_readable_whatever_the_file_is_called():
    result = make_result("<a>&\x00\x1b\udcff.png")

    assert len(parse_voc(results_to_voc(result, classes=CLASSES).encode(), name="a").objects) == 2


def test_the_drawn_picture_has_lines_in_the_class_colours_and_is_else_untouched():
    picture = torch.full((3, 200, 400), 100, dtype=torch.uint8)
    before = picture.clone()
    detections = make_detections([(0.25, 0.5, 0.75, 1.0, 2, 0.9)])

    png = draw_detections(picture, detections, classes=CLASSES, colours=["#FF0000", "#00FF00"])

    drawn = read_picture(png, name="drawn.png").pixels
    green = torch.tensor([0, 255, 0], dtype=torch.uint8)
    for x, y in ((100, 150), (299, 150), (200, 199)):  # left, right and lower edge, all inside the picture
        assert torch.equal(drawn[:, y, x], green), (x, y)
    outside = torch.ones(200, 400, dtype=torch.bool)
    outside[100:200, 100:300] = False
    assert (drawn[:, outside] == 100).all()
    assert torch.equal(picture, before)
    assert Image.open(io.BytesIO(png), formats=("PNG",)).info == {}


def test_without_detections_the_drawn_picture_is_the_picture():
    picture = torch.randint(0, 256, (3, 30, 50), dtype=torch.uint8)

    png = draw_detections(picture, make_detections([]), classes=CLASSES, colours=["#FF0000"])

    assert torch.equal(read_picture(png, name="x.png").pixels, picture)


def test_a_label_is_written_at_the_best_box_also_in_the_corner():
    picture = torch.zeros(3, 60, 100, dtype=torch.uint8)

    png = draw_detections(
        picture, make_detections([(0.0, 0.0, 1.0, 1.0, 3, 0.5)]), classes=CLASSES, colours=["#0000FF"]
    )

    drawn = read_picture(png, name="x.png").pixels
    assert (drawn[:, 4:25, 4:90] > 180).all(dim=0).sum() > 20  # white letters


def test_drawing_needs_a_colour():
    with pytest.raises(ConfigError, match="at least one colour"):
        draw_detections(
            torch.zeros(3, 9, 9, dtype=torch.uint8), make_detections([]), classes=CLASSES, colours=[]
        )


def test_an_existing_file_is_only_replaced_when_told(tmp_path):
    path = tmp_path / "a.csv"
    write_new(path, b"old")

    with pytest.raises(ConfigError, match="--force"):
        write_new(path, b"new")
    assert path.read_bytes() == b"old"

    write_new(path, b"new", force=True)
    assert path.read_bytes() == b"new"


def test_a_folder_is_never_replaced_and_a_dangling_link_counts_as_a_file(tmp_path):
    (tmp_path / "link.csv").symlink_to(tmp_path / "nowhere")

    with pytest.raises(ConfigError, match="choose another"):
        write_new(tmp_path, b"new", force=True)
    with pytest.raises(ConfigError, match="--force"):
        write_new(tmp_path / "link.csv", b"new")


def test_a_failed_replacement_keeps_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a.csv"
    write_new(path, b"old")

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(ResourceError, match="No space left"):
        write_new(path, b"new", force=True)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.csv"]
