"""Which pictures a split takes: as files say; where there are none, every fifth by sorted name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ssd.data.images import shown_name
from ssd.data.layouts import Layout
from ssd.data.paths import composed, list_files
from ssd.data.scanned import Scanned
from ssd.data.voc import read_annotation_bytes
from ssd.errors import DataError
from ssd.limits import MAX_ANNOTATION_BYTES

ALL, TRAIN, VAL = "all", "train", "val"
FLAT_BLOCK = 10  # neighbouring file names that stay together when a flat folder is split
VAL_EVERY = 5


@dataclass(frozen=True)
class CountedSplit:
    """Lists to read, and which of their pictures to take.

    Attributes:
        files: the lists.
        split: ``train`` or ``val`` where every fifth picture is ``val``; None: all of them.
    """

    files: tuple[Path, ...]
    split: str | None

    def of(self, scanned: Iterable[Scanned]) -> tuple[Scanned, ...]:
        """The pictures that the split takes, each once."""
        found = each_once(scanned)
        if self.split is None:
            return tuple(found)
        by_name = sorted(found, key=lambda each: each.name)
        taken = set(fifths([each.name for each in by_name], split=self.split))
        return tuple(each for each in by_name if each.name in taken)


def fifths(names: Iterable[str], *, split: str, block: int = 1) -> tuple[str, ...]:
    """``val``: every fifth name, or block of names; ``train``: the others.

    Args:
        names: sorted.
        split: ``train`` or ``val``.
        block: neighbours that stay together, because they may show one scene.

    Returns:
        The names of the split, in their order.

    Example:
        >>> fifths("abcdefghij", split="val"), fifths("abcdefghij", split="val", block=2)
        (('e', 'j'), ('i', 'j'))
    """
    wanted = split == VAL
    return tuple(
        name for index, name in enumerate(names) if ((index // block) % VAL_EVERY == VAL_EVERY - 1) == wanted
    )


def voc_split_files(layout: Layout) -> dict[str, tuple[str, ...]]:
    """The names that each split file of a devkit lists.

    Args:
        layout: of a devkit; a flat folder has none.

    Returns:
        Split to names in the file's order, each once.

    Raises:
        DataError: a split file cannot be read.
    """
    if layout.kind != "voc":
        return {}
    files = list_files(layout.root / "ImageSets" / "Main", suffixes=(".txt",), root=layout.root).files
    return {split: _listed_names(path) for split, path in files.items()}


def chosen_split(found: Mapping[str, object], *, split: str, shown: str) -> str:
    """The split that a name stands for, among those that a data set has.

    Args:
        found: by the names of the splits.
        split: its name, or how a single one begins (``train`` finds ``train2017``).
        shown: the data set, for the message.

    Returns:
        The split's full name.

    Raises:
        DataError: there is none, or there are several; the message lists them.
    """
    chosen = [split] if split in found else [name for name in found if split and name.startswith(split)]
    if len(chosen) != 1:
        raise DataError(
            f"{shown_name(shown)}: there is no single split '{shown_name(split)}'; "
            f"choose one of {', '.join([ALL, *found])}."
        )
    return chosen[0]


def require_train_or_val(split: str, *, shown: str) -> None:
    """Raise where a data set without split files is asked for another split.

    Args:
        split: what was asked for.
        shown: the data set, for the message.

    Raises:
        DataError: it is neither ``all``, ``train`` nor ``val``.
    """
    if split not in (ALL, TRAIN, VAL):
        raise DataError(
            f"{shown_name(shown)}: there is no split '{shown_name(split)}'; choose one of all, train, val."
        )


def each_once(scanned: Iterable[Scanned]) -> list[Scanned]:
    """Pictures without those that another list has already named with the same objects.

    Args:
        scanned: of several lists.

    Returns:
        The first of each; a list that names a picture twice itself has it twice.
    """
    first: dict[object, Path | None] = {}
    kept = []
    for each in scanned:
        content = each.annotation.content if each.annotation is not None else None
        key = (each.picture, each.file_name or each.name, content)
        if first.setdefault(key, each.source) == each.source:
            kept.append(each)
    return kept


def counted_split(files: Mapping[str, Path], *, split: str, shown: str) -> CountedSplit:
    """Which lists or tables a split takes, and whether their pictures are to be counted off.

    Args:
        files: name of the list to file.
        split: ``all``, the name of a list; of a single one also ``train`` and ``val``.
        shown: the data set, for the message.

    Returns:
        The files to read.

    Raises:
        DataError: there is no such list.
    """
    if split == ALL:
        return CountedSplit(tuple(files.values()), None)
    if len(files) == 1 and split in (TRAIN, VAL) and split not in files:
        return CountedSplit(tuple(files.values()), split)
    return CountedSplit((files[chosen_split(files, split=split, shown=shown)],), None)


def _listed_names(path: Path) -> tuple[str, ...]:
    """The first word of each line; a name may not lead out of the folder, so slashes find nothing."""
    data = read_annotation_bytes(path, limit=MAX_ANNOTATION_BYTES)
    lines = data.decode("utf-8-sig", errors="replace").splitlines()
    return tuple(dict.fromkeys(composed(line.split()[0]) for line in lines if line.strip()))
