"""Fitted anchors: the score is that of coverage, the budget is kept, and fitting helps."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ssd.anchors import make_anchors
from ssd.config import (
    MATCHING_RULES,
    AnchorPreset,
    GridAnchors,
    SizeAnchors,
    anchor_preset,
    caffe_anchors,
)
from ssd.coverage import Objective, coverage, fit_anchors, preset_coverage
from ssd.coverage.fit_space import fit_space, k_means
from ssd.data.object_table import ObjectTable, object_table, read_objects
from ssd.data.records import make_target
from ssd.errors import ConfigError, DataError
from tests.strategies import anchor_configs, boxes

SMALL = AnchorPreset(
    "small",
    caffe_anchors(grids=(12, 6), min_px=(30, 60), max_px=(60, 111), ratios=((2.0,), (2.0, 3.0)), side_px=96),
    "an example",
)


def table(*pictures: torch.Tensor) -> ObjectTable:
    """One tensor of boxes for each picture."""
    targets = [make_target(found, torch.ones(len(found)).long()) for found in pictures]
    return object_table(targets, class_names=("cell",))


def cells(count: int, *, seed: int, wh: tuple[float, float] = (0.1, 0.2)) -> ObjectTable:
    """Boxes of about one size, three a picture."""
    generator = torch.Generator().manual_seed(seed)
    low = torch.rand(count, 3, 2, generator=generator) * 0.7
    size = torch.tensor(wh) * (1 + 0.2 * torch.randn(count, 3, 2, generator=generator)).clamp(0.5, 1.4)
    return table(*torch.cat([low, low + size], dim=2))


@example(  # no anchor touches the second box: it claims the very first anchor, which is the other one's best
    pictures=[torch.tensor([[0.0, 0.0, 0.5, 0.5], [0.0, 0.0, 1.0, 0.02]])],
    config=SizeAnchors(
        grids_wh=((3, 2), (1, 1)),
        sizes_px=(14.0, 1.0),
        extra_sizes_px=(1.0, 1.0),
        ratios=((), ()),
        picture_wh=(50, 50),
    ),
    rule="overwrite",
    threshold=0.3,
)
@example(  # the second box lies between two cells: it claims the first of them
    pictures=[torch.tensor([[0.0, 0.0, 0.5, 1.0], [0.45, 0.4, 0.55, 0.6]])],
    config=GridAnchors(grids=(2,)),
    rule="overwrite",
    threshold=0.3,
)
@given(
    st.lists(boxes(min_side=0.02, max_size=6), min_size=1, max_size=5),
    anchor_configs(),
    st.sampled_from(MATCHING_RULES),
    st.sampled_from([0.3, 0.5, 0.7]),
)
def test_the_score_is_what_coverage_finds(pictures, config, rule, threshold):
    objects = table(*pictures)

    found = Objective(objects, rule=rule, threshold=threshold).score(config)

    expected = coverage(objects, make_anchors(config), size_wh=(1, 1), rule=rule, threshold=threshold)
    assert found.num_objects == len(objects)
    assert found.without_anchor == int((~expected.covered).sum())
    assert found.not_free == int((expected.forced_only | expected.orphan).sum())
    if len(objects):
        assert found.mean_best_jaccard == pytest.approx(float(expected.best_jaccard.mean()), abs=1e-5)


def test_an_object_that_loses_its_anchor_to_another_is_not_free():
    pair = torch.tensor([[0.20, 0.22, 0.52, 0.28], [0.20, 0.21, 0.52, 0.28]])  # facts.md's orphan pair
    voc = anchor_preset("ssd300-voc").anchors

    scores = {
        r: Objective(table(pair), rule=r, threshold=0.45).score(voc) for r in ("bipartite", "overwrite")
    }

    assert [score.without_anchor for score in scores.values()] == [0, 0]
    assert [score.not_free for score in scores.values()] == [1, 1]


def test_beyond_the_limit_the_best_case_is_told_and_within_it_the_truth():
    pair = torch.tensor([[0.20, 0.22, 0.52, 0.28], [0.20, 0.21, 0.52, 0.28]])
    objective = Objective(table(pair), rule="bipartite", threshold=0.45)
    config = anchor_preset("ssd300-voc").anchors

    truth = objective.score(config)

    assert objective.score(config, limit=0.1).loss < truth.loss
    assert objective.score(config, limit=truth.loss) == truth


@pytest.mark.parametrize("start", [SMALL.anchors, anchor_preset("lesson-multi").anchors])
def test_fitting_helps_and_keeps_the_budget(start):
    preset = AnchorPreset("start", start, "an example", threshold=0.5)

    steps = list(
        fit_anchors(cells(12, seed=0), start=preset, held_out=cells(12, seed=1), generations=6, population=12)
    )

    first, last = steps[0], steps[-1]
    assert [step.generation for step in steps] == list(range(7))
    assert first.anchors == start and first.after == first.before
    assert last.after.loss < first.before.loss - 0.05
    assert last.held_out.loss < last.held_out_before.loss - 0.05
    losses = [step.after.loss for step in steps]
    assert losses == sorted(losses, reverse=True)
    assert len(make_anchors(last.anchors)) <= len(make_anchors(start))
    for old, new in zip(start.levels(), last.anchors.levels(), strict=True):
        assert len(new.shapes_wh) == len(old.shapes_wh)


def test_the_numbers_of_a_step_are_those_of_its_preset():
    objects = cells(10, seed=3)

    last = list(fit_anchors(objects, start=SMALL, generations=3, population=8))[-1]

    found = preset_coverage(objects, last.preset("mine"))
    assert int((~found.covered).sum()) == last.after.without_anchor
    assert float(found.best_jaccard.mean()) == pytest.approx(last.after.mean_best_jaccard, abs=1e-5)
    assert last.preset("mine").threshold == SMALL.threshold and "small" in last.preset("mine").source


def test_the_same_seed_gives_the_same_anchors_and_another_gives_others():
    def fitted(seed: int):
        return list(fit_anchors(cells(8, seed=0), start=SMALL, generations=3, population=8, seed=seed))[-1]

    assert fitted(1) == fitted(1)
    assert fitted(1).anchors != fitted(2).anchors


def test_a_fit_that_is_stopped_has_kept_the_best():
    steps = list(itertools.islice(fit_anchors(cells(8, seed=0), start=SMALL, generations=50), 3))

    assert steps[-1].generation == 2 and steps[-1].after.loss < steps[0].before.loss


def test_kept_grids_stay():
    start = AnchorPreset("start", GridAnchors(grids=(4, 2)), "an example")

    last = list(fit_anchors(cells(8, seed=0), start=start, generations=3, keep_grids=True))[-1]

    assert last.anchors.grids == (4, 2) and last.after.loss < last.before.loss


def test_grids_beyond_the_budget_are_no_configuration():
    space = fit_space(GridAnchors(grids=(4, 2)))
    vector = space.vector(space.start)

    assert space.config(np.array([5.0, 1.0, *vector[2:]])) is None  # 26 boxes instead of 20
    assert space.config(np.array([2.0, 4.0, *vector[2:]])).grids == (2, 4)


@settings(max_examples=30)
@given(anchor_configs())
def test_the_start_lies_in_its_space(config):
    space = fit_space(config)

    again = space.config(space.vector(config))

    assert again.levels()[0].grid_wh == config.levels()[0].grid_wh
    for old, new in zip(config.levels(), again.levels(), strict=True):
        torch.testing.assert_close(torch.tensor(sorted(new.shapes_wh)), torch.tensor(sorted(old.shapes_wh)))


def test_k_means_finds_sizes_and_ratios_on_a_picture_that_is_not_square():
    config = caffe_anchors(grids=(8,), min_px=(30,), max_px=(60,), ratios=((2.0,),), side_px=100)
    wide = type(config)(**{**vars(config), "picture_wh": (200, 100)})
    wh = np.array([[0.10, 0.10]] * 5 + [[0.40, 0.40]] * 5)  # 20 × 10 and 80 × 40 px

    found = k_means(wide, wh)

    assert (found.sizes_px[0], found.extra_sizes_px[0]) == pytest.approx((math.sqrt(200), math.sqrt(3200)))
    assert found.ratios[0] == pytest.approx((2.0,))


def test_without_objects_nothing_can_be_fitted_and_numbers_are_checked():
    with pytest.raises(DataError, match="at least one object"):
        fit_anchors(table(torch.zeros(0, 4)), start=SMALL)
    with pytest.raises(ConfigError, match="5 configurations"):
        fit_anchors(cells(2, seed=0), start=SMALL, population=4)


@pytest.mark.data
@pytest.mark.slow
def test_blood_cells_without_an_anchor_become_fewer_on_pictures_that_were_held_out(shared_data):
    train, val = (read_objects(shared_data / "bccd", split=split) for split in ("train", "val"))

    last = list(
        fit_anchors(train, start=anchor_preset("ssd300-voc"), held_out=val, generations=4, population=12)
    )[-1]

    assert last.held_out_before.without_anchor == 34
    assert last.held_out.without_anchor < 20


@pytest.mark.data
@pytest.mark.slow
def test_cards_get_a_higher_mean_jaccard_on_pictures_that_were_held_out(shared_data):
    train, val = (read_objects(shared_data / "cards", split=split) for split in ("train", "val"))

    last = list(
        fit_anchors(train, start=anchor_preset("ssd300-voc"), held_out=val, generations=8, population=12)
    )[-1]

    assert last.held_out_before.without_anchor == last.held_out.without_anchor == 0
    assert last.held_out.mean_best_jaccard > last.held_out_before.mean_best_jaccard + 0.02
