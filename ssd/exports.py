"""Results as files of the formats that other tools read, and as a drawn picture.

The functions return text or bytes; only :func:`write_new` touches the disk.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict
from xml.etree.ElementTree import Element, SubElement, indent, tostring

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from ssd.boxes import to_pixels
from ssd.checkpoints.files import write_file
from ssd.data.images import picture_to_png
from ssd.detections import Detections
from ssd.errors import ConfigError

__all__ = [
    "Classes",
    "ImageResult",
    "ResultRow",
    "draw_detections",
    "result_rows",
    "results_to_csv",
    "results_to_json",
    "results_to_voc",
    "write_new",
]

_PIXEL_DIGITS = 4  # a ten-thousandth of a pixel: below what float32 boxes of large pictures hold
_SCORE_DIGITS = 6
_HALO = (0, 0, 0)


@dataclass(frozen=True)
class Classes:
    """How a model's labels are called.

    Attributes:
        names: of labels 1..C.
        ids: category id of labels 1..C.
    """

    names: tuple[str, ...]
    ids: tuple[int, ...]


@dataclass(frozen=True)
class ImageResult:
    """The detections of one picture, and what they belong to.

    Attributes:
        name: file name of the picture.
        width: pixels across.
        height: pixels down.
        detections: best first.
    """

    name: str
    width: int
    height: int
    detections: Detections


class ResultRow(TypedDict):
    """One detection in COCO's results form; ``bbox`` is x, y, width, height in pixels."""

    image_id: str
    category_id: int
    category: str
    bbox: list[float]
    score: float


def result_rows(result: ImageResult, *, classes: Classes) -> list[ResultRow]:
    """The detections of one picture in COCO's results form.

    Args:
        result: picture and detections.
        classes: names and ids of the labels.

    Returns:
        One row a detection, best first; pixels rounded to 4 decimals, scores to 6.

    Source:
        COCO, results format (detection); ``image_id`` is the file name here.

    Example:
        >>> found = Detections(torch.tensor([[0.0, 0.5, 0.5, 1.0]]), torch.tensor([2]),
        ...                    torch.tensor([0.75]), torch.tensor([0]))
        >>> classes = Classes(names=("cat", "dog"), ids=(1, 18))
        >>> rows = result_rows(ImageResult("a.png", 200, 100, found), classes=classes)
        >>> rows[0]["category_id"], rows[0]["bbox"]
        (18, [0.0, 50.0, 100.0, 50.0])
    """
    found = result.detections
    rows: list[ResultRow] = []
    for edges, label, score in zip(
        _edges_px(result), found.labels.tolist(), found.scores.tolist(), strict=True
    ):
        x1, y1, x2, y2 = edges
        rows.append(
            {
                "image_id": result.name,
                "category_id": classes.ids[label - 1],
                "category": classes.names[label - 1],
                "bbox": [x1, y1, round(x2 - x1, _PIXEL_DIGITS), round(y2 - y1, _PIXEL_DIGITS)],
                "score": round(score, _SCORE_DIGITS),
            }
        )
    return rows


def _edges_px(result: ImageResult) -> list[list[float]]:
    """Xyxy boxes in pixels, rounded."""
    boxes = result.detections.boxes.to(torch.float64)
    pixels = to_pixels(boxes, width_px=result.width, height_px=result.height).tolist()
    return [[round(edge, _PIXEL_DIGITS) for edge in box] for box in pixels]


def results_to_json(results: Sequence[ImageResult], *, classes: Classes) -> str:
    """COCO results JSON: one array over all pictures.

    Args:
        results: pictures and detections.
        classes: names and ids of the labels.

    Returns:
        Plain ASCII; file names that are not text in UTF-8 appear as escapes.

    Example:
        >>> results_to_json([], classes=Classes(("cat",), (1,)))
        '[]'
    """
    rows = [json.dumps(row) for result in results for row in result_rows(result, classes=classes)]
    return f"[{', '.join(rows)}]" if len(rows) < 2 else "[\n" + ",\n".join(rows) + "\n]"


def results_to_csv(results: Sequence[ImageResult], *, classes: Classes) -> str:
    """A table: one line a detection.

    Args:
        results: pictures and detections.
        classes: names and ids of the labels.

    Returns:
        CSV with a header; x, y, width and height are pixels.

    Example:
        >>> results_to_csv([], classes=Classes(("cat",), (1,))).strip()
        'image_id,category_id,category,x,y,width,height,score'
    """
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["image_id", "category_id", "category", "x", "y", "width", "height", "score"])
    for result in results:
        for row in result_rows(result, classes=classes):
            table.writerow([row["image_id"], row["category_id"], row["category"], *row["bbox"], row["score"]])
    return text.getvalue()


