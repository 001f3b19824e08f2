"""Coverage of a whole data set: golden shares, the rules, and the same answer as picture by picture."""

from __future__ import annotations

import time

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ssd.anchors import make_anchors
from ssd.boxes import jaccard
from ssd.config import MATCHING_RULES, GridAnchors, anchor_preset, caffe_anchors
from ssd.coverage import SIDES_PX, anchors_at_size, coverage
from ssd.data.object_table import ObjectTable, object_table, read_objects
from ssd.data.records import Target, make_target
from ssd.errors import ConfigError
from ssd.matching import match
from tests.strategies import boxes, grid_anchors

VOC = anchor_preset("ssd300-voc").anchors
A, B = [0.20, 0.22, 0.52, 0.28], [0.20, 0.21, 0.52, 0.28]  # the orphan pair of facts.md


def table(*pictures: list[list[float]], labels: list[int] | None = None) -> ObjectTable:
    """One list of boxes for each picture."""
    counts = [len(found) for found in pictures]
    every = iter(labels or [1] * sum(counts))
    targets = [
        make_target(torch.tensor(found).reshape(-1, 4), torch.tensor([next(every) for _ in found]).long())
        for found in pictures
    ]
    return object_table(targets, class_names=("cat", "dog"))


def squares(side_px: float, *, step_px: float = 2.0) -> ObjectTable:
    """Square objects at many places of a picture of 300 px, one a picture."""
    places = torch.arange(0, 300 - side_px, step_px)
    low = torch.cartesian_prod(places, places)
    found = torch.cat([low, low + side_px], dim=1) / 300
    return ObjectTable(
        boxes=found,
        labels=torch.ones(len(found), dtype=torch.int64),
        picture=torch.arange(len(found)),
        row=torch.zeros(len(found), dtype=torch.int64),
        num_pictures=len(found),
        class_names=("square",),
    )


# facts.md, computed independently: side in px → share with an anchor at jaccard .5
GOLDEN = {
    "ssd300-voc": {8: 0.0, 12: 0.0, 16: 0.0, 20: 0.0, 24: 1.0, 32: 1.0},
    "ssd300-coco": {8: 0.0, 12: 0.0, 16: 0.91, 20: 1.0, 24: 1.0, 32: 1.0},
}


@pytest.mark.parametrize(("preset", "side_px"), [(p, s) for p, sides in GOLDEN.items() for s in sides])
def test_small_squares_are_covered_as_computed_independently(preset, side_px):
    anchors = make_anchors(anchor_preset(preset).anchors)

    found = coverage(squares(side_px, step_px=14.7), anchors, size_wh=(300, 300))

    assert found.everything.recall == pytest.approx(GOLDEN[preset][side_px], abs=0.05)


@pytest.mark.parametrize(
    ("rule", "held", "forced"),
    [("bipartite", [1, 1], [True, False]), ("overwrite", [0, 1], [False, False])],
)
def test_the_orphan_pair(rule, held, forced):
    found = coverage(table([A, B]), make_anchors(VOC), size_wh=(300, 300), rule=rule)

    assert found.best_anchor.tolist() == [6272, 6272]
    assert found.best_jaccard.tolist() == pytest.approx([0.47972, 0.55965], abs=1e-5)
    assert found.num_anchors.tolist() == held and found.forced_only.tolist() == forced
    assert found.orphan.tolist() == [not count for count in held]
    assert found.covered.tolist() == [False, True]


