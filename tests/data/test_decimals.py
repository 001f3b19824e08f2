"""Coordinates as text: the float that was written is the float that is read, whatever is added between."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssd.data.decimals import is_number, shifted, shifted_text


@given(number=st.floats(0, 1e6), by=st.sampled_from([-1, 0, 1]))
def test_a_number_comes_back_to_the_last_bit(number, by):
    assert shifted(shifted_text(number, by), -by) == number


@given(number=st.floats(0, 1e300))
def test_what_is_written_has_no_exponent(number):
    assert set(shifted_text(number, 1)) <= set("0123456789.-")


@pytest.mark.parametrize(
    ("text", "by", "expected"),
    [
        ("48", -1, 47.0),
        ("45.70000076293945", -1, 44.70000076293945),
        ("1e-400", -1, -1.0),
        ("1e999", 0, float("inf")),
        ("-inf", 1, float("-inf")),
        ("1e-9999999999999999999", 1, 1.0),
    ],
)
def test_a_text_is_shifted_and_rounded_once(text, by, expected):
    assert shifted(text, by) == expected


@pytest.mark.parametrize("text", ["1", "-1", "+1.5", ".5", "5.", "1e3", "1E-3", "nan", "-Infinity"])
def test_numbers_as_files_write_them(text):
    assert is_number(text)


@pytest.mark.parametrize("text", ["", " 1", "1_000", "1,5", "0x10", "١٢", "e3", ".", "--1", "1 2", "nan3"])
def test_other_text_is_no_number(text):
    assert not is_number(text)
