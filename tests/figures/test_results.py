"""Charts of the Results page say what the records say."""

from __future__ import annotations

import pytest
import torch

from ssd.figures.results import confusion_figure, f1_figure, precision_recall_figure, verdict_figure
from ssd.metrics import Curve, confusion
from tests.metrics.pictures import CAT, DOG, picture

CURVE = Curve(torch.tensor([0.9, 0.8, 0.6, 0.3]), torch.tensor([1, 1, 2, 3]), num_objects=4)


@pytest.mark.parametrize(("metric", "points"), [("voc07", 11), ("voc12", 4), ("coco", 101)])
def test_the_line_is_the_metrics_own_interpolation(metric, points):
    figure = precision_recall_figure([("dog", CURVE)], metric=metric, points=[CURVE.at(0.5)])

    exact, strong, now = figure.data
    assert len(strong.x) == points
    assert list(strong.y) == CURVE.envelope(metric).precision.tolist()
    assert list(exact.y) == [1.0, 0.5, pytest.approx(2 / 3), 0.75]
    assert (now.x, now.y) == ((0.5,), (pytest.approx(2 / 3),))


def test_f1_has_its_best_point_and_the_slider():
    figure = f1_figure([("dog", CURVE)], score=0.5)

    assert figure.data[1].text == ("0.75 at 0.15",)
    assert figure.layout.shapes[0].x0 == 0.5


def test_a_square_of_the_confusion_matrix_knows_its_row_and_column():
    found = confusion(
        [picture([(DOG, 1, False), (CAT, 2, False)], [(DOG, 2, 0.9)])], class_names=["dog", "c<b>at"],
        score_threshold=0.5,
    )  # fmt: skip

    squares = confusion_figure(found, selected=(0, 1)).data[0]

    at = {tuple(cell): text for cell, text in zip(squares.customdata, squares.text, strict=True)}
    assert at[0, 1] == "1" and at[1, 2] == "1" and at[0, 0] == "" and (2, 2) not in at
    assert [width > 1 for width in squares.marker.line.width].index(True) == list(at).index((0, 1))
    assert "<b>" not in "".join(confusion_figure(found).layout.xaxis.ticktext)


def test_verdicts_keep_the_order_of_the_pipeline():
    bars = verdict_figure({"score too low": 3, "suppressed": 1, "found": 9}, selected="suppressed").data[0]

    assert bars.y == ("score too low", "suppressed", "found")
    assert bars.marker.color[2] != bars.marker.color[0]
    assert bars.marker.line.width[1] > bars.marker.line.width[0]
