"""The SSD module: backbone → top-down connection → heads on every level → raw predictions."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ssd.config import GridAnchors
from ssd.contract import PICTURE_ARCHITECTURES, ModelConfig
from ssd.models.detector import Detector, Halves
from ssd.models.lesson import LastMap, LessonLevels, LinearHead
from ssd.models.outputs import LayerGroup, PictureOutputs, RawPredictions
from ssd.models.pictures import PictureNetwork
from ssd.models.small import SmallBackbone, TopDown
from ssd.models.trunks import Pyramid, make_trunk
from ssd.models.vgg import VGG300

__all__ = [
    "LayerGroup",
    "PictureOutputs",
    "RawPredictions",
    "SSDNetwork",
    "build_model",
    "is_of_classes",
    "layer_groups",
]

_PRIOR = 0.01  # share of positive anchors the bias starts from; Lin et al., Focal Loss, section 4.1


class SSDNetwork(Detector):
    """A single shot detector: what its architecture names, put together."""

    def __init__(self, config: ModelConfig) -> None:
        """Build the network of ``config`` with random weights.

        Raises:
            ConfigError: the backbone's feature maps are not the grids of the anchors.
        """
        super().__init__(config)
        self.backbone = _backbone(config)
        channels = self.backbone.channels
        self.top_down: nn.Module = nn.Identity()
        if config.architecture in ("ssd-small", "ssd300-resnet34"):
            self.top_down = TopDown(channels, width=config.small.top_down)
            channels = (config.small.top_down,) * len(channels)
        self.heads = _heads(config, channels, getattr(self.backbone, "grid_wh", None))
        self.require_grids()

    def cells(self, pixels: int) -> tuple[int, ...]:
        """Cells of each level along a side of so many pixels."""
        return self.backbone.cells(pixels)

    def halves(self) -> Halves:
        """The backbone's layers up to stride 8, and its others."""
        return self.backbone.halves()

    def grids_at(self, size_wh: tuple[int, int]) -> tuple[tuple[int, int], ...]:
        """As every detector's; a linear head answers for the same cells at any size."""
        if isinstance(self.backbone, LastMap):
            return tuple(level.grid_wh for level in self.config.anchors.levels())
        return super().grids_at(size_wh)

    def forward(self, pictures: Float[Tensor, "b 3 h w"]) -> RawPredictions:
        """Raw predictions for normalised pictures; their rows are those of ``anchors_at`` the size."""
        features = self.top_down(self.backbone(pictures))
        outputs = [head(feature) for head, feature in zip(self.heads, features, strict=True)]
        codes = torch.cat([codes for codes, _ in outputs], dim=1)
        logits = torch.cat([logits for _, logits in outputs], dim=1)
        return RawPredictions(codes=codes, logits=logits, activation=self.config.activation)


class _Head(nn.Module):
    """Codes and logits of one level, in the order of its anchors."""

    def __init__(self, channels: int, *, shapes: int, num_logits: int, column_first: bool) -> None:
        super().__init__()
        self.num_logits, self.column_first = num_logits, column_first
        self.codes = nn.Conv2d(channels, shapes * 4, 3, padding=1)
        self.logits = nn.Conv2d(channels, shapes * num_logits, 3, padding=1)

    def forward(self, feature: Tensor) -> tuple[Tensor, Tensor]:
        """(b, anchors of the level, 4) and (b, anchors of the level, logits)."""
        codes, logits = self.codes(feature), self.logits(feature)
        return self._rows(codes, 4), self._rows(logits, self.num_logits)

    def _rows(self, maps: Tensor, columns: int) -> Tensor:
        """(b, shapes · columns, h, w) → (b, h · w · shapes, columns): cell by cell, as anchors run."""
        order = (0, 3, 2, 1) if self.column_first else (0, 2, 3, 1)
        return maps.permute(order).reshape(maps.shape[0], -1, columns)


def _backbone(config: ModelConfig) -> SmallBackbone | Pyramid | LessonLevels | LastMap | VGG300:
    """What computes the feature maps."""
    num_levels = len(config.anchors.levels())
    if config.architecture == "ssd300-vgg16":
        return VGG300(num_levels=num_levels)
    if config.architecture == "ssd-lesson":
        return LessonLevels(config, num_levels=num_levels)
    if config.architecture == "yolo-lesson":
        return LastMap(config)
    if config.backbone == "small":
        return SmallBackbone(num_levels=num_levels, config=config.small)
    return Pyramid(make_trunk(config.backbone), num_levels=num_levels)


