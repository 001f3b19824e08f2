"""Receptive fields against gradients: exactly the pixels inside can move a cell's predictions."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ssd.config import anchor_preset
from ssd.contract import ModelConfig
from ssd.errors import ConfigError
from ssd.models.network import build_model
from ssd.models.receptive import LAYERS, Layer, Tower, receptive_field


def seen_box(module, picture, pick):
    """The extent of non-zero gradients, as xyxy pixels."""
    picture = picture.clone().requires_grad_(True)
    pick(module(picture)).backward()
    touched = picture.grad.abs().sum(dim=(0, 1)) > 0
    rows, columns = touched.any(1).nonzero()[:, 0], touched.any(0).nonzero()[:, 0]
    return [int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1]


def positive(module):
    """All weights positive and averages instead of maxima: no pixel's influence can vanish."""
    for parameter in module.parameters():
        nn.init.constant_(parameter, 0.01 if parameter.dim() > 1 else 0.0)
    return module


def chain(tower, upto):
    """The layers of a tower as a module, pools as convolutions: linear, so every path counts."""
    layers = [layer for level in tower.levels[: upto + 1] for layer in level] + list(tower.head)
    return positive(nn.Sequential(*(convolution(layer) for layer in layers)).double())


def convolution(layer: Layer):
    if layer == Layer(2, stride=2):
        return nn.AvgPool2d(2, ceil_mode=True)  # 75 → 38, as Caffe and torchvision round
    return nn.Conv2d(
        1, 1, layer.kernel, stride=layer.stride, padding=layer.padding, dilation=layer.dilation, bias=False
    )


@pytest.mark.parametrize("name", ["ssd300-voc", "lesson-multi", "ssd512-voc"])
@pytest.mark.parametrize("level", [0, 1, 2])
def test_a_field_is_where_the_gradient_of_its_cell_is_not_zero(name, level):
    tower = LAYERS[name]
    width, height = tower.picture_wh
    grid = anchor_preset(name).anchors.levels()[level].grid_wh[0]
    row, column = grid // 2, grid - 1

    found = receptive_field(name, level=level, column=column, row=row)
    seen = seen_box(
        chain(tower, level),
        torch.ones(1, 1, height, width, dtype=torch.float64),
        lambda out: out[0, 0, row, column],
    )

    wanted = [found.box[0] * width, found.box[1] * height, found.box[2] * width, found.box[3] * height]
    assert [round(value, 6) for value in wanted] == seen


def test_every_level_of_the_tables_has_the_grid_of_its_anchors():
    for name, tower in LAYERS.items():
        side, sides = tower.picture_wh[0], []
        for layers in tower.levels:
            for layer in layers:
                exact = side + 2 * layer.padding - layer.dilation * (layer.kernel - 1) - 1
                ceil = layer == Layer(2, stride=2)  # torchvision and Caffe round pooled maps up
                side = (-(-exact // layer.stride) if ceil else exact // layer.stride) + 1
            sides.append(side)

        assert sides == [level.grid_wh[0] for level in anchor_preset(name).anchors.levels()], name


def shipped_network():
    config = ModelConfig("ssd-small", ("circle", "star"), anchor_preset("small320").anchors)
    network = positive(build_model(config)).eval().double()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.constant_(module.weight, 1.0)  # the blocks start as their shortcuts: wake them
    return network


@pytest.mark.slow
@pytest.mark.parametrize(("level", "column", "row"), [(0, 3, 22), (1, 19, 0), (2, 5, 5), (3, 0, 4)])
def test_the_shipped_network_sees_exactly_its_field(level, column, row):
    network = shipped_network()
    anchors = network.anchors
    cell = (anchors.level == level) & (anchors.row == row) & (anchors.column == column)

    found = receptive_field("small320", level=level, column=column, row=row)
    seen = seen_box(
        network, torch.ones(1, 3, 320, 320, dtype=torch.float64), lambda raw: raw.logits[0, cell].sum()
    )

    assert [round(value * 320) for value in found.box] == seen


def test_a_wide_picture_has_a_field_of_its_own_along_each_axis():
    tower = Tower((8, 4), ((Layer(3, stride=2, padding=1),),), head=(Layer(1),))
    seen = seen_box(chain(tower, 0), torch.ones(1, 1, 4, 8, dtype=torch.float64), lambda out: out[0, 0, 1, 3])

    assert seen == [5, 1, 8, 4]
    assert tower.span(0, (3, 3)) == (5, 7)
    assert tower.span(0, (1, 1)) == (1, 3)


def test_the_last_levels_see_the_whole_picture():
    assert receptive_field("ssd300-voc", level=5, column=0, row=0).whole
    assert not receptive_field("ssd300-voc", level=0, column=0, row=0).whole


@pytest.mark.parametrize(("network", "level"), [("resnet-9000", 0), ("ssd300-voc", 6), ("ssd300-voc", -1)])
def test_an_unknown_network_or_level_is_named(network, level):
    with pytest.raises(ConfigError, match="choose one of these"):
        receptive_field(network, level=level, column=0, row=0)
