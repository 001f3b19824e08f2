"""The confusion matrix: its cells by hand, its sums by law."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ssd.errors import ConfigError
from ssd.metrics import Cell, above, confusion, pair_up
from tests.metrics.pictures import CAT, DOG, picture, random_results

NAMES = ["dog", "cat"]
BACKGROUND = 2


def test_every_kind_of_cell_by_hand():
    results = [
        picture([(DOG, 1, False)], [(DOG, 1, 0.9), (DOG, 1, 0.8)]),  # found, and a duplicate
        picture([(CAT, 2, False), (DOG, 1, False)], [(CAT, 1, 0.7)]),  # cat taken for dog, dog missed
        picture([], [(CAT, 2, 0.6)]),  # cat on background
        picture([(CAT, 2, False)], [(CAT, 2, 0.25)]),  # not above the threshold: missed
    ]

    found = confusion(results, class_names=NAMES, score_threshold=0.25)

    assert found.names == ("dog", "cat", "background")
    assert found.counts.tolist() == [[1, 0, 1], [1, 0, 1], [1, 1, 0]]
    assert found.cells == {
        (0, 0): (Cell(0, 0, 0),),
        (0, BACKGROUND): (Cell(1, 1, -1),),
        (1, 0): (Cell(1, 0, 0),),
        (1, BACKGROUND): (Cell(3, 0, -1),),
        (BACKGROUND, 0): (Cell(0, -1, 1),),
        (BACKGROUND, 1): (Cell(2, -1, 0),),
    }


def test_the_closest_pair_of_different_classes_is_one_confusion():
    near, nearer = [0.1, 0.2, 0.5, 0.55], [0.1, 0.2, 0.5, 0.58]
    scene = picture([(DOG, 1, False)], [(near, 2, 0.9), (nearer, 2, 0.5)])

    found = confusion([scene], class_names=NAMES, score_threshold=0.1)

    assert found.cells == {(0, 1): (Cell(0, 0, 1),), (BACKGROUND, 1): (Cell(0, -1, 0),)}


def test_ignored_objects_and_what_lies_on_them_are_in_no_cell():
    scene = picture([(DOG, 1, True)], [(DOG, 1, 0.9), (DOG, 2, 0.9)])

    assert confusion([scene], class_names=NAMES, score_threshold=0.1).cells == {}


def test_a_confusion_needs_the_evaluation_iou():
    scene = picture([(DOG, 1, False)], [([0.1, 0.2, 0.5, 0.52], 2, 0.9)])  # jaccard .8

    assert (0, 1) in confusion([scene], class_names=NAMES, score_threshold=0.1, evaluation_iou=0.75).cells
    assert (0, 1) not in confusion([scene], class_names=NAMES, score_threshold=0.1, evaluation_iou=0.85).cells
    with pytest.raises(ConfigError, match="0–1"):
        confusion([scene], class_names=NAMES, score_threshold=0.1, evaluation_iou=2)


def test_without_pictures_the_matrix_is_empty():
    found = confusion([], class_names=NAMES, score_threshold=0.1)

    assert found.counts.sum() == 0 and found.counts.shape == (3, 3)


@pytest.mark.slow
@given(seed=st.integers(0, 10_000), score=st.sampled_from([0.0, 0.25, 0.5]), iou=st.sampled_from([0.3, 0.5]))
def test_rows_add_up_to_objects_columns_to_detections_the_diagonal_to_hits(seed, score, iou):
    results = random_results(seed)
    names = ["a", "b", "c"]

    found = confusion(results, class_names=names, score_threshold=score, evaluation_iou=iou)

    left = pair_up(above(results, score))
    hits = left.hits(evaluation_iou=iou)
    for label in range(1, 4):
        objects = int(((left.gt_label == label) & ~left.gt_ignored).sum())
        said = int(((left.label == label) & ~hits.ignored).sum())
        assert int(found.counts[label - 1].sum()) == objects
        assert int(found.counts[:, label - 1].sum()) == said
        assert int(found.counts[label - 1, label - 1]) == int(hits.true_positive[left.label == label].sum())
    assert int(found.counts[3, 3]) == 0
    assert sum(map(len, found.cells.values())) == int(found.counts.sum())


@given(seed=st.integers(0, 10_000))
def test_each_object_and_each_detection_is_in_one_cell_of_its_class(seed):
    results = random_results(seed)

    found = confusion(results, class_names=["a", "b", "c"], score_threshold=0.2)

    seen = set()
    for (row, column), entries in found.cells.items():
        for picture_index, gt, detection in entries:
            result = results[picture_index]
            assert (int(result.gt_labels[gt]) - 1 if gt >= 0 else 3) == row
            assert (int(result.labels[detection]) - 1 if detection >= 0 else 3) == column
            for key in ((picture_index, "gt", gt), (picture_index, "said", detection)):
                assert key[2] < 0 or key not in seen
                seen.add(key)


def test_nothing_that_goes_in_is_changed():
    results = random_results(3)
    before = [{name: torch.as_tensor(value).clone() for name, value in vars(r).items()} for r in results]

    confusion(results, class_names=["a", "b", "c"], score_threshold=0.2)

    for result, copy in zip(results, before, strict=True):
        for name, value in vars(result).items():
            assert torch.equal(torch.as_tensor(value), copy[name])
