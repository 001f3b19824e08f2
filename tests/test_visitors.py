"""Several visitors at once on a real server: nobody sees an error, or what somebody else asked for."""

from __future__ import annotations

import pytest

from benchmarks.visitors import PAGES, Answer, Outcome, measure, take

pytestmark = pytest.mark.slow


def test_visitors_at_once_each_get_their_own_scene_and_threshold():
    outcome = measure(4)

    assert outcome.errors == []
    assert outcome.mixed_up == []
    assert {what: len(seconds) for what, seconds in outcome.seconds.items()} == {
        **{f"open {page or 'home'}": 4 for page in PAGES},
        "move the match threshold": 4,
    }


def test_somebody_elses_scene_or_threshold_is_noticed():
    outcome = Outcome()
    take(outcome, "open home", 0, Answer(scenes={"101", "102"}), scene="101")
    take(outcome, "move", 1, Answer(thresholds={0.3}), threshold=0.2)
    take(outcome, "open home", 2, Answer(scenes={"103"}, errors=["x"]), scene="103")

    assert len(outcome.mixed_up) == 2
    assert outcome.errors == ["visitor 2, open home: x"]
