"""Where this user's own files lie, and how one is written: whole, or not at all."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from ssd.errors import ResourceError

__all__ = ["cache_folder", "write_file"]


def cache_folder() -> Path:
    """Where this user keeps what can be made or fetched again.

    Returns:
        A folder below ``XDG_CACHE_HOME`` or ``~/.cache``, which need not exist.
    """
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if base else Path.home() / ".cache") / "ssd-explorer"


def write_file(path: Path, content: bytes) -> None:
    """Write a whole file or nothing: temporary name, fsync, replace.

    Args:
        path: the final name; its folder is made where missing.
        content: all of it.

    Raises:
        ResourceError: the disk is full or the folder cannot be written; an older
            file of that name is left as it was.
    """
    temporary = path.with_name(f"{path.name[:200]}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise ResourceError(
            f"{path} could not be written ({error.strerror}); free some space or choose another folder."
        ) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
