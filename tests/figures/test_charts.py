"""Charts hold the numbers of their records; tests read the figures' data."""

from __future__ import annotations

import pytest

from ssd.config import ANCHOR_PRESETS, anchor_preset
from ssd.figures.charts import funnel_figure, jaccard_figure, level_figure, scale_figure, spread_figure
from ssd.figures.words import JaccardTable


@pytest.mark.parametrize("name", ANCHOR_PRESETS)
def test_every_shape_of_every_level_is_a_mark(name):
    levels = anchor_preset(name).anchors.levels()
    figure = scale_figure(levels, chosen=0)

    assert [list(zip(trace.x, trace.y, strict=True)) for trace in figure.data] == [
        [tuple(shape) for shape in level.shapes_wh] for level in levels
    ]


def test_both_axes_of_the_shapes_have_one_scale_that_holds_all():
    figure = scale_figure(anchor_preset("ssd300-voc").anchors.levels())

    assert figure.layout.xaxis.range == figure.layout.yaxis.range
    assert figure.layout.xaxis.range[1] > 1.2445  # the widest anchor of level 5


def test_the_jaccard_chart_marks_both_maxima():
    table = JaccardTable((4, 9), ((0.5, 0.2), (0.0, 0.7)), (0, 1), (0, 1))
    heat, best_anchor = jaccard_figure(table, names=["dog", "cat"]).data

    assert [list(row) for row in heat.z] == [[0.5, 0.2], [0.0, 0.7]]
    assert [list(row) for row in heat.text] == [["<b>0.50</b>", "0.20"], ["", "<b>0.70</b>"]]
    assert list(zip(best_anchor.x, best_anchor.y, strict=True)) == [("4", "0 · dog"), ("9", "1 · cat")]
    assert (heat.zmin, heat.zmax) == (0, 1)


def test_a_chart_of_levels_says_every_count():
    assert level_figure([1234, 0], kind="positive", title="positive anchors").data[0].text == ("1,234", "0")


def test_the_funnel_says_every_count_also_of_none():
    bars = funnel_figure([("anchors", 8732), ("kept", 0)]).data[0]

    assert bars.text == ("8,732", "0")
    assert min(bars.x) > 0  # a logarithmic axis has no zero


def test_the_spread_has_four_bars_for_each_setting():
    figure = spread_figure([("not divided", (0.1, 0.2, 0.3, 0.4)), ("divided", (1, 2, 1.5, 2))])

    assert [tuple(trace.y) for trace in figure.data] == [(0.1, 0.2, 0.3, 0.4), (1, 2, 1.5, 2)]
    assert list(figure.data[0].x) == ["centre x", "centre y", "width", "height"]
