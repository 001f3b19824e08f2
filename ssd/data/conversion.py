"""A data set with all its splits, ready to be written in another format."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from ssd.data.folders import DataSet, dataset_of, open_dataset
from ssd.data.scan import dataset_splits, scan_dataset
from ssd.data.splits import ALL
from ssd.errors import DataError

__all__ = ["REST", "Parts", "read_parts"]

REST = "rest"  # pictures that no split has


@dataclass(frozen=True)
class Parts:
    """The splits of a data set.

    Attributes:
        parts: split to data set; pictures of no split stand under ``rest``.
        problems: a sentence for everything that is left out, over the whole data set.
    """

    parts: dict[str, DataSet]
    problems: tuple[str, ...]


def read_parts(path: Path, *, split: str | None = None) -> Parts:
    """Open every split of a data set.

    Args:
        path: as for ``open_dataset``.
        split: only this one; ``all`` gives one part without a division.

    Returns:
        The parts; a split without a picture that can be used is left out, and told.

    Raises:
        DataError: there is no such data set or split, or nothing in it can be used.
    """
    if split is not None:
        data = open_dataset(path, split=split)
        return Parts({split: data}, data.problems)
    everything = dataset_of(scan_dataset(path))
    parts: dict[str, DataSet] = {}
    problems = list(everything.problems)
    for name in dataset_splits(path):
        try:
            parts[name] = open_dataset(path, split=name, classes=everything.classes)
        except DataError as error:
            problems.append(f"split '{name}' is left out: {error}")
    taken = {(entry.name, entry.picture) for data in parts.values() for entry in data.entries}
    rest = tuple(e for e in everything.entries if (e.name, e.picture) not in taken)
    if rest:
        parts[REST if parts else ALL] = replace(everything, entries=rest)
    return Parts(parts, tuple(problems))
