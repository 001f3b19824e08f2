"""Charts hold the numbers of their records; tests read the figures' data."""

from __future__ import annotations

from ssd.figures.charts import level_figure, spread_figure


def test_a_chart_of_levels_says_every_count():
    assert level_figure([1234, 0], kind="positive", title="positive anchors").data[0].text == ("1,234", "0")


def test_the_spread_has_four_bars_for_each_setting():
    figure = spread_figure([("not divided", (0.1, 0.2, 0.3, 0.4)), ("divided", (1, 2, 1.5, 2))])

    assert [tuple(trace.y) for trace in figure.data] == [(0.1, 0.2, 0.3, 0.4), (1, 2, 1.5, 2)]
    assert list(figure.data[0].x) == ["centre x", "centre y", "width", "height"]
