"""A folder of annotated pictures, whichever of three layouts it has.

* **VOC devkit**: ``Annotations/``, ``JPEGImages/`` and, where there are splits,
  ``ImageSets/Main/<split>.txt``; the folder itself, or one that holds ``VOCdevkit/VOC2007``.
* **flat**: an XML beside each picture; the folder itself, or one with a single such subfolder.
* **COCO**: ``annotations/instances_<split>.json`` and the pictures in ``<split>/`` (or
  ``images/<split>/``, ``images/``, the folder itself).

Nothing in a data set is ever written.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from ssd.data.annotations import Annotation, annotation_to_target
from ssd.data.coco import CocoPicture, read_coco
from ssd.data.images import Picture, read_picture, read_picture_bytes, shown_name
from ssd.data.layouts import (
    ALL,
    Kind,
    Layout,
    VocFiles,
    coco_picture_path,
    coco_split_files,
    find_layout,
    list_voc_files,
    split_names,
)
from ssd.data.records import Sample, Target
from ssd.data.voc import parse_voc, read_annotation_bytes
from ssd.errors import ConfigError, DataError
from ssd.limits import MAX_ANNOTATION_BYTES

MAX_LISTED = 20  # problems in one message


@dataclass(frozen=True)
class Entry:
    """One picture of a data set: its name, its file, its annotation, and COCO's id of it."""

    name: str
    picture: Path
    annotation: Annotation
    image_id: int | None = None


@dataclass(frozen=True)
class DataSet:
    """Annotated pictures; files of pictures are opened one by one, when asked for.

    Attributes:
        root: the folder.
        kind: its layout.
        split: which part.
        classes: class names in label order (label 1 first): alphabetical for VOC, by
            category id for COCO, or as asked for.
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
        picture = read_picture(entry.picture, name=entry.picture.name)
        _check_same_size(entry, picture)
        return picture

    def picture_bytes(self, index: int) -> bytes:
        """The bytes of the picture's file, for ``read_picture``.

        Raises:
            DataError: the file cannot be read.
        """
        path = self.entries[index].picture
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
    ``train2017``). ``all`` takes every annotated picture.

    Args:
        path: the folder, or one COCO JSON file.
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
    layout = find_layout(Path(path))
    _validate_classes(classes)
    made = (_open_coco if layout.kind == "coco" else _open_voc)(layout, split=split, classes=classes)
    shown = shown_name(layout.root.name)
    if made.problems and not skip_bad:
        raise DataError(f"{shown}: {_listed(made.problems)}; correct the annotations.")
    if not made.entries:
        why = f" ({_listed(made.problems)})" if made.problems else ""
        raise DataError(f"{shown}: split '{shown_name(split)}' must hold a picture to use, got none{why}.")
    clipped = sum(entry.annotation.clipped for entry in made.entries)
    note = f"{clipped} box(es) reached up to a pixel outside the picture and were clipped."
    return replace(made, problems=(*made.problems, note)) if clipped else made


def _open_voc(layout: Layout, *, split: str, classes: tuple[str, ...] | None) -> DataSet:
    """A devkit or flat folder."""
    files = list_voc_files(layout)
    names = split_names(layout, files.annotations, split=split)
    unannotated = set(files.pictures) - set(files.annotations) if split == ALL else set()
    entries, problems = _read_entries(files, [*names, *sorted(unannotated)])
    found = _class_names(entries)
    if classes is None or not set(classes) <= found:  # a split may lack a class that the data set has
        rest = [name for name in files.annotations if name not in set(names)]
        found |= _class_names(_read_entries(files, rest)[0])
    chosen = _chosen_classes(classes, sorted(found))
    return DataSet(layout.root, layout.kind, split, chosen, tuple(entries), tuple(problems))


def _read_entries(files: VocFiles, names: Iterable[str]) -> tuple[list[Entry], list[str]]:
    """The pictures that can be used, and a sentence for all that cannot."""
    entries: list[Entry] = []
    problems: list[str] = []
    for name in names:
        xml, picture = files.annotations.get(name), files.pictures.get(name)
        if xml is None or picture is None:
            missing = "annotation" if xml is None else "picture"
            problems.append(f"{shown_name(name)}: its {missing} is missing; add it or take the name out.")
            continue
        try:
            annotation = parse_voc(read_annotation_bytes(xml, limit=MAX_ANNOTATION_BYTES), name=xml.name)
            entries.append(_sized(Entry(name, picture, annotation)))
        except DataError as error:
            problems.append(str(error))
            continue
        problems += [f"{shown_name(xml.name)}: {problem}" for problem in annotation.problems]
    return entries, problems


def _sized(entry: Entry) -> Entry:
    """The entry with its picture's size, read from the picture where the annotation does not say it."""
    if entry.annotation.width and entry.annotation.height:
        return entry
    picture = read_picture(entry.picture, name=entry.picture.name)
    return replace(entry, annotation=replace(entry.annotation, width=picture.width, height=picture.height))


def _open_coco(layout: Layout, *, split: str, classes: tuple[str, ...] | None) -> DataSet:
    """One or more COCO files."""
    contents = {name: read_coco(path) for name, path in coco_split_files(layout, split=split).items()}
    first = next(iter(contents.values()))
    if any(
        each.category_ids != first.category_ids or each.classes != first.classes for each in contents.values()
    ):
        raise DataError(
            f"{shown_name(layout.root.name)}: every split must name the same categories; open one split."
        )
    entries: list[Entry] = []
    problems: list[str] = []
    for name, content in contents.items():
        problems += content.problems
        for picture in content.pictures:
            _add_coco_entry(entries, problems, picture, layout=layout, split=name)
    chosen = _chosen_classes(classes, first.classes)
    ids = dict(zip(first.classes, first.category_ids, strict=True))
    category_ids = tuple(ids[name] for name in chosen)
    return DataSet(layout.root, "coco", split, chosen, tuple(entries), tuple(problems), category_ids)


def _add_coco_entry(
    entries: list[Entry], problems: list[str], picture: CocoPicture, *, layout: Layout, split: str
) -> None:
    """Add a picture, or say why not."""
    try:
        path = coco_picture_path(layout, split=split, file_name=picture.file_name)
    except DataError as error:
        problems.append(f"image {picture.image_id}: {error}")
        return
    entries.append(Entry(path.stem, path, picture.annotation, picture.image_id))
    problems += [f"image {picture.image_id}, {problem}" for problem in picture.annotation.problems]


def _class_names(entries: Iterable[Entry]) -> set[str]:
    """Every class that an object has."""
    return {each.name for entry in entries for each in entry.annotation.objects}


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


def _check_same_size(entry: Entry, picture: Picture) -> None:
    """Boxes drawn on a picture of another size, or before it was turned, fit nothing."""
    said = (entry.annotation.width, entry.annotation.height)
    if said == (picture.width, picture.height):
        return
    text = (
        f"{shown_name(entry.picture.name)}: the annotation says {said[0]}×{said[1]}; "
        f"picture is {picture.width}×{picture.height}"
    )
    if picture.turned and said == (picture.height, picture.width):
        raise DataError(
            f"{text} after EXIF rotation: boxes were drawn on the unrotated picture; turn the boxes."
        )
    raise DataError(f"{text}; correct the annotation or use the picture it was made for.")


def _listed(problems: tuple[str, ...]) -> str:
    """Up to twenty problems in one line."""
    more = f"; and {len(problems) - MAX_LISTED} more" if len(problems) > MAX_LISTED else ""
    return "; ".join(problem.rstrip(".") for problem in problems[:MAX_LISTED]) + more
