"""What reading a data set in one pass yields: everything that is there, good or bad, and no exception.

How it is used
--------------
``ssd.data.scan.scan_dataset(path, split="all") -> Scan`` reads a folder of any layout (or a single
COCO JSON, CSV table or text list). It raises only where there is no data set or no such split.
Everything else becomes a record:

* ``scan.pictures`` has one :class:`Scanned` for each picture that an annotation, a split or the
  folder names. ``annotation`` is None where its file cannot be used, ``picture`` is None where the
  picture is missing, and ``faults`` says why. ``annotation.faults`` has one :class:`Fault` for each
  object that breaks a rule, with its number in the file and its values as written;
  ``annotation.objects`` has the others, with ``clipped`` where a box was moved onto the border.
  Both keep the file's own numbering (``number``).
* ``scan.faults`` are faults of the data set's own files: a COCO JSON that cannot be parsed, an
  annotation for an image that nobody lists, a line of a text list.
* ``scan.passed_over`` counts pipes, devices and links that leave the folder; none was opened.
* ``annotation.width`` is 0 where the file says no size; :func:`sized` fills it in from the picture's
  header and judges the boxes again.

No picture is decoded; only where an annotation cannot be understood without its picture's size
(YOLO) the header is read. ``ssd.data.folders.open_dataset`` is the strict reader on top: the same
scan, without what is bad.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from ssd.data.annotations import AnnotatedObject, Annotation, Fault, check_box
from ssd.data.images import read_picture_size, shown_name
from ssd.errors import BoxError, DataError

Kind = Literal["voc", "flat", "coco", "lesson-json", "yolo", "text", "lesson-csv"]


@dataclass(frozen=True, slots=True)
class Scanned:
    """One picture of a data set, as far as it could be read.

    Attributes:
        name: file stem.
        source: the file that holds its annotation; None where there is none.
        picture: its file; None where it is missing.
        annotation: its objects, good and bad; None where the file cannot be used.
        faults: of the picture as a whole; a picture with one is not used for anything.
        image_id: COCO's number of the picture.
        file_name: as the annotation names the picture, where it does.
        place: what a sentence about one of its objects begins with.
    """

    name: str
    source: Path | None
    picture: Path | None
    annotation: Annotation | None
    faults: tuple[Fault, ...] = ()
    image_id: int | None = None
    file_name: str = ""
    place: str = ""

    @property
    def problems(self) -> tuple[str, ...]:
        """A sentence for each fault, of the picture and of its objects."""
        objects = self.annotation.faults if self.annotation is not None and not self.faults else ()
        return (
            *(fault.sentence for fault in self.faults),
            *(f"{self.place}{fault.sentence}" for fault in objects),
        )


@dataclass(frozen=True)
class Scan:
    """A whole data set, or one part of it.

    Attributes:
        root: the folder.
        kind: its layout.
        split: which part.
        pictures: in the order of the split.
        faults: of files that belong to no single picture.
        passed_over: what was neither opened nor followed, in words; empty where it is nothing.
        classes: every class of the data set, also where only a part was asked for, in label order.
        category_ids: COCO's id of each class; None for the other layouts.
    """

    root: Path
    kind: Kind
    split: str
    pictures: tuple[Scanned, ...]
    faults: tuple[Fault, ...] = ()
    passed_over: str = ""
    classes: tuple[str, ...] = ()
    category_ids: tuple[int, ...] | None = None

    @property
    def problems(self) -> tuple[str, ...]:
        """A sentence for every fault there is."""
        own = tuple(fault.sentence for fault in self.faults)
        return own + tuple(problem for picture in self.pictures for problem in picture.problems)


def fault_of(error: DataError, *, rule: str) -> Fault:
    """The record of a file that cannot be used.

    Args:
        error: what reading it raised.
        rule: its short name, where the error has none.

    Returns:
        A fault of the whole file.

    Example:
        >>> fault_of(DataError("a.xml: empty."), rule="xml").sentence
        'a.xml: empty.'
    """
    return Fault(error.rule or rule, str(error))


def missing(what: Literal["picture", "annotation"], name: str) -> Fault:
    """The record of a picture or annotation that is not there.

    Args:
        what: is missing.
        name: file stem of the other one.

    Returns:
        A fault of the whole picture.

    Example:
        >>> missing("picture", "a").rule
        'no-picture'
    """
    text = f"{shown_name(name)}: its {what} is missing; add it or take the name out."
    return Fault(f"no-{what}", text)


def sized(scanned: Scanned) -> Scanned:
    """The picture with its size, read from its header where the annotation does not say it.

    Args:
        scanned: a picture that can be used.

    Returns:
        The same where the size is known. Otherwise the boxes are judged again against the size;
        where there is no size to be had, a fault says so.
    """
    annotation = scanned.annotation
    if annotation is None or scanned.faults or (annotation.width and annotation.height):
        return scanned
    if scanned.picture is None:
        text = f"{shown_name(scanned.name)}: its size is not known, and its picture is missing; add either."
        return replace(scanned, faults=(Fault("no-size", text),))
    try:
        width, height = read_picture_size(scanned.picture, name=scanned.picture.name)
    except DataError as error:
        return replace(scanned, faults=(fault_of(error, rule="bad-picture"),))
    return resized(scanned, (width, height))


def resized(scanned: Scanned, size_wh: tuple[int, int]) -> Scanned:
    """The picture with a size that its annotation did not say.

    Args:
        scanned: with an annotation.
        size_wh: of the picture in pixels.

    Returns:
        Its boxes judged against that size.
    """
    if scanned.annotation is None:
        return scanned
    width, height = size_wh
    return replace(scanned, annotation=_judged_again(scanned.annotation, width=width, height=height))


def _judged_again(annotation: Annotation, *, width: int, height: int) -> Annotation:
    """The objects that lie inside a picture whose size was not known before."""
    objects: list[AnnotatedObject] = []
    faults = list(annotation.faults)
    for each in annotation.objects:
        try:
            box = check_box(each.box_px, width=width, height=height)
        except BoxError as error:
            faults.append(
                Fault(error.rule, str(error), each.number, each.name, each.box_px, category=each.name)
            )
            continue
        objects.append(replace(each, box_px=box.box_px, clipped=each.clipped or box.clipped))
    return Annotation(width, height, tuple(objects), tuple(faults))
