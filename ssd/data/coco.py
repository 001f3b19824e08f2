"""COCO JSON: one file for many pictures, read with every surprise that Python's json accepts."""

from __future__ import annotations

import reprlib
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeGuard

from ssd.data.annotations import AnnotatedObject, Annotation, Edges, Fault, check_box
from ssd.data.images import shown_name
from ssd.data.json_text import parse_json
from ssd.data.voc import read_annotation_bytes
from ssd.errors import BoxError, DataError
from ssd.limits import MAX_COCO_BYTES

_ROUNDING_PX = 1e-6


@dataclass(frozen=True)
class CocoPicture:
    """One picture of a COCO file.

    Attributes:
        image_id: as in the file.
        file_name: as in the file, relative to the folder of pictures.
        annotation: its objects.
    """

    image_id: int
    file_name: str
    annotation: Annotation


@dataclass(frozen=True)
class CocoFile:
    """A whole COCO file.

    Attributes:
        classes: names by rising category id: label 1 is the first.
        category_ids: id of each class as in the file; gaps, 0 and ids above 90 are kept.
        pictures: in the file's order.
        faults: annotations that belong to no picture that is listed.
    """

    classes: tuple[str, ...]
    category_ids: tuple[int, ...]
    pictures: tuple[CocoPicture, ...]
    faults: tuple[Fault, ...] = ()

    @property
    def problems(self) -> tuple[str, ...]:
        """A sentence for each fault."""
        return tuple(fault.sentence for fault in self.faults)


@dataclass
class _Gathered:
    """What one image has so far."""

    width: int
    height: int
    file_name: str
    objects: list[AnnotatedObject] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def read_coco(path: Path) -> CocoFile:
    """Read a COCO annotation file.

    Crowd annotations are kept with their flag; ``iscrowd`` is 0 where it is missing, and so is
    ``ignore``, which the lesson's JSON of Pascal VOC sets where VOC says ``difficult``. An
    annotation that breaks a rule is left out of its picture and listed in that picture's
    ``faults``. Segmentations are not read.

    Args:
        path: the JSON file; a byte order mark is accepted.

    Returns:
        Pictures, classes and the map from labels to category ids.

    Raises:
        DataError: the file cannot be read as JSON, or its images or categories are not
            what the format asks for.

    Source:
        cocodataset.org, "Data format", object detection.
    """
    return parse_coco(read_annotation_bytes(path, limit=MAX_COCO_BYTES), name=path.name)


def parse_coco(data: bytes, *, name: str) -> CocoFile:
    """Read the bytes of a COCO file.

    Args:
        data: JSON in UTF-8.
        name: what messages call it.

    Returns:
        The record of the file.

    Raises:
        DataError: as ``read_coco``.

    Example:
        >>> parse_coco(b'{"images": [], "annotations": [], "categories": [{"id": 7, "name": "cat"}]}',
        ...            name="a.json").category_ids
        (7,)
    """
    shown = shown_name(name)
    content = _parse_json(data, shown)
    names = _categories(_rows(content, "categories", shown), shown)
    images = _images(_rows(content, "images", shown), shown)
    homeless: list[Fault] = []
    seen: set[int] = set()
    for number, row in enumerate(_rows(content, "annotations", shown), start=1):
        image = images.get(image_id) if _is_id(image_id := row.get("image_id")) else None
        try:
            _add_object(row, number, image, names, seen)
        except BoxError as error:
            fault = _fault(row, number, error, names)
            (homeless if image is None else image.faults).append(fault)
    pictures = tuple(_picture(image_id, image) for image_id, image in images.items())
    return CocoFile(tuple(names.values()), tuple(names), pictures, tuple(homeless))


def _picture(image_id: int, image: _Gathered) -> CocoPicture:
    """The record of an image that is complete."""
    annotation = Annotation(image.width, image.height, tuple(image.objects), tuple(image.faults))
    return CocoPicture(image_id, image.file_name, annotation)


def _parse_json(data: bytes, shown: str) -> dict[str, Any]:
    """The top-level object."""
    content = parse_json(data, shown=shown, pairs=_unique_keys(shown))
    if not isinstance(content, dict):
        raise DataError(
            f"{shown}: a COCO file is one object with images, annotations and categories, "
            f"got a {type(content).__name__}; choose the annotation file."
        )
    return content


def _unique_keys(shown: str) -> Callable[[list[tuple[str, Any]]], dict[str, Any]]:
    """A hook that refuses an object which names a key twice: nobody knows which value is meant."""

    def build(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) < len(pairs):
            keys = [key for key, _ in pairs]
            double = next(key for key in keys if keys.count(key) > 1)
            raise DataError(
                f"{shown}: a key may stand once in an object, '{shown_name(double)}' stands twice."
            )
        return made

    return build


def _rows(content: dict[str, Any], key: str, shown: str) -> list[dict[str, Any]]:
    """A list of objects."""
    rows = content.get(key)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise DataError(
            f"{shown}: '{key}' must be a list of objects, got {_shown(rows)}; "
            "choose a detection annotation file."
        )
    return rows


