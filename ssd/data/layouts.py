"""Where the files of a data set lie: the layouts, recognised by what is there, never by a setting."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ssd.data.images import shown_name
from ssd.data.paths import PICTURE_SUFFIXES, leaves, plain_files
from ssd.data.scanned import Kind
from ssd.data.voc import read_annotation_bytes
from ssd.errors import DataError
from ssd.limits import MAX_TEXT_LIST_BYTES

TEXT_SIZES, TEXT_FLAGS = "_name_size", "_difficult"  # beside a text list or a table
CLASS_FILES = ("classes.txt", "obj.names")
_BOX_HEADERS = ("fn,bbox", "fn,bbox,clas")
_CLASS_HEADER = "fn,clas"
_LINE_BYTES = 100_000
_PICTURE_PLACES = (".", "JPEGImages", "images", "VOCdevkit/VOC2007/JPEGImages", "../JPEGImages", "../images")


@dataclass(frozen=True)
class Layout:
    """A data set's folder and its kind; for lists and tables the files that hold the objects."""

    kind: Kind
    root: Path
    files: tuple[Path, ...] = ()


def find_layout(path: Path) -> Layout:
    """Recognise the layout of a folder, or of one file that holds a whole part.

    Args:
        path: the folder; or a COCO JSON, a CSV table, a text list or YOLO's ``data.yaml``.

    Returns:
        Kind and root.

    Raises:
        DataError: nothing is there, or no layout is recognised; where one lies in a
            folder below, the message names it.
    """
    shown = shown_name(path.name or str(path))
    if path.is_file():
        return _layout_of_file(path)
    if not path.is_dir():
        raise DataError(f"{shown}: a data set must be a folder that exists; check the path.")
    layout = _layout_here(path) or _layout_inside(path)
    if layout is not None:
        return layout
    below = [child for child in _folders(path) if _layout_here(child)]
    if below:
        raise DataError(
            f"{shown}: no data set here, but found {shown_name(below[0].name)} one level below; "
            "open that folder."
        )
    raise DataError(
        f"{shown}: a data set needs Annotations and JPEGImages (VOC), an XML beside each picture, "
        "annotations/instances_<split>.json (COCO), images and labels (YOLO), a CSV table or text lists "
        "of boxes, found none of them; choose the folder that holds them."
    )


def box_tables(folder: Path) -> tuple[Path, ...]:
    """The lesson's tables of boxes in a folder.

    Args:
        folder: where they lie.

    Returns:
        CSV files whose first line says so, sorted by name.
    """
    return tuple(p for p in plain_files(folder, suffixes=(".csv",)).values() if is_table(p, boxes=True))


def is_table(path: Path, *, boxes: bool) -> bool:
    """Whether a CSV file is one of the lesson's tables.

    Args:
        path: a plain file.
        boxes: the table of boxes, else that of classes.

    Returns:
        Whether its header is that of the table.
    """
    header = _first_line(path).decode("utf-8-sig", errors="replace").strip().lower()
    return header in _BOX_HEADERS if boxes else header == _CLASS_HEADER


def text_lists(path: Path) -> tuple[Path, ...]:
    """The plain text lists of boxes: one file, or those of a folder.

    Args:
        path: a list or a folder.

    Returns:
        Files whose first line is a file name and five numbers, or a multiple; sorted by name.
    """
    files: tuple[Path, ...] = (path,) if path.suffix == ".txt" and path.is_file() else ()
    if path.is_dir():
        found = plain_files(path, suffixes=(".txt",))
        files = tuple(p for n, p in found.items() if not n.endswith((TEXT_SIZES, TEXT_FLAGS)))
    return tuple(file for file in files if _holds_objects(file))


def pictures_beside(root: Path) -> dict[str, Path]:
    """The pictures that a list or table may mean, wherever they usually lie.

    Args:
        root: folder of the list.

    Returns:
        File stem to path, from the list's own folder and those that hold pictures beside it.
    """
    found: dict[str, Path] = {}
    for place in _PICTURE_PLACES:
        for stem, path in plain_files(root / place, suffixes=PICTURE_SUFFIXES).items():
            found.setdefault(stem, path)
    return found


def known_sizes(root: Path) -> dict[str, tuple[int, int]]:
    """Width and height by file stem, from every size file of a folder.

    Args:
        root: holds ``<list>_name_size.txt`` with lines ``<file stem> HEIGHT WIDTH``.

    Returns:
        Pixels across and down; empty where there is no such file.
    """
    sizes = {}
    for name, file in plain_files(root, suffixes=(".txt",)).items():
        for line in text_lines(file) if name.endswith(TEXT_SIZES) else ():
            words = line.split()
            if len(words) == 3 and words[1].isdecimal() and words[2].isdecimal():
                sizes[words[0]] = (int(words[2]), int(words[1]))
    return sizes


