"""A small detector with an input that is wider than high, for tests that need any detector."""

from __future__ import annotations

import re

import torch
from torch import Tensor, nn

from ssd.config import SizeAnchors
from ssd.contract import InputContract, ModelConfig
from ssd.models.network import build_model

FORBIDDEN = re.compile(r'Traceback|site-packages|File "/|0x[0-9a-f]{6,}|weights_only')


def small_config(*class_names: str, width: int = 80, height: int = 64) -> ModelConfig:
    """Two levels, 400 anchors, an input of 80 × 64 pixels."""
    grids = tuple((-(-width // stride), -(-height // stride)) for stride in (8, 16))
    anchors = SizeAnchors(
        grids_wh=grids,
        sizes_px=(12.0, 28.0),
        extra_sizes_px=(18.0, 40.0),
        ratios=((2.0,), (2.0,)),
        picture_wh=(width, height),
    )
    contract = InputContract(size_wh=(width, height))
    return ModelConfig("ssd-small", class_names or ("circle", "star"), anchors, contract)


def small_model(*class_names: str, seed: int = 0) -> nn.Module:
    """That detector with random weights whose scores differ from anchor to anchor."""
    torch.manual_seed(seed)
    model = build_model(small_config(*class_names))
    for name, parameter in model.named_parameters():
        if "logits.weight" in name or "codes.weight" in name:
            nn.init.normal_(parameter, std=3.0)
        if "logits.bias" in name:
            nn.init.zeros_(parameter)
    return model.eval()


def lively_torchvision(name: str, picture: Tensor) -> nn.Module:
    """torchvision's model with weights drawn so that logits have a standard deviation of about 2."""
    torch.manual_seed(3)
    from torchvision.models import detection

    network = getattr(detection, name)(weights=None, weights_backbone=None, num_classes=91).eval()
    settle(network, picture / 255)
    with torch.no_grad():
        images, _ = network.transform([picture / 255])
        features = list(network.backbone(images.tensors).values())
        for head, spread in ((network.head.classification_head, 2.0), (network.head.regression_head, 1.0)):
            for level, feature in zip(head.module_list, features, strict=True):
                last = level[-1] if isinstance(level, nn.Sequential) else level
                factor = spread / level(feature).std()
                last.weight.mul_(factor)
                last.bias.mul_(factor)
    return network


def settle(network: nn.Module, picture: Tensor) -> None:
    """Batch norms take their statistics from a few pictures, so that signals reach the heads."""
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    if norms:
        for norm in norms:
            norm.momentum = None  # plain average
            norm.train()
        with torch.no_grad():
            images, _ = network.transform([picture, picture.flip(1), picture.flip(2), 1 - picture])
            network.head(list(network.backbone(images.tensors).values()))
        network.eval()
