"""Why an object was missed: every verdict by hand, and each proven by lifting its limit."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ssd.anchors import make_anchors
from ssd.boxes import clip, jaccard
from ssd.checkpoints import find_model, read_weights
from ssd.config import MATCHING_RULES, UNMATCHED, SelectionConfig, anchor_preset
from ssd.data.synthetic import synthetic_scene
from ssd.detections import Fate
from ssd.diagnosis import Cover, Verdict, diagnose, lifted, training_cover
from ssd.errors import DataError
from ssd.matching import match, match_overlaps
from ssd.metrics import judge
from ssd.prediction import Predictor
from tests.diagnosis.scenes import Answer, random_answer
from tests.strategies import boxes

DOG, CAT = 1, 2
OBJECT = [0.2, 0.2, 0.6, 0.5]  # .4 × .3
EVALUATION = SelectionConfig()


def answer(rows, *, config=EVALUATION, objects=((OBJECT, DOG),), **more) -> Answer:
    """Rows of (box, score of dog, score of cat) beside objects of (box, class)."""
    return Answer(
        boxes=torch.tensor([row[0] for row in rows], dtype=torch.float32).reshape(-1, 4),
        scores=torch.tensor([row[1:] for row in rows], dtype=torch.float32).reshape(-1, 2),
        config=config,
        gt_boxes=torch.tensor([row[0] for row in objects], dtype=torch.float32),
        gt_labels=torch.tensor([row[1] for row in objects]),
        gt_ignored=torch.zeros(len(objects), dtype=torch.bool),
        **more,
    )


def verdicts(said: Answer) -> list[Verdict]:
    return [Verdict(value) for value in said.diagnosis().verdict.tolist()]


# --- every verdict by hand ----------------------------------------------------------------------------

NEAR = [0.2, 0.2, 0.6, 0.49]  # jaccard .9667
SHORT = [0.2, 0.2, 0.38, 0.5]  # jaccard .45
AWAY = [0.7, 0.6, 0.9, 0.9]


def test_an_object_that_is_found_names_the_candidate_that_found_it():
    found = answer([(AWAY, 0.95, 0.0), (NEAR, 0.9, 0.0)]).diagnosis()

    assert found.verdict.tolist() == [Verdict.FOUND]
    assert (found.anchor.tolist(), found.candidate.tolist()) == ([1], [1])
    assert float(found.best_jaccard) == pytest.approx(0.29 / 0.30, rel=1e-5)
    assert float(found.score) == pytest.approx(0.9)


def test_no_box_lies_right_and_the_nearest_is_named():
    found = answer([(AWAY, 0.9, 0.0), (SHORT, 0.7, 0.2)]).diagnosis()

    assert found.verdict.tolist() == [Verdict.NO_BOX]
    assert (found.anchor.tolist(), found.candidate.tolist()) == ([1], [UNMATCHED])
    assert float(found.best_jaccard) == pytest.approx(0.45, rel=1e-5)
    assert float(found.score) == pytest.approx(0.7)


def test_only_of_the_wrong_class_names_the_candidate_of_the_other_class():
    found = answer([(NEAR, 0.005, 0.8), (AWAY, 0.9, 0.0)]).diagnosis()

    assert found.verdict.tolist() == [Verdict.WRONG_CLASS]
    assert (found.anchor.tolist(), found.candidate.tolist()) == ([0], [1])  # the cat stands second


def test_a_score_too_low_is_given():
    config = SelectionConfig(score_threshold=0.5)
    found = answer([(NEAR, 0.3, 0.4), (SHORT, 0.9, 0.0), (NEAR, 0.45, 0.1)], config=config).diagnosis()

    assert found.verdict.tolist() == [Verdict.LOW_SCORE]
    assert (found.anchor.tolist(), found.candidate.tolist()) == ([2], [UNMATCHED])
    assert float(found.score) == pytest.approx(0.45)


def test_a_score_of_exactly_the_threshold_is_too_low():
    config = SelectionConfig(score_threshold=0.5)

    assert verdicts(answer([(NEAR, 0.5, 0.0)], config=config)) == [Verdict.LOW_SCORE]


def test_cut_by_top_k():
    config = SelectionConfig(top_k=1)
    found = answer([(AWAY, 0.9, 0.0), (NEAR, 0.8, 0.0)], config=config).diagnosis()

    assert found.verdict.tolist() == [Verdict.BEYOND_TOP_K]
    assert (found.anchor.tolist(), found.candidate.tolist()) == ([1], [1])


def test_suppressed_names_the_box_that_did_it():
    found = answer([(SHORT, 0.9, 0.0), ([0.2, 0.2, 0.42, 0.5], 0.8, 0.0)]).diagnosis()

    assert found.verdict.tolist() == [Verdict.SUPPRESSED]
    assert (found.candidate.tolist(), found.suppressed_by.tolist()) == ([1], [0])
    assert found.claimed_by.tolist() == [UNMATCHED]


def test_cut_by_the_cap_of_the_picture():
    config = SelectionConfig(max_detections=1)
    found = answer([(AWAY, 0.1, 0.9), (NEAR, 0.8, 0.0)], config=config).diagnosis()

    assert found.verdict.tolist() == [Verdict.BEYOND_CAP]
    assert (found.anchor.tolist(), found.suppressed_by.tolist()) == ([1], [UNMATCHED])


def test_claimed_by_the_object_that_the_box_overlaps_more():
    twin = [0.2, 0.2, 0.6, 0.48]
    found = answer([(NEAR, 0.9, 0.0)], objects=((OBJECT, DOG), ([0.2, 0.2, 0.6, 0.489], DOG), (twin, CAT)))

    assert verdicts(found) == [Verdict.CLAIMED, Verdict.FOUND, Verdict.WRONG_CLASS]
    assert found.diagnosis().claimed_by.tolist() == [1, UNMATCHED, UNMATCHED]
    assert found.diagnosis().candidate.tolist()[0] == 0


@pytest.mark.parametrize(("iou", "verdict"), [(0.5, Verdict.FOUND), (0.501, Verdict.NO_BOX)])
def test_a_jaccard_of_exactly_the_evaluation_iou_lies_right(iou, verdict):
    wide = answer(
        [([0.0, 0.0, 0.5, 1.0], 0.9, 0.0)], objects=(([0.0, 0.0, 1.0, 1.0], DOG),), evaluation_iou=iou
    )

    assert verdicts(wide) == [verdict]


def test_the_earliest_stage_that_loses_every_box_is_the_verdict():
    rows = [(AWAY, 0.9, 0.0), (NEAR, 0.8, 0.0)]
    strict = SelectionConfig(score_threshold=0.85, top_k=1, max_detections=1)

    assert verdicts(answer(rows, config=strict)) == [Verdict.LOW_SCORE]
    assert verdicts(answer(rows, config=replace(strict, score_threshold=0.1))) == [Verdict.BEYOND_TOP_K]
    assert verdicts(answer(rows, config=replace(strict, score_threshold=0.1, top_k=9))) == [
        Verdict.BEYOND_CAP
    ]


def test_a_box_that_is_not_finite_or_says_nothing_is_no_box():
    wild = [float("nan"), 0.2, 0.6, 0.5]

    assert verdicts(answer([(wild, 0.9, 0.1), (NEAR, 0.0, 0.0)])) == [Verdict.NO_BOX]
    assert verdicts(answer([(NEAR, float("nan"), 0.0)])) == [Verdict.NO_BOX]


def test_a_class_whose_score_is_zero_can_be_reached_by_no_threshold():
    config = SelectionConfig(score_threshold=0.5)

    assert verdicts(answer([(NEAR, 0.0, 0.2)], config=config)) == [Verdict.WRONG_CLASS]


def test_a_box_outside_the_picture_is_diagnosed_as_it_is_judged_clipped():
    config = SelectionConfig(score_threshold=0.95)
    corner = [0.0, 0.0, 0.5, 0.5]  # .25 of the box as it was decoded, all of it clipped

    said = answer([([-0.5, -0.5, 0.5, 0.5], 0.9, 0.0)], config=config, objects=((corner, DOG),))

    assert verdicts(said) == [Verdict.LOW_SCORE]
    assert verdicts(replace(said, config=EVALUATION)) == [Verdict.FOUND]


def test_without_any_box_every_object_has_none():
    found = answer([], objects=((OBJECT, DOG), (AWAY, CAT))).diagnosis()

    assert found.verdict.tolist() == [Verdict.NO_BOX] * 2
    assert found.anchor.tolist() == [UNMATCHED] * 2
    assert found.best_jaccard.tolist() == found.score.tolist() == [0, 0]


def test_an_ignored_object_has_no_verdict_even_of_a_class_left_out():
    said = answer([(NEAR, 0.9, 0.0)], objects=((OBJECT, 0), (AWAY, DOG)))

    assert verdicts(replace(said, gt_ignored=torch.tensor([True, False]))) == [
        Verdict.IGNORED,
        Verdict.NO_BOX,
    ]


# --- laws ---------------------------------------------------------------------------------------------


def with_limit_lifted(said: Answer, index: int, verdict: Verdict) -> Answer:
    """The same answer without the one limit that the verdict of an object is about."""
    if verdict == Verdict.NO_BOX:
        return replace(said, evaluation_iou=0.0)
    if verdict == Verdict.WRONG_CLASS:
        finite = said.boxes.isfinite().all(dim=1)
        drawn = clip(torch.where(finite[:, None], said.boxes, 0.0))
        right = finite & (
            jaccard(drawn, said.gt_boxes[index : index + 1])[:, 0].double() >= said.evaluation_iou
        )
        known = torch.where(said.scores.isfinite(), said.scores, 0.0)
        scores = said.scores.clone()
        scores[right, int(said.gt_labels[index]) - 1] = known[right].max(dim=1).values
        return replace(said, scores=scores)
    if verdict == Verdict.CLAIMED:
        return said.only_object(index)
    return replace(said, config=lifted(said.config, verdict))


def says_anything(said: Answer) -> bool:
    """Whether any finite box has a score."""
    scores = said.scores[said.boxes.isfinite().all(dim=1)]
    return bool((scores.isfinite() & (scores > 0)).any())


def moves_on(said: Answer) -> list[Verdict]:
    """Check the counterfactual of every missed object; the verdicts that were checked."""
    before = verdicts(said)
    checked = []
    for index, verdict in enumerate(before):
        if verdict in (Verdict.FOUND, Verdict.IGNORED) or not says_anything(said):
            continue
        after = verdicts(with_limit_lifted(said, index, verdict))
        new = after[0] if verdict == Verdict.CLAIMED else after[index]
        assert new > verdict, f"object {index}: {verdict.name} became {new.name}"
        checked.append(verdict)
    return checked


@pytest.mark.slow
@given(seed=st.integers(0, 1_000_000))
def test_lifting_the_one_limit_moves_an_object_to_a_later_verdict_or_to_found(seed):
    moves_on(random_answer(seed))


@pytest.mark.slow
def test_the_random_scenes_hold_every_verdict():
    checked = Counter(verdict for seed in range(100) for verdict in moves_on(random_answer(seed)))

    missed = set(Verdict) - {Verdict.FOUND, Verdict.IGNORED}
    assert set(checked) == missed
    assert min(checked.values()) >= 2


@pytest.mark.slow
@given(seed=st.integers(0, 1_000_000))
def test_found_and_ignored_are_what_the_metric_says(seed):
    said = random_answer(seed)

    verdict = said.diagnosis().verdict

    judged = judge(said.result(), evaluation_iou=said.evaluation_iou)
    assert torch.equal(verdict == int(Verdict.FOUND), judged.found)
    assert torch.equal(verdict == int(Verdict.IGNORED), said.gt_ignored)


@given(seed=st.integers(0, 1_000_000))
def test_the_box_that_is_named_met_the_fate_that_is_named(seed):
    said = random_answer(seed)
    picked, found = said.picked(), said.diagnosis()
    fates = {
        Verdict.BEYOND_TOP_K: Fate.BEYOND_TOP_K,
        Verdict.SUPPRESSED: Fate.SUPPRESSED,
        Verdict.BEYOND_CAP: Fate.BEYOND_CAP,
        Verdict.CLAIMED: Fate.KEPT,
        Verdict.FOUND: Fate.KEPT,
    }

    for gt, (value, candidate) in enumerate(
        zip(found.verdict.tolist(), found.candidate.tolist(), strict=True)
    ):
        verdict = Verdict(value)
        if verdict in fates:
            assert picked.fate[candidate] == int(fates[verdict])
            assert picked.labels[candidate] == said.gt_labels[gt]
            overlap = jaccard(picked.boxes[candidate : candidate + 1], said.gt_boxes[gt : gt + 1])
            assert float(overlap) >= said.evaluation_iou
            assert found.anchor[gt] == picked.anchors[candidate]
        if verdict == Verdict.SUPPRESSED:
            assert found.suppressed_by[gt] == picked.suppressed_by[candidate] >= 0
        if verdict == Verdict.CLAIMED:
            assert found.claimed_by[gt] not in (gt, UNMATCHED)
        if verdict == Verdict.WRONG_CLASS and candidate != UNMATCHED:
            assert picked.labels[candidate] != said.gt_labels[gt]


@pytest.mark.slow
def test_the_counterfactuals_hold_for_a_shipped_detector_on_scenes_with_many_objects():
    loaded = read_weights(find_model("shapes"))
    predictor = Predictor(loaded.model, sha256=loaded.sha256)
    harsh = SelectionConfig(score_threshold=0.8, nms_threshold=0.05, top_k=2, max_detections=2)
    checked = []
    for seed in range(20_000, 20_010):
        sample = synthetic_scene(seed)
        output, target = predictor.predict(sample.picture), sample.target
        truth = (target.boxes, target.labels, target.ignore | target.difficult)
        for config in (EVALUATION, harsh):
            checked += moves_on(Answer(output.boxes, output.scores, config, *truth, evaluation_iou=0.75))

    assert len(set(checked)) >= 3


def test_arguments_are_not_changed():
    said = random_answer(4)
    picked, result = said.picked(), said.result()
    held = [said.boxes, said.scores, *vars(result).values(), *vars(picked).values()]
    tensors = [part for part in held if isinstance(part, torch.Tensor)]
    before = [part.clone() for part in tensors]

    diagnose(said.boxes, said.scores, picked=picked, result=result)

    assert all(torch.equal(a.nan_to_num(), b.nan_to_num()) for a, b in zip(tensors, before, strict=True))


# --- limits and refusals --------------------------------------------------------------------------------


@pytest.mark.parametrize("verdict", [Verdict.NO_BOX, Verdict.WRONG_CLASS, Verdict.CLAIMED, Verdict.FOUND])
def test_no_limit_of_the_selection_is_to_blame_for_these(verdict):
    assert lifted(EVALUATION, verdict) is None


def test_a_lifted_limit_leaves_the_others_as_they_were():
    for verdict in (Verdict.LOW_SCORE, Verdict.BEYOND_TOP_K, Verdict.SUPPRESSED, Verdict.BEYOND_CAP):
        changed = lifted(EVALUATION, verdict)
        differing = [name for name, value in vars(EVALUATION).items() if getattr(changed, name) != value]
        assert len(differing) == 1


def test_a_result_of_another_selection_is_refused():
    said = answer([(NEAR, 0.9, 0.0)])
    other = replace(said, config=SelectionConfig(score_threshold=0.95))

    with pytest.raises(DataError, match="got 1 detections beside 0 selected ones"):
        diagnose(said.boxes, said.scores, picked=other.picked(), result=said.result())


def test_an_object_of_a_class_without_scores_is_refused():
    said = answer([(NEAR, 0.9, 0.0)], objects=((OBJECT, 3),))

    with pytest.raises(DataError, match=r"Object 0 must be of a class in 1\.\.2, got 3"):
        said.diagnosis()


# --- training cover -------------------------------------------------------------------------------------


@given(gt=boxes(max_size=6, min_side=0.02), rule=st.sampled_from(MATCHING_RULES))
def test_cover_is_complete_and_exclusive_and_that_of_the_match(gt, rule):
    found = match(gt, make_anchors(anchor_preset("lesson-multi").anchors).boxes, rule=rule)

    cover = training_cover(found)

    assert torch.equal(cover.kind == int(Cover.ORPHAN), found.orphan)
    assert torch.equal(cover.kind == int(Cover.FORCED_ONLY), found.forced_only)
    covered = found.matched_gt[found.positive & ~found.forced].unique().tolist()
    assert (cover.kind == int(Cover.COVERED)).nonzero()[:, 0].tolist() == covered
    assert bool(((cover.by >= 0) <= found.orphan).all())


def test_an_orphan_names_the_object_that_took_its_anchor():
    pair = torch.tensor([[0.20, 0.22, 0.52, 0.28], [0.20, 0.21, 0.52, 0.28]])
    anchors = make_anchors(anchor_preset("ssd300-voc").anchors).boxes

    lost = training_cover(match(pair, anchors, rule="overwrite"))
    kept = training_cover(match(pair, anchors, rule="bipartite"))

    assert (lost.kind.tolist(), lost.by.tolist()) == ([Cover.ORPHAN, Cover.COVERED], [1, UNMATCHED])
    assert kept.kind.tolist() == [Cover.FORCED_ONLY, Cover.COVERED]


def test_an_object_that_no_anchor_meets_is_an_orphan_of_nobody():
    cover = training_cover(match_overlaps(torch.tensor([[0.0, 0.0], [0.9, 0.1]])))

    assert (cover.kind.tolist(), cover.by.tolist()) == ([Cover.ORPHAN, Cover.COVERED], [1, UNMATCHED])
