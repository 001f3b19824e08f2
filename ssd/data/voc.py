"""Pascal VOC annotation files: XML from strangers, read with entities and DTDs switched off."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ssd.data.annotations import SIDE_NAMES, AnnotatedObject, Annotation, check_box
from ssd.data.images import shown_name
from ssd.data.paths import safe_join
from ssd.errors import BoxError, DataError
from ssd.limits import MAX_ANNOTATION_BYTES

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

CORNERS = ("xmin", "ymin", "xmax", "ymax")


@dataclass(frozen=True)
class _Read:
    """One object that passed, and whether its box was clipped."""

    found: AnnotatedObject
    clipped: bool


def read_voc(path: Path) -> Annotation:
    """Read one VOC file in which every object is good.

    Corners counted from 1 and inclusive become continuous edges:
    (xmin − 1, ymin − 1, xmax, ymax). ``difficult`` is 0 where it is missing;
    ``truncated``, ``pose`` and parts are not read.

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
    """Read VOC XML; objects that break a rule are left out and listed in ``problems``.

    Args:
        data: the file's bytes, in any encoding that its first line names.
        name: what messages call the file.

    Returns:
        Size, good objects, problems.

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
            "choose the right file."
        )
    _check_filename(root, shown)
    width, height = (_size(root, side, shown) for side in ("width", "height"))
    found, problems, clipped = [], [], 0
    for number, element in enumerate(root.findall("object"), start=1):
        try:
            read = _read_object(element, width=width, height=height)
        except BoxError as error:
            problems.append(f"object {number}: {error} ({_shown_class(element)})")
            continue
        found.append(read.found)
        clipped += read.clipped
    return Annotation(width, height, tuple(found), tuple(problems), clipped)


def read_annotation_bytes(path: Path, *, limit: int) -> bytes:
    """The bytes of an annotation file, after a look at what kind of file it is and how large."""
    shown = shown_name(path.name)
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise DataError(f"{shown}: an annotation must be a plain file; choose another one.")
        if status.st_size > limit:
            raise DataError(
                f"{shown}: an annotation file may have {limit / 1e6:g} MB, "
                f"got {status.st_size / 1e6:.1f} MB; split it."
            )
        return path.read_bytes()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "its name cannot be used"
        raise DataError(f"{shown}: the annotation cannot be read ({why}); check the path.") from None


def _parse_xml(data: bytes, shown: str) -> Element:
    """The root element; entity tricks are refused before anything is expanded or opened."""
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import ParseError, fromstring

    if len(data) > MAX_ANNOTATION_BYTES:
        raise DataError(f"{shown}: an annotation file may have {MAX_ANNOTATION_BYTES / 1e6:g} MB; split it.")
    try:
        root: Element = fromstring(data, forbid_dtd=True)
    except DefusedXmlException:
        if b"<!ENTITY" in data.replace(b"\x00", b""):  # also in UTF-16
            raise DataError(f"{shown}: XML with entity definitions is not accepted. Delete them.") from None
        raise DataError(f"{shown}: XML with a <!DOCTYPE> is not accepted; delete the line.") from None
    except ParseError as error:
        line, column = error.position
        raise DataError(
            f"{shown}: not well-formed XML at line {line}, column {column + 1}; "
            "save it again as XML in the encoding that its first line names."
        ) from None
    except (ValueError, LookupError, RecursionError):
        raise DataError(
            f"{shown}: the encoding that line 1, column 1 names cannot be read; save the file as UTF-8."
        ) from None
    return root


def _check_filename(root: Element, shown: str) -> None:
    """``<filename>`` is not used to find the picture, but it must not point elsewhere."""
    text = (root.findtext("filename") or "").strip()
    if text:
        try:
            safe_join(Path(), text)
        except DataError as error:
            raise DataError(f"{shown}: <filename>: {error}") from None


def _size(root: Element, side: str, shown: str) -> int:
    """``<size>``: pixels, 0 where the file does not say."""
    text = (root.findtext(f"size/{side}") or "").strip()
    if text in ("", "0"):
        return 0
    if not (text.isascii() and text.isdigit() and len(text) <= 6):
        raise DataError(
            f"{shown}: <{side}> must be a whole number of pixels, got '{shown_name(text)}'; correct it."
        )
    return int(text)


def _read_object(element: Element, *, width: int, height: int) -> _Read:
    """One ``<object>``; a BoxError without file and number where a rule is broken."""
    name = (element.findtext("name") or "").strip()
    if not name or name.lower() == "background":
        raise BoxError(f"<name> must be the name of a class, got '{name}'")
    bndbox = element.find("bndbox")
    if bndbox is None:
        raise BoxError("<bndbox> is missing")
    edges = [_number(bndbox, corner) for corner in CORNERS]
    checked = check_box(edges, width=width, height=height, one_based=True)
    flag = (element.findtext("difficult") or "0").strip()
    if flag not in ("0", "1"):
        raise BoxError(f"<difficult> must be 0 or 1, got '{shown_name(flag)}'")
    return _Read(AnnotatedObject(name, checked.box_px, difficult=flag == "1"), checked.clipped)


def _number(bndbox: Element, corner: str) -> float:
    """A coordinate; some sets hold decimals."""
    text = (bndbox.findtext(corner) or "").strip()
    try:
        return float(text)
    except ValueError:
        side = SIDE_NAMES[CORNERS.index(corner)]
        raise BoxError(f"<{corner}> ({side}) must be a number, got '{shown_name(text)}'") from None


def _shown_class(element: Element) -> str:
    """The class as a message may show it."""
    return shown_name((element.findtext("name") or "").strip()) or "no name"
