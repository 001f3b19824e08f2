"""The benchmark of the lesson, in a smoke size: three objects, found, timed."""

from __future__ import annotations

import pytest

from benchmarks.teach import OBJECTS, measure, scenes


def test_the_scenes_have_three_objects_and_follow_their_seeds():
    first, again = list(scenes(3)), list(scenes(2, first_seed=0))

    assert [len(sample.target) for sample in first] == [OBJECTS] * 3
    assert [sample.name for sample in again] == [sample.name for sample in first[:2]]


@pytest.mark.slow
def test_two_scenes_are_found_within_five_seconds_of_one_core(capsys):
    result = measure(2)

    assert result["found"] == result["quick_on_a_core_of_its_own"] == 2
    assert 0 < result["median_cpu_seconds"] < 5
    assert capsys.readouterr().out.count("3 of 3") == 2
