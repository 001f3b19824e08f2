"""Matching: the three rules, their golden cases, and what an anchor is told to predict."""

from __future__ import annotations

import time

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close
from torchvision.models.detection._utils import SSDMatcher

from ssd.anchors import make_anchors
from ssd.boxes import from_pixels, jaccard
from ssd.coding import decode
from ssd.config import BACKGROUND, IGNORED, MATCHING_RULES, UNMATCHED, CoderConfig, anchor_preset
from ssd.errors import BoxError, ConfigError, DataError
from ssd.matching import assign, match, match_overlaps
from tests.strategies import boxes

VOC = make_anchors(anchor_preset("ssd300-voc").anchors)
COCO = make_anchors(anchor_preset("ssd300-coco").anchors)
LESSON = make_anchors(anchor_preset("lesson-4x4").anchors)
RULES = pytest.mark.parametrize("rule", MATCHING_RULES)

# --- the lesson's worked example: 3 objects × 16 cells of a picture of 224 pixels -----------------

CHAIR, TABLE, SOFA = [156.50, 107.83, 206.82, 150.95], [159, 19, 222, 123], [131, 188, 160, 208.5]
LESSON_BOXES = from_pixels(torch.tensor([CHAIR, TABLE, SOFA]), width_px=224, height_px=224)
LESSON_TABLE = {  # (object, cell) → jaccard; every other cell of the 3 × 16 is 0
    (0, 9): 0.0091,
    (0, 10): 0.0922,
    (0, 13): 0.0315,
    (0, 14): 0.3985,
    (1, 8): 0.0356,
    (1, 9): 0.0549,
    (1, 10): 0.0103,
    (1, 12): 0.2598,
    (1, 13): 0.4538,
    (1, 14): 0.0653,
    (2, 11): 0.1897,
}


def test_the_lesson_s_jaccard_table_comes_out():
    expected = torch.zeros(3, 16)
    for (row, column), overlap in LESSON_TABLE.items():
        expected[row, column] = overlap

    assert_close(jaccard(LESSON_BOXES, LESSON.boxes), expected, rtol=0, atol=2e-4)


@RULES
def test_the_lesson_s_maxima_and_labels_come_out(rule):
    found = match(LESSON_BOXES, LESSON.boxes, rule=rule, threshold=0.4, strict=True)
    assignment = assign(
        found,
        LESSON,
        gt_boxes=LESSON_BOXES,
        gt_labels=torch.tensor([1, 2, 3]),
        coder=CoderConfig(kind="tanh"),
    )

    names = ["bg", "chair", "diningtable", "sofa"]
    labels = ["bg"] * 11 + ["sofa", "bg", "diningtable", "chair", "bg"]
    assert found.best_anchor.tolist() == [14, 13, 11]
    assert_close(found.best_overlap, torch.tensor([0.3985, 0.4538, 0.1897]), rtol=0, atol=2e-4)
    by_cell = [*[0.0] * 8, 0.0356, 0.0549, 0.0922, 0.1897, 0.2598, 0.4538, 0.3985, 0.0]
    assert_close(found.overlap, torch.tensor(by_cell), rtol=0, atol=2e-4)
    assert [names[label] for label in assignment.labels.tolist()] == labels
    assert found.forced.nonzero()[:, 0].tolist() == [11, 14]


# --- golden cases on real anchors ------------------------------------------------------------------

ORPHANS = torch.tensor([[0.20, 0.22, 0.52, 0.28], [0.20, 0.21, 0.52, 0.28]])


def test_two_flat_objects_share_their_best_anchor():
    table = jaccard(ORPHANS, VOC.boxes)

    assert table.argmax(dim=1).tolist() == [6272, 6272]
    golden = torch.tensor([[0.47972, 0.42281], [0.55965, 0.49013]])
    assert_close(table[:, [6272, 6278]], golden, rtol=0, atol=1e-5)


