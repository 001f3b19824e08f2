"""One anchor of the detector followed through the whole pipeline, on the Detections page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.shared import show, state
from pages.shared.facts import facts
from pages.shared.limits import score
from pages.shared.scene import Answer, Scene
from pages.shared.told import told_to, usual_lab

if TYPE_CHECKING:
    from torch import Tensor

    from pages.shared.verdicts import Verdicts
    from ssd.detections import Selection


def followed_anchor(scene: Scene, answer: Answer, candidates: Selection, said: Verdicts | None) -> int | None:
    """The anchor of the selected box; of a selected object that of the box its verdict is about.

    An anchor that was selected on another page is followed here where it is the detector's own.
    """
    detection = selected_detection(candidates)
    if detection is not None:
        return int(candidates.anchors[detection])
    if scene.object is not None and said is not None:
        anchor = int(said.case.diagnosis.anchor[scene.object])
        return anchor if anchor >= 0 else None
    return scene.anchor if scene.config == answer.config.anchors else None


def selected_detection(candidates: Selection) -> int | None:
    """The candidate that the link or a click selects."""
    return state.kept_index("detection", below=len(candidates.scores))


def follow_of(scene: Scene, answer: Answer, index: int | None) -> dict[str, Any] | None:
    """What the canvas needs to move the anchor's box along its code."""
    if index is None:
        return None
    from ssd.figures.inspector import followed

    return followed(
        index,
        anchors=answer.anchors,
        output=answer.output,
        coder=answer.config.coder,
        object_box=_object_box(scene, answer, index),
    )


def _object_box(scene: Scene, answer: Answer, index: int) -> Tensor | None:
    """The selected object, or the one that the decoded box overlaps most."""
    boxes = scene.sample.target.boxes
    if scene.object is not None:
        return boxes[scene.object]
    if not len(boxes):
        return None
    from ssd.boxes import jaccard

    overlaps = jaccard(boxes, answer.output.boxes[index, None].nan_to_num())[:, 0]
    return boxes[int(overlaps.argmax())] if float(overlaps.max()) > 0 else None


def inspect(
    scene: Scene, answer: Answer, candidates: Selection, selection: Selection, index: int | None
) -> None:
    """From the cell to the fate, nine stations; the selection is the part of the candidates that is shown."""
    from ssd.figures.inspector import loss_stages, prediction_stages

    names, detection = answer.config.class_names, selected_detection(candidates)
    if index is None:
        st.caption("Select a box or an object, on the picture or in the list, to follow its anchor.")
        return
    if detection is not None:
        facts(key="fate", lines=[_fate(candidates, selection, detection, names)])
    told = told_to(scene, answer)
    code, box, *rest = prediction_stages(
        index,
        output=answer.output,
        selection=selection,
        class_names=names,
        size_wh=scene.size_wh,
        coder=answer.config.coder,
        gt_boxes=told.objects.boxes,
        object_names=told.object_names,
    )
    show.inspector(told, index, (code, box, *loss_stages(usual_lab(told, answer), index), *rest))


def _fate(candidates: Selection, selection: Selection, detection: int, names: tuple[str, ...]) -> str:
    """What became of the selected candidate."""
    from ssd.figures.findings import candidate_sentence

    if detection < len(selection.scores):
        return candidate_sentence(selection, detection, class_names=names)
    name = names[int(candidates.labels[detection]) - 1]
    return f"{name} {float(candidates.scores[detection]):.2f} is below the score threshold {score():.2f}."
