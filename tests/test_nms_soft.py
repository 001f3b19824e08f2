"""Soft suppression: scores that fall, by how much, and who did it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from ssd.boxes import jaccard
from ssd.config import UNMATCHED, SelectionConfig
from ssd.detections import Fate, select
from ssd.errors import ConfigError
from ssd.nms import suppress, suppress_softly
from tests.strategies import scenes

CHAIN = torch.tensor([[0.0, 0.0, 10.0, 2.0], [3.0, 0.0, 13.0, 2.0], [6.0, 0.0, 16.0, 2.0]])
CHAIN_SCORES = torch.tensor([0.9, 0.8, 0.7])  # neighbours overlap by 7/13, the ends by 1/4
SIGMAS = st.sampled_from([0.05, 0.2, 0.5, 1.0, 4.0])
FLOORS = st.sampled_from([0.0, 0.05, 0.3, 0.5])


def test_one_neighbour_by_hand():
    boxes = torch.tensor([[0.0, 0.0, 2.0, 2.0], [0.0, 0.0, 2.0, 1.0], [5.0, 5.0, 6.0, 9.0]])

    found = suppress_softly(boxes, torch.tensor([0.9, 0.8, 0.4]), sigma=0.5)

    assert_close(found.after, torch.tensor([0.9, 0.8 * math.exp(-0.5), 0.4]))
    assert found.before.tolist() == pytest.approx([0.9, 0.8, 0.4])
    assert found.decayed_by.tolist() == [UNMATCHED, 0, UNMATCHED]
    assert found.keep.tolist() == [True, True, True]


def test_a_chain_by_hand_the_ends_have_their_turn_before_the_middle():
    near, far = math.exp(-((7 / 13) ** 2) / 0.5), math.exp(-((1 / 4) ** 2) / 0.5)

    found = suppress_softly(CHAIN, CHAIN_SCORES, sigma=0.5)

    assert_close(found.after, torch.tensor([0.9, 0.8 * near * near, 0.7 * far]))
    assert 0.8 * near < 0.7 * far  # so the last box came before the middle one
    assert found.decayed_by.tolist() == [UNMATCHED, 0, 0]


def test_a_box_leaves_with_the_decay_that_takes_it_to_the_floor_and_names_it():
    near = math.exp(-((7 / 13) ** 2) / 0.5)

    found = suppress_softly(CHAIN, CHAIN_SCORES, sigma=0.5, score_threshold=0.3)

    assert found.keep.tolist() == [True, False, True]
    assert found.suppressed_by.tolist() == [UNMATCHED, 2, UNMATCHED]  # the first decay left it .45
    assert found.decayed_by.tolist() == [UNMATCHED, 0, 0]
    assert_close(found.overlap, torch.tensor([0.0, 7 / 13, 0.0]))
    assert float(found.after[1]) == pytest.approx(0.8 * near * near)


def test_a_box_that_left_lowers_nobody():
    scores = torch.tensor([0.9, 0.5, 0.7])
    near, far = math.exp(-((7 / 13) ** 2) / 0.1), math.exp(-((1 / 4) ** 2) / 0.1)

    found = suppress_softly(CHAIN, scores, sigma=0.1, score_threshold=0.05)

    assert 0.5 * near < 0.05 < 0.7 * far
    assert found.keep.tolist() == [True, False, True]
    assert float(found.after[2]) == pytest.approx(0.7 * far)


def test_a_score_of_exactly_the_floor_has_no_turn():
    found = suppress_softly(CHAIN, torch.tensor([0.5, 0.25, 0.75]), sigma=0.5, score_threshold=0.25)

    assert found.keep.tolist() == [True, False, True]
    assert found.suppressed_by.tolist() == [UNMATCHED, UNMATCHED, UNMATCHED]
    assert float(found.after[1]) == 0.25


def test_equal_scores_the_lower_index_has_its_turn_first():
    found = suppress_softly(CHAIN[[0, 0, 0]], torch.tensor([0.5, 0.5, 0.5]), sigma=1.0)

    assert found.decayed_by.tolist() == [UNMATCHED, 0, 0]
    assert_close(found.after, torch.tensor([0.5, 0.5 * math.exp(-1), 0.5 * math.exp(-2)]))


def test_boxes_of_different_groups_never_meet():
    found = suppress_softly(
        CHAIN[[0, 0, 0]], torch.tensor([0.1, 0.2, 0.3]), sigma=0.5, groups=torch.tensor([7, 5, 7])
    )

    assert found.decayed_by.tolist() == [2, UNMATCHED, UNMATCHED]
    assert_close(found.after, torch.tensor([0.1 * math.exp(-2), 0.2, 0.3]))


def test_boxes_that_only_touch_lower_nothing():
    boxes = torch.tensor([[0.0, 0.0, 1.0, 3.0], [1.0, 0.0, 2.0, 3.0]])

    found = suppress_softly(boxes, torch.tensor([0.9, 0.8]), sigma=0.01)

    assert found.after.tolist() == found.before.tolist()
    assert found.decayed_by.tolist() == [UNMATCHED, UNMATCHED]


def soft_nms_of_the_paper(boxes: np.ndarray, scores: np.ndarray, sigma: float, floor: float) -> dict:
    """The published algorithm in float64: lists that swap, nothing shared with the package."""
    rows = [[*box, score, place] for place, (box, score) in enumerate(zip(boxes, scores, strict=True))]
    rows, done = [row for row in rows if row[4] > floor], {}
    while rows:
        best = max(rows, key=lambda row: (row[4], -row[5]))
        rows.remove(best)
        done[best[5]] = best[4]
        for row in rows:
            width = min(best[2], row[2]) - max(best[0], row[0])
            height = min(best[3], row[3]) - max(best[1], row[1])
            if width > 0 and height > 0:
                shared = width * height
                union = (best[2] - best[0]) * (best[3] - best[1]) + (row[2] - row[0]) * (row[3] - row[1])
                row[4] *= np.exp(-((shared / (union - shared)) ** 2) / sigma)
        rows = [row for row in rows if row[4] > floor]
    return done


@given(scene=scenes(classes=1), sigma=SIGMAS)
def test_scores_agree_with_the_published_algorithm(scene, sigma):
    boxes, scores = scene[0], scene[1][:, 0]

    found = suppress_softly(boxes, scores, sigma=sigma, score_threshold=0.001)

    wanted = soft_nms_of_the_paper(boxes.double().numpy(), scores.double().numpy(), sigma, 0.001)
    kept = {index: float(found.after[index]) for index in found.keep.nonzero()[:, 0].tolist()}
    near_the_floor = {i for i, value in {**kept, **wanted}.items() if abs(value - 0.001) < 1e-6}
    assert set(kept) - near_the_floor == set(wanted) - near_the_floor
    assert {i: wanted[i] for i in kept if i in wanted} == pytest.approx(
        {i: kept[i] for i in kept if i in wanted}, rel=1e-4, abs=1e-6
    )


@given(scene=scenes(classes=1), sigma=SIGMAS, floor=FLOORS)
def test_every_score_follows_from_those_who_had_their_turn_before(scene, sigma, floor):
    boxes, scores = scene[0], scene[1][:, 0]

    found = suppress_softly(boxes, scores, sigma=sigma, score_threshold=floor)

    table = jaccard(boxes, boxes).double()
    turns = [i for i in found.after.argsort(descending=True, stable=True).tolist() if found.keep[i]]
    for index in range(len(boxes)):
        before = turns[: turns.index(index)] if index in turns else turns
        score, by, least, most = scores[index], UNMATCHED, 1.0, UNMATCHED
        for sender in before if float(score) > floor else []:
            factor = torch.exp(-(table[sender, index] ** 2) / sigma).float()
            score = score * factor
            least, most = (float(factor), sender) if float(factor) < least else (least, most)
            if float(score) <= floor:
                by = sender
                break
        assert float(found.after[index]) == float(score)
        assert int(found.decayed_by[index]) == most
        assert int(found.suppressed_by[index]) == by
        assert float(found.overlap[index]) == (float(table[by, index]) if by >= 0 else 0.0)
        assert bool(found.keep[index]) is (float(score) > floor)


@given(scene=scenes(classes=1), sigma=SIGMAS, floor=FLOORS, higher=FLOORS)
def test_a_higher_floor_keeps_those_whose_score_is_still_greater(scene, sigma, floor, higher):
    boxes, scores = scene[0], scene[1][:, 0]
    low = suppress_softly(boxes, scores, sigma=sigma, score_threshold=min(floor, higher))
    high = suppress_softly(boxes, scores, sigma=sigma, score_threshold=max(floor, higher))

    still = low.keep & (low.after.double() > max(floor, higher))

    assert torch.equal(high.keep, still)
    assert torch.equal(high.after[still], low.after[still])


@given(scene=scenes(classes=1), sigma=SIGMAS)
def test_scores_only_fall_and_the_best_box_keeps_its_own(scene, sigma):
    boxes, scores = scene[0], scene[1][:, 0]

    found = suppress_softly(boxes, scores, sigma=sigma)

    assert bool((found.after <= scores).all())
    if len(scores) and float(scores.max()) > 0:
        assert float(found.after[scores.argmax()]) == float(scores.max())


@given(scene=scenes(classes=1))
def test_a_tiny_sigma_keeps_what_hard_nms_keeps_at_almost_no_overlap(scene):
    boxes, scores = scene[0], scene[1][:, 0]
    apart = scores > 0  # without a score nobody has a turn

    found = suppress_softly(boxes[apart], scores[apart], sigma=1e-30)

    hard = suppress(boxes[apart], scores[apart], nms_threshold=1e-10)
    assert torch.equal(found.keep, hard.keep)
    assert torch.equal(found.suppressed_by, hard.suppressed_by)


@given(scene=scenes(classes=1))
def test_a_huge_sigma_leaves_everything_as_it_is(scene):
    boxes, scores = scene[0], scene[1][:, 0]

    found = suppress_softly(boxes, scores, sigma=1e12)

    assert torch.equal(found.after, scores)
    assert torch.equal(found.keep, scores > 0)


@pytest.mark.parametrize("sigma", [0.0, -0.5, float("nan"), float("inf")])
def test_a_sigma_that_cannot_divide_is_refused(sigma):
    with pytest.raises(ConfigError, match="soft_sigma must be finite and above 0"):
        suppress_softly(CHAIN, CHAIN_SCORES, sigma=sigma)
    with pytest.raises(ConfigError, match="soft_sigma must be finite and above 0"):
        SelectionConfig(soft_sigma=sigma)


@pytest.mark.parametrize("floor", [-0.1, 1.01, float("nan")])
def test_a_floor_outside_0_to_1_is_refused(floor):
    with pytest.raises(ConfigError, match="score_threshold must lie in 0–1"):
        suppress_softly(CHAIN, CHAIN_SCORES, sigma=0.5, score_threshold=floor)


def test_no_boxes_give_empty_reasons():
    found = suppress_softly(torch.zeros(0, 4), torch.zeros(0), sigma=0.5)

    assert {len(value) for value in vars(found).values()} == {0}


def test_soft_suppression_changes_no_argument_and_runs_in_float32():
    boxes, scores = CHAIN.clone(), CHAIN_SCORES.clone()

    plain = suppress_softly(boxes, scores, sigma=0.5)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = suppress_softly(boxes, scores, sigma=0.5)

    assert torch.equal(boxes, CHAIN)
    assert torch.equal(scores, CHAIN_SCORES)
    assert found.after.tolist() == plain.after.tolist()


SOFT = SelectionConfig(score_threshold=0.3, nms_kind="soft")
ROW = CHAIN / 20  # inside the picture


def test_a_soft_selection_by_hand():
    near, far = math.exp(-((7 / 13) ** 2) / 0.5), math.exp(-((1 / 4) ** 2) / 0.5)
    scores = CHAIN_SCORES[:, None]

    found = select(ROW, scores, config=replace(SOFT, score_threshold=0.2, max_detections=2))

    assert found.scores.tolist() == scores[:, 0].tolist()
    assert_close(found.decayed, torch.tensor([0.9, 0.8 * near * near, 0.7 * far]), rtol=1e-5, atol=0)
    assert found.kept.tolist() == [0, 2]  # by the score after NMS; the cap cuts the middle box
    assert found.fate.tolist() == [int(Fate.KEPT), int(Fate.BEYOND_CAP), int(Fate.KEPT)]
    assert found.detections.scores.tolist() == found.decayed[[0, 2]].tolist()


def test_a_soft_selection_names_the_sender_among_all_candidates():
    scores = torch.cat([torch.tensor([[0.95], [0.94]]), CHAIN_SCORES[:, None]])
    boxes = torch.cat([torch.tensor([[0.0, 0.5, 0.1, 0.6], [0.5, 0.5, 0.6, 0.6]]), ROW])

    found = select(boxes, scores, config=SOFT)

    assert found.fate.tolist() == [0, 0, 0, int(Fate.SUPPRESSED), 0]
    assert (int(found.suppressed_by[3]), int(found.decayed_by[3])) == (4, 2)
    assert float(found.overlap[3]) == pytest.approx(7 / 13, abs=1e-5)


def test_classes_do_not_meet_in_soft_nms_unless_it_is_class_agnostic():
    boxes, scores = ROW[:1], torch.tensor([[0.9, 0.8]])

    apart = select(boxes, scores, config=SOFT)
    together = select(boxes, scores, config=replace(SOFT, class_agnostic=True))

    assert apart.decayed.tolist() == pytest.approx([0.9, 0.8])
    assert together.decayed.tolist() == pytest.approx([0.9, 0.8 * math.exp(-2)])
    assert together.fate.tolist() == [int(Fate.KEPT), int(Fate.SUPPRESSED)]


soft_configs = st.builds(
    SelectionConfig,
    score_threshold=st.sampled_from([0.0, 0.05, 0.3, 0.5]),
    top_k=st.integers(1, 12),
    max_detections=st.integers(1, 12),
    class_agnostic=st.booleans(),
    nms_kind=st.just("soft"),
    soft_sigma=SIGMAS,
)


@given(scene=scenes(), config=soft_configs)
def test_detections_of_soft_nms_stand_by_falling_score_above_the_threshold(scene, config):
    found = select(*scene, config=config)

    scores = found.detections.scores
    assert bool((scores[1:] <= scores[:-1]).all())
    assert bool((scores.double() > config.score_threshold).all())
    assert len(found.kept) == found.count(Fate.KEPT) <= config.max_detections
    assert set(found.kept.tolist()) == set((found.fate == int(Fate.KEPT)).nonzero()[:, 0].tolist())
    assert torch.equal(found.detections.boxes, found.boxes[found.kept])
    assert torch.equal(found.detections.labels, found.labels[found.kept])


@pytest.mark.slow
@given(scene=scenes(), config=soft_configs, score=st.sampled_from([0.1, 0.4, 0.6]))
def test_a_higher_score_threshold_keeps_those_that_soft_nms_left_more(scene, config, score):
    config = replace(config, score_threshold=0.05)
    low = select(*scene, config=replace(config, max_detections=1000))

    high = select(*scene, config=replace(config, score_threshold=score, max_detections=1000))

    still = low.detections.scores.double() > score
    assert torch.equal(high.detections.anchors, low.detections.anchors[still])
    assert torch.equal(high.detections.scores, low.detections.scores[still])


@given(scene=scenes(), config=soft_configs)
def test_hard_nms_lowers_no_score(scene, config):
    found = select(*scene, config=replace(config, nms_kind="hard"))

    assert torch.equal(found.decayed, found.scores)
    assert set(found.decayed_by.tolist()) <= {UNMATCHED}
