"""A network layer by layer: kind, shape of the output, number of parameters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["LayerSummary", "Summary", "summarise"]


@dataclass(frozen=True)
class LayerSummary:
    """One layer.

    Attributes:
        name: its path in the network.
        kind: its class and its place in the order of computation, such as ``Conv2d-1``.
        output_shape: of what it gives, with −1 for the batch.
        parameters: its own, learned.
        trainable: at least one of them is not frozen.
    """

    name: str
    kind: str
    output_shape: tuple[int, ...]
    parameters: int
    trainable: bool


@dataclass(frozen=True)
class Summary:
    """All layers of a network.

    Attributes:
        input_shape: of one batch of pictures, with −1 for the batch.
        layers: in the order in which they compute.
        output_shapes: of what the network gives, by name.
        parameters: learned, of all layers.
        trainable: those of them that are not frozen.
    """

    input_shape: tuple[int, ...]
    layers: tuple[LayerSummary, ...]
    output_shapes: dict[str, tuple[int, ...]]
    parameters: int
    trainable: int


def summarise(model: nn.Module, size_wh: tuple[int, int]) -> Summary:
    """Run one empty picture through a network and write down what each layer gives.

    Args:
        model: a network that takes pictures and gives a named tuple; left as it was.
        size_wh: width and height of the picture in pixels.

    Returns:
        One line for each layer without layers of its own, as often as it computes.

    Example:
        >>> from ssd.model_presets import model_preset
        >>> from ssd.models.network import build_model
        >>> summary = summarise(build_model(model_preset("ssd-small", ("cat",))), (320, 320))
        >>> summary.layers[0].kind, summary.layers[0].output_shape, summary.layers[0].parameters
        ('Conv2d-1', (-1, 24, 160, 160), 648)
    """
    layers: list[LayerSummary] = []
    hooks = [
        module.register_forward_hook(_writer(layers, name, module))
        for name, module in model.named_modules()
        if _computes(module)
    ]
    width, height = size_wh
    try:
        answer = _in_evaluation(model, torch.zeros(1, 3, height, width))
    finally:
        for hook in hooks:
            hook.remove()
    shapes = {name: _shape(value) for name, value in answer._asdict().items() if isinstance(value, Tensor)}
    every = list(model.parameters())
    return Summary(
        input_shape=(-1, 3, height, width),
        layers=tuple(layers),
        output_shapes=shapes,
        parameters=sum(p.numel() for p in every),
        trainable=sum(p.numel() for p in every if p.requires_grad),
    )


def _in_evaluation(model: nn.Module, pictures: Tensor) -> Any:
    """One pass that leaves no trace: no gradient, no batch statistics, modes as they were."""
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        with torch.no_grad():
            return model(pictures)
    finally:
        for module, training in modes.items():
            module.training = training


def _computes(module: nn.Module) -> bool:
    """A layer without layers of its own, or with weights of its own; what passes on is none."""
    leaf = next(module.children(), None) is None and not isinstance(module, nn.Identity)
    return leaf or next(module.parameters(recurse=False), None) is not None


def _writer(layers: list[LayerSummary], name: str, module: nn.Module) -> Any:
    """A hook that adds a line when the layer has computed."""
    own = list(module.parameters(recurse=False))

    def write(module: nn.Module, given: object, output: object) -> None:
        layers.append(
            LayerSummary(
                name=name,
                kind=f"{type(module).__name__.lstrip('_')}-{len(layers) + 1}",
                output_shape=_shape(next(_tensors(output))),
                parameters=sum(p.numel() for p in own),
                trainable=any(p.requires_grad for p in own),
            )
        )

    return write


def _tensors(output: object) -> Iterator[Tensor]:
    """The tensors in what a layer gave, which may be a list or a dictionary of them."""
    if isinstance(output, Tensor):
        yield output
    elif isinstance(output, dict):
        yield from (value for value in output.values() if isinstance(value, Tensor))
    elif isinstance(output, list | tuple):
        yield from (value for value in output if isinstance(value, Tensor))


def _shape(tensor: Tensor) -> tuple[int, ...]:
    """A shape with −1 for the batch."""
    return (-1, *tensor.shape[1:])
