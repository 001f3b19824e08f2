"""Precision and recall: the three interpolations by hand, against the devkits, and by law."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ssd.boxes import jaccard
from ssd.errors import ConfigError
from ssd.metrics import (
    METRICS,
    Curve,
    PictureResult,
    average_precision,
    overall_curve,
    pair_up,
    precision_recall,
)
from tests.metrics.pictures import CAT, DOG, picture, random_results

NAMES = ["a", "b", "c"]


def curve(hits: str, num_objects: int) -> Curve:
    """One letter a detection by falling score: x a hit, . none."""
    right = torch.tensor([letter == "x" for letter in hits], dtype=torch.int64)
    return Curve(torch.linspace(0.9, 0.1, len(hits), dtype=torch.float64), right.cumsum(0), num_objects)


# --- by hand ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hits", "num_objects", "voc07", "voc12"),
    [
        ("xxx....", 10, 4 / 11, 0.3),  # bins 0, .1, .2, .3: built as arange(0, 1.1, .1) it would be 3 / 11
        ("xxxxxx", 10, 7 / 11, 0.6),
        ("xxxxxxx", 10, 8 / 11, 0.7),
        ("x", 1, 1.0, 1.0),
        (".x", 1, 0.5, 0.5),
        ("x.x", 2, (6 + 5 * 2 / 3) / 11, (1 + 2 / 3) / 2),  # recalls 0 … .5 at 1, .6 … 1 at 2/3
        (".x.x", 2, 0.5, 0.5),  # the precision of 1/2 comes again: it is the best from the start
        ("..xx", 4, 6 * 0.5 / 11, 0.25),
        ("x..x", 3, (4 + 3 * 0.5) / 11, (1 + 0.5) / 3),  # recall .3 ≤ 1/3, .6 ≤ 2/3
        ("...", 3, 0.0, 0.0),
        ("", 3, 0.0, 0.0),
    ],
)  # fmt: skip
def test_the_voc_numbers_are_those_worked_by_hand(hits, num_objects, voc07, voc12):
    said = curve(hits, num_objects)

    assert said.ap("voc07") == pytest.approx(voc07, abs=1e-12)
    assert said.ap("voc12") == pytest.approx(voc12, abs=1e-12)


def test_ten_objects_and_three_hits_give_3636_not_2727():
    found = [picture([(DOG, 1, False)], [(DOG, 1, 0.9 - k / 100)]) for k in range(3)]
    lost = [picture([(DOG, 1, False)], [(CAT, 1, 0.5)]) for _ in range(7)]

    report = average_precision([*lost, *found], class_names=["dog"], metric="voc07")

    assert report.ap is not None and f"{report.ap:.4f}" == "0.3636"


def test_a_detection_on_a_difficult_object_is_dropped():
    scene = picture([(DOG, 1, True), (CAT, 1, False)], [(DOG, 1, 0.9), (CAT, 1, 0.8)])

    assert average_precision([scene], class_names=["dog"], metric="voc07").ap == 1.0
    assert overall_curve([scene]).scores.tolist() == pytest.approx([0.8])


def test_a_second_hit_is_a_false_positive_also_across_pictures():
    results = [
        picture([(DOG, 1, False)], [(DOG, 1, 0.9), (DOG, 1, 0.7)]),
        picture([(DOG, 1, False)], [(DOG, 1, 0.5)]),
    ]

    assert precision_recall(results, class_names=["dog"])["dog"].hits.tolist() == [1, 1, 2]


def test_the_evaluation_iou_moves_ap_and_leaves_ap50():
    scene = picture([(DOG, 1, False)], [([0.1, 0.2, 0.5, 0.52], 1, 0.9)])  # jaccard .8

    strict = average_precision([scene], class_names=["dog"], metric="voc12", evaluation_iou=0.9)

    assert (strict.ap, strict.ap50, strict.per_class, strict.per_class50) == (0, 1, {"dog": 0}, {"dog": 1})


def test_classes_without_counted_objects_are_null_and_left_out_of_the_mean():
    scene = picture([(DOG, 1, False), (CAT, 2, True)], [(DOG, 1, 0.9), (DOG, 3, 0.9)])

    for metric in METRICS:
        report = average_precision([scene, picture([], [])], class_names=NAMES, metric=metric)
        assert report.per_class == {"a": pytest.approx(1.0), "b": None, "c": None}
        assert report.ap == pytest.approx(1.0)
        assert (report.num_objects, report.num_pictures) == (1, 2)


def test_nothing_at_all_has_no_ap():
    report = average_precision([], class_names=["dog"], metric="voc07")

    assert (report.ap, report.ap50, report.num_pictures, report.num_objects) == (None, None, 0, 0)


def test_an_unknown_metric_is_refused(unchecked):
    with pytest.raises(ConfigError, match="voc07, voc12, coco"):
        average_precision([], class_names=["dog"], metric="map")


@pytest.mark.slow
def test_half_of_whole_pixels_is_half_in_float64():
    """480 and 640 divide unevenly: in [0, 1] units the jaccard would be a hair below .5."""
    misses = 0
    for width in range(3, 60):
        size = torch.tensor([641, 479, 641, 479], dtype=torch.float64)
        gt = torch.tensor([[7, 3, 7 + 2 * width, 14]], dtype=torch.float64) / size
        half = torch.tensor([[7, 3, 7 + width, 14]], dtype=torch.float64) / size
        misses += float(jaccard(gt, half)) < 0.5
        one, no = torch.tensor([1]), torch.tensor([False])
        said = PictureResult(641, 479, gt, one, no, half, one, torch.ones(1, dtype=torch.float64))
        assert average_precision([said], class_names=["dog"], metric="voc07").ap == 1.0
        assert average_precision([said], class_names=["dog"], metric="coco").ap50 == pytest.approx(1.0)
    assert misses > 0  # or the test would show nothing


# --- against the devkits ------------------------------------------------------------------------------


def devkit(results: list[PictureResult], label: int, metric: str, iou: float) -> float | None:
    """The devkit's loop, one detection after another; bins of whole numbers."""
    rows = []
    for number, result in enumerate(results):
        table = jaccard(result.boxes, result.gt_boxes)
        of_it = (result.gt_labels == label) | result.gt_ignored
        for index in (result.labels == label).nonzero()[:, 0].tolist():
            rows.append((-float(result.scores[index]), number, index, table[index], of_it))
    total = sum(int(((r.gt_labels == label) & ~r.gt_ignored).sum()) for r in results)
    if total == 0:
        return None
    taken, right = set(), []
    for _, number, _, overlaps, of_it in sorted(rows, key=lambda row: row[:3]):
        best = max((o.item() for o, of in zip(overlaps, of_it, strict=True) if of), default=-1.0)
        if best < iou - 1e-9:
            right.append(False)
            continue
        gt = next(k for k, (o, of) in enumerate(zip(overlaps, of_it, strict=True)) if of and o.item() == best)
        if results[number].gt_ignored[gt]:
            continue
        right.append((number, gt) not in taken)
        taken.add((number, gt))
    hits = np.cumsum(right) if right else np.zeros(0)
    recall, precision = hits / total, hits / np.arange(1, len(hits) + 1)
    if metric == "voc07":
        return sum(max(precision[hits * 10 >= j * total], default=0.0) for j in range(11)) / 11
    mrec, mpre = np.concatenate([[0], recall, [1]]), np.concatenate([[0], precision, [0]])
    mpre = np.maximum.accumulate(mpre[::-1])[::-1]
    steps = np.where(mrec[1:] != mrec[:-1])[0]
    return float(((mrec[steps + 1] - mrec[steps]) * mpre[steps + 1]).sum())