def _categories(rows: list[dict[str, Any]], shown: str) -> dict[int, str]:
    """Category id to name, by rising id."""
    names: dict[int, str] = {}
    for number, row in enumerate(rows, start=1):
        category, name = row.get("id"), row.get("name")
        where = f"{shown}, category {number}"
        if not _is_id(category) or not isinstance(name, str) or not name.strip():
            raise DataError(
                f"{where}: a whole id and a name are needed, got {_shown(category)}, {_shown(name)}."
            )
        if category in names or name in names.values() or name.strip().lower() == "background":
            raise DataError(
                f"{where}: ids and names must be unique and no name 'background', got {category}, "
                f"'{shown_name(name)}'; rename it."
            )
        names[category] = sys.intern(name)
    return dict(sorted(names.items()))


def _images(rows: list[dict[str, Any]], shown: str) -> dict[int, _Gathered]:
    """Image id to its size and file name, in the file's order."""
    images: dict[int, _Gathered] = {}
    for number, row in enumerate(rows, start=1):
        image_id, name = row.get("id"), row.get("file_name")
        where = f"{shown}, image {number}"
        if not _is_id(image_id) or image_id in images:
            raise DataError(f"{where}: a whole id that no other image has is needed, got {_shown(image_id)}.")
        if not isinstance(name, str) or not name:
            raise DataError(f"{where}: file_name must be text, got {_shown(name)}.")
        width, height = row.get("width"), row.get("height")
        if not (_is_id(width) and _is_id(height) and width > 0 and height > 0):
            raise DataError(
                f"{where}: width and height must be whole pixels, got {_shown(width)} and {_shown(height)}."
            )
        images[image_id] = _Gathered(width, height, name)
    return images


def _add_object(
    row: dict[str, Any], number: int, image: _Gathered | None, names: dict[int, str], seen: set[int]
) -> None:
    """Give one annotation to its image; a BoxError without file and number where a rule is broken."""
    if image is None:
        raise BoxError(f"image_id {_shown(row.get('image_id'))} is not among the images", rule="image")
    if _is_id(row.get("id")):
        if row["id"] in seen:
            raise BoxError("its id is that of an earlier annotation", rule="double-id")
        seen.add(row["id"])
    category = row.get("category_id")
    if not _is_id(category) or category not in names:
        raise BoxError(f"category_id {_shown(category)} is not among the categories", rule="category")
    box = _corner_and_size(row)
    if box is None:
        raise BoxError(f"bbox must be 4 numbers, got {_shown(row.get('bbox'))}", rule="no-number")
    checked = check_box(_edges(row, box), width=image.width, height=image.height)
    crowd = _flag(row, "iscrowd")
    image.objects.append(
        AnnotatedObject(
            names[category],
            checked.box_px,
            difficult=_flag(row, "ignore") and not crowd,
            crowd=crowd,
            truncated=_flag(row, "truncated"),
            occluded=_flag(row, "occluded"),
            number=number,
            clipped=checked.clipped,
        )
    )


def _corner_and_size(row: dict[str, Any]) -> Edges | None:
    """``bbox``: x, y, width, height."""
    box = row.get("bbox")
    if not isinstance(box, list) or len(box) != 4 or not all(_is_number(value) for value in box):
        return None
    x, y, width, height = (float(value) for value in box)
    return x, y, width, height


def _edges(row: dict[str, Any], box: Edges) -> Edges:
    """x1, y1, x2, y2. Our writer adds ``corner`` where no sum of floats gives x2 and y2 exactly."""
    x, y, width, height = box
    summed, corner = (x + width, y + height), row.get("corner")
    if isinstance(corner, list) and len(corner) == 2 and all(_is_number(value) for value in corner):
        x2, y2 = (float(value) for value in corner)
        if abs(x2 - summed[0]) + abs(y2 - summed[1]) < _ROUNDING_PX:
            return x, y, x2, y2
    return x, y, *summed


def _flag(row: dict[str, Any], key: str) -> bool:
    """0, 1 or missing, which is 0."""
    value = row.get(key, 0)
    if value not in (0, 1):
        raise BoxError(f"{key} must be 0 or 1, got {_shown(value)}", rule="flag")
    return bool(value)


def _fault(row: dict[str, Any], number: int, error: BoxError, names: dict[int, str]) -> Fault:
    """The record of an annotation that breaks a rule."""
    category = row.get("category_id")
    return Fault(
        error.rule,
        str(error),
        number,
        who=f"annotation id {_shown(row.get('id'))}",
        values=_corner_and_size(row) or (),
        category=names.get(category, "") if _is_id(category) else "",
    )


def _is_id(value: object) -> TypeGuard[int]:
    """A whole number; JSON's true is none."""
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    """A number that a float can hold."""
    return isinstance(value, float) or (_is_id(value) and abs(value) < 10**15)


def _shown(value: object) -> str:
    """A JSON value as a message may show it."""
    return shown_name(reprlib.repr(value))
