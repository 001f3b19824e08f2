"""Why was this object missed? Verdicts of the Detections page, and the limits that would have helped."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.shared import scene as scenes
from pages.shared import state
from pages.shared.scene import Answer, Scene
from pages.shared.told import told_to
from ssd.config import SelectionConfig

if TYPE_CHECKING:
    from ssd.detections import Selection
    from ssd.diagnosis import Remedy, Trials
    from ssd.figures.verdict_case import Case, Taught

MOST_REMEDIES = 12  # tried in one run: each costs some selections of the picture


@dataclass(frozen=True)
class Verdicts:
    """What is to be said of a picture's objects and false positives."""

    case: Case
    lines: tuple[dict[str, Any], ...]


def verdicts_of(
    scene: Scene, answer: Answer, selection: Selection, config: SelectionConfig
) -> Verdicts | None:
    """The verdicts at the present limits; nothing where the picture has no objects.

    Kept in the session as long as picture, objects and limits stay: a click on the picture
    selects, and diagnoses nothing again.

    Args:
        scene: picture and objects.
        answer: of the network.
        selection: of that answer.
        config: the limits that made it.
    """
    if not len(scene.sample.target):
        return None
    matching = (scene.rule, scene.threshold, scene.strict)
    key = (answer.sha256, scene.digest, state.kept().get("objects"), config, matching)
    known = st.session_state.get("verdicts")
    if known is None or known[0] != key:
        known = st.session_state["verdicts"] = (key, _diagnosed(scene, answer, selection, config))
    return known[1]


def _diagnosed(scene: Scene, answer: Answer, selection: Selection, config: SelectionConfig) -> Verdicts:
    """Diagnose, look for remedies, put both into words."""
    from ssd.diagnosis import Trials
    from ssd.figures.verdicts import false_positive_lines, object_lines

    case, said = case_of(scene, answer, selection, config), answer.output
    trials = Trials(said.boxes, said.scores, config=config, truth=case.result)
    lines = (
        *object_lines(case, _for_objects(case, trials)),
        *false_positive_lines(case, _for_false_positives(case, trials)),
    )
    order = {"missed": 0, "false_positive": 1, "object": 2, "ignored_object": 3}
    ordered = sorted(lines, key=lambda line: order[line.kind])
    return Verdicts(case, tuple(asdict(line) for line in ordered))


def case_of(scene: Scene, answer: Answer, selection: Selection, config: SelectionConfig) -> Case:
    """The picture, selected and diagnosed."""
    from ssd.diagnosis import diagnose, false_positives
    from ssd.figures.findings import picture_result
    from ssd.figures.verdict_case import Case, object_titles

    output, classes = answer.output, answer.config.class_names
    result = picture_result(
        selection.detections,
        scene.sample.target,
        scene_classes=scene.class_names,
        model_classes=classes,
        size_wh=scene.size_wh,
    )
    labels = scene.sample.target.labels.tolist()
    names = [scene.class_names[label - 1] if label else "left out" for label in labels]
    return Case(
        boxes=output.boxes,
        picked=selection,
        config=config,
        result=result,
        diagnosis=diagnose(output.boxes, output.scores, picked=selection, result=result),
        wrong=false_positives(result),
        class_names=classes,
        titles=object_titles(names, result.gt_ignored),
        object_classes=names,
        levels=answer.anchors.level,
        taught=_taught(scene, answer),
    )


def _taught(scene: Scene, answer: Answer) -> Taught:
    """How the matching rule of the sidebar would teach the objects, with the network's anchors."""
    from ssd.diagnosis import training_cover
    from ssd.figures.verdict_case import Taught

    found = scenes.match_of(told_to(scene, answer))
    return Taught(training_cover(found), scene.rule, found.best_overlap, found.anchors_per_object.tolist())


def _for_objects(case: Case, trials: Trials) -> dict[int, Remedy | None]:
    """What finds each missed object."""
    from ssd.diagnosis import Verdict

    verdicts = case.diagnosis.verdict.tolist()
    missed = [g for g, verdict in enumerate(verdicts) if Verdict.IGNORED < verdict < Verdict.FOUND]
    return {g: trials.finding(g) for g in missed[:MOST_REMEDIES]}


def _for_false_positives(case: Case, trials: Trials) -> dict[int, Remedy | None]:
    """What drops each false positive."""
    kept, twins = case.picked.kept.tolist(), case.wrong.duplicate_of.tolist()
    rows = (case.wrong.kind >= 0).nonzero()[:, 0].tolist()[:MOST_REMEDIES]
    first = {row: kept[twins[row]] if twins[row] >= 0 else None for row in rows}
    return {kept[row]: trials.silencing(kept[row], duplicate_of=first[row]) for row in rows}
