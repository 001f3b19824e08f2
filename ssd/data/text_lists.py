"""Boxes as plain text, without pictures: a line for each picture.

``<file> x1 y1 x2 y2 c [x1 y1 x2 y2 c …]``: corners in pixels, from 1 and inclusive as VOC's;
``c`` counts VOC's classes in alphabetical order from 0. Beside a list, ``<list>_name_size.txt``
may hold ``<file stem> HEIGHT WIDTH``: without a picture's size its boxes are no shares of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ssd.data.annotations import AnnotatedObject, Annotation, check_box
from ssd.data.images import shown_name
from ssd.data.paths import plain_files
from ssd.data.voc import read_annotation_bytes
from ssd.errors import BoxError, DataError
from ssd.limits import MAX_TEXT_LIST_BYTES

VOC_CLASSES = (
    "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow", "diningtable",
    "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor",
)  # fmt: skip
_SIZES, _FLAGS = "_name_size", "_difficult"
_FIELDS = 5  # x1 y1 x2 y2 c


@dataclass(frozen=True)
class TextList:
    """The pictures of one or more lists.

    Attributes:
        annotations: of each line whose picture's size is known; a file named twice counts twice.
        size_unknown: objects of the other pictures.
        problems: a sentence for each line or box that breaks a rule.
    """

    annotations: tuple[Annotation, ...]
    size_unknown: int
    problems: tuple[str, ...] = field(default=())


def is_text_list(path: Path) -> bool:
    """Whether a path is a list, or a folder that holds some."""
    return bool(_list_files(path))


def read_text_lists(
    path: Path, *, split: str = "all", sizes_wh: Mapping[str, tuple[int, int]] | None = None
) -> TextList:
    """Read one list, or those of a folder.

    Args:
        path: a list, or a folder of lists.
        split: ``all``, or the stem of a list of the folder.
        sizes_wh: width and height of pictures by file stem, beside those that the folder has.

    Returns:
        The boxes; bad ones are left out and named.

    Raises:
        DataError: there is no such list, or it cannot be read.
    """
    files = _list_files(path)
    if split != "all" and split not in files:
        raise DataError(
            f"{shown_name(path.name)}: there is no list '{shown_name(split)}'; "
            f"choose one of {', '.join(['all', *files])}."
        )
    known = {**(sizes_wh or {}), **_read_sizes(path)}
    annotations: list[Annotation] = []
    problems: list[str] = []
    unknown = 0
    for name in files if split == "all" else [split]:
        for number, line in enumerate(_lines(files[name]), start=1):
            words = line.split()
            stem = words[0].rsplit("/", 1)[-1].rsplit(".", 1)[0]
            if len(words) % _FIELDS != 1:
                problems.append(f"{name}, line {number}: needs a file name and five numbers an object.")
            elif stem in known:
                place = f"{name}, line {number}"
                annotations.append(_annotation(words, known[stem], problems, place=place))
            else:
                unknown += len(words) // _FIELDS
    return TextList(tuple(annotations), unknown, tuple(problems))


def _list_files(path: Path) -> dict[str, Path]:
    """The lists by stem: those whose first line holds objects."""
    files = {path.stem: path} if path.suffix == ".txt" else {}
    if path.is_dir():
        files = {
            n: p for n, p in plain_files(path, suffixes=(".txt",)).items() if not n.endswith((_SIZES, _FLAGS))
        }
    return {name: file for name, file in files.items() if file.is_file() and _holds_objects(file)}


def _holds_objects(file: Path) -> bool:
    """Whether the first line is a file name and five numbers, or a multiple."""
    with open(file, "rb") as stream:
        words = stream.readline(100_000).split()
    return len(words) > _FIELDS and len(words) % _FIELDS == 1 and all(_is_number(word) for word in words[1:])


def _is_number(word: bytes | str) -> bool:
    """Whether a word is a number."""
    try:
        float(word)
    except ValueError:
        return False
    return True


def _read_sizes(path: Path) -> dict[str, tuple[int, int]]:
    """Width and height by file stem, from every size file of the folder."""
    folder = path if path.is_dir() else path.parent
    sizes = {}
    for name, file in plain_files(folder, suffixes=(".txt",)).items():
        if name.endswith(_SIZES):
            for line in _lines(file):
                words = line.split()
                if len(words) == 3 and words[1].isdecimal() and words[2].isdecimal():
                    sizes[words[0]] = (int(words[2]), int(words[1]))
    return sizes


def _lines(file: Path) -> list[str]:
    """The lines that are not empty."""
    data = read_annotation_bytes(file, limit=MAX_TEXT_LIST_BYTES)
    return [line for line in data.decode("utf-8-sig", errors="replace").splitlines() if line.strip()]


def _annotation(words: list[str], size_wh: tuple[int, int], problems: list[str], *, place: str) -> Annotation:
    """The objects of one line; a bad one becomes a sentence."""
    found = []
    for first in range(1, len(words), _FIELDS):
        number = first // _FIELDS + 1
        try:
            *edges, label = (float(word) for word in words[first : first + _FIELDS])
            box = check_box(edges, width=size_wh[0], height=size_wh[1], one_based=True)
            found.append(AnnotatedObject(VOC_CLASSES[_class_index(label)], box.box_px))
        except BoxError as error:
            problems.append(f"{place}, object {number}: {error}.")
        except (ValueError, IndexError):
            problems.append(f"{place}, object {number}: needs four corners and a class 0–19.")
    return Annotation(size_wh[0], size_wh[1], tuple(found))


def _class_index(label: float) -> int:
    """A whole number that is not negative."""
    if label < 0 or label != int(label):
        raise ValueError
    return int(label)