def _heads(config: ModelConfig, channels: tuple[int, ...], grid_wh: tuple[int, int] | None) -> nn.ModuleList:
    """One head a level; one linear head for all cells where the map is flattened to ``grid_wh``."""
    levels = config.anchors.levels()
    if grid_wh is not None:
        cells = sum(level.grid_wh[0] * level.grid_wh[1] * len(level.shapes_wh) for level in levels)
        flat = channels[-1] * grid_wh[0] * grid_wh[1]
        heads = nn.ModuleList([LinearHead(flat, anchors=cells, num_logits=config.num_logits)])
    else:
        column_first = isinstance(config.anchors, GridAnchors)
        heads = nn.ModuleList(
            _Head(width, shapes=len(level.shapes_wh), num_logits=config.num_logits, column_first=column_first)
            for width, level in zip(channels, levels, strict=True)
        )
    _start_quiet(heads, config)
    return heads


def _start_quiet(heads: nn.ModuleList, config: ModelConfig) -> None:
    """Small predictor weights; a bias that expects background almost everywhere."""
    for head in cast(list[_Head], list(heads)):
        for layer in (head.codes, head.logits):
            if config.architecture == "ssd300-vgg16":
                nn.init.xavier_uniform_(layer.weight)  # Caffe-SSD; torchvision
            else:
                nn.init.normal_(layer.weight, std=0.01)
            nn.init.zeros_(cast(Tensor, layer.bias))
        odds = math.log((1 - _PRIOR) / _PRIOR) if config.class_bias is None else -config.class_bias
        bias = cast(Tensor, head.logits.bias).data.view(-1, config.num_logits)
        if config.activation == "softmax":
            bias[:, 0] = odds + math.log(len(config.class_names))
        else:
            bias[:] = -odds


def build_model(config: ModelConfig) -> nn.Module:
    """The network of a configuration, with random weights, in training mode.

    Args:
        config: architecture, classes, anchors, input contract.

    Returns:
        A module with ``config``. A detector also has ``anchors``, and its ``forward``
        gives :class:`RawPredictions`; the networks before SSD give :class:`PictureOutputs`.

    Raises:
        ConfigError: anchors and feature maps do not agree.

    Example:
        >>> from ssd.model_presets import model_preset
        >>> model = build_model(model_preset("ssd-small", ("circle", "star"))).eval()
        >>> model(torch.zeros(1, 3, 320, 320)).logits.shape
        torch.Size([1, 9500, 3])
    """
    if config.architecture in PICTURE_ARCHITECTURES:
        return PictureNetwork(config)
    if config.architecture.startswith("torchvision-"):
        from ssd.models.torchvision_ssd import TorchvisionSSD

        return TorchvisionSSD(config)
    return SSDNetwork(config)


def is_of_classes(name: str) -> bool:
    """Whether a tensor of a state dict speaks of classes: what another class count makes new.

    Args:
        name: of the tensor, in one of our networks or torchvision's.

    Returns:
        True for logits, false for the backbone and the boxes.

    Example:
        >>> is_of_classes("heads.0.logits.weight"), is_of_classes("heads.0.codes.weight")
        (True, False)
    """
    return "logits" in name.split(".") or ".classification_head." in name


def layer_groups(model: nn.Module) -> tuple[LayerGroup, LayerGroup, LayerGroup]:
    """Early backbone, late backbone and head: for freezing and for rates of their own.

    Args:
        model: what :func:`build_model` gave.

    Returns:
        Three groups from the input on; together they hold every parameter once. A small
        backbone of one level has nothing late.

    Example:
        >>> from ssd.model_presets import model_preset
        >>> groups = layer_groups(build_model(model_preset("ssd-4x4", ("cat",))))
        >>> [(group.name, sum(p.numel() for p in group.parameters())) for group in groups]
        [('early', 1347904), ('late', 19936768), ('head', 1782533)]
    """
    early, late = cast(Detector, model).halves()
    known = {id(parameter) for module in (*early, *late) for parameter in module.parameters()}
    head = tuple(_rest(model, known))
    return LayerGroup("early", early), LayerGroup("late", late), LayerGroup("head", head)


def _rest(module: nn.Module, known: set[int]) -> Iterator[nn.Module]:
    """The largest modules that hold none of the known parameters, and parameters between them."""
    found = [id(parameter) in known for parameter in module.parameters()]
    if found and not any(found):
        yield module
    elif not all(found):
        if own := list(module.parameters(recurse=False)):  # torchvision's scale of conv4_3
            yield nn.ParameterList(own)
        for child in module.children():
            yield from _rest(child, known)
