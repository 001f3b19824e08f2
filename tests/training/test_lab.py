"""The loss lab's numbers: what each anchor costs adds up to the loss that trains."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ssd.anchors import make_anchors
from ssd.config import BACKGROUND, IGNORED, CoderConfig, GridAnchors
from ssd.data.records import make_target
from ssd.errors import ConfigError
from ssd.losses import LossConfig, detection_loss, hard_negatives
from ssd.matching import assign, match
from ssd.training.lab import (
    NEVER_MINED,
    class_log_odds,
    loss_lab,
    negative_ranks,
    relabelled,
    right_shares,
)
from ssd.training.lab_parts import costs_by_class, costs_by_level, easy_share, whole_cost

CONFIG = GridAnchors(grids=(6, 3), zooms=(0.8, 1.2))
ANCHORS = make_anchors(CONFIG)
NAMES = ("dog", "cat", "bird")
CODER = CoderConfig()
BOXES = torch.tensor([[0.02, 0.05, 0.21, 0.22], [0.5, 0.3, 0.95, 0.62]])  # neither is square
IGNORED_BOXES = torch.tensor([[0.6, 0.7, 0.95, 0.98]])


def a_lab(config=None, *, objects=2, seed=0, activation="softmax"):
    """A scene with two objects and an ignored one, and a network that says random things."""
    dice = torch.Generator().manual_seed(seed)
    columns = len(NAMES) + (activation == "softmax")
    codes = torch.randn(len(ANCHORS), 4, generator=dice)
    logits = 2 * torch.randn(len(ANCHORS), columns, generator=dice)
    found = match(BOXES[:objects], ANCHORS.boxes, ignored_boxes=IGNORED_BOXES)
    labels = torch.tensor([2, 1])[:objects]
    told = assign(found, ANCHORS, gt_boxes=BOXES[:objects], gt_labels=labels, coder=CODER)
    lab = loss_lab(
        codes, logits, anchors=ANCHORS, assignment=told, coder=CODER, activation=activation,
        config=config or LossConfig(), class_names=NAMES,
    )  # fmt: skip
    return lab, codes, logits


CONFIGS = {
    "softmax": LossConfig(),
    "ratio 0": LossConfig(negative_ratio=0.0, min_negatives=0),
    "weighted": LossConfig(localisation_weight=2.5),
    "l1": LossConfig(localisation="l1"),
    "bce": LossConfig(confidence="bce", class_mean=False),
    "bce, divided": LossConfig(confidence="bce"),
    "focal": LossConfig(confidence="focal", class_mean=False, gamma=1.0),
}


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
@pytest.mark.parametrize("objects", [2, 0])
def test_levels_and_classes_each_add_up_to_the_loss(config, objects):
    lab, _, _ = a_lab(config, objects=objects)
    total = float(lab.report.total)

    assert sum(part.total for part in costs_by_level(lab)) == pytest.approx(total, rel=1e-5)
    assert sum(part.total for part in costs_by_class(lab)) == pytest.approx(total, rel=1e-5)
    assert whole_cost(lab).total == pytest.approx(total, rel=1e-5)


def test_the_parts_of_a_whole_are_the_reports_own():
    lab, _, _ = a_lab()
    whole = whole_cost(lab)

    assert whole.positives == lab.report.num_positive > 0
    assert int(lab.counted.sum()) == whole.positives + whole.negatives
    assert whole.negatives == lab.report.num_negative == max(3 * whole.positives, 8)
    assert whole.localisation == pytest.approx(float(lab.report.localisation), rel=1e-5)


ratios = st.sampled_from([0.0, 0.5, 1.0, 3.0, 9.5, 10.0])


@given(seed=st.integers(0, 10_000), ratio=ratios, least=st.integers(0, 9))
def test_so_many_ranks_are_mined_as_the_loss_mines(seed, ratio, least):
    dice = torch.Generator().manual_seed(seed)
    costs = torch.randint(0, 5, (60,), generator=dice).float()  # many equal costs
    labels = torch.randint(IGNORED, 3, (60,), generator=dice)
    labels[labels == -1] = BACKGROUND
    wanted = max(math.floor(ratio * int((labels > 0).sum())), least)

    rank = negative_ranks(costs, labels)

    mined = hard_negatives(costs[None], labels[None], ratio=ratio, minimum=least)[0]
    assert torch.equal(rank < wanted, mined)


def test_anchors_that_are_not_negative_are_never_mined():
    lab, _, _ = a_lab()

    assert bool((lab.rank[lab.labels != BACKGROUND] == NEVER_MINED).all())
    assert bool((lab.labels == IGNORED).any())
    assert not bool(lab.counted[lab.labels == IGNORED].any())


def test_without_mining_every_negative_counts_and_has_no_rank():
    lab, _, _ = a_lab(CONFIGS["focal"])

    assert not lab.mines
    assert torch.equal(lab.counted, lab.labels >= BACKGROUND)
    assert bool((lab.rank == NEVER_MINED).all())


def test_the_lab_is_the_loss_that_trains():
    lab, codes, logits = a_lab()
    told = lab.assignment

    report = detection_loss(
        codes[None], logits[None], labels=told.labels[None], targets=told.targets[None],
        anchors=ANCHORS, coder=CODER, config=LossConfig(),
    )  # fmt: skip

    assert float(report.total) == float(lab.report.total)
    assert torch.equal(report.confidence_per_anchor[0], lab.confidence)


def test_log_odds_say_the_probabilities_of_softmax():
    logits = 3 * torch.randn(50, 5, generator=torch.Generator().manual_seed(1))

    torch.testing.assert_close(torch.sigmoid(class_log_odds(logits)), logits.softmax(dim=1)[:, 1:])


def test_log_odds_of_a_sure_network_stay_finite():
    assert bool(class_log_odds(torch.tensor([[0.0, 400.0, -400.0]])).isfinite().all())


def test_bce_of_a_softmax_network_charges_for_its_own_probabilities():
    lab, _, logits = a_lab(CONFIGS["bce"])
    at = int((lab.labels == 2).nonzero()[0])
    p = logits[at].softmax(dim=0)[1:].tolist()

    by_hand = -math.log(1 - p[0]) - math.log(p[1]) - math.log(1 - p[2])

    assert float(lab.confidence[at]) == pytest.approx(by_hand, rel=1e-4)


def test_a_network_without_a_background_column_is_not_asked_for_softmax():
    with pytest.raises(ConfigError):
        a_lab(LossConfig(), activation="sigmoid")


def test_a_sigmoid_network_has_its_own_bce():
    lab, _, logits = a_lab(CONFIGS["bce"], activation="sigmoid")
    at = int((lab.labels == BACKGROUND).nonzero()[0])

    assert float(lab.confidence[at]) == pytest.approx(float(torch.log1p(logits[at].exp()).sum()), rel=1e-4)


def test_numbers_that_are_not_finite_do_not_spoil_the_picture():
    _, codes, logits = a_lab()
    codes[0], logits[0, 1] = torch.nan, torch.inf
    found = match(BOXES, ANCHORS.boxes)
    told = assign(found, ANCHORS, gt_boxes=BOXES, gt_labels=torch.tensor([2, 1]), coder=CODER)

    lab = loss_lab(
        codes, logits, anchors=ANCHORS, assignment=told, coder=CODER, activation="softmax",
        config=LossConfig(), class_names=NAMES,
    )  # fmt: skip

    assert bool(lab.cost.isfinite().all())


def test_a_negative_counts_for_the_class_it_says():
    lab, _, _ = a_lab(LossConfig(negative_ratio=0.0, min_negatives=1))
    at = int((lab.rank == 0).nonzero()[0])

    parts = {part.name: part for part in costs_by_class(lab)}

    said = NAMES[int(lab.said[at]) - 1]
    assert [name for name, part in parts.items() if part.negatives] == [said]
    assert parts[said].negative_confidence == pytest.approx(float(lab.confidence[at]) / lab.divisor)


def test_the_right_answers_share_is_read_from_the_logits():
    logits = torch.tensor([[0.0, math.log(3.0)], [0.0, math.log(3.0)], [0.0, 0.0]])

    softmax = right_shares(logits, torch.tensor([1, 0, IGNORED]), activation="softmax")
    sigmoid = right_shares(logits, torch.tensor([2, 0, IGNORED]), activation="sigmoid")

    torch.testing.assert_close(softmax[:2], torch.tensor([0.75, 0.25]))
    torch.testing.assert_close(sigmoid[:2], torch.tensor([0.75, 0.25]))
    assert bool(softmax[2].isnan() & sigmoid[2].isnan())


def test_easy_negatives_are_counted_and_their_share_taken_of_what_counts():
    lab, _, _ = a_lab(CONFIGS["bce"])
    right = torch.zeros(len(ANCHORS))
    easy = (lab.labels == BACKGROUND).nonzero()[:5, 0]
    right[easy] = 0.9  # exactly the boundary
    right[lab.labels > 0] = 1.0

    share = easy_share(lab, right)

    expected = float(lab.confidence[easy].sum() / lab.confidence[lab.counted].sum())
    assert share.easy == 5
    assert share.negatives == int((lab.labels == BACKGROUND).sum())
    assert share.share == pytest.approx(expected)


def test_objects_of_classes_that_the_network_does_not_know_are_ignored():
    target = make_target(BOXES, torch.tensor([1, 2]))

    new = relabelled(target, names=("zebra", "bird"), known=NAMES)

    assert new.labels.tolist() == [0, 3]
    assert new.ignore.tolist() == [True, False]
    assert target.labels.tolist() == [1, 2]
    assert not bool(target.ignore.any())
