"""Data sets as plain text: the lesson's CSV tables, text lists of boxes, YOLO's files."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping

from ssd.data.decimals import shifted_text
from ssd.data.folders import DataSet, Entry
from ssd.data.layouts import TEXT_FLAGS, TEXT_SIZES
from ssd.data.lesson_tables import LAST
from ssd.data.splits import ALL
from ssd.data.voc import FIRST
from ssd.data.written import File, class_names, file_name, lines, pictures
from ssd.data.yolo import yolo_words

__all__ = ["box_table_files", "class_table_files", "text_files", "yolo_files"]


def class_table_files(parts: Mapping[str, DataSet]) -> Iterator[File]:
    """The lesson's table of classes: ``classes_<split>.csv`` with ``fn,clas``.

    Args:
        parts: split to data set.

    Yields:
        Every file. The classes of a picture are sorted, each once.
    """
    for split, data in parts.items():
        rows = [
            (file_name(e), " ".join(sorted({o.name for o in e.annotation.objects}))) for e in data.entries
        ]
        yield File(f"classes_{split}.csv", _csv([("fn", "clas"), *rows]))
    yield from pictures(parts, "images")


def box_table_files(parts: Mapping[str, DataSet]) -> Iterator[File]:
    """The lesson's table of boxes: ``boxes_<split>.csv`` with ``fn,bbox,clas``.

    Args:
        parts: split to data set.

    Yields:
        Every file; beside each table the sizes of its pictures.
    """
    for split, data in parts.items():
        rows = [(file_name(e), " ".join(_rows_first(e)), " ".join(_names(e))) for e in data.entries]
        yield File(f"boxes_{split}.csv", _csv([("fn", "bbox", "clas"), *rows]))
        yield _sizes(f"boxes_{split}", data)
    yield from pictures(parts, "images")


def text_files(parts: Mapping[str, DataSet]) -> Iterator[File]:
    """Text lists: ``<split>.txt``, with sizes, flags and names of classes beside it.

    Args:
        parts: split to data set.

    Yields:
        Every file. A list cannot be told from other text where its first picture has no object,
        so pictures without objects come last.
    """
    classes = {name: str(number) for number, name in enumerate(class_names(parts))}
    for split, data in parts.items():
        entries = sorted(data.entries, key=lambda entry: not entry.annotation.objects)
        yield File(f"{split}.txt", lines(" ".join([file_name(e), *_corners(e, classes)]) for e in entries))
        yield _sizes(split, data)
        if any(o.difficult for e in entries for o in e.annotation.objects):
            flags = (
                " ".join([file_name(e), *(str(int(o.difficult)) for o in e.annotation.objects)])
                for e in entries
            )
            yield File(f"{split}{TEXT_FLAGS}.txt", lines(flags))
    yield File("classes.txt", lines(classes))
    yield from pictures(parts, "images")


def yolo_files(parts: Mapping[str, DataSet]) -> Iterator[File]:
    """YOLO: ``labels/<split>/*.txt``, ``images/<split>/``, ``classes.txt`` and ``data.yaml``.

    Args:
        parts: split to data set; they do not overlap, since each has a folder of its own.

    Yields:
        Every file.
    """
    names = class_names(parts)
    numbers = {name: str(number) for number, name in enumerate(names)}
    folders: dict[str, str] = {}
    for split, data in parts.items():
        below = "" if split == ALL else f"/{split}"
        folders[split] = f"images{below}"
        for entry in data.entries:
            yield File(f"labels{below}/{entry.name}.txt", lines(_yolo_lines(entry, numbers)))
            if entry.picture is not None:
                yield File(f"images{below}/{file_name(entry)}", entry.picture)
    yield File("classes.txt", lines(names))
    described = [f"{split}: {json.dumps(folder)}" for split, folder in folders.items()]
    named = [f"  {number}: {json.dumps(name)}" for number, name in enumerate(names)]
    yield File("data.yaml", lines(["path: .", *described, "names:", *named]))


def _csv(rows: Iterable[tuple[str, ...]]) -> str:
    """A table with quotes only where they are needed."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _sizes(name: str, data: DataSet) -> File:
    """Height and width of each picture, by file stem."""
    rows = (f"{e.name} {e.annotation.height} {e.annotation.width}" for e in data.entries)
    return File(f"{name}{TEXT_SIZES}.txt", lines(rows))


def _rows_first(entry: Entry) -> Iterator[str]:
    """Top, left, bottom, right of each box, counted from 0 and inclusive."""
    for each in entry.annotation.objects:
        left, top, right, bottom = (
            shifted_text(edge, -shift) for edge, shift in zip(each.box_px, LAST, strict=True)
        )
        yield from (top, left, bottom, right)


def _names(entry: Entry) -> list[str]:
    """The class of each box."""
    return [each.name for each in entry.annotation.objects]


def _difficult(entry: Entry) -> list[str]:
    """The flag of each box."""
    return [str(int(each.difficult)) for each in entry.annotation.objects]


def _corners(entry: Entry, classes: Mapping[str, str]) -> Iterator[str]:
    """Corners counted from 1 and inclusive, and the class of each box."""
    for each in entry.annotation.objects:
        yield from (shifted_text(edge, -shift) for edge, shift in zip(each.box_px, FIRST, strict=True))
        yield classes[each.name]


def _yolo_lines(entry: Entry, numbers: Mapping[str, str]) -> Iterator[str]:
    """A line for each object."""
    said = entry.annotation
    for each in said.objects:
        words = yolo_words(each.box_px, width=said.width, height=said.height)
        yield " ".join([numbers[each.name], *words])