@pytest.mark.parametrize("rule", ["overwrite", "torchvision"])
def test_the_later_of_two_objects_takes_the_anchor_and_the_earlier_is_an_orphan(rule):
    found = match(ORPHANS, VOC.boxes, rule=rule)

    assert found.orphan.tolist() == [True, False]
    assert found.anchors_per_object.tolist() == [0, 1]
    assert int(found.matched_gt[6272]) == 1


def test_processed_the_other_way_round_the_other_object_is_the_orphan():
    found = match(ORPHANS.flip(0), VOC.boxes, rule="overwrite")

    assert found.orphan.tolist() == [True, False]
    assert bool(found.forced[6272])  # its best object by the table is the one that lost it


def test_bipartite_gives_the_orphan_its_second_best_anchor():
    found = match(ORPHANS, VOC.boxes, rule="bipartite")

    assert found.positive.nonzero()[:, 0].tolist() == [6272, 6278]
    assert found.matched_gt[[6272, 6278]].tolist() == [1, 0]
    assert found.forced[[6272, 6278]].tolist() == [False, True]
    assert found.best_anchor.tolist() == [6272, 6272]
    assert not bool(found.orphan.any())


PICTURE_000001 = {
    "dog, voc": ([47, 239, 195, 371], VOC, 8262, 0.68220, 15, (0, 5, 10, 0, 0, 0)),
    "person, voc": ([7, 11, 352, 498], VOC, 8729, 0.96456, 8, (0, 0, 0, 0, 4, 4)),
    "dog, coco": ([47, 239, 195, 371], COCO, 8262, 0.73378, 8, None),
    "person, coco": ([7, 11, 352, 498], COCO, 8729, 0.95963, 6, None),
    "dog, all corners moved by one": ([47, 239, 194, 370], VOC, 8262, 0.68177, 14, None),
    "person, all corners moved by one": ([7, 11, 351, 497], VOC, 8729, 0.96934, 8, None),
}


@RULES
@pytest.mark.parametrize("case", PICTURE_000001.values(), ids=PICTURE_000001)
def test_an_object_of_picture_000001_has_the_golden_anchors(case, rule):
    corners, anchors, best, overlap, count, per_level = case
    box = from_pixels(torch.tensor([corners]).float(), width_px=353, height_px=500)

    found = match(box, anchors.boxes, rule=rule)

    assert found.best_anchor.tolist() == [best]
    assert float(found.best_overlap) == pytest.approx(overlap, abs=1e-5)
    assert found.anchors_per_object.tolist() == [count]
    if per_level:
        assert tuple(torch.bincount(anchors.level[found.positive], minlength=6).tolist()) == per_level


FOUR_BY_THREE = torch.tensor([[0.59, 0.47, 0.05, 0.21], [0.46, 0.28, 0.01, 0.44], [0.54, 0.89, 0.25, 0.13]])


@pytest.mark.parametrize(
    ("rule", "matched", "orphans"),
    [
        ("bipartite", [0, 2, -1, 1], [False, False, False]),
        ("overwrite", [1, 2, -1, -1], [True, False, False]),
        ("torchvision", [1, 2, -1, -1], [True, False, False]),
    ],
)
def test_four_anchors_and_three_objects_under_each_rule(rule, matched, orphans):
    found = match_overlaps(FOUR_BY_THREE, rule=rule)

    assert found.matched_gt.tolist() == matched
    assert found.orphan.tolist() == orphans


# --- boundaries and ties ----------------------------------------------------------------------------


@pytest.mark.parametrize("threshold", [0.3, 0.45, 0.5, 0.55, 0.7])
@pytest.mark.parametrize(("strict", "positive"), [(False, True), (True, False)])
def test_a_jaccard_of_exactly_the_threshold_is_positive_unless_strict(threshold, strict, positive):
    anchor = torch.tensor([[0.0, 0.0, 20.0, 1.0], [0.0, 0.0, round(threshold * 20), 1.0]])
    objects = torch.tensor([[0.0, 0.0, 20.0, 1.0]])

    found = match(objects, anchor, threshold=threshold, strict=strict)

    assert found.matched_gt.tolist() == [0, 0 if positive else UNMATCHED]