@pytest.mark.slow
@pytest.mark.parametrize("metric", ["voc07", "voc12"])
@given(seed=st.integers(0, 10_000), iou=st.sampled_from([0.3, 0.5, 0.75]))
def test_the_voc_numbers_are_those_of_the_devkits_loop(metric, seed, iou):
    results = random_results(seed)

    report = average_precision(results, class_names=NAMES, metric=metric, evaluation_iou=iou)

    for label, name in enumerate(NAMES, start=1):
        assert report.per_class[name] == pytest.approx(devkit(results, label, metric, iou), abs=1e-12)


# --- laws ---------------------------------------------------------------------------------------------

curves = st.builds(
    lambda right, extra, scores: Curve(
        torch.tensor(sorted(scores[: len(right)], reverse=True), dtype=torch.float64) / 16,
        torch.tensor(right, dtype=torch.int64).cumsum(0),
        sum(right) + extra,
    ),
    st.lists(st.booleans(), max_size=12),
    st.integers(0, 3),
    st.lists(st.integers(0, 16), min_size=12, max_size=12),
)


@given(said=curves, score=st.integers(-1, 17))
def test_a_point_counts_the_detections_above_the_score(said, score):
    above = said.scores > score / 16
    hits = int(said.hits[above][-1]) if above.any() else 0

    point = said.at(score / 16)

    assert point.precision == (hits / int(above.sum()) if above.any() else None)
    assert point.recall == (hits / said.num_objects if said.num_objects else None)
    if point.f1 is not None and hits:
        assert point.f1 == pytest.approx(2 / (1 / point.precision + 1 / point.recall))


