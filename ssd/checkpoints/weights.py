"""Weights as safetensors: the model's configuration and card inside, a SHA-256 beside them.

Neither torch nor safetensors notices a flipped bit; the checksum does.
"""

from __future__ import annotations

import difflib
import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ssd.checkpoints.files import SHIPPED, Content, model_names, read_file, write_checked
from ssd.contract import ModelConfig, config_from_dict, config_to_dict
from ssd.errors import CheckpointError, ConfigError, NumericError
from ssd.limits import MAX_CHECKPOINT_HEADER_BYTES
from ssd.models.network import build_model

__all__ = [
    "FORMAT_VERSION",
    "Loaded",
    "find_model",
    "load_exactly",
    "read_card",
    "read_tensors",
    "read_weights",
    "write_weights",
]

FORMAT_VERSION = 2  # 2: networks of several backbones; files of 1 are read as they are
_FORMAT = "ssd-explorer"
_SHOWN = 5  # problems named in one message


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
        known = ", ".join(names) or "none"
        raise CheckpointError(f"There is no shipped model {name[:80]!r}{hint}; models: {known}.")
    return SHIPPED / f"{name}.safetensors"


def write_weights(path: Path, model: nn.Module, *, card: Mapping[str, Any], half: bool) -> str:
    """Write a model as safetensors, and its SHA-256 beside it.

    A stop at any moment leaves the old file or the new one; at worst the checksum
    is missing, which reading reports.

    Args:
        path: where; conventionally ``NAME.safetensors``.
        model: a model with ``config``.
        card: JSON values: what the model is, what it was trained on, how well it does.
        half: store in float16; reading widens to float32 again.

    Returns:
        The SHA-256 of the file.

    Raises:
        ConfigError: the model carries no configuration.
        NumericError: a weight is NaN or infinite, or becomes so in float16.
        ResourceError: the file could not be written.
    """
    from safetensors.torch import save

    config = getattr(model, "config", None)
    if not isinstance(config, ModelConfig):
        raise ConfigError(f"A saved model must carry its configuration, {type(model).__name__} does not.")
    tensors = {name: _stored(name, value, half) for name, value in model.state_dict().items()}
    metadata = {
        "format": _FORMAT,
        "format_version": str(FORMAT_VERSION),
        "config": json.dumps(config_to_dict(config), allow_nan=False),
        "card": json.dumps(dict(card), allow_nan=False),
    }
    return write_checked(path, save(tensors, metadata=metadata))


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
    content = read_file(path)
    header = _header(content)
    tensors = read_tensors(content)
    metadata = header.get("__metadata__")
    config, card = _described(content.name, metadata if isinstance(metadata, dict) else {})
    try:
        model = build_model(config)
    except ConfigError as error:
        raise CheckpointError(f"{path.name} describes a model that cannot be built: {error}") from error
    load_exactly(model, tensors, name=path.name)
    return Loaded(model=model.eval(), config=config, sha256=content.sha256, card=card, notes=content.notes)


def read_card(path: Path) -> dict[str, Any]:
    """What the maker of a weights file says about it, without reading the weights.

    Args:
        path: a safetensors file of this project.

    Returns:
        The card; empty where the file is missing, damaged or of another kind. Nothing
        is checked against the checksum: read the weights to be sure.

    Example:
        >>> read_card(Path("no such file"))
        {}
    """
    try:
        with path.open("rb") as file:
            length = struct.unpack("<Q", file.read(8))[0]
            header = json.loads(file.read(length)) if length <= MAX_CHECKPOINT_HEADER_BYTES else {}
        return dict(json.loads(header["__metadata__"]["card"]))
    except (OSError, struct.error, ValueError, KeyError, TypeError, RecursionError):
        return {}


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
    for key, want in own.items():
        if key in state and (words := mismatch(want, state[key])):
            problems.append(f"{key} {words}")
    if problems:
        more = f" and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
        raise CheckpointError(
            f"{name} must hold exactly the tensors of its model, but {'; '.join(problems[:_SHOWN])}{more}; "
            "choose the weights of this model or the model of these weights."
        )
    model.load_state_dict(dict(state))


