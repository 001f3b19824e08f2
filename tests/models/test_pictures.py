"""The networks before SSD: one answer for the whole picture."""

from dataclasses import replace

import pytest
import torch

from ssd.contract import InputContract
from ssd.model_presets import model_preset
from ssd.models.network import build_model

CLASSES = ("cat", "dog", "hen")


def network(name, **changes):
    torch.manual_seed(0)
    return build_model(replace(model_preset(name, CLASSES), backbone="small", **changes)).eval()


def test_the_largest_object_goes_from_the_map_through_256_numbers_to_a_box_and_a_class():
    model = network("largest-object")

    flat, last = model.shared[1], (model.box, model.logits)

    assert (flat.in_features, flat.out_features) == (model.backbone.channels[-1] * 7 * 7, 256)
    assert [(layer.in_features, layer.out_features) for layer in last] == [(256, 4), (256, 3)]
    dropouts = [layer.p for layer in model.modules() if isinstance(layer, torch.nn.Dropout)]
    assert dropouts == [0.5, 0.5]


def test_a_sigmoid_keeps_the_joint_box_in_the_picture_and_the_lone_box_is_free():
    joint, lone = network("largest-object"), network("largest-box")
    for model in (joint, lone):
        torch.nn.init.normal_(model.box.weight, std=50.0)
    pictures = torch.randn(2, 3, 224, 224, generator=torch.Generator().manual_seed(1))

    with torch.no_grad():
        inside, free = joint(pictures).box, lone(pictures).box

    assert bool(((inside >= 0) & (inside <= 1)).all())
    assert float(free.abs().max()) > 1


def test_the_box_knows_where_and_the_class_does_not():
    boxes, classes = network("largest-box"), network("largest-class")
    feature = torch.randn(1, classes.backbone.channels[-1], 7, 7, generator=torch.Generator().manual_seed(2))

    with torch.no_grad():
        moved = boxes.box(boxes.shared(feature)) - boxes.box(boxes.shared(feature.flip(-1)))
        same = classes.logits(classes.shared(feature)) - classes.logits(classes.shared(feature.flip(-1)))

    assert float(moved.abs().max()) > 1e-3
    torch.testing.assert_close(same, torch.zeros_like(same), atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", ["multilabel", "largest-class", "largest-box", "largest-object"])
def test_another_size_of_picture_gives_an_answer_too(name):
    model = network(name, contract=InputContract(size_wh=(96, 160)))

    with torch.no_grad():
        answer = model(torch.zeros(1, 3, 128, 224))

    assert model.backbone.grid_wh == (3, 5)
    assert answer.box is None or answer.box.shape == (1, 4)
    assert answer.logits is None or answer.logits.shape == (1, 3)