@pytest.mark.slow
@given(
    st.lists(boxes(min_side=0.02, max_size=5), min_size=1, max_size=6),
    grid_anchors(),
    st.sampled_from(MATCHING_RULES),
    st.sampled_from([0.3, 0.5, 0.7]),
)
def test_the_answer_is_that_of_matching_picture_by_picture(pictures, config, rule, threshold):
    anchors = make_anchors(config)
    objects = table(*(found.tolist() for found in pictures))

    found = coverage(objects, anchors, size_wh=(224, 224), rule=rule, threshold=threshold)

    for number, gt in enumerate(pictures):
        if len(gt) == 0:
            continue
        expected = match(gt, anchors.boxes, rule=rule, threshold=threshold)
        mine = objects.picture == number
        assert torch.equal(found.num_anchors[mine], expected.anchors_per_object)
        assert torch.equal(found.forced_only[mine], expected.forced_only)
        assert torch.equal(found.orphan[mine], expected.orphan)
        torch.testing.assert_close(found.best_jaccard[mine], jaccard(gt, anchors.boxes).amax(dim=1))


def test_many_pictures_are_answered_as_a_few(monkeypatch):
    pictures = [[[x / 10, 0.1, x / 10 + 0.15, 0.4], A, B][: 1 + x % 3] for x in range(9)]
    whole = coverage(table(*pictures), make_anchors(VOC), size_wh=(300, 300))

    monkeypatch.setattr("ssd.coverage.matched._PAIRS_AT_ONCE", 1)  # each picture alone, each object alone
    pieces = coverage(table(*pictures), make_anchors(VOC), size_wh=(300, 300))

    for name in ("best_jaccard", "best_anchor", "num_anchors", "forced_only"):
        assert torch.equal(getattr(whole, name), getattr(pieces, name))


def test_a_jaccard_of_exactly_the_threshold_covers():
    anchors = make_anchors(GridAnchors(grids=(2,)))  # cells of half a picture

    half = coverage(table([[0.0, 0.0, 0.5, 0.25]]), anchors, size_wh=(224, 224), threshold=0.5)
    less = coverage(table([[0.0, 0.0, 0.5, 0.249]]), anchors, size_wh=(224, 224), threshold=0.5)

    assert (half.everything.recall, less.everything.recall) == (1.0, 0.0)
    assert (half.forced_only.tolist(), less.forced_only.tolist()) == ([False], [True])


def test_groups_by_class_and_level_add_up():
    objects = table([[0.0, 0.0, 0.9, 0.9], [0.1, 0.1, 0.2, 0.2]], [A], labels=[1, 2, 1])

    found = coverage(objects, make_anchors(VOC), size_wh=(300, 300))

    assert [group.num_objects for group in found.by_class().values()] == [2, 1]
    assert sum(group.num_objects for group in found.by_level().values()) == 3
    assert list(found.by_level()) == ["0", "1", "2", "3", "4", "5"]
    assert found.by_level()["5"].num_objects == 1  # nine tenths of the picture
    assert found.by_level()["4"].recall is None


def test_sides_are_those_at_training_size_also_where_it_is_not_square():
    objects = table([[0.0, 0.0, 0.1, 0.1], [0.0, 0.0, 0.5, 0.5]])

    found = coverage(objects, make_anchors(VOC), size_wh=(160, 640))

    assert found.side_px.tolist() == pytest.approx([32, 160])  # √(16 · 64), √(80 · 320)
    counts = {name: group.num_objects for name, group in found.by_size().items()}
    assert {name for name, count in counts.items() if count} == {"<64", "<256"}  # 32 is not below 32
    assert list(counts) == [*(f"<{side}" for side in SIDES_PX), ">=256"]


def test_ignored_and_difficult_objects_are_not_counted():
    target = make_target(
        torch.tensor([A, B, A]),
        torch.tensor([1, 1, 2]),
        difficult=torch.tensor([True, False, False]),
        ignore=torch.tensor([False, False, True]),
    )

    objects = object_table([target, Target.empty()], class_names=("cat", "dog"))

    assert len(objects) == 1 and objects.row.tolist() == [1] and objects.num_pictures == 2
    torch.testing.assert_close(objects.boxes, torch.tensor([B]))


def test_the_worst_come_first():
    found = coverage(
        table([A], [[0.0, 0.0, 0.9, 0.9]], [[0.5, 0.5, 0.51, 0.51]]), make_anchors(VOC), size_wh=(300, 300)
    )

    assert found.worst(2).tolist() == [2, 0]


