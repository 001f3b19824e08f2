"""Every step of every tour leads to its scene with its settings."""

from __future__ import annotations

import pytest

from pages.shared.tours import STEPS
from tests.pages.reading import texts


@pytest.mark.parametrize("name", STEPS)
def test_a_step_opens_its_page_on_its_scene(open_page, name):
    step = STEPS[name]
    app = open_page(step.page, tour=name)

    assert [*app.exception, *app.error] == []
    assert app.session_state["source"] == step.source
    assert "tour" not in app.query_params
    for key, value in step.settings.items():
        assert app.session_state[key] == value


def test_a_step_forgets_what_was_drawn_before(open_page):
    app = open_page("matching", objects="none", tour="orphan")
    scene = app.session_state["scene"]

    assert (scene.name, scene.rule, len(scene.objects.labels)) == ("orphan pair", "overwrite", 2)
    assert "Who gets it under overwrite?" in texts(app)


def test_a_prediction_is_answered(open_page):
    app = open_page("matching", tour="orphan")
    app.radio[0].set_value("kayak").run()

    assert "Not so: it goes to paddle." in texts(app)


def test_a_tour_that_is_not_here_is_noted(open_page):
    assert any("tour that is not here" in note.value for note in open_page("matching", tour="x").info)
