"""Detections held against objects, and the fate of each candidate in words."""

from __future__ import annotations

import torch

from ssd.config import SelectionConfig
from ssd.data.records import Target, make_target
from ssd.detections import select
from ssd.figures.canvas import Outcome
from ssd.figures.findings import candidate_sentence, fits, funnel, picture_result, worth_of

BOXES = torch.tensor(
    [[0.0, 0.0, 0.5, 0.5], [0.0, 0.0, 0.5, 0.45], [0.6, 0.6, 0.9, 0.9], [0.1, 0.7, 0.2, 0.8]]
)
SCORES = torch.tensor([[0.9, 0.0], [0.8, 0.0], [0.0, 0.7], [0.0, 0.6]])
THERE = make_target(
    torch.tensor([[0.0, 0.0, 0.5, 0.5], [0.6, 0.6, 0.9, 0.85], [0.3, 0.3, 0.4, 0.4]]),
    torch.tensor([2, 1, 3]),
)
NAMES = {"scene_classes": ("cat", "dog", "sheep"), "model_classes": ("dog", "cat"), "size_wh": (200, 100)}


def picked(**limits):
    return select(BOXES, SCORES, config=SelectionConfig(**limits))


def test_every_kept_candidate_is_right_or_wrong_and_the_others_are_neither():
    worth = worth_of(picked(), THERE, **NAMES).outcomes

    assert worth.tolist() == [
        Outcome.TRUE_POSITIVE,
        Outcome.UNKNOWN,
        Outcome.TRUE_POSITIVE,
        Outcome.FALSE_POSITIVE,
    ]


def test_a_true_positive_names_its_object_and_nothing_else_does():
    hits = worth_of(picked(), THERE, **NAMES).hits.tolist()

    assert [THERE.labels[g].item() for g in hits if g >= 0] == [2, 1]  # the dog at .9, the cat at .7
    assert [g >= 0 for g in hits] == [True, False, True, False]


def test_without_objects_every_detection_is_wrong_and_nothing_is_missed():
    worth = worth_of(picked(), Target.empty(), **NAMES)

    assert (worth.outcomes[picked().kept] == int(Outcome.FALSE_POSITIVE)).all()
    assert (worth.hits < 0).all()


def test_objects_are_told_apart_by_the_name_of_their_class_not_by_its_number():
    result = picture_result(picked().detections, THERE, **NAMES)

    assert result.gt_labels.tolist() == [1, 2, 0]  # dog and cat in the model's order; it knows no sheep
    assert result.gt_ignored.tolist() == [False, False, True]


def test_a_candidate_that_was_suppressed_still_says_which_object_it_would_take():
    worth = worth_of(picked(), THERE, **NAMES)

    assert worth.answers.tolist() == [0, 0, 1, -1]
    assert worth.hits.tolist() == [0, -1, 1, -1]


def test_the_funnel_narrows_stage_by_stage():
    counts = [count for _, count in funnel(picked(top_k=1, max_detections=1), num_anchors=4)]

    assert counts == [4, 4, 2, 2, 1]
    assert counts == sorted(counts, reverse=True)


def test_each_fate_has_its_sentence():
    names = ("dog", "cat")

    assert candidate_sentence(picked(), 0, class_names=names) == "dog 0.90 stays, and suppresses 1 other."
    assert "suppressed by candidate 0 (dog 0.90) at jaccard 0.90" in candidate_sentence(
        picked(), 1, class_names=names
    )
    assert "beyond top-k" in candidate_sentence(picked(top_k=1), 3, class_names=names)
    assert "beyond the cap" in candidate_sentence(picked(max_detections=1), 2, class_names=names)


def test_a_model_fits_where_it_knows_every_class():
    assert fits(("dog",), ("cat", "dog"))
    assert not fits(("dog", "sheep"), ("cat", "dog"))
