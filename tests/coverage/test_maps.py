"""Numbers for charts: golden recalls of squares, the map of sizes, curves of a data set."""

from __future__ import annotations

import pytest
import torch

from ssd.config import AnchorPreset, GridAnchors, anchor_preset, any_preset
from ssd.coverage import best_jaccards, preset_coverage, recall_curves, size_map, square_recall
from ssd.data.object_table import object_table
from ssd.data.records import make_target

VOC, COCO = anchor_preset("ssd300-voc"), anchor_preset("ssd300-coco")


def objects(*found: list[float], pictures_wh: tuple[tuple[int, int], ...] = ()):
    """One object a picture."""
    targets = [make_target(torch.tensor([box]), torch.tensor([1])) for box in found]
    return object_table(targets, class_names=("cat",), pictures_wh=pictures_wh)


def test_squares_are_covered_as_computed_independently():
    sides_px = (8, 12, 16, 20, 24, 32)

    voc, coco = square_recall([VOC, COCO], sides=[side / 300 for side in sides_px])

    assert voc.recall == (0, 0, 0, 0, 1, 1)  # facts.md
    assert coco.recall == pytest.approx((0, 0, 0.91, 1, 1, 1), abs=0.03)
    assert (voc.preset, coco.preset, voc.threshold) == ("ssd300-voc", "ssd300-coco", 0.5)


def test_a_finer_pyramid_reaches_smaller_squares():
    voc, retinanet = square_recall([VOC, any_preset("retinanet")])

    def smallest(curve):
        return min(side for side, recall in zip(curve.sides, curve.recall, strict=True) if recall == 1)

    assert voc.sides == retinanet.sides
    assert smallest(retinanet) < smallest(voc) / 1.8


def test_the_map_is_that_of_matching_on_the_true_grid():
    cells = AnchorPreset("cells", GridAnchors(grids=(2,)), "an example")  # four squares of half a picture

    found = size_map(cells, size_px=100, steps=3)  # 6, 24.5 and 100 px

    assert found.widths_px == found.heights_px == pytest.approx((6, 24.49, 100), abs=0.01)
    assert found.mean_jaccard[2, 2] == pytest.approx(0.25)  # the whole picture against a quarter of it
    assert float(found.mean_jaccard[0, 2]) == pytest.approx(float(found.mean_jaccard[2, 0]), rel=0.02)
    assert float(found.mean_jaccard[1, 1]) <= 0.2449**2 / 0.25 + 1e-6
    assert found.shapes_px == ((50.0, 50.0, 0),)


def test_rows_of_the_map_are_heights():
    tall = AnchorPreset("tall", GridAnchors(grids=(24,), ratios=((1.5, 6.0),)), "an example")

    found = size_map(tall, size_px=96, steps=3)  # shapes of 6 × 24 px

    assert found.mean_jaccard[1, 0] > 3 * found.mean_jaccard[0, 1]  # 24 high and 6 wide, not the other way


def test_the_threshold_and_the_size_of_a_map_can_be_chosen():
    assert size_map(VOC, steps=4, threshold=0.99).recall.max() < 0.3
    small, large = (size_map(VOC, steps=2, size_px=size).widths_px[-1] for size in (300, 512))
    assert (small, large) == pytest.approx((300, 512))


def test_curves_group_by_the_share_of_the_picture_for_all_presets_alike():
    table = objects([0.1, 0.1, 0.14, 0.14], [0.1, 0.1, 0.6, 0.6], [0.1, 0.1, 0.9, 0.4])

    voc, retinanet = recall_curves(table, [VOC, any_preset("retinanet")], edges=(0, 0.1, 0.3, 1))

    assert voc.num_objects == retinanet.num_objects == (1, 0, 2)
    assert voc.recall == (0, None, 1)
    assert retinanet.recall == (1, None, 1)
    assert voc.sides == pytest.approx((0.05, 0.2, 0.65))


def test_the_short_way_to_the_best_jaccard_is_right_for_pictures_of_several_shapes():
    wh = ((640, 480), (100, 500), (640, 480))
    table = objects([0.1, 0.1, 0.3, 0.2], [0.2, 0.3, 0.9, 0.5], [0.5, 0.5, 0.6, 0.9], pictures_wh=wh)

    for preset in (VOC, any_preset("faster-rcnn")):
        torch.testing.assert_close(
            best_jaccards(table, preset), preset_coverage(table, preset).best_jaccard, atol=1e-5, rtol=0
        )
