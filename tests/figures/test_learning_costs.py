"""What the canvas gets of the loss lab, and the sentences about it."""

from __future__ import annotations

import base64

import numpy as np
import pytest
import torch

from ssd.config import BACKGROUND, GridAnchors
from ssd.errors import DataError
from ssd.figures.blobs import anchors_blob
from ssd.figures.canvas import CanvasView, canvas_payload, picture_blob
from ssd.figures.learning_costs import (
    costs_blob,
    curve_marks,
    easy_sentence,
    hardest_sentence,
    object_lines,
)
from ssd.losses import LossConfig
from ssd.training.lab_parts import EasyShare
from tests.training.test_lab import ANCHORS, CONFIG, NAMES, a_lab


def column(blob, name: str, kind) -> np.ndarray:
    """A column of the blob as the browser reads it."""
    return np.frombuffer(base64.b64decode(blob.data[name]), np.dtype(kind).newbyteorder("<"))


def test_every_anchor_crosses_with_cost_rank_state_and_object():
    lab, _, _ = a_lab()

    blob = costs_blob(lab, object_names=("cat", "dog"))

    np.testing.assert_array_equal(column(blob, "confidence", np.float32), lab.confidence.numpy())
    np.testing.assert_array_equal(column(blob, "localisation", np.float32), lab.localisation.numpy())
    np.testing.assert_array_equal(column(blob, "rank", np.uint16), lab.rank.numpy())
    np.testing.assert_array_equal(column(blob, "matched", np.int16) >= 0, (lab.labels > 0).numpy())
    assert len(column(blob, "states", np.uint8)) == blob.data["count"] == len(ANCHORS)
    assert blob.data["minimum"] == 8


def test_another_loss_is_another_blob():
    names = ("cat", "dog")
    digests = {
        costs_blob(a_lab(LossConfig(confidence=kind))[0], object_names=names).digest
        for kind in ("softmax", "bce", "focal")
    }

    assert len(digests) == 3


def test_the_sentences_of_objects_add_up_to_what_positives_cost():
    lab, _, _ = a_lab()
    lines = object_lines(lab, object_names=("cat", "dog"))
    totals = [float(text.split("cost")[1].lstrip("s ").split(",")[0]) for text in lines]

    assert sum(totals) == pytest.approx(float(lab.cost[lab.labels > 0].sum()) / lab.divisor, abs=0.011)
    assert lines[0].startswith("cat: ")


def test_an_orphan_costs_nothing_and_says_so():
    lab, _, _ = a_lab(objects=0)

    assert object_lines(lab, object_names=("dog",)) == (
        "dog: orphan, no anchor, so it costs nothing and teaches nothing",
    )


def test_the_costliest_negative_is_named():
    lab, _, _ = a_lab()
    negative = lab.labels == BACKGROUND
    at = int(lab.confidence.masked_fill(~negative, -1.0).argmax())

    said = hardest_sentence(lab)

    assert f"anchor {at:,} " in said
    assert f"{float(lab.confidence[at]):.2f}" in said
    assert said.endswith(f"says {NAMES[int(lab.said[at]) - 1]}.")


def test_positives_are_marked_at_their_probability_and_cost():
    lab, _, _ = a_lab()
    right = torch.linspace(0, 1, len(ANCHORS))

    marks = curve_marks(lab, right)

    at = int((lab.labels > 0).nonzero()[0])
    assert marks[0] == pytest.approx((float(right[at]), float(lab.confidence[at])))
    assert len(marks) == lab.report.num_positive


def test_small_shares_keep_a_digit():
    said = easy_sentence([("a", EasyShare(5, 9, 0.0999)), ("b", EasyShare(5, 9, 0.1))])

    assert "10.0 % of a, 10 % of b" in said


def test_a_canvas_of_losses_needs_the_costs_of_its_own_anchors():
    picture = picture_blob(b"", width_px=4, height_px=3, alt="")
    costs = costs_blob(a_lab()[0], object_names=("cat", "dog"))
    view = {"mode": "loss", "picture": picture}

    payload = canvas_payload(CanvasView(**view, anchors=anchors_blob(CONFIG), costs=costs, ratio=3.0))

    assert payload.light["costs"] == costs.digest
    assert payload.light["ratio"] == 3.0
    with pytest.raises(DataError):
        canvas_payload(CanvasView(**view, anchors=anchors_blob(CONFIG)))
    with pytest.raises(DataError):
        canvas_payload(CanvasView(**view, anchors=anchors_blob(GridAnchors(grids=(2,))), costs=costs))
