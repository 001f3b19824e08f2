"""The one door to data sets: a folder of any layout, opened strictly.

* **VOC devkit**: ``Annotations/``, ``JPEGImages/`` and, where there are splits,
  ``ImageSets/Main/<split>.txt``; the folder itself, or one that holds ``VOCdevkit/VOC2007``.
* **flat**: an XML beside each picture; the folder itself, or one with a single such subfolder.
* **COCO**: ``annotations/instances_<split>.json`` and the pictures in ``<split>/`` (or
  ``images/<split>/``, ``images/``, the folder itself).
* **the lesson's** ``pascal_<split>.json`` and its CSV table of boxes, **YOLO**, and plain
  **text lists**: docs/data.md.

What is there is read by :mod:`ssd.data.scan`; here everything that breaks a rule is left out and
named. Nothing in a data set is ever written.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ssd.data.annotations import Annotation, annotation_to_target
from ssd.data.images import Picture, read_picture, read_picture_bytes, shown_name
from ssd.data.records import Sample, Target
from ssd.data.scan import Scan, Scanned, scan_dataset, sized
from ssd.data.scanned import Kind
from ssd.errors import ConfigError, DataError

MAX_LISTED = 20  # problems in one message
_ENOUGH = 3  # where none of the pictures can be used, they mostly share a cause
_WHOLE_FILE = ("json", "too-large", "unreadable")  # a COCO file that cannot be read is a part that is gone


@dataclass(frozen=True)
class Entry:
    """One picture of a data set.

    Attributes:
        name: file stem.
        picture: its file; None where only its boxes are known, as in a text list.
        annotation: its objects; the size is known.
        image_id: COCO's number of the picture; None for the other layouts.
    """

    name: str
    picture: Path | None
    annotation: Annotation
    image_id: int | None = None


@dataclass(frozen=True)
class DataSet:
    """Annotated pictures; files of pictures are opened one by one, when asked for.

    Attributes:
        root: the folder.
        kind: its layout.
        split: which part.
        classes: class names in label order (label 1 first): alphabetical for VOC and tables, by
            category id for COCO, as listed for YOLO and text lists, or as asked for.
        entries: one for each picture.
        problems: a sentence for everything that was left out or changed.
        category_ids: COCO's id of each class; None for VOC.
    """

    root: Path
    kind: Kind
    split: str
    classes: tuple[str, ...]
    entries: tuple[Entry, ...]
    problems: tuple[str, ...]
    category_ids: tuple[int, ...] | None = None

    def __len__(self) -> int:
        return len(self.entries)

    @property
    def names(self) -> tuple[str, ...]:
        """File stem of each picture."""
        return tuple(entry.name for entry in self.entries)

    def target(self, index: int) -> Target:
        """The objects of a picture, without opening it.

        Objects of a class that was not asked for have label ``BACKGROUND`` and ``ignore`` set.
        """
        annotation = self.entries[index].annotation
        return annotation_to_target(
            annotation, classes=self.classes, width=annotation.width, height=annotation.height
        )

    def picture(self, index: int) -> Picture:
        """The picture.

        Raises:
            DataError: it cannot be read, or its size is not what the annotation says.
        """
        entry = self.entries[index]
        path = _picture_file(entry)
        picture = read_picture(path, name=path.name)
        _check_same_size(entry, picture, path)
        return picture

    def picture_bytes(self, index: int) -> bytes:
        """The bytes of the picture's file, for ``read_picture``.

        Raises:
            DataError: the file cannot be read.
        """
        path = _picture_file(self.entries[index])
        return read_picture_bytes(path, name=path.name)

    def sample(self, index: int) -> Sample:
        """Picture and objects.

        Raises:
            DataError: as ``picture``.
        """
        return Sample(self.picture(index).pixels, self.target(index), self.entries[index].name)


def open_dataset(
    path: str | Path, *, split: str = "all", classes: tuple[str, ...] | None = None, skip_bad: bool = True
) -> DataSet:
    """Open a folder of annotated pictures; the layout is recognised.

    Splits: where split files exist, they decide. A devkit without them gives every
    fifth picture by sorted file name to ``val`` and the rest to ``train``; a flat folder
    does the same with blocks of ten neighbouring file names, every fifth block to
    ``val``, because neighbours often show one scene. COCO takes
    ``instances_<split>.json``, or the only file whose split starts so (``train`` finds
    ``train2017``). YOLO's parts are its subfolders; each text list or CSV table is a part, and a
    single one is divided as a devkit is. ``all`` takes every annotated picture.

    Args:
        path: the folder, or one COCO JSON, CSV table or text list.
        split: ``all`` or the name of a part.
        classes: names in label order; objects of other classes are kept and ignored.
            None takes every class of the data.
        skip_bad: leave out objects and pictures that break a rule and list them in
            ``problems``; otherwise they are an error.

    Returns:
        The data set.

    Raises:
        ConfigError: a class that the data does not hold, or one named twice.
        DataError: no layout or split of that name is there, no picture can be used, or
            something is bad and ``skip_bad`` is off.
    """
    _validate_classes(classes)
    return dataset_of(scan_dataset(path, split=split), classes=classes, skip_bad=skip_bad)


def dataset_of(scan: Scan, *, classes: tuple[str, ...] | None = None, skip_bad: bool = True) -> DataSet:
    """The pictures and objects of a scan that can be used.

    Args:
        scan: what was read.
        classes: as for ``open_dataset``.
        skip_bad: likewise.

    Returns:
        The data set; ``problems`` names what was left out.

    Raises:
        ConfigError: a class that the data does not hold.
        DataError: no picture can be used, a file of the data set as a whole cannot be read, or
            something is bad and ``skip_bad`` is off.
    """
    shown = shown_name(scan.root.name)
    whole = [fault.text for fault in scan.faults if fault.rule in _WHOLE_FILE]
    if whole:
        raise DataError("; ".join(text.rstrip(".") for text in whole) + ".")
    scanned = [sized(each) for each in scan.pictures]
    problems = (*(fault.sentence for fault in scan.faults), *_problems(scanned))
    if problems and not skip_bad:
        raise DataError(f"{shown}: {_listed(problems)}; correct the annotations.")
    entries = tuple(entry for each in scanned if (entry := _entry(each)) is not None)
    if not entries:
        why = f" ({_listed(problems, most=_ENOUGH)})" if problems else ""
        raise DataError(
            f"{shown}: split '{shown_name(scan.split)}' must hold a picture to use, got none{why}."
        )
    chosen = _chosen_classes(classes, scan.classes)
    ids = None
    if scan.category_ids is not None:
        known = dict(zip(scan.classes, scan.category_ids, strict=True))
        ids = tuple(known[name] for name in chosen)
    notes = _notes(entries, scan)
    return DataSet(scan.root, scan.kind, scan.split, chosen, entries, (*problems, *notes), ids)


def _entry(scanned: Scanned) -> Entry | None:
    """The picture, where it can be used."""
    if scanned.faults or scanned.annotation is None:
        return None
    return Entry(scanned.name, scanned.picture, scanned.annotation, scanned.image_id)


def _problems(scanned: Iterable[Scanned]) -> tuple[str, ...]:
    """A sentence for everything that is left out; pictures of unknown size are only counted."""
    found: list[str] = []
    unknown = objects = 0
    for each in scanned:
        if any(fault.rule == "no-size" for fault in each.faults):
            unknown += 1
            objects += len(each.annotation.objects) if each.annotation is not None else 0
        else:
            found += each.problems
    if unknown:
        found.append(f"the size of {unknown} picture(s) with {objects} object(s) is not known.")
    return tuple(found)


def _notes(entries: tuple[Entry, ...], scan: Scan) -> list[str]:
    """What was changed or passed over; no reason to refuse the data set."""
    clipped = sum(entry.annotation.clipped for entry in entries)
    notes = (
        [f"{clipped} box(es) reached up to a pixel outside the picture and were clipped."] if clipped else []
    )
    return [*notes, f"passed over: {scan.passed_over}."] if scan.passed_over else notes


def _picture_file(entry: Entry) -> Path:
    """The picture's file, where there is one."""
    if entry.picture is None:
        raise DataError(
            f"{shown_name(entry.name)}: only the boxes of this picture are known; put it beside the list."
        )
    return entry.picture


