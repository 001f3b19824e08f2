"""Who learns, how fast, and what does not decay."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from ssd.models.network import layer_groups
from ssd.training.loop import bare, prepare, train
from ssd.training.optimisers import make_optimiser, set_rates, training_mode
from tests.training.tiny import CLASSES, TINY, Squares

pytestmark = pytest.mark.usefixtures("tiny")
LESSON = replace(TINY, group_rates=(1 / 100, 1 / 10, 1.0), schedule="constant", warm_up=0.0, clip_norm=0.0)


def owners(network: nn.Module) -> dict[int, str]:
    """Parameter → its layer group."""
    return {id(p): group.name for group in layer_groups(network) for p in group.parameters()}


def test_biases_and_norms_do_not_decay() -> None:
    run = prepare(TINY, class_names=CLASSES)
    norms = {
        id(p) for m in bare(run.model).modules() if isinstance(m, nn.BatchNorm2d) for p in m.parameters()
    }

    groups = run.optimiser.param_groups

    seen = [id(p) for group in groups for p in group["params"]]
    assert sorted(seen) == sorted(id(p) for p in bare(run.model).parameters())  # each exactly once
    for group in groups:
        calm = [id(p) in norms or p.ndim == 1 for p in group["params"]]
        assert calm == [group["weight_decay"] == 0] * len(calm)


def test_a_norm_with_a_scale_of_four_dimensions_does_not_decay_either() -> None:
    class NormScale(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.ones(1, 8, 1, 1))

    run = prepare(TINY, class_names=CLASSES)
    network = bare(run.model)
    network.heads.append(NormScale())

    groups = make_optimiser(network, TINY).param_groups

    (owner,) = (g for g in groups if any(p is network.heads[-1].scale for p in g["params"]))
    assert owner["weight_decay"] == 0


def test_layer_groups_learn_at_the_lesson_s_rates() -> None:
    run = prepare(LESSON, class_names=CLASSES)
    names = owners(bare(run.model))

    set_rates(run.optimiser, LESSON, step=0)

    rates = {names[id(p)]: g["lr"] for g in run.optimiser.param_groups for p in g["params"]}
    assert rates == {"early": 2e-5, "late": pytest.approx(2e-4), "head": 2e-3}


@pytest.mark.parametrize("kind", ["sgd", "adam", "adamw"])
def test_every_optimiser_takes_rate_and_momentum_of_the_step(kind: str) -> None:
    config = replace(TINY, optimiser=kind, schedule="one-cycle", steps=100)
    optimiser = make_optimiser(bare(prepare(config, class_names=CLASSES).model), config)

    rate = set_rates(optimiser, config, step=14)

    for group in optimiser.param_groups:
        momentum = group["momentum"] if kind == "sgd" else group["betas"][0]
        assert group["lr"] == rate == pytest.approx(2e-3, rel=1e-2)
        assert momentum == pytest.approx(0.85, abs=1e-3)


@pytest.mark.parametrize("groups", [0, 1, 2])
def test_frozen_groups_do_not_move_at_all_and_the_others_do(groups: int) -> None:
    config = replace(TINY, freeze=groups, steps=2, ema=0.0)
    run = prepare(config, class_names=CLASSES)
    before = {name: value.clone() for name, value in bare(run.model).state_dict().items()}
    frozen = {
        f"{prefix}.{name}" if name else prefix
        for group in layer_groups(bare(run.model))[:groups]
        for module in group.modules
        for prefix, known in bare(run.model).named_modules()
        if known is module
        for name in module.state_dict()
    }

    list(train(run, Squares()))

    after = bare(run.model).state_dict()
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert not moved & frozen  # weights, and the running means of batch norm
    assert (len(frozen) > 0) == (groups > 0)
    assert {name for name in after if "logits" in name} <= moved


def test_batch_norms_of_frozen_groups_rest_and_the_others_do_not() -> None:
    config = replace(TINY, freeze=1)
    run = prepare(config, class_names=CLASSES)

    training_mode(run.model, config)

    early, late, head = layer_groups(bare(run.model))
    assert not any(m.training for module in early.modules for m in module.modules())
    assert all(m.training for group in (late, head) for module in group.modules for m in module.modules())
