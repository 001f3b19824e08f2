"""Selection: what stays, and one true reason for everything that left."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close
from torchvision.models.detection._utils import BoxCoder
from torchvision.models.detection.ssd import SSD

from ssd.anchors import make_anchors
from ssd.boxes import jaccard
from ssd.coding import decode
from ssd.config import SELECTION_PRESETS, UNMATCHED, CoderConfig, SelectionConfig, anchor_preset
from ssd.detections import Detections, Fate, Selection, select, standing
from ssd.errors import DataError
from ssd.ranking import rank
from tests.strategies import scenes

KEPT, TOP_K, SUPPRESSED, CAP = (
    int(fate) for fate in (Fate.KEPT, Fate.BEYOND_TOP_K, Fate.SUPPRESSED, Fate.BEYOND_CAP)
)
WIDE = torch.tensor([0.0, 0.0, 1.0, 0.5])  # not square


def shifted(*left: float) -> torch.Tensor:
    """Boxes of .2 × .4 at these places, side by side where the places are .2 apart."""
    return torch.tensor([[x, 0.1, x + 0.2, 0.5] for x in left])


configs = st.builds(
    SelectionConfig,
    score_threshold=st.sampled_from([0.0, 0.05, 0.3, 0.5, 0.9]),
    nms_threshold=st.sampled_from([0.1, 0.3, 0.45, 0.5, 0.7]),
    top_k=st.integers(1, 12),
    max_detections=st.integers(1, 12),
    class_agnostic=st.booleans(),
)


def identities(selection: Selection) -> list[tuple[int, int]]:
    """(anchor, class) of each candidate."""
    return list(zip(selection.anchors.tolist(), selection.labels.tolist(), strict=True))


def test_the_fates_stand_in_the_order_of_the_pipeline():
    assert [fate.name for fate in Fate] == ["KEPT", "BEYOND_TOP_K", "SUPPRESSED", "BEYOND_CAP"]
    assert [int(fate) for fate in Fate] == [KEPT, TOP_K, SUPPRESSED, CAP]


def test_every_fate_by_hand():
    boxes = shifted(0.0, 0.01, 0.3, 0.6, 0.79, 0.2)
    scores = torch.tensor([[0.9], [0.8], [0.7], [0.6], [0.5], [0.01]])
    config = SelectionConfig(score_threshold=0.01, nms_threshold=0.45, top_k=4, max_detections=2)

    found = select(boxes, scores, config=config)

    assert found.anchors.tolist() == [0, 1, 2, 3, 4]
    assert found.fate.tolist() == [KEPT, SUPPRESSED, KEPT, CAP, TOP_K]
    assert found.suppressed_by.tolist() == [UNMATCHED, 0, UNMATCHED, UNMATCHED, UNMATCHED]
    assert_close(found.overlap, torch.tensor([0.0, 0.19 / 0.21, 0.0, 0.0, 0.0]), rtol=0, atol=1e-5)
    assert found.num_below == 1
    assert found.detections.anchors.tolist() == [0, 2]
    assert [found.count(fate) for fate in Fate] == [2, 1, 1, 1]


def test_classes_do_not_meet_unless_nms_is_class_agnostic():
    boxes, scores = shifted(0.1), torch.tensor([[0.6, 0.9]])

    apart = select(boxes, scores, config=SelectionConfig())
    together = select(boxes, scores, config=SelectionConfig(class_agnostic=True))

    assert apart.fate.tolist() == [KEPT, KEPT]
    assert (together.fate.tolist(), together.labels.tolist()) == ([KEPT, SUPPRESSED], [2, 1])
    assert together.suppressed_by.tolist() == [UNMATCHED, 0]


def test_column_j_is_class_j_plus_1():
    assert select(
        shifted(0.1), torch.tensor([[0.0, 0.0, 0.7]]), config=SelectionConfig()
    ).labels.tolist() == [3]


@pytest.mark.parametrize("threshold", [0.0, 0.25, 0.5])
def test_a_score_of_exactly_the_threshold_leaves(threshold):
    scores = torch.tensor([[threshold], [threshold + 0.001]])

    found = select(shifted(0.0, 0.5), scores, config=SelectionConfig(score_threshold=threshold))

    assert (found.anchors.tolist(), found.num_below) == ([1], 1)


EXACTLY = [(0.45, KEPT), (0.5, KEPT), (0.7, KEPT), (0.3, SUPPRESSED), (0.55, SUPPRESSED), (0.6, SUPPRESSED)]


@pytest.mark.parametrize(("threshold", "fate"), EXACTLY)
def test_a_jaccard_of_exactly_the_nms_threshold(threshold, fate):
    boxes = torch.tensor([[0.0, 0.0, 20 / 32, 0.5], [0.0, 0.0, round(20 * threshold) / 32, 0.5]])

    found = select(boxes, torch.tensor([[0.9], [0.8]]), config=SelectionConfig(nms_threshold=threshold))

    assert float(jaccard(boxes[:1], boxes[1:])) == float(torch.tensor(threshold))
    assert found.fate.tolist() == [KEPT, fate]


def test_top_k_counts_each_class_for_itself():
    scores = torch.tensor([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3]])

    found = select(shifted(0.0, 0.3, 0.6), scores, config=SelectionConfig(top_k=1))

    kept = {
        identity
        for identity, fate in zip(identities(found), found.fate.tolist(), strict=True)
        if fate == KEPT
    }
    assert kept == {(0, 1), (2, 2)}
    assert found.count(Fate.BEYOND_TOP_K) == 4


def test_a_candidate_beyond_top_k_suppresses_nobody():
    found = select(
        shifted(0.0, 0.01, 0.02), torch.tensor([[0.9], [0.8], [0.7]]), config=SelectionConfig(top_k=1)
    )

    assert found.fate.tolist() == [KEPT, TOP_K, TOP_K]


def test_the_sender_is_named_by_its_place_among_all_candidates():
    scores = torch.tensor([[0.9, 0.0], [0.8, 0.0], [0.7, 0.6], [0.0, 0.5]])

    found = select(shifted(0.0, 0.3, 0.6, 0.61), scores, config=SelectionConfig(top_k=2))

    assert found.fate.tolist() == [KEPT, KEPT, TOP_K, KEPT, SUPPRESSED]
    assert found.suppressed_by.tolist() == [UNMATCHED, UNMATCHED, UNMATCHED, UNMATCHED, 3]


def test_equal_scores_the_lower_anchor_then_the_lower_class_stands_first():
    found = select(shifted(0.0, 0.3), torch.full((2, 2), 0.5), config=SelectionConfig())

    assert identities(found) == [(0, 1), (0, 2), (1, 1), (1, 2)]


BAD = [float("nan"), float("inf"), float("-inf")]


@pytest.mark.parametrize("bad", BAD)
def test_a_score_that_is_not_finite_never_survives(bad):
    found = select(shifted(0.0, 0.5), torch.tensor([[bad, 0.9], [0.8, 0.7]]), config=SelectionConfig())

    assert identities(found) == [(0, 2), (1, 1), (1, 2)]
    assert found.num_not_finite == 1


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("edge", range(4))
def test_a_box_that_is_not_finite_never_survives(bad, edge):
    boxes = shifted(0.0, 0.5)
    boxes[0, edge] = bad

    found = select(boxes, torch.tensor([[0.9, 0.8], [0.7, 0.6]]), config=SelectionConfig())

    assert set(found.anchors.tolist()) == {1}
    assert found.num_not_finite == 2


def test_boxes_are_clipped_to_the_picture_before_they_are_compared():
    boxes = torch.tensor([[-1.0, 0.0, 0.5, 0.5], [0.0, 0.0, 0.5, 0.5]])

    found = select(boxes, torch.tensor([[0.9], [0.8]]), config=SelectionConfig())

    assert found.boxes.tolist() == [[0.0, 0.0, 0.5, 0.5]] * 2
    assert found.fate.tolist() == [KEPT, SUPPRESSED]


def test_nothing_in_gives_nothing_out():
    found = select(torch.zeros(0, 4), torch.zeros(0, 3), config=SelectionConfig())

    assert (len(found.detections), len(found.fate), found.num_below, found.num_not_finite) == (0, 0, 0, 0)


@pytest.mark.parametrize("function", [select, rank])
def test_boxes_and_scores_of_different_number_are_refused(unchecked, function):
    with pytest.raises(DataError, match="2 boxes and 3 rows"):
        function(shifted(0.0, 0.5), torch.zeros(3, 1), config=SelectionConfig())


@given(scene=scenes(), config=configs)
def test_every_pair_has_exactly_one_place(scene, config):
    boxes, scores = scene

    found = select(boxes, scores, config=config)

    assert len(found.fate) + found.num_below + found.num_not_finite == scores.numel()
    assert len(set(identities(found))) == len(found.fate)
    assert sum(found.count(fate) for fate in Fate) == len(found.fate)
    assert found.count(Fate.KEPT) == len(found.detections) <= config.max_detections
    assert bool((found.scores[1:] <= found.scores[:-1]).all())
    assert torch.equal(found.detections.scores, found.scores[found.fate == KEPT])


@given(scene=scenes(), config=configs)
def test_every_reason_holds(scene, config):
    found = select(*scene, config=config)

    for index, fate in enumerate(found.fate.tolist()):
        better = [j for j in range(index) if config.class_agnostic or found.labels[j] == found.labels[index]]
        same = sum(int(found.labels[j] == found.labels[index]) for j in range(index))
        survivors = sum(f in (KEPT, CAP) for f in found.fate[:index].tolist())
        assert (fate == TOP_K) == (same >= config.top_k)
        assert (fate == CAP) == (survivors >= config.max_detections and fate in (KEPT, CAP))
        sender = int(found.suppressed_by[index])
        assert (sender != UNMATCHED) == (fate == SUPPRESSED)
        if fate == SUPPRESSED:
            overlap = jaccard(found.boxes[index : index + 1], found.boxes[sender : sender + 1])
            assert sender in better
            assert found.fate[sender] in (KEPT, CAP)
            assert float(overlap) == float(found.overlap[index])
            assert float(overlap) > config.nms_threshold


@given(scene=scenes(), config=configs, more=st.integers(1, 10))
def test_lifting_the_cap_only_adds_detections_at_the_end(scene, config, more):
    found = select(*scene, config=config)
    lifted = select(*scene, config=replace(config, max_detections=config.max_detections + more))

    count = len(found.detections)
    assert torch.equal(lifted.detections.anchors[:count], found.detections.anchors)
    assert torch.equal(lifted.fate[found.fate != CAP], found.fate[found.fate != CAP])


@given(scene=scenes(), config=configs)
def test_lifting_one_limit_moves_a_candidate_to_a_later_fate_or_to_kept(scene, config):
    order = {TOP_K: 0, SUPPRESSED: 1, CAP: 2, KEPT: 3}
    found = select(*scene, config=config)

    lifted = select(*scene, config=replace(config, top_k=config.top_k + 1))

    stopped = found.fate == TOP_K
    before, after = found.fate[stopped].tolist(), lifted.fate[stopped].tolist()
    assert identities(found) == identities(lifted)
    assert all(order[b] >= order[a] for a, b in zip(before, after, strict=True))


@given(scene=scenes(), config=configs)
def test_raising_the_score_threshold_leaves_a_prefix_of_the_candidates(scene, config):
    found = select(*scene, config=config)
    fewer = select(*scene, config=replace(config, score_threshold=min(1.0, config.score_threshold + 0.2)))

    count = len(fewer.fate)
    assert identities(found)[:count] == identities(fewer)
    unlike = [SUPPRESSED, TOP_K, KEPT, CAP]
    assert [unlike[f] for f in found.fate[:count]] == [unlike[f] for f in fewer.fate]


def kept(boxes, scores, *, config):
    """Those that stay: the best few are ranked first, all where these leave room below the cap."""
    ranked = rank(boxes, scores, config=config)
    found = standing(ranked, config=config)
    if ranked.suffices(len(found), config=config):
        return found
    return standing(rank(boxes, scores, config=config, ahead=False), config=config)


def same_detections(few: Detections, whole: Detections) -> None:
    """Field by field, bit by bit."""
    for name in ("boxes", "labels", "scores", "anchors"):
        assert torch.equal(getattr(few, name), getattr(whole, name)), name


@given(scene=scenes(), config=configs)
def test_those_that_stay_are_the_same_without_the_reasons(scene, config):
    same_detections(kept(*scene, config=config), select(*scene, config=config).detections)


@pytest.mark.slow
@pytest.mark.parametrize("agnostic", [False, True], ids=["each class", "agnostic"])
@pytest.mark.parametrize("top_k", [3, 40, 400, 5000])
@pytest.mark.parametrize("cap", [1, 20, 200])
@pytest.mark.parametrize("spread", [0.02, 1.0], ids=["all in one place", "everywhere"])
def test_they_are_the_same_also_where_the_best_few_leave_room(agnostic, top_k, cap, spread):
    dice = torch.Generator().manual_seed(top_k + cap)
    corners = 0.4 + spread * (torch.rand(3000, 2, generator=dice) - 0.5)
    boxes = torch.cat([corners, corners + 0.02 + 0.2 * torch.rand(3000, 2, generator=dice)], dim=1)
    scores = (torch.rand(3000, 3, generator=dice) * 50).round() / 50  # many are equal
    scores[7, 1], scores[9] = torch.nan, torch.inf
    config = SelectionConfig(
        score_threshold=0.1, nms_threshold=0.45, top_k=top_k, max_detections=cap, class_agnostic=agnostic
    )

    same_detections(kept(boxes, scores, config=config), select(boxes, scores, config=config).detections)


def torchvision_detections(codes, logits, anchors, config: SelectionConfig) -> set[tuple[int, float, tuple]]:
    """What torchvision's own postprocessing makes of the same outputs."""
    settings = SimpleNamespace(
        score_thresh=config.score_threshold,
        topk_candidates=config.top_k,
        nms_thresh=config.nms_threshold,
        detections_per_img=config.max_detections,
        box_coder=BoxCoder((10.0, 10.0, 5.0, 5.0)),
    )
    outputs = {"bbox_regression": codes[None], "cls_logits": logits[None]}
    (found,) = SSD.postprocess_detections(settings, outputs, [anchors.boxes], [(1, 1)])
    return as_set(found["boxes"], found["labels"], found["scores"])


