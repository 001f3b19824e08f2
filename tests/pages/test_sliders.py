"""Sliders that act in the browser: what a link may say of their numbers."""

from __future__ import annotations

import pytest

from pages.shared import state
from pages.shared.sliders import LiveSlider, kept_number

RATIO = LiveSlider("ratio", "Hard negatives", 0.0, 10.0, 0.5, 3.0)


def told(monkeypatch, **link: str) -> float:
    """The number of a page opened with that link."""
    monkeypatch.setattr(state, "kept", lambda: link)
    return kept_number(RATIO)


@pytest.mark.parametrize(("text", "number"), [("0", 0.0), ("1.5", 1.5), ("10", 10.0), ("2.25", 2.25)])
def test_a_number_in_range_is_taken(monkeypatch, text, number):
    assert told(monkeypatch, ratio=text) == number


@pytest.mark.parametrize(
    "text", ["99", "10.01", "-1", "nan", "inf", "1e999", "many", "", "0x3", "3" * 20, "١٠٠"]
)
def test_anything_else_opens_with_the_usual_one(monkeypatch, text):
    assert told(monkeypatch, ratio=text) == 3.0


def test_a_link_without_it_opens_with_the_usual_one(monkeypatch):
    assert told(monkeypatch, alpha="0.5") == 3.0
