"""One sentence for each verdict: the stage that lost an object, the box to blame, the numbers."""

from __future__ import annotations

from ssd.boxes import clip
from ssd.config import UNMATCHED
from ssd.detections import Fate
from ssd.diagnosis import FalsePositive, Verdict
from ssd.figures.verdict_case import Case, Involved, candidate_box, involved, short

__all__ = ["missed_sentence", "wrong_sentence"]

_Told = tuple[str, tuple[Involved, ...]]


def _no_box(case: Case, g: int, candidate: int) -> _Told:
    """The nearest box, and how near."""
    anchor, best = int(case.diagnosis.anchor[g]), float(case.diagnosis.best_jaccard[g])
    needed = f"No decoded box reaches jaccard {case.evaluation_iou:.2f} with it"
    if anchor == UNMATCHED:
        return f"{needed}; none even touches it.", ()
    text = f"{needed}; the nearest, of anchor {anchor:,} on level {int(case.levels[anchor])}, has {best:.2f}."
    return text, (involved(case.boxes[anchor], "suppressed", f"nearest, jaccard {best:.2f}"),)


def _wrong_class(case: Case, g: int, candidate: int) -> _Told:
    """What the box says instead."""
    name, score = case.object_classes[g], float(case.diagnosis.score[g])
    if candidate == UNMATCHED:
        return f"No box that lies right has any score for {name}.", ()
    box = case.picked.boxes[candidate]
    text = (
        f"The best box there (jaccard {case.overlap(box, g):.2f}) says {case.said(candidate)}; the highest "
        f"{name} score is {short(score)}."
    )
    return text, (involved(box, "false_positive", case.said(candidate)),)


def _low_score(case: Case, g: int, candidate: int) -> _Told:
    """The score that was not enough."""
    box = clip(case.boxes[int(case.diagnosis.anchor[g])])
    said = f"{case.object_classes[g]} {short(float(case.diagnosis.score[g]))}"
    text = (
        f"Its best box (jaccard {case.overlap(box, g):.2f}) says {said}; "
        f"the score threshold is {short(case.config.score_threshold)}."
    )
    return text, (involved(box, "suppressed", said),)


def _beyond_top_k(case: Case, g: int, candidate: int) -> _Told:
    """Its place among its class."""
    same = case.picked.labels[:candidate] == case.picked.labels[candidate]
    text = (
        f"Its best box, {case.said(candidate)}, is number {int(same.sum()) + 1:,} of its class; "
        f"top-k lets {case.config.top_k:,} reach NMS."
    )
    return text, (candidate_box(case, candidate),)


def _suppressed(case: Case, g: int, candidate: int) -> _Told:
    """By whom, and how near."""
    by, config = int(case.diagnosis.suppressed_by[g]), case.config
    found, overlap = case.found_by(by), float(case.picked.overlap[candidate])
    who = f"{case.said(by)}{f', which found {found},' if found else ''}"
    name = case.class_names[int(case.picked.labels[candidate]) - 1]
    own = f"{name} {short(float(case.picked.scores[candidate]))}"
    text = (
        f"{who} overlaps its box {own} by {overlap:.2f}; the NMS threshold is {config.nms_threshold:.2f}."
        if config.nms_kind == "hard"
        else f"Soft-NMS lowers its box {own} to {case.said(candidate)}: {who} overlaps it by {overlap:.2f}."
    )
    word = "true_positive" if found else "kept"
    return text, (involved(case.picked.boxes[by], word, case.said(by)), candidate_box(case, candidate))


def _beyond_cap(case: Case, g: int, candidate: int) -> _Told:
    """Its place among those that NMS left."""
    picked = case.picked
    left = (picked.fate == int(Fate.KEPT)) | (picked.fate == int(Fate.BEYOND_CAP))
    place = int((left & (picked.decayed >= picked.decayed[candidate])).sum())
    text = (
        f"Its best box, {case.said(candidate)}, is number {place:,} after NMS; "
        f"the cap keeps {case.config.max_detections:,}."
    )
    return text, (candidate_box(case, candidate),)


def _claimed(case: Case, g: int, candidate: int) -> _Told:
    """Whose it is."""
    box, other = case.picked.boxes[candidate], int(case.diagnosis.claimed_by[g])
    shown = (involved(box, "true_positive", case.said(candidate)),)
    if other == UNMATCHED:
        return f"The only box left on it, {case.said(candidate)}, counts for another object.", shown
    text = (
        f"The only box left on it, {case.said(candidate)}, overlaps {case.titles[other]} more "
        f"({case.overlap(box, other):.2f} against {case.overlap(box, g):.2f}) and counts for it."
    )
    return text, (*shown, involved(case.result.gt_boxes[other], "object", case.titles[other]))


_NEAR = 0.1  # jaccard from which a box is said to lie on something

_MISSED = {
    Verdict.NO_BOX: _no_box,
    Verdict.WRONG_CLASS: _wrong_class,
    Verdict.LOW_SCORE: _low_score,
    Verdict.BEYOND_TOP_K: _beyond_top_k,
    Verdict.SUPPRESSED: _suppressed,
    Verdict.BEYOND_CAP: _beyond_cap,
    Verdict.CLAIMED: _claimed,
}


def missed_sentence(case: Case, g: int) -> _Told:
    """Why an object was missed.

    Args:
        case: the picture.
        g: index of a missed object.

    Returns:
        The sentence, and the boxes that it names.
    """
    verdict = Verdict(int(case.diagnosis.verdict[g]))
    return _MISSED[verdict](case, g, int(case.diagnosis.candidate[g]))


def wrong_sentence(case: Case, row: int) -> _Told:
    """What is wrong with a false positive.

    Args:
        case: the picture.
        row: its index among the detections.

    Returns:
        The sentence, and the other boxes that it names.
    """
    g, kind = int(case.wrong.gt[row]), FalsePositive(int(case.wrong.kind[row]))
    if g == UNMATCHED:
        return _beside_ignored(case, row)
    title, near = case.titles[g], case.overlap(case.result.boxes[row], g)
    there = involved(case.result.gt_boxes[g], "object", title)
    if kind == FalsePositive.WRONG_CLASS:
        return f"The object there, {title}, is of another class (jaccard {near:.2f}).", (there,)
    if kind == FalsePositive.BADLY_PLACED:
        return f"Its jaccard with {title} is {near:.2f}; {case.evaluation_iou:.2f} is needed.", (there,)
    twin = int(case.picked.kept[case.wrong.duplicate_of[row]])
    text = f"It lies on {title} (jaccard {near:.2f}), which {case.said(twin)} has found."
    return text, (there, involved(case.picked.boxes[twin], "true_positive", case.said(twin)))


def _beside_ignored(case: Case, row: int) -> _Told:
    """A false positive without an object: perhaps it lies on one that takes no part."""
    box = case.result.boxes[row]
    at = {g: case.overlap(box, g) for g in case.result.gt_ignored.nonzero()[:, 0].tolist()}
    near = max(at, key=at.__getitem__, default=UNMATCHED)
    if near == UNMATCHED or at[near] < _NEAR:
        return "No object is near it.", ()
    title = case.titles[near]
    why = (
        "takes no part"
        if int(case.result.gt_labels[near])
        else "is of a class that this detector does not know"
    )
    text = f"Only {title} is near it (jaccard {at[near]:.2f}), which {why}."
    return text, (involved(case.result.gt_boxes[near], "object", title),)
