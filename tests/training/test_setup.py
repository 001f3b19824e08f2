"""A run's state: taken up again it is the run that never stopped, and every part of it is needed."""

from __future__ import annotations

import functools
import io
from dataclasses import replace
from typing import Any

import pytest
import torch

from ssd.config import CoderConfig
from ssd.errors import CheckpointError, ConfigError
from ssd.losses import LossConfig, PictureLossConfig
from ssd.training.loop import StepReport, Training, bare, make_fabric, prepare, train
from ssd.training.setup import _memory_format
from tests.training.tiny import CLASSES, TINY, Squares

pytestmark = pytest.mark.usefixtures("tiny")

LONG = replace(
    TINY,
    steps=8,
    batch_size=3,  # eight pictures: every resume below lies in the middle of an epoch
    schedule="multi-step",
    milestones=(0.8,),  # step 7: after each resume below
    warm_up=0.0,
    validate_every=2,
    precision="16-mixed",  # its loss scale is part of the state
    learning_rate=1e-2,
)
PARTS = ("step", "model", "averaged", "optimiser", "scaler", "best", "since_best")


def started(config=LONG, steps: int = 0) -> tuple[Training, list[StepReport]]:
    run = prepare(config, class_names=CLASSES)
    reports = train(run, Squares(), validation=Squares(4))
    return run, [next(reports) for _ in range(steps)]


@functools.cache
def whole() -> tuple[dict[str, Any], list[StepReport]]:
    """The run that never stopped: its last state and its reports."""
    run, reports = started(steps=LONG.steps)
    return run.state(), reports


