"""The paper's SSD300 on VGG16, and its tensors under torchvision's names and ours.

Source: Liu et al., SSD, ECCV 2016, section 3 and figure 2; sizes of the extra levels as in Caffe-SSD.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor, nn

from ssd.errors import ConfigError
from ssd.models.small import halved

__all__ = ["VGG300", "from_torchvision", "to_torchvision", "vgg300_cells", "vgg300_state"]

_SCALE = 20.0  # Liu et al., section 3.1: conv4_3 has larger values than the other maps
_BLOCKS = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))  # Simonyan and Zisserman, VGG16: width, depth
_EXTRA = (
    (256, 512, 2, 1),
    (128, 256, 2, 1),
    (128, 256, 1, 0),
    (128, 256, 1, 0),
)  # narrow, wide, stride, padding


class _Normalised(nn.Module):
    """Each cell's channels scaled to length 1, then by a learned factor each. Source: ParseNet, 3.3."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.full((channels,), _SCALE))

    def forward(self, x: Tensor) -> Tensor:
        wide = x.to(torch.promote_types(x.dtype, torch.float32))  # squares of float16 would overflow
        return (self.scale[:, None, None] * nn.functional.normalize(wide)).to(x.dtype)


class VGG300(nn.Module):
    """VGG16 to conv4_3 and, with dilated fc6 and fc7, beyond; then four levels more.

    Attributes:
        channels: of the six levels.
    """

    def __init__(self, *, num_levels: int) -> None:
        """Build it with random weights.

        Raises:
            ConfigError: not six levels.
        """
        super().__init__()
        if num_levels != 6:
            raise ConfigError(f"SSD300 on VGG16 has 6 levels, got anchors on {num_levels}; give six levels.")
        self.to_conv4_3 = nn.Sequential(OrderedDict(_vgg_layers(0, 4)))
        self.norm4_3 = _Normalised(512)
        self.to_conv5_3 = nn.Sequential(OrderedDict(_vgg_layers(4, 5)))
        self.to_fc7 = nn.Sequential(
            OrderedDict(
                pool5=nn.MaxPool2d(3, stride=1, padding=1),
                fc6=nn.Conv2d(512, 1024, 3, padding=6, dilation=6),
                relu6=nn.ReLU(inplace=True),
                fc7=nn.Conv2d(1024, 1024, 1),
                relu7=nn.ReLU(inplace=True),
            )
        )
        inputs = (1024, *(wide for _, wide, _, _ in _EXTRA))
        self.extra = nn.ModuleList(
            _extra_level(8 + k, inputs[k], *numbers) for k, numbers in enumerate(_EXTRA)
        )
        self.channels = (512, *inputs)
        _start(self)

    def forward(self, pictures: Tensor) -> list[Tensor]:
        """Maps of 38, 19, 10, 5, 3 and 1 cells along each side of 300 pixels."""
        x = self.to_conv4_3(pictures)
        features = [self.norm4_3(x)]
        x = self.to_fc7(self.to_conv5_3(x))
        features.append(x)
        for level in self.extra:
            x = level(x)
            features.append(x)
        return features

    def cells(self, pixels: int) -> tuple[int, ...]:
        """Cells of each level along a side of so many pixels."""
        return vgg300_cells(pixels)

    def halves(self) -> tuple[tuple[nn.Module, ...], tuple[nn.Module, ...]]:
        """VGG16 up to stride 8, and its other layers; what is new to it belongs to the head."""
        layers = dict(self.to_conv4_3.named_children())
        late = next(place for place, name in enumerate(layers) if name == "conv4_1")
        return tuple(layers.values())[:late], (*tuple(layers.values())[late:], self.to_conv5_3)


def vgg300_cells(pixels: int) -> tuple[int, ...]:
    """Cells of each of SSD300's six levels along a side, in our network and in torchvision's.

    Args:
        pixels: of the side.

    Returns:
        Six numbers; below 1 where the side is too short for a level.

    Example:
        >>> vgg300_cells(300)
        (38, 19, 10, 5, 3, 1)
    """
    fine = halved(pixels // 4, 1)  # two poolings round down, the third up
    coarse = fine // 2
    third, fourth = halved(coarse, 1), halved(coarse, 2)
    return fine, coarse, third, fourth, fourth - 2, fourth - 4


def _vgg_layers(first: int, last: int) -> list[tuple[str, nn.Module]]:
    """The layers of some of VGG16's five blocks; from the second block on with the pooling before."""
    layers: list[tuple[str, nn.Module]] = []
    for block in range(first, last):
        if block:
            pool = nn.MaxPool2d(2, stride=2, ceil_mode=block == 3)  # Caffe rounds up: 75 → 38
            layers.append((f"pool{block}", pool))
        width, depth = _BLOCKS[block]
        for number in range(1, depth + 1):
            inputs = width if number > 1 else (3 if block == 0 else _BLOCKS[block - 1][0])
            layers.append((f"conv{block + 1}_{number}", nn.Conv2d(inputs, width, 3, padding=1)))
            layers.append((f"relu{block + 1}_{number}", nn.ReLU(inplace=True)))
    return layers


def _extra_level(
    number: int, inputs: int, narrow: int, wide: int, stride: int, padding: int
) -> nn.Sequential:
    """conv8 to conv11: 1×1 to fewer channels, 3×3 to the next level."""
    return nn.Sequential(
        OrderedDict(
            [
                (f"conv{number}_1", nn.Conv2d(inputs, narrow, 1)),
                (f"relu{number}_1", nn.ReLU(inplace=True)),
                (f"conv{number}_2", nn.Conv2d(narrow, wide, 3, stride=stride, padding=padding)),
                (f"relu{number}_2", nn.ReLU(inplace=True)),
            ]
        )
    )


def _start(network: VGG300) -> None:
    """He's start for VGG16 itself, Xavier's for what is new, as Caffe-SSD and torchvision."""
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d):
            if name.startswith("to_conv"):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            else:
                nn.init.xavier_uniform_(module.weight)
            nn.init.zeros_(cast(Tensor, module.bias))


