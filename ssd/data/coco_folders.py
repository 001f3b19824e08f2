"""Folders of COCO files: a JSON for each split, and the pictures in one of a few places."""

from __future__ import annotations

from pathlib import Path

from ssd.data.annotations import Fault
from ssd.data.coco import CocoFile, CocoPicture, read_coco
from ssd.data.images import shown_name
from ssd.data.layouts import Layout
from ssd.data.paths import leaves, safe_join
from ssd.data.scanned import Scan, Scanned, fault_of
from ssd.data.splits import ALL, chosen_split, each_once
from ssd.errors import DataError

__all__ = ["coco_splits", "scan_coco"]

_PREFIXES = ("instances_", "pascal_")
_PLACES = ("{0}", "images/{0}", "images", "JPEGImages", "VOCdevkit/VOC2007/JPEGImages", "../{0}", "../images",
           "../JPEGImages", "../VOCdevkit/VOC2007/JPEGImages", ".")  # fmt: skip


def coco_splits(layout: Layout) -> dict[str, Path]:
    """The annotation file of each split.

    Args:
        layout: of a COCO folder or file, or of the lesson's JSON.

    Returns:
        Split, as the file's name says, to file.
    """
    files = {}
    for path in layout.files:
        name = path.stem
        for prefix in _PREFIXES:
            name = name.removeprefix(prefix)
        files[name] = path
    return files


def scan_coco(layout: Layout, *, split: str) -> Scan:
    """Read one or more COCO files; no picture is opened.

    Args:
        layout: of the folder or file.
        split: ``all``, or one split; ``train`` finds ``train2017`` where it is the only one.

    Returns:
        The pictures in the order of the files. One that several files list with the same
        objects is there once.

    Raises:
        DataError: there is no such split, or the files name different categories.
    """
    files = coco_splits(layout)
    if split != ALL:
        name = chosen_split(dict.fromkeys(files, ()), split=split, shown=layout.root.name)
        files = {name: files[name]}
    contents: dict[str, CocoFile] = {}
    faults: list[Fault] = []
    for name, path in files.items():
        try:
            contents[name] = read_coco(path)
        except DataError as error:
            faults.append(fault_of(error, rule="json"))
    _require_same_categories(layout, list(contents.values()))
    scanned: list[Scanned] = []
    for name, content in contents.items():
        faults += content.faults
        scanned += [_scanned(each, files[name], layout=layout, split=name) for each in content.pictures]
    first = next(iter(contents.values()), CocoFile((), (), ()))
    return Scan(
        layout.root, layout.kind, split, tuple(each_once(scanned)), tuple(faults),
        classes=first.classes, category_ids=first.category_ids,
    )  # fmt: skip


def _require_same_categories(layout: Layout, contents: list[CocoFile]) -> None:
    """Labels must mean the same in every file."""
    if len({(each.category_ids, each.classes) for each in contents}) > 1:
        raise DataError(
            f"{shown_name(layout.root.name)}: every split must name the same categories; open one split."
        )


def _scanned(picture: CocoPicture, source: Path, *, layout: Layout, split: str) -> Scanned:
    """The picture's file, or a fault that says why there is none."""
    path: Path | None = None
    faults: tuple[Fault, ...] = ()
    try:
        path = _picture_path(layout, split=split, file_name=picture.file_name)
    except DataError as error:
        faults = (Fault(error.rule, f"image {picture.image_id}: {error}"),)
    except OSError as error:  # a name of more letters than a file system takes, a folder that is locked
        text = f"image {picture.image_id}: '{shown_name(picture.file_name)}' cannot be looked up"
        faults = (Fault("file-name", f"{text} ({error.strerror}); rename it."),)
    name = path.stem if path is not None else Path(picture.file_name).stem
    place = f"image {picture.image_id}, "
    return Scanned(name, source, path, picture.annotation, faults, picture.image_id, picture.file_name, place)


def _picture_path(layout: Layout, *, split: str, file_name: str) -> Path:
    """Where a COCO picture lies; a name that leaves the data set leads nowhere."""
    for place in _PLACES:
        base = layout.root / place.format(split)
        if (base / file_name.split("/")[0]).exists() or place == ".":
            try:
                if leaves(base, layout.root):
                    text = f"'{shown_name(base.name)}' is a link that leaves the data set; copy the folder."
                    raise DataError(text)
                found = safe_join(base, file_name)
            except DataError as error:
                raise DataError(str(error), rule="file-name") from None
            if found.is_file():
                return found
    raise DataError(
        f"'{shown_name(file_name)}': there is no picture of that name; add it to the folder.",
        rule="no-picture",
    )
