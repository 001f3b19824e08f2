"""What a configuration may hold, and that one of an older version still says the same."""

from dataclasses import replace

import pytest

from ssd.contract import SmallConfig, config_from_dict, config_to_dict
from ssd.errors import ConfigError
from ssd.model_presets import model_preset
from tests.small_models import FORBIDDEN, small_config

NEW = ("backbone", "small", "dropout", "dropout_convs", "class_bias")  # fields of format 2


def test_a_configuration_of_format_1_means_what_it_meant():
    values = config_to_dict(small_config())

    old = config_from_dict({name: value for name, value in values.items() if name not in NEW})

    assert old == small_config()
    assert old.small == SmallConfig(24, (32, 64, 128, 160, 160, 160, 160), (1, 2, 2, 1, 1, 1, 1), 96)
    assert (old.backbone, old.dropout, old.class_bias) == ("small", 0.0, None)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("backbone", "resnet9000"),
        ("dropout", 1.0),
        ("dropout", -0.1),
        ("dropout", float("nan")),
        ("dropout_convs", 1.5),
        ("class_bias", float("inf")),
        ("class_bias", float("nan")),
        ("class_bias", -31.0),
    ],
)
def test_a_number_out_of_range_is_named(unchecked, field, value):
    with pytest.raises(ConfigError) as caught:
        replace(model_preset("ssd-4x4", ("cat",)), **{field: value})
    assert str(value) in str(caught.value) or repr(value) in str(caught.value)
    assert not FORBIDDEN.search(str(caught.value))


def test_a_bias_at_the_limit_is_taken():
    assert replace(small_config(), class_bias=-30.0).class_bias == -30.0


@pytest.mark.parametrize(
    "numbers",
    [
        {"stages": (32, 64)},
        {"stages": (32,), "blocks": (1,)},
        {"stages": (32,) * 9, "blocks": (1,) * 9},
        {"stem": 0},
        {"stem": 24.0},
        {"top_down": 1025},
        {"blocks": (1, 2, 2, 1, 1, 1, 17)},
        {"blocks": (1, 2, 2, 1, 1, 1, 0)},
        {"stages": (32, 64, 128, 10**9, 160, 160, 160)},
    ],
)
def test_a_small_backbone_that_no_machine_could_hold_is_refused(unchecked, numbers):
    with pytest.raises(ConfigError, match="A small backbone has"):
        SmallConfig(**numbers)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("backbone", 3),
        ("small", {"stem": 24, "depth": 2}),
        ("small", None),
        ("small", {"stages": "wide"}),
        ("dropout", "high"),
        ("dropout_convs", [0.1]),
        ("class_bias", "low"),
    ],
)
def test_a_strangers_new_fields_are_refused(unchecked, field, value):
    with pytest.raises(ConfigError) as caught:
        config_from_dict({**config_to_dict(small_config()), field: value})
    assert not FORBIDDEN.search(str(caught.value))


def test_a_hard_nms_is_written_as_it_always_was_and_a_soft_one_comes_back():
    hard = small_config()
    soft = replace(hard, selection=replace(hard.selection, nms_kind="soft", soft_sigma=0.25))

    assert set(config_to_dict(hard)["selection"]) == {
        "score_threshold",
        "nms_threshold",
        "top_k",
        "max_detections",
        "class_agnostic",
    }
    assert config_from_dict(config_to_dict(soft)) == soft


@pytest.mark.parametrize("limits", [{"nms_kind": "linear"}, {"nms_kind": ["soft"]}, {"soft_sigma": "wide"}])
def test_a_strangers_kind_of_nms_is_refused(unchecked, limits):
    values = config_to_dict(small_config())
    with pytest.raises(ConfigError) as caught:
        config_from_dict({**values, "selection": {**values["selection"], **limits}})
    assert not FORBIDDEN.search(str(caught.value))
