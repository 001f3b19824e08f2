"""The pyramids of torchvision's other detectors: number for number what its generator makes."""

from __future__ import annotations

import math

import pytest
import torch

from ssd.anchors import make_anchors
from ssd.config import PYRAMID_PRESETS, anchor_preset, any_preset, any_preset_names, pyramid_for_picture
from ssd.errors import ConfigError


def torchvision_boxes(name: str, input_wh: tuple[int, int]) -> torch.Tensor:
    """What torchvision's generator makes for one picture, padded as its transform pads."""
    from torchvision.models.detection.faster_rcnn import _default_anchorgen
    from torchvision.models.detection.image_list import ImageList
    from torchvision.models.detection.retinanet import _default_anchorgen as _retinanet

    generator, stride = {"retinanet": (_retinanet(), 8), "faster-rcnn": (_default_anchorgen(), 4)}[name]
    width, height = (math.ceil(side / 32) * 32 for side in input_wh)
    rows, columns, maps = height // stride, width // stride, []
    for _ in range(5):
        maps.append(torch.zeros(1, 1, rows, columns))
        rows, columns = math.ceil(rows / 2), math.ceil(columns / 2)
    pictures = ImageList(torch.zeros(1, 3, height, width), [input_wh[::-1]])
    return generator(pictures, maps)[0] / torch.tensor([*input_wh, *input_wh])


@pytest.mark.parametrize("name", PYRAMID_PRESETS)
@pytest.mark.parametrize(
    ("picture_wh", "input_wh"),
    [((640, 480), (1066, 800)), ((333, 500), (800, 1201)), ((500, 100), (1333, 266))],
    ids=["wide", "tall", "so wide that the longer side decides"],
)
def test_the_anchors_are_torchvisions(name, picture_wh, input_wh):
    config = pyramid_for_picture(PYRAMID_PRESETS[name].anchors, picture_wh=picture_wh)

    assert config.picture_wh == input_wh
    torch.testing.assert_close(
        make_anchors(config).boxes, torchvision_boxes(name, input_wh), atol=1e-6, rtol=0
    )


@pytest.mark.slow
def test_the_thresholds_are_torchvisions():
    from torchvision.models.detection import fasterrcnn_resnet50_fpn, retinanet_resnet50_fpn

    kept = {"weights": None, "weights_backbone": None}
    retinanet, faster = retinanet_resnet50_fpn(**kept), fasterrcnn_resnet50_fpn(**kept)

    assert PYRAMID_PRESETS["retinanet"].threshold == retinanet.proposal_matcher.high_threshold
    assert PYRAMID_PRESETS["faster-rcnn"].threshold == faster.rpn.proposal_matcher.high_threshold
    for config, transform in (("retinanet", retinanet.transform), ("faster-rcnn", faster.transform)):
        anchors = PYRAMID_PRESETS[config].anchors
        assert ((anchors.min_side_px,), anchors.max_side_px) == (transform.min_size, transform.max_size)


def test_another_training_size_moves_both_limits():
    config = PYRAMID_PRESETS["retinanet"].anchors

    assert pyramid_for_picture(config, picture_wh=(640, 480), side_px=400).picture_wh == (533, 400)
    assert pyramid_for_picture(config, picture_wh=(5000, 100), side_px=400).picture_wh == (666, 13)


def test_a_picture_without_pixels_is_refused():
    with pytest.raises(ConfigError, match="at least 1 px"):
        pyramid_for_picture(PYRAMID_PRESETS["retinanet"].anchors, picture_wh=(0, 480))


def test_pyramids_are_found_for_coverage_and_refused_for_networks():
    assert any_preset("retinanet").threshold == 0.5 and "faster-rcnn" in any_preset_names()
    with pytest.raises(ConfigError, match="another detector, for coverage only"):
        anchor_preset("faster-rcnn")
    with pytest.raises(ConfigError, match="did you mean retinanet"):
        any_preset("retinanett")
