"""Data sets as VOC XML and as COCO JSON, and the lesson's JSON of Pascal VOC."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from ssd.data.annotations import AnnotatedObject
from ssd.data.decimals import shifted_text
from ssd.data.folders import DataSet, Entry
from ssd.data.splits import ALL
from ssd.data.voc import CORNERS, FIRST
from ssd.data.written import File, class_names, file_name, lines, pictures

__all__ = ["coco_files", "lesson_json_files", "voc_files"]

_DIGITS = (2, 4, 6, 9, 12)  # of a width, before all digits of a float are written


def voc_files(parts: Mapping[str, DataSet]) -> Iterator[File]:
    """A VOC devkit: XML files, a list for each split, pictures.

    A crowd has no flag in VOC: it is written as ``difficult``, so that other tools do not count
    it, and with a ``<crowd>`` of our own, so that it is read as a crowd again.

    Args:
        parts: split to data set.

    Yields:
        Every file.

    Source:
        Everingham et al., VOC2007 development kit, section 4 (annotation).
    """
    entries = {entry.name: entry for data in parts.values() for entry in data.entries}
    for entry in entries.values():
        yield File(f"Annotations/{entry.name}.xml", _xml(entry))
    for split, data in parts.items():
        if split != ALL:
            yield File(f"ImageSets/Main/{split}.txt", lines(data.names))
    yield from pictures(parts, "JPEGImages")


def coco_files(parts: Mapping[str, DataSet]) -> Iterator[File]:
    """COCO: ``annotations/instances_<split>.json`` and the pictures in ``images``.

    Args:
        parts: split to data set.

    Yields:
        Every file.
    """
    for split, content in _contents(parts, lesson=False):
        yield File(f"annotations/instances_{split}.json", json.dumps(content) + "\n")
    yield from pictures(parts, "images")


def lesson_json_files(parts: Mapping[str, DataSet]) -> Iterator[File]:
    """The lesson's JSON of Pascal VOC: ``pascal_<split>.json`` and the pictures in ``JPEGImages``.

    Args:
        parts: split to data set.

    Yields:
        Every file. ``ignore`` is 1 where VOC says ``difficult``; the segmentation is the box.
    """
    for split, content in _contents(parts, lesson=True):
        yield File(f"pascal_{split}.json", json.dumps(content) + "\n")
    yield from pictures(parts, "JPEGImages")


def _xml(entry: Entry) -> str:
    """One annotation file."""
    root = Element("annotation")
    SubElement(root, "filename").text = file_name(entry)
    size = SubElement(root, "size")
    for tag, number in (("width", entry.annotation.width), ("height", entry.annotation.height), ("depth", 3)):
        SubElement(size, tag).text = str(number)
    for each in entry.annotation.objects:
        item = SubElement(root, "object")
        SubElement(item, "name").text = each.name
        flags = {
            "truncated": each.truncated,
            "occluded": each.occluded,
            "difficult": each.difficult or each.crowd,
        }
        for tag, flag in {**flags, **({"crowd": True} if each.crowd else {})}.items():
            SubElement(item, tag).text = str(int(flag))
        box = SubElement(item, "bndbox")
        for tag, edge, shift in zip(CORNERS, each.box_px, FIRST, strict=True):
            SubElement(box, tag).text = shifted_text(edge, -shift)
    indent(root)
    return tostring(root, encoding="unicode") + "\n"


def _contents(parts: Mapping[str, DataSet], *, lesson: bool) -> Iterator[tuple[str, dict[str, Any]]]:
    """The JSON object of each split."""
    categories = _category_ids(parts)
    image_ids = _image_ids(parts)
    for split, data in parts.items():
        images: list[dict[str, Any]] = []
        annotations: list[dict[str, Any]] = []
        for entry in data.entries:
            image_id, said = image_ids[entry.name], entry.annotation
            images.append(
                {"id": image_id, "file_name": file_name(entry), "width": said.width, "height": said.height}
            )
            for each in said.objects:
                row = {"id": len(annotations) + 1, "image_id": image_id, "category_id": categories[each.name]}
                annotations.append({**row, **_coco_object(each, lesson=lesson)})
        listed = [
            {"id": number, "name": name, "supercategory": "none"} for name, number in categories.items()
        ]
        kind = {"type": "instances"} if lesson else {}
        yield split, {**kind, "images": images, "annotations": annotations, "categories": listed}


def _coco_object(each: AnnotatedObject, *, lesson: bool) -> dict[str, Any]:
    """Box and flags; a flag that COCO does not know is written only where it is set."""
    x1, y1, x2, y2 = each.box_px
    width, height = _span(x1, x2), _span(y1, y2)
    row: dict[str, Any] = {
        "bbox": [_whole(side) for side in (x1, y1, width, height)],
        "area": _whole(width * height),
        "iscrowd": int(each.crowd),
    }
    if (x1 + width, y1 + height) != (x2, y2):  # the exact sum lies between two floats, and rounds away
        row["corner"] = [x2, y2]
    flags = {"ignore": each.difficult, "truncated": each.truncated, "occluded": each.occluded}
    row |= {key: 1 for key, flag in flags.items() if flag}
    if lesson:
        corners = [x1, y1, x1, y2, x2, y2, x2, y1]
        row |= {"ignore": int(each.difficult), "segmentation": [[_whole(edge) for edge in corners]]}
    return row


def _span(low: float, high: float) -> float:
    """A length that, added to ``low``, gives exactly ``high``; with few digits where that is enough."""
    exact = high - low
    near = (math.nextafter(exact, -math.inf), math.nextafter(exact, math.inf))
    shorter = (round(exact, digits) for digits in _DIGITS)
    return next((length for length in (*shorter, exact, *near) if low + length == high), exact)


def _whole(number: float) -> float | int:
    """A number without a point where it needs none."""
    return int(number) if number.is_integer() else number


def _category_ids(parts: Mapping[str, DataSet]) -> dict[str, int]:
    """COCO's id of each class: its own where the data has them, else from 1 on."""
    known = {
        name: number
        for data in parts.values()
        for name, number in zip(data.classes, data.category_ids or (), strict=data.category_ids is not None)
    }
    following = max(known.values(), default=0) + 1
    rest = [name for name in class_names(parts) if name not in known]
    return {**known, **{name: following + place for place, name in enumerate(rest)}}


def _image_ids(parts: Mapping[str, DataSet]) -> dict[str, int]:
    """COCO's id of each picture: its own, or the number that it is called, or counted from 1."""
    entries = {entry.name: entry for data in parts.values() for entry in data.entries}
    own = {name: entry.image_id for name, entry in entries.items() if entry.image_id is not None}
    called = {name: int(name) for name in entries if name.isascii() and name.isdecimal() and len(name) < 16}
    for ids in (own, called):
        if len(ids) == len(entries) == len(set(ids.values())):
            return ids
    return {name: number for number, name in enumerate(entries, start=1)}
