"""What the doctor looks at: every picture of every split, with what its file says and what it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ssd.checks.pictures import PictureFacts
from ssd.data.annotations import Annotation, Fault
from ssd.data.coco_folders import coco_splits
from ssd.data.layouts import Layout, find_layout
from ssd.data.scan import Scan, Scanned, dataset_splits, scan_dataset
from ssd.data.scanned import Kind, resized
from ssd.data.splits import ALL, FLAT_BLOCK, TRAIN, VAL, fifths, voc_split_files

__all__ = ["Material", "Seen", "exclusive", "read_material", "relative"]

_FOLDERS: tuple[Kind, ...] = ("voc", "flat")


@dataclass(frozen=True, slots=True)
class Seen:
    """One picture of a data set.

    Attributes:
        scanned: what was read of it.
        splits: it is in; empty where it is in none.
        facts: of its file; None where it is missing.
        size_unsaid: its annotation does not say how large the picture is.
    """

    scanned: Scanned
    splits: tuple[str, ...]
    facts: PictureFacts | None = None
    size_unsaid: bool = False

    @property
    def annotation(self) -> Annotation | None:
        """Its objects, where they can be used."""
        return None if self.scanned.faults else self.scanned.annotation

    def with_facts(self, facts: PictureFacts | None) -> Seen:
        """The same, its boxes judged against the picture's size where no file says it."""
        annotation = self.scanned.annotation
        scanned = self.scanned
        unsaid = annotation is not None and not (annotation.width and annotation.height)
        if unsaid and facts is not None and not facts.problem:
            scanned = resized(scanned, (facts.width, facts.height))
        return replace(self, scanned=scanned, facts=facts, size_unsaid=unsaid)


@dataclass(frozen=True)
class Material:
    """A data set, read but not judged.

    Attributes:
        root: its folder.
        kind: its layout.
        split: which part.
        classes: in label order.
        listed_classes: whether a file of the data set lists them.
        seen: its pictures.
        faults: of whole files, with the file.
        lists: of a devkit, the names that each split file lists.
        by_split: pictures in each split.
        passed_over: in words.
    """

    root: Path
    kind: Kind
    split: str
    classes: tuple[str, ...]
    listed_classes: bool
    seen: tuple[Seen, ...]
    faults: tuple[tuple[str, Fault], ...]
    lists: Mapping[str, tuple[str, ...]]
    by_split: Mapping[str, int]
    passed_over: str

    def files(self) -> Iterator[Path]:
        """Of all pictures that are there."""
        return (each.scanned.picture for each in self.seen if each.scanned.picture is not None)


def read_material(path: Path, *, split: str = ALL) -> Material:
    """Read a data set of any layout; no picture is opened.

    Where several files hold a split each, they are read one by one, so that a picture that two of
    them list is seen, and a fault is known by its file.

    Args:
        path: as for ``open_dataset``.
        split: ``all`` or one part.

    Returns:
        Everything that it says.

    Raises:
        DataError: there is no data set, or no such split.
    """
    layout = find_layout(path)
    apart = split == ALL and len(layout.files) > 1
    names = dataset_splits(path) if apart else (split,)
    scans = [scan_dataset(path, split=name) for name in names]
    lists = voc_split_files(layout)
    seen = [each for scan in scans for each in _seen(scan, layout, lists)]
    files = layout.files if apart else layout.files[:1] if len(layout.files) == 1 else ()
    shown = [relative(layout.root, file) for file in files] or [""]
    by_split = {name: sum(name in each.splits for each in seen) for name in _split_names(seen)}
    return Material(
        root=layout.root,
        kind=layout.kind,
        split=split,
        classes=tuple(dict.fromkeys(name for scan in scans for name in scan.classes)),
        listed_classes=_lists_classes(layout),
        seen=tuple(seen),
        faults=tuple(
            (file, fault) for file, scan in zip(shown, scans, strict=True) for fault in scan.faults
        ) + tuple(_other_categories(scans, shown)),
        lists=lists if split == ALL else {split: lists[split]} if split in lists else {},
        by_split=by_split,
        passed_over=", ".join(dict.fromkeys(scan.passed_over for scan in scans if scan.passed_over)),
    )  # fmt: skip


