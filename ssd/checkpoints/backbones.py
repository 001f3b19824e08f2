"""A backbone's start: ImageNet weights where they can be had, from scratch otherwise, said aloud."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from torch import Tensor, nn

from ssd.checkpoints.downloads import Progress, fetch_torchvision, fetched_file
from ssd.checkpoints.kept import Kept, load_kept
from ssd.checkpoints.states import read_state_dict
from ssd.contract import ModelConfig
from ssd.errors import CheckpointError, ConfigError, ResourceError
from ssd.models.published import published_backbone, published_weights
from ssd.models.trunks import trunk_state
from ssd.models.vgg import VGG300, vgg300_state

__all__ = ["BackboneStart", "start_backbone"]


@dataclass(frozen=True)
class BackboneStart:
    """How a network's backbone began.

    Attributes:
        pretrained: with ImageNet weights; otherwise from scratch.
        sentence: what happened and why, for the person who waits.
    """

    pretrained: bool
    sentence: str


def start_backbone(
    model: nn.Module, *, fetch: bool = True, progress: Progress | None = None
) -> BackboneStart:
    """Give a network's backbone ImageNet weights, if there are any and they can be had.

    Args:
        model: what ``build_model`` gave; its backbone is changed, or nothing.
        fetch: download the weights where they are not on this machine.
        progress: called with the bytes that arrived and the bytes in all.

    Returns:
        What happened. Without published weights, without a network or with ``fetch``
        off the backbone keeps its random weights.

    Raises:
        ConfigError: the model carries no configuration.
        CheckpointError: the file on this machine is damaged or not the one it should be.

    Example:
        >>> from ssd.model_presets import model_preset
        >>> from ssd.models.network import build_model
        >>> start_backbone(build_model(model_preset("ssd-small", ("cat",)))).pretrained
        False
    """
    config = getattr(model, "config", None)
    if not isinstance(config, ModelConfig):
        raise ConfigError(f"A network must carry its configuration, {type(model).__name__} does not.")
    name = published_backbone(config)
    if name is None:
        return BackboneStart(False, f"{config.architecture} starts from scratch: its backbone is its own.")
    try:
        path = fetch_torchvision(name, progress=progress) if fetch else fetched_file(name)
    except ResourceError as error:
        return BackboneStart(False, f"The backbone {name} starts from scratch. {error}")
    if path is None:
        lacking = f"its ImageNet weights ({published_weights(name).size_mb:.0f} MB) are not on this machine"
        how = f"`python -m ssd fetch {name}` gets them."
        return BackboneStart(False, f"The backbone {name} starts from scratch: {lacking}; {how}")
    kept = load_backbone(model, read_state_dict(path), name=path.name)
    return BackboneStart(True, f"The backbone {name} starts from ImageNet: {len(kept.kept)} tensors.")


def load_backbone(model: nn.Module, state: Mapping[str, Tensor], *, name: str) -> Kept:
    """Give a network's backbone the weights of torchvision's classifier.

    Args:
        model: a network whose backbone is one of torchvision's.
        state: the classifier's tensors, as torchvision publishes them.
        name: what the message calls the file.

    Returns:
        What the backbone kept and what is new in it.

    Raises:
        CheckpointError: a layer that the backbone has from the classifier is missing.
    """
    config, backbone = cast(ModelConfig, model.config), cast(nn.Module, model.backbone)
    target: nn.Module
    if isinstance(backbone, VGG300):
        target, tensors = backbone, vgg300_state(state)
        wanted = {key for key in target.state_dict() if key.startswith("to_conv")}
    else:
        target, tensors = cast(nn.Module, backbone.trunk), trunk_state(config.backbone, state)
        wanted = {key for key in target.state_dict() if not key.endswith("num_batches_tracked")}
    if lacking := sorted(wanted - tensors.keys()):
        raise CheckpointError(
            f"{name} must hold the layers of {config.backbone}, but {len(lacking)} are missing, "
            f"{lacking[0]} first; choose the weights of this backbone."
        )
    return load_kept(target, tensors)
