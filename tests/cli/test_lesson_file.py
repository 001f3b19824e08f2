"""``lesson-file``: the Download of the pages, without a page."""

from __future__ import annotations

import json

import pytest
import torch

from ssd.checkpoints import model_names
from ssd.cli import main
from ssd.data.images import picture_to_png
from ssd.data.lessons import lesson_scene
from ssd.data.samples import sample_source
from tests.figures.test_takeaway import Elements


@pytest.fixture
def run(tmp_path, capsys):
    """Make a file in this process; exit code, the file's elements, stdout and stderr."""

    def made(*words, out="lesson.html"):
        path = tmp_path / out
        code = main(["lesson-file", *words, "--out", str(path)])
        said = capsys.readouterr()
        return code, Elements(path.read_text()) if path.exists() else None, said.out, said.err

    return made


@pytest.fixture
def photo(tmp_path):
    """A picture file of 80 × 40 pixels with a name that looks like markup."""
    path = tmp_path / "<b>dog.png"
    path.write_bytes(picture_to_png(torch.full((3, 40, 80), 128, dtype=torch.uint8)))
    return str(path)


def test_a_lesson_scene_brings_its_own_settings(run):
    code, file, out, _ = run("worked example", "--page", "matching", "--json")
    light = file.data()["light"]
    scene = lesson_scene("worked example")

    assert code == 0
    assert json.loads(out)["objects"] == 3
    assert light["matching"] == {"rule": "overwrite", "threshold": 0.5, "strict": True}
    assert [each["name"] for each in light["objects"]] == list(scene.class_names)
    assert file.data()["blobs"][1]["count"] == 16


def test_options_go_before_the_settings_of_a_scene(run):
    words = ("--preset", "lesson-multi", "--rule", "bipartite", "--threshold", "0.3")
    _, file, _, _ = run("worked example", "--page", "assignment", *words)

    assert file.data()["light"]["matching"] == {"rule": "bipartite", "threshold": 0.3, "strict": True}
    assert file.data()["blobs"][1]["count"] == 189


def test_a_picture_file_comes_with_typed_objects_and_a_word_about_privacy(run, photo):
    code, file, _, _ = run(
        photo, "--page", "matching", "--boxes", "0,0,40,40;8,4,80,36", "--names", "dog,<i>"
    )
    text = " ".join(file.words)

    assert code == 0
    assert [each["box"] for each in file.data()["light"]["objects"]] == [
        [0, 0, 0.5, 1],
        pytest.approx([0.1, 0.1, 1, 0.9]),
    ]
    assert [each["name"] for each in file.data()["light"]["objects"]] == ["dog", "<i>"]
    assert "whoever gets the file gets the picture" in text
    assert file.of("b") == file.of("i") == []
    assert "<b>dog.png" in text


def test_a_photograph_names_whose_it_is_and_a_level_is_chosen(run):
    _, file, _, _ = run("chelsea", "--page", "anchors", "--level", "4", "--title", "Where <it> looks")
    light = file.data()["light"]

    assert sample_source("chelsea") in " ".join(file.words)
    assert "Where <it> looks" in " ".join(file.words)
    assert (light["hidden_levels"], light["grid_level"]) == ([0, 1, 2, 3, 5], 4)
    assert len(file.data()["guides"]) == 6


@pytest.mark.slow
@pytest.mark.skipif("shapes" not in model_names(), reason="the model `shapes` is not shipped here")
def test_detections_come_with_every_limit(run):
    words = ("--model", "shapes", "--score", "0.3", "--nms", "0.6", "--top-k", "50")
    code, file, _, _ = run("synthetic:4", "--page", "detections", *words)
    light = file.data()["light"]

    assert code == 0
    assert (light["score"], light["nms"], light["top_k"]) == (0.3, 0.6, 50)
    assert len(light["objects"]) > 0
    assert light["answers"] is not None
    assert "Score > 0.30, top-k 50, NMS threshold 0.60 within each class" in " ".join(file.words)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("nothing-here", "--page", "matching"), 2, "no picture file and no scene 'nothing-here'"),
        (("chelsea", "--page", "detections"), 2, "needs --model"),
        (("chelsea", "--page", "detection", "--model", "voc5"), 2, "did you mean detections"),
        (("chelsea", "--page", "matching", "--boxes", "0,0,9,9"), 2, "go with a picture file"),
        (("chelsea", "--page", "anchors", "--level", "6"), 2, "--level must be 0–5"),
        (("synthetic:x", "--page", "anchors"), 2, "synthetic:SEED with a whole number"),
    ],
)
def test_a_mistake_is_told_in_a_sentence_and_leaves_no_file(run, words, code, said):
    answered, file, _, err = run(*words)

    assert (answered, file) == (code, None)
    assert said in err
    assert len(err.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("more", "code", "said"),
    [
        (("--boxes", "0,0,90,40"), 3, "must lie inside the picture of 80 × 40"),
        (("--boxes", "0,0,9,9;1,1,5,5", "--names", "a,b,c"), 2, "one class for each of 2 boxes"),
        (("--boxes", ";".join(["0,0,9,9"] * 21)), 2, "up to 20 objects, got 21"),
    ],
)
def test_objects_that_do_not_fit_are_told_with_their_numbers(run, photo, more, code, said):
    answered, file, _, err = run(photo, "--page", "matching", *more)

    assert (answered, file) == (code, None)
    assert said in err


def test_a_file_that_exists_is_replaced_only_when_told(run, tmp_path):
    (tmp_path / "lesson.html").write_text("mine")
    refused, _, _, err = run("chelsea", "--page", "anchors")
    kept = (tmp_path / "lesson.html").read_text()
    replaced, file, _, _ = run("chelsea", "--page", "anchors", "--force")

    assert (refused, kept) == (2, "mine")
    assert "--force" in err
    assert replaced == 0
    assert file.data()["light"]["mode"] == "anchors"
