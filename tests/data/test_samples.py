"""The sample photographs: where they come from, and that our boxes fit them."""

from __future__ import annotations

import builtins
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from ssd.data import samples
from ssd.data.records import validate_target
from ssd.data.samples import SAMPLE_CLASSES, sample_names, sample_scene
from ssd.errors import DataError, ResourceError

BOXES = Path(__file__).parents[2] / "assets" / "samples"
COUNTS = {
    "astronaut": 4,
    "camera": 3,
    "chelsea": 3,
    "coffee": 3,
    "coins": 24,
    "motorcycle": 4,
    "rocket": 5,
}


def test_the_photographs_are_those_inside_the_wheel():
    assert sample_names() == tuple(COUNTS)
    assert {path.stem for path in BOXES.iterdir()} == set(COUNTS)


@pytest.mark.parametrize("name", COUNTS)
def test_every_photograph_has_its_objects_inside_it(name):
    scene = sample_scene(name)

    validate_target(scene.target, name=name, num_classes=len(SAMPLE_CLASSES))
    assert (scene.name, len(scene.target)) == (name, COUNTS[name])
    written = json.loads((BOXES / f"{name}.json").read_text())
    assert scene.picture.shape == (3, written["height"], written["width"])
    assert [SAMPLE_CLASSES[label - 1] for label in scene.target.labels] == [
        each["name"] for each in written["objects"]
    ]
    assert sorted({each["name"] for each in written["objects"]}) == written["classes"]


def test_the_list_of_classes_is_sorted_and_holds_what_the_files_use():
    used = {each for path in BOXES.iterdir() for each in json.loads(path.read_text())["classes"]}

    assert tuple(sorted(used)) == SAMPLE_CLASSES


def test_the_boxes_of_the_coins_are_tight_and_on_coins():
    """Inside a box it is bright in the middle of every side, a few pixels outside it is dark."""
    scene = sample_scene("coins")
    grey = scene.picture[0].numpy().astype(float)
    height, width = grey.shape
    boxes = (scene.target.boxes * torch.tensor([width, height, width, height])).round().int().tolist()

    for x1, y1, x2, y2 in boxes:
        middle = grey[y1:y2, x1:x2]
        frame = np.concatenate(
            [
                grey[max(0, y1 - 4) : max(1, y1 - 2), x1:x2].ravel(),
                grey[y2 + 2 : y2 + 4, x1:x2].ravel(),
                grey[y1:y2, max(0, x1 - 4) : x1 - 2].ravel(),
                grey[y1:y2, x2 + 2 : min(width, x2 + 4)].ravel(),
            ]
        )
        assert middle.mean() > frame.mean() + 25
        edges = [middle[:3].max(), middle[-3:].max(), middle[:, :3].max(), middle[:, -3:].max()]
        assert min(edges) > frame.mean() + 25


def test_a_name_that_is_no_sample_is_refused_with_the_list():
    with pytest.raises(DataError, match=r"one of astronaut, camera, .* got '../x'; choose one of them"):
        sample_scene("../x")


def test_without_scikit_image_there_are_no_samples_and_a_sentence_says_how_to_get_them(monkeypatch):
    monkeypatch.setattr(samples, "_pictures", lambda: None)
    sample_names.cache_clear()
    try:
        assert sample_names() == ()
        with pytest.raises(ResourceError, match="need scikit-image; run: pip install scikit-image"):
            sample_scene("coins")
    finally:
        sample_names.cache_clear()


def test_boxes_for_another_picture_are_refused(monkeypatch):
    wrong = {**samples._read_boxes("coins"), "width": 100}
    monkeypatch.setattr(samples, "_read_boxes", lambda name: wrong)

    with pytest.raises(DataError, match=r"the boxes are for 100×303 pixels, .* has 384×303; install"):
        sample_scene("coins")


def test_scikit_image_itself_is_not_imported(monkeypatch):
    """Its import takes half a second, and its own functions may download."""
    real = builtins.__import__

    def watched(name, *args, **kwargs):
        assert not name.startswith(("skimage", "pooch"))
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", watched)

    assert len(sample_scene("chelsea").target) == 3
