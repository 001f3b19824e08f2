"""The verdict: sentences whose every number can be counted by hand."""

from __future__ import annotations

import pytest
import torch

from ssd.config import anchor_preset
from ssd.coverage import preset_coverage, verdict
from ssd.data.object_table import object_table
from ssd.data.records import make_target

VOC = anchor_preset("ssd300-voc")
SMALL, FAIR, LARGE = [0.1, 0.1, 0.13, 0.13], [0.1, 0.1, 0.22, 0.22], [0.1, 0.1, 0.9, 0.9]


def said(*pictures: list[tuple[list[float], int]], **more):
    """The sentences about pictures of (box, label)."""
    return verdict(found(*pictures), preset="ssd300-voc", **more)


def found(*pictures: list[tuple[list[float], int]], **options):
    """Coverage of pictures of (box, label)."""
    targets = [
        make_target(
            torch.tensor([b for b, _ in each]).reshape(-1, 4), torch.tensor([n for _, n in each]).long()
        )
        for each in pictures
    ]
    return preset_coverage(object_table(targets, class_names=("cat", "dog")), VOC, **options)


def test_the_first_sentence_names_what_is_not_covered_its_class_and_its_size():
    sentences = said([(SMALL, 1), (FAIR, 1), (LARGE, 2)], [(SMALL, 1), (LARGE, 2)], [])

    assert sentences == (
        "5 objects in 3 pictures; 40 % have no anchor at jaccard .5 under ssd300-voc, "
        "all of them cat smaller than 16 px at 300 px.",
    )


def test_several_classes_are_not_called_one():
    sentence = said([(SMALL, 1), (SMALL, 2), (LARGE, 1)])[0]

    assert sentence.endswith("under ssd300-voc, all of them smaller than 16 px at 300 px.")


def test_a_class_that_has_most_is_told_with_its_number():
    sentence = said([(SMALL, 1)] * 9 + [(SMALL, 2), (LARGE, 1)])[0]

    assert "; 9 of these 10 are cat, and all are smaller than 16 px at 300 px." in sentence


def test_a_size_that_tells_nothing_is_not_told():
    """Nearly every object is as small as those without an anchor."""
    thin, as_small = [0.1, 0.1, 0.5, 0.12], [0.1, 0.1, 0.2, 0.2]

    sentence = said([(thin, 1)] + [(as_small, 1)] * 20)[0]

    assert "px" not in sentence and sentence.endswith("under ssd300-voc: one cat.")


def test_a_data_set_that_is_covered_says_how_well():
    sentence = said([(LARGE, 1)])[0]

    worst = float(found([(LARGE, 1)]).best_jaccard.min())
    assert sentence == (
        "1 object in 1 picture; every one has an anchor at jaccard .5 under ssd300-voc, "
        f"the worst reaches {f'{worst:.2f}'[1:]}."
    )


@pytest.mark.parametrize(
    ("numbers", "sentence"),
    [
        ({"without_area": 2}, "Two boxes have no area."),
        ({"without_area": 1}, "One box has no area."),
        ({"without_area": 12}, "12 boxes have no area."),
        ({"without_area": 1, "problems": 1}, "One box has no area."),
        ({"without_area": 1, "problems": 4}, "One box has no area, and the doctor lists 3 other problems."),
        ({"problems": 1}, "The doctor lists 1 problem."),
        ({"problems": 0}, "The doctor found nothing to mend."),
    ],
)
def test_the_second_sentence_counts_what_is_broken(numbers, sentence):
    assert said([(LARGE, 1)], **numbers)[1:] == (sentence,)


def test_what_was_not_asked_is_not_told():
    assert len(said([(LARGE, 1)])) == 1


def test_the_third_sentence_tells_what_was_measured():
    pictures = [(SMALL, 1), (SMALL, 2), (FAIR, 1)]
    large, before = found(pictures, size_px=800), found(pictures)
    half = found([(SMALL, 1), (FAIR, 2), (FAIR, 1)])

    assert said(pictures, larger=large)[-1] == "Trained at 800 px, all would have one."
    assert said(pictures, fitted=half)[-1] == "Fitted anchors would cover all but 1."
    assert said(pictures, fitted=found([(FAIR, 1)]))[-1] == "Fitted anchors would cover all."
    means = [f"{round(float(c.best_jaccard.mean()), 3):g}"[1:] for c in (before, before)]
    assert said(pictures, fitted=before)[-1] == (
        f"Fitted anchors would move the mean best jaccard from {means[0]} to {means[1]}."
    )


def test_a_larger_size_that_nothing_needs_is_not_advised():
    assert len(said([(LARGE, 1)], larger=found([(LARGE, 1)]))) == 1


def test_a_data_set_without_objects_says_so():
    assert said([], []) == ("No object that counts in 2 pictures: there is nothing to learn.",)


@pytest.mark.slow
def test_a_share_is_never_rounded_to_nothing():
    many = [[(LARGE, 1)]] * 2500 + [[(SMALL, 1)]]

    assert "; under 0.1 % have no anchor" in said(*many)[0]
