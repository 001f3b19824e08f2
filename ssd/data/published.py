"""Pascal VOC as it is published: fetched when a person asks for it, with what torchvision knows of it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from ssd.data.archives import extract_archive
from ssd.data.images import shown_name
from ssd.data.writers import require_room, take_place
from ssd.errors import ConfigError, DataError, ResourceError
from ssd.limits import MAX_ARCHIVE_BYTES
from ssd.storage import cache_folder
from ssd.transfers import Progress, Source, fetch_file

__all__ = ["PUBLISHED", "Progress", "download_dataset", "published_archives"]

# Name here → torchvision's keys, and the folder that the archives hold.
_ARCHIVES: dict[str, tuple[str, ...]] = {"voc2007": ("2007", "2007-test"), "voc2012": ("2012",)}
PUBLISHED = tuple(_ARCHIVES)


def published_archives(name: str) -> tuple[Source, ...]:
    """The archives of a data set, with addresses and checksums from torchvision.

    Args:
        name: one of ``PUBLISHED``.

    Returns:
        What is to be fetched.

    Raises:
        ConfigError: the name is another one.

    Example:
        >>> [archive.file_name for archive in published_archives("voc2007")]
        ['VOCtrainval_06-Nov-2007.tar', 'VOCtest_06-Nov-2007.tar']
    """
    if name not in _ARCHIVES:
        raise ConfigError(f"Data sets to download are {', '.join(PUBLISHED)}, got '{shown_name(name)}'.")
    from torchvision.datasets.voc import DATASET_YEAR_DICT

    records = [DATASET_YEAR_DICT[key] for key in _ARCHIVES[name]]
    return tuple(
        Source(
            record["url"],
            record["filename"],
            f"The archive {record['filename']}",
            record["md5"],
            algorithm="md5",
            most_bytes=MAX_ARCHIVE_BYTES,
            about_bytes=MAX_ARCHIVE_BYTES,
        )
        for record in records
    )


def download_dataset(name: str, path: Path, *, force: bool = False, progress: Progress | None = None) -> Path:
    """Fetch a published data set, check it, and unpack it: all of it or nothing.

    The archives arrive in the user's cache folder as ``.part``; after a broken connection the next
    call goes on where the last one stopped. They are unpacked beside ``path`` only once every
    checksum is right, and deleted when the data set has its name.

    Args:
        name: one of ``PUBLISHED``.
        path: a folder that does not exist yet.
        force: replace a data set that is there.
        progress: called with the bytes of an archive that arrived and its bytes in all.

    Returns:
        The folder, which ``open_dataset`` opens.

    Raises:
        ConfigError: the name is unknown, or something is at ``path`` and ``force`` is not given.
        DataError: an archive is not what it should be; nothing is left of it.
        ResourceError: there is no network or too little space, or a checksum is wrong; a data set
            that was there is as it was.
    """
    sources = published_archives(name)
    require_room(path, sources=[], force=force)
    archives = [cache_folder() / "downloads" / source.file_name for source in sources]
    for source, archive in zip(sources, archives, strict=True):
        if not archive.is_file():
            fetch_file(source, archive, resume=True, progress=progress)
    _unpack(archives, path, force=force)
    for archive in archives:
        archive.unlink(missing_ok=True)
    return path


def _unpack(archives: list[Path], path: Path, *, force: bool) -> None:
    """Everything into a folder beside the new one, which then gets its name."""
    part = path.with_name(f".{path.name[:100]}.{os.getpid()}.part")
    try:
        part.mkdir(parents=True)
        for archive in archives:
            try:
                extract_archive(archive, part)
            except DataError:
                archive.unlink(missing_ok=True)  # the next call fetches it again
                raise
        if not any((part / "VOCdevkit").glob("VOC*/Annotations")):
            raise DataError(f"{shown_name(path.name)}: the archives hold no VOCdevkit; try again later.")
        take_place(part, path, force=force)
    except OSError as error:
        raise ResourceError(
            f"{path} could not be written ({error.strerror}); nothing was kept, choose another folder."
        ) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
