"""The summary of a network: every layer with its output shape, as the lecture prints it."""

import json

import pytest

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


def test_an_unknown_network_is_a_mistake_in_the_words(capsys):
    assert main(["summary", "--preset", "ssd-5x5"]) == 2

    said = capsys.readouterr().err
    assert "'ssd-5x5' is not one of" in said and "(did you mean ssd-4x4?)" in said
    assert not FORBIDDEN.search(said)


@pytest.mark.parametrize("count", ["0", "2001", "many"])
def test_a_count_of_classes_must_be_one(capsys, count):
    assert main(["summary", "--preset", "ssd-small", "--classes", count]) == 2
    assert not FORBIDDEN.search(capsys.readouterr().err)
