"""The only door for checkpoint files: what goes out is whole, what comes in is checked."""

from __future__ import annotations

from ssd.checkpoints.backbones import BackboneStart, start_backbone
from ssd.checkpoints.downloads import (
    BACKBONE_NAMES,
    TORCHVISION_NAMES,
    fetch_torchvision,
    fetched_file,
    read_torchvision,
)
from ssd.checkpoints.files import model_names, write_file
from ssd.checkpoints.kept import Kept, load_kept
from ssd.checkpoints.states import read_run_state, read_state_dict, write_run_state
from ssd.checkpoints.weights import (
    FORMAT_VERSION,
    Loaded,
    find_model,
    load_exactly,
    read_card,
    read_weights,
    write_weights,
)

__all__ = [
    "BACKBONE_NAMES",
    "FORMAT_VERSION",
    "TORCHVISION_NAMES",
    "BackboneStart",
    "Kept",
    "Loaded",
    "fetch_torchvision",
    "fetched_file",
    "find_model",
    "load_exactly",
    "load_kept",
    "model_names",
    "read_card",
    "read_run_state",
    "read_state_dict",
    "read_torchvision",
    "read_weights",
    "start_backbone",
    "write_file",
    "write_run_state",
    "write_weights",
]
