"""Boxes as plain text, with or without pictures: a line for each picture.

``<file> x1 y1 x2 y2 c [x1 y1 x2 y2 c …]``: corners in pixels, from 1 and inclusive as VOC's;
``c`` counts the classes of ``classes.txt`` beside the list from 0; without that file, VOC's in
alphabetical order. Beside a list, ``<list>_name_size.txt`` may hold ``<file stem> HEIGHT WIDTH``
(without a picture's size its boxes are no shares of it) and ``<list>_difficult.txt`` a line
``<file> 0 1 …`` with a flag for each box.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ssd.data.annotations import AnnotatedObject, Annotation, Fault, check_box
from ssd.data.decimals import is_number, shifted
from ssd.data.images import shown_name
from ssd.data.layouts import CLASS_FILES, TEXT_FLAGS, Layout, known_sizes, pictures_beside, text_lines
from ssd.data.paths import composed, safe_join
from ssd.data.scanned import Scan, Scanned
from ssd.data.splits import TRAIN, VAL, counted_split
from ssd.data.voc import FIRST
from ssd.errors import BoxError, DataError

__all__ = ["VOC_CLASSES", "listed_classes", "scan_text", "text_splits"]

VOC_CLASSES = (
    "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow", "diningtable",
    "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor",
)  # fmt: skip
_FIELDS = 5  # x1 y1 x2 y2 c


def text_splits(layout: Layout) -> tuple[str, ...]:
    """The parts of a folder of lists: one for each; of a single list the two made by counting.

    Args:
        layout: of the lists.

    Returns:
        Stems of the lists, or ``train`` and ``val``.
    """
    return tuple(path.stem for path in layout.files) if len(layout.files) > 1 else (TRAIN, VAL)


def scan_text(layout: Layout, *, split: str) -> Scan:
    """Read one list, or those of a folder; no picture is opened.

    Args:
        layout: of the lists.
        split: ``all``, or the stem of a list; of a single list also ``train`` and ``val``.

    Returns:
        A picture for each line; one that several lists name with the same boxes is there once.
        Where a picture's size is not known its annotation has width 0.

    Raises:
        DataError: there is no such list, or it cannot be read.
    """
    files = {path.stem: path for path in layout.files}
    chosen = counted_split(files, split=split, shown=layout.root.name)
    classes = listed_classes(layout.root) or VOC_CLASSES
    reader = _Lines(classes, known_sizes(layout.root), pictures_beside(layout.root))
    for file in chosen.files:
        reader.read(file)
    scanned = chosen.of(reader.scanned)
    return Scan(layout.root, "text", split, scanned, tuple(reader.faults), classes=classes)


def listed_classes(root: Path) -> tuple[str, ...]:
    """The names of ``classes.txt``, one a line; none where there is no such file.

    Args:
        root: the folder.

    Returns:
        Names in their order.

    Raises:
        DataError: a name stands twice, or the file cannot be read.
    """
    for name in CLASS_FILES:
        if (root / name).is_file():
            names = tuple(line.strip() for line in text_lines(root / name))
            if len(set(names)) < len(names):
                raise DataError(f"{name}: every class must stand once; rename or delete what is double.")
            return names
    return ()


class _Lines:
    """Lines of lists, made into pictures."""

    def __init__(
        self, classes: tuple[str, ...], sizes_wh: dict[str, tuple[int, int]], pictures: dict[str, Path]
    ) -> None:
        self.classes, self.sizes_wh, self.pictures = classes, sizes_wh, pictures
        self.scanned: list[Scanned] = []
        self.faults: list[Fault] = []

    def read(self, file: Path) -> None:
        """All lines of one list."""
        flags = _flags(file)
        for number, line in enumerate(text_lines(file), start=1):
            words, place = line.split(), f"{shown_name(file.stem)}, line {number}"
            try:
                safe_join(Path(), words[0])
            except DataError as error:
                self.faults.append(Fault("file-name", f"{place}: {error}"))
                continue
            if len(words) % _FIELDS != 1:
                self.faults.append(Fault("row", f"{place}: needs a file name and five numbers an object."))
                continue
            stem = words[0].rsplit("/", 1)[-1].rsplit(".", 1)[0]
            size_wh = self.sizes_wh.get(stem, (0, 0))
            annotation = self._annotation(words[1:], size_wh, flags.get(words[0], ()))
            picture = self.pictures.get(composed(stem))
            self.scanned.append(Scanned(stem, file, picture, annotation, (), None, words[0], f"{place}, "))

    def _annotation(self, words: list[str], size_wh: tuple[int, int], flags: Sequence[bool]) -> Annotation:
        """The objects of one line."""
        found, faults = [], []
        for first in range(0, len(words), _FIELDS):
            number, row = first // _FIELDS + 1, words[first : first + _FIELDS]
            difficult = number <= len(flags) and flags[number - 1]
            try:
                found.append(self._object(row, number, size_wh, difficult=difficult))
            except BoxError as error:
                values = tuple(float(word) for word in row[:4] if is_number(word))
                faults.append(
                    Fault(error.rule, str(error), number, values=values if len(values) == 4 else ())
                )
        return Annotation(size_wh[0], size_wh[1], tuple(found), tuple(faults))

    def _object(
        self, row: list[str], number: int, size_wh: tuple[int, int], *, difficult: bool
    ) -> AnnotatedObject:
        """Four corners and a class."""
        if not all(is_number(word) for word in row):
            raise BoxError(f"four corners and a class must be numbers, got {' '.join(row)}", rule="no-number")
        label = float(row[4])
        if label not in range(len(self.classes)):
            raise BoxError(f"a class must be 0–{len(self.classes) - 1}, got {row[4]}", rule="category")
        x1, y1, x2, y2 = (shifted(word, by) for word, by in zip(row[:4], FIRST, strict=True))
        box = check_box(
            [float(word) for word in row[:4]],
            width=size_wh[0],
            height=size_wh[1],
            one_based=True,
            continuous=(x1, y1, x2, y2),
        )
        name = self.classes[int(label)]
        return AnnotatedObject(name, box.box_px, difficult, number=number, clipped=box.clipped)


def _flags(file: Path) -> dict[str, list[bool]]:
    """Which boxes of each picture are difficult, where a file says so."""
    beside = file.with_name(f"{file.stem}{TEXT_FLAGS}.txt")
    if not beside.is_file():
        return {}
    rows = (line.split() for line in text_lines(beside))
    return {words[0]: [word == "1" for word in words[1:]] for words in rows}
