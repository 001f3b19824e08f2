"""Receptive fields against gradients: exactly the pixels inside can move a cell's predictions."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ssd.config import ANCHOR_PRESETS, anchor_preset
from ssd.errors import ConfigError
from ssd.model_presets import model_preset
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


def lively(name):
    """A whole network in which no pixel's influence vanishes: positive weights, averages for maxima."""
    generator = torch.Generator().manual_seed(0)
    network = build_model(model_preset(name, ("circle", "star"))).eval().double()
    for owner in list(network.modules()):
        for key, layer in owner.named_children():
            if isinstance(layer, nn.MaxPool2d):
                same = (layer.kernel_size, layer.stride, layer.padding, layer.ceil_mode)
                setattr(owner, key, nn.AvgPool2d(*same))
    for parameter in network.parameters():
        values = torch.rand(parameter.shape, generator=generator, dtype=torch.float64) + 0.5
        parameter.data = values / parameter[0].numel() if parameter.dim() > 1 else torch.zeros_like(values)
    for module in network.modules():  # the blocks of ours start as their shortcuts: wake them
        if isinstance(module, nn.BatchNorm2d):
            nn.init.constant_(module.weight, 1.0)
    return network


def seen_by_cells(network, cells):
    """What each (level, column, row) sees, in pixels of the input, from one forward pass."""
    anchors, (width, height) = network.anchors, network.config.contract.size_wh
    small = torch.tensor(1e-3, dtype=torch.float64)  # no gate and no ReLU6 is saturated
    picture = small.expand(1, 3, height, width).clone().requires_grad_(True)
    raw = network(picture)
    for level, column, row in cells:
        of_cell = (anchors.level == level) & (anchors.row == row) & (anchors.column == column)
        answer = raw.logits[0, of_cell].sum() + raw.codes[0, of_cell].sum()
        (gradient,) = torch.autograd.grad(answer, picture, retain_graph=True)
        touched = gradient.abs().sum(dim=(0, 1)) > 0
        rows, columns = touched.any(1).nonzero()[:, 0], touched.any(0).nonzero()[:, 0]
        yield level, column, row, [int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1]


NETWORKS = {
    "small320": ("ssd-small", [(0, 3, 22), (1, 19, 0), (2, 5, 5), (3, 0, 4)]),
    "wide320": ("ssd-small-wide", [(0, 3, 22), (0, 38, 1), (2, 5, 9), (3, 0, 4), (4, 2, 0)]),
    "resnet300": ("ssd300-resnet34", [(0, 3, 22), (0, 37, 1), (1, 17, 0), (2, 0, 9), (3, 4, 0)]),
    "lesson-multi": ("ssd-multi", [(0, 3, 0), (0, 0, 2), (1, 1, 0), (2, 0, 0)]),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_sees_exactly_its_field(name):
    preset, cells = NETWORKS[name]
    side = LAYERS[name].picture_wh[0]

    for level, column, row, seen in seen_by_cells(lively(preset), cells):
        found = receptive_field(name, level=level, column=column, row=row)

        assert [round(value * side) for value in found.box] == seen, (level, column, row)


@pytest.mark.slow
def test_the_papers_network_has_the_layers_of_its_table():
    network = build_model(model_preset("ssd300-vgg16", ("circle",))).backbone
    parts = [network.to_conv4_3, nn.Sequential(*network.to_conv5_3, *network.to_fc7), *network.extra]

    for part, wanted in zip(parts, LAYERS["ssd300-voc"].levels, strict=True):
        found = [layer for layer in part if isinstance(layer, nn.Conv2d | nn.MaxPool2d)]
        assert [as_layer(layer) for layer in found] == list(wanted)


def as_layer(layer):
    numbers = (layer.kernel_size, layer.stride, layer.padding, layer.dilation)
    return Layer(*(number if isinstance(number, int) else number[0] for number in numbers))


@pytest.mark.slow
def test_squeeze_and_excitation_lets_every_cell_see_everything():
    network, cells = (
        lively("torchvision-ssdlite320"),
        [(0, 3, 12), (0, 19, 0), (1, 9, 1), (2, 0, 4), (5, 0, 0)],
    )

    for level, column, row, seen in seen_by_cells(network, cells):
        found = receptive_field("ssdlite320-coco", level=level, column=column, row=row)

        assert found.whole and found.box == (0.0, 0.0, 1.0, 1.0) and found.wh_px == (320, 320)
        assert seen == [0, 0, 320, 320]

    for module in list(network.modules()):
        for key, layer in module.named_children():
            if type(layer).__name__ == "SqueezeExcitation":
                setattr(module, key, nn.Identity())
    for level, column, row, seen in seen_by_cells(network, cells):
        found = receptive_field("ssdlite320-coco", level=level, column=column, row=row).convolved

        assert [round(value * 320) for value in found.box] == seen, (level, column, row)


def test_every_anchor_preset_has_the_field_of_its_network():
    assert set(LAYERS) == set(ANCHOR_PRESETS)


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