@given(said=curves)
def test_no_threshold_has_a_higher_f1_than_the_best(said):
    best = said.best()

    if best is None:
        assert said.num_objects == 0 or len(said.scores) == 0
        return
    everywhere = [said.at(score / 32).f1 or 0.0 for score in range(-1, 33)]
    assert best.f1 == pytest.approx(max(everywhere))
    assert said.at(best.score) == best


@given(said=curves, metric=st.sampled_from(METRICS))
def test_the_envelope_falls_and_its_mean_is_the_ap(said, metric):
    envelope = said.envelope(metric)

    assert (envelope.precision.diff() <= 0).all() and (envelope.recall.diff() > 0).all()
    if said.num_objects == 0:
        assert said.ap(metric) is None and len(envelope.recall) == 0
    elif metric == "voc12":
        assert float(torch.trapezoid(envelope.precision, envelope.recall)) >= said.ap(metric) - 1e-9
    else:
        assert said.ap(metric) == pytest.approx(float(envelope.precision.mean()))
        assert len(envelope.recall) == {"voc07": 11, "coco": 101}[metric]


def test_coco_interpolates_one_curve_as_coco_does():
    results = [picture([(DOG, 1, False)], [(DOG, 1, 0.9 - k / 10)]) for k in range(3)]
    results.append(picture([(CAT, 1, False)], [(DOG, 1, 0.85), (DOG, 1, 0.05)]))

    wanted = average_precision(results, class_names=["dog"], metric="coco").ap50

    assert precision_recall(results, class_names=["dog"])["dog"].ap("coco") == pytest.approx(
        wanted, abs=1e-12
    )


@pytest.mark.slow
@given(seed=st.integers(0, 10_000))
@settings(max_examples=15)
def test_pairing_once_gives_what_pairing_again_gives(seed):
    results = random_results(seed)
    pairing = pair_up(results)

    for metric in METRICS:
        once = average_precision(pairing, class_names=NAMES, metric=metric)
        assert once == average_precision(results, class_names=NAMES, metric=metric)
    assert pair_up(pairing) is pairing


@pytest.mark.slow
@given(seed=st.integers(0, 10_000), few=st.integers(1, 9))
@settings(max_examples=20)
def test_detections_are_paired_alike_in_stretches_of_any_length(seed, few):
    results = random_results(seed)
    whole = pair_up(results)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ssd.metrics.pairing._PAIRS_AT_ONCE", few)
        parts = pair_up(results)

    for name in ("gt", "overlap", "order"):
        torch.testing.assert_close(getattr(parts, name), getattr(whole, name))