@RULES
def test_of_equal_objects_the_first_answers_for_an_anchor_by_threshold(rule):
    table = torch.tensor([[0.9, 0.6, 0.1], [0.1, 0.6, 0.8]])

    assert match_overlaps(table, rule=rule).matched_gt.tolist() == [0, 0, 1]


def test_of_equal_pairs_the_lower_object_comes_first_then_the_lower_anchor():
    assert match_overlaps(torch.full((2, 3), 0.4), rule="bipartite").matched_gt.tolist() == [0, 1, UNMATCHED]


@RULES
def test_of_equal_anchors_the_lower_is_the_best(rule):
    assert match_overlaps(torch.tensor([[0.1, 0.4, 0.4]]), rule=rule).best_anchor.tolist() == [1]


def test_a_long_row_of_equal_anchors_still_gives_the_first():
    table = torch.zeros(3, 8732)
    table[1, 4000:] = 0.4

    found = match_overlaps(table, rule="bipartite")

    assert found.best_anchor[1] == 4000
    assert found.positive.nonzero()[:, 0].tolist() == [4000]


@pytest.mark.parametrize(("overlap", "kept"), [(1e-6, 0), (2e-6, 1)])
def test_bipartite_forces_no_match_without_any_overlap(overlap, kept):
    found = match_overlaps(torch.tensor([[overlap, 0.0]]), rule="bipartite")

    assert int(found.positive.sum()) == kept


def test_more_objects_than_anchors_leave_orphans_under_every_rule():
    table = torch.tensor([[0.9], [0.8], [0.7]])

    assert match_overlaps(table, rule="bipartite").orphan.tolist() == [False, True, True]
    assert match_overlaps(table, rule="overwrite").orphan.tolist() == [True, True, False]


# --- laws -------------------------------------------------------------------------------------------

TABLES = st.tuples(st.integers(1, 5), st.integers(1, 12)).flatmap(
    lambda shape: st.lists(
        st.integers(0, 20), min_size=shape[0] * shape[1], max_size=shape[0] * shape[1]
    ).map(lambda values: torch.tensor(values).reshape(shape) / 20)
)


@given(table=TABLES, threshold=st.sampled_from([0.3, 0.5, 0.75]))
def test_the_torchvision_rule_agrees_with_torchvision(table, threshold):
    found = match_overlaps(table, rule="torchvision", threshold=threshold)

    assert found.matched_gt.tolist() == SSDMatcher(threshold)(table).clamp(min=UNMATCHED).tolist()


@given(table=TABLES, threshold=st.sampled_from([0.3, 0.5, 0.75]))
def test_overwrite_is_the_loop_of_the_ports(table, threshold):
    best_overlap, best_gt = table.max(dim=0)
    for gt, anchor in enumerate(table.max(dim=1).indices.tolist()):
        best_overlap[anchor], best_gt[anchor] = 2.0, gt
    expected = torch.where(best_overlap < threshold, UNMATCHED, best_gt)

    assert (
        match_overlaps(table, rule="overwrite", threshold=threshold).matched_gt.tolist() == expected.tolist()
    )


@given(table=TABLES, threshold=st.sampled_from([0.3, 0.5, 0.75]))
def test_bipartite_is_greedy_over_all_pairs(table, threshold):
    pairs = [(-float(v), g, a) for g, row in enumerate(table.tolist()) for a, v in enumerate(row)]
    expected, taken = [UNMATCHED] * table.shape[1], set()
    for value, gt, anchor in sorted(pairs):
        if -value > 1e-6 and gt not in taken and expected[anchor] == UNMATCHED:
            expected[anchor] = gt
            taken.add(gt)
    for anchor, column in enumerate(table.T.tolist()):
        if expected[anchor] == UNMATCHED and max(column) >= float(torch.tensor(threshold)):
            expected[anchor] = column.index(max(column))

    assert match_overlaps(table, rule="bipartite", threshold=threshold).matched_gt.tolist() == expected


