"""Named runs: every network of the issue's table has one, and each takes two steps."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ssd.errors import ConfigError
from ssd.model_presets import MODEL_PRESETS
from ssd.training.loader import SyntheticSource
from ssd.training.loop import prepare, train
from ssd.training.presets import TRAINING_PRESETS, from_scratch, training_preset

NAMES = tuple("abcdef")  # the classes of the synthetic scenes, however called


@pytest.mark.slow
@pytest.mark.parametrize("name", TRAINING_PRESETS)
def test_every_preset_takes_two_steps(name: str) -> None:
    preset = training_preset(name)
    pictures = 1 if "vgg16" in preset.model else 2  # batch norm on one cell needs two pictures
    run = prepare(replace(preset, steps=2, batch_size=pictures), class_names=NAMES)

    reports = list(train(run, SyntheticSource()))

    assert [report.step for report in reports] == [1, 2]
    assert all(0 < report.loss < 1e5 for report in reports)  # the loop stops where it is not finite


def test_every_network_has_a_run_of_its_name() -> None:
    assert set(MODEL_PRESETS) <= set(TRAINING_PRESETS)
    assert all(training_preset(name).model == name for name in MODEL_PRESETS)


def test_the_lesson_s_stages_use_its_rates_and_its_cycle() -> None:
    stages = ["multilabel", "largest-class", "largest-box", "largest-object", "ssd-4x4", "yolo-4x4"]

    for preset in map(training_preset, [*stages, "ssd-multi", "ssd-multi-144", "ssd-multi-focal"]):
        assert preset.group_rates == (1 / 100, 1 / 10, 1.0)
        assert (preset.schedule, preset.optimiser, preset.size_px) == ("cyclic", "adam", 224)


def test_from_scratch_every_layer_learns_at_the_full_rate() -> None:
    config = from_scratch(replace(training_preset("ssd-multi"), freeze=2))

    assert config.group_rates == (1.0, 1.0, 1.0) and config.freeze == 0
    assert config.learning_rate == training_preset("ssd-multi").learning_rate


def test_an_unknown_preset_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"no training preset 'voc'.*ssd300-vgg16"):
        training_preset("voc")
