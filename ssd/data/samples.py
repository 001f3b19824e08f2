"""Photographs that come with scikit-image, with object boxes that we drew ourselves.

Only files inside scikit-image's wheel are used; nothing is ever downloaded, and no
picture is copied into this repository. The boxes lie in ``assets/samples/``.
"""

from __future__ import annotations

import importlib.util
import json
from functools import cache
from pathlib import Path
from typing import TypedDict

from ssd.data.annotations import AnnotatedObject, Annotation, annotation_to_target, check_box
from ssd.data.images import read_picture
from ssd.data.records import Sample
from ssd.errors import DataError, ResourceError

SAMPLE_CLASSES = (
    "bench",
    "bicycle",
    "bottle",
    "camera",
    "cat",
    "coin",
    "cup",
    "eye",
    "flag",
    "helmet",
    "motorbike",
    "person",
    "rocket",
    "saucer",
    "spoon",
    "tower",
    "tripod",
)


class _Object(TypedDict):
    box_px: list[float]
    name: str


class _Boxes(TypedDict):
    """One file of ``assets/samples/``."""

    picture: str
    source: str
    width: int
    height: int
    classes: list[str]
    objects: list[_Object]


_BOXES = Path(__file__).parents[2] / "assets" / "samples"


@cache
def sample_names() -> tuple[str, ...]:
    """The sample photographs that this installation holds, sorted.

    Returns:
        Names for ``sample_scene``; empty where scikit-image is not installed.

    Example:
        >>> "chelsea" in sample_names()
        True
    """
    folder = _pictures()
    if folder is None:
        return ()
    names = sorted(path.stem for path in _BOXES.glob("*.json"))
    return tuple(name for name in names if (folder / _read_boxes(name)["picture"]).is_file())


def sample_scene(name: str) -> Sample:
    """A photograph and its objects.

    Args:
        name: one of ``sample_names()``.

    Returns:
        Picture and objects; labels follow ``SAMPLE_CLASSES``.

    Raises:
        DataError: there is no such photograph.
        ResourceError: scikit-image is not installed.

    Example:
        >>> len(sample_scene("coins").target)
        24
    """
    folder = _pictures()
    if folder is None:
        raise ResourceError("sample photographs need scikit-image; run: pip install scikit-image")
    _require_known(name)
    boxes = _read_boxes(name)
    picture = read_picture(folder / boxes["picture"], name=name)
    if (picture.width, picture.height) != (boxes["width"], boxes["height"]):
        raise DataError(
            f"{name}: the boxes are for {boxes['width']}×{boxes['height']} pixels, scikit-image's picture "
            f"has {picture.width}×{picture.height}; install the version of requirements.txt."
        )
    annotation = _annotation(boxes)
    target = annotation_to_target(
        annotation, classes=SAMPLE_CLASSES, width=picture.width, height=picture.height
    )
    return Sample(picture.pixels, target, name)


def sample_source(name: str) -> str:
    """Whose photograph it is, and under which terms.

    Args:
        name: one of ``sample_names()``.

    Returns:
        One sentence.

    Raises:
        DataError: there is no such photograph.

    Source:
        scikit-image, notes of ``skimage.data``.

    Example:
        >>> sample_source("chelsea")
        'Photograph by Stefan van der Walt, CC0; the copy that comes with scikit-image.'
    """
    _require_known(name)
    return _read_boxes(name)["source"]


def _require_known(name: str) -> None:
    """Raise unless there is a photograph of that name."""
    if name not in sample_names():
        raise DataError(
            f"a sample must be one of {', '.join(sample_names())}, got '{name}'; choose one of them."
        )


def _pictures() -> Path | None:
    """scikit-image's folder of pictures, found without importing it (that takes half a second)."""
    spec = importlib.util.find_spec("skimage")
    return Path(spec.origin).parent / "data" if spec is not None and spec.origin else None


def _read_boxes(name: str) -> _Boxes:
    """Our own file of boxes."""
    boxes: _Boxes = json.loads((_BOXES / f"{name}.json").read_text(encoding="utf-8"))
    return boxes


def _annotation(boxes: _Boxes) -> Annotation:
    """The boxes under the rules that every annotation passes."""
    width, height = boxes["width"], boxes["height"]
    objects = tuple(
        AnnotatedObject(
            each["name"], check_box(each["box_px"], width=width, height=height, one_based=False).box_px
        )
        for each in boxes["objects"]
    )
    return Annotation(width, height, objects)
