"""torchvision's published weights: fetched when a person asks, checked, kept in the user's cache."""

from __future__ import annotations

from pathlib import Path

from ssd.checkpoints.files import read_file, write_sidecar
from ssd.checkpoints.states import state_in
from ssd.checkpoints.weights import Loaded, load_exactly
from ssd.errors import CheckpointError
from ssd.limits import MAX_CHECKPOINT_BYTES
from ssd.models.published import BACKBONE_NAMES, TORCHVISION_NAMES, PublishedWeights, published_weights
from ssd.models.torchvision_ssd import TorchvisionSSD, torchvision_config
from ssd.storage import cache_folder
from ssd.transfers import Progress, Source, fetch_file

__all__ = [
    "BACKBONE_NAMES",
    "TORCHVISION_NAMES",
    "Progress",
    "fetch_torchvision",
    "fetched_file",
    "read_torchvision",
]


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
    source = _source(published_weights(name))
    path = cache_folder() / source.file_name
    fetch_file(source, path, progress=progress, before_named=lambda digest: write_sidecar(path, digest))
    return path


def _source(published: PublishedWeights) -> Source:
    """What is fetched, and how it is known again."""
    about = round(published.size_mb * 2**20)
    return Source(
        published.address,
        published.file_name,
        f"The weights {published.file_name} ({published.size_mb:.0f} MB)",
        published.sha256_start,
        most_bytes=min(MAX_CHECKPOINT_BYTES, round(about * 1.1)),
        about_bytes=about,
        otherwise="go online, or use a shipped model",
    )
