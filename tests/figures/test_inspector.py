"""One anchor followed through the pipeline."""

from __future__ import annotations

import torch

from ssd.anchors import make_anchors
from ssd.boxes import jaccard
from ssd.config import CoderConfig, GridAnchors, SelectionConfig
from ssd.detections import select
from ssd.figures.inspector import anchor_stages, followed, loss_stages, prediction_stages
from ssd.matching import assign, match
from ssd.prediction import PictureOutput
from tests.training.test_lab import a_lab

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


def test_a_positive_anchor_tells_its_cell_object_and_target_with_and_without_variances():
    told = stages(0)

    assert told["Anchor"] == ("level 0, row 0, column 0, shape 0", "xyxy 0, 0, 200, 100 px")
    assert told["Matched object"] == ("answers for dog 1: positive", "jaccard 0.80 with dog 1")
    assert told["Encoded target"] == (
        "cx 0.00, cy -1.00, w 0.00, h -1.12",
        "without variances (0.1, 0.2):",
        "cx 0.00, cy -0.10, w 0.00, h -0.22",
        "width × 1.00, height × 0.80",
    )


def test_a_forced_anchor_says_so():
    assert stages(2)["Matched object"][0] == "answers for dog 2: forced"


def test_a_negative_anchor_has_nothing_to_learn_but_background():
    told = stages(3)

    assert told["Matched object"] == ("negative: background", "overlaps no object")
    assert told["Encoded target"] == ("background: no box to learn",)


def test_an_ignored_anchor_says_why():
    said = stages(3, ignored_boxes=torch.tensor([[0.5, 0.5, 1.0, 1.0]]))["Matched object"]

    assert said[0] == "ignored, too close to an ignored box"


def test_the_lessons_code_has_no_variances_to_leave_out():
    target = torch.tensor([0.1, -0.2, 0.3, -0.4])
    boxes = torch.tensor([[0.0, 0.0, 0.5, 0.5]])
    output = PictureOutput(boxes=boxes, scores=boxes[:, :1], codes=target[None], logits=boxes, seconds=0.1)
    selection = select(boxes, boxes[:, :1], config=SelectionConfig())

    code = prediction_stages(
        0,
        output=output,
        selection=selection,
        class_names=["dog"],
        size_wh=(4, 2),
        coder=CoderConfig(kind="tanh"),
    )[0]

    assert code.lines == ("cx 0.10, cy -0.20, w 0.30, h -0.40", "tanh keeps each move within half a cell")


def test_a_prediction_is_followed_to_its_fate():
    boxes, scores = torch.tensor([[0.0, 0.0, 0.5, 0.5], [0.0, 0.0, 0.5, 0.45]]), torch.tensor([[0.9], [0.8]])
    output = PictureOutput(boxes=boxes, scores=scores, codes=torch.ones(2, 4), logits=scores, seconds=0.1)
    selection = select(boxes, scores, config=SelectionConfig())
    told = {
        stage.title: stage.lines
        for stage in prediction_stages(
            1,
            output=output,
            selection=selection,
            class_names=["dog"],
            size_wh=(400, 200),
            gt_boxes=OBJECTS,
            object_names=["dog", "dog"],
        )
    }

    assert told["Predicted code"][0] == "cx 1.00, cy 1.00, w 1.00, h 1.00"
    assert told["Predicted code"][2] == "cx 0.10, cy 0.10, w 0.20, h 0.20"
    assert told["Predicted code"][3] == "width × 1.22, height × 1.22"
    assert told["Decoded box"] == ("xyxy 0, 0, 200, 90 px", "jaccard 0.89 with dog 1")
    assert told["Class scores"] == ("dog 0.80",)
    assert told["NMS fate"] == ("dog: suppressed by dog 0.90 at jaccard 0.90",)


def test_the_loss_stages_say_what_an_anchor_costs_and_whether_it_is_mined():
    lab, _, _ = a_lab()
    first, last = (int(i) for i in (lab.rank.argmin(), lab.rank.masked_fill(lab.rank == 65_535, -1).argmax()))
    positive = int((lab.labels > 0).nonzero()[0])
    negatives, mined = int((lab.labels == 0).sum()), int((lab.counted & (lab.labels == 0)).sum())

    costly, cheap, paid = (loss_stages(lab, index) for index in (first, last, positive))

    assert costly[1].lines == (f"number 1 of {negatives} negatives", f"mined: the costliest {mined} count")
    assert cheap[1].lines[1].startswith("not mined")
    assert cheap[0].lines[-1].startswith("0.000 of")
    assert paid[0].lines[1] == f"localisation {float(lab.localisation[positive]):.3f}"
    assert paid[1].lines == ("positive: always counts",)


def test_the_shares_of_all_anchors_add_up_to_the_loss():
    lab, _, _ = a_lab()

    shares = [float(loss_stages(lab, index)[0].lines[-1].split()[0]) for index in range(len(lab.labels))]

    assert abs(sum(shares) - float(lab.report.total)) < 0.0005 * len(shares)


def test_a_followed_anchor_carries_what_its_decode_needs():
    codes = torch.tensor([[0.5, -1.0, 2.0, 0.25]])
    output = PictureOutput(boxes=codes, scores=codes, codes=codes, logits=codes, seconds=0.1)
    anchors = make_anchors(GridAnchors(grids=(1,)))

    data = followed(0, anchors=anchors, output=output, coder=CoderConfig(), object_box=OBJECTS[0])

    assert data["code"] == codes[0].tolist()
    assert data["variances"] == [0.1, 0.2]
    assert (data["anchor"], data["object"]) == ([0.5, 0.5, 1.0, 1.0], OBJECTS[0].tolist())
