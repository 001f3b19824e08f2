"""A lesson in words and boxes: every sentence says what the reports say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ssd.figures.teaching import curve_of, lesson_figure, lesson_sentences, look_blob, rule_words
from ssd.training.teach_job import Look, TeachReport, TeachRules, Told
from tests.figures.test_canvas import read_column


def look(*best: float, top: tuple[float, ...] | None = None, extra: int = 0) -> Look:
    """What a network says that finds each object that well."""
    return Look((), (), (), (), (), (), best, top or best, extra)


def lesson(*looks: Look, told: tuple[Told, ...] = (Told(3), Told(1)), mirrored=None) -> list[TeachReport]:
    """Step 0, then a step with each look; the losses fall from 8."""
    reports = [TeachReport(0, 0.0, 0.0, 0.0, 0.0, look=looks[0], told=told)]
    reports += [
        TeachReport(step, 8.0 / step, 1.0, 1.0, step / 10, look=each) for step, each in enumerate(looks, 1)
    ]
    reports[-1] = replace(reports[-1], mirrored=mirrored)
    return reports


def said(*looks: Look, **more) -> tuple[str, ...]:
    return lesson_sentences(lesson(*looks, **more), titles=["dog", "ball"])


def test_a_found_object_says_how_well_and_since_when():
    lines = said(look(0.0, 0.95), look(0.91, 0.2), look(0.93, 0.96), look(0.94, 0.97))

    assert lines == (
        "dog: found at jaccard 0.94 after 2 steps.",
        "ball: found at jaccard 0.97 after 3 steps.",
    )


def test_a_missed_object_says_the_first_reason():
    lines = said(look(0.62, 0.0, top=(0.8, 0.31)))
    assert lines == ("dog: not found yet: jaccard 0.62 of 0.90.", "ball: not found yet: score 0.31 of 0.50.")
    assert said(look(0.0, 0.95, top=(0.0, 1.0)))[0] == "dog: not found yet: no box is near it."


def test_an_orphan_names_who_took_its_anchor():
    lines = said(look(0.0, 0.95), told=(Told(0, taker=1), Told(2)))
    assert lines[0] == "dog: not found: no anchor answers for it; ball took its best."
    assert said(look(0.0, 0.95), told=(Told(0), Told(2)))[0] == "dog: not found: no anchor answers for it."


def test_boxes_too_many_and_the_mirror_are_counted():
    lines = said(look(0.95, 0.95, extra=1), mirrored=(0.95, 0.0))
    assert lines[2:] == (
        "1 box is kept where no object is.",
        "Shown the picture in a mirror, the network finds 1 of 2.",
    )
    assert said(look(0.95, 0.95, extra=12))[2] == "12 boxes are kept where no object is."


def test_nothing_is_said_before_the_first_look():
    assert lesson_sentences([], titles=["dog"]) == ()


def test_the_curve_marks_the_step_at_which_the_last_object_was_found():
    curve = curve_of(lesson(look(0.95, 0.0), look(0.95, 0.0), look(0.95, 0.91)), name="x")
    figure = lesson_figure([curve], most_steps=40)

    assert curve.steps == (1, 2, 3)
    assert curve.losses == (8.0, 4.0, pytest.approx(8 / 3))
    assert curve.found_at == 3
    assert [list(trace.x) for trace in figure.data] == [[1, 2, 3], [3]]
    assert tuple(figure.layout.xaxis.range) == (0, 40)
    assert curve_of(lesson(look(0.95, 0.0)), name="x").found_at is None
    assert curve_of(lesson(look(), told=()), name="x").found_at is None


def test_two_lessons_stand_in_one_chart_told_apart_without_colour():
    curves = [curve_of(lesson(look(0.0, 0.0)), name=name) for name in ("before", "now")]
    figure = lesson_figure(curves, most_steps=40)

    assert [trace.name for trace in figure.data] == ["before", "now"]
    assert figure.data[0].line.dash != figure.data[1].line.dash


def test_learners_stand_below_the_score_and_keep_their_boxes():
    given = Look(
        anchors=(7, 9),
        labels=(2, 1),
        scores=(0.9, 0.1),
        boxes=((0.1, 0.2, 0.3, 0.4), (0.5, 0.5, 0.75, 1.0)),
        fates=(0, 0),
        suppressed_by=(-1, -1),
        best=(0.9,),
        top_score=(0.9,),
        extra=0,
    )
    data = look_blob(given, class_names=["dog", "ball"]).data

    assert (data["count"], data["floor"], data["names"]) == (2, 0.0, ["dog", "ball"])
    boxes = read_column(data["boxes"], "<f4").reshape(2, 4)
    np.testing.assert_allclose(boxes, np.array(given.boxes), rtol=1e-6)
    assert read_column(data["anchors"], "<i4").tolist() == [7, 9]


def test_a_picture_on_which_nothing_is_said_has_no_boxes():
    assert look_blob(look(), class_names=["dog"]).data["count"] == 0


def test_broken_rules_are_named():
    broken = TeachRules("overwrite", "none", "softmax", variances=False, augmentation=False)

    assert rule_words(broken) == "overwrite · no negatives · softmax · no variances · no mirror"
    assert "nothing mined" in rule_words(TeachRules(loss="focal"))
