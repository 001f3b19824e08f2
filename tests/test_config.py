"""Configurations: presets by name, limits on every number, errors that say how to mend."""

from __future__ import annotations

import dataclasses

import pytest

from ssd.config import (
    ANCHOR_PRESETS,
    BACKGROUND,
    IGNORED,
    SELECTION_PRESETS,
    UNMATCHED,
    CoderConfig,
    GridAnchors,
    SelectionConfig,
    SizeAnchors,
    anchor_preset,
    caffe_anchors,
    grids_for_size,
    scale_formula,
    scaled_anchors,
    unclipped,
)
from ssd.errors import ConfigError

GOOD = {
    "grids_wh": ((2, 3),),
    "sizes_px": (30.0,),
    "extra_sizes_px": (60.0,),
    "ratios": ((2.0,),),
    "picture_wh": (300, 200),
}


def test_the_three_constants_are_told_apart():
    assert (BACKGROUND, UNMATCHED, IGNORED) == (0, -1, -2)


@pytest.mark.parametrize("name", ANCHOR_PRESETS)
def test_a_preset_is_found_by_its_name_says_its_source_and_can_be_a_key(name):
    preset = anchor_preset(name)

    assert preset.name == name
    assert len(preset.source) > 10
    assert len({preset.anchors, anchor_preset(name).anchors}) == 1


@pytest.mark.parametrize(
    ("name", "suggestion"), [("sd300-voc", "ssd300-voc"), ("lesson", "lesson-4x4"), ("papers", "paper")]
)
def test_an_unknown_preset_suggests_the_nearest(name, suggestion):
    with pytest.raises(ConfigError, match=f"did you mean {suggestion}"):
        anchor_preset(name)


def test_an_unknown_preset_that_resembles_none_lists_all():
    with pytest.raises(ConfigError, match="presets: ssd300-voc, ") as caught:
        anchor_preset("../../etc/passwd")

    assert "did you mean" not in str(caught.value)


@pytest.mark.parametrize("name", ["sizes_px", "extra_sizes_px", "ratios"])
def test_every_level_needs_each_of_its_numbers(name):
    with pytest.raises(ConfigError, match="Each of the 1 levels needs"):
        SizeAnchors(**{**GOOD, name: GOOD[name] * 2})


