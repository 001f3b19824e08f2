"""Verdicts in words: what became of each object, what is wrong with each false positive, and what helps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ssd.boxes import xyxy_to_cxcywh
from ssd.config import SelectionConfig
from ssd.diagnosis import Cover, FalsePositive, Remedy, Verdict
from ssd.figures.verdict_case import Case, Taught, VerdictLine, involved
from ssd.figures.verdict_sentences import missed_sentence, wrong_sentence

__all__ = ["false_positive_lines", "object_lines"]

_VERDICTS = {
    Verdict.NO_BOX: "no box",
    Verdict.WRONG_CLASS: "wrong class",
    Verdict.LOW_SCORE: "score too low",
    Verdict.BEYOND_TOP_K: "cut by top-k",
    Verdict.SUPPRESSED: "suppressed",
    Verdict.BEYOND_CAP: "cut by the cap",
    Verdict.CLAIMED: "its box is another's",
}
_WRONGS = {
    FalsePositive.DUPLICATE: "duplicate",
    FalsePositive.WRONG_CLASS: "wrong class",
    FalsePositive.BADLY_PLACED: "badly placed",
    FalsePositive.BACKGROUND: "on background",
}
_LIMITS = {
    "score_threshold": "Score threshold",
    "top_k": "Top-k",
    "nms_threshold": "NMS threshold",
    "max_detections": "Cap",
}
_SWITCHES = {"class_agnostic": "NMS within each class", "nms_kind": "Hard NMS"}


def object_lines(case: Case, remedies: Mapping[int, Remedy | None]) -> tuple[VerdictLine, ...]:
    """A sentence for each object, missed ones first.

    Args:
        case: the picture.
        remedies: by object; one that is not there was not looked for.

    Returns:
        Missed objects, then found ones, then ignored ones; each in the order of the objects.
    """
    lines = [_object_line(case, g, remedies) for g in range(len(case.titles))]
    rank = {"missed": 0, "object": 1, "ignored_object": 2}
    return tuple(sorted(lines, key=lambda line: rank[line.kind]))


def false_positive_lines(case: Case, remedies: Mapping[int, Remedy | None]) -> tuple[VerdictLine, ...]:
    """A sentence for each false positive, best score first.

    Args:
        case: the picture.
        remedies: by candidate; one that is not there was not looked for.

    Returns:
        The lines.
    """
    rows = (case.wrong.kind >= 0).nonzero()[:, 0].tolist()
    return tuple(_wrong_line(case, row, remedies) for row in rows)


def _object_line(case: Case, g: int, remedies: Mapping[int, Remedy | None]) -> VerdictLine:
    """One object."""
    verdict, name = Verdict(int(case.diagnosis.verdict[g])), case.object_classes[g]
    at, candidate = ("object", g), int(case.diagnosis.candidate[g])
    if verdict == Verdict.IGNORED:
        known = int(case.result.gt_labels[g]) > 0
        text = "and takes no part" if known else "since this detector does not know the class"
        return VerdictLine(case.titles[g], "ignored", text, "ignored_object", name, at)
    if verdict == Verdict.FOUND:
        box = case.picked.boxes[candidate]
        text = f"by {case.said(candidate)} at jaccard {case.overlap(box, g):.2f}"
        shown = (involved(box, "true_positive", case.said(candidate)),)
        return VerdictLine(case.titles[g], "found", text, "object", name, at, shown)
    text, boxes = missed_sentence(case, g)
    text += "" if case.taught is None else f" In training: {_cover(case, case.taught, g)}."
    line = VerdictLine(case.titles[g], _VERDICTS[verdict], text, "missed", name, at, boxes)
    if g not in remedies:
        return line
    remedy = remedies[g]
    return _advised(line, case, g, verdict) if remedy is None else _helped(line, case, remedy, "finds it")


def _wrong_line(case: Case, row: int, remedies: Mapping[int, Remedy | None]) -> VerdictLine:
    """One false positive."""
    candidate, kind = int(case.picked.kept[row]), FalsePositive(int(case.wrong.kind[row]))
    text, boxes = wrong_sentence(case, row)
    name = case.class_names[int(case.picked.labels[candidate]) - 1]
    at = ("detection", candidate)
    line = VerdictLine(case.said(candidate), _WRONGS[kind], text, "false_positive", name, at, boxes)
    remedy = remedies.get(candidate)
    return line if remedy is None else _helped(line, case, remedy, "drops it")


def _helped(line: VerdictLine, case: Case, remedy: Remedy, does: str) -> VerdictLine:
    """The button that moves the limits, and what else changes with them."""
    others = remedy.gained - (does == "finds it")
    also = [f"finds {_count(others, 'other object')}"] if others > 0 else []
    also += [f"loses {_count(remedy.lost, 'object')}"] if remedy.lost else []
    wrong = remedy.wrong + (does == "drops it")
    also += [f"brings {_count(wrong, 'more wrong box', 'es')}"] if wrong > 0 else []
    also += [f"drops {_count(-wrong, 'other wrong box', 'es')}"] if wrong < 0 else []
    return replace(
        line,
        remedy={name: getattr(remedy.config, name) for name in remedy.moved},
        button=", ".join(_moved(name, case.config, remedy.config) for name in remedy.moved),
        effect=" · ".join([does, *also]),
    )


def _count(number: int, noun: str, plural: str = "s") -> str:
    return f"{number} {noun}{'' if number == 1 else plural}"


def _moved(name: str, before: SelectionConfig, after: SelectionConfig) -> str:
    """One limit from one value to another."""
    if name in _SWITCHES:
        return _SWITCHES[name]
    values = getattr(before, name), getattr(after, name)
    texts = [f"{value:.2f}" if isinstance(value, float) else f"{value:,}" for value in values]
    return f"{_LIMITS[name]} {texts[0]} → {texts[1]}"


def _advised(line: VerdictLine, case: Case, g: int, verdict: Verdict) -> VerdictLine:
    """No limit helps: what training or the anchors would have to change."""
    if verdict == Verdict.CLAIMED:
        return replace(line, effect="No limit helps: training must give it a box of its own.")
    if verdict != Verdict.NO_BOX:
        return replace(line, effect="No limit here helps: training must raise its class score.")
    advice = "Training must change." if case.taught is None else _advice(case, case.taught, g)
    return replace(line, effect=f"No limit helps. {advice}")


def _cover(case: Case, taught: Taught, g: int) -> str:
    """Training cover, in two or three words."""
    m = _place(case, g)
    kind, answering = Cover(int(taught.cover.kind[m])), taught.anchors_per_object[m]
    if kind == Cover.COVERED:
        return f"covered, {_count(answering, 'anchor')}"
    return "forced anchor only" if kind == Cover.FORCED_ONLY else "orphan"


def _place(case: Case, g: int) -> int:
    """Of an object among those that are matched."""
    return int((~case.result.gt_ignored[:g]).sum())


def _advice(case: Case, taught: Taught, g: int) -> str:
    """What training or the anchors would have to change for an object that no box lies on."""
    m = _place(case, g)
    kind, best = Cover(int(taught.cover.kind[m])), f"{float(taught.best_overlap[m]):.2f}"
    if kind == Cover.COVERED:
        return f"The anchors fit it (best jaccard {best}): train longer, or on more like it."
    width, height = xyxy_to_cxcywh(case.result.gt_boxes[g, None])[0, 2:].tolist()
    size = f"{width * case.result.width_px:.0f} × {height * case.result.height_px:.0f} px"
    if kind == Cover.FORCED_ONLY:
        return f"Its best anchor has jaccard {best} only: add anchors near {size}."
    return f"Under {taught.rule} no anchor answers for it: match bipartite, or add anchors near {size}."
