"""What is wrong with one picture, its annotation and each of its objects."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ssd.checks.pictures import PictureFacts
from ssd.checks.reading import Seen
from ssd.checks.records import Problem
from ssd.checks.rules import SMALL_SIDE_PX
from ssd.checks.sentences import Writer
from ssd.data.annotations import AnnotatedObject, Edges
from ssd.data.images import shown_name

__all__ = ["picture_problems", "side_px"]

_SUFFIXES = {"JPEG": (".jpg", ".jpeg"), "PNG": (".png",), "WEBP": (".webp",), "BMP": (".bmp",)}


def picture_problems(seen: Seen, writer: Writer, *, size_px: int) -> Iterator[Problem]:
    """Everything about one picture.

    Args:
        seen: the picture, its objects and the facts of its file.
        writer: of the data set.
        size_px: training size.

    Yields:
        Problems of the annotation, the picture and the objects.
    """
    scanned, facts = seen.scanned, seen.facts
    for fault in scanned.faults:
        yield (
            _stray(seen, writer)
            if fault.rule == "no-annotation" and not seen.splits
            else writer.fault(seen, fault)
        )
    if facts is not None and scanned.picture is not None:
        yield from _file_problems(seen, facts, scanned.picture, writer)
    if scanned.annotation is None:
        return
    for fault in scanned.annotation.faults:
        yield writer.fault(seen, fault)
    for each in scanned.annotation.objects:
        yield from _object_problems(each, seen, writer, size_px=size_px)
    yield from _identical_boxes(seen, writer)


def side_px(box_px: Edges, *, width: int, height: int, size_px: int) -> tuple[float, float]:
    """Width and height of a box after its picture was stretched to a square.

    Args:
        box_px: xyxy in pixels of the picture.
        width: of the picture.
        height: likewise.
        size_px: side of the square.

    Returns:
        Pixels across and down.

    Example:
        >>> side_px((0.0, 0.0, 60.0, 60.0), width=600, height=300, size_px=300)
        (30.0, 60.0)
    """
    x1, y1, x2, y2 = box_px
    return (x2 - x1) * size_px / width, (y2 - y1) * size_px / height


def _stray(seen: Seen, writer: Writer) -> Problem:
    """A picture that no annotation and no split names."""
    path = seen.scanned.picture
    shown = shown_name(path.name if path is not None else seen.scanned.name)
    return writer.picture("stray-picture", seen, f"{shown}: no annotation and no split names this picture.")


def _file_problems(seen: Seen, facts: PictureFacts, path: Path, writer: Writer) -> Iterator[Problem]:
    """What the picture's file is, against its name and its annotation."""
    shown = shown_name(path.name)
    if facts.problem:
        if all(fault.rule != "bad-picture" for fault in seen.scanned.faults):
            yield writer.picture("bad-picture", seen, facts.problem)
        return
    if path.suffix.lower() not in _SUFFIXES.get(facts.format, ()):
        yield writer.picture(
            "wrong-suffix", seen, f"{shown}: the content is {facts.format}, not '{path.suffix}'."
        )
    yield from _size_problems(seen, facts, shown, writer)


def _size_problems(seen: Seen, facts: PictureFacts, shown: str, writer: Writer) -> Iterator[Problem]:
    """The size that the annotation says, against the picture's own."""
    annotation = seen.scanned.annotation
    if annotation is None:
        return
    said, is_wh = (annotation.width, annotation.height), (facts.width, facts.height)
    if seen.size_unsaid and writer.kind in ("voc", "flat"):
        source = seen.scanned.source.name if seen.scanned.source is not None else shown
        yield writer.annotation(
            "size-zero",
            seen,
            f"{shown_name(source)}: no size, or 0×0; the picture has {is_wh[0]}×{is_wh[1]}.",
        )
    if said == is_wh:
        return
    text = f"{shown}: the annotation says {said[0]}×{said[1]}; picture is {is_wh[0]}×{is_wh[1]}"
    if facts.turned and said == is_wh[::-1]:
        text += " after EXIF rotation: boxes were drawn on the unrotated picture."
        yield writer.annotation("size-unrotated", seen, text)
    else:
        yield writer.annotation("size-mismatch", seen, f"{text}.")


def _object_problems(each: AnnotatedObject, seen: Seen, writer: Writer, *, size_px: int) -> Iterator[Problem]:
    """What is worth knowing about an object that passed the readers."""
    annotation = seen.scanned.annotation
    shown = _shown(each.box_px)
    if each.clipped:
        yield writer.object("clipped", seen, each, f"reached up to a pixel outside, clipped to {shown}")
    if writer.kind not in ("coco", "lesson-json", "yolo") and any(v != int(v) for v in each.box_px):
        yield writer.object("decimals", seen, each, f"coordinates are not whole pixels: {shown}")
    if annotation is None or not annotation.width or not annotation.height or each.crowd:
        return
    width, height = side_px(each.box_px, width=annotation.width, height=annotation.height, size_px=size_px)
    if width * height < SMALL_SIDE_PX**2:
        text = f"{width:.1f} × {height:.1f} px at training size {size_px}"
        yield writer.object("small", seen, each, text)


def _identical_boxes(seen: Seen, writer: Writer) -> Iterator[Problem]:
    """Every box that an earlier object of the picture has too."""
    first: dict[Edges, AnnotatedObject] = {}
    for each in seen.scanned.annotation.objects if seen.scanned.annotation is not None else ():
        other = first.setdefault(each.box_px, each)
        if other is not each:
            kind = "" if other.name == each.name else f", a {shown_name(other.name)}"
            text = f"has the same box {_shown(each.box_px)} as object {other.number}{kind}"
            yield writer.object("identical-box", seen, each, text)


def _shown(box_px: Edges) -> str:
    """Edges as a sentence shows them."""
    return "[" + ", ".join(f"{value:g}" for value in box_px) + "]"
