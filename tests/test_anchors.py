"""Anchors: counts, golden sums, order, and what each anchor knows of itself."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from hypothesis import given
from torch.testing import assert_close
from torchvision.models.detection.anchor_utils import DefaultBoxGenerator

from ssd.anchors import make_anchors, resized_anchors
from ssd.boxes import cxcywh_to_xyxy
from ssd.config import (
    ANCHOR_PRESETS,
    GridAnchors,
    SizeAnchors,
    anchor_preset,
    scaled_anchors,
    unclipped,
)
from ssd.errors import ConfigError
from tests.strategies import anchor_configs, size_anchors

COUNTS = {
    "ssd300-voc": (5776, 2166, 600, 150, 36, 4),
    "ssd300-coco": (5776, 2166, 600, 150, 36, 4),
    "paper": (5776, 2166, 600, 150, 36, 4),
    "ssd512-voc": (16384, 6144, 1536, 384, 96, 16, 4),
    "ssdlite320-coco": (2400, 600, 150, 54, 24, 6),
    "lesson-4x4": (16,),
    "lesson-multi": (144, 36, 9),
    "lesson-multi-75": (144, 36, 9),
    "lesson-144": (144,),
    "wide320": (6400, 2400, 600, 150, 36, 16),
    "resnet300": (5776, 2166, 600, 150, 36, 16),
}
# Computed apart from this package, in numpy, from the formulas of each preset's source.
SUMS = {  # Σx1 = Σy1, Σx2 = Σy2
    "ssd300-voc": (3688.7320, 5199.1613),
    "ssd300-coco": (3857.9628, 5029.9305),
    "ssdlite320-coco": (1159.2991, 2074.7009),
    "ssd512-voc": (10708.9292, 13855.0708),
    "paper": (3607.5933, 5124.4067),
    "lesson-multi": (68.25, 120.75),
}
UNCLIPPED_SUMS = {"ssd300-coco": (3857.8476, 5030.0457)}
CROSSING = {
    "ssd300-voc": (1356, 914, 427, 136, 34, 2),
    "ssd300-coco": (947, 699, 413, 130, 32, 2),  # unclipped
}


def sums(boxes: torch.Tensor) -> list[float]:
    """Σx1, Σy1, Σx2, Σy2 in float64."""
    return boxes.double().sum(dim=0).tolist()


def crossing(boxes: torch.Tensor) -> torch.Tensor:
    """True where a part lies outside the picture."""
    return ((boxes < 0) | (boxes > 1)).any(dim=1)


@pytest.mark.parametrize("name", COUNTS)
def test_a_preset_has_the_published_number_of_anchors(name):
    anchors = make_anchors(anchor_preset(name).anchors)

    assert anchors.per_level == COUNTS[name]
    assert len(anchors) == sum(COUNTS[name])
    assert torch.bincount(anchors.level).tolist() == list(COUNTS[name])


@pytest.mark.parametrize("name", SUMS)
def test_a_preset_has_the_golden_sums(name):
    low, high = SUMS[name]

    assert sums(make_anchors(anchor_preset(name).anchors).boxes) == pytest.approx(
        [low, low, high, high], abs=1e-3
    )


def test_without_clipping_the_coco_preset_has_its_other_golden_sums():
    low, high = UNCLIPPED_SUMS["ssd300-coco"]
    config = unclipped(anchor_preset("ssd300-coco").anchors)

    assert sums(make_anchors(config).boxes) == pytest.approx([low, low, high, high], abs=1e-3)


@pytest.mark.parametrize("name", CROSSING)
def test_as_many_anchors_cross_the_border_as_counted_elsewhere(name):
    anchors = make_anchors(unclipped(anchor_preset(name).anchors))

    outside = torch.bincount(anchors.level[crossing(anchors.boxes)], minlength=6)

    assert outside.tolist() == list(CROSSING[name])


@pytest.mark.parametrize(("name", "count"), [("ssd300-coco", 2221), ("ssdlite320-coco", 1500)])
def test_as_many_clipped_anchors_cross_the_border_as_counted_elsewhere(name, count):
    assert int(crossing(make_anchors(anchor_preset(name).anchors).boxes).sum()) == count


def test_clipping_sizes_changes_exactly_two_anchors_of_the_coco_preset():
    config = anchor_preset("ssd300-coco").anchors

    changed = (make_anchors(config).boxes != make_anchors(unclipped(config)).boxes).any(dim=1)

    assert int(changed.sum()) == 2
    assert bool(changed[8728:].sum() == 2)


def test_the_first_cell_of_ssd300_has_its_four_anchors_in_caffe_s_order():
    first = make_anchors(anchor_preset("ssd300-voc").anchors).cxcywh[:4]

    sizes = [(0.1, 0.1), (0.141421, 0.141421), (0.141421, 0.070711), (0.070711, 0.141421)]
    assert_close(first, torch.tensor([[0.013333, 0.013333, w, h] for w, h in sizes]), rtol=0, atol=1e-6)


def test_the_last_cell_of_ssd300_reaches_over_the_picture():
    last = make_anchors(anchor_preset("ssd300-voc").anchors).cxcywh[-4:]

    sizes = [(0.88, 0.88), (0.961249, 0.961249), (1.244508, 0.622254), (0.622254, 1.244508)]
    assert_close(last, torch.tensor([[0.5, 0.5, w, h] for w, h in sizes]), rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("level", "by_step", "by_grid"), [(0, 300.0, 296.05), (2, 304.0, 285.0), (3, 288.0, 270.0)]
)
def test_step_centres_and_grid_centres_differ(level, by_step, by_grid):
    stepped = make_anchors(anchor_preset("ssd300-voc").anchors)
    even = make_anchors(anchor_preset("paper").anchors)

    assert float(stepped.cxcywh[stepped.level == level][-1, 0]) * 300 == pytest.approx(by_step, abs=0.01)
    assert float(even.cxcywh[even.level == level][-1, 0]) * 300 == pytest.approx(by_grid, abs=0.01)


TORCHVISION = {
    "ssd300-coco": DefaultBoxGenerator(
        [[2], [2, 3], [2, 3], [2, 3], [2], [2]],
        scales=[0.07, 0.15, 0.33, 0.51, 0.69, 0.87, 1.05],
        steps=[8, 16, 32, 64, 100, 300],
    ),
    "ssdlite320-coco": DefaultBoxGenerator([[2, 3]] * 6, min_ratio=0.2, max_ratio=0.95),
}


@pytest.mark.parametrize("name", TORCHVISION)
def test_anchors_agree_with_torchvision_s_generator(name):
    config = anchor_preset(name).anchors
    grids = [[rows, columns] for columns, rows in config.grids_wh]

    theirs = TORCHVISION[name]._grid_default_boxes(grids, [config.picture_wh[1], config.picture_wh[0]])

    assert_close(make_anchors(config).boxes, cxcywh_to_xyxy(theirs), rtol=0, atol=1e-6)


def test_centres_agree_with_torchvision_on_a_picture_that_is_not_square():
    config = SizeAnchors(
        ((5, 3), (2, 4)), (40.0, 90.0), (60.0, 120.0), ((2.0,), ()), (320, 200), (64.0, 100.0)
    )
    generator = DefaultBoxGenerator([[2], []], scales=[0.1, 0.2, 0.3], steps=[64, 100], clip=False)

    theirs = generator._grid_default_boxes([[3, 5], [4, 2]], [200, 320])

    assert_close(make_anchors(config).cxcywh[:, :2], theirs[:, :2], rtol=0, atol=1e-6)


def test_a_square_in_pixels_is_no_square_in_shares_of_a_wide_picture():
    config = SizeAnchors(((1, 1),), (50.0,), (100.0,), ((4.0,),), (400, 200))

    sizes = make_anchors(config).cxcywh[:, 2:] * torch.tensor([400.0, 200.0])

    assert_close(sizes, torch.tensor([[50.0, 50.0], [100.0, 100.0], [100.0, 25.0], [25.0, 100.0]]))


def test_the_lesson_s_cells_run_column_by_column():
    anchors = make_anchors(anchor_preset("lesson-4x4").anchors)

    assert_close(anchors.boxes[1], torch.tensor([0.0, 0.25, 0.25, 0.5]))
    assert (int(anchors.column[11]), int(anchors.row[11])) == (2, 3)
    assert_close(anchors.boxes[11], torch.tensor([0.5, 0.75, 0.75, 1.0]))


def test_the_lesson_s_nine_shapes_are_zooms_times_ratios_of_the_cell():
    anchors = make_anchors(anchor_preset("lesson-multi").anchors)

    shares = [
        (0.7, 0.7),
        (0.7, 0.35),
        (0.35, 0.7),
        (1, 1),
        (1, 0.5),
        (0.5, 1),
        (1.3, 1.3),
        (1.3, 0.65),
        (0.65, 1.3),
    ]
    assert_close(anchors.cxcywh[-9:, 2:], torch.tensor(shares))
    assert_close(anchors.cxcywh[:9, 2:], torch.tensor(shares) / 4)


def test_the_other_document_s_first_zoom_is_three_quarters():
    anchors = make_anchors(anchor_preset("lesson-multi-75").anchors)

    assert_close(anchors.cxcywh[-9, 2:], torch.tensor([0.75, 0.75]))


def test_the_paper_s_scales_and_extra_scales():
    anchors = make_anchors(anchor_preset("paper").anchors)
    sides = torch.stack([anchors.cxcywh[anchors.level == k][:2, 2] for k in range(6)])

    scales = [0.1, 0.2, 0.375, 0.55, 0.725, 0.9, 1.0]
    assert_close(sides[:, 0], torch.tensor(scales[:-1]))
    assert_close(sides[:, 1], torch.tensor([math.sqrt(a * b) for a, b in itertools.pairwise(scales)]))


@given(config=anchor_configs())
def test_every_anchor_knows_its_level_cell_and_shape(config):
    anchors = make_anchors(config)

    for index in range(0, len(anchors), max(1, len(anchors) // 15)):
        level = anchors.levels[int(anchors.level[index])]
        column, row = int(anchors.column[index]), int(anchors.row[index])
        width, height = level.shapes_wh[int(anchors.shape[index])]
        centre = [(column + 0.5) * level.step_wh[0], (row + 0.5) * level.step_wh[1]]
        expected = cxcywh_to_xyxy(torch.tensor([*centre, width, height], dtype=torch.float64)).float()
        assert_close(anchors.boxes[index], expected, rtol=1e-6, atol=1e-6)
        assert_close(anchors.cells_wh[index], torch.tensor(level.step_wh))


@given(config=anchor_configs())
def test_every_cell_has_every_shape_once(config):
    anchors = make_anchors(config)

    keys = torch.stack([anchors.level, anchors.row, anchors.column, anchors.shape], dim=1)

    assert len(keys.unique(dim=0)) == len(anchors) == sum(anchors.per_level)
    assert bool((anchors.level[1:] >= anchors.level[:-1]).all())


@given(config=size_anchors())
def test_clipped_sizes_never_exceed_the_picture(config):
    anchors = make_anchors(config)

    assert config.clip == "none" or bool((anchors.cxcywh[:, 2:] <= 1 + 1e-5).all())


def test_scales_and_pixels_say_the_same_thing():
    by_scale = scaled_anchors(grids_wh=((2, 2),), scales=(0.25, 1.0), ratios=((2.0,),), picture_wh=(100, 100))

    assert_close(make_anchors(by_scale).cxcywh[0], torch.tensor([0.25, 0.25, 0.25, 0.25]))
    assert_close(make_anchors(by_scale).cxcywh[1, 2:], torch.tensor([0.5, 0.5]))


def test_too_many_anchors_are_refused_before_they_are_made():
    with pytest.raises(ConfigError, match="At most 100,000 anchors"):
        make_anchors(GridAnchors(grids=(400,)))


@pytest.mark.parametrize("name", ANCHOR_PRESETS)
def test_every_preset_makes_finite_ordered_float32_boxes(name):
    boxes = make_anchors(anchor_preset(name).anchors).boxes

    assert boxes.dtype == torch.float32
    assert bool(torch.isfinite(boxes).all())
    assert bool((boxes[:, 2:] > boxes[:, :2]).all())


def test_anchors_move_to_a_device_whole():
    anchors = make_anchors(anchor_preset("lesson-multi").anchors)

    moved = anchors.to("meta")

    assert {moved.boxes.device.type, moved.cells_wh.device.type, moved.shape.device.type} == {"meta"}
    assert moved.per_level == anchors.per_level


def test_resized_to_its_own_grids_a_configuration_is_itself():
    config = anchor_preset("ssd300-coco").anchors  # its steps are in pixels, its sizes limited
    grids = tuple(level.grid_wh for level in config.levels())

    assert torch.equal(
        resized_anchors(config, grids_wh=grids, scale_wh=(1.0, 1.0)).boxes, make_anchors(config).boxes
    )


def test_on_other_grids_cells_divide_the_picture_and_sizes_follow_the_factors():
    config = SizeAnchors(((2, 2),), (10.0,), (20.0,), ((2.0,),), (100, 50))

    found = resized_anchors(config, grids_wh=((4, 3),), scale_wh=(0.5, 0.25))

    assert found.per_level == (4 * 3 * 4,)
    wanted = [0.125, 1 / 6, 0.1 * 0.5, 0.2 * 0.25]  # a square of 10 px on 100 × 50, made smaller
    torch.testing.assert_close(found.cxcywh[0], torch.tensor(wanted))
    torch.testing.assert_close(found.cxcywh[4, :2], torch.tensor([0.375, 1 / 6]))  # row by row
    torch.testing.assert_close(found.cells_wh[0], torch.tensor([0.25, 1 / 3]))


def test_the_lessons_cells_stay_column_by_column_on_other_grids():
    found = resized_anchors(GridAnchors(grids=(2,)), grids_wh=((2, 3),), scale_wh=(1.0, 1.0))

    assert found.row.tolist() == [0, 1, 2, 0, 1, 2] and found.column.tolist() == [0, 0, 0, 1, 1, 1]


def test_a_limit_on_sizes_holds_on_a_smaller_picture_too():
    config = anchor_preset("ssd300-coco").anchors
    grids = tuple(level.grid_wh for level in config.levels())

    found = resized_anchors(config, grids_wh=grids, scale_wh=(2.0, 1.0))

    assert float(found.cxcywh[:, 2].max()) <= 1.0 + 1e-6


def test_resizing_needs_a_grid_for_each_level():
    with pytest.raises(ConfigError, match="1 levels of anchors need as many grids, got 2"):
        resized_anchors(GridAnchors(grids=(2,)), grids_wh=((2, 2), (1, 1)), scale_wh=(1.0, 1.0))
