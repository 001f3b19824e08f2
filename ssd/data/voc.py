"""Pascal VOC annotation files: XML from strangers, read with entities and DTDs switched off."""

from __future__ import annotations

import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ssd.data.annotations import SIDE_NAMES, AnnotatedObject, Annotation, Fault, check_box
from ssd.data.decimals import is_number, shifted
from ssd.data.images import shown_name
from ssd.data.paths import safe_join
from ssd.errors import BoxError, DataError
from ssd.limits import MAX_ANNOTATION_BYTES

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

CORNERS = ("xmin", "ymin", "xmax", "ymax")
FIRST = (-1, -1, 0, 0)  # what makes corners counted from 1 and inclusive into edges


def read_voc(path: Path) -> Annotation:
    """Read one VOC file in which every object is good.

    Corners counted from 1 and inclusive become continuous edges:
    (xmin − 1, ymin − 1, xmax, ymax). ``difficult`` is 0 where it is missing;
    so are ``truncated``, ``occluded`` and ``crowd`` (an addition of ours, for what came from
    COCO); ``pose`` and parts are not read.

    Args:
        path: the XML file.

    Returns:
        Size and objects; no object gives a valid empty annotation.

    Raises:
        DataError: the file is missing, too large, not well-formed or no VOC annotation.
        BoxError: objects break a rule; all of them are listed, each with its values.

    Source:
        Everingham et al., VOC2007 development kit, section 4 (annotation).
    """
    annotation = parse_voc(read_annotation_bytes(path, limit=MAX_ANNOTATION_BYTES), name=path.name)
    if annotation.problems:
        raise BoxError(
            f"{shown_name(path.name)}: {'; '.join(annotation.problems)}; correct or delete what is listed."
        )
    return annotation


def parse_voc(data: bytes, *, name: str) -> Annotation:
    """Read VOC XML; objects that break a rule are left out and listed in ``faults``.

    Args:
        data: the file's bytes, in any encoding that its first line names.
        name: what messages call the file.

    Returns:
        Size, good objects, faults.

    Raises:
        DataError: the whole file cannot be used.

    Example:
        >>> parse_voc(b"<annotation><size><width>9</width></size></annotation>", name="a.xml").width
        9
    """
    shown = shown_name(name)
    root = _parse_xml(data, shown)
    if root.tag != "annotation":
        raise DataError(
            f"{shown}: a VOC annotation starts with <annotation>, got <{shown_name(root.tag)}>; "
            "choose the right file.",
            rule="xml",
        )
    _check_filename(root, shown)
    width, height = (_size(root, side, shown) for side in ("width", "height"))
    found: list[AnnotatedObject] = []
    faults: list[Fault] = []
    for number, element in enumerate(root.findall("object"), start=1):
        try:
            found.append(_read_object(element, number, width=width, height=height))
        except BoxError as error:
            faults.append(_fault(element, number, error))
    return Annotation(width, height, tuple(found), tuple(faults))


def read_annotation_bytes(path: Path, *, limit: int) -> bytes:
    """The bytes of an annotation file, after a look at what kind of file it is and how large."""
    shown = shown_name(path.name)
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise DataError(
                f"{shown}: an annotation must be a plain file; choose another one.", rule="unreadable"
            )
        if status.st_size > limit:
            raise DataError(
                f"{shown}: an annotation file may have {limit / 1e6:g} MB, "
                f"got {status.st_size / 1e6:.1f} MB; split it.",
                rule="too-large",
            )
        return path.read_bytes()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "its name cannot be used"
        raise DataError(
            f"{shown}: the annotation cannot be read ({why}); check the path.", rule="unreadable"
        ) from None


