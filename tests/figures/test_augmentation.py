"""Augmented pictures: turned corners stand beside their box, and a dropped object says why."""

from __future__ import annotations

import torch

from ssd.data.augment import Augmentation, AugmentConfig
from ssd.data.records import Sample, make_target
from ssd.figures.augmentation import augmented_svg, fate_lines
from ssd.figures.colours import line

SIZE_WH = (96, 64)


def sample(*boxes):
    labels = torch.ones(len(boxes), dtype=torch.int64)
    picture = torch.zeros(3, 64, 96, dtype=torch.uint8)
    return Sample(picture, make_target(torch.tensor(boxes), labels), "one")


def told(config, *boxes, seed=0):
    return Augmentation(config, size_wh=SIZE_WH).explain(sample(*boxes), seed=seed)


def test_a_flipped_box_is_drawn_mirrored_and_has_no_turned_corners():
    svg = augmented_svg(told(AugmentConfig(flip=1.0), [0.0, 0.25, 0.25, 0.75]))

    assert "M72.0 16.0L96.0 16.0L96.0 48.0L72.0 48.0Z" in svg  # ¾ of 96 to its right edge
    assert line("forced").colour not in svg


def test_a_rotated_box_has_its_corners_beside_the_box_that_encloses_them():
    report = told(AugmentConfig(flip=0.0, rotate=1.0, rotate_deg=30.0), [0.4, 0.3, 0.6, 0.7])
    svg, fate = augmented_svg(report), report.fates[0]
    x, y = fate.corners[0]

    assert line("forced").colour in svg and line("object").colour in svg
    assert f"M{x * 96:.1f} {y * 64:.1f}L" in svg
    assert min(corner[0] for corner in fate.corners) >= fate.box[0] - 1e-5


def test_the_wrong_way_leaves_the_box_where_it_was():
    boxes = torch.tensor([[0.0, 0.25, 0.25, 0.75]])
    svg = augmented_svg(told(AugmentConfig(flip=1.0), [0.0, 0.25, 0.25, 0.75]), unmoved=boxes)

    assert "M0.0 16.0L24.0 16.0L24.0 48.0L0.0 48.0Z" in svg
    assert line("false_positive").colour in svg and "M72.0" not in svg


def test_a_dropped_object_says_why():
    config = AugmentConfig(flip=0.0, zoom_out=1.0, zoom_out_max=16.0, min_side_px=40.0)

    assert fate_lines(told(config, [0.4, 0.3, 0.6, 0.7]), names=["cat"])[1].startswith(
        "cat dropped: too small at training size"
    )
