"""The only door for checkpoint files: what goes out is whole, what comes in is checked.

Weights travel as safetensors with the model's configuration and card inside and a
SHA-256 beside them. Neither torch nor safetensors notices a flipped bit; the checksum does.
"""

from __future__ import annotations

import difflib
import hashlib
import io
import json
import os
import struct
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ssd.contract import ModelConfig, config_from_dict, config_to_dict
from ssd.errors import CheckpointError, ConfigError, NumericError, ResourceError
from ssd.limits import MAX_CHECKPOINT_BYTES
from ssd.models.network import build_model

__all__ = [
    "FORMAT_VERSION",
    "Loaded",
    "find_model",
    "load_exactly",
    "model_names",
    "read_state_dict",
    "read_weights",
    "write_file",
    "write_weights",
]

FORMAT_VERSION = 1
_FORMAT = "ssd-explorer"
_SHIPPED = Path(__file__).parent.parent / "assets" / "weights"
_MAX_HEADER_BYTES = 10_000_000
_SUFFIXES = (".safetensors", ".pt", ".pth", ".ckpt")


@dataclass(frozen=True)
class Loaded:
    """A model from a file.

    Attributes:
        model: with its weights, in evaluation mode, float32.
        config: classes and their order, anchors, input contract, coder, selection.
        sha256: of the file; the id of these weights.
        card: what the maker says about the model.
        notes: what a person should know, for example that there was no checksum.
    """

    model: nn.Module
    config: ModelConfig
    sha256: str
    card: Mapping[str, Any]
    notes: tuple[str, ...]


def model_names() -> tuple[str, ...]:
    """Names of the shipped models, the only ones that a page or link may ask for."""
    return tuple(sorted(path.stem for path in _SHIPPED.glob("*.safetensors") if path.is_file()))


