"""The summary of a network: every layer with its output shape, as the lecture prints it."""

import json

import pytest

from ssd.anchors import make_anchors
from ssd.checkpoints import find_model, model_names, read_weights
from ssd.cli import main
from tests.small_models import FORBIDDEN


def shown(capsys, *words):
    assert main(["summary", *words]) == 0
    return capsys.readouterr().out


def test_every_layer_has_its_output_shape_and_its_parameters(capsys):
    found = json.loads(shown(capsys, "--preset", "ssd-small", "--classes", "3", "--json"))

    first = found["layers"][0]
    assert first["kind"] == "Conv2d-1" and first["name"] == "backbone.stem.0.0"
    assert first["output_shape"] == [-1, 24, 160, 160] and first["parameters"] == 24 * 3 * 9
    assert found["input_shape"] == [-1, 3, 320, 320]
    assert found["output_shapes"] == {"codes": [-1, 9500, 4], "logits": [-1, 9500, 4]}
    assert sum(layer["parameters"] for layer in found["layers"]) == found["parameters"]
    logits = next(layer for layer in found["layers"] if layer["name"] == "heads.1.logits")
    assert logits["output_shape"] == [-1, 6 * 4, 20, 20]
    assert logits["parameters"] == 96 * 24 * 9 + 24


@pytest.mark.slow
def test_the_lessons_network_goes_from_seven_cells_to_four(capsys):
    text = shown(capsys, "--preset", "ssd-4x4", "--classes", "5")

    lines = {line.split()[0]: line for line in text.splitlines()}
    assert "[-1, 64, 112, 112]" in lines["backbone.trunk.layers.conv1"] and "9,408" in lines[
        "backbone.trunk.layers.conv1"
    ]  # fmt: skip
    assert "[-1, 512, 7, 7]" in lines["backbone.dropout"]
    assert "[-1, 256, 4, 4]" in lines["backbone.steps.0.conv"]
    assert "[-1, 16, 5]" in lines["logits"]
    assert text.splitlines()[-1].startswith("parameters: ")


@pytest.mark.slow
@pytest.mark.skipif("cards" not in model_names(), reason="the model `cards` is not shipped here")
def test_a_trained_network_is_shown_with_its_own_classes_and_size(capsys):
    loaded = read_weights(find_model("cards"))

    found = json.loads(shown(capsys, "--model", "cards", "--json"))
    text = shown(capsys, "--model", "cards")

    width, height = loaded.config.contract.size_wh
    anchors, classes = len(make_anchors(loaded.config.anchors)), len(loaded.config.class_names)
    assert found["model"] == "cards" and "preset" not in found and found["classes"] == classes
    assert found["input_shape"] == [-1, 3, height, width]
    assert found["output_shapes"] == {"codes": [-1, anchors, 4], "logits": [-1, anchors, classes + 1]}
    assert found["parameters"] == sum(each.numel() for each in loaded.model.parameters())
    assert text.splitlines()[0] == f"cards: {', '.join(loaded.config.class_names)} ({classes} classes)"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--model", "cards", "--classes", "3"), 2, "a trained network has its own"),
        (("--model", "cardz"), 4, "There is no model and no file 'cardz'"),
        (("--model", "cards", "--preset", "ssd-small"), 2, "not allowed with"),
        ((), 2, "--preset --model is required"),
    ],
)
def test_one_network_is_asked_for_in_one_way(capsys, words, code, said):
    assert main(["summary", *words]) == code

    err = capsys.readouterr().err
    assert said in err
    assert not FORBIDDEN.search(err)


def test_an_unknown_network_is_a_mistake_in_the_words(capsys):
    assert main(["summary", "--preset", "ssd-5x5"]) == 2

    said = capsys.readouterr().err
    assert "'ssd-5x5' is not one of" in said and "(did you mean ssd-4x4?)" in said
    assert not FORBIDDEN.search(said)


@pytest.mark.parametrize("count", ["0", "2001", "many"])
def test_a_count_of_classes_must_be_one(capsys, count):
    assert main(["summary", "--preset", "ssd-small", "--classes", count]) == 2
    assert not FORBIDDEN.search(capsys.readouterr().err)