def _validate_classes(classes: tuple[str, ...] | None) -> None:
    """Raise where a list of names cannot number classes."""
    if classes is None:
        return
    wrong = [name for name in classes if not name.strip() or name.strip().lower() == "background"]
    if not classes or wrong or len(set(classes)) < len(classes):
        raise ConfigError(
            "class names must be one or more, each once, none empty and none 'background', got "
            f"{', '.join(repr(shown_name(name)) for name in classes) or 'none'}; correct the list."
        )


def _chosen_classes(classes: tuple[str, ...] | None, known: Iterable[str]) -> tuple[str, ...]:
    """The classes asked for, or all; a ConfigError names what was probably meant."""
    known = tuple(known)
    for name in classes or ():
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"choose from {shown_name(', '.join(known))}."
            raise ConfigError(f"no object of the data is of class '{shown_name(name)}'; {hint}")
    return known if classes is None else classes


def _check_same_size(entry: Entry, picture: Picture, path: Path) -> None:
    """Boxes drawn on a picture of another size, or before it was turned, fit nothing."""
    said = (entry.annotation.width, entry.annotation.height)
    if said == (picture.width, picture.height):
        return
    text = (
        f"{shown_name(path.name)}: the annotation says {said[0]}×{said[1]}; "
        f"picture is {picture.width}×{picture.height}"
    )
    if picture.turned and said == (picture.height, picture.width):
        raise DataError(
            f"{text} after EXIF rotation: boxes were drawn on the unrotated picture; turn the boxes."
        )
    raise DataError(f"{text}; correct the annotation or use the picture it was made for.")


def _listed(problems: tuple[str, ...], *, most: int = MAX_LISTED) -> str:
    """The first problems in one line, and how many others there are."""
    more = f"; and {len(problems) - most:,} more" if len(problems) > most else ""
    return "; ".join(problem.rstrip(".") for problem in problems[:most]) + more
