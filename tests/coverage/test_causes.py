"""One cause for each object without a good anchor, found by lifting one limit at a time."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given

from ssd.anchors import make_anchors
from ssd.boxes import jaccard
from ssd.config import AnchorPreset, GridAnchors, SizeAnchors, anchor_preset, any_preset
from ssd.coverage import CAUSES, cause_counts, lifted_jaccards, preset_coverage, worst_objects
from ssd.coverage.nearest import nearest_anchors
from ssd.data.object_table import ObjectTable, object_table
from ssd.data.records import make_target
from tests.strategies import anchor_configs, boxes


def table(*found: list[float], pictures_wh: tuple[tuple[int, int], ...] = ()) -> ObjectTable:
    """One object a picture."""
    targets = [make_target(torch.tensor([box]), torch.tensor([1])) for box in found]
    return object_table(targets, class_names=("cat",), pictures_wh=pictures_wh)


def preset(config: SizeAnchors | GridAnchors, threshold: float = 0.5) -> AnchorPreset:
    return AnchorPreset("mine", config, "an example", threshold)


SQUARES = preset(GridAnchors(grids=(4,)))  # 16 squares, each a quarter of the picture wide
CASES = {
    "size": [0.35, 0.35, 0.40, 0.40],  # a small square in the middle of a cell
    "ratio": [0.125, 0.3125, 0.625, 0.4375],  # a cell's area, four times as wide as high
    "stride": [0.375, 0.375, 0.625, 0.625],  # exactly a cell's size, on the corner of four
}


@pytest.mark.parametrize(("cause", "box"), CASES.items(), ids=CASES)
def test_an_object_that_one_limit_keeps_from_an_anchor_has_that_cause(cause, box):
    found = preset_coverage(table(box), SQUARES)

    (worst,) = worst_objects(found, SQUARES)

    assert worst.cause == cause
    assert worst.enough == (worst.lifted[cause] >= 0.5)
    assert worst.lifted[cause] == max(worst.lifted.values()) > worst.best_jaccard
    assert not worst.covered


def test_an_object_at_the_border_is_kept_from_its_anchor_by_the_part_outside():
    wide = preset(GridAnchors(grids=(4,), zooms=(2.0,)))  # reach an eighth beyond the border

    (worst,) = worst_objects(preset_coverage(table([0.0, 0.0, 0.375, 0.375]), wide), wide)

    assert worst.best_jaccard == pytest.approx(9 / 16)
    assert (worst.cause, worst.lifted["clip"]) == ("clip", pytest.approx(1.0))


def test_the_limit_on_width_and_height_can_be_the_cause():
    config = SizeAnchors(((3, 3),), (90.0,), (150.0,), ((),), picture_wh=(100, 100), clip="size")
    mine = preset(config, threshold=0.9)
    found = preset_coverage(
        table([0.0, 0.0, 11 / 12, 11 / 12]), mine
    )  # 150 px around a sixth, cut to 0–11/12

    (worst,) = worst_objects(found, mine)

    assert worst.best_jaccard < 0.9 and worst.lifted["clip"] == pytest.approx(1.0)
    assert worst.cause == "clip" and worst.enough


@pytest.mark.slow
@given(boxes(min_side=0.02, min_size=1, max_size=6), anchor_configs())
def test_lifting_a_limit_is_what_the_definition_says(found, config):
    """By brute force, with every anchor of the grid built anew for each object."""
    mine = preset(config)
    objects = table(*found.tolist())
    anchors = make_anchors(config)
    wh, middle = (
        anchors.boxes[:, 2:] - anchors.boxes[:, :2],
        (anchors.boxes[:, 2:] + anchors.boxes[:, :2]) / 2,
    )
    covered = preset_coverage(objects, mine)
    if isinstance(config, SizeAnchors) and config.picture_wh[0] != config.picture_wh[1]:
        assert covered.size_wh == config.picture_wh  # a grid that is not square stays as it is

    lifted = lifted_jaccards(covered, mine, rows=torch.arange(len(found)))

    for number, box in enumerate(found):
        own = box[2:] - box[:2]
        area = wh.prod(dim=1, keepdim=True)
        sized = wh * (own.prod() / area).sqrt()
        side, root = area.sqrt(), (own[0] / own[1]).sqrt()
        turned = torch.cat([side * root, side / root], dim=1)
        centred = ((box[2:] + box[:2]) / 2).expand_as(middle)
        for column, (centre, shape) in enumerate(((middle, sized), (middle, turned), (centred, wh))):
            moved = torch.cat([centre - shape / 2, centre + shape / 2], dim=1)
            expected = jaccard(box[None], moved).max()
            assert float(lifted[number, column]) == pytest.approx(float(expected), abs=1e-4)
        assert float(lifted[number, 3]) >= float(covered.best_jaccard[number]) - 1e-5


def test_every_uncovered_object_has_one_cause():
    generator = torch.Generator().manual_seed(0)
    low = torch.rand(60, 2, generator=generator) * 0.8
    objects = table(
        *torch.cat([low, low + 0.005 + 0.19 * torch.rand(60, 2, generator=generator)], 1).tolist()
    )
    voc = anchor_preset("ssd300-voc")

    found = preset_coverage(objects, voc)

    counts = cause_counts(found, voc)
    assert tuple(counts) == CAUSES
    assert sum(counts.values()) == int((~found.covered).sum()) > 10
    worst = worst_objects(found, voc, count=60)
    assert {c: sum(w.cause == c and not w.covered for w in worst) for c in CAUSES} == counts
    assert [w.best_jaccard for w in worst] == sorted(w.best_jaccard for w in worst)


def test_the_worst_are_named_by_picture_and_row():
    both = make_target(torch.tensor([[0.0, 0.0, 0.9, 0.9], [0.5, 0.5, 0.51, 0.52]]), torch.tensor([1, 2]))
    objects = object_table(
        [make_target(torch.zeros(0, 4), torch.zeros(0).long()), both], class_names=("a", "b")
    )
    voc = anchor_preset("ssd300-voc")

    worst = worst_objects(preset_coverage(objects, voc), voc, count=1)[0]

    assert (worst.picture, worst.row, worst.category) == (1, 1, "b")
    assert worst.wh_px == pytest.approx((3.0, 6.0), abs=1e-4)
    assert worst.box == pytest.approx((0.5, 0.5, 0.51, 0.52))


def test_pyramids_have_causes_on_each_pictures_own_grid():
    objects = table([0.3, 0.3, 0.31, 0.31], [0.3, 0.3, 0.31, 0.31], pictures_wh=((640, 480), (100, 500)))
    retinanet = any_preset("retinanet")

    worst = worst_objects(preset_coverage(objects, retinanet), retinanet)

    sides = {each.picture: each.wh_px for each in worst}
    assert sides[0] == pytest.approx((10.66, 8.0), abs=1e-3)
    assert sides[1] == pytest.approx((2.66, 13.33), abs=1e-3)
    assert {each.cause for each in worst} == {"size"}


def test_nothing_is_the_worst_of_nothing():
    voc = anchor_preset("ssd300-voc")
    found = preset_coverage(object_table([], class_names=("a",)), voc)

    assert worst_objects(found, voc) == ()
    assert sum(cause_counts(found, voc).values()) == 0


@given(boxes(min_side=0.02, max_size=8), anchor_configs())
def test_the_nearest_cell_holds_the_best_anchor_of_its_shape(found, config):
    anchors = make_anchors(config)

    best = nearest_anchors(found, anchors.levels).jaccard

    expected = jaccard(found, anchors.boxes)
    assert best.shape == (len(found), sum(len(level.shapes_wh) for level in anchors.levels))
    if len(found):
        torch.testing.assert_close(
            best.max(dim=1).values.float(), expected.max(dim=1).values, atol=1e-5, rtol=0
        )
        for level in range(len(anchors.levels)):
            shapes = len(anchors.levels[level].shapes_wh)
            first = sum(len(each.shapes_wh) for each in anchors.levels[:level])
            for shape in range(shapes):
                own = expected[:, (anchors.level == level) & (anchors.shape == shape)].max(dim=1).values
                torch.testing.assert_close(best[:, first + shape].float(), own, atol=1e-5, rtol=0)
