"""The lenient reader: a data set of any layout in one pass, good and bad; see :mod:`ssd.data.scanned`.

``scan_dataset`` is what the data doctor works on, and what ``open_dataset`` makes strict. The
records, and how to use them, stand at the top of ``ssd/data/scanned.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ssd.data.coco_folders import coco_splits, scan_coco
from ssd.data.layouts import Layout, find_layout
from ssd.data.lesson_tables import scan_tables, table_splits
from ssd.data.scanned import Kind, Scan, Scanned, sized
from ssd.data.text_lists import scan_text, text_splits
from ssd.data.voc_folders import scan_voc, voc_splits
from ssd.data.yolo import scan_yolo, yolo_splits

__all__ = ["Scan", "Scanned", "dataset_splits", "scan_dataset", "sized"]

_SCANS: dict[Kind, Callable[..., Scan]] = {
    "voc": scan_voc,
    "flat": scan_voc,
    "coco": scan_coco,
    "lesson-json": scan_coco,
    "yolo": scan_yolo,
    "text": scan_text,
    "lesson-csv": scan_tables,
}


def scan_dataset(path: str | Path, *, split: str = "all") -> Scan:
    """Read everything that a data set says about its pictures, and open none of them.

    Args:
        path: a folder of any layout, or one COCO JSON, CSV table or text list.
        split: ``all`` or the name of a part, as for ``open_dataset``.

    Returns:
        Every picture with its objects and its faults, in the order of the split.

    Raises:
        DataError: there is no data set, or no such split. Anything else that is bad is a
            fault in the record.
    """
    layout = find_layout(Path(path))
    return _SCANS[layout.kind](layout, split=split)


def dataset_splits(path: str | Path) -> tuple[str, ...]:
    """The parts of a data set, without ``all``.

    Args:
        path: as for ``scan_dataset``.

    Returns:
        Names as files give them; ``train`` and ``val`` where every fifth picture is ``val``.

    Raises:
        DataError: there is no data set.
    """
    layout = find_layout(Path(path))
    return _split_names(layout)


def _split_names(layout: Layout) -> tuple[str, ...]:
    """The parts that files name, or the two that are made by counting."""
    if layout.kind in ("coco", "lesson-json"):
        return tuple(coco_splits(layout))
    named = {"yolo": yolo_splits, "text": text_splits, "lesson-csv": table_splits}
    return named[layout.kind](layout) if layout.kind in named else voc_splits(layout)
