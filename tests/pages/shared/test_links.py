"""Anchor knobs travel in a link."""

from __future__ import annotations

import pytest

from pages.shared.links import knobs_to_text, text_to_knobs
from ssd.config import ANCHOR_PRESETS, GridAnchors, SizeAnchors
from ssd.errors import ConfigError


@pytest.mark.parametrize("name", ANCHOR_PRESETS)
def test_every_preset_comes_back_as_the_same_anchors(name):
    config = ANCHOR_PRESETS[name].anchors
    again = text_to_knobs(knobs_to_text(config))

    for level, wanted in zip(again.levels(), config.levels(), strict=True):
        assert level.grid_wh == wanted.grid_wh
        assert level.step_wh == pytest.approx(wanted.step_wh, abs=1e-7)
        for shape, exact in zip(level.shapes_wh, wanted.shapes_wh, strict=True):
            assert shape == pytest.approx(exact, abs=1e-7)


def test_reading_and_writing_again_changes_nothing():
    config = SizeAnchors(((5, 3),), (0.00001,), (1e6,), ((),), (640, 480), steps_px=None)
    text = knobs_to_text(config)

    assert knobs_to_text(text_to_knobs(text)) == text
    assert text_to_knobs(text).grids_wh == ((5, 3),)


def test_the_text_is_short_enough_for_a_link():
    assert max(len(knobs_to_text(preset.anchors)) for preset in ANCHOR_PRESETS.values()) < 400


@pytest.mark.parametrize(
    "text",
    ["", "g", "x!1!2!3", "g!4!1!1", "g!0!1!1_1", "g!4!nan!1_1", "g!4!1!1_1!", "s!300_300", "g!4!1!1_1_1",
     "g!" + "9" * 5000 + "!1!1_1", "s!3_3!1_1!1!1!!!both", "g!1!" + "_".join("1" * 30) + "!1_1", "'; DROP"],
)  # fmt: skip
def test_a_text_that_was_cut_or_made_up_is_refused_in_a_sentence(text):
    with pytest.raises(ConfigError, match=r"knobs|above 0"):
        text_to_knobs(text)


def test_the_lesson_grids_come_back_exactly():
    config = GridAnchors(grids=(4, 2, 1), zooms=(0.7, 1.0, 1.3), ratios=((1.0, 0.5),))

    assert text_to_knobs(knobs_to_text(config)) == config
