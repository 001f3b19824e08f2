"""The Your data page without a browser: what it says is what the package says."""

from __future__ import annotations

import contextlib
import io
import re

import pytest

from pages.shared import dataset
from ssd.config import any_preset, read_preset
from ssd.coverage import cause_counts, preset_coverage, worst_objects
from ssd.data.object_table import read_objects
from tests.checks.builders import CAT, devkit, write_xml
from tests.data.test_voc import an_object
from tests.pages.reading import texts

TINY = an_object("dog", (41, 31, 43, 32))  # 15 × 15 px at training size
EMPTY = an_object("dog", (20, 20, 20, 25))  # no area on the raw numbers


def write_small(root):
    """Twelve pictures; in one an object is too small for every anchor, in one a box has no area."""
    devkit(root)
    write_xml(root / "Annotations" / "p03.xml", CAT, TINY)
    write_xml(root / "Annotations" / "p07.xml", CAT, EMPTY)
    return root


@pytest.fixture(scope="module")
def roots(tmp_path_factory):
    root = tmp_path_factory.mktemp("roots")
    write_small(root / "small")
    return root


@pytest.fixture
def your_data(roots, open_page, monkeypatch, tmp_path):
    monkeypatch.setenv("SSD_DATA_ROOTS", str(roots))
    monkeypatch.setenv("SSD_PRESET_ROOTS", str(tmp_path / "presets"))
    dataset.forget("small")
    yield lambda **link: open_page("your_data", **{"source": "small", **link})
    dataset.forget("small")


def said(app) -> str:
    assert list(app.exception) == []
    return texts(app)


def links(app) -> list[str]:
    """Where the tiles lead."""
    return [each.proto.query_string for each in app.get("page_link")]


def test_the_page_opens_on_the_verdict(your_data):
    text = said(your_data())

    assert "23 objects in 12 pictures; 4.3 % have no anchor at jaccard .5 under ssd300-voc" in text
    assert "one dog smaller than 16 px at 300 px" in text
    assert "One box has no area" in text


def test_an_entry_of_the_doctor_opens_its_picture(your_data):
    app = your_data(ytab="doctor", ybroken="small")
    text = said(app)

    assert "p03.xml" in text
    assert any("open=small%214" in link and "object=1" in link for link in links(app))


def test_a_box_that_no_page_can_show_has_its_values(your_data):
    text = said(your_data(ytab="doctor", ybroken="no-area"))

    assert "p07.xml" in text
    assert "To mend it: draw the box again, or delete the object." in text


@pytest.mark.slow
def test_the_worst_object_comes_first_with_its_cause_and_opens_matching(your_data, roots):
    objects = read_objects(roots / "small")
    preset = any_preset("ssd300-coco")
    found = preset_coverage(objects, preset, rule="overwrite", threshold=0.4)
    worst = worst_objects(found, preset, count=1)[0]

    app = your_data(ytab="coverage", yanchors="ssd300-coco", yrule="overwrite", ythreshold="0.4")
    text = said(app)

    assert f"{worst.best_jaccard:.2f}; {worst.cause}" in text
    assert sum(cause_counts(found, preset).values()) == int((~found.covered).sum())
    first = links(app)[0]
    for part in ("open=small%214", "object=1", "anchors=ssd300-coco", "rule=overwrite", "threshold=0.4"):
        assert part in first
    assert f"anchor={worst.best_anchor}" in first


@pytest.mark.slow
def test_a_training_size_travels_to_matching_as_knobs(your_data):
    app = your_data(ytab="coverage", ysize="512")

    assert said(app)
    assert "anchors=custom" in links(app)[0] and "knobs=" in links(app)[0]


@pytest.mark.slow
@pytest.mark.parametrize("view", ["width × height", "recall by size"])
def test_every_view_of_coverage_is_drawn(your_data, view):
    app = your_data(ytab="coverage", yview=view)

    assert said(app)
    assert len(app.get("plotly_chart")) >= 2


@pytest.mark.slow
def test_pictures_are_filtered_by_class_and_problems(your_data):
    assert "12 of 12 pictures" in said(your_data())
    assert "11 of 12 pictures" in said(your_data(yclass="dog"))
    assert "1 of 12 pictures" in said(your_data(yshown="with problems"))


@pytest.mark.slow
def test_anchors_are_fitted_compared_and_saved_as_a_preset(your_data, tmp_path):
    app = your_data(ytab="fit anchors", ybudget="quick: 10")
    assert "python -m ssd fit-anchors" in app.code[0].value
    app.button(key="yfit_start").click().run()
    text = said(app)

    steps = app.session_state["yfit"].answer
    assert [step.generation for step in steps] == list(range(11))
    assert "configurations measured" in text
    assert "Fitted anchors would" in text

    app.text_input(key="yname").set_value("mine").run()
    app.button(key="ysave").click().run()

    assert "Saved; mine" in said(app)
    assert read_preset(tmp_path / "presets" / "mine.toml").anchors == steps[-1].anchors


@pytest.mark.parametrize("transform", ["rotate", "crop", "mosaic", "preset lesson"])
def test_the_bench_shows_seven_throws_of_a_transform(your_data, transform):
    text = said(your_data(ytab="augmentation", ytransform=transform))

    assert len(set(re.findall(r"throw \d+: ", text))) == 7


def test_the_wrong_way_says_what_it_does(your_data):
    assert "The picture moves and the boxes stay" in said(your_data(ytab="augmentation", ywrong="true"))


@pytest.mark.slow
def test_without_a_folder_the_page_teaches_how_to_open_one(your_data):
    app = your_data(source="synthetic")
    text = said(app)

    assert "python -m ssd explore DIR" in [code.value for code in app.code]
    assert "in 100 pictures" in text


@pytest.mark.slow
def test_the_code_of_the_view_runs(your_data):
    app = your_data()
    app.session_state["python"] = True
    app.run()
    code = next(code.value for code in app.code if "preset_coverage" in code.value)
    with contextlib.redirect_stdout(io.StringIO()) as out:
        exec(compile(code, "page", "exec"), {})  # noqa: S102

    assert "23 objects in 12 pictures" in out.getvalue()
