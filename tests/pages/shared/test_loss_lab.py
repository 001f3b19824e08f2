"""The loss lab without a browser: weights that fit, the loss of the controls, code that runs."""

from __future__ import annotations

import contextlib
import io
import shutil

import pytest

from ssd.checkpoints import find_model, model_names
from ssd.training.run_folder import begin_run
from tests.pages.reading import texts

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif("shapes" not in model_names(), reason="the model `shapes` is not shipped here"),
]
LAB = {"learn": "loss lab", "seed": "4"}


@pytest.fixture(autouse=True)
def runs(tmp_path, monkeypatch):
    """A folder for runs, empty."""
    monkeypatch.setenv("SSD_RUN_ROOTS", str(tmp_path))
    return tmp_path


def run_with_weights(folder, *, classes) -> None:
    """A run that keeps the shipped weights."""
    folder.mkdir()
    begin_run(folder, {"class_names": list(classes)})
    for name in ("averaged.safetensors", "best.safetensors"):
        shutil.copy(find_model("shapes"), folder / name)
        shutil.copy(f"{find_model('shapes')}.sha256", folder / f"{name}.sha256")


SHAPES = ("circle", "cross", "ring", "square", "star", "triangle")


def test_the_lab_opens_with_the_model_that_fits_and_names_the_costliest_negative(open_page):
    app = open_page("learning", **LAB)

    assert app.exception == []
    assert app.selectbox(key="weights").options == ["shapes"]
    assert "The costliest negative, anchor" in texts(app)


def test_the_python_of_the_lab_says_the_loss_of_the_page(open_page):
    app = open_page("learning", **LAB, ratio="1.5")
    code = next(block.value for block in app.code if "loss_lab" in block.value)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(code, {})  # noqa: S102

    assert "negative_ratio=1.5" in code
    total, parts = printed.getvalue().split(" ", 1)
    assert float(total) == pytest.approx(sum(float(x) for x in parts.strip(" []\n").split(",")), abs=0.03)


def test_focal_loss_takes_the_alpha_and_gamma_of_the_sliders(open_page):
    app = open_page("learning", **LAB, loss_tab="loss curves", gamma="0.5", alpha="2")
    app.segmented_control(key="loss").set_value("focal").run()

    assert app.exception == []
    assert "confidence='focal'" in app.code[0].value
    assert "alpha=0.25, gamma=0.5" in app.code[0].value  # an alpha of 2 is none
    assert "negatives are easy" in texts(app)


def test_no_model_knows_a_photograph_and_the_page_says_so(open_page):
    app = open_page("learning", learn="loss lab", source="photographs", photograph="coffee")

    assert app.exception == []
    assert "No model here knows this picture" in texts(app)


def test_a_scene_without_objects_has_a_loss_too(open_page):
    app = open_page("learning", **LAB, objects="none")

    assert app.exception == []
    assert "The costliest negative, anchor" in texts(app)


def test_a_run_is_offered_where_it_knows_the_scene(open_page, runs):
    run_with_weights(runs / "mine", classes=SHAPES)
    run_with_weights(runs / "other", classes=("dog",))

    app = open_page("learning", **LAB)

    assert app.selectbox(key="weights").options == ["shapes", "run · mine"]


def test_the_checkpoints_of_a_run_are_compared(open_page, runs):
    run_with_weights(runs / "mine", classes=SHAPES)
    app = open_page("learning", **LAB, loss_tab="across checkpoints", weights="run · mine")

    assert app.exception == []
    assert len(app.select_slider(key="checkpoint_mine").options) == 2
    assert len(app.get("plotly_chart")) == 1


def test_damaged_weights_are_an_error_in_words(open_page, runs):
    run_with_weights(runs / "mine", classes=SHAPES)
    path = runs / "mine" / "best.safetensors"
    content = bytearray(path.read_bytes())
    content[-9] ^= 1
    path.write_bytes(content)

    app = open_page("learning", **LAB, weights="run · mine")
    app.select_slider(key="checkpoint_mine").set_value(
        app.select_slider(key="checkpoint_mine").options[-1]
    ).run()

    assert app.exception == []
    assert "best.safetensors" in texts(app)
