"""YOLO's text files: a file for each picture, a line for each object, in shares of the picture.

``c cx cy w h``: ``c`` counts the classes from 0, the centre and the size are shares of width and
height. The names stand in ``data.yaml``, ``classes.txt`` or ``obj.names``. Labels lie in
``labels/<split>/`` with pictures in ``images/<split>/``, in ``<split>/labels/``, in ``labels/``
without splits, or beside the pictures. A picture without a file of labels has no objects.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from decimal import Context, Decimal
from pathlib import Path

from ssd.data.annotations import AnnotatedObject, Annotation, Edges, Fault, check_box
from ssd.data.decimals import is_number
from ssd.data.images import read_picture_size, shown_name
from ssd.data.layouts import Layout, text_lines
from ssd.data.paths import PICTURE_SUFFIXES, list_files, passed_over_words
from ssd.data.scanned import Scan, Scanned, fault_of, missing
from ssd.data.splits import ALL, TRAIN, VAL, chosen_split, fifths, require_train_or_val
from ssd.data.text_lists import listed_classes
from ssd.errors import BoxError, DataError

__all__ = ["scan_yolo", "yolo_edges", "yolo_splits", "yolo_words"]

_EXACT = Context(prec=2200)
_DIGITS = (6, 8, 12, 16, 18, 20, 24, 32, 64, 128, 512, 1100)


@dataclass(frozen=True)
class _Part:
    """Where the labels and the pictures of one split lie."""

    labels: Path
    pictures: Path


def yolo_splits(layout: Layout) -> tuple[str, ...]:
    """The parts of a YOLO folder.

    Args:
        layout: of the folder.

    Returns:
        Names of the subfolders; ``train`` and ``val`` where there are none.
    """
    return tuple(name for name in _parts(layout.root) if name) or (TRAIN, VAL)


def scan_yolo(layout: Layout, *, split: str) -> Scan:
    """Read the labels of a YOLO folder; of the pictures only the headers, for their sizes.

    Args:
        layout: of the folder.
        split: ``all``, a subfolder's name, or ``train`` / ``val`` where there are none.

    Returns:
        The pictures sorted by name, split after split.

    Raises:
        DataError: there is no such split, or no names can be read.
    """
    parts, classes = _parts(layout.root), _class_names(layout.root)
    without = "" in parts
    if without:
        require_train_or_val(split, shown=layout.root.name)
    elif split != ALL:
        name = chosen_split(parts, split=split, shown=layout.root.name)
        parts = {name: parts[name]}
    scanned, listings = [], []
    for part in parts.values():
        labels = list_files(part.labels, suffixes=(".txt",), root=layout.root)
        pictures = list_files(part.pictures, suffixes=PICTURE_SUFFIXES, root=layout.root)
        listings += [labels, pictures]
        flat = part.labels == part.pictures  # then README.txt may lie beside pictures
        names = tuple(sorted(pictures.files if flat else {*pictures.files, *labels.files}))
        names = fifths(names, split=split) if without and split != ALL else names
        scanned += [_scanned(n, labels.files.get(n), pictures.files.get(n), classes) for n in names]
    used = {o.name for each in scanned if each.annotation for o in each.annotation.objects}
    named = classes or tuple(sorted(used, key=lambda name: (len(name), name)))
    return Scan(layout.root, "yolo", split, tuple(scanned), (), passed_over_words(listings), named)


def yolo_edges(words: list[str], *, width: int, height: int) -> Edges:
    """Edges in pixels from a centre and a size in shares, rounded once.

    Args:
        words: cx, cy, w, h as the file has them.
        width: of the picture in pixels.
        height: likewise.

    Returns:
        x1, y1, x2, y2.

    Example:
        >>> yolo_edges(["0.5", "0.5", "0.25", "0.5"], width=80, height=40)
        (30.0, 10.0, 50.0, 30.0)
    """
    try:
        cx, cy, w, h = (Decimal(word) for word in words)
        two = Decimal(2)
        sides = [(cx, _EXACT.divide(w, two), Decimal(width)), (cy, _EXACT.divide(h, two), Decimal(height))]
        low = [float(_EXACT.multiply(_EXACT.subtract(c, half), px)) for c, half, px in sides]
        high = [float(_EXACT.multiply(_EXACT.add(c, half), px)) for c, half, px in sides]
    except ArithmeticError:  # NaN, infinity, exponents beyond what decimals hold
        cxf, cyf, wf, hf = (float(word) for word in words)
        return (
            (cxf - wf / 2) * width,
            (cyf - hf / 2) * height,
            (cxf + wf / 2) * width,
            (cyf + hf / 2) * height,
        )
    return low[0], low[1], high[0], high[1]


def yolo_words(box_px: Edges, *, width: int, height: int) -> list[str]:
    """The shortest of a few texts that :func:`yolo_edges` turns back into exactly these edges.

    Args:
        box_px: x1, y1, x2, y2.
        width: of the picture in pixels.
        height: likewise.

    Returns:
        cx, cy, w, h; six decimals where those are enough.

    Example:
        >>> yolo_words((30.0, 10.0, 50.0, 30.0), width=80, height=40)
        ['0.5', '0.5', '0.25', '0.5']
    """
    sides = (width, height, width, height)
    shares = [_EXACT.divide(Decimal(repr(e)), Decimal(px)) for e, px in zip(box_px, sides, strict=True)]
    words: list[str] = []
    for digits in _DIGITS:  # edges are rounded, not centre and size: an edge of 0 stays 0
        unit = Decimal(1).scaleb(-digits)
        x1, y1, x2, y2 = (share.quantize(unit, context=_EXACT) for share in shares)
        centre = [_EXACT.divide(_EXACT.add(a, b), Decimal(2)) for a, b in ((x1, x2), (y1, y2))]
        words = [_plain(share) for share in (*centre, _EXACT.subtract(x2, x1), _EXACT.subtract(y2, y1))]
        if yolo_edges(words, width=width, height=height) == box_px:
            break
    return words


def _plain(number: Decimal) -> str:
    """Digits without an exponent, and without zeros at the end."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _parts(root: Path) -> dict[str, _Part]:
    """Split to folders; the one part of a folder without splits has no name."""
    labels, images = root / "labels", root / "images"
    if labels.is_dir():
        inner = sorted(child.name for child in labels.iterdir() if child.is_dir() and not child.is_symlink())
        if inner:
            return {name: _Part(labels / name, images / name) for name in inner}
        return {"": _Part(labels, images if images.is_dir() else root)}
    names = sorted(child.name for child in root.iterdir() if child.is_dir() and not child.is_symlink())
    parts = {name: _Part(root / name / "labels", root / name / "images") for name in names}
    found = {name: part for name, part in parts.items() if part.labels.is_dir() and part.pictures.is_dir()}
    return found or {"": _Part(root, root)}