def find_model(name: str) -> Path:
    """The file of a shipped model.

    Args:
        name: one of :func:`model_names`; never a path.

    Returns:
        Its weights file.

    Raises:
        CheckpointError: there is no shipped model of that name.
    """
    names = model_names()
    if name not in names:
        near = difflib.get_close_matches(name, names, n=1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        raise CheckpointError(
            f"There is no shipped model {name[:80]!r}{hint}; models: {', '.join(names) or 'none'}."
        )
    return _SHIPPED / f"{name}.safetensors"


def write_file(path: Path, content: bytes) -> None:
    """Write a whole file or nothing: temporary name, fsync, replace.

    Args:
        path: the final name; its folder is made where missing.
        content: all of it.

    Raises:
        ResourceError: the disk is full or the folder cannot be written; an older
            file of that name is left as it was.
    """
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
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


def write_weights(path: Path, model: nn.Module, *, card: Mapping[str, Any], half: bool) -> str:
    """Write a model as safetensors, and its SHA-256 beside it.

    A stop at any moment leaves the old file or the new one; at worst the checksum
    is missing, which reading reports.

    Args:
        path: where; conventionally ``NAME.safetensors``.
        model: a model with ``config``.
        card: JSON values that say what the model is, what it was trained on and how well it does.
        half: store in float16; reading widens to float32 again.

    Returns:
        The SHA-256 of the file.

    Raises:
        NumericError: a weight is NaN or infinite, or becomes so in float16.
        ResourceError: the file could not be written.
    """
    from safetensors.torch import save

    tensors = {name: _stored(name, value, half) for name, value in model.state_dict().items()}
    metadata = {
        "format": _FORMAT,
        "format_version": str(FORMAT_VERSION),
        "config": json.dumps(config_to_dict(_config_of(model)), allow_nan=False),
        "card": json.dumps(dict(card), allow_nan=False),
    }
    content = save(tensors, metadata=metadata)
    digest = hashlib.sha256(content).hexdigest()
    sidecar = _sidecar(path)
    with suppress(OSError):
        sidecar.unlink(missing_ok=True)  # an old checksum beside new weights would call them damaged
    write_file(path, content)
    write_file(sidecar, f"{digest}  {path.name}\n".encode())
    return digest


def _config_of(model: nn.Module) -> ModelConfig:
    """The configuration that a model carries."""
    config = getattr(model, "config", None)
    if not isinstance(config, ModelConfig):
        raise ConfigError(
            f"A model to be saved must carry its configuration, {type(model).__name__} does not."
        )
    return config


def _stored(name: str, value: Tensor, half: bool) -> Tensor:
    """One tensor as it goes to disk."""
    value = value.detach().to("cpu", copy=True).contiguous()
    if half and value.is_floating_point():
        value = value.to(torch.float16)
    if value.is_floating_point() and not bool(torch.isfinite(value).all()):
        raise NumericError(
            f"Weights must be finite to be saved{' in float16' if half else ''}, {name} is not; "
            "go back to the last good checkpoint."
        )
    return value


def read_weights(path: Path) -> Loaded:
    """Read a model that :func:`write_weights` wrote.

    Args:
        path: a safetensors file of this project.

    Returns:
        The model with its configuration, in evaluation mode, float32.

    Raises:
        CheckpointError: the file is missing, cut off, damaged, of another kind, made
            by a newer version, or its tensors are not those of its model.
    """
    content = _read_file(path)
    metadata, tensors, digest, notes = _open_safetensors(path, content)
    config, card = _described(path, metadata)
    try:
        model = build_model(config)
    except ConfigError as error:
        raise CheckpointError(f"{path.name} describes a model that cannot be built: {error}") from error
    load_exactly(model, tensors, name=path.name)
    return Loaded(model=model.eval(), config=config, sha256=digest, card=card, notes=notes)


def load_exactly(model: nn.Module, state: Mapping[str, Tensor], *, name: str) -> None:
    """Give a model its weights, all of them or none.

    Args:
        model: the model.
        state: a tensor for each entry of the model's state dict; float16 is widened.
        name: what the message calls the file.

    Raises:
        CheckpointError: a key is missing or too many, a shape or kind differs, or a
            number is not finite. The model is then as it was.
    """
    own = model.state_dict()
    problems = [f"{key} is missing" for key in own if key not in state]
    problems += [f"{key} is not of this model" for key in state if key not in own]
    for key in own.keys() & state.keys():
        want, got = own[key], state[key]
        if want.shape != got.shape:
            problems.append(f"{key} is {_times(got)} instead of {_times(want)}")
        elif want.is_floating_point() != got.is_floating_point() or got.is_complex():
            problems.append(f"{key} holds another kind of number")
        elif got.is_floating_point() and not bool(torch.isfinite(got).all()):
            problems.append(f"{key} is not finite")
    if problems:
        more = f" and {len(problems) - 5} more" if len(problems) > 5 else ""
        raise CheckpointError(
            f"{name} must hold exactly the tensors of its model, but {'; '.join(sorted(problems)[:5])}{more}; "
            "choose the weights of this model or the model of these weights."
        )
    model.load_state_dict(dict(state))


def _times(tensor: Tensor) -> str:
    """A shape as text."""
    return " × ".join(str(side) for side in tensor.shape) or "one number"


def _read_file(path: Path) -> bytes:
    """All bytes of a checkpoint; refuses what cannot be one."""
    try:
        if not path.is_file():
            kind = "a folder" if path.is_dir() else "no checkpoint file" if path.exists() else "missing"
            raise CheckpointError(f"{path} is {kind}; {_nearby(path)}")
        size = path.stat().st_size
        if not 0 < size <= MAX_CHECKPOINT_BYTES:
            raise CheckpointError(
                f"{path.name} must hold 1 to {MAX_CHECKPOINT_BYTES:,} bytes, it has {size:,}; copy or save it again."
            )
        return path.read_bytes()
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{str(path)!r} cannot be read; check its name and permissions.") from error


def _nearby(path: Path) -> str:
    """Checkpoints in that folder, or beside the missing file."""
    folder = path if path.is_dir() else path.parent
    with suppress(OSError):
        inside = (entry for entry in folder.glob("*") if entry.suffix in _SUFFIXES and entry.is_file())
        found = sorted(entry.name for entry in islice(inside, 10))
        if found:
            return f"checkpoints found there: {', '.join(found)}."
    return f"no checkpoints found nearby; shipped models: {', '.join(model_names()) or 'none'}."


def _sidecar(path: Path) -> Path:
    """The checksum file beside a checkpoint."""
    return path.with_name(path.name + ".sha256")


def _open_safetensors(
    path: Path, content: bytes
) -> tuple[dict[str, str], dict[str, Tensor], str, tuple[str, ...]]:
    """Metadata, tensors, SHA-256 and notes of a safetensors file."""
    from safetensors import SafetensorError
    from safetensors.torch import load

    digest = hashlib.sha256(content).hexdigest()
    wrong, notes = _checksum(path, digest)
    header = _header(path, content, wrong)
    if wrong:
        raise CheckpointError(f"{path.name} is damaged ({wrong}); download or copy it again.")
    try:
        tensors = load(content)
    except (SafetensorError, ValueError, KeyError, TypeError, RuntimeError, AttributeError) as error:
        raise CheckpointError(
            f"{path.name} is damaged: its tensors and its bytes disagree; copy it again."
        ) from error
    metadata = header.get("__metadata__")
    return (metadata if isinstance(metadata, dict) else {}), tensors, digest, notes


def _checksum(path: Path, digest: str) -> tuple[str, tuple[str, ...]]:
    """What is wrong with the checksum, if anything, and a note where there is none."""
    sidecar = _sidecar(path)
    if not sidecar.is_file():
        return "", (f"{path.name} was not verified: there is no {sidecar.name} beside it.",)
    try:
        with sidecar.open("rb") as file:
            said = file.read(200).decode("ascii", "replace").split()
    except OSError:
        said = []
    if said and said[0].lower() == digest:
        return "", ()
    return f"checksum {digest[:12]}… instead of {said[0][:12] + '…' if said else 'a readable one'}", ()


def _header(path: Path, content: bytes, wrong: str) -> dict[str, Any]:
    """The JSON in front of the tensors, once lengths have been found to agree."""
    if content[:2] in (b"PK", b"\x80\x02", b"\x80\x04"):
        raise CheckpointError(
            f"{path.name} must be a safetensors file of this project, it is a zip or pickle file; "
            "a torchvision state dict is loaded with --weights."
        )
    length = struct.unpack("<Q", content[:8])[0] if len(content) >= 8 else 0
    remark = f" or damaged ({wrong})" if wrong else ""
    if length > _MAX_HEADER_BYTES:
        raise CheckpointError(
            f"{path.name} is damaged{f' ({wrong})' if wrong else ''}: it announces a header of {length:,} bytes."
        )
    try:
        header = json.loads(content[8 : 8 + length])
        ends = [entry["data_offsets"][1] for key, entry in header.items() if key != "__metadata__"]
        missing = 8 + length + max(ends, default=0) - len(content)
    except (ValueError, RecursionError, KeyError, TypeError, IndexError, AttributeError) as error:
        kind = "cut off" if 8 + length >= len(content) else "damaged"
        remark = f" ({wrong})" if wrong and kind == "damaged" else remark
        raise CheckpointError(
            f"{path.name} is {kind}{remark}: it has no readable header; copy it again."
        ) from error
    if missing > 0:
        raise CheckpointError(
            f"{path.name} is cut off{remark}: {missing:,} bytes are missing; copy it again."
        )
    return dict(header)


def _described(path: Path, metadata: Mapping[str, str]) -> tuple[ModelConfig, dict[str, Any]]:
    """Configuration and card, once the format is one that this version knows."""
    version = metadata.get("format_version", "")
    if metadata.get("format") != _FORMAT or not str(version).isdecimal() or not 1 <= len(str(version)) <= 6:
        raise CheckpointError(
            f"{path.name} must carry a model's configuration, it has none; save it with this project's write_weights."
        )
    if int(version) > FORMAT_VERSION:
        raise CheckpointError(
            f"{path.name} was made by a newer version (format {version}, this one reads up to {FORMAT_VERSION}); "
            "update SSD Explorer."
        )
    try:
        card = json.loads(metadata.get("card", "{}"))
        return config_from_dict(json.loads(metadata["config"])), dict(card)
    except (ConfigError, ValueError, KeyError, TypeError, RecursionError) as error:
        reason = str(error) if isinstance(error, ConfigError) else "it is not readable."
        raise CheckpointError(f"The configuration inside {path.name} cannot be used: {reason}") from error


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
    content = _read_file(path)
    if content[:2] != b"PK" and not content.startswith(b"\x80"):
        return _open_safetensors(path, content)[1]
    wrong, _ = _checksum(path, hashlib.sha256(content).hexdigest())
    if wrong:
        raise CheckpointError(f"{path.name} is damaged ({wrong}); download or copy it again.")
    _require_plain_zip(path, content)
    try:
        state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # torch's own text advises to switch the safety off: it is never shown
        raise CheckpointError(
            f"{path.name} contains objects other than numbers and tensors, or is damaged; "
            "save model.state_dict() with torch.save."
        ) from error
    return _tensors(path, state, len(content))


def _require_plain_zip(path: Path, content: bytes) -> None:
    """Refuse what torch.save never writes: compression, oversize, another zip, a bad CRC."""
    if content[:2] != b"PK":
        raise CheckpointError(
            f"{path.name} has the format of PyTorch before 1.6; load and save it with a newer one."
        )
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            if not any(entry.filename.endswith("/data.pkl") for entry in entries):
                raise CheckpointError(
                    f"{path.name} is a zip file but no checkpoint; choose a file of torch.save."
                )
            packed = any(entry.compress_type != zipfile.ZIP_STORED for entry in entries)
            if packed or sum(entry.file_size for entry in entries) > len(content):
                raise CheckpointError(
                    f"{path.name} has compressed or oversized entries, which torch.save never writes; get another copy."
                )
            damaged = archive.testzip()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError, OSError, RuntimeError) as error:
        raise CheckpointError(f"{path.name} is cut off or damaged; download or copy it again.") from error
    if damaged is not None:
        raise CheckpointError(
            f"{path.name} is damaged (the checksum of {damaged!r} is wrong); copy it again."
        )


def _tensors(path: Path, state: object, size: int) -> dict[str, Tensor]:
    """The state dict, if that is what was saved and its tensors fit into the file."""
    if not isinstance(state, dict) or not state:
        raise CheckpointError(
            f"{path.name} must hold a state dict, got {type(state).__name__}; save state_dict()."
        )
    for key, value in state.items():
        if not (isinstance(key, str) and isinstance(value, Tensor)):
            raise CheckpointError(
                f"{path.name} must hold a state dict, but {str(key)[:80]!r} is no tensor; save state_dict()."
            )
        if value.layout != torch.strided or value.numel() * value.element_size() > size:
            raise CheckpointError(
                f"{path.name} has an oversized tensor {key[:80]!r}; save state_dict() again."
            )
    return dict(state)