def as_set(boxes, labels, scores) -> set[tuple[int, float, tuple]]:
    """Detections without their order."""
    rows = zip(labels.tolist(), scores.tolist(), boxes.tolist(), strict=True)
    return {(label, round(score, 5), tuple(round(v, 4) for v in box)) for label, score, box in rows}


@pytest.mark.parametrize("preset", ["evaluation", "display", "ssdlite"])
@pytest.mark.parametrize("seed", range(3))
def test_detections_agree_with_torchvision_s_postprocessing(preset, seed):
    generator = torch.Generator().manual_seed(seed)
    anchors, config = make_anchors(anchor_preset("lesson-multi").anchors), SELECTION_PRESETS[preset]
    config = replace(config, top_k=30, max_detections=60)
    codes = torch.randn(len(anchors), 4, generator=generator)
    logits = torch.randn(len(anchors), 4, generator=generator) * 2

    boxes = decode(codes, anchors, coder=CoderConfig())
    found = select(boxes, logits.softmax(dim=1)[:, 1:], config=config).detections

    expected = torchvision_detections(codes, logits, anchors, config)
    assert len(found) > 5
    assert as_set(found.boxes, found.labels, found.scores) == expected


def test_selection_changes_no_argument():
    boxes, scores = torch.tensor([[-0.5, 0.0, 1.5, 0.5]] * 2), torch.tensor([[0.1], [0.9]])
    before = boxes.clone(), scores.clone()

    select(boxes, scores, config=SelectionConfig())

    assert torch.equal(boxes, before[0])
    assert torch.equal(scores, before[1])


def test_half_precision_outputs_are_selected_in_float32():
    boxes = torch.tensor([[0.0, 0.0, 0.5, 0.37], [0.0, 0.0, 0.25, 0.37]], dtype=torch.bfloat16)

    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = select(boxes, torch.tensor([[0.9], [0.8]], dtype=torch.bfloat16), config=SelectionConfig())

    assert found.boxes.dtype == found.scores.dtype == found.overlap.dtype == torch.float32
    assert float(found.overlap[1]) == pytest.approx(0.5)
