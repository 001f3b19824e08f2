"""Drawn objects travel in a link: nothing is lost on the way, and nothing made-up gets in."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ssd.data.drawn import (
    DrawnObject,
    drawn_to_target,
    drawn_to_text,
    split_target,
    target_to_drawn,
    text_to_drawn,
    with_drawn,
)
from ssd.data.records import make_target
from ssd.errors import DataError
from ssd.limits import MAX_DRAWN_OBJECTS

GRID = 64**3 - 1


@st.composite
def drawn(draw):
    x1, y1 = draw(st.integers(0, GRID - 1)), draw(st.integers(0, GRID - 1))
    x2, y2 = draw(st.integers(x1 + 1, GRID)), draw(st.integers(y1 + 1, GRID))
    return DrawnObject(draw(st.integers(1, 90)), (x1 / GRID, y1 / GRID, x2 / GRID, y2 / GRID))


@given(st.lists(drawn(), max_size=MAX_DRAWN_OBJECTS))
def test_a_link_gives_back_exactly_the_objects_on_its_grid(objects):
    assert text_to_drawn(drawn_to_text(objects), num_classes=90) == tuple(objects)


@given(st.lists(st.floats(0, 1), min_size=4, max_size=4))
def test_a_link_moves_a_corner_by_less_than_a_hundredth_of_a_pixel(values):
    x1, x2 = sorted(values[:2])
    y1, y2 = sorted(values[2:])
    box = (x1 * 0.5, y1 * 0.5, 0.5 + x2 * 0.5, 0.5 + y2 * 0.5)
    (found,) = text_to_drawn(
        drawn_to_text([DrawnObject(3, box)]) if x2 and y2 else "none", num_classes=3
    ) or (DrawnObject(3, box),)

    assert max(abs(a - b) for a, b in zip(found.box, box, strict=True)) * 2000 < 0.01


def test_twenty_objects_need_fewer_than_three_hundred_letters():
    assert len(drawn_to_text([DrawnObject(20, (0.1, 0.2, 0.3, 0.4))] * MAX_DRAWN_OBJECTS)) < 300


def test_no_objects_and_no_word_about_objects_are_told_apart():
    assert drawn_to_text([]) == "none"
    assert text_to_drawn("none", num_classes=1) == ()


@pytest.mark.parametrize(
    "text",
    ["", "A", "ABAAAAAAgAA__", "ABAAAAAAgAA___\n", "ÄBAAAAAAgAA___", "AB" + "A" * 12, "<script>alert(1)",
     "ABAAAAAAgAA___" * 21, "A" * 10_000, "BBAAAAAAgAA___", "AAAAAAAAgAA___"],
)  # fmt: skip
def test_a_text_that_was_cut_or_made_up_is_refused(text):
    with pytest.raises(DataError):
        text_to_drawn(text, num_classes=20)


@pytest.mark.parametrize(
    "item",
    [DrawnObject(0, (0, 0, 1, 1)), DrawnObject(5000, (0, 0, 1, 1)), DrawnObject(1, (0, 0, float("nan"), 1))],
)
def test_an_object_that_no_link_can_carry_is_refused(item):
    with pytest.raises(DataError):
        drawn_to_text([item])


def test_the_twenty_first_object_is_refused():
    with pytest.raises(DataError, match="at most 20 objects, got 21"):
        drawn_to_text([DrawnObject(1, (0.0, 0.0, 1.0, 1.0))] * 21)


def mixed_target():
    return make_target(
        torch.tensor([[0.0, 0.25, 0.5, 1.0], [0.0, 0.0, 1.0, 0.5], [0.5, 0.5, 0.75, 0.75]]),
        torch.tensor([2, 1, 3]),
        difficult=torch.tensor([False, False, True]),
        ignore=torch.tensor([False, True, False]),
    )


def test_difficult_and_ignored_objects_are_not_matched():
    assert target_to_drawn(mixed_target()) == (DrawnObject(2, (0.0, 0.25, 0.5, 1.0)),)
    split = split_target(mixed_target())
    assert split.labels.tolist() == [2]
    assert split.ignored_boxes.tolist() == [[0.0, 0.0, 1.0, 0.5], [0.5, 0.5, 0.75, 0.75]]


def test_drawing_anew_keeps_what_is_ignored_and_why():
    found = with_drawn(mixed_target(), [DrawnObject(1, (0.0, 0.0, 0.25, 1.0))])

    assert found.labels.tolist() == [1, 1, 3]
    assert found.ignore.tolist() == [False, True, False]
    assert found.difficult.tolist() == [False, False, True]
    assert found.boxes[0].tolist() == [0.0, 0.0, 0.25, 1.0]


def test_drawn_objects_become_a_target_of_the_right_form_also_when_there_are_none():
    empty = drawn_to_target([])

    assert (empty.boxes.shape, empty.labels.dtype) == ((0, 4), torch.int64)
    assert drawn_to_target([DrawnObject(2, (0.0, 0.25, 0.5, 1.0))]).labels.tolist() == [2]
