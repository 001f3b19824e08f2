"""Charts of the loss lab hold the numbers of their records, on axes that do not move."""

from __future__ import annotations

import pytest

from ssd.figures.learning import checkpoints_figure, curves_figure, parts_figure
from ssd.training.lab_parts import CostPart

PARTS = (CostPart("level 0", 3, 9, 0.5, 0.25, 1.0), CostPart("level 1", 0, 2, 0.0, 0.0, 0.125))


def test_each_part_of_the_loss_is_a_stretch_of_its_bar():
    figure = parts_figure(PARTS)

    stretches = {bar.name: tuple(bar.x) for bar in figure.data if bar.type == "bar"}
    assert stretches == {
        "boxes of positives": (0.5, 0.0),
        "classes of positives": (0.25, 0.0),
        "negatives": (1.0, 0.125),
    }
    assert figure.data[-1].text == (" 1.75", " 0.12")
    assert figure.layout.barmode == "stack"


def test_two_charts_are_compared_on_one_scale():
    figure = parts_figure(PARTS[1:], most=4.0)

    assert figure.layout.xaxis.range == pytest.approx((0, 4.48))


@pytest.mark.parametrize("parts", [(), (CostPart("a", 0, 0, 0.0, 0.0, 0.0),)], ids=["none", "nothing"])
def test_a_loss_of_nothing_is_drawn_too(parts):
    assert parts_figure(parts).layout.xaxis.range[1] > 0


def test_kinds_are_told_apart_without_colour():
    patterns = [bar.marker.pattern.shape for bar in parts_figure(PARTS).data if bar.type == "bar"]

    assert len(set(patterns)) == 3


def test_the_curves_stand_on_fixed_axes_and_the_scene_on_them():
    p = (0.25, 0.5, 1.0)

    figure = curves_figure(p, [("BCE", (1.4, 0.7, 0.0)), ("focal", (9.0, 0.1, 0.0))], marks=[(0.5, 0.7)])

    assert [trace.name for trace in figure.data] == ["BCE", "focal", "positives of this scene"]
    assert tuple(figure.data[1].y) == (9.0, 0.1, 0.0)
    assert (tuple(figure.data[2].x), tuple(figure.data[2].y)) == ((0.5,), (0.7,))
    assert figure.layout.yaxis.range == (0, 5.0)
    assert figure.data[1].line.width > figure.data[0].line.width


def test_every_checkpoint_is_a_bar_and_the_chosen_one_stands_out():
    figure = checkpoints_figure([("step 5", PARTS[0]), ("step 9", PARTS[1])], chosen=1)

    assert tuple(figure.data[2].x) == ("step 5", "step 9")
    assert tuple(figure.data[2].y) == (1.0, 0.125)
    assert tuple(figure.data[2].marker.opacity) == (0.55, 1.0)
