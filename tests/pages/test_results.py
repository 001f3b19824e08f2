"""The Results page without a browser: its numbers are those of the package."""

from __future__ import annotations

import contextlib
import io

import pytest

from pages.shared import judged
from ssd.checkpoints import model_names
from ssd.data.images import picture_to_png
from ssd.data.shapes import SHAPE_CLASSES
from ssd.data.synthetic import synthetic_scene
from tests.data.test_voc import an_object, voc
from tests.pages.reading import texts

pytestmark = pytest.mark.skipif(
    "shapes" not in model_names(), reason="the model `shapes` is not shipped here"
)


def write_scenes(root, seeds) -> None:
    """Drawn scenes as a VOC folder, with whole pixels."""
    root.mkdir(parents=True)
    for seed in seeds:
        sample = synthetic_scene(seed)
        height, width = sample.picture.shape[1:]
        (root / f"{seed}.png").write_bytes(picture_to_png(sample.picture))
        boxes = (sample.target.boxes * 1000).round() / 1000
        corners = [
            (round(x1 * width) + 1, round(y1 * height) + 1, round(x2 * width), round(y2 * height))
            for x1, y1, x2, y2 in boxes.tolist()
        ]
        names = [SHAPE_CLASSES[label - 1] for label in sample.target.labels.tolist()]
        objects = [an_object(name, corner) for name, corner in zip(names, corners, strict=True)]
        (root / f"{seed}.xml").write_bytes(voc(*objects, size=(width, height)))


@pytest.fixture(scope="module")
def roots(tmp_path_factory):
    """A folder of data sets, and a cache of its own."""
    root = tmp_path_factory.mktemp("roots")
    write_scenes(root / "scenes", range(40, 44))
    return root


@pytest.fixture
def results(roots, open_page, monkeypatch, tmp_path):
    monkeypatch.setenv("SSD_DATA_ROOTS", str(roots))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    judged._KEPT.forget()
    yield lambda **link: open_page("results", rsplit="all", **link)
    judged._KEPT.forget()


def said(app) -> str:
    assert list(app.exception) == []
    return texts(app)


@pytest.mark.slow
def test_the_numbers_are_those_of_the_evaluation(results, roots):
    from ssd.checkpoints import find_model, read_weights
    from ssd.data.folders import open_dataset
    from ssd.evaluation import results as results_of
    from ssd.metrics import average_precision, overall_curve
    from ssd.prediction import Predictor

    loaded = read_weights(find_model("shapes"))
    data = open_dataset(roots / "scenes", classes=loaded.config.class_names)
    found = list(results_of(Predictor(loaded.model, sha256=loaded.sha256), data))
    report = average_precision(found, class_names=loaded.config.class_names, metric="voc12")
    point = overall_curve(found).at(0.3)

    text = said(results(rmetric="VOC12 AP", rscore="0.3"))

    assert f"VOC12 AP {report.ap:.3f}" in text
    assert f"recall {point.recall:.3f}" in text
    assert f"precision {point.precision:.3f}" in text
    assert f"{report.num_objects} objects in 4 pictures." in text


@pytest.mark.slow
def test_the_funnel_adds_up_and_its_verdict_has_pictures(results):
    app = results(rscore="0.9")
    text = said(app)

    assert "score too low: A box of the right class lies right, below the score threshold." in text
    assert "Training cover of all missed objects" in text
    assert app.selectbox(key="verdict").value == "score too low"


@pytest.mark.slow
def test_another_score_moves_recall_and_never_ap(results):
    app = results(rmetric="VOC12 AP", rscore="0.3")
    before = said(app)
    after = said(app.slider(key="rscore").set_value(0.95).run())

    def line(text: str, word: str) -> str:
        return next(each for each in text.splitlines() if each.startswith(word))

    assert line(before, "VOC12 AP") == line(after, "VOC12 AP")
    assert line(before, "recall") != line(after, "recall")


def test_a_detector_beside_itself_at_other_settings_loses_and_gains(results):
    app = results(results="compare", rother="itself, at the usual settings", rscore="0.95")

    assert "gains" in said(app)
    assert "shapes at score 0.95" in said(app)


def test_data_of_other_classes_are_refused_in_a_sentence(results, roots):
    if "bccd" not in model_names():
        pytest.skip("the model `bccd` is not shipped here")
    app = results(rmodel="bccd")

    assert list(app.exception) == []
    assert "Choose a detector and data with the same class names." in texts(app)


@pytest.mark.slow
def test_the_python_of_the_page_runs_and_says_the_same(results):
    app = results(rmetric="VOC07 11-point AP")
    app.session_state["python"] = True
    app.run()
    code = next(block.value for block in app.code if "average_precision" in block.value)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(code, {})  # noqa: S102

    assert f"VOC07 11-point AP {float(printed.getvalue().split()[0]):.3f}" in said(app)


@pytest.mark.slow
def test_the_network_looks_at_a_picture_once(results, monkeypatch):
    from ssd.prediction import Predictor

    said(results())
    monkeypatch.setattr(Predictor, "predict", lambda *_: pytest.fail("the network ran again"))
    judged._KEPT.forget()

    said(results(rscore="0.7", riou="0.75"))


@pytest.mark.slow
def test_many_pictures_are_diagnosed_when_asked(results, monkeypatch):
    monkeypatch.setattr(judged, "_DIAGNOSED_AT_ONCE", 3)
    app = results(rscore="0.98")

    assert "each of the 4 pictures is looked at once" in said(app)
    app = app.button(key="tell_why").click().run()
    assert "score too low: " in said(app)

    app = app.slider(key="rscore").set_value(0.95).run()  # the table answers this one too
    assert "score too low: " in said(app)
    assert "tell_why" not in [button.key for button in app.button]
