"""Files as such: written whole or not at all, read after a look, held against their SHA-256."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from ssd.errors import CheckpointError, ResourceError
from ssd.limits import MAX_CHECKPOINT_BYTES
from ssd.storage import write_file

__all__ = [
    "SHIPPED",
    "Content",
    "model_names",
    "read_file",
    "sidecar_of",
    "write_checked",
    "write_file",
    "write_sidecar",
]

SHIPPED = Path(__file__).parents[2] / "assets" / "weights"
_SUFFIXES = (".safetensors", ".pt", ".pth", ".ckpt")


@dataclass(frozen=True)
class Content:
    """A checkpoint file in memory.

    Attributes:
        name: of the file, for messages.
        data: all bytes.
        sha256: of the bytes.
        fault: what is wrong with the checksum, in words; empty where it is right or missing.
        notes: what a person should know: that there was no checksum.
    """

    name: str
    data: bytes
    sha256: str
    fault: str
    notes: tuple[str, ...]

    def require_checksum(self) -> None:
        """Raise a CheckpointError unless the checksum is right or missing."""
        if self.fault:
            raise CheckpointError(f"{self.name} is damaged ({self.fault}); download or copy it again.")


def model_names() -> tuple[str, ...]:
    """Names of the shipped models, the only ones that a page or link may ask for.

    Returns:
        The names, sorted; empty where none is shipped.
    """
    return tuple(sorted(path.stem for path in SHIPPED.glob("*.safetensors") if path.is_file()))


def write_checked(path: Path, content: bytes) -> str:
    """Write a file and its SHA-256 beside it.

    A stop at any moment leaves the old file or the new one; at worst the checksum
    is missing, which reading reports.

    Args:
        path: the final name.
        content: all of it.

    Returns:
        The SHA-256.

    Raises:
        ResourceError: as :func:`write_file`.
    """
    digest = hashlib.sha256(content).hexdigest()
    sidecar = sidecar_of(path)
    aside = sidecar.with_name(sidecar.name + ".old")
    with suppress(OSError):
        os.rename(sidecar, aside)  # an old checksum beside new weights would call them damaged
    try:
        write_file(path, content)
    except ResourceError:
        with suppress(OSError):
            os.rename(aside, sidecar)  # also possible on a full disk
        raise
    with suppress(OSError):
        aside.unlink(missing_ok=True)
    write_sidecar(path, digest)
    return digest


def write_sidecar(path: Path, digest: str) -> None:
    """Write the checksum file of ``path`` in the form of sha256sum.

    Args:
        path: the checkpoint.
        digest: SHA-256 of its content, in hex.
    """
    write_file(sidecar_of(path), f"{digest}  {path.name}\n".encode("utf-8", "surrogateescape"))


def sidecar_of(path: Path) -> Path:
    """The checksum file beside a checkpoint.

    Args:
        path: the checkpoint.

    Returns:
        Its path with ``.sha256`` behind the name.
    """
    return path.with_name(path.name + ".sha256")


def read_file(path: Path) -> Content:
    """Read all bytes of a checkpoint and hold them against the checksum beside it.

    Args:
        path: the file.

    Returns:
        The bytes; a wrong checksum is told, not raised, so that a file that was cut
        off can be called so.

    Raises:
        CheckpointError: the path is missing, a folder, empty, too large or unreadable.
    """
    try:
        if not path.is_file():
            kind = "a folder" if path.is_dir() else "no checkpoint file" if path.exists() else "missing"
            raise CheckpointError(f"{path} is {kind}; {_nearby(path)}")
        size = path.stat().st_size
        if not 0 < size <= MAX_CHECKPOINT_BYTES:
            raise CheckpointError(
                f"{path.name} must hold 1 to {MAX_CHECKPOINT_BYTES:,} bytes, got {size:,}; save it again."
            )
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{str(path)!r} cannot be read; check its name and permissions.") from error
    digest = hashlib.sha256(data).hexdigest()
    fault, notes = _compared(path, digest)
    return Content(name=path.name, data=data, sha256=digest, fault=fault, notes=notes)


def _nearby(path: Path) -> str:
    """Checkpoints in that folder, or beside the missing file."""
    folder = path if path.is_dir() else path.parent
    with suppress(OSError):
        inside = (entry for entry in folder.glob("*") if entry.suffix in _SUFFIXES and entry.is_file())
        found = sorted(entry.name for entry in islice(inside, 10))
        if found:
            return f"checkpoints found there: {', '.join(found)}."
    return f"no checkpoints found nearby; shipped models: {', '.join(model_names()) or 'none'}."


def _compared(path: Path, digest: str) -> tuple[str, tuple[str, ...]]:
    """What is wrong with the checksum, if anything, and a note where there is none."""
    sidecar = sidecar_of(path)
    if not sidecar.is_file():
        return "", (f"{path.name} was not verified: there is no {sidecar.name} beside it.",)
    said: list[str] = []
    with suppress(OSError), sidecar.open("rb") as file:
        said = file.read(200).decode("ascii", "replace").split()
    if said and said[0].lower() == digest:
        return "", ()
    wanted = f"{said[0][:12]}…" if said else "a readable one"
    return f"checksum {digest[:12]}… instead of {wanted}", ()