def _pairs() -> tuple[tuple[str, str], ...]:
    """Our name and torchvision's of everything with weights, in the order of the network."""
    early = [0, 2, 5, 7, 10, 12, 14, 17, 19, 21]  # convolutions among torchvision's features
    names = [f"conv{b + 1}_{n}" for b, (_, depth) in enumerate(_BLOCKS) for n in range(1, depth + 1)]
    pairs = [
        (f"backbone.to_conv4_3.{name}", f"features.{k}") for name, k in zip(names[:10], early, strict=True)
    ]
    pairs += [
        (f"backbone.to_conv5_3.{name}", f"extra.0.{k}") for name, k in zip(names[10:], (1, 3, 5), strict=True)
    ]
    pairs += [("backbone.to_fc7.fc6", "extra.0.7.1"), ("backbone.to_fc7.fc7", "extra.0.7.3")]
    for k in range(4):
        pairs += [(f"backbone.extra.{k}.conv{8 + k}_{n}", f"extra.{k + 1}.{2 * n - 2}") for n in (1, 2)]
    theirs = [(ours, f"backbone.{name}") for ours, name in pairs]
    for k in range(6):
        theirs.append((f"heads.{k}.codes", f"head.regression_head.module_list.{k}"))
        theirs.append((f"heads.{k}.logits", f"head.classification_head.module_list.{k}"))
    return tuple(theirs)


_TENSORS = {f"{ours}.{kind}": f"{theirs}.{kind}" for ours, theirs in _pairs() for kind in ("weight", "bias")}
_TENSORS["backbone.norm4_3.scale"] = "backbone.scale_weight"


def from_torchvision(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A state dict of torchvision's ``ssd300_vgg16`` under the names of ours.

    Args:
        state: all tensors of torchvision's model.

    Returns:
        The same tensors for the network of ``ssd300-vgg16``.

    Raises:
        ConfigError: a name is not one of torchvision's, or one is missing.
    """
    return _renamed(state, {theirs: ours for ours, theirs in _TENSORS.items()}, "torchvision's ssd300_vgg16")


def to_torchvision(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A state dict of our ``ssd300-vgg16`` under the names of torchvision's: the way back.

    Args:
        state: all tensors of our network.

    Returns:
        The same tensors for torchvision's ``ssd300_vgg16``.

    Raises:
        ConfigError: a name is not one of ours, or one is missing.
    """
    return _renamed(state, _TENSORS, "our ssd300-vgg16")


def _renamed(state: Mapping[str, Tensor], names: Mapping[str, str], what: str) -> dict[str, Tensor]:
    """Every tensor under its other name."""
    if odd := sorted(names.keys() ^ state.keys()):
        kind = "lacks" if odd[0] in names else "does not have"
        raise ConfigError(
            f"The tensors must be those of {what}, which differ in {len(odd)} names (for example it {kind} "
            f"{odd[0][:80]}); choose another file."
        )
    return {names[key]: value for key, value in state.items()}


def vgg300_state(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The convolutions of torchvision's classifier ``vgg16`` under the names of :class:`VGG300`.

    Args:
        state: the classifier's tensors.

    Returns:
        The tensors of conv1_1 to conv5_3; fc6, fc7 and what follows are not among them.
    """
    places = [k for k in range(29) if f"features.{k}.weight" in state]
    names = [ours for ours in _TENSORS if ours.startswith("backbone.to_conv") and ours.endswith("weight")]
    found: dict[str, Tensor] = {}
    for ours, place in zip(names, places, strict=False):
        for kind in ("weight", "bias"):
            key = ours.removeprefix("backbone.").removesuffix("weight") + kind
            found[key] = state[f"features.{place}.{kind}"]
    return found
