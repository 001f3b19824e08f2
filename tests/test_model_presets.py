"""The named networks: the numbers of their sources, and any classes."""

import json

import pytest

from ssd.anchors import make_anchors
from ssd.config import anchor_preset
from ssd.contract import config_from_dict, config_to_dict
from ssd.errors import ConfigError
from ssd.model_presets import MODEL_PRESETS, model_preset
from tests.small_models import FORBIDDEN

ANCHORS = {
    "ssd-4x4": 16,
    "yolo-4x4": 16,
    "ssd-multi": 189,
    "ssd-multi-focal": 189,
    "ssd-multi-144": 144,
    "ssd300-vgg16": 8732,
    "ssd-small": 9500,
    "ssd-small-wide": 40 * 40 * 4 + (20 * 20 + 10 * 10 + 5 * 5) * 6 + (3 * 3 + 2 * 2) * 4,
    "ssd300-resnet34": 38 * 38 * 4 + (19 * 19 + 10 * 10 + 5 * 5) * 6 + (3 * 3 + 2 * 2) * 4,
    "torchvision-ssd300-vgg16": 8732,
    "torchvision-ssdlite320": 3234,
}
PICTURE = ("multilabel", "largest-class", "largest-box", "largest-object")


def test_every_stage_has_a_name():
    assert set(MODEL_PRESETS) == {*ANCHORS, *PICTURE}
    assert all(
        preset.name == name and preset.summary and preset.source for name, preset in MODEL_PRESETS.items()
    )


@pytest.mark.parametrize(("name", "count"), ANCHORS.items(), ids=ANCHORS)
def test_a_detector_has_the_anchors_of_its_source(name, count):
    assert len(make_anchors(model_preset(name, ("cat",)).anchors)) == count


@pytest.mark.parametrize("name", MODEL_PRESETS)
def test_the_classes_are_the_callers_and_all_of_it_survives_json(name):
    config = model_preset(name, ("cat", "dog"))

    assert config.class_names == ("cat", "dog")
    assert config_from_dict(json.loads(json.dumps(config_to_dict(config)))) == config


def test_the_lessons_networks_have_the_lessons_numbers():
    first, several = model_preset("ssd-4x4", ("cat",)), model_preset("ssd-multi", ("cat",))

    assert (first.class_bias, several.class_bias) == (-3.0, -4.0)
    assert (first.dropout, first.dropout_convs, several.dropout, several.dropout_convs) == (
        0.25,
        0.1,
        0.4,
        None,
    )
    for config in (first, several, model_preset("yolo-4x4", ("cat",))):
        assert config.contract.size_wh == (224, 224)
        assert config.coder.kind == "tanh"
        assert (config.activation, config.num_logits) == ("sigmoid", 1)
    assert model_preset("ssd-multi-focal", ("cat",)) == several
    assert model_preset("multilabel", ("cat",)).selection.score_threshold == 0.4


def test_a_network_for_the_whole_picture_has_no_background():
    assert [model_preset(name, ("cat", "dog")).num_logits for name in PICTURE] == [2, 2, 2, 2]
    assert model_preset("ssd300-vgg16", ("cat", "dog")).num_logits == 3


def test_the_papers_network_has_the_papers_anchors_and_thresholds():
    config = model_preset("ssd300-vgg16", ("cat",))

    assert config.anchors == anchor_preset("ssd300-voc").anchors
    assert config.coder.variances == (0.1, 0.2)
    chosen = config.selection
    assert (chosen.score_threshold, chosen.nms_threshold, chosen.top_k) == (0.01, 0.45, 400)


def test_an_unknown_network_is_met_with_the_nearest():
    with pytest.raises(ConfigError, match=r"did you mean ssd300-vgg16\?") as caught:
        model_preset("ssd300-vg16", ("cat",))
    assert not FORBIDDEN.search(str(caught.value))


@pytest.mark.parametrize("names", [(), ("background",), ("cat", "cat")])
def test_classes_that_cannot_be_told_apart_are_refused(names):
    with pytest.raises(ConfigError, match="Class names must differ"):
        model_preset("ssd-small", names)
