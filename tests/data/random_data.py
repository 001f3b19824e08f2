"""Random data sets: a few pictures that are not square, boxes with any decimals, every flag."""

from __future__ import annotations

from hypothesis import strategies as st
from PIL import Image

from ssd.data.annotations import AnnotatedObject, Annotation
from ssd.data.folders import DataSet, Entry

CLASSES = ("cat", "dog", "Straßenbahn")


def grey(path, width, height):
    """A small picture file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (width, height), "grey").save(path)
    return path


@st.composite
def objects(draw, width, height, flags, least):
    """An object whose box lies in the picture and is at least so many pixels wide and high."""
    x1, y1 = (draw(st.floats(0, side - least, width=64)) for side in (width, height))
    x2, y2 = draw(st.floats(x1 + least, width)), draw(st.floats(y1 + least, height))
    crowd = draw(st.booleans()) and "crowd" in flags
    chosen = {name: draw(st.booleans()) for name in flags if name != "crowd"}
    if crowd:
        chosen["difficult"] = False  # a crowd is ignored anyway
    return AnnotatedObject(draw(st.sampled_from(CLASSES)), (x1, y1, x2, y2), crowd=crowd, **chosen)


@st.composite
def data_sets(draw, folder, flags=("difficult", "crowd", "truncated", "occluded"), least=2.0):
    """A data set whose pictures are files of a folder; the first picture has an object of each class."""
    entries = []
    for number in range(draw(st.integers(1, 3))):
        width, height = draw(st.integers(8, 40)), draw(st.integers(41, 90))
        if draw(st.booleans()):
            width, height = height, width
        found = draw(st.lists(objects(width, height, flags, least), max_size=4))
        if number == 0:
            found += [AnnotatedObject(name, (0.0, 0.0, float(width), float(height))) for name in CLASSES]
        name = f"p{number}"
        annotation = Annotation(width, height, tuple(found))
        entries.append(Entry(name, grey(folder / f"{name}.png", width, height), annotation))
    return DataSet(folder, "flat", "all", tuple(sorted(CLASSES)), tuple(entries), ())


def content(data, *, without=()):
    """What a data set says, so that two of them can be compared: numbers in their file do not count."""
    flags = [name for name in ("difficult", "crowd", "truncated", "occluded") if name not in without]
    return {
        entry.name: (
            entry.annotation.width,
            entry.annotation.height,
            [(o.name, o.box_px, *(getattr(o, name) for name in flags)) for o in entry.annotation.objects],
        )
        for entry in data.entries
    }