def mismatch(want: Tensor, got: Tensor) -> str:
    """Why a tensor cannot take the place of another; empty where it can."""
    if want.shape != got.shape:
        return f"is {_times(got)} instead of {_times(want)}"
    if got.is_complex() or want.is_floating_point() != got.is_floating_point():
        return "holds another kind of number"
    if got.is_floating_point() and not bool(torch.isfinite(got).all()):
        return "is not finite"
    return ""


def _times(tensor: Tensor) -> str:
    """A shape as text."""
    return " × ".join(str(side) for side in tensor.shape) or "one number"


def read_tensors(content: Content) -> dict[str, Tensor]:
    """The tensors of a safetensors file.

    Args:
        content: the file.

    Returns:
        Tensors by name.

    Raises:
        CheckpointError: the file is no safetensors file, cut off or damaged.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    _header(content)
    content.require_checksum()
    try:
        return dict(load(content.data))
    except (SafetensorError, ValueError, KeyError, TypeError, RuntimeError, AttributeError) as error:
        raise CheckpointError(
            f"{content.name} is damaged: its list of tensors and its bytes disagree; copy it again."
        ) from error


def _header(content: Content) -> dict[str, Any]:
    """The JSON in front of the tensors, once all lengths agree with the file's."""
    name, data = content.name, content.data
    remark = f" ({content.fault})" if content.fault else ""
    if data[:2] in (b"PK", *(bytes([0x80, protocol]) for protocol in range(2, 6))):
        raise CheckpointError(
            f"{name} must be a safetensors file of this project, got a zip or pickle file; "
            "load a state dict of torchvision with --weights."
        )
    length = struct.unpack("<Q", data[:8])[0] if len(data) >= 8 else 0
    if length > MAX_CHECKPOINT_HEADER_BYTES:
        raise CheckpointError(
            f"{name} is damaged{remark}: it announces a header of {length:,} bytes; copy it again."
        )
    try:
        header = dict(json.loads(data[8 : 8 + length]))
        ends = [entry["data_offsets"][1] for key, entry in header.items() if key != "__metadata__"]
        missing = 8 + length + max(ends, default=0) - len(data)
    except (ValueError, RecursionError, KeyError, TypeError, IndexError) as error:
        kind = "cut off or damaged" if 8 + length >= len(data) else "damaged"
        raise CheckpointError(
            f"{name} is {kind}{remark}: its header cannot be read; copy it again."
        ) from error
    if missing > 0:
        kind = "cut off or damaged" if remark else "cut off"
        raise CheckpointError(f"{name} is {kind}{remark}: it lacks {missing:,} bytes; copy it again.")
    return header


def _described(name: str, metadata: Mapping[str, str]) -> tuple[ModelConfig, dict[str, Any]]:
    """Configuration and card, once the format is one that this version knows."""
    version = str(metadata.get("format_version", ""))
    if metadata.get("format") != _FORMAT or not (version.isdecimal() and 1 <= len(version) <= 6):
        raise CheckpointError(
            f"{name} must carry a model's configuration, got none; save it with write_weights."
        )
    if int(version) > FORMAT_VERSION:
        raise CheckpointError(
            f"{name} was made by a newer version (format {version}; this one reads up to {FORMAT_VERSION}); "
            "update SSD Explorer."
        )
    try:
        card = dict(json.loads(metadata.get("card", "{}")))
        return config_from_dict(json.loads(metadata["config"])), card
    except (ConfigError, ValueError, KeyError, TypeError, RecursionError) as error:
        reason = str(error) if isinstance(error, ConfigError) else "it is not readable; save the file again."
        raise CheckpointError(f"The configuration inside {name} cannot be used: {reason}") from error
