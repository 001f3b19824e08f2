"""Files of ``torch.save``: only tensors and plain values, never compressed, never loaded unsafely."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ssd.checkpoints.files import Content, read_file, write_checked
from ssd.checkpoints.weights import read_tensors
from ssd.errors import CheckpointError, NumericError

__all__ = ["STATE_VERSION", "read_run_state", "read_state_dict", "state_in", "write_run_state"]

STATE_VERSION = 1
_STATE_FORMAT = "ssd-explorer-run"
_DEEPEST = 20  # nested values of a state
_PLAIN = (str, int, float, bool, type(None))


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
    return _only_tensors(content, _unpacked(content))


def write_run_state(path: Path, state: Mapping[str, Any]) -> str:
    """Write all that a run needs to go on, and its SHA-256 beside it.

    A stop at any moment leaves the old file or the new one.

    Args:
        path: where; conventionally ``last.ckpt``.
        state: nested dictionaries, lists and tuples of tensors and plain values.

    Returns:
        The SHA-256 of the file.

    Raises:
        CheckpointError: there is something else in the state.
        NumericError: a tensor is not finite: such a state is never kept.
        ResourceError: the file could not be written.
    """
    for where, value in _leaves(state):
        if isinstance(value, Tensor) and value.is_floating_point() and not bool(torch.isfinite(value).all()):
            raise NumericError(
                f"The state of a run must be finite to be saved, {where} is not; "
                "go on from the last checkpoint with a lower learning rate."
            )
        if not isinstance(value, Tensor) and type(value) not in _PLAIN:  # a NumPy number is a float too
            raise CheckpointError(
                f"The state of a run holds tensors and plain values, {where} is a {type(value).__name__}; "
                "convert it before saving."
            )
    buffer = io.BytesIO()
    torch.save({"format": _STATE_FORMAT, "format_version": STATE_VERSION, "state": dict(state)}, buffer)
    return write_checked(path, buffer.getvalue())


def read_run_state(path: Path) -> dict[str, Any]:
    """Read what :func:`write_run_state` wrote.

    Args:
        path: the file.

    Returns:
        The state, its tensors on the CPU.

    Raises:
        CheckpointError: the file is missing, cut off, damaged, made by a newer version
            or no state of a run. It is never loaded unsafely.
    """
    content = read_file(path)
    advice = "name the last.ckpt of a run."
    if content.data[:2] != b"PK":
        raise CheckpointError(f"{content.name} must be the state of a run, got another file; {advice}")
    loaded = _unpacked(content)
    if not isinstance(loaded, dict) or loaded.get("format") != _STATE_FORMAT:
        raise CheckpointError(f"{content.name} must be the state of a run, got other tensors; {advice}")
    version, state = loaded.get("format_version"), loaded.get("state")
    if isinstance(version, int) and version > STATE_VERSION:
        raise CheckpointError(
            f"{content.name} was made by a newer version (format {version}; this one reads up to "
            f"{STATE_VERSION}); update SSD Explorer."
        )
    if version != STATE_VERSION or not isinstance(state, dict):
        raise CheckpointError(f"{content.name} has an unknown format; start a new run.")
    for where, value in _leaves(state):
        _require_stored(content, where, value)
    return state


def _leaves(value: object, where: str = "", depth: int = 0) -> Iterator[tuple[str, object]]:
    """Every value that holds no others, with the way to it."""
    if depth > _DEEPEST:
        raise CheckpointError(f"The state of a run is nested too deeply at {where[:80]}; start a new run.")
    if isinstance(value, dict | list | tuple):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in pairs:
            yield from _leaves(inner, f"{where}.{key}".lstrip("."), depth + 1)
    else:
        yield where, value


def _require_stored(content: Content, key: str, value: object) -> None:
    """A tensor must be plain, and no larger than its file."""
    if isinstance(value, Tensor) and (
        value.layout != torch.strided or value.numel() * value.element_size() > len(content.data)
    ):
        raise CheckpointError(
            f"{content.name} has compressed or oversized entries ({key[:80]!r}); save the model again."
        )


def _unpacked(content: Content) -> object:
    """Whatever a file of torch.save holds, as long as it is tensors and plain values."""
    _require_plain_zip(content)
    try:
        return torch.load(io.BytesIO(content.data), map_location="cpu", weights_only=True)
    except Exception as error:  # torch's own text advises to switch the safety off: it is never shown
        raise CheckpointError(
            f"{content.name} contains objects other than numbers and tensors; "
            "save model.state_dict() with torch.save instead."
        ) from error


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
        _require_stored(content, key, value)
    return dict(state)
