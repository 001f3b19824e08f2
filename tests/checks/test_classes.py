"""Names of classes: what is a slip of the pen, and what is a class of its own."""

from __future__ import annotations

import pytest

from ssd.checks.classes import _wrong_names

WRONG = {
    "another case": ({"Dog": 2, "dog": 90}, {"Dog": "class-variant"}),
    "a space and a dash": ({"traffic light": 50, "traffic-light": 3}, {"traffic-light": "class-variant"}),
    "a letter less of a VOC class": ({"aeroplan": 9, "dog": 9}, {"aeroplan": "unknown-class"}),
    "a letter more, rare": (
        {"Platelets": 300, "RBC": 900, "Plateletts": 2},
        {"Plateletts": "misspelt-class"},
    ),
    "two letters exchanged": ({"raccoon": 300, "racocon": 1}, {"racocon": "misspelt-class"}),
}
RIGHT = {
    "VOC classes that look alike": {"car": 1, "cat": 900, "cow": 2, "bus": 1, "boat": 90},
    "numbers of their own": {"class 1": 500, "class 2": 3},
    "not rare": {"fork": 40, "pork": 30},
    "short names": {"ten": 500, "pen": 1},
    "plurals": {"glove": 500, "gloves": 5},
    "other words than VOC's": {"truck": 3, "car": 900, "van": 20},
    "near a VOC class in a set of other things": {"sheet": 9, "paper": 900, "folder": 30},
    "cards": {"nine": 96, "ten": 96, "jack": 87, "queen": 98, "king": 77, "ace": 73},
}


@pytest.mark.parametrize(("counts", "wrong"), WRONG.values(), ids=WRONG)
def test_a_slip_is_found_at_the_rarer_name(counts, wrong):
    assert {name: rule for name, (rule, _) in _wrong_names(counts, None).items()} == wrong


@pytest.mark.parametrize("counts", RIGHT.values(), ids=RIGHT)
def test_a_class_of_its_own_is_no_slip(counts):
    assert _wrong_names(counts, None) == {}


def test_given_names_settle_what_is_right():
    found = _wrong_names({"Dog": 5, "aeroplan": 1, "thing": 1}, ("dog", "aeroplan"))

    assert {name: text for name, (_, text) in found.items()} == {
        "Dog": "class 'Dog' is not known; did you mean dog?",
        "thing": "class 'thing' is not known; known are dog, aeroplan",
    }
