"""Folders of VOC files: the devkit, and an XML beside each picture."""

from __future__ import annotations

from ssd.data.annotations import Annotation, Fault
from ssd.data.images import shown_name
from ssd.data.index import read_voc_files
from ssd.data.layouts import Layout
from ssd.data.paths import PICTURE_SUFFIXES, list_files, passed_over_words
from ssd.data.scanned import Scan, Scanned, missing
from ssd.data.splits import ALL, FLAT_BLOCK, TRAIN, VAL, fifths, require_train_or_val, voc_split_files
from ssd.errors import DataError

__all__ = ["scan_voc", "voc_splits"]


def voc_splits(layout: Layout) -> tuple[str, ...]:
    """The splits of a devkit or flat folder.

    Args:
        layout: of the folder.

    Returns:
        Names of the split files, without those of single classes (``cat_train`` beside ``train``);
        ``train`` and ``val`` where there are none.
    """
    files = voc_split_files(layout)
    of_classes = {name for name in files if "_" in name and name.rpartition("_")[2] in files}
    return tuple(name for name in files if name not in of_classes) or (TRAIN, VAL)


def scan_voc(layout: Layout, *, split: str) -> Scan:
    """Read every annotation of a devkit or flat folder; no picture is opened.

    Args:
        layout: of the folder.
        split: ``all``, a split file's name, or ``train`` / ``val`` where there are none.

    Returns:
        The pictures of the split; the classes are those of the whole folder.

    Raises:
        DataError: there is no such split; the message lists those there are.
    """
    root, devkit = layout.root, layout.kind == "voc"
    xmls = list_files(root / "Annotations" if devkit else root, suffixes=(".xml",), root=root)
    pictures = list_files(root / "JPEGImages" if devkit else root, suffixes=PICTURE_SUFFIXES, root=root)
    names = _names(layout, tuple(xmls.files), split=split)
    if split == ALL:
        names += tuple(sorted(set(pictures.files) - set(xmls.files)))
    read = read_voc_files(layout.root, xmls.files)
    scanned = []
    for name in names:
        annotation, faults = _read(read.get(name), name, has_picture=name in pictures.files)
        xml, picture = xmls.files.get(name), pictures.files.get(name)
        place = f"{shown_name(xml.name)}: " if xml is not None else ""
        scanned.append(Scanned(name, xml, picture, annotation, faults, place=place))
    found = {o.name for each in read.values() if isinstance(each, Annotation) for o in each.objects}
    return Scan(
        layout.root,
        layout.kind,
        split,
        tuple(scanned),
        passed_over=passed_over_words([xmls, pictures]),
        classes=tuple(sorted(found)),
    )


def _read(
    read: Annotation | Fault | None, name: str, *, has_picture: bool
) -> tuple[Annotation | None, tuple[Fault, ...]]:
    """What a name stands for: its annotation, and what is missing."""
    if read is None:
        return None, (missing("annotation", name),)
    gone = () if has_picture else (missing("picture", name),)
    return (None, (*gone, read)) if isinstance(read, Fault) else (read, gone)


def _names(layout: Layout, names: tuple[str, ...], *, split: str) -> tuple[str, ...]:
    """The names that a split takes, in the order of its file, or sorted."""
    if split == ALL:
        return names
    lists = voc_split_files(layout)
    if split in lists:
        return lists[split]
    shown = layout.root.name
    if lists:
        raise DataError(
            f"{shown_name(shown)}: there is no split '{shown_name(split)}'; "
            f"choose one of {', '.join([ALL, *lists])}."
        )
    require_train_or_val(split, shown=shown)
    return fifths(names, split=split, block=FLAT_BLOCK if layout.kind == "flat" else 1)
