"""Files that come over the network: under another name first, held against their checksum, then named.

Nothing here knows an address: whoever asks gives it. A download happens only because a person
asked for it.
"""

from __future__ import annotations

import errno
import hashlib
import http.client
import os
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from ssd.errors import ResourceError

__all__ = ["Progress", "Source", "fetch_file"]

_BLOCK_BYTES = 1 << 18
_TIMEOUT_SECONDS = 30.0
_PARTIAL, _PAST_THE_END = 206, 416

Progress = Callable[[int, int], None]  # bytes that arrived, bytes in all


@dataclass(frozen=True)
class Source:
    """A published file.

    Attributes:
        address: where it is.
        file_name: what it is called.
        what: how a message calls it, with its size where that is known.
        checksum: hexadecimal digits of its digest, or the first of them.
        algorithm: of the digest.
        most_bytes: more than this is not the file.
        about_bytes: its size, where the server does not say one.
        otherwise: what a person can do where there is no network.
    """

    address: str
    file_name: str
    what: str
    checksum: str
    algorithm: Literal["sha256", "md5"] = "sha256"
    most_bytes: int = 1 << 40
    about_bytes: int = 0
    otherwise: str = "go online"


def fetch_file(
    source: Source,
    path: Path,
    *,
    resume: bool = False,
    progress: Progress | None = None,
    before_named: Callable[[str], None] | None = None,
) -> str:
    """Download a file whole, or not at all.

    The bytes arrive under a name that ends in ``.part``. Only when their digest is the
    published one do they get their name.

    Args:
        source: what to fetch.
        path: its final name; the folder is made where missing.
        resume: keep what arrived before a connection broke, and go on from there the next time;
            otherwise a ``.part`` is deleted whatever happens.
        progress: called with the bytes that arrived and the bytes in all.
        before_named: called with the SHA-256 once the checksum is right.

    Returns:
        The SHA-256 of the file.

    Raises:
        ResourceError: there is no network, too little space, or what arrived is not the file.
            What was at ``path`` before is as it was.
    """
    part = path.with_name(f"{path.name}.part" if resume else f"{path.name}.{os.getpid()}.part")
    keep = resume
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        digests = _download(source, part, resume=resume, progress=progress)
        _require_checksum(source, digests[source.algorithm])
        if before_named is not None:
            before_named(digests["sha256"])
        os.replace(part, path)
    except (OSError, http.client.HTTPException) as error:
        raise ResourceError(_reason(source, error)) from error
    except ResourceError:  # what arrived is not the file
        keep = False
        raise
    finally:
        if not keep:
            with suppress(OSError):
                part.unlink(missing_ok=True)
    return digests["sha256"]


def _require_checksum(source: Source, found: str) -> None:
    """Raise unless the digest begins as published."""
    if found.startswith(source.checksum):
        return
    name = {"sha256": "SHA-256", "md5": "MD5"}[source.algorithm]
    words = "that starts with" if len(source.checksum) < len(found) else "of"
    raise ResourceError(
        f"{source.file_name} must have a {name} {words} {source.checksum}, "
        f"got {found[: len(source.checksum)]}; nothing was kept, try again."
    )


def _download(source: Source, part: Path, *, resume: bool, progress: Progress | None) -> dict[str, str]:
    """Fill the part, and return the digests of all of it."""
    have = part.stat().st_size if resume and part.is_file() else 0
    digests = {"sha256": hashlib.sha256(), "md5": hashlib.md5(usedforsecurity=False)}
    with _ask(source, have) as answer:
        have = have if _goes_on_at(answer, have) else 0
        length = int(answer.headers.get("Content-Length") or source.about_bytes)
        total = have - 1 + length if have else length
        _require_space(part.parent, total - have)
        with part.open("r+b" if have else "wb") as file:
            while have and (block := file.read(_BLOCK_BYTES)):
                for digest in digests.values():
                    digest.update(block)
            arrived = have
            while block := answer.read(_BLOCK_BYTES):
                arrived += len(block)
                _require_no_more(source, arrived)
                file.write(block)
                for digest in digests.values():
                    digest.update(block)
                if progress is not None:
                    progress(arrived, total)
            _to_disk(file)
    if resume and arrived < total:  # the server hung up without an error
        raise http.client.IncompleteRead(b"", total - arrived)
    return {name: digest.hexdigest() for name, digest in digests.items()}


def _ask(source: Source, have: int) -> http.client.HTTPResponse:
    """Ask for the file, or for what is missing of it."""
    first = max(have - 1, 0)  # one byte that is here already, so that there is always one to send
    request = urllib.request.Request(source.address, headers={"Range": f"bytes={first}-"} if have else {})
    try:
        answer: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS)
    except urllib.error.HTTPError as error:
        with error:
            if error.code != _PAST_THE_END or not have:
                raise
        return _ask(source, 0)  # what lies here is longer than the file: from the start
    if have and answer.status == _PARTIAL and answer.read(1) == b"":
        raise http.client.IncompleteRead(b"")
    return answer


def _goes_on_at(answer: http.client.HTTPResponse, have: int) -> bool:
    """Whether a partial answer begins with the last byte of our part."""
    return answer.status == _PARTIAL and str(answer.headers.get("Content-Range", "")).startswith(
        f"bytes {have - 1}-"
    )


def _require_no_more(source: Source, arrived: int) -> None:
    """Raise where more arrives than the file can have."""
    if arrived > source.most_bytes:
        raise ResourceError(
            f"{source.file_name} must have about {source.about_bytes / 2**20:.0f} MB, more arrived; "
            "nothing was kept, try again later."
        )


def _require_space(folder: Path, needed: int) -> None:
    """Raise before a file is fetched that does not fit."""
    if needed > shutil.disk_usage(folder).free:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _to_disk(file: IO[bytes]) -> None:
    """Make sure that the bytes are on the disk before the file gets its name."""
    file.flush()
    os.fsync(file.fileno())


def _reason(source: Source, error: Exception) -> str:
    """What a person can do about a download that failed."""
    what = f"{source.what} could not be fetched"
    if isinstance(error, urllib.error.HTTPError):
        return f"{what}: the server answered {error.code}; try again later."
    if isinstance(error, urllib.error.URLError | TimeoutError | ConnectionError | http.client.HTTPException):
        return f"{what}: this machine has no way to their server; {source.otherwise}."
    why = getattr(error, "strerror", None) or "the disk refused"
    return f"{what}: {why}; free some space in the cache folder."
