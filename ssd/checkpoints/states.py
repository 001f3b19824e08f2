"""Files of ``torch.save``: only tensors, never compressed, never loaded unsafely."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import torch
from torch import Tensor

from ssd.checkpoints.files import Content, read_file
from ssd.checkpoints.weights import read_tensors
from ssd.errors import CheckpointError

__all__ = ["read_state_dict", "state_in"]


def read_state_dict(path: Path) -> dict[str, Tensor]:
    """Read tensors that ``torch.save(model.state_dict(), …)`` or safetensors wrote.

    Args:
        path: the file.

    Returns:
        The tensors by name, on the CPU.

    Raises:
        CheckpointError: the file is missing, cut off, damaged, compressed, or holds
            anything but tensors under text keys. It is never loaded unsafely.
    """
    return state_in(read_file(path))


def state_in(content: Content) -> dict[str, Tensor]:
    """The tensors in a file that has been read.

    Args:
        content: the file.

    Returns:
        The tensors by name, on the CPU.

    Raises:
        CheckpointError: as :func:`read_state_dict`.
    """
    if content.data[:2] != b"PK" and content.data[:1] != b"\x80":
        return read_tensors(content)
    _require_plain_zip(content)
    try:
        state = torch.load(io.BytesIO(content.data), map_location="cpu", weights_only=True)
    except Exception as error:  # torch's own text advises to switch the safety off: it is never shown
        raise CheckpointError(
            f"{content.name} contains objects other than numbers and tensors; "
            "save model.state_dict() with torch.save instead."
        ) from error
    return _only_tensors(content, state)


def _require_plain_zip(content: Content) -> None:
    """Refuse what torch.save never writes: compression, oversize, another zip, a bad CRC."""
    name = content.name
    if content.data[:2] != b"PK":
        raise CheckpointError(f"{name} has the format of PyTorch before 1.6; save it again with a newer one.")
    try:
        with zipfile.ZipFile(io.BytesIO(content.data)) as archive:
            _require_torch_entries(archive.infolist(), name=name, size=len(content.data))
            broken = archive.testzip()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError, OSError, RuntimeError) as error:
        kind = f"damaged ({content.fault})" if content.fault else "cut off or damaged"
        raise CheckpointError(f"{name} is {kind}; download or copy it again.") from error
    content.require_checksum()
    if broken is not None:
        raise CheckpointError(f"{name} is damaged (checksum of its entry {broken[:80]!r}); copy it again.")


def _require_torch_entries(entries: list[zipfile.ZipInfo], *, name: str, size: int) -> None:
    """The list of contents must be that of a checkpoint, before a byte of it is unpacked."""
    if not any(entry.filename.endswith("/data.pkl") for entry in entries):
        raise CheckpointError(f"{name} is a zip file but no checkpoint; choose a file of torch.save.")
    packed = any(entry.compress_type != zipfile.ZIP_STORED for entry in entries)
    if packed or sum(entry.file_size for entry in entries) > size:
        raise CheckpointError(
            f"{name} has compressed or oversized entries, which torch.save never writes; get another copy."
        )


def _only_tensors(content: Content, state: object) -> dict[str, Tensor]:
    """The state dict, if that is what was saved and each tensor fits into the file."""
    name, advice = content.name, "save model.state_dict() with torch.save instead."
    if not isinstance(state, dict) or not state:
        raise CheckpointError(f"{name} must hold a state dict, got {type(state).__name__}; {advice}")
    for key, value in state.items():
        if not (isinstance(key, str) and isinstance(value, Tensor)):
            raise CheckpointError(
                f"{name} must hold a state dict, but {str(key)[:80]!r} is not a tensor; {advice}"
            )
        too_large = value.numel() * value.element_size() > len(content.data)
        if value.layout != torch.strided or too_large:
            raise CheckpointError(
                f"{name} has compressed or oversized entries ({key[:80]!r}); save the model again."
            )
    return dict(state)
