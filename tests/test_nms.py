"""Suppression, and who did it."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close
from torchvision import ops

from ssd.boxes import jaccard
from ssd.config import UNMATCHED
from ssd.errors import ConfigError
from ssd.nms import suppress
from tests.strategies import scenes

THRESHOLDS = st.sampled_from([0.0, 0.1, 0.3, 0.45, 0.5, 0.7, 1.0])


def test_a_chain_by_hand_the_box_that_was_suppressed_suppresses_nobody():
    boxes = torch.tensor([[0.0, 0.0, 10.0, 2.0], [3.0, 0.0, 13.0, 2.0], [6.0, 0.0, 16.0, 2.0]])

    found = suppress(boxes, torch.tensor([0.9, 0.8, 0.7]), nms_threshold=0.5)

    assert found.keep.tolist() == [True, False, True]
    assert found.suppressed_by.tolist() == [UNMATCHED, 0, UNMATCHED]
    assert_close(found.overlap, torch.tensor([0.0, 7 / 13, 0.0]))


def test_the_first_kept_box_is_named_not_the_closest():
    boxes = torch.tensor([[0.0, 0.0, 10.0, 3.0], [8.0, 0.0, 18.0, 3.0], [4.5, 0.0, 14.5, 3.0]])

    found = suppress(boxes, torch.tensor([0.8, 0.9, 0.1]), nms_threshold=0.3)

    assert found.keep.tolist() == [True, True, False]
    assert found.suppressed_by.tolist() == [UNMATCHED, UNMATCHED, 1]
    assert float(found.overlap[2]) == pytest.approx(6.5 / 13.5)


@pytest.mark.parametrize(
    ("threshold", "stays"),
    [(0.45, True), (0.5, True), (0.7, True), (0.3, False), (0.55, False), (0.6, False)],
)
def test_a_jaccard_of_exactly_the_threshold(threshold, stays):
    part = round(threshold * 20)
    boxes = torch.tensor([[0.0, 0.0, 20.0, 1.0], [0.0, 0.0, float(part), 1.0]])

    found = suppress(boxes, torch.tensor([0.9, 0.8]), nms_threshold=threshold)

    assert float(jaccard(boxes[:1], boxes[1:])) == float(torch.tensor(part) / 20)
    assert bool(found.keep[1]) is stays
    assert int(found.suppressed_by[1]) == (UNMATCHED if stays else 0)


@given(scene=scenes(classes=1), threshold=THRESHOLDS)
def test_what_is_kept_agrees_with_torchvision(scene, threshold):
    boxes, scores = scene

    found = suppress(boxes, scores[:, 0], nms_threshold=threshold)

    assert set(found.keep.nonzero()[:, 0].tolist()) == set(ops.nms(boxes, scores[:, 0], threshold).tolist())


@given(scene=scenes(classes=2), threshold=THRESHOLDS)
def test_groups_agree_with_torchvision_s_batched_nms(scene, threshold):
    boxes, scores = scene
    groups = (scores[:, 1] * 3).to(torch.int64)

    found = suppress(boxes, scores[:, 0], nms_threshold=threshold, groups=groups)

    each = [group.nonzero()[:, 0] for group in (groups == label for label in groups.unique())]
    expected = [int(m[k]) for m in each for k in ops.nms(boxes[m], scores[m, 0], threshold)]
    assert found.keep.nonzero()[:, 0].tolist() == sorted(expected)


@given(scene=scenes(classes=1), threshold=THRESHOLDS)
def test_every_reason_holds(scene, threshold):
    boxes, scores = scene[0], scene[1][:, 0]

    found = suppress(boxes, scores, nms_threshold=threshold)

    table = jaccard(boxes, boxes).to(torch.float64)
    for index in range(len(boxes)):
        better = [j for j in range(len(boxes)) if (-scores[j], j) < (-scores[index], index) and found.keep[j]]
        better.sort(key=lambda j: (-float(scores[j]), j))
        reasons = [j for j in better if table[index, j] > threshold]
        assert bool(found.keep[index]) is (not reasons)
        assert int(found.suppressed_by[index]) == (reasons[0] if reasons else UNMATCHED)
        assert float(found.overlap[index]) == (float(table[index, reasons[0]]) if reasons else 0)


def test_equal_scores_the_lower_index_stays():
    boxes = torch.tensor([[0.0, 0.0, 2.0, 1.0]]).repeat(3, 1)

    assert suppress(boxes, torch.tensor([0.5, 0.5, 0.5]), nms_threshold=0.5).suppressed_by.tolist() == [
        -1,
        0,
        0,
    ]


def test_boxes_of_different_groups_never_meet():
    boxes = torch.tensor([[0.0, 0.0, 2.0, 1.0]]).repeat(4, 1)

    found = suppress(
        boxes, torch.tensor([0.1, 0.2, 0.3, 0.4]), nms_threshold=0.5, groups=torch.tensor([7, 5, 7, 5])
    )

    assert found.suppressed_by.tolist() == [2, 3, UNMATCHED, UNMATCHED]


def test_no_boxes_give_empty_reasons():
    found = suppress(torch.zeros(0, 4), torch.zeros(0), nms_threshold=0.5)

    assert [len(found.keep), len(found.suppressed_by), len(found.overlap)] == [0, 0, 0]


@pytest.mark.parametrize("threshold", [-0.1, 1.01, float("nan")])
def test_a_threshold_outside_0_to_1_is_refused(threshold):
    with pytest.raises(ConfigError, match="nms_threshold"):
        suppress(torch.zeros(1, 4), torch.zeros(1), nms_threshold=threshold)


def test_suppression_runs_in_float32_under_autocast():
    boxes = torch.tensor([[0.0, 0.0, 0.501, 0.371], [0.0, 0.0, 0.2489, 0.371]])  # jaccard .4968
    scores = torch.tensor([0.9, 0.8])

    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = suppress(boxes, scores, nms_threshold=0.4967)

    assert found.keep.tolist() == [True, False]
    assert float(found.overlap[1]) == pytest.approx(0.2489 / 0.501, abs=1e-5)


def test_suppression_changes_no_argument():
    boxes, scores = torch.tensor([[0.0, 0.0, 2.0, 1.0]]).repeat(2, 1), torch.tensor([0.1, 0.9])
    before = boxes.clone(), scores.clone()

    suppress(boxes, scores, nms_threshold=0.5, groups=torch.tensor([1, 1]))

    assert torch.equal(boxes, before[0])
    assert torch.equal(scores, before[1])