@given(table=TABLES, threshold=st.sampled_from([0.3, 0.5, 0.75]), rule=st.sampled_from(MATCHING_RULES))
def test_forced_means_that_the_threshold_alone_would_not_give_it(table, threshold, rule):
    found = match_overlaps(table, rule=rule, threshold=threshold)

    by_threshold = torch.where(table.max(dim=0).values >= threshold, table.max(dim=0).indices, UNMATCHED)
    assert torch.equal(found.forced, found.positive & (found.matched_gt != by_threshold))
    assert torch.equal(found.overlap, table.max(dim=0).values)
    assert torch.equal(
        found.orphan | found.forced_only | _has_a_free_anchor(found), torch.ones(len(table)).bool()
    )
    assert not bool((found.orphan & found.forced_only).any())


def _has_a_free_anchor(found) -> torch.Tensor:
    """Objects with an anchor that the threshold gives them."""
    free = found.matched_gt[found.positive & ~found.forced]
    return torch.bincount(free, minlength=len(found.best_anchor)) > 0


@given(gt=boxes(max_size=6, min_side=0.05))
def test_under_bipartite_every_object_with_area_keeps_an_anchor(gt):
    found = match(gt, VOC.boxes, rule="bipartite")

    assert not bool(found.orphan.any())


@given(gt=boxes(min_size=1, max_size=5, min_side=0.05), order=st.permutations(range(5)))
def test_bipartite_does_not_depend_on_the_order_of_objects_that_do_not_tie(gt, order):
    order = torch.tensor([index for index in order if index < len(gt)])
    values = jaccard(gt, LESSON.boxes).flatten()
    if len(values[values > 0].unique()) < int((values > 0).sum()):
        return  # a tie is decided by the order

    found, other = match(gt, LESSON.boxes), match(gt[order], LESSON.boxes)

    back = torch.where(other.positive, order[other.matched_gt.clamp(min=0)], UNMATCHED)
    assert torch.equal(found.matched_gt, back)


@given(gt=boxes(max_size=4, min_side=0.05), width=st.integers(50, 999), height=st.integers(50, 999))
def test_shares_of_a_power_of_two_and_pixels_match_alike(gt, width, height):
    power = torch.tensor([2.0 ** (width % 9), 2.0 ** (height % 9)] * 2)  # exact in float32

    assert torch.equal(match(gt, VOC.boxes).matched_gt, match(gt * power, VOC.boxes * power).matched_gt)


# --- ignored boxes, the empty picture, bad values ----------------------------------------------------


def test_a_free_anchor_close_to_an_ignored_box_is_ignored():
    anchors = torch.tensor(
        [[0.0, 0.0, 1.0, 2.0], [0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 0.9], [5.0, 5.0, 6.0, 7.0]]
    )

    found = match(
        anchors[3:], anchors, ignored_boxes=torch.tensor([[0.0, 0.0, 1.0, 2.0], [5.0, 5.0, 6.0, 7.0]])
    )

    assert found.ignored.tolist() == [True, True, False, False]  # exactly .5 is ignored; a positive never
    assert found.matched_gt.tolist() == [UNMATCHED, UNMATCHED, UNMATCHED, 0]


def test_an_ignored_anchor_is_labelled_so_and_has_no_target():
    box = torch.tensor([[0.0, 0.0, 0.25, 0.25]])
    found = match(torch.zeros(0, 4), LESSON.boxes, ignored_boxes=box)

    assignment = assign(
        found,
        LESSON,
        gt_boxes=torch.zeros(0, 4),
        gt_labels=torch.zeros(0, dtype=torch.int64),
        coder=CoderConfig(),
    )

    assert assignment.labels.tolist() == [IGNORED] + [BACKGROUND] * 15
    assert not bool(assignment.targets.any())


