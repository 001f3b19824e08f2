"""The lesson's two CSV tables: file → classes, and file → boxes and classes.

``fn,clas`` holds the names of a picture's classes, separated by spaces. ``fn,bbox`` holds four
numbers for each box, separated by spaces: top, left, bottom, right, rows before columns, counted
from 0 and inclusive. A third column ``clas`` names the class of each box in turn; a table without
it says nothing of classes, and every box is an "object".
"""

from __future__ import annotations

import csv
from pathlib import Path

from ssd.data.annotations import AnnotatedObject, Annotation, Fault, check_box
from ssd.data.decimals import is_number, shifted
from ssd.data.images import shown_name
from ssd.data.layouts import Layout, is_table, known_sizes, pictures_beside, text_lines
from ssd.data.paths import composed, safe_join
from ssd.data.scanned import Scan, Scanned
from ssd.data.splits import TRAIN, VAL, counted_split
from ssd.errors import BoxError, DataError

__all__ = ["NO_CLASS", "read_class_table", "scan_tables", "table_splits"]

NO_CLASS = "object"
LAST = (0, 0, 1, 1)  # what makes left, top, right, bottom, inclusive, into edges
_PREFIX = "boxes_"


def read_class_table(path: Path) -> dict[str, tuple[str, ...]]:
    """The table of classes: which a picture holds, without boxes.

    Args:
        path: a CSV file with the header ``fn,clas``.

    Returns:
        File name to the names of its classes, in the table's order.

    Raises:
        DataError: it is another table, or a row cannot be understood.
    """
    if not is_table(path, boxes=False):
        raise DataError(
            f"{shown_name(path.name)}: a table of classes must begin with fn,clas; choose another one."
        )
    found: dict[str, tuple[str, ...]] = {}
    for number, row in enumerate(csv.reader(text_lines(path)[1:]), start=2):
        if len(row) != 2 or row[0] in found:
            raise DataError(
                f"{shown_name(path.name)}, row {number}: needs a file name that stands once, and its classes."
            )
        found[row[0]] = tuple(row[1].split())
    return found


def table_splits(layout: Layout) -> tuple[str, ...]:
    """The parts of a folder of tables: one for each; of a single table the two made by counting.

    Args:
        layout: of the tables.

    Returns:
        Names of the tables without ``boxes_``, or ``train`` and ``val``.
    """
    return tuple(_files(layout)) if len(layout.files) > 1 else (TRAIN, VAL)


def scan_tables(layout: Layout, *, split: str) -> Scan:
    """Read one table of boxes, or those of a folder; no picture is opened.

    Args:
        layout: of the tables.
        split: ``all``, or a table's name without ``boxes_``; of a single one also ``train``, ``val``.

    Returns:
        A picture for each row. Where a picture's size is not known its annotation has width 0.

    Raises:
        DataError: there is no such table, or it cannot be read.
    """
    chosen = counted_split(_files(layout), split=split, shown=layout.root.name)
    rows = _Rows(known_sizes(layout.root), pictures_beside(layout.root))
    for file in chosen.files:
        rows.read(file)
    names = {o.name for each in rows.scanned if each.annotation for o in each.annotation.objects}
    return Scan(
        layout.root,
        "lesson-csv",
        split,
        chosen.of(rows.scanned),
        tuple(rows.faults),
        classes=tuple(sorted(names)),
    )


def _files(layout: Layout) -> dict[str, Path]:
    """Split to table."""
    return {path.stem.removeprefix(_PREFIX): path for path in layout.files}


class _Rows:
    """Rows of tables, made into pictures."""

    def __init__(self, sizes_wh: dict[str, tuple[int, int]], pictures: dict[str, Path]) -> None:
        self.sizes_wh, self.pictures = sizes_wh, pictures
        self.scanned: list[Scanned] = []
        self.faults: list[Fault] = []

    def read(self, file: Path) -> None:
        """All rows of one table."""
        try:
            rows = list(csv.reader(text_lines(file), strict=True))
        except csv.Error as error:
            self.faults.append(
                Fault("row", f"{shown_name(file.name)}: no CSV table ({error}); save it again.")
            )
            return
        for number, row in enumerate(rows[1:], start=2):
            place = f"{shown_name(file.name)}, row {number}"
            try:
                if len(row) != len(rows[0]):
                    raise DataError(f"needs {len(rows[0])} columns, got {len(row)}.", rule="row")
                safe_join(Path(), row[0])
                boxes, classes = row[1].split(), row[2].split() if len(row) > 2 else None
                if len(boxes) % 4 or (classes is not None and len(classes) != len(boxes) // 4):
                    raise DataError("needs four numbers for each box, and a class for each.", rule="row")
            except DataError as error:
                self.faults.append(Fault(error.rule or "file-name", f"{place}: {error}"))
                continue
            self._add(file, row[0], boxes, classes or [NO_CLASS] * (len(boxes) // 4), place=place)

    def _add(self, file: Path, name: str, boxes: list[str], classes: list[str], *, place: str) -> None:
        """One picture."""
        stem = name.rsplit("/", 1)[-1].rsplit(".", 1)[0]
        width, height = self.sizes_wh.get(stem, (0, 0))
        found, faults = [], []
        for number, category in enumerate(classes, start=1):
            words = boxes[4 * number - 4 : 4 * number]
            try:
                found.append(_object(words, number, category, width=width, height=height))
            except BoxError as error:
                faults.append(Fault(error.rule, str(error), number, who=category, category=category))
        annotation = Annotation(width, height, tuple(found), tuple(faults))
        picture = self.pictures.get(composed(stem))
        self.scanned.append(Scanned(stem, file, picture, annotation, (), None, name, f"{place}, "))


def _object(words: list[str], number: int, category: str, *, width: int, height: int) -> AnnotatedObject:
    """One box; a BoxError where a rule is broken."""
    if not all(is_number(word) for word in words):
        raise BoxError(f"a box must be four numbers, got {' '.join(words)}", rule="no-number")
    top, left, bottom, right = words
    written = (left, top, right, bottom)
    x1, y1, x2, y2 = (shifted(word, by) for word, by in zip(written, LAST, strict=True))
    box = check_box(
        [float(word) for word in written], width=width, height=height, continuous=(x1, y1, x2, y2)
    )
    return AnnotatedObject(category, box.box_px, number=number, clipped=box.clipped)
