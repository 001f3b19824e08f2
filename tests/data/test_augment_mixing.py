"""Pasted objects, mosaic and mixup."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from ssd.boxes import jaccard, to_pixels
from ssd.data.augment import Augmentation, AugmentConfig
from ssd.data.augment_mixing import Draw, paste
from ssd.data.records import Sample, make_target
from tests.data.painted import GREY, extents_px, painted

PASTING = AugmentConfig(flip=0.0, paste=1.0)


def donor(n: int) -> Sample:
    """A picture with an object of label 4, oblong, and one of label 5."""
    return painted(
        size_wh=(140, 100), first_label=4, boxes_px=[(20.0, 30.0, 60.0, 46.0), (90.0, 50.0, 120.0, 80.0)]
    )


def pasted(seed: int, sample: Sample | None = None, **changes: object) -> Sample:
    """A sample with objects of the donor."""
    config = dataclasses.replace(PASTING, **changes)
    return paste(sample or painted(), config=config, draw=Draw(seed), others=donor)


def test_the_box_of_a_pasted_object_frames_it_to_the_pixel():
    seen = 0

    for seed in range(30):
        made = pasted(seed, paste_max=1)
        boxes = to_pixels(made.target.boxes, width_px=200, height_px=120)
        for box, label in zip(boxes[3:], made.target.labels[3:].tolist(), strict=True):
            found = extents_px(made.picture, label, reach=120)
            torch.testing.assert_close(found, box, atol=1.1, rtol=0)
            seen += 1

    assert seen > 15


def test_only_chosen_classes_are_pasted():
    labels = {
        label for seed in range(30) for label in pasted(seed, paste_classes=(5,)).target.labels[3:].tolist()
    }

    assert labels == {5}


def test_the_objects_that_were_there_come_first_and_stay_as_they_were():
    made = pasted(3)

    assert len(made.target) > 3
    assert torch.equal(made.target.boxes[:3], painted().target.boxes)


def test_a_piece_covers_little_of_any_object():
    for seed in range(25):
        boxes = pasted(seed, paste_max=6).target.boxes
        for new in range(3, len(boxes)):
            assert float(jaccard(boxes[new : new + 1], boxes[:new]).max()) < 0.15
            low = torch.maximum(boxes[new, :2], boxes[:new, :2])
            high = torch.minimum(boxes[new, 2:], boxes[:new, 2:])
            cover = (high - low).clamp(min=0).prod(dim=1) / (boxes[:new, 2:] - boxes[:new, :2]).prod(dim=1)
            assert float(cover.max()) < 0.3


def test_where_there_is_no_room_nothing_is_pasted():
    full = painted(boxes_px=[(0.0, 0.0, 200.0, 120.0)])
    crowded = dataclasses.replace(
        full,
        target=make_target(
            torch.tensor(
                [[x / 20, y / 12, (x + 1) / 20, (y + 1) / 12] for x in range(20) for y in range(12)]
            ),
            torch.ones(240, dtype=torch.int64),
        ),
    )

    assert len(pasted(0, crowded).target) == 240


def test_the_edge_is_a_soft_ellipse():
    blank = painted(boxes_px=[])
    made = next(
        made
        for seed in range(20)
        if len((made := pasted(seed, blank, paste_classes=(5,), paste_max=1)).target)
    )
    x1, y1, x2, y2 = to_pixels(made.target.boxes, width_px=200, height_px=120).int()[0].tolist()
    piece = made.picture[:, y1:y2, x1:x2].int()

    corners = piece[:, [0, 0, -1, -1], [0, -1, 0, -1]]
    middle, side = piece[:, 15, 15], piece[:, 15, 0]

    assert bool((corners == GREY).all())  # nothing of the piece
    assert int(middle[1]) == 0 and int(middle[0]) > 230  # nothing of the background
    assert 0 < int(side[1]) < GREY  # some of both


def test_pieces_are_turned_only_where_that_is_wanted():
    def ratios(**changes: object) -> set[bool]:
        made = [pasted(seed, paste_classes=(4,), paste_max=1, **changes) for seed in range(40)]
        boxes = [to_pixels(m.target.boxes, width_px=200, height_px=120)[3:] for m in made]
        return {bool(b[2] - b[0] > b[3] - b[1]) for found in boxes for b in found}

    assert ratios(paste_turned=1.0) == {True, False}
    assert ratios(paste_turned=0.0) == {True}


@pytest.mark.parametrize("flag", ["difficult", "ignore"])
def test_difficult_and_ignored_objects_are_not_cut_out(flag):
    def marked(n: int) -> Sample:
        found = donor(n)
        return dataclasses.replace(
            found, target=dataclasses.replace(found.target, **{flag: torch.tensor([True, False])})
        )

    labels = {
        label
        for seed in range(20)
        for label in paste(painted(), config=PASTING, draw=Draw(seed), others=marked)
        .target.labels[3:]
        .tolist()
    }

    assert labels == {5}


def test_objects_that_the_border_cuts_are_not_cut_out():
    def at_the_border(n: int) -> Sample:
        return painted(size_wh=(140, 100), first_label=4, boxes_px=[(0.0, 30.0, 60.0, 46.0)])

    made = paste(painted(), config=PASTING, draw=Draw(0), others=at_the_border)

    assert len(made.target) == 3


def test_mixup_lays_two_pictures_over_each_other_with_all_objects():
    plain = AugmentConfig(flip=0.0)
    first, second = (Augmentation(plain, size_wh=(80, 60))(each, seed=0) for each in (painted(), donor(0)))

    report = Augmentation(dataclasses.replace(plain, mixup=1.0), size_wh=(80, 60)).explain(
        painted(), seed=4, others=donor
    )

    share = int(report.applied[0].removeprefix("mixed ").removesuffix("%")) / 100
    expected = first.picture * share + second.picture * (1 - share)
    assert 0.4 <= share <= 0.6
    torch.testing.assert_close(report.sample.picture.float(), expected, atol=2.0, rtol=0)
    assert report.sample.target.labels.tolist() == [1, 2, 3, 4, 5] and report.added == 2


def test_the_tiles_of_a_mosaic_meet_where_all_four_are_seen():
    change = Augmentation(AugmentConfig(flip=0.0, mosaic=1.0), size_wh=(100, 60))

    def one_colour(value: int) -> Sample:
        return dataclasses.replace(
            painted(boxes_px=[]), picture=torch.full((3, 40, 70), value, dtype=torch.uint8)
        )

    for seed in range(10):
        made = change(one_colour(10), seed=seed, others=lambda n: one_colour(100 + n % 100))
        shares = [(made.picture[0] == value).float().mean().item() for value in made.picture[0].unique()]
        assert 2 <= len(shares) <= 4 and min(shares) > 0.08  # .3 · .3 at least
        assert made.picture[0, 0, 0] == 10


def test_others_are_asked_with_whole_numbers_that_depend_on_the_seed_alone():
    asked: list[int] = []

    def listening(n: int) -> Sample:
        asked.append(n)
        return donor(n)

    change = Augmentation(AugmentConfig(mosaic=1.0, paste=0.5, mixup=0.5), size_wh=(32, 32))
    change(painted(), seed=7, others=listening)
    first = list(asked)
    asked.clear()
    change(painted(), seed=7, others=listening)

    assert asked == first and len(set(first)) >= 3 and min(first) >= 0
