"""Another class count keeps backbone and box weights, and says what is new."""

from dataclasses import replace

import pytest
import torch

from ssd.checkpoints import load_kept
from ssd.errors import CheckpointError
from ssd.model_presets import model_preset
from ssd.models.network import build_model
from tests.small_models import FORBIDDEN, small_model


def weights(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


def test_another_class_count_keeps_everything_but_the_logits():
    cats, pets = small_model("cat", "dog", seed=1), small_model("cat", "dog", "hen", seed=2)
    before, source = weights(pets), weights(cats)

    found = load_kept(pets, source)

    after = weights(pets)
    assert set(found.new) == {f"heads.{k}.logits.{kind}" for k in (0, 1) for kind in ("weight", "bias")}
    assert set(found.kept) | set(found.new) == set(after)
    assert "heads.1.codes.weight" in found.kept
    for name in found.kept:
        assert torch.equal(after[name], source[name]), name
    for name in found.new:
        assert torch.equal(after[name], before[name]), name


def test_other_classes_of_the_same_number_make_the_logits_new_where_they_are_known():
    source = weights(small_model("cat", "dog", seed=1))

    unknown = load_kept(small_model("bus", "car"), source)
    known = load_kept(small_model("bus", "car"), source, class_names=("cat", "dog"))
    same = load_kept(small_model("cat", "dog"), source, class_names=("cat", "dog"))

    assert unknown.new == same.new == ()
    assert {name.split(".")[2] for name in known.new} == {"logits"}


def test_it_is_said_in_words_by_module():
    found = load_kept(small_model("cat", "dog", "hen"), small_model("cat", "dog").state_dict())

    kept, new = found.sentence.split("; ")
    assert "backbone, top_down, heads.0.codes, heads.1.codes" in kept
    assert new == "new: heads.0.logits, heads.1.logits."


def test_a_later_stage_of_the_lesson_keeps_the_backbone_of_an_earlier_one():
    names = ("cat", "dog")
    stages = (replace(model_preset(name, names), backbone="small") for name in ("largest-object", "ssd-4x4"))
    first, second = (build_model(config) for config in stages)

    found = load_kept(second, first.state_dict(), class_names=names)

    kernels = [model.backbone.trunk.levels[2][0].second[0].weight for model in (first, second)]
    assert torch.equal(*kernels)
    assert all(name.startswith("backbone.trunk.") for name in found.kept)
    assert {name.split(".")[0] for name in found.left} == {"shared", "box", "logits"}


def test_half_precision_is_widened():
    model = small_model("cat")

    load_kept(model, {name: value.half() for name, value in small_model("cat", seed=1).state_dict().items()
                      if value.is_floating_point()})  # fmt: skip

    assert {value.dtype for value in model.parameters()} == {torch.float32}


@pytest.mark.parametrize("fault", ["nothing fits", "not finite", "whole numbers"])
def test_weights_that_cannot_be_a_start_leave_the_network_as_it_was(fault):
    model = small_model("cat")
    before, source = weights(model), weights(small_model("cat", seed=1))
    if fault == "nothing fits":
        source = {"conv1.weight": torch.zeros(64, 3, 7, 7)}
    elif fault == "not finite":
        source["heads.0.codes.bias"][0] = torch.nan
    else:
        source["heads.0.codes.bias"] = torch.zeros(16, dtype=torch.int64)

    with pytest.raises(CheckpointError, match="choose weights of a similar network") as caught:
        load_kept(model, source)

    assert not FORBIDDEN.search(str(caught.value))
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
