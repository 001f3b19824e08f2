"""Summarising a network computes nothing that stays."""

import torch

from ssd.models.summary import summarise
from tests.small_models import small_model


def test_a_summary_leaves_the_network_as_it_was():
    model = small_model()
    model.train()
    model.heads[0].eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}

    summary = summarise(model, (80, 64))

    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert model.training and not model.heads[0].training and model.heads[1].training
    assert not any(module._forward_hooks for module in model.modules())
    assert summary.output_shapes == {"codes": (-1, 400, 4), "logits": (-1, 400, 3)}


def test_a_wide_picture_has_wide_maps_and_frozen_layers_are_not_counted_as_trained():
    model = small_model()
    model.backbone.requires_grad_(False)

    summary = summarise(model, (160, 64))

    stem = next(layer for layer in summary.layers if layer.name == "backbone.stem.0.0")
    assert stem.output_shape == (-1, 24, 32, 80)
    assert not stem.trainable
    assert summary.parameters == sum(p.numel() for p in model.parameters())
    assert summary.trainable == summary.parameters - sum(p.numel() for p in model.backbone.parameters())
