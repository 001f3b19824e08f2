"""Backbones: the maps have the cells that are said before any picture was seen."""

from dataclasses import replace

import pytest
import torch

from ssd.contract import BACKBONES
from ssd.errors import ConfigError
from ssd.model_presets import model_preset
from ssd.models.network import build_model
from ssd.models.small import SmallBackbone
from ssd.models.trunks import Pyramid, Trunk, make_trunk
from ssd.models.vgg import VGG300, vgg300_cells

SIZES = [(65, 97), (127, 64), (96, 161)]  # odd and even, wide and high: rounding shows


def grids_of(backbone, width, height):
    """The maps of a real picture: cells across and down."""
    with torch.no_grad():
        features = backbone(torch.zeros(1, 3, height, width))
    maps = features.values() if isinstance(features, dict) else features
    return [(feature.shape[-1], feature.shape[-2]) for feature in maps]


def said(owner, width, height):
    return list(zip(owner.cells(width), owner.cells(height), strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("name", BACKBONES)
def test_a_backbone_has_the_cells_and_channels_that_it_says(name):
    trunk = make_trunk(name).eval()

    for size in SIZES:
        assert grids_of(trunk, *size) == said(trunk, *size)
    with torch.no_grad():
        assert tuple(x.shape[1] for x in trunk(torch.zeros(1, 3, 64, 64))) == trunk.channels


@pytest.mark.parametrize(
    "backbone", [SmallBackbone(num_levels=6), Pyramid(SmallBackbone(num_levels=3), num_levels=6)]
)
def test_extra_levels_have_the_cells_that_they_say(backbone):
    for size in [*SIZES, (320, 300)]:
        assert grids_of(backbone.eval(), *size) == said(backbone, *size)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["ssd300-vgg16", "torchvision-ssd300-vgg16", "torchvision-ssdlite320", "ssd-multi"]
)
def test_a_detectors_levels_have_the_cells_that_it_says(name):
    model = build_model(replace(model_preset(name, ("cat",)), dropout=0.0)).eval()
    backbone = model.backbone if hasattr(model, "backbone") else model.network.backbone
    sizes = [(300, 275), (268, 341)] if "vgg16" in name else [(300, 275), (97, 193)]

    for size in sizes:
        assert grids_of(backbone, *size) == said(model, *size)


@pytest.mark.slow
def test_the_smallest_picture_of_the_papers_network_is_the_one_that_works():
    backbone = VGG300(num_levels=6).eval()
    smallest = next(side for side in range(1, 400) if min(vgg300_cells(side)) >= 1)

    assert smallest == 268
    assert grids_of(backbone, 268, 268)[-1] == (1, 1)
    with pytest.raises(RuntimeError), torch.no_grad():
        backbone(torch.zeros(1, 3, 267, 267))


def test_torchvisions_names_are_known():
    with pytest.raises(ConfigError, match="one of resnet18"):
        Trunk("small")