def _parse_xml(data: bytes, shown: str) -> Element:
    """The root element; entity tricks are refused before anything is expanded or opened."""
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import ParseError, fromstring

    if len(data) > MAX_ANNOTATION_BYTES:
        raise DataError(
            f"{shown}: an annotation file may have {MAX_ANNOTATION_BYTES / 1e6:g} MB; split it.",
            rule="too-large",
        )
    try:
        root: Element = fromstring(data, forbid_dtd=True)
    except DefusedXmlException:
        if b"<!ENTITY" in data.replace(b"\x00", b""):  # also in UTF-16
            raise DataError(
                f"{shown}: XML with entity definitions is not accepted. Delete them.", rule="xml-entities"
            ) from None
        raise DataError(
            f"{shown}: XML with a <!DOCTYPE> is not accepted; delete the line.", rule="xml-doctype"
        ) from None
    except ParseError as error:
        line, column = error.position
        raise DataError(
            f"{shown}: not well-formed XML at line {line}, column {column + 1}; "
            "save it again as XML in the encoding that its first line names.",
            rule="xml",
        ) from None
    except (ValueError, LookupError, RecursionError):
        raise DataError(
            f"{shown}: the encoding that line 1, column 1 names cannot be read; save the file as UTF-8.",
            rule="xml",
        ) from None
    return root


def _check_filename(root: Element, shown: str) -> None:
    """``<filename>`` is not used to find the picture, but it must not point elsewhere."""
    text = (root.findtext("filename") or "").strip()
    if text:
        try:
            safe_join(Path(), text)
        except DataError as error:
            raise DataError(f"{shown}: <filename>: {error}", rule="file-name") from None


def _size(root: Element, side: str, shown: str) -> int:
    """``<size>``: pixels, 0 where the file does not say."""
    text = (root.findtext(f"size/{side}") or "").strip()
    if text in ("", "0"):
        return 0
    if not (text.isascii() and text.isdigit() and len(text) <= 6):
        raise DataError(
            f"{shown}: <{side}> must be a whole number of pixels, got '{shown_name(text)}'; correct it.",
            rule="size",
        )
    return int(text)


def _read_object(element: Element, number: int, *, width: int, height: int) -> AnnotatedObject:
    """One ``<object>``; a BoxError without file and number where a rule is broken."""
    name = (element.findtext("name") or "").strip()
    if not name or name.lower() == "background":
        raise BoxError(f"<name> must be the name of a class, got '{name}'", rule="class-name")
    bndbox = element.find("bndbox")
    if bndbox is None:
        raise BoxError("<bndbox> is missing", rule="no-box")
    words = [_word(bndbox, corner) for corner in CORNERS]
    x1, y1, x2, y2 = (shifted(word, by) for word, by in zip(words, FIRST, strict=True))
    checked = check_box(
        [float(word) for word in words],
        width=width,
        height=height,
        one_based=True,
        continuous=(x1, y1, x2, y2),
    )
    crowd = _flag(element, "crowd")
    return AnnotatedObject(
        sys.intern(name),
        checked.box_px,
        difficult=_flag(element, "difficult") and not crowd,
        crowd=crowd,
        truncated=_flag(element, "truncated"),
        occluded=_flag(element, "occluded"),
        number=number,
        clipped=checked.clipped,
    )


def _flag(element: Element, tag: str) -> bool:
    """0, 1 or missing, which is 0."""
    text = (element.findtext(tag) or "0").strip()
    if text not in ("0", "1"):
        raise BoxError(f"<{tag}> must be 0 or 1, got '{shown_name(text)}'", rule="flag")
    return text == "1"


def _word(bndbox: Element, corner: str) -> str:
    """A coordinate; some sets hold decimals."""
    text = (bndbox.findtext(corner) or "").strip()
    if not is_number(text):
        side = SIDE_NAMES[CORNERS.index(corner)]
        raise BoxError(f"<{corner}> ({side}) must be a number, got '{shown_name(text)}'", rule="no-number")
    return text


def _fault(element: Element, number: int, error: BoxError) -> Fault:
    """The record of an object that breaks a rule."""
    category = shown_name((element.findtext("name") or "").strip())
    words = [(element.findtext(f"bndbox/{corner}") or "").strip() for corner in CORNERS]
    values = tuple(float(word) for word in words if is_number(word))
    return Fault(
        error.rule,
        str(error),
        number,
        who=category or "no name",
        values=values if len(values) == len(CORNERS) else (),
        category=category,
    )