def loaded(state: dict[str, Any]) -> dict[str, Any]:
    """Through a file, as a run folder keeps it."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return torch.load(io.BytesIO(buffer.getvalue()), weights_only=True)


def lasting(reports: list[StepReport]) -> list[StepReport]:
    """Reports without the time that they took."""
    calm = [replace(r, seconds=0.0) for r in reports]
    return [replace(r, validation=r.validation and replace(r.validation, seconds=0.0)) for r in calm]


def resumed(state: dict[str, Any]) -> tuple[Training, list[StepReport]]:
    """Another process would do this: prepare, restore, train on."""
    torch.manual_seed(987)
    run = prepare(LONG, class_names=CLASSES)
    run.restore(state)
    torch.rand(5)  # what others draw does not matter
    return run, list(train(run, Squares(), validation=Squares(4)))


def same(a: object, b: object) -> bool:
    """Equal to the last bit, all the way down."""
    if isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return a == b


@pytest.mark.parametrize(
    "step", [pytest.param(1, marks=pytest.mark.slow), 2, pytest.param(5, marks=pytest.mark.slow)]
)
def test_a_resumed_run_is_the_run_that_never_stopped_to_the_last_bit(step: int) -> None:
    expected, reports = whole()
    first, _ = started(steps=step)

    run, rest = resumed(loaded(first.state()))

    assert lasting(rest) == lasting(reports[step:])
    assert reports[5].learning_rate > reports[7].learning_rate  # the milestone lies after the resume
    assert same(run.state(), expected)


@functools.cache
def _at_five() -> bytes:
    """The state after five steps, as a file."""
    buffer = io.BytesIO()
    torch.save(started(steps=5)[0].state(), buffer)
    return buffer.getvalue()


def _left_out(part: str) -> dict[str, Any]:
    """The state after five steps with one part as a run has it that forgot that part."""
    state = torch.load(io.BytesIO(_at_five()), weights_only=True)
    if part == "since_best":  # happens to be 0 there, as in a new run
        return {**state, part: state[part] + 1}
    forgetful = started(steps=1)[0] if part == "optimiser" else started()[0]  # 1: moments of the right form
    return {**state, part: forgetful.state()[part]}


@pytest.mark.slow
@pytest.mark.parametrize("part", PARTS)
def test_a_resume_without_any_one_part_is_noticed(part: str) -> None:
    expected, reports = whole()

    run, rest = resumed(_left_out(part))

    assert lasting(rest) != lasting(reports[5:]) or not same(run.state(), expected)


def test_no_part_of_the_state_is_missing_above() -> None:
    assert set(whole()[0]) == set(PARTS)


def test_a_state_is_a_copy() -> None:
    run, _ = started(steps=1)
    state = run.state()
    before = loaded(state)

    next(train(run, Squares()))

    assert same(state, before)


@pytest.mark.parametrize("part", PARTS)
def test_a_state_without_a_part_is_refused_and_changes_nothing(part: str) -> None:
    run, _ = started(steps=1)
    before = run.state()
    state = {name: value for name, value in before.items() if name != part}

    with pytest.raises(CheckpointError, match=f"{part} is missing"):
        run.restore(state)

    assert same(run.state(), before)


@pytest.mark.parametrize(
    ("config", "classes", "message"),
    [
        (LONG, ("cat",), "model differs in heads"),
        (replace(LONG, precision="32-true"), CLASSES, "scaler differs"),
        (replace(LONG, freeze=2), CLASSES, "another optimiser or other frozen layers"),
    ],
    ids=["classes", "precision", "frozen layers"],
)
def test_a_state_of_another_run_is_refused_and_changes_nothing(config, classes, message) -> None:
    state = started(steps=1)[0].state()
    run = prepare(config, class_names=classes)
    before = run.state()

    with pytest.raises(CheckpointError, match=message):
        run.restore(state)

    assert same(run.state(), before)


def test_the_loss_decides_about_the_background_column() -> None:
    paper = prepare(TINY, class_names=CLASSES)
    lesson = prepare(replace(TINY, loss=LossConfig(confidence="focal")), class_names=CLASSES)

    assert (paper.model_config.num_logits, lesson.model_config.num_logits) == (4, 3)


def test_size_anchors_and_coder_of_the_run_replace_those_of_the_preset() -> None:
    config = replace(TINY, model="ssd-small", size_px=160, anchors="teach160", coder=CoderConfig("tanh"))

    run = prepare(config, class_names=CLASSES)

    assert run.model_config.contract.size_wh == (160, 160)
    assert run.model_config.coder.kind == "tanh"
    assert len(run.anchors_at(160)) == len(bare(run.model).anchors)


def test_anchors_of_another_side_keep_their_pixels_or_their_shares() -> None:
    sides = {}
    for keep in ("pixels", "shares"):
        run = prepare(replace(TINY, anchor_sizes=keep), class_names=CLASSES)
        sides[keep] = float(run.anchors_at(128).cxcywh[0, 2])

    assert sides["pixels"] == pytest.approx(sides["shares"] / 2)


def test_a_run_at_another_side_than_its_anchors_takes_them_along() -> None:
    for keep, first in (("pixels", 16 / 224), ("shares", 16 / 320)):
        config = replace(TINY, model="ssd-small", size_px=224, anchors="small320", anchor_sizes=keep)

        run = prepare(config, class_names=CLASSES)

        assert [level.grid_wh for level in run.model_config.anchors.levels()] == [
            (n, n) for n in (28, 14, 7, 4)
        ]
        assert float(bare(run.model).anchors.cxcywh[0, 2]) == pytest.approx(first)


@pytest.mark.parametrize("side_px", [160, 224, 288])
@pytest.mark.parametrize("model", ["ssd-small", "ssd-small-wide", "ssd300-resnet34"])
def test_the_grids_of_another_side_are_those_of_the_feature_maps(model: str, side_px: int) -> None:
    run = prepare(replace(TINY, model=model, anchors="", size_px=side_px), class_names=CLASSES)

    assert len(run.anchors_at(side_px)) == len(bare(run.model).anchors)


def test_a_loss_that_does_not_fit_a_picture_network_is_refused() -> None:
    config = replace(TINY, model="multilabel", size_px=224, picture_loss=PictureLossConfig("softmax"))

    with pytest.raises(ConfigError, match=r"learns with picture_loss.confidence = bce"):
        prepare(config, class_names=CLASSES)


def test_a_fabric_of_another_precision_is_refused() -> None:
    with pytest.raises(ConfigError, match="precision"):
        prepare(TINY, class_names=CLASSES, fabric=make_fabric("bf16-mixed"))


def test_narrow_strided_layers_do_not_get_the_memory_order_that_corrupts_memory_with_them() -> None:
    wide = prepare(replace(TINY, model="ssd-small", size_px=160, anchors="teach160"), class_names=CLASSES)
    narrow = prepare(TINY, class_names=CLASSES)  # 1×1 convolutions of 4 and 6 channels, stride 2

    assert wide.memory_format is torch.channels_last
    assert narrow.memory_format is torch.contiguous_format
    assert bare(wide.model).heads[0].codes.weight.is_contiguous(memory_format=torch.channels_last)


def test_vgg_which_has_no_batch_norm_keeps_the_memory_order_that_is_faster_for_it() -> None:
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 64, 3), torch.nn.ReLU(), torch.nn.MaxPool2d(2))
    normed = torch.nn.Sequential(network, torch.nn.BatchNorm2d(64))

    assert _memory_format(network, torch.device("cpu")) is torch.contiguous_format
    assert _memory_format(normed, torch.device("cpu")) is torch.channels_last
    assert _memory_format(network, torch.device("cuda")) is torch.channels_last
