"""Coverage under a preset: its own size and threshold, and a grid for each shape of picture."""

from __future__ import annotations

import pytest
import torch

from ssd.anchors import make_anchors
from ssd.boxes import jaccard
from ssd.config import PYRAMID_PRESETS, anchor_preset, any_preset, pyramid_for_picture
from ssd.coverage import coverage, preset_coverage, training_size
from ssd.data.object_table import object_table
from ssd.data.records import make_target
from ssd.errors import ConfigError

BOXES = torch.tensor([[0.1, 0.1, 0.3, 0.2], [0.2, 0.3, 0.9, 0.5], [0.5, 0.5, 0.6, 0.9]])


def table(pictures_wh: tuple[tuple[int, int], ...] = ()):
    """Three pictures: one object, none, two objects."""
    parts = [BOXES[:1], BOXES[:0], BOXES[1:]]
    targets = [make_target(part, torch.ones(len(part)).long()) for part in parts]
    return object_table(targets, class_names=("cat",), pictures_wh=pictures_wh)


def test_a_preset_brings_its_size_and_threshold():
    lesson = anchor_preset("lesson-multi")

    found = preset_coverage(table(), lesson)

    expected = coverage(table(), make_anchors(lesson.anchors), size_wh=(224, 224), threshold=0.4)
    assert (found.threshold, found.size_wh) == (0.4, (224, 224))
    assert torch.equal(found.best_jaccard, expected.best_jaccard)
    assert torch.equal(found.num_anchors, expected.num_anchors)


def test_every_picture_of_a_pyramid_has_the_grid_of_its_own_shape():
    wh = ((640, 480), (300, 300), (100, 500))
    config = PYRAMID_PRESETS["retinanet"].anchors

    found = preset_coverage(table(wh), any_preset("retinanet"))

    for number, picture in ((0, 0), (1, 2), (2, 2)):
        anchors = make_anchors(pyramid_for_picture(config, picture_wh=wh[picture]))
        best = jaccard(BOXES[number : number + 1], anchors.boxes)[0].max(dim=0)
        assert float(found.best_jaccard[number]) == pytest.approx(float(best.values), abs=1e-6)
        assert int(found.best_anchor[number]) == int(best.indices)
        assert int(found.best_level[number]) == int(anchors.level[best.indices])
    assert found.input_wh.tolist() == [[1066, 800], [266, 1333], [266, 1333]]
    assert found.size_wh == (1333, 800) and found.num_levels == 5
    assert found.wh_px[0].tolist() == pytest.approx([0.2 * 1066, 0.1 * 800], abs=1e-3)


def test_pictures_of_unknown_size_are_taken_for_squares():
    found = preset_coverage(table(), any_preset("faster-rcnn"))

    assert found.input_wh.tolist() == [[800, 800]] * 3 and found.threshold == 0.7


def test_another_size_of_a_pyramid_is_its_shorter_side():
    assert training_size(any_preset("retinanet"), size_px=400) == (666, 400)
    found = preset_coverage(table(((640, 480),) * 3), any_preset("retinanet"), size_px=400)

    assert found.input_wh[0].tolist() == [533, 400]


def test_groups_by_ratio_are_those_at_training_size():
    found = preset_coverage(table(((640, 480), (300, 300), (100, 500))), any_preset("retinanet"))

    counts = {name: group.num_objects for name, group in found.by_ratio().items() if group.num_objects}
    # 213 × 80 px; 186 × 267 px; 27 × 533 px
    assert counts == {"<3:1": 1, "<3:2": 1, "<1:3": 1}


def test_a_size_without_pixels_is_refused():
    for name in ("ssd300-voc", "retinanet"):
        with pytest.raises(ConfigError, match="at least 1"):
            preset_coverage(table(), any_preset(name), size_px=0)


def test_nothing_is_covered_by_everything():
    for name in ("ssd300-voc", "retinanet", "lesson-4x4"):
        found = preset_coverage(object_table([], class_names=("a",)), any_preset(name))

        assert found.everything.num_objects == 0 and found.everything.recall is None
