"""Data sets written in another format: a new folder, whole or not at all.

Everything is written to a folder beside the new one and gets its name in one step. The data set
that is read from is never touched; pictures are copied byte for byte.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from ssd.data.folders import DataSet
from ssd.data.images import shown_name
from ssd.data.write_annotations import coco_files, lesson_json_files, voc_files
from ssd.data.write_tables import box_table_files, class_table_files, text_files, yolo_files
from ssd.data.written import File, Kept, Rules, apart, kept, require_names
from ssd.errors import ConfigError, ResourceError

__all__ = ["FORMATS", "Written", "require_room", "take_place", "write_dataset", "write_parts"]


@dataclass(frozen=True)
class _Format:
    """How a format is written, what it can hold, and whether a picture may be in several splits."""

    files: Callable[[Mapping[str, DataSet]], Iterator[File]]
    rules: Rules
    overlaps: bool = True


_FORMATS: dict[str, _Format] = {
    "voc": _Format(voc_files, Rules(inclusive=True)),
    "coco": _Format(coco_files, Rules()),
    "lesson-json": _Format(lesson_json_files, Rules()),
    "lesson-csv-classes": _Format(
        class_table_files, Rules(crowd=False, difficult=False, flags=False, spaces=False)
    ),
    "lesson-csv-boxes": _Format(
        box_table_files,
        Rules(crowd=False, difficult=False, inclusive=True, flags=False, spaces=False, file_spaces=False),
    ),
    "yolo": _Format(yolo_files, Rules(crowd=False, difficult=False, flags=False), overlaps=False),
    "text": _Format(text_files, Rules(crowd=False, inclusive=True, flags=False, file_spaces=False)),
}
FORMATS = tuple(_FORMATS)
_OURS = (  # what lies at the top of a data set that we have written or downloaded
    "Annotations", "ImageSets", "JPEGImages", "VOCdevkit", "annotations", "images", "labels",
    "classes.txt", "data.yaml", "pascal_*.json", "classes_*.csv", "boxes_*.csv", "*_name_size.txt",
    "*_difficult.txt", "train*.txt", "val*.txt", "test*.txt", "all.txt", "rest.txt",
)  # fmt: skip


@dataclass(frozen=True)
class Written:
    """What was written.

    Attributes:
        path: of the new folder.
        format: of its files.
        splits: pictures of each split.
        num_pictures: each counted once, with those of which only the boxes are known.
        num_objects: of those pictures.
        left_out: how many objects or flags the format cannot hold, by reason.
    """

    path: Path
    format: str
    splits: dict[str, int]
    num_pictures: int
    num_objects: int
    left_out: dict[str, int]


def write_dataset(
    data: DataSet, path: Path, *, format: str, force: bool = False, copy_pictures: bool = True
) -> Written:
    """Write one data set in another format.

    Args:
        data: what is written; its split names the part.
        path: a folder that does not exist yet.
        format: one of ``FORMATS``.
        force: replace a data set that is there, in one step.
        copy_pictures: also the pictures, byte for byte; otherwise annotations only.

    Returns:
        What was written, and what the format cannot hold.

    Raises:
        ConfigError: the format is unknown, or something is at ``path`` and ``force`` is not given.
        DataError: a name cannot be held by the format.
        ResourceError: the disk is full or cannot be written; nothing is left behind.
    """
    return write_parts({data.split: data}, path, format=format, force=force, copy_pictures=copy_pictures)


def write_parts(
    parts: Mapping[str, DataSet],
    path: Path,
    *,
    format: str,
    force: bool = False,
    copy_pictures: bool = True,
    progress: Callable[[Iterable[File]], Iterable[File]] = iter,
) -> Written:
    """Write several splits of one data set in another format.

    Args:
        parts: split to data set, in any order; they may overlap.
        path: a folder that does not exist yet.
        format: one of ``FORMATS``.
        force: replace a data set that is there, in one step.
        copy_pictures: also the pictures, byte for byte; otherwise annotations only.
        progress: is given the files and hands them on, for a progress bar.

    Returns:
        What was written, and what the format cannot hold.

    Raises:
        ConfigError, ResourceError: as :func:`write_dataset`.
    """
    if format not in _FORMATS:
        raise ConfigError(f"a format must be one of {', '.join(FORMATS)}, got '{shown_name(format)}'.")
    require_room(path, sources=[data.root for data in parts.values()], force=force)
    chosen = _FORMATS[format]
    require_names(parts, chosen.rules)
    held = kept(parts if chosen.overlaps else apart(parts), chosen.rules)
    files = [f for f in chosen.files(held.parts) if copy_pictures or isinstance(f.content, str)]
    _require_space(files, path)
    _write_whole(path, progress(files), force=force)
    return _report(held, path, format)


def require_room(path: Path, *, sources: Iterable[Path], force: bool) -> None:
    """Raise unless a new folder may take this place.

    Args:
        path: of the new folder.
        sources: folders that are read from.
        force: whether a data set that is there may be replaced.

    Raises:
        ConfigError: something is there, or the place lies in a folder that is read from, or
            holds one.
    """
    real = Path(os.path.realpath(path))
    for source in (Path(os.path.realpath(each)) for each in sources):
        if real.is_relative_to(source) or source.is_relative_to(real):
            raise ConfigError(
                f"{path} must lie outside the data set that is read, which is never written to; "
                "choose another folder."
            )
    if not (path.exists() or path.is_symlink()) or _is_empty_folder(path):
        return
    if not force:
        raise ConfigError(f"{path} exists already; add --force to replace it, or choose another folder.")
    if path.is_symlink() or not path.is_dir() or not _is_dataset(path):
        raise ConfigError(f"--force replaces a data set, and {path} is none; choose another folder.")


def _is_empty_folder(path: Path) -> bool:
    """Whether there is nothing that could be lost."""
    return path.is_dir() and not path.is_symlink() and not any(path.iterdir())


def _is_dataset(path: Path) -> bool:
    """Whether a folder holds a data set of ours and nothing else that could be lost."""
    names = [entry.name for entry in path.iterdir()]
    return all(any(fnmatchcase(name, pattern) for pattern in _OURS) for name in names)


def _require_space(files: list[File], path: Path) -> None:
    """Raise before anything is written where the pictures would not fit."""
    try:
        needed = sum(
            len(f.content) if isinstance(f.content, str) else f.content.stat().st_size for f in files
        )
        above = next(parent for parent in path.absolute().parents if parent.is_dir())
        free = shutil.disk_usage(above).free
    except OSError as error:
        raise ResourceError(f"{path} cannot be written ({error.strerror}); choose another folder.") from error
    if needed > free:
        raise ResourceError(
            f"{path} needs {needed / 1e6:.0f} MB, {free / 1e6:.0f} MB are free; free some space or choose "
            "another folder."
        )


def _write_whole(path: Path, files: Iterable[File], *, force: bool) -> None:
    """All files under another name, then the folder gets its own."""
    part = path.with_name(f".{path.name[:100]}.{os.getpid()}.part")
    try:
        part.mkdir(parents=True)
        for file in files:
            to = part / file.path
            to.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(file.content, str):
                to.write_text(file.content, encoding="utf-8", newline="\n")
            else:
                shutil.copyfile(file.content, to)
        take_place(part, path, force=force)
    except OSError as error:
        raise ResourceError(
            f"{path} could not be written ({error.strerror}); nothing was kept, free some space or choose "
            "another folder."
        ) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def take_place(part: Path, path: Path, *, force: bool) -> None:
    """A folder that is complete gets its name; an old one leaves only after that.

    Args:
        part: lies beside the new folder.
        path: its name.
        force: whether a data set may be there.

    Raises:
        OSError: something else is there, or the disk refuses; an old data set is as it was.
    """
    if not force or not path.exists():
        os.rename(part, path)  # fails where somebody has put something there in the meantime
        return
    old = path.with_name(f".{path.name[:100]}.{os.getpid()}.old")
    os.rename(path, old)
    try:
        os.rename(part, path)
    except OSError:
        os.rename(old, path)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _report(held: Kept, path: Path, format: str) -> Written:
    """Counts over all parts, each picture once."""
    entries = {entry.name: entry for data in held.parts.values() for entry in data.entries}
    return Written(
        path,
        format,
        {split: len(data) for split, data in held.parts.items()},
        len(entries),
        sum(len(entry.annotation.objects) for entry in entries.values()),
        dict(held.left_out),
    )
