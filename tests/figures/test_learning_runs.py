"""Charts of runs hold the numbers of their records; runs are compared on the same axes."""

from __future__ import annotations

import math

import pytest

from ssd.figures.learning_runs import RUN_LINES, curve_figure, finding_figure, validation_figure
from ssd.training.run_curves import Curve
from ssd.training.run_reader import Finding, Validation

CURVE = Curve((2, 4), (3.0, 2.0), (2.5, 1.0), (3.5, 4.0), 2)
OTHER = Curve((2,), (9.0,), (9.0,), (9.0,), 1)


def test_a_curve_that_stands_alone_shows_the_spread_behind_it():
    band, curve = curve_figure([("loss", CURVE)], title="loss", last_step=10).data

    assert tuple(band.x) == (2, 4, 4, 2)
    assert tuple(band.y) == (3.5, 4.0, 1.0, 2.5)
    assert (tuple(curve.x), tuple(curve.y)) == ((2, 4), (3.0, 2.0))


def test_runs_are_compared_on_given_axes_with_different_colours_and_dashes():
    figure = curve_figure([("a", CURVE), ("b", OTHER)], title="loss", last_step=10, most=12.0)

    assert [trace.name for trace in figure.data] == ["a", "b"]
    assert (figure.layout.xaxis.range, figure.layout.yaxis.range) == ((0, 10), (0, 12.0))
    assert len({(trace.line.color, trace.line.dash) for trace in figure.data}) == 2
    assert len({style["dash"] for style in RUN_LINES}) == len({style["color"] for style in RUN_LINES}) == 4


def test_a_run_without_steps_is_an_empty_chart():
    figure = curve_figure([("loss", Curve((), (), (), (), 0))], title="loss", last_step=0)

    assert tuple(figure.data[0].x) == ()
    assert figure.layout.xaxis.range == (0, 1)


def test_a_single_point_is_seen():
    assert curve_figure([("loss", OTHER)], title="loss", last_step=9).data[0].mode == "markers"


def test_the_best_validation_is_named_and_shares_stand_on_0_to_1():
    points = [Validation(5, 0.5, None, "COCO AP50"), Validation(9, 0.25, None, "COCO AP50")]

    figure = validation_figure([("a", points)], last_step=20)

    assert tuple(figure.data[0].y) == (0.5, 0.25)
    assert tuple(figure.data[0].text) == ("0.500", "")
    assert figure.layout.yaxis.range == (0, 1.05)


def test_a_metric_that_is_no_share_has_its_own_axis():
    points = [Validation(5, -12.5, None, "L1 in pixels")]

    assert validation_figure([("a", points)], last_step=20).layout.yaxis.range is None


def test_suggestion_and_used_rate_are_upright_lines_with_their_words():
    figure = finding_figure(Finding((1e-4, 1e-1), (5.0, 9.0), 1e-3), used=2e-3)

    assert [shape.x0 for shape in figure.layout.shapes] == [1e-3, 2e-3]
    assert [note.text for note in figure.layout.annotations] == ["suggestion 0.001", "used 0.002"]
    assert figure.layout.annotations[0].x == pytest.approx(math.log10(1e-3))  # such axes count in tens
    assert figure.layout.xaxis.range == pytest.approx((-4, -1))


def test_a_finder_without_a_suggestion_suggests_nothing():
    assert finding_figure(Finding((1e-4, 1e-1), (5.0, 9.0), None)).layout.shapes == ()