def _scanned(name: str, labels: Path | None, picture: Path | None, classes: tuple[str, ...]) -> Scanned:
    """One picture and its labels."""
    place = f"{shown_name(labels.name)}: " if labels is not None else ""
    if picture is None:
        return Scanned(name, labels, None, None, (missing("picture", name),), place=place)
    try:
        width, height = read_picture_size(picture, name=picture.name)
    except DataError as error:
        return Scanned(name, labels, picture, None, (fault_of(error, rule="bad-picture"),), place=place)
    try:
        lines = text_lines(labels) if labels is not None else []
    except DataError as error:
        return Scanned(name, labels, picture, None, (fault_of(error, rule="unreadable"),), place=place)
    found: list[AnnotatedObject] = []
    faults: list[Fault] = []
    for number, line in enumerate(lines, start=1):
        try:
            found.append(_object(line.split(), number, classes, width=width, height=height))
        except BoxError as error:
            faults.append(Fault(error.rule, str(error), number, who=shown_name(line.strip())))
    return Scanned(name, labels, picture, Annotation(width, height, tuple(found), tuple(faults)), place=place)


def _object(
    words: list[str], number: int, classes: tuple[str, ...], *, width: int, height: int
) -> AnnotatedObject:
    """One line; a BoxError where a rule is broken."""
    if len(words) != 5 or not all(is_number(word) for word in words):
        raise BoxError("a line must be a class and 4 numbers", rule="row")
    if not words[0].isdecimal() or (classes and int(words[0]) >= len(classes)):
        most = f"0–{len(classes) - 1}" if classes else "a whole number"
        raise BoxError(f"a class must be {most}, got {words[0]}", rule="category")
    label = int(words[0])
    edges = yolo_edges(words[1:], width=width, height=height)
    box = check_box(edges, width=width, height=height)
    name = classes[label] if classes else f"class {label}"
    return AnnotatedObject(name, box.box_px, number=number, clipped=box.clipped)


def _class_names(root: Path) -> tuple[str, ...]:
    """The names of ``classes.txt``, ``obj.names`` or ``data.yaml``; none where there is no such file."""
    listed = listed_classes(root)
    yamls = [path for path in sorted(root.glob("*.y*ml")) if path.is_file()]
    if listed or not yamls:
        return listed
    names = _yaml_names("\n".join(text_lines(yamls[0])))
    if not names:
        raise DataError(
            f"{shown_name(yamls[0].name)}: 'names' must list the classes, one a line or in brackets; "
            "write them so, or one a line into classes.txt."
        )
    return names


def _yaml_names(text: str) -> tuple[str, ...]:
    """The list ``names`` of a ``data.yaml``: in brackets, with dashes, or with numbers."""
    block = re.search(
        r"^names:[ \t]*(\[[^\]]*\]|\{[^}]*\})?[^\n]*\n?((?:[ \t]*(?:-|\d+[ \t]*:)[^\n]*\n?)*)", text, re.M
    )
    if block is None:
        return ()
    if block[1]:
        items = [item.strip() for item in block[1][1:-1].split(",")]
    else:
        items = [line.strip().removeprefix("-") for line in block[2].splitlines()]
    names = [_unquoted(re.sub(r"^\d+[ \t]*:", "", item.strip())) for item in items if item.strip()]
    return tuple(names) if all(names) and len(set(names)) == len(names) else ()


def _unquoted(text: str) -> str:
    """A YAML string without its quotes and without the comment behind it."""
    text = text.strip()
    if text.startswith('"'):
        try:
            value, _ = json.JSONDecoder().raw_decode(text)
        except ValueError:
            return ""
        return str(value)
    if text.startswith("'"):
        return text[1:].split("'", 1)[0]
    return text.split(" #", 1)[0].strip()
