"""Which pictures a split takes: as files say; where there are none, every fifth by sorted name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ssd.data.images import shown_name
from ssd.data.layouts import Layout
from ssd.data.paths import composed, plain_files
from ssd.data.voc import read_annotation_bytes
from ssd.errors import DataError
from ssd.limits import MAX_ANNOTATION_BYTES

ALL, TRAIN, VAL = "all", "train", "val"
FLAT_BLOCK = 10  # neighbouring file names that stay together when a flat folder is split
VAL_EVERY = 5


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
    files = plain_files(layout.root / "ImageSets" / "Main", suffixes=(".txt",))
    return {split: _listed_names(path) for split, path in files.items()}


def chosen_split(found: Mapping[str, Sequence[str]], *, split: str, shown: str) -> str:
    """The split that a name stands for, among those that a data set has.

    Args:
        found: what each split holds.
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


def _listed_names(path: Path) -> tuple[str, ...]:
    """The first word of each line; a name may not lead out of the folder, so slashes find nothing."""
    data = read_annotation_bytes(path, limit=MAX_ANNOTATION_BYTES)
    lines = data.decode("utf-8-sig", errors="replace").splitlines()
    return tuple(dict.fromkeys(composed(line.split()[0]) for line in lines if line.strip()))
