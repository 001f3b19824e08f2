"""Coding: boxes to codes and back, in both kinds."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close
from torchvision.models.detection._utils import BoxCoder

from ssd.anchors import make_anchors
from ssd.boxes import cxcywh_to_xyxy, from_pixels, to_pixels, xyxy_to_cxcywh
from ssd.coding import MAX_LOG_RATIO, decode, encode
from ssd.config import CoderConfig, GridAnchors, anchor_preset
from tests.strategies import anchor_configs, boxes

OFFSET, TANH = CoderConfig(), CoderConfig(kind="tanh")
VOC = make_anchors(anchor_preset("ssd300-voc").anchors)
ONE = make_anchors(GridAnchors(grids=(1,), ratios=((0.5, 0.25),)))  # one anchor, .5 wide and .25 high


def repeat(box: torch.Tensor, anchors) -> torch.Tensor:
    """One box for every anchor."""
    return box.expand(len(anchors), 4)


def test_offset_codes_by_hand_on_an_anchor_that_is_not_square():
    box = cxcywh_to_xyxy(torch.tensor([[0.55, 0.55, 1.0, 0.125]]))

    codes = encode(box, ONE, coder=OFFSET)

    expected = [0.05 / 0.5 / 0.1, 0.05 / 0.25 / 0.1, math.log(2) / 0.2, math.log(0.5) / 0.2]
    assert_close(codes, torch.tensor([expected]))


def test_tanh_codes_by_hand_on_an_anchor_that_is_not_square():
    codes = torch.tensor([[math.atanh(0.5), math.atanh(-0.5), math.atanh(0.4), math.atanh(-0.8)]])

    box = xyxy_to_cxcywh(decode(codes, ONE, coder=TANH))

    assert_close(box, torch.tensor([[0.5 + 0.25, 0.5 - 0.25, 1.2 * 0.5, 0.6 * 0.25]]))


def test_the_lesson_moves_a_centre_by_half_a_cell_and_a_side_by_half_at_most():
    anchors = make_anchors(anchor_preset("lesson-4x4").anchors)

    far = xyxy_to_cxcywh(decode(torch.full((16, 4), 50.0), anchors, coder=TANH))

    assert_close(far[:, :2] - anchors.cxcywh[:, :2], torch.full((16, 2), 0.125))
    assert_close(far[:, 2:] / anchors.cxcywh[:, 2:], torch.full((16, 2), 1.5))


@pytest.mark.parametrize("coder", [OFFSET, TANH], ids=["offset", "tanh"])
@given(config=anchor_configs())
def test_a_code_of_zeros_is_the_anchor(coder, config):
    anchors = make_anchors(config)

    assert_close(decode(torch.zeros(len(anchors), 4), anchors, coder=coder), anchors.boxes, rtol=0, atol=1e-5)


@given(found=boxes(min_size=1, max_size=1, min_side=0.02))
def test_decoding_what_was_encoded_is_the_box_to_a_hundred_thousandth(found):
    wanted = repeat(found, VOC)

    assert_close(decode(encode(wanted, VOC, coder=OFFSET), VOC, coder=OFFSET), wanted, rtol=0, atol=1e-5)


@given(move=st.tuples(*[st.floats(-0.49, 0.49)] * 2), grow=st.tuples(*[st.floats(0.51, 1.49)] * 2))
def test_a_box_within_the_lesson_s_reach_comes_back(move, grow):
    anchors = make_anchors(anchor_preset("lesson-multi").anchors)
    centre = anchors.cxcywh[:, :2] + torch.tensor(move) * anchors.cells_wh
    wanted = cxcywh_to_xyxy(torch.cat([centre, anchors.cxcywh[:, 2:] * torch.tensor(grow)], dim=1))

    found = decode(encode(wanted, anchors, coder=TANH), anchors, coder=TANH)

    assert_close(found, wanted, rtol=0, atol=1e-5)


def test_a_box_out_of_the_lesson_s_reach_gets_finite_codes_of_the_nearest():
    anchors = make_anchors(anchor_preset("lesson-4x4").anchors)

    codes = encode(repeat(torch.tensor([[0.0, 0.0, 1.0, 1.0]]), anchors), anchors, coder=TANH)

    assert bool(torch.isfinite(codes).all())
    assert_close(xyxy_to_cxcywh(decode(codes, anchors, coder=TANH))[:, 2:], torch.full((16, 2), 0.375))


@given(found=boxes(min_size=1, max_size=1, min_side=0.02))
def test_offset_codes_agree_with_torchvision(found):
    theirs = BoxCoder((10.0, 10.0, 5.0, 5.0))
    wanted = repeat(found, VOC)

    codes = encode(wanted, VOC, coder=OFFSET)

    assert_close(codes, theirs.encode_single(wanted, VOC.boxes), rtol=1e-4, atol=1e-3)
    assert_close(decode(codes, VOC, coder=OFFSET), theirs.decode_single(codes, VOC.boxes), rtol=0, atol=1e-5)


def test_wild_codes_agree_with_torchvision_s_limit():
    codes = torch.tensor([[3.0, -2.0, 40.0, 400.0]])

    found = decode(codes, ONE, coder=OFFSET)

    assert_close(found, BoxCoder((10.0, 10.0, 5.0, 5.0)).decode_single(codes, ONE.boxes))
    assert xyxy_to_cxcywh(found)[0, 3] == pytest.approx(0.25 * math.exp(MAX_LOG_RATIO))


def test_the_dog_of_picture_000001_has_the_golden_codes():
    dog = from_pixels(torch.tensor([[47.0, 239.0, 195.0, 371.0]]), width_px=353, height_px=500)

    codes = encode(repeat(dog, VOC), VOC, coder=OFFSET)[8262]

    assert_close(codes, torch.tensor([-0.583977, 0.891846, -1.107886, 0.045098]), rtol=0, atol=1e-4)


def test_codes_do_not_depend_on_the_shape_of_the_picture():
    dog = torch.tensor([[47.0, 239.0, 195.0, 371.0]])
    stretched = to_pixels(from_pixels(dog, width_px=353, height_px=500), width_px=300, height_px=300)

    a = encode(from_pixels(dog, width_px=353, height_px=500), ONE, coder=OFFSET)
    b = encode(from_pixels(stretched, width_px=300, height_px=300), ONE, coder=OFFSET)

    assert_close(a, b)


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_a_variance_divides_its_codes(factor):
    box = torch.tensor([[0.3, 0.2, 0.9, 0.7]])
    changed = CoderConfig(variances=(0.1 * factor, 0.2))

    ratio = encode(box, ONE, coder=OFFSET) / encode(box, ONE, coder=changed)

    assert_close(ratio, torch.tensor([[factor, factor, 1.0, 1.0]]))


@pytest.mark.parametrize("coder", [OFFSET, TANH], ids=["offset", "tanh"])
def test_a_batch_is_coded_picture_by_picture(coder):
    anchors = make_anchors(anchor_preset("lesson-multi").anchors)
    codes = torch.randn(3, len(anchors), 4, generator=torch.Generator().manual_seed(1))

    together = decode(codes, anchors, coder=coder)

    assert_close(together, torch.stack([decode(one, anchors, coder=coder) for one in codes]))
    assert_close(encode(together, anchors, coder=coder), codes, rtol=1e-2, atol=1e-2)


def test_a_box_without_area_has_finite_codes():
    assert bool(torch.isfinite(encode(torch.tensor([[0.5, 0.5, 0.5, 0.5]]), ONE, coder=OFFSET)).all())


@pytest.mark.parametrize("coder", [OFFSET, TANH], ids=["offset", "tanh"])
def test_coding_changes_no_argument(coder):
    box, codes, before = torch.tensor([[0.1, 0.2, 0.6, 0.9]]), torch.full((1, 4), 9.0), ONE.boxes.clone()

    encode(box, ONE, coder=coder)
    decode(codes, ONE, coder=coder)

    assert box.tolist() == torch.tensor([[0.1, 0.2, 0.6, 0.9]]).tolist()
    assert codes.tolist() == [[9.0] * 4]
    assert torch.equal(ONE.boxes, before)


def test_codes_have_gradients():
    codes = torch.zeros(1, 4, requires_grad=True)

    decode(codes, ONE, coder=OFFSET).sum().backward()

    assert bool((codes.grad[:, :2] != 0).all())
