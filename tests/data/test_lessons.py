"""The named scenes make their points, and their boxes are exact."""

from __future__ import annotations

import pytest
import torch

from ssd.anchors import make_anchors
from ssd.config import anchor_preset
from ssd.data.lessons import LESSON_SCENES, lesson_scene
from ssd.data.records import validate_target
from ssd.errors import DataError
from ssd.matching import match

# The lesson's table: (object, cell) → jaccard; every pair that is not named is 0.
LESSON_TABLE = {
    (0, 9): 0.0091, (0, 10): 0.0922, (0, 13): 0.0315, (0, 14): 0.3985,
    (1, 8): 0.0356, (1, 9): 0.0549, (1, 10): 0.0103, (1, 12): 0.2598, (1, 13): 0.4538, (1, 14): 0.0653,
    (2, 11): 0.1897,
}  # fmt: skip


def matched(name):
    scene = lesson_scene(name)
    anchors = make_anchors(anchor_preset(scene.anchors).anchors)
    boxes = scene.sample.target.boxes
    return scene, match(boxes, anchors.boxes, rule=scene.rule, threshold=scene.threshold, strict=scene.strict)


@pytest.mark.parametrize("name", LESSON_SCENES)
def test_every_scene_has_objects_inside_the_picture_and_names_for_all(name):
    scene = lesson_scene(name)

    validate_target(scene.sample.target, name=name, num_classes=len(scene.class_names))
    assert scene.point.endswith(".")


@pytest.mark.parametrize("name", LESSON_SCENES)
def test_a_scene_is_the_same_each_time(name):
    assert torch.equal(lesson_scene(name).sample.picture, lesson_scene(name).sample.picture)


def test_the_worked_example_gives_the_lessons_jaccard_table():
    from ssd.boxes import jaccard

    table = torch.zeros(3, 16)
    for (g, cell), value in LESSON_TABLE.items():
        table[g, cell] = value

    found = jaccard(
        lesson_scene("worked example").sample.target.boxes,
        make_anchors(anchor_preset("lesson-4x4").anchors).boxes,
    )

    torch.testing.assert_close(found, table, atol=2e-4, rtol=0)


def test_the_worked_example_assigns_the_cells_of_the_lesson():
    scene, found = matched("worked example")
    names = ["bg" if g < 0 else scene.class_names[g] for g in found.matched_gt.tolist()]

    assert names == ["bg"] * 11 + ["sofa", "bg", "diningtable", "chair", "bg"]


def test_the_orphan_pair_leaves_its_first_object_without_an_anchor():
    scene, found = matched("orphan pair")
    wanted = torch.tensor([[0.20, 0.22, 0.52, 0.28], [0.20, 0.21, 0.52, 0.28]])

    torch.testing.assert_close(scene.sample.target.boxes, wanted)
    assert found.best_anchor.tolist() == [6272, 6272]
    assert found.orphan.tolist() == [True, False]


def test_small_objects_are_only_matched_by_force():
    _, found = matched("small objects")

    assert int(found.forced_only.sum()) > len(found.forced_only) / 2


def test_the_dogs_box_is_tight():
    scene, meadow = lesson_scene("dog and ball").sample, lesson_scene("empty meadow").sample
    painted = (scene.picture.int() - meadow.picture.int()).abs().sum(0) > 30
    x1, y1, x2, y2 = (scene.target.boxes[0] * torch.tensor([480, 320, 480, 320])).round().int().tolist()
    rows, columns = painted[:, :240].any(1).nonzero()[:, 0], painted[:, :240].any(0).nonzero()[:, 0]
    extent = [int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1]

    assert max(abs(a - b) for a, b in zip(extent, [x1, y1, x2, y2], strict=True)) <= 1


def test_an_unknown_scene_is_refused():
    with pytest.raises(DataError, match="one of dog and ball"):
        lesson_scene("worked exampel")
