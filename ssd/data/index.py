"""Many annotation files at once: each is parsed once, then known by the digest of its content.

What was parsed is kept in the user's cache folder, a file for each data set. Every annotation
file is read every time and held against its SHA-256, so a file that was changed is parsed again,
whatever its date says. The data set itself is never written to.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ssd.data.annotations import AnnotatedObject, Annotation, Fault
from ssd.data.scanned import fault_of
from ssd.data.voc import parse_voc, read_annotation_bytes
from ssd.errors import DataError, SSDError
from ssd.limits import MAX_ANNOTATION_BYTES
from ssd.storage import cache_folder, write_file

__all__ = ["WORTH_KEEPING", "index_file", "read_voc_files"]

WORTH_KEEPING = 200  # files; fewer are parsed in the time that it takes to look them up
_KEPT_INDEXES = 40  # the oldest beyond this are deleted
_FORMAT = "ssd-explorer index 1"


def read_voc_files(root: Path, files: Mapping[str, Path]) -> dict[str, Annotation | Fault]:
    """Read VOC files, from the index where their content has been seen before.

    Args:
        root: of the data set, which the index is named after.
        files: name to XML file.

    Returns:
        The annotation of each name; a fault where its file cannot be used.
    """
    large = len(files) >= WORTH_KEEPING
    kept = _read_index(index_file(root)) if large else {}
    found: dict[str, Annotation | Fault] = {}
    packed: dict[str, list[Any]] = {}
    for name, path in files.items():
        try:
            data = read_annotation_bytes(path, limit=MAX_ANNOTATION_BYTES)
            digest = hashlib.sha256(data).hexdigest()
            annotation = _unpacked(kept[digest]) if digest in kept else parse_voc(data, name=path.name)
        except DataError as error:
            found[name] = fault_of(error, rule="xml")
            continue
        found[name] = annotation
        if large:
            packed[digest] = kept.get(digest) or _packed(annotation)
    if large and packed.keys() != kept.keys():
        _write_index(index_file(root), packed)
    return found


def index_file(root: Path) -> Path:
    """Where the index of a data set is kept.

    Args:
        root: of the data set.

    Returns:
        A file in this user's cache folder, named after a digest of the folder's path.
    """
    digest = hashlib.sha256(str(root.resolve()).encode("utf-8", "surrogateescape")).hexdigest()
    return cache_folder() / "index" / f"{digest[:32]}.json"


def _packed(annotation: Annotation) -> list[Any]:
    """An annotation as JSON."""
    objects = [
        [o.name, o.box_px, o.number, *map(int, (o.difficult, o.crowd, o.truncated, o.occluded, o.clipped))]
        for o in annotation.objects
    ]
    faults = [[f.rule, f.text, f.number, f.who, f.values, f.category] for f in annotation.faults]
    return [annotation.width, annotation.height, objects, faults]


def _unpacked(row: list[Any]) -> Annotation:
    """The annotation of :func:`_packed`."""
    width, height, objects, faults = row
    found = tuple(
        AnnotatedObject(sys.intern(name), (x1, y1, x2, y2), bool(hard), bool(crowd), bool(cut), bool(hidden),
                        number, bool(clipped))
        for name, (x1, y1, x2, y2), number, hard, crowd, cut, hidden, clipped in objects
    )  # fmt: skip
    bad = tuple(
        Fault(rule, text, number, who, tuple(values), category)
        for rule, text, number, who, values, category in faults
    )
    return Annotation(width, height, found, bad)


def _read_index(path: Path) -> dict[str, list[Any]]:
    """What is kept; nothing where the file is missing, damaged or of another format."""
    try:
        head, _, body = path.read_bytes().partition(b"\n")
        if head.decode("ascii") != f"{_FORMAT} {hashlib.sha256(body).hexdigest()}":
            return {}
        kept: dict[str, list[Any]] = json.loads(body)
        return kept
    except (OSError, ValueError):
        return {}


def _write_index(path: Path, packed: dict[str, list[Any]]) -> None:
    """Keep what was parsed; a full or read-only disk is no reason to stop."""
    body = json.dumps(packed, separators=(",", ":")).encode()
    head = f"{_FORMAT} {hashlib.sha256(body).hexdigest()}\n".encode("ascii")
    with suppress(SSDError, OSError):
        write_file(path, head + body)
        indexes = sorted(path.parent.glob("*.json"), key=lambda each: each.stat().st_mtime)
        for old in indexes[:-_KEPT_INDEXES]:
            old.unlink(missing_ok=True)