def results_to_voc(result: ImageResult, *, classes: Classes) -> str:
    """Pascal VOC XML of one picture: corners counted from 1 and inclusive.

    Corners that are whole numbers are written so, others keep their decimals; our
    reader gives back the boxes of :func:`result_rows`. ``score`` is an addition of
    ours, which VOC's tools skip.

    Args:
        result: picture and detections.
        classes: names of the labels.

    Returns:
        The XML document.

    Source:
        Everingham et al., VOC2007 development kit, section 4 (annotation).

    Example:
        >>> found = Detections(torch.tensor([[0.0, 0.5, 0.5, 1.0]]), torch.tensor([1]),
        ...                    torch.tensor([0.75]), torch.tensor([0]))
        >>> text = results_to_voc(ImageResult("a.png", 200, 100, found), classes=Classes(("cat",), (1,)))
        >>> "<xmin>1</xmin>" in text, "<ymin>51</ymin>" in text, "<xmax>100</xmax>" in text
        (True, True, True)
    """
    root = Element("annotation")
    SubElement(root, "filename").text = _xml_text(result.name)
    size = SubElement(root, "size")
    for tag, number in (("width", result.width), ("height", result.height), ("depth", 3)):
        SubElement(size, tag).text = str(number)
    rows = result_rows(result, classes=classes)
    for edges, row in zip(_edges_px(result), rows, strict=True):
        item = SubElement(root, "object")
        SubElement(item, "name").text = _xml_text(row["category"])
        SubElement(item, "difficult").text = "0"
        SubElement(item, "score").text = str(row["score"])
        box = SubElement(item, "bndbox")
        for tag, edge, shift in zip(("xmin", "ymin", "xmax", "ymax"), edges, (1, 1, 0, 0), strict=True):
            SubElement(box, tag).text = _decimal(edge + shift)
    indent(root)
    return tostring(root, encoding="unicode") + "\n"


def _decimal(number: float) -> str:
    """Up to four decimals, and none that are zero."""
    return f"{number:.{_PIXEL_DIGITS}f}".rstrip("0").rstrip(".")


def _xml_text(text: str) -> str:
    """Text without the characters that XML cannot hold (control characters, lone surrogates)."""
    return "".join(char if char.isprintable() else "?" for char in text)


def draw_detections(
    picture: UInt8[Tensor, "3 h w"],
    detections: Detections,
    *,
    classes: Classes,
    colours: Sequence[str],
) -> bytes:
    """The picture with its detections drawn, as a PNG that holds pixels only.

    Args:
        picture: RGB, 0..255.
        detections: drawn worst first, so that the best lie on top.
        classes: names of the labels.
        colours: ``#RRGGBB`` of label 1, 2 …, taken again from the start when they run out.

    Returns:
        The bytes of the PNG.

    Raises:
        ConfigError: there is no colour.
    """
    if not colours:
        raise ConfigError("Detections need at least one colour to be drawn in, got none; pass colours.")
    image = Image.fromarray(picture.permute(1, 2, 0).contiguous().cpu().numpy())
    pen = ImageDraw.Draw(image)
    line = max(2, round(max(image.size) / 300))
    font = ImageFont.load_default(size=max(11, round(max(image.size) / 50)))
    result = ImageResult("", image.width, image.height, detections)
    rows, labels = result_rows(result, classes=classes), detections.labels.tolist()
    for edges, row, label in reversed(list(zip(_edges_px(result), rows, labels, strict=True))):
        x1, y1, x2, y2 = edges
        box = (x1, y1, max(x1, x2 - 1), max(y1, y2 - 1))  # Pillow's corners are pixels, the last inclusive
        pen.rectangle(box, outline=_HALO, width=line + 2)
        pen.rectangle(box, outline=colours[(label - 1) % len(colours)], width=line)
        text = f"{_xml_text(row['category'])} {row['score']:.2f}"
        corner = (x1 + line + 2, y1 + line)
        pen.text(corner, text, fill="white", font=font, stroke_width=2, stroke_fill=_HALO)
    return picture_to_png(torch.from_numpy(np.array(image)).permute(2, 0, 1))


def write_new(path: Path, content: bytes, *, force: bool = False) -> None:
    """Write a file whole, and never over another one unless told to.

    Args:
        path: the final name; its folder is made where missing.
        content: all of it.
        force: replace an existing file, in one step.

    Raises:
        ConfigError: there is something at ``path`` and ``force`` is not given.
        ResourceError: the file could not be written; an older one is left as it was.
    """
    if path.is_dir() or (not force and (path.exists() or path.is_symlink())):
        way = (
            "choose another --out" if path.is_dir() else "add --force to replace it, or choose another --out"
        )
        raise ConfigError(f"{path} exists already; {way}.")
    write_file(path, content)