@pytest.mark.parametrize("bad", [0.0, -1.0, float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["sizes_px", "extra_sizes_px", "steps_px"])
def test_a_size_or_step_that_is_not_positive_is_refused(name, bad):
    with pytest.raises(ConfigError, match="must be finite and above 0"):
        SizeAnchors(**{**GOOD, name: (bad,)})


@pytest.mark.parametrize("bad", [{"grids": ()}, {"grids": (4,), "zooms": ()}, {"grids": (4,), "ratios": ()}])
def test_a_grid_without_anchors_is_refused(bad):
    with pytest.raises(ConfigError, match="at least one grid"):
        GridAnchors(**bad)


@pytest.mark.parametrize(
    "bad", [{"grids": (0,)}, {"grids": (4,), "zooms": (0.0,)}, {"grids": (4,), "ratios": ((1, -1),)}]
)
def test_a_grid_zoom_or_ratio_that_is_not_positive_is_refused(bad):
    with pytest.raises(ConfigError, match="above 0"):
        GridAnchors(**bad)


def test_a_step_in_pixels_is_divided_by_width_and_by_height():
    level = SizeAnchors(**GOOD, steps_px=(60.0,)).levels()[0]

    assert level.step_wh == (0.2, 0.3)
    assert level.shapes_wh[0] == (0.1, 0.15)


def test_without_a_step_the_grid_divides_the_picture_evenly():
    assert SizeAnchors(**GOOD).levels()[0].step_wh == (1 / 2, 1 / 3)


@pytest.mark.parametrize(
    ("preset", "size_wh", "grids_wh"),
    [  # strides 8 to 256, and Caffe's own steps, of which the last two are no powers of two
        ("wide320", (224, 160), ((28, 20), (14, 10), (7, 5), (4, 3), (2, 2), (1, 1))),
        ("ssd300-voc", (600, 300), ((75, 38), (38, 19), (19, 10), (10, 5), (6, 3), (2, 1))),
    ],
)
def test_the_grids_of_another_size(preset, size_wh, grids_wh):
    assert grids_for_size(anchor_preset(preset).anchors, size_wh=size_wh) == grids_wh


def test_a_grid_that_no_stride_gives_keeps_the_size_of_its_cells():
    config = SizeAnchors(**{**GOOD, "grids_wh": ((7, 6),), "picture_wh": (70, 60)})

    assert grids_for_size(config, size_wh=(101, 60)) == ((11, 6),)  # cells of 10 px; 8 give 9, 16 give 5


def test_the_scale_formula_of_the_paper():
    assert scale_formula(s_min=0.2, s_max=0.9, levels=6) == pytest.approx((0.2, 0.34, 0.48, 0.62, 0.76, 0.9))
    assert scale_formula(s_min=0.2, s_max=0.9, levels=1) == (0.2,)


@pytest.mark.parametrize(("low", "high", "levels"), [(0.0, 0.9, 5), (0.9, 0.2, 5), (0.2, 0.9, 0)])
def test_scales_that_do_not_rise_are_refused(low, high, levels):
    with pytest.raises(ConfigError, match="0 < s_min <= s_max"):
        scale_formula(s_min=low, s_max=high, levels=levels)


def test_scales_are_shares_of_the_shorter_side():
    config = scaled_anchors(grids_wh=((1, 1),), scales=(0.5, 0.5), ratios=((),), picture_wh=(400, 200))

    assert config.sizes_px == (100.0,)


def test_scales_must_be_one_more_than_levels():
    with pytest.raises(ConfigError, match="1 levels need 2 scales, got 1"):
        scaled_anchors(grids_wh=((1, 1),), scales=(0.5,), ratios=((),), picture_wh=(400, 200))


def test_the_extra_size_is_the_geometric_mean_of_min_and_max():
    config = caffe_anchors(grids=(1,), min_px=(16.0,), max_px=(25.0,), ratios=((),), side_px=100)

    assert config.extra_sizes_px == (20.0,)


def test_unclipped_leaves_everything_else_and_other_anchors_alone():
    coco, lesson = anchor_preset("ssd300-coco").anchors, anchor_preset("lesson-4x4").anchors

    assert unclipped(coco) == dataclasses.replace(coco, clip="none")
    assert unclipped(lesson) is lesson


@pytest.mark.parametrize("name", ["score_threshold", "nms_threshold"])
@pytest.mark.parametrize("bad", [-0.1, 1.01, float("nan"), float("inf")])
def test_a_selection_threshold_outside_0_to_1_is_refused_by_name(name, bad):
    with pytest.raises(ConfigError, match=f"{name} must lie in 0–1"):
        SelectionConfig(**{name: bad})


@pytest.mark.parametrize("name", SELECTION_PRESETS)
def test_every_selection_preset_uses_hard_nms(name):
    assert (SELECTION_PRESETS[name].nms_kind, SELECTION_PRESETS[name].soft_sigma) == ("hard", 0.5)


def test_a_kind_of_nms_that_is_none_is_refused(unchecked):
    with pytest.raises(ConfigError, match="nms_kind must be one of hard, soft, got 'linear'"):
        SelectionConfig(nms_kind="linear")


@pytest.mark.parametrize("name", ["top_k", "max_detections"])
def test_a_selection_limit_of_0_is_refused(name):
    with pytest.raises(ConfigError, match="must be at least 1"):
        SelectionConfig(**{name: 0})


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("evaluation", (0.01, 0.45, 400, 200)),
        ("display", (0.5, 0.45, 400, 100)),
        ("ssdlite", (0.001, 0.55, 300, 300)),
    ],
)
def test_a_selection_preset_has_its_source_s_numbers(name, numbers):
    config = SELECTION_PRESETS[name]

    assert (config.score_threshold, config.nms_threshold, config.top_k, config.max_detections) == numbers


@pytest.mark.parametrize("variances", [(0.0, 0.2), (0.1, -0.2), (float("nan"), 0.2)])
def test_a_variance_that_cannot_divide_is_refused(variances):
    with pytest.raises(ConfigError, match="Variances must be finite and above 0"):
        CoderConfig(variances=variances)


@pytest.mark.parametrize(
    "config", [SelectionConfig(), CoderConfig(), SizeAnchors(**GOOD), GridAnchors(grids=(4,))]
)
def test_a_configuration_cannot_be_changed_and_can_be_a_key(config):
    field = dataclasses.fields(config)[0].name

    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(config, field, None)
    assert hash(config) == hash(dataclasses.replace(config))
