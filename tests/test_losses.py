"""Losses: hand-worked values, laws, a float64 reference, and the cases that made others print NaN."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ssd.config import BACKGROUND, IGNORED
from ssd.errors import ConfigError
from ssd.losses import hard_negatives, softmax_loss


def random_case(seed: int, batch: int = 3, anchors: int = 40, classes: int = 5):
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(1, classes, (batch, anchors), generator=generator)
    kind = torch.rand(batch, anchors, generator=generator)
    labels = torch.where(kind < 0.8, BACKGROUND, labels)
    labels = torch.where(kind < 0.1, IGNORED, labels)
    codes = torch.randn(batch, anchors, 4, generator=generator)
    logits = torch.randn(batch, anchors, classes, generator=generator) * 3
    targets = torch.randn(batch, anchors, 4, generator=generator) * 2
    return codes, logits, labels, targets


def reference(codes, logits, labels, targets, ratio=3.0, minimum=0):
    """The paper's equations, one anchor at a time, in float64."""
    confidence = localisation = 0.0
    positives = int((labels > 0).sum())
    for picture in range(len(labels)):
        costs = []
        for anchor, label in enumerate(labels[picture].tolist()):
            row = np.asarray(logits[picture, anchor].tolist(), dtype=np.float64)
            log_p = row - row.max() - math.log(np.exp(row - row.max()).sum())
            if label > 0:
                confidence -= log_p[label]
                for value in (codes - targets)[picture, anchor].tolist():
                    localisation += 0.5 * value**2 if abs(value) < 1 else abs(value) - 0.5
            elif label == BACKGROUND:
                costs.append(-log_p[0])
        wanted = max(int((labels[picture] > 0).sum() * ratio), minimum)
        confidence += sum(sorted(costs, reverse=True)[:wanted])
    return confidence / max(positives, 1), localisation / max(positives, 1)


@pytest.mark.parametrize("seed", range(5))
def test_both_parts_equal_the_equations_worked_one_anchor_at_a_time(seed: int) -> None:
    codes, logits, labels, targets = random_case(seed)

    report = softmax_loss(codes, logits, labels=labels, targets=targets)

    confidence, localisation = reference(codes, logits, labels, targets)
    assert float(report.confidence) == pytest.approx(confidence, rel=1e-5)
    assert float(report.localisation) == pytest.approx(localisation, rel=1e-5)
    assert float(report.total) == pytest.approx(confidence + localisation, rel=1e-5)


def test_a_worked_example_gives_log_three_a_row() -> None:
    report = softmax_loss(
        torch.zeros(1, 3, 4),
        torch.zeros(1, 3, 3),
        labels=torch.tensor([[2, 0, IGNORED]]),
        targets=torch.tensor([[[2.0, 0.5, 0.0, 0.0], [9.0] * 4, [9.0] * 4]]),
    )

    assert float(report.confidence) == pytest.approx(2 * math.log(3))
    assert float(report.localisation) == pytest.approx(1.5 + 0.125)
    assert (report.num_positive, report.num_negative) == (1, 1)
    assert report.confidence_per_anchor[0, 2] == 0


def test_mining_takes_the_costliest_negatives_of_each_picture() -> None:
    costs = torch.tensor([[5.0, 1.0, 9.0, 4.0, 8.0], [1.0, 2.0, 3.0, 4.0, 5.0]])
    labels = torch.tensor([[1, 0, IGNORED, 0, 0], [0, 0, 0, 0, 0]])

    mined = hard_negatives(costs, labels, ratio=2.0)

    assert mined.tolist() == [[False, False, False, True, True], [False] * 5]


@given(seed=st.integers(0, 10_000), ratio=st.sampled_from([0.0, 1.0, 3.0, 100.0]), minimum=st.integers(0, 9))
def test_mining_never_takes_more_than_asked_nor_anything_but_negatives(
    seed: int, ratio: float, minimum: int
) -> None:
    _, logits, labels, _ = random_case(seed)

    mined = hard_negatives(logits[..., 0], labels, ratio=ratio, minimum=minimum)

    negatives = (labels == BACKGROUND).sum(dim=1)
    wanted = ((labels > 0).sum(dim=1) * ratio).long().clamp(min=minimum)
    assert torch.equal(mined.sum(dim=1), torch.minimum(wanted, negatives))
    assert bool((labels[mined] == BACKGROUND).all())


def test_a_batch_without_objects_is_finite_and_teaches_when_asked() -> None:
    logits = torch.zeros(2, 6, 3, requires_grad=True)
    codes = torch.zeros(2, 6, 4, requires_grad=True)
    nothing = torch.zeros(2, 6, dtype=torch.int64)

    silent = softmax_loss(codes, logits, labels=nothing, targets=torch.zeros(2, 6, 4))
    taught = softmax_loss(codes, logits, labels=nothing, targets=torch.zeros(2, 6, 4), min_negatives=2)
    taught.total.backward()

    assert float(silent.total.detach()) == 0
    assert float(taught.total.detach()) == pytest.approx(4 * math.log(3))
    assert logits.grad is not None and bool((logits.grad[:, :2] != 0).any())
    assert bool(torch.isfinite(codes.grad).all())


def test_ignored_anchors_get_no_gradient() -> None:
    codes, logits, labels, targets = random_case(7)
    codes.requires_grad_(), logits.requires_grad_()

    softmax_loss(codes, logits, labels=labels, targets=targets, min_negatives=40).total.backward()

    assert bool((logits.grad[labels == IGNORED] == 0).all())
    assert bool((codes.grad[labels <= 0] == 0).all())
    assert bool((logits.grad[labels == BACKGROUND] != 0).any(dim=1).all())


def test_gradients_equal_finite_differences() -> None:
    codes, logits, labels, targets = random_case(3, batch=1, anchors=8)
    logits = logits.clone().requires_grad_()

    softmax_loss(codes, logits, labels=labels, targets=targets).total.backward()

    step = torch.zeros_like(logits)
    where = (labels > 0).nonzero()[0].tolist()
    step[where[0], where[1], 1] = 1e-2
    with torch.no_grad():
        up = softmax_loss(codes, logits + step, labels=labels, targets=targets).total
        down = softmax_loss(codes, logits - step, labels=labels, targets=targets).total
    assert float(up - down) / 2e-2 == pytest.approx(float(logits.grad[where[0], where[1], 1]), abs=2e-3)


def test_arguments_are_not_changed() -> None:
    case = random_case(1)
    before = [tensor.clone() for tensor in case]
    codes, logits, labels, targets = case

    softmax_loss(codes, logits, labels=labels, targets=targets)

    assert all(torch.equal(a, b) for a, b in zip(case, before, strict=True))


def test_half_precision_logits_are_widened() -> None:
    codes, logits, labels, targets = random_case(2)

    report = softmax_loss(codes.bfloat16(), logits.bfloat16(), labels=labels, targets=targets)

    assert report.total.dtype == torch.float32


def test_the_normaliser_of_all_processes_divides() -> None:
    codes, logits, labels, targets = random_case(4)
    alone = softmax_loss(codes, logits, labels=labels, targets=targets)

    shared = softmax_loss(codes, logits, labels=labels, targets=targets, normaliser=2.0 * alone.num_positive)

    assert float(shared.total) == pytest.approx(float(alone.total) / 2, rel=1e-6)


def test_a_negative_ratio_is_refused() -> None:
    with pytest.raises(ConfigError, match="at least 0"):
        hard_negatives(torch.zeros(1, 2), torch.zeros(1, 2, dtype=torch.int64), ratio=-1.0)
