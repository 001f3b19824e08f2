"""The tab with the runs, without a browser: what stands in the folders is what the page says."""

from __future__ import annotations

import json

import pytest

from ssd.training.run_folder import begin_run, end_run
from tests.pages.reading import texts

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def runs(tmp_path, monkeypatch):
    """A folder for runs, empty."""
    monkeypatch.setenv("SSD_RUN_ROOTS", str(tmp_path))
    return tmp_path


def a_run(folder, *, ending=None, rate=0.002, steps=40, ap50=0.5):
    """A run by the contract of its folder."""
    folder.mkdir()
    begin_run(folder, {"class_names": ["circle"], "preset": "shapes"})
    (folder / "config.toml").write_text(f"steps = {steps}\nlearning_rate = {rate}\nseed = 3\n")
    rows = [
        {
            "step": s,
            "loss": 3.0,
            "localisation": 1.0,
            "confidence": 2.0,
            "learning_rate": rate,
            "seconds": 1.0,
        }
        for s in range(1, steps // 2 + 1)
    ]
    (folder / "steps.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "validation.jsonl").write_text(
        json.dumps({"step": 10, "value": ap50, "ap50": ap50, "metric": "COCO AP50"}) + "\n"
    )
    if ending:
        end_run(folder, ending, "The last words.")


def test_without_a_run_the_page_teaches_how_to_start_one(open_page):
    app = open_page("learning", learn="runs")

    assert app.exception == []
    assert "There is no run yet." in texts(app)
    assert app.code[0].value.startswith("python -m ssd train --preset shapes --out runs/shapes-1")


def test_a_run_says_how_it_stands_and_shows_its_numbers(open_page, runs):
    a_run(runs / "mine", ending="finished")

    app = open_page("learning", learn="runs")

    assert app.exception == []
    assert "step 20 of 40 · The last words." in texts(app)
    assert [metric.value for metric in app.metric] == ["3.00", "0.500", "0.500"]
    assert "COCO AP50" in texts(app)


def test_two_runs_are_compared_where_their_settings_differ(open_page, runs):
    a_run(runs / "fast", ending="finished", rate=0.01)
    a_run(runs / "slow", ending="interrupted", rate=0.001)
    app = open_page("learning", learn="runs", run_tab="settings")
    app.multiselect(key="runs").set_value(["fast", "slow"]).run()

    table = app.table[0].value

    assert app.exception == []
    assert table["setting"].tolist() == ["learning_rate"]
    assert (table["fast"].tolist(), table["slow"].tolist()) == (["0.01"], ["0.001"])


def test_two_runs_have_one_chart_a_part(open_page, runs):
    a_run(runs / "fast", ending="finished")
    a_run(runs / "slow", ending="finished")
    app = open_page("learning", learn="runs")
    app.multiselect(key="runs").set_value(["fast", "slow"]).run()

    assert app.exception == []
    assert len(app.get("plotly_chart")) == 5  # three parts, validation, learning rate


def test_a_link_to_a_run_that_is_gone_opens_with_one_that_is_here(open_page, runs):
    a_run(runs / "mine", ending="finished")

    app = open_page("learning", learn="runs", runs="gone")

    assert app.exception == []
    assert "gone" not in texts(app)


def test_a_run_that_goes_away_while_it_is_watched_is_no_error(open_page, runs):
    a_run(runs / "mine", ending="finished")
    a_run(runs / "other", ending="finished")
    app = open_page("learning", learn="runs")
    app.multiselect(key="runs").set_value(["mine"]).run()
    for path in sorted((runs / "mine").iterdir()):
        path.unlink()
    (runs / "mine").rmdir()

    app.run()

    assert app.exception == []


@pytest.mark.parametrize("text", ["", "{", "[]", '{"class_names": 3, "status": []}'])
def test_a_folder_with_a_broken_file_is_shown_as_unknown(open_page, runs, text):
    (runs / "odd").mkdir()
    (runs / "odd" / "run.json").write_text(text)

    app = open_page("learning", learn="runs")

    assert app.exception == []
    assert "Its folder does not say how it stands." in texts(app)


@pytest.mark.parametrize("name", ["a b", "x; rm -rf", "$(date)", "`id`"])
def test_the_name_of_a_new_run_cannot_break_out_of_its_command(open_page, name):
    app = open_page("learning", learn="runs")
    app.text_input(key="run_name_shapes").set_value(name).run()

    words = app.code[0].value.split("--out runs/")[1].split(" ")[0]
    assert words.replace("-", "").replace("_", "").isalnum()


def test_a_link_names_runs_never_folders(open_page, runs):
    a_run(runs / "mine", ending="finished")

    app = open_page("learning", learn="runs", runs=str(runs / "mine"))

    assert app.exception == []
    assert str(runs) not in texts(app)