def test_at_its_own_size_a_preset_is_itself():
    own, again = make_anchors(VOC), anchors_at_size(VOC, size_wh=(300, 300))

    assert torch.equal(own.boxes, again.boxes)


def test_at_another_size_anchors_keep_their_pixels_and_cells_their_steps():
    anchors = anchors_at_size(VOC, size_wh=(600, 300))

    assert anchors.levels[0].grid_wh == (75, 38) and anchors.levels[5].grid_wh == (2, 1)
    widths, heights = (anchors.boxes[:, 2:] - anchors.boxes[:, :2])[:1].unbind(dim=1)
    assert (float(widths[0]) * 600, float(heights[0]) * 300) == pytest.approx((30, 30))


def test_presets_without_steps_divide_the_picture_evenly():
    config = caffe_anchors(grids=(4,), min_px=(20,), max_px=(40,), ratios=((2.0,),), side_px=64)

    assert anchors_at_size(config, size_wh=(100, 64)).levels[0].grid_wh == (7, 4)


def test_the_lessons_grids_stay_as_they_are():
    config = anchor_preset("lesson-multi").anchors

    assert torch.equal(anchors_at_size(config, size_wh=(640, 480)).boxes, make_anchors(config).boxes)


def test_a_size_without_pixels_is_refused():
    with pytest.raises(ConfigError, match="at least 1 px"):
        anchors_at_size(VOC, size_wh=(0, 300))


def test_a_data_set_without_objects_has_no_recall():
    found = coverage(table([], []), make_anchors(VOC), size_wh=(300, 300))

    assert found.everything.recall is None and len(found.best_jaccard) == 0


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.parametrize(
    ("split", "share"), [("train", 0.0364), ("val", 0.0299)]
)  # facts.md's 3.7 and 3.1 % count the one box without area too, which the reader refuses
def test_blood_cells_have_the_share_without_an_anchor_that_was_computed_independently(
    shared_data, split, share
):
    objects = read_objects(shared_data / "bccd", split=split)

    found = coverage(objects, make_anchors(VOC), size_wh=(300, 300))

    missed = int((~found.covered).sum())
    assert missed / len(objects) == pytest.approx(share, abs=1e-4)
    assert (missed + 1) / (len(objects) + 1) == pytest.approx({"train": 0.037, "val": 0.031}[split], abs=6e-4)
    assert len(objects.problems) == 1


@pytest.mark.data
def test_every_card_has_an_anchor_and_the_worst_is_the_known_one(shared_data):
    found = coverage(read_objects(shared_data / "cards"), make_anchors(VOC), size_wh=(300, 300))

    assert found.everything.num_objects == 527 and found.everything.recall == 1.0
    assert float(found.best_jaccard.min()) == pytest.approx(0.523, abs=5e-4)


@pytest.mark.slow
def test_40_000_boxes_meet_8732_anchors_in_time_and_cost_grows_linearly():
    generator = torch.Generator().manual_seed(0)
    low = torch.rand(40_000, 2, generator=generator) * 0.7
    found = torch.cat([low, low + 0.02 + 0.28 * torch.rand(40_000, 2, generator=generator)], dim=1)
    every = ObjectTable(
        found, torch.ones(40_000).long(), torch.arange(40_000) // 3, torch.arange(40_000) % 3, 13_334, ("a",)
    )

    def seconds(count: int) -> float:
        """Of this process, on all its cores."""
        part = ObjectTable(
            every.boxes[:count], every.labels[:count], every.picture[:count], every.row[:count], count, ("a",)
        )
        started = time.process_time()
        coverage(part, make_anchors(VOC), size_wh=(300, 300))
        return time.process_time() - started

    seconds(500)
    few, all_of_them = seconds(5_000), seconds(40_000)

    assert all_of_them < 40  # 20 s on two cores
    assert all_of_them < 16 * few + 1
