"""A batch assigned at once: what the pictures would be told one by one."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from ssd.anchors import make_anchors
from ssd.config import BACKGROUND, IGNORED, MATCHING_RULES, UNMATCHED, CoderConfig, anchor_preset
from ssd.errors import BoxError, ConfigError, DataError
from ssd.matching import assign, assign_batch, match, match_pictures
from tests.strategies import boxes

LESSON = make_anchors(anchor_preset("lesson-multi").anchors)
VOC = make_anchors(anchor_preset("ssd300-voc").anchors)
OFFSET, TANH = CoderConfig(), CoderConfig(kind="tanh")
RULES = pytest.mark.parametrize("rule", MATCHING_RULES)
NOTHING, NO_LABELS = torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64)


def labels_for(pictures):
    return [torch.arange(1, len(part) + 1) for part in pictures]


@pytest.mark.slow
@settings(max_examples=30)
@given(
    pictures=st.lists(boxes(max_size=5, min_side=0.02), min_size=1, max_size=4),
    ignored=st.lists(boxes(max_size=2, min_side=0.2), min_size=4, max_size=4),
    rule=st.sampled_from(MATCHING_RULES),
    threshold=st.sampled_from([0.0, 0.3, 0.5]),
    strict=st.booleans(),
)
def test_a_batch_is_told_what_its_pictures_are_told_alone(pictures, ignored, rule, threshold, strict):
    labels, ignored = labels_for(pictures), ignored[: len(pictures)]
    rules = {"rule": rule, "threshold": threshold, "strict": strict}

    told = assign_batch(pictures, labels, LESSON, coder=TANH, ignored_boxes=ignored, **rules)

    for row, (gt, names, away) in enumerate(zip(pictures, labels, ignored, strict=True)):
        found = match(gt, LESSON.boxes, ignored_boxes=away, **rules)
        alone = assign(found, LESSON, gt_boxes=gt, gt_labels=names, coder=TANH)
        assert torch.equal(told.labels[row], alone.labels)
        assert torch.equal(told.matched_gt[row], found.matched_gt)
        assert torch.equal(told.overlap[row], found.overlap)
        assert_close(told.targets[row], alone.targets, rtol=1e-5, atol=1e-5)
        own = torch.where(found.positive[:, None], told.boxes[row], 0)
        assert torch.equal(own[found.positive], gt[found.matched_gt[found.positive]])
        assert torch.equal(told.boxes[row], own)


@RULES
def test_on_real_anchors_and_crowded_pictures_too(rule):
    dice = torch.Generator().manual_seed(3)
    low = torch.rand(4, 30, 2, generator=dice) * 0.9
    pictures = list(torch.cat([low, low + 0.03 + torch.rand(4, 30, 2, generator=dice) * 0.07], dim=2))

    told = assign_batch(pictures, labels_for(pictures), VOC, coder=OFFSET, rule=rule)

    alone = torch.stack([match(gt, VOC.boxes, rule=rule).matched_gt for gt in pictures])
    assert torch.equal(told.matched_gt, alone)


def test_two_objects_that_share_their_best_anchor_both_keep_one_in_each_picture_of_a_batch():
    pair = torch.tensor([[0.20, 0.22, 0.52, 0.28], [0.20, 0.21, 0.52, 0.28]])  # facts.md, the orphan pair

    told = assign_batch([pair, NOTHING, pair.flip(0)], labels_for([pair, NOTHING, pair]), VOC, coder=OFFSET)

    assert told.matched_gt[0, [6272, 6278]].tolist() == [1, 0]
    assert told.matched_gt[2, [6272, 6278]].tolist() == [0, 1]
    assert bool((told.matched_gt[1] == UNMATCHED).all())


def test_a_batch_without_any_object_is_background():
    told = assign_batch([NOTHING, NOTHING], [NO_LABELS, NO_LABELS], LESSON, coder=TANH)

    assert told.labels.shape == (2, 189) and bool((told.labels == BACKGROUND).all())
    assert not bool(told.targets.any() | told.overlap.any() | told.boxes.any())


def test_an_ignored_box_takes_anchors_out_of_its_own_picture_only():
    crowd = torch.tensor([[0.0, 0.0, 0.5, 0.5]])

    told = assign_batch(
        [NOTHING, NOTHING], [NO_LABELS, NO_LABELS], LESSON, coder=TANH, ignored_boxes=[NOTHING, crowd]
    )

    assert bool((told.labels[0] == BACKGROUND).all())
    assert int((told.labels[1] == IGNORED).sum()) == int(
        match(NOTHING, LESSON.boxes, ignored_boxes=crowd).ignored.sum()
    )
    assert bool((told.labels[1] == IGNORED).any())


def test_a_positive_anchor_on_an_ignored_box_stays_positive():
    box = torch.tensor([[0.0, 0.0, 0.5, 0.5]])

    told = assign_batch([box], [torch.tensor([3])], LESSON, coder=TANH, ignored_boxes=[box])

    assert bool((told.labels[told.matched_gt >= 0] == 3).all())
    assert bool((told.matched_gt >= 0).any())


def test_a_batch_is_matched_in_float32_under_autocast():
    pictures = [torch.tensor([[0.1, 0.2, 0.4, 0.9], [0.5, 0.5, 0.9, 0.7]])]
    expected = assign_batch(pictures, labels_for(pictures), VOC, coder=OFFSET)

    with torch.autocast("cpu", dtype=torch.bfloat16):
        told = assign_batch(pictures, labels_for(pictures), VOC, coder=OFFSET)

    assert told.targets.dtype == told.overlap.dtype == told.boxes.dtype == torch.float32
    assert all(torch.equal(getattr(told, name), getattr(expected, name)) for name in vars(expected))


def test_arguments_are_not_changed():
    pictures = [torch.tensor([[0.1, 0.2, 0.4, 0.9]]), NOTHING]
    labels, ignored = labels_for(pictures), [NOTHING, torch.tensor([[0.0, 0.0, 0.5, 0.5]])]
    held = [*pictures, *labels, *ignored, LESSON.boxes]
    before = [part.clone() for part in held]

    assign_batch(pictures, labels, LESSON, coder=TANH, ignored_boxes=ignored)

    assert all(torch.equal(a, b) for a, b in zip(held, before, strict=True))


def test_pictures_of_a_table_do_not_mix():
    table = torch.tensor([[0.9, 0.8, 0.0], [0.95, 0.1, 0.0], [0.0, 0.0, 0.3]])

    assert match_pictures(table, [1, 1, 1]).matched_gt.tolist() == [
        [0, 0, UNMATCHED],
        [0, UNMATCHED, UNMATCHED],
        [UNMATCHED, UNMATCHED, 0],
    ]
    assert match_pictures(table, [2, 1]).matched_gt.tolist()[0] == [1, 0, UNMATCHED]


@pytest.mark.parametrize("labels", [[0, 1], [1], [1, 2, 3]])
def test_labels_that_are_no_class_or_too_few_or_many_are_refused(unchecked, labels):
    pair = torch.tensor([[0.1, 0.1, 0.5, 0.5], [0.2, 0.2, 0.9, 0.9]])

    with pytest.raises(DataError, match="Each object needs a box and a label of at least 1"):
        assign_batch([NOTHING, pair], [NO_LABELS, torch.tensor(labels)], LESSON, coder=TANH)


@pytest.mark.parametrize("labels", [[], [NO_LABELS, NO_LABELS]])
def test_a_batch_needs_pictures_and_as_many_labels(labels):
    with pytest.raises(DataError, match="A batch needs at least one picture"):
        assign_batch([NOTHING][: len(labels)], labels, LESSON, coder=TANH)


def test_a_bad_box_or_threshold_is_refused_as_in_a_single_picture():
    bad = torch.tensor([[0.5, 0.0, 0.4, 1.0]])

    with pytest.raises(BoxError, match="x1 <= x2"):
        assign_batch([bad], [torch.tensor([1])], LESSON, coder=TANH)
    with pytest.raises(ConfigError, match="match threshold"):
        assign_batch([NOTHING], [NO_LABELS], LESSON, coder=TANH, threshold=1.5)
