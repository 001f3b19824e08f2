"""One anchor followed through the pipeline."""

from __future__ import annotations

import torch

from ssd.anchors import make_anchors
from ssd.boxes import jaccard
from ssd.config import CoderConfig, GridAnchors, SelectionConfig
from ssd.detections import select
from ssd.figures.inspector import anchor_stages, prediction_stages
from ssd.matching import assign, match
from ssd.prediction import PictureOutput

ANCHORS = make_anchors(GridAnchors(grids=(2,)))
OBJECTS = torch.tensor([[0.0, 0.0, 0.5, 0.4], [0.5, 0.0, 0.6, 0.1]])


def stages(index, **options):
    found = match(OBJECTS, ANCHORS.boxes, **options)
    told = assign(found, ANCHORS, gt_boxes=OBJECTS, gt_labels=torch.tensor([1, 1]), coder=CoderConfig())
    return {
        stage.title: stage.lines
        for stage in anchor_stages(
            index,
            anchors=ANCHORS,
            assignment=told,
            overlaps=jaccard(OBJECTS, ANCHORS.boxes),
            object_names=["dog", "dog"],
            size_wh=(400, 200),
        )
    }


def test_a_positive_anchor_tells_its_cell_object_and_target():
    told = stages(0)

    assert told["Cell"] == ("level 0, row 0, column 0, shape 0", "xyxy 0, 0, 200, 100 px")
    assert told["Jaccard"] == ("0.80 with dog 1",)
    assert told["State"] == ("positive, answers for dog 1",)
    assert told["Target"] == ("(0.00, -1.00, 0.00, -1.12)",)


def test_a_forced_anchor_says_so():
    assert stages(2)["State"] == ("forced to answer for dog 2",)


def test_a_negative_anchor_has_nothing_to_learn_but_background():
    told = stages(3)

    assert told["Jaccard"] == ("overlaps no object",)
    assert told["State"] == ("negative: background",)
    assert told["Target"] == ("background: no box",)


def test_an_ignored_anchor_says_why():
    assert stages(3, ignored_boxes=torch.tensor([[0.5, 0.5, 1.0, 1.0]]))["State"] == (
        "ignored, too close to an ignored box",
    )


def test_a_prediction_is_followed_to_its_fate():
    boxes, scores = torch.tensor([[0.0, 0.0, 0.5, 0.5], [0.0, 0.0, 0.5, 0.45]]), torch.tensor([[0.9], [0.8]])
    output = PictureOutput(boxes=boxes, scores=scores, codes=torch.ones(2, 4), logits=scores, seconds=0.1)
    selection = select(boxes, scores, config=SelectionConfig())
    told = {
        stage.title: stage.lines
        for stage in prediction_stages(
            1, output=output, selection=selection, class_names=["dog"], size_wh=(400, 200)
        )
    }

    assert told["Predicted code"] == ("(1.00, 1.00, 1.00, 1.00)",)
    assert told["Decoded box"] == ("xyxy 0, 0, 200, 90 px",)
    assert told["Scores"] == ("dog 0.80",)
    assert told["Fate"] == ("dog: suppressed by candidate 0 at jaccard 0.90",)
