"""A detector's loss: hand-worked values, a float64 reference, gradients, and batches without objects."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch.nn import functional

from ssd.anchors import make_anchors
from ssd.coding import encode
from ssd.config import BACKGROUND, IGNORED, CoderConfig, GridAnchors
from ssd.errors import ConfigError
from ssd.losses import LossConfig, detection_loss, loss_normaliser
from ssd.matching import assign_batch
from tests.losses.reference import ANCHORS, CLASSES, LESSON, detection, random_case

KINDS = list(itertools.product(("softmax", "bce", "focal"), ("smooth-l1", "l1", "giou")))
EACH_ONCE = pytest.mark.parametrize(
    ("confidence", "localisation"), [("softmax", "smooth-l1"), ("bce", "l1"), ("focal", "giou")]
)
EVERY_KIND = pytest.mark.parametrize(("confidence", "localisation"), KINDS)
OFFSET, TANH = CoderConfig(), CoderConfig(kind="tanh")
TWO_BY_TWO = make_anchors(GridAnchors(grids=(2,)))


def loss_of(case, config, *, anchors=ANCHORS, coder=OFFSET, **more):
    """The report of a random case, its boxes encoded."""
    codes, logits, labels, boxes = case
    targets = encode(boxes, anchors, coder=coder)
    return detection_loss(
        codes,
        logits,
        labels=labels,
        targets=targets,
        anchors=anchors,
        coder=coder,
        config=config,
        **{"boxes": boxes, **more},
    )


# --- values -----------------------------------------------------------------------------------------


@EVERY_KIND
@pytest.mark.parametrize("divide_by", ["positives", "pictures"])
@pytest.mark.parametrize(("anchors", "coder"), [(ANCHORS, OFFSET), (LESSON, TANH)], ids=["paper", "lesson"])
def test_both_parts_equal_the_papers_worked_one_anchor_at_a_time(
    confidence, localisation, divide_by, anchors, coder
):
    for seed, class_mean in [(0, True), (1, False)]:
        config = LossConfig(
            confidence, localisation, divide_by=divide_by, class_mean=class_mean, localisation_weight=0.7
        )
        case = random_case(seed, background=confidence == "softmax", anchors=anchors)

        report = loss_of(case, config, anchors=anchors, coder=coder)

        codes, logits, labels, boxes = case
        targets = encode(boxes, anchors, coder=coder)
        places, classes = detection(
            codes, logits, labels, targets, boxes, anchors=anchors, coder=coder, config=config
        )
        assert float(report.localisation) == pytest.approx(places, rel=2e-5)
        assert float(report.confidence) == pytest.approx(classes, rel=2e-5)
        assert float(report.total) == pytest.approx(classes + 0.7 * places, rel=2e-5)


@pytest.mark.parametrize("limit", [0.2, 0.5])
def test_mining_with_a_limit_on_overlap_equals_the_reference(limit):
    case = random_case(3)
    overlap = torch.rand(case[2].shape, generator=torch.Generator().manual_seed(0))
    config = LossConfig(max_negative_overlap=limit)

    report = loss_of(case, config, overlap=overlap)

    _, classes = detection(*case, case[3], anchors=ANCHORS, coder=OFFSET, config=config, overlap=overlap)
    assert float(report.confidence) == pytest.approx(classes, rel=1e-5)
    assert bool((overlap[report.mined] < limit).all())


def test_three_anchors_by_hand_under_softmax_and_smooth_l1():
    report = detection_loss(
        torch.zeros(1, 4, 4),
        torch.zeros(1, 4, 3),
        labels=torch.tensor([[2, 0, IGNORED, IGNORED]]),
        targets=torch.tensor([[[2.0, 0.5, 0.0, 0.0], *[[9.0] * 4] * 3]]),
        anchors=TWO_BY_TWO,
        coder=OFFSET,
        config=LossConfig(),
    )

    assert float(report.confidence) == pytest.approx(2 * math.log(3))
    assert float(report.localisation) == pytest.approx(1.5 + 0.125)
    assert (report.num_positive, report.num_negative) == (1, 1)
    assert report.confidence_per_anchor[0, 2:].tolist() == [0, 0]
    assert report.localisation_per_anchor.tolist() == [[1.625, 0, 0, 0]]


def test_the_lesson_s_loss_by_hand():
    boxes = torch.zeros(1, 4, 4)
    boxes[0, 1] = torch.tensor([0.0, 0.6, 0.5, 0.9])  # cell 1 is [0, .5, .5, 1]: edges off by 0, .1, 0, .1

    report = detection_loss(
        torch.zeros(1, 4, 4),
        torch.zeros(1, 4, 5),
        labels=torch.tensor([[0, 3, 0, IGNORED]]),
        targets=torch.zeros(1, 4, 4),
        anchors=TWO_BY_TWO,
        coder=TANH,
        config=LossConfig("bce", "l1", divide_by="pictures"),
        boxes=boxes,
    )

    assert float(report.localisation) == pytest.approx(0.05)
    assert float(report.confidence) == pytest.approx(3 * math.log(2))  # 5 classes · ln 2 / 5, three times
    assert (report.num_positive, report.num_negative) == (1, 2)


def test_the_lesson_s_own_loop_over_pictures_gives_the_same_but_for_its_sum():
    codes, logits, _, _ = random_case(5, background=False, batch=2, anchors=LESSON)
    objects = [torch.tensor([[0.0, 0.1, 0.4, 0.3], [0.5, 0.4, 0.9, 1.0]]), torch.tensor([[0.1, 0, 0.9, 0.7]])]
    classes = [torch.tensor([2, 4]), torch.tensor([1])]
    told = assign_batch(objects, classes, LESSON, coder=TANH, rule="overwrite", threshold=0.4, strict=True)

    report = detection_loss(
        codes,
        logits,
        labels=told.labels,
        targets=told.targets,
        boxes=told.boxes,
        anchors=LESSON,
        coder=TANH,
        config=LossConfig("bce", "l1", divide_by="pictures"),
    )

    places = sum(lesson_picture(*row)[0] for row in zip(codes, logits, objects, classes, strict=True))
    beliefs = sum(lesson_picture(*row)[1] for row in zip(codes, logits, objects, classes, strict=True))
    assert float(report.localisation) == pytest.approx(float(places) / 2, rel=1e-5)
    assert float(report.confidence) == pytest.approx(float(beliefs) / 2, rel=1e-5)


def lesson_picture(codes, logits, objects, classes):
    """``ssd_1_loss`` of the lesson, its steps in order; classes from 1, background last."""
    moved = torch.tanh(codes)
    centre = moved[:, :2] / 2 * LESSON.cells_wh + LESSON.cxcywh[:, :2]
    size = (moved[:, 2:] / 2 + 1) * LESSON.cxcywh[:, 2:]
    boxes = torch.cat([centre - size / 2, centre + size / 2], dim=1)
    low = torch.maximum(objects[:, None, :2], LESSON.boxes[None, :, :2])
    high = torch.minimum(objects[:, None, 2:], LESSON.boxes[None, :, 2:])
    inner = (high - low).clamp(min=0).prod(dim=2)
    areas = (objects[:, 2:] - objects[:, :2]).prod(dim=1)[:, None] + LESSON.cxcywh[:, 2:].prod(dim=1)[None]
    overlaps = inner / (areas - inner)
    best, which = overlaps.max(dim=0)
    for index, anchor in enumerate(overlaps.max(dim=1).indices.tolist()):
        best[anchor], which[anchor] = 1.99, index
    positive = best > 0.4
    target = torch.where(positive, classes[which] - 1, CLASSES)
    known = functional.one_hot(target, CLASSES + 1)[:, :-1].float()
    cost = functional.binary_cross_entropy_with_logits(logits, known, reduction="sum") / CLASSES
    return (boxes[positive] - objects[which[positive]]).abs().mean(), cost


def test_without_boxes_the_decoded_target_is_meant():
    case = random_case(6)
    config = LossConfig(localisation="giou")

    assert float(loss_of(case, config, boxes=None).total) == pytest.approx(
        float(loss_of(case, config).total), rel=1e-5
    )


def test_the_tanh_coder_cannot_reach_a_far_object_so_its_own_box_is_asked_for():
    far = torch.tensor([[[0.0, 0.0, 1.0, 1.0]] * 4])
    told = {"labels": torch.tensor([[1, 0, 0, 0]]), "targets": encode(far, TWO_BY_TWO, coder=TANH)}
    rest = {"anchors": TWO_BY_TWO, "coder": TANH, "config": LossConfig("bce", "l1")}
    zeros = torch.zeros(1, 4, 4), torch.zeros(1, 4, 1)

    near = detection_loss(*zeros, **told, **rest)
    true = detection_loss(*zeros, **told, **rest, boxes=far)

    # cell 0 is [0, 0, .5, .5]; the nearest reachable box has side .75 and its centre at .5
    assert float(near.localisation) == pytest.approx((0.125 + 0.375) / 2, abs=1e-5)
    assert float(true.localisation) == pytest.approx((0 + 0.5) / 2)


# --- laws -------------------------------------------------------------------------------------------


@EACH_ONCE
def test_what_is_summed_is_what_is_said_of_each_anchor(confidence, localisation):
    case = random_case(8, background=confidence == "softmax")

    report = loss_of(case, LossConfig(confidence, localisation))

    positive = case[2] > 0
    counted = report.confidence_per_anchor[positive | report.mined].sum() / report.num_positive
    places = report.localisation_per_anchor.sum() / report.num_positive
    assert float(report.confidence) == pytest.approx(float(counted), rel=1e-5)
    assert float(report.localisation) == pytest.approx(float(places), rel=1e-5)
    assert (report.num_positive, report.num_negative) == (int(positive.sum()), int(report.mined.sum()))
    assert bool((report.confidence_per_anchor[case[2] == IGNORED] == 0).all())
    assert bool((report.localisation_per_anchor[~positive] == 0).all())


@EACH_ONCE
def test_gradients_equal_finite_differences(confidence, localisation):
    few = torch.tensor([0, 21, 40, 63])
    codes, logits, _, boxes = (part[:1, few].double() for part in random_case(9, background=False))
    if confidence == "softmax":
        logits = torch.cat([logits, logits[..., :1] / 2], dim=2)
    labels = torch.tensor([[4, 0, IGNORED, 2]])
    config = LossConfig(confidence, localisation, gamma=1.5, localisation_weight=2.0)

    def total(codes, logits):
        return loss_of((codes, logits, labels, boxes), config, anchors=ANCHORS.take(few)).total

    assert torch.autograd.gradcheck(total, (codes.requires_grad_(), logits.requires_grad_()))


@EACH_ONCE
def test_ignored_anchors_get_no_gradient_and_negatives_none_on_their_codes(confidence, localisation):
    codes, logits, labels, boxes = random_case(7, background=confidence == "softmax")
    codes.requires_grad_(), logits.requires_grad_()

    config = LossConfig(confidence, localisation, min_negatives=len(ANCHORS))
    loss_of((codes, logits, labels, boxes), config).total.backward()

    assert bool((logits.grad[labels == IGNORED] == 0).all())
    assert bool((codes.grad[labels <= 0] == 0).all())
    assert bool((logits.grad[labels == BACKGROUND] != 0).any(dim=1).all())
    assert bool((codes.grad[labels > 0] != 0).any(dim=1).all())


@EACH_ONCE
def test_a_batch_without_objects_is_finite_and_teaches(confidence, localisation):
    codes, logits, labels, boxes = random_case(2, background=confidence == "softmax")
    codes.requires_grad_(), logits.requires_grad_()
    nothing = torch.zeros_like(labels)

    report = loss_of((codes, logits, nothing, boxes), LossConfig(confidence, localisation))
    report.total.backward()

    total, localisation_sum = float(report.total.detach()), float(report.localisation.detach())
    assert (report.num_positive, localisation_sum) == (0, 0)
    assert math.isfinite(total) and total > 0
    assert report.num_negative == (3 * 8 if confidence == "softmax" else nothing.numel())
    assert bool((logits.grad != 0).any()) and bool(logits.grad.isfinite().all())
    assert bool((codes.grad == 0).all())


def test_without_a_minimum_softmax_learns_nothing_from_a_batch_without_objects():
    codes, logits, labels, boxes = random_case(2)

    report = loss_of((codes, logits, torch.zeros_like(labels), boxes), LossConfig(min_negatives=0))

    assert float(report.total) == 0


@EACH_ONCE
def test_a_batch_in_which_everything_is_ignored_costs_nothing(confidence, localisation):
    codes, logits, labels, boxes = random_case(2, background=confidence == "softmax")

    report = loss_of(
        (codes, logits, torch.full_like(labels, IGNORED), boxes), LossConfig(confidence, localisation)
    )

    assert float(report.total) == 0


@EACH_ONCE
@pytest.mark.parametrize("extreme", [1e4, -1e4])
def test_extreme_outputs_have_finite_losses_and_gradients(confidence, localisation, extreme):
    codes, logits, labels, boxes = random_case(4, background=confidence == "softmax")
    codes, logits = (codes.sign() * extreme).requires_grad_(), (logits.sign() * extreme).requires_grad_()

    report = loss_of((codes, logits, labels, boxes), LossConfig(confidence, localisation, gamma=0.5))
    report.total.backward()

    assert bool(report.total.isfinite())
    assert bool(codes.grad.isfinite().all()) and bool(logits.grad.isfinite().all())


@EACH_ONCE
def test_a_wild_code_of_a_negative_anchor_disturbs_nobody(confidence, localisation):
    codes, logits, labels, boxes = random_case(4, background=confidence == "softmax")
    wild = torch.where((labels > 0)[..., None], codes, torch.inf).requires_grad_()

    report = loss_of((wild, logits, labels, boxes), LossConfig(confidence, localisation))
    report.total.backward()

    expected = loss_of((codes, logits, labels, boxes), LossConfig(confidence, localisation))
    assert float(report.total.detach()) == float(expected.total)
    assert bool(wild.grad.isfinite().all())


@EACH_ONCE
def test_pictures_do_not_mix(confidence, localisation):
    case = random_case(11, background=confidence == "softmax")
    config = LossConfig(confidence, localisation)

    together = loss_of(case, config, normaliser=10.0)
    apart = [loss_of([part[k : k + 1] for part in case], config, normaliser=10.0) for k in range(3)]

    assert float(together.total) == pytest.approx(sum(float(report.total) for report in apart), rel=1e-5)
    assert torch.equal(together.mined, torch.cat([report.mined for report in apart]))


@EACH_ONCE
def test_the_order_of_anchors_does_not_matter(confidence, localisation):
    case = random_case(12, background=confidence == "softmax")
    order = torch.randperm(len(ANCHORS), generator=torch.Generator().manual_seed(1))
    config = LossConfig(confidence, localisation)

    shuffled = loss_of([part[:, order] for part in case], config, anchors=ANCHORS.take(order))

    assert float(shuffled.total) == pytest.approx(float(loss_of(case, config).total), rel=1e-5)


@EACH_ONCE
def test_arguments_are_not_changed(confidence, localisation):
    case = random_case(1, background=confidence == "softmax")
    overlap = torch.rand(case[2].shape)
    held = [*case, encode(case[3], ANCHORS, coder=OFFSET), overlap]
    before = [tensor.clone() for tensor in held]

    detection_loss(
        held[0],
        held[1],
        labels=held[2],
        targets=held[4],
        boxes=held[3],
        overlap=overlap,
        anchors=ANCHORS,
        coder=OFFSET,
        config=LossConfig(confidence, localisation, max_negative_overlap=0.5),
    )

    assert all(torch.equal(a, b) for a, b in zip(held, before, strict=True))


@EACH_ONCE
def test_under_autocast_the_loss_is_computed_in_float32(confidence, localisation):
    codes, logits, labels, boxes = random_case(2, background=confidence == "softmax")
    codes, logits = codes.bfloat16(), logits.bfloat16()
    config = LossConfig(confidence, localisation)
    expected = loss_of((codes.float(), logits.float(), labels, boxes), config)

    with torch.autocast("cpu", dtype=torch.bfloat16):
        report = loss_of((codes, logits, labels, boxes), config)

    assert report.total.dtype == torch.float32
    assert report.confidence_per_anchor.dtype == report.localisation_per_anchor.dtype == torch.float32
    assert float(report.total) == float(expected.total)


# --- the normaliser ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("divide_by", "count"), [("positives", 2.0), ("pictures", 3.0)])
def test_a_batch_counts_its_positives_or_its_pictures(divide_by, count):
    labels = torch.tensor([[1, 0], [IGNORED, 4], [0, 0]])

    assert float(loss_normaliser(labels, config=LossConfig(divide_by=divide_by))) == count


@pytest.mark.parametrize("divide_by", ["positives", "pictures"])
def test_two_processes_with_a_shared_normaliser_have_the_gradient_of_one(divide_by):
    codes, logits, labels, boxes = random_case(4, batch=4)
    config = LossConfig(divide_by=divide_by)
    shared = loss_normaliser(labels, config=config) / 2  # over all processes, over their number

    gradients = []
    for rows in (slice(0, 4), slice(0, 2), slice(2, 4)):
        inputs = logits[rows].clone().requires_grad_()
        part = (codes[rows], inputs, labels[rows], boxes[rows])
        loss_of(part, config, normaliser=None if len(inputs) == 4 else shared).total.backward()
        gradients.append(inputs.grad)

    torch.testing.assert_close(torch.cat(gradients[1:]) / 2, gradients[0])  # what an average over both gives


@pytest.mark.parametrize("normaliser", [0.0, -1.0, math.nan, torch.tensor(0.0)])
def test_a_normaliser_that_is_not_above_zero_is_refused(normaliser):
    with pytest.raises(ConfigError, match="normaliser of a loss must be above 0"):
        loss_of(random_case(0), LossConfig(), normaliser=normaliser)


# --- refusals ---------------------------------------------------------------------------------------


def test_a_sigmoid_loss_on_too_few_columns_says_what_it_needs():
    codes, logits, labels, boxes = random_case(0)
    labels[0, 0] = CLASSES + 2

    with pytest.raises(ConfigError, match="5 columns of logits hold labels up to 5, got 6"):
        loss_of((codes, logits, labels, boxes), LossConfig("bce"))


def test_softmax_on_too_few_columns_says_what_it_needs():
    codes, logits, labels, boxes = random_case(0)
    labels[0, 0] = CLASSES + 2

    with pytest.raises(ConfigError, match="5 columns of logits hold background and labels up to 4, got 6"):
        loss_of((codes, logits, labels, boxes), LossConfig())


def test_a_limit_on_overlap_without_overlaps_is_refused():
    with pytest.raises(ConfigError, match="got no overlap"):
        loss_of(random_case(0), LossConfig(max_negative_overlap=0.5))
