"""What is written in a format is read back as it was: every box to the last bit, every flag it can hold."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ssd.data.conversion import read_parts
from ssd.data.folders import open_dataset
from ssd.data.writers import write_dataset, write_parts
from tests.data.random_data import content, data_sets

ALL_FLAGS = ("difficult", "crowd", "truncated", "occluded")
HELD = {  # format: flags that it holds, fewest pixels of a side
    "voc": (ALL_FLAGS, 2.0),
    "coco": (ALL_FLAGS, 1.0),
    "lesson-json": (ALL_FLAGS, 1.0),
    "yolo": ((), 1.0),
    "text": (("difficult",), 2.0),
    "lesson-csv-boxes": ((), 2.0),
}


@pytest.mark.slow
@pytest.mark.parametrize("format", HELD)
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(draw=st.data())
def test_a_written_data_set_is_read_back_exactly(format, draw):
    flags, least = HELD[format]
    with tempfile.TemporaryDirectory() as folder:
        data = draw.draw(data_sets(Path(folder) / "from", flags, least))

        written = write_dataset(data, Path(folder) / "to", format=format)

        read = open_dataset(Path(folder) / "to")
        assert content(read) == content(data)
        assert (read.classes, read.problems, written.left_out) == (data.classes, (), {})
        for index in range(len(read)):
            assert read.picture_bytes(index) == data.picture_bytes(data.names.index(read.names[index]))


@pytest.mark.slow
@settings(max_examples=10, suppress_health_check=[HealthCheck.too_slow])
@given(draw=st.data())
def test_a_chain_of_formats_ends_where_it_began(draw):
    with tempfile.TemporaryDirectory() as folder:
        data = draw.draw(data_sets(Path(folder) / "from", ()))
        before = data

        for format in ("yolo", "coco", "text", "lesson-json", "lesson-csv-boxes", "voc"):
            write_dataset(before, Path(folder) / format, format=format)
            before = open_dataset(Path(folder) / format)

        assert content(before) == content(data)


@pytest.mark.parametrize("format", ["voc", "coco", "lesson-json", "yolo", "text", "lesson-csv-boxes"])
@pytest.mark.data
@pytest.mark.slow
def test_real_blood_cells_keep_every_box_and_every_split(shared_data, tmp_path, format):
    source = read_parts(shared_data / "bccd")

    write_parts(source.parts, tmp_path / "to", format=format, copy_pictures=format == "yolo")

    if format in ("voc", "coco", "lesson-json"):  # a picture is asked for; its content is not
        for data in source.parts.values():
            for entry in data.entries:
                folder = {"voc": "JPEGImages", "coco": "images", "lesson-json": "JPEGImages"}[format]
                (tmp_path / "to" / folder).mkdir(exist_ok=True)
                (tmp_path / "to" / folder / entry.picture.name).touch()
    without = () if format in ("voc", "coco", "lesson-json") else ALL_FLAGS
    for split, data in source.parts.items():
        read = open_dataset(tmp_path / "to", split=split)
        assert content(read, without=without) == content(data, without=without)
        assert read.names == data.names
    assert sum(map(len, source.parts.values())) == len(open_dataset(tmp_path / "to")) == 292


@pytest.mark.data
def test_real_category_ids_and_image_ids_stay(shared_data, tmp_path):
    source = open_dataset(shared_data / "coco40")

    write_dataset(source, tmp_path / "to", format="coco")

    read = open_dataset(tmp_path / "to")
    assert content(read) == content(source)
    assert (read.classes, read.category_ids) == (source.classes, source.category_ids)
    assert [e.image_id for e in read.entries] == [e.image_id for e in source.entries]