def text_lines(file: Path) -> list[str]:
    """The lines of a text file that are not empty.

    Args:
        file: at most ``MAX_TEXT_LIST_BYTES``.

    Returns:
        Text; what is not UTF-8 is replaced.

    Raises:
        DataError: it cannot be read.
    """
    data = read_annotation_bytes(file, limit=MAX_TEXT_LIST_BYTES)
    return [line for line in data.decode("utf-8-sig", errors="replace").splitlines() if line.strip()]


def is_number_word(word: bytes | str) -> bool:
    """Whether a word is a number, of any kind.

    Args:
        word: to be looked at.

    Returns:
        True where Python reads it as a float.
    """
    try:
        float(word)
    except ValueError:
        return False
    return True


def _layout_of_file(path: Path) -> Layout:
    """One file that holds the objects of many pictures."""
    suffix, root = path.suffix.lower(), path.parent
    if suffix == ".json":
        return Layout("lesson-json" if path.name.startswith("pascal_") else "coco", root, (path,))
    if suffix in (".yaml", ".yml"):
        return Layout("yolo", root)
    if suffix == ".csv" and is_table(path, boxes=True):
        return Layout("lesson-csv", root, (path,))
    if suffix == ".csv" and is_table(path, boxes=False):
        raise DataError(
            f"{shown_name(path.name)}: this table names the classes of each picture and has no boxes; "
            "open the table of boxes, or read it with read_class_table."
        )
    if text_lists(path):
        return Layout("text", root, (path,))
    raise DataError(
        f"{shown_name(path.name)}: a file must be a COCO JSON, a CSV table of boxes, a text list of boxes "
        "or YOLO's data.yaml to be opened; choose another file or a folder."
    )


def _layout_here(folder: Path) -> Layout | None:
    """The layout whose root is exactly this folder."""
    if jsons := _own(folder, (folder / "annotations").glob("instances_*.json")):
        return Layout("coco", folder, jsons)
    for place in (folder, folder / "PASCAL_VOC"):
        if jsons := _own(folder, place.glob("pascal_*.json")):
            return Layout("lesson-json", folder, jsons)
    if (folder / "Annotations").is_dir():
        return Layout("voc", folder)
    if _is_yolo(folder):
        return Layout("yolo", folder)
    if plain_files(folder, suffixes=(".xml",)):
        return Layout("flat", folder)
    if tables := box_tables(folder):
        return Layout("lesson-csv", folder, tables)
    return Layout("text", folder, lists) if (lists := text_lists(folder)) else None


def _own(folder: Path, files: Iterable[Path]) -> tuple[Path, ...]:
    """Those of a folder's files that are no link out of it, sorted."""
    return tuple(sorted(file for file in files if not leaves(file, folder)))


def _is_yolo(folder: Path) -> bool:
    """Labels in a folder of their own, or of each part; or beside the pictures, with the classes' names."""
    if (folder / "labels").is_dir():
        return True
    if any((child / "labels").is_dir() and (child / "images").is_dir() for child in _folders(folder)):
        return True
    return any((folder / name).is_file() for name in CLASS_FILES) and any(
        (folder / f"{stem}.txt").is_file() for stem in plain_files(folder, suffixes=(".jpg", ".jpeg", ".png"))
    )


def _layout_inside(folder: Path) -> Layout | None:
    """The official VOCdevkit/VOC20xx, or one subfolder that is flat."""
    years = [child for child in _folders(folder / "VOCdevkit") if (child / "Annotations").is_dir()]
    if len(years) == 1:
        return Layout("voc", years[0])
    flat = [found for child in _folders(folder) if (found := _layout_here(child)) and found.kind == "flat"]
    return flat[0] if len(flat) == 1 else None


def _folders(folder: Path) -> list[Path]:
    """Folders of a folder, sorted; none where it is no folder, and no links out of it."""
    if not folder.is_dir():
        return []
    real = os.path.realpath(folder)
    return sorted(
        child for child in folder.iterdir() if child.is_dir() and child.resolve().is_relative_to(real)
    )


def _first_line(file: Path) -> bytes:
    """The first line of a plain file; empty where it cannot be read."""
    try:
        with open(file, "rb") as stream:
            return stream.readline(_LINE_BYTES)
    except OSError:
        return b""


def _holds_objects(file: Path) -> bool:
    """Whether the first line is a file name and five numbers, or a multiple."""
    words = _first_line(file).split()
    return len(words) > 5 and len(words) % 5 == 1 and all(is_number_word(word) for word in words[1:])
