"""Where the files of a data set lie: three layouts, recognised, and their splits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ssd.data.images import shown_name
from ssd.data.paths import PICTURE_SUFFIXES, composed, plain_files, safe_join
from ssd.data.voc import read_annotation_bytes
from ssd.errors import DataError
from ssd.limits import MAX_ANNOTATION_BYTES

Kind = Literal["voc", "flat", "coco"]
FLAT_BLOCK = 10  # neighbouring file names that stay together when a flat folder is split
VAL_EVERY = 5
ALL = "all"


@dataclass(frozen=True)
class Layout:
    """A data set's folder and its kind; for COCO the annotation file of each split."""

    kind: Kind
    root: Path
    coco_files: tuple[Path, ...] = ()


@dataclass(frozen=True)
class VocFiles:
    """XML and picture of each name, sorted by file name."""

    annotations: dict[str, Path]
    pictures: dict[str, Path]


def find_layout(path: Path) -> Layout:
    """Recognise the layout of a folder, or of one COCO JSON file.

    Args:
        path: the folder or file.

    Returns:
        Kind and root.

    Raises:
        DataError: nothing is there, or no layout is recognised; where one lies in a
            folder below, the message names it.
    """
    shown = shown_name(path.name or str(path))
    if path.is_file() and path.suffix.lower() == ".json":
        return Layout("coco", path.parent, (path,))
    if not path.is_dir():
        raise DataError(f"{shown}: a data set must be a folder that exists; check the path.")
    layout = _layout_here(path) or _layout_inside(path)
    if layout is not None:
        return layout
    below = [child for child in _folders(path) if _layout_here(child)]
    if below:
        raise DataError(
            f"{shown}: no data set here, but found {shown_name(below[0].name)} one level below; "
            "open that folder."
        )
    raise DataError(
        f"{shown}: a data set needs Annotations and JPEGImages (VOC), an XML beside each picture, or "
        "annotations/instances_<split>.json (COCO), found none of them; choose the folder that holds them."
    )


def list_voc_files(layout: Layout) -> VocFiles:
    """The files of a devkit or flat folder."""
    devkit = layout.kind == "voc"
    annotations = plain_files(layout.root / "Annotations" if devkit else layout.root, suffixes=(".xml",))
    pictures = plain_files(layout.root / "JPEGImages" if devkit else layout.root, suffixes=PICTURE_SUFFIXES)
    return VocFiles(annotations, pictures)


def split_names(layout: Layout, names: Iterable[str], *, split: str) -> tuple[str, ...]:
    """The names that a split takes.

    Args:
        layout: of a devkit or flat folder.
        names: every name, sorted by file name.
        split: ``all``, a split file's name, or ``train`` / ``val`` where there are none.

    Returns:
        Names in the order of the split file, or sorted.

    Raises:
        DataError: there is no such split; the message lists those there are.
    """
    names = tuple(names)
    if split == ALL:
        return names
    lists = (
        plain_files(layout.root / "ImageSets" / "Main", suffixes=(".txt",)) if layout.kind == "voc" else {}
    )
    if split in lists:
        data = read_annotation_bytes(lists[split], limit=MAX_ANNOTATION_BYTES)
        lines = data.decode("utf-8-sig", errors="replace").splitlines()
        return tuple(dict.fromkeys(composed(line.split()[0]) for line in lines if line.strip()))
    if lists or split not in ("train", "val"):
        raise DataError(
            f"{shown_name(layout.root.name)}: there is no split '{shown_name(split)}'; "
            f"choose one of {', '.join([ALL, *(lists or ('train', 'val'))])}."
        )
    block = FLAT_BLOCK if layout.kind == "flat" else 1
    return tuple(
        name
        for index, name in enumerate(names)
        if ((index // block) % VAL_EVERY == VAL_EVERY - 1) == (split == "val")
    )


def coco_split_files(layout: Layout, *, split: str) -> dict[str, Path]:
    """Split name to annotation file: all of them, or the one that is asked for.

    Raises:
        DataError: there is no such split, or more than one starts with the name.
    """
    files = {path.stem.removeprefix("instances_"): path for path in layout.coco_files}
    if split == ALL:
        return files
    chosen = [split] if split in files else [name for name in files if name.startswith(split) and split]
    if len(chosen) != 1:
        raise DataError(
            f"{shown_name(layout.root.name)}: there is no single split '{shown_name(split)}'; "
            f"choose one of {', '.join([ALL, *files])}."
        )
    return {chosen[0]: files[chosen[0]]}


def coco_picture_path(layout: Layout, *, split: str, file_name: str) -> Path:
    """Where a COCO picture lies.

    Raises:
        DataError: the name leaves the data set, or the picture is in none of the folders.
    """
    for folder in (split, f"images/{split}", "images", f"../{split}", "../images", "."):
        base = layout.root / folder
        if (base / file_name.split("/")[0]).exists() or folder == ".":
            found = safe_join(base, file_name)
            if found.is_file():
                return found
    raise DataError(f"'{shown_name(file_name)}': there is no picture of that name; add it to the folder.")


def _layout_here(folder: Path) -> Layout | None:
    """The layout whose root is exactly this folder."""
    jsons = tuple(sorted((folder / "annotations").glob("instances_*.json")))
    if jsons:
        return Layout("coco", folder, jsons)
    if (folder / "Annotations").is_dir():
        return Layout("voc", folder)
    return Layout("flat", folder) if plain_files(folder, suffixes=(".xml",)) else None


def _layout_inside(folder: Path) -> Layout | None:
    """The official VOCdevkit/VOC20xx, or one subfolder that is flat."""
    years = [child for child in _folders(folder / "VOCdevkit") if (child / "Annotations").is_dir()]
    if len(years) == 1:
        return Layout("voc", years[0])
    flat = [found for child in _folders(folder) if (found := _layout_here(child)) and found.kind == "flat"]
    return flat[0] if len(flat) == 1 else None


def _folders(folder: Path) -> list[Path]:
    """Folders of a folder, sorted; none where it is no folder."""
    return sorted(child for child in folder.iterdir() if child.is_dir()) if folder.is_dir() else []
