"""The numbers of a loss: the papers' by default, and a sentence for each that is out of range."""

from __future__ import annotations

import math

import pytest

from ssd.errors import ConfigError
from ssd.losses import LossConfig, PictureLossConfig


def test_the_defaults_are_the_paper_s_loss_with_a_minimum_of_negatives():
    config = LossConfig()

    assert (config.confidence, config.localisation, config.negative_ratio) == ("softmax", "smooth-l1", 3.0)
    assert (config.divide_by, config.localisation_weight, config.max_negative_overlap) == (
        "positives",
        1,
        None,
    )
    assert (config.alpha, config.gamma) == (0.25, 2.0)
    assert config.min_negatives > 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("confidence", "hinge"),
        ("localisation", "iou"),
        ("divide_by", "anchors"),
        ("alpha", 1.1),
        ("alpha", math.nan),
        ("max_negative_overlap", -0.1),
        ("negative_ratio", -1.0),
        ("min_negatives", -1),
        ("gamma", -0.1),
        ("gamma", math.inf),
        ("localisation_weight", math.nan),
    ],
)
@pytest.mark.usefixtures("unchecked")
def test_a_number_out_of_range_is_named_with_its_value(name, value):
    with pytest.raises(ConfigError, match=str(value).replace(".", r"\.")):
        LossConfig(**{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [("confidence", "focal"), ("score_threshold", 2.0), ("class_weight", -1.0), ("size_px", math.inf)],
)
@pytest.mark.usefixtures("unchecked")
def test_a_number_of_a_picture_s_loss_out_of_range_is_named_with_its_value(name, value):
    with pytest.raises(ConfigError, match=str(value).replace(".", r"\.")):
        PictureLossConfig(**{name: value})