def exclusive(one: str, other: str) -> bool:
    """Whether no picture may be in both splits.

    Args:
        one: name of a split; ``train2017`` counts as ``train``.
        other: likewise.

    Returns:
        True for two of train, val and test, and for trainval and test.

    Example:
        >>> exclusive("train", "val2017"), exclusive("train", "trainval"), exclusive("cat_train", "val")
        (True, False, False)
    """
    kinds = {_split_kind(one), _split_kind(other)}
    return None not in kinds and len(kinds) == 2 and kinds not in ({"trainval", "train"}, {"trainval", "val"})


def relative(root: Path, file: Path) -> str:
    """A file as seen from the data set's folder.

    Args:
        root: the folder.
        file: inside it, or beside it.

    Returns:
        The path with ``/``; only the name where the file lies elsewhere.

    Example:
        >>> relative(Path("set"), Path("set/Annotations/a.xml"))
        'Annotations/a.xml'
    """
    return file.relative_to(root).as_posix() if file.is_relative_to(root) else file.name


def _split_kind(name: str) -> str | None:
    """trainval, train, val or test, as the name begins."""
    for kind in ("trainval", "train", "val", "test"):
        rest = name.removeprefix(kind)
        if rest != name and not rest[:1].isalpha():
            return kind
    return None


def _split_names(seen: Iterable[Seen]) -> tuple[str, ...]:
    """Every split that a picture is in."""
    return tuple(dict.fromkeys(name for each in seen for name in each.splits))


def _seen(scan: Scan, layout: Layout, lists: Mapping[str, tuple[str, ...]]) -> Iterator[Seen]:
    """The pictures of a scan, with their splits."""
    parts = set(dataset_splits(layout.root)) if scan.kind == "yolo" and scan.split == ALL else set()
    in_folders = [_yolo_part(each, layout.root, parts) for each in scan.pictures] if parts else []
    counted = {} if any(in_folders) else _membership(scan, layout, lists)
    for index, each in enumerate(scan.pictures):
        yield Seen(each, in_folders[index] if any(in_folders) else counted.get(each.name, ()))


def _membership(
    scan: Scan, layout: Layout, lists: Mapping[str, tuple[str, ...]]
) -> dict[str, tuple[str, ...]]:
    """The splits of each name: as files say, or by counting where a split is made so."""
    if lists and scan.split == ALL:
        found: dict[str, tuple[str, ...]] = {}
        for split, listed in lists.items():
            for name in listed:
                found[name] = (*found.get(name, ()), split)
        return found
    names = tuple(each.name for each in scan.pictures if each.source or scan.kind not in _FOLDERS)
    if scan.split != ALL or scan.kind in ("coco", "lesson-json"):
        split = scan.split if scan.split != ALL else next(iter(coco_splits(layout)))
        return dict.fromkeys(names, (split,))
    block = FLAT_BLOCK if scan.kind == "flat" else 1
    return {
        name: (split,)
        for split in (TRAIN, VAL)
        for name in fifths(tuple(sorted(names)), split=split, block=block)
    }


def _yolo_part(scanned: Scanned, root: Path, parts: set[str]) -> tuple[str, ...]:
    """YOLO's parts are folders: images/train, labels/train, train/images."""
    file = scanned.picture or scanned.source
    inside = [] if file is None else [p for p in relative(root, file).split("/")[:-1] if p in parts]
    return tuple(inside[:1])


def _lists_classes(layout: Layout) -> bool:
    """Whether the classes are those that a file lists, not only those that occur."""
    from ssd.data.text_lists import listed_classes

    if layout.kind in ("coco", "lesson-json"):
        return True
    return layout.kind in ("yolo", "text") and bool(listed_classes(layout.root) or layout.kind == "yolo")


def _other_categories(scans: list[Scan], shown: list[str]) -> Iterator[tuple[str, Fault]]:
    """COCO files whose categories are not those of the first one that can be read."""
    readable = [(scan, file) for scan, file in zip(scans, shown, strict=True) if scan.category_ids]
    for scan, file in readable[1:]:
        first, first_file = readable[0]
        if (scan.category_ids, scan.classes) != (first.category_ids, first.classes):
            text = f"{file}: the categories must be those of {first_file}, and are others."
            yield file, Fault("categories", text)
