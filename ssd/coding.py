"""Coding: what a network predicts instead of a box, and back.

``offset`` is the paper's: centre offsets in units of the anchor and logarithms of
size ratios, each divided by a variance. ``tanh`` is the lesson's: a centre moves
by at most half a cell, a side grows or shrinks by at most a half.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from ssd.anchors import Anchors
from ssd.boxes import cxcywh_to_xyxy, xyxy_to_cxcywh
from ssd.config import CoderConfig

__all__ = ["MAX_LOG_RATIO", "decode", "encode"]

MAX_LOG_RATIO = math.log(1000 / 16)  # torchvision, BoxCoder.bbox_xform_clip: no exp() overflow
_TANH_LIMIT = 1.0 - 1e-6  # atanh(1) is infinite
_SMALLEST_SIDE = 1e-6  # a box of a picture; keeps log() finite


def encode(
    boxes: Float[Tensor, "*n a 4"], anchors: Anchors, *, coder: CoderConfig
) -> Float[Tensor, "*n a 4"]:
    """Codes that would turn each anchor into its box.

    Args:
        boxes: xyxy boxes in [0, 1] units, one for each anchor.
        anchors: the anchors.
        coder: kind and variances.

    Returns:
        Codes (centre x, centre y, width, height). The tanh coder cannot reach
        every box: codes of boxes out of reach are those of the nearest one.

    Source:
        Liu et al., SSD, ECCV 2016, section 2.2; variances: Caffe-SSD.

    Example:
        >>> from ssd.anchors import make_anchors
        >>> from ssd.config import GridAnchors
        >>> anchors = make_anchors(GridAnchors(grids=(1,)))
        >>> encode(torch.tensor([[0.0, 0.0, 1.0, 0.5]]), anchors, coder=CoderConfig())
        tensor([[ 0.0000, -2.5000,  0.0000, -3.4657]])
    """
    wanted, base = xyxy_to_cxcywh(boxes), anchors.cxcywh
    if coder.kind == "tanh":
        move = (wanted[..., :2] - base[:, :2]) / anchors.cells_wh * 2
        grow = (wanted[..., 2:] / base[:, 2:] - 1) * 2
        return torch.atanh(torch.cat([move, grow], dim=-1).clamp(-_TANH_LIMIT, _TANH_LIMIT))
    centre_variance, size_variance = coder.variances
    centre = (wanted[..., :2] - base[:, :2]) / base[:, 2:] / centre_variance
    size = torch.log(wanted[..., 2:].clamp(min=_SMALLEST_SIDE) / base[:, 2:]) / size_variance
    return torch.cat([centre, size], dim=-1)


def decode(
    codes: Float[Tensor, "*n a 4"], anchors: Anchors, *, coder: CoderConfig
) -> Float[Tensor, "*n a 4"]:
    """Boxes that codes describe: the inverse of :func:`encode`.

    Args:
        codes: one code for each anchor, also with a batch in front.
        anchors: the anchors.
        coder: kind and variances.

    Returns:
        xyxy boxes in [0, 1] units, not clipped to the picture. The offset coder
        limits the logarithm of a size ratio to ln(1000/16).

    Source:
        Liu et al., SSD, ECCV 2016, section 2.2; the limit: torchvision's BoxCoder.

    Example:
        >>> from ssd.anchors import make_anchors
        >>> from ssd.config import GridAnchors
        >>> anchors = make_anchors(GridAnchors(grids=(1,)))
        >>> decode(torch.zeros(1, 4), anchors, coder=CoderConfig())
        tensor([[0., 0., 1., 1.]])
    """
    base = anchors.cxcywh
    if coder.kind == "tanh":
        half = torch.tanh(codes) / 2
        centre = base[:, :2] + half[..., :2] * anchors.cells_wh
        return cxcywh_to_xyxy(torch.cat([centre, (half[..., 2:] + 1) * base[:, 2:]], dim=-1))
    centre_variance, size_variance = coder.variances
    centre = base[:, :2] + codes[..., :2] * centre_variance * base[:, 2:]
    size = base[:, 2:] * torch.exp((codes[..., 2:] * size_variance).clamp(max=MAX_LOG_RATIO))
    return cxcywh_to_xyxy(torch.cat([centre, size], dim=-1))
