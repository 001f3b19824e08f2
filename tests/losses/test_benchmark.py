"""The benchmark of matching and losses runs, in its smallest size."""

from __future__ import annotations

import re
import sys

from benchmarks import losses


def test_the_benchmark_measures_both_ways_of_matching_and_every_loss(monkeypatch, capsys):
    monkeypatch.setattr(
        sys,
        "argv",
        ["losses", "--anchors", "lesson-multi", "--pictures", "2", "--objects", "3", "--rounds", "1"],
    )

    losses.main()

    printed = capsys.readouterr().out
    assert "189 anchors, 2 pictures" in printed
    assert re.search(r"all at once +\d+\.\d ms +\d+\.\d times as fast, same: True", printed)
    assert len(re.findall(r"\d ms   forward and backward", printed)) == 3
