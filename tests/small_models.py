"""A small detector with an input that is wider than high, for tests that need any detector."""

from __future__ import annotations

import re

import torch
from torch import nn

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
            nn.init.normal_(parameter, std=0.05)
        if "logits.bias" in name:
            nn.init.zeros_(parameter)
    return model.eval()