@RULES
def test_a_picture_without_objects_has_no_positive_anchor(rule):
    found = match(torch.zeros(0, 4), VOC.boxes, rule=rule)

    assert not bool(found.positive.any() | found.forced.any() | found.ignored.any())
    assert found.overlap.tolist() == [0.0] * len(VOC)
    assert len(found.best_anchor) == len(found.best_overlap) == len(found.orphan) == 0


@RULES
def test_without_anchors_every_object_is_an_orphan(rule):
    assert match(ORPHANS, torch.zeros(0, 4), rule=rule).orphan.tolist() == [True, True]


@pytest.mark.parametrize("threshold", [-0.01, 1.01, float("nan")])
def test_a_match_threshold_outside_0_to_1_is_refused(threshold):
    with pytest.raises(ConfigError, match="match threshold"):
        match_overlaps(FOUR_BY_THREE, threshold=threshold)


def test_an_inverted_object_is_refused_by_its_place():
    with pytest.raises(BoxError, match=r"\[1\]"):
        match(torch.tensor([[0.0, 0.0, 1.0, 1.0], [0.6, 0.0, 0.5, 1.0]]), VOC.boxes)


@pytest.mark.parametrize("rule", MATCHING_RULES)
def test_matching_runs_in_float32_under_autocast(rule):
    expected = match(LESSON_BOXES, LESSON.boxes, rule=rule)

    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = match(LESSON_BOXES, LESSON.boxes, rule=rule)

    assert found.overlap.dtype == torch.float32
    assert torch.equal(found.overlap, expected.overlap)
    assert torch.equal(found.matched_gt, expected.matched_gt)


@RULES
def test_matching_changes_no_argument(rule):
    table, gt, anchors = FOUR_BY_THREE.clone(), ORPHANS.clone(), VOC.boxes.clone()

    match_overlaps(table, rule=rule, ignored_overlaps=table)
    match(gt, anchors, rule=rule, ignored_boxes=gt)

    assert torch.equal(table, FOUR_BY_THREE)
    assert torch.equal(gt, ORPHANS)
    assert torch.equal(anchors, VOC.boxes)


# --- assignment -------------------------------------------------------------------------------------


def test_each_positive_anchor_is_told_its_object_s_class_and_codes():
    gt = torch.tensor([[0.1, 0.2, 0.4, 0.9], [0.5, 0.5, 0.9, 0.7]])
    labels = torch.tensor([7, 3])
    found = match(gt, VOC.boxes)

    assignment = assign(found, VOC, gt_boxes=gt, gt_labels=labels, coder=CoderConfig())

    decoded = decode(assignment.targets, VOC, coder=CoderConfig())[found.positive]
    assert_close(decoded, gt[found.matched_gt[found.positive]], rtol=0, atol=1e-5)
    assert torch.equal(assignment.labels[found.positive], labels[found.matched_gt[found.positive]])
    assert bool((assignment.labels[~found.positive] == BACKGROUND).all())
    assert not bool(assignment.targets[~found.positive].any())


@pytest.mark.parametrize("labels", [[0, 1], [3, BACKGROUND], [-2, 1], [1], [1, 2, 3]])
def test_labels_that_are_no_class_or_too_few_or_many_are_refused(unchecked, labels):
    with pytest.raises(DataError, match="Each object needs a box and a label of at least 1"):
        assign(
            match(ORPHANS, VOC.boxes),
            VOC,
            gt_boxes=ORPHANS,
            gt_labels=torch.tensor(labels),
            coder=CoderConfig(),
        )


def test_a_batch_of_32_pictures_of_20_objects_is_matched_in_seconds():
    generator = torch.Generator().manual_seed(0)
    low = torch.rand(32, 20, 2, generator=generator) * 0.8
    pictures = torch.cat([low, low + 0.02 + torch.rand(32, 20, 2, generator=generator) * 0.18], dim=2)

    start = time.perf_counter()
    found = [match(gt, VOC.boxes) for gt in pictures]

    assert time.perf_counter() - start < 20  # 8,732 anchors one by one would take minutes
    assert not any(bool(one.orphan.any()) for one in found)
