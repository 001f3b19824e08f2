"""torchvision's published weights: fetched when a person asks, checked, kept in the user's cache."""

from __future__ import annotations

import hashlib
import http.client
import os
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO

from ssd.checkpoints.files import read_file, write_sidecar
from ssd.checkpoints.states import state_in
from ssd.checkpoints.weights import Loaded, load_exactly
from ssd.errors import CheckpointError, ResourceError
from ssd.limits import MAX_CHECKPOINT_BYTES
from ssd.models.published import BACKBONE_NAMES, TORCHVISION_NAMES, PublishedWeights, published_weights
from ssd.models.torchvision_ssd import TorchvisionSSD, torchvision_config
from ssd.storage import cache_folder

__all__ = [
    "BACKBONE_NAMES",
    "TORCHVISION_NAMES",
    "Progress",
    "fetch_torchvision",
    "fetched_file",
    "read_torchvision",
]

_BLOCK_BYTES = 1 << 18
_TIMEOUT_SECONDS = 30.0

Progress = Callable[[int, int], None]  # bytes that arrived, bytes in all


def read_torchvision(name: str, path: Path | None = None) -> Loaded:
    """One of torchvision's detectors with weights from a file.

    Args:
        name: one of ``TORCHVISION_NAMES``.
        path: a state dict that was saved from that model; ``None``: the published
            weights, which must have been fetched.

    Returns:
        The model behind the same face as our own, in evaluation mode.

    Raises:
        CheckpointError: the weights were not fetched, or the file cannot be used.
        ConfigError: the name is another one.
    """
    config = torchvision_config(name)
    file = path if path is not None else fetched_file(name)
    if file is None:
        raise CheckpointError(
            f"The weights of {name} ({published_weights(name).size_mb:.0f} MB) are not on this machine; "
            f"fetch them with `python -m ssd fetch {name}` or give a file with --weights."
        )
    content = read_file(file)
    state = state_in(content)
    model = TorchvisionSSD(config)
    load_exactly(model.network, state, name=content.name)
    card = {"name": name, "made by": "torchvision", "file": content.name}
    return Loaded(model=model.eval(), config=config, sha256=content.sha256, card=card, notes=content.notes)


def fetched_file(name: str) -> Path | None:
    """The published weights of a torchvision detector or backbone, if they have been fetched.

    Args:
        name: one of ``TORCHVISION_NAMES`` or ``BACKBONE_NAMES``.

    Returns:
        The file in the user's cache, or ``None``.

    Raises:
        ConfigError: the name is another one.
    """
    path = cache_folder() / published_weights(name).file_name
    return path if path.is_file() else None


def fetch_torchvision(name: str, *, progress: Progress | None = None) -> Path:
    """Download the weights that torchvision publishes: of COCO for a detector, of ImageNet for a backbone.

    The file arrives under a name that ends in ``.part``, is held against the digits
    of its SHA-256 that torchvision publishes, and only then gets its name; the whole
    SHA-256 is kept beside it and checked at every load.

    Args:
        name: one of ``TORCHVISION_NAMES`` or ``BACKBONE_NAMES``.
        progress: called with the bytes that arrived and the bytes in all.

    Returns:
        The file in the user's cache.

    Raises:
        ConfigError: the name is another one.
        ResourceError: there is no network, too little space, or what arrived is not the file.
    """
    known = fetched_file(name)
    if known is not None:
        return known
    published = published_weights(name)
    path = cache_folder() / published.file_name
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        digest = _download(published, part, progress)
        if not digest.startswith(published.sha256_start):
            raise ResourceError(
                f"{published.file_name} must have a SHA-256 that starts with {published.sha256_start}, "
                f"got {digest[:8]}; nothing was kept, try again."
            )
        write_sidecar(path, digest)
        os.replace(part, path)
    except (OSError, http.client.HTTPException) as error:
        raise ResourceError(_reason(published, error)) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return path


def _download(published: PublishedWeights, part: Path, progress: Progress | None) -> str:
    """Write the file and return its SHA-256."""
    with (
        urllib.request.urlopen(published.address, timeout=_TIMEOUT_SECONDS) as answer,
        part.open("wb") as file,
    ):
        total = int(answer.headers.get("Content-Length") or published.size_mb * 2**20)
        digest, arrived = hashlib.sha256(), 0
        while block := answer.read(_BLOCK_BYTES):
            arrived += len(block)
            if arrived > min(MAX_CHECKPOINT_BYTES, published.size_mb * 2**20 * 1.1):
                raise ResourceError(
                    f"{published.file_name} must have about {published.size_mb:.0f} MB, more arrived; "
                    "nothing was kept, try again later."
                )
            file.write(block)
            digest.update(block)
            if progress is not None:
                progress(arrived, total)
        _to_disk(file)
    return digest.hexdigest()


def _to_disk(file: IO[bytes]) -> None:
    """Make sure that the bytes are on the disk before the file gets its name."""
    file.flush()
    os.fsync(file.fileno())


def _reason(published: PublishedWeights, error: Exception) -> str:
    """What a person can do about a download that failed."""
    what = f"The weights {published.file_name} ({published.size_mb:.0f} MB) could not be fetched"
    if isinstance(error, urllib.error.HTTPError):
        return f"{what}: the server answered {error.code}; try again later."
    if isinstance(error, urllib.error.URLError | TimeoutError | ConnectionError | http.client.HTTPException):
        return f"{what}: this machine has no way to their server; go online, or use a shipped model."
    why = getattr(error, "strerror", None) or "the disk refused"
    return f"{what}: {why}; free some space in the cache folder."
