"""The Detections page's own part: what a detector says about the scene, and what became of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.shared import scene as scenes
from pages.shared import show, snippets, state
from pages.shared.detector import explain_misfit, knows, model_picker
from pages.shared.facts import facts
from pages.shared.inspector import follow_of, followed_anchor, inspect, selected_detection
from pages.shared.limits import FLOOR, limits, nms_step, score
from pages.shared.scene import Answer, Scene
from pages.shared.takeaway import lesson_button
from pages.shared.verdicts import verdicts_of
from ssd.config import SelectionConfig

if TYPE_CHECKING:
    from ssd.detections import Selection
    from ssd.figures.canvas import CanvasView
    from ssd.prediction import Predictor


def body_of(scene: Scene) -> None:
    """The page's own part: controls, the picture with all candidates, and what became of them."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="controls"):
        model = model_picker(scene)
        config = limits()
    if model is None or not knows(model, scene):
        _show_without_model(scene)
        return
    predictor, answer = scenes.predictor_of(model), scenes.answer_of(scene, model=model)
    shown = replace(config, score_threshold=score())
    candidates, selection = predictor.select(answer.output, config), predictor.select(answer.output, shown)
    said = verdicts_of(scene, answer, selection, shown)
    anchor = followed_anchor(scene, answer, candidates, said)
    view = draw(
        scene,
        predictor,
        candidates,
        verdicts=None if said is None else said.lines,
        follow=follow_of(scene, answer, anchor),
        travel=state.kept_share("travel", default=1.0),
        limits=config,
        nms_step=nms_step(),
    )
    summary(scene, answer, selection)
    inspect(scene, answer, candidates, selection, anchor)
    offers = st.expander("Download", icon=":material/download:", key="offers", on_change="rerun")
    if offers.open:
        with offers:
            downloads(scene, predictor, selection)
            lesson_button(scene, view, settings=lambda: _said(model, predictor, shown))
    show.copy_as_python(lambda: snippets.detect_code(scene, model=model, config=shown))


def _show_without_model(scene: Scene) -> None:
    """The picture alone, and why."""
    picture, why = st.columns((2, 1), gap="medium")
    with picture:
        show.scene_canvas(scene, mode="matching", editable=False, static=True, max_height_px=480)
    with why:
        explain_misfit(scene)


def draw(scene: Scene, predictor: Predictor, selection: Selection, **more: Any) -> CanvasView:
    """All candidates on the canvas, with their fates and what they are worth."""
    from ssd.figures.blobs import candidates_blob
    from ssd.figures.findings import worth_of

    names = predictor.config.class_names
    hidden = state.kept_indices("classes", below=len(names))
    worth = None
    if len(scene.sample.target):
        worth = worth_of(selection, scene.sample.target, **_names(scene, predictor))
    return show.scene_canvas(
        scene,
        mode="detections",
        known=names,
        candidates=candidates_blob(selection, class_names=names, floor=FLOOR),
        num_anchors=len(predictor.anchors),
        selected_detection=selected_detection(selection),
        selected_anchor=None,
        score=score(),
        answers=None if worth is None else worth.answers,
        outcomes=None if worth is None else worth.outcomes,
        hits=None if worth is None else worth.hits,
        hidden_classes=[names[index] for index in hidden],
        editable=False,
        panel=True,
        max_height_px=480,
        **more,
    )


def _said(model: str, predictor: Predictor, config: SelectionConfig) -> tuple[str, ...]:
    """Detector and limits in words."""
    from ssd.figures.takeaway_words import detection_settings

    return detection_settings(
        model=model,
        sha256=predictor.sha256,
        num_anchors=len(predictor.anchors),
        class_names=predictor.config.class_names,
        config=config,
    )


def _names(scene: Scene, predictor: Predictor) -> dict[str, Any]:
    """Whose labels are whose, and how large the picture is."""
    return {
        "scene_classes": scene.class_names,
        "model_classes": predictor.config.class_names,
        "size_wh": scene.size_wh,
    }


def summary(scene: Scene, answer: Answer, selection: Selection) -> None:
    """What is not on the canvas: whose anchors these are, and how long the network took."""
    lines = [
        f"Score {score():.2f} keeps {len(selection.detections)} of {len(selection.scores)} candidates: "
        f"anchors with one of {len(answer.config.class_names)} classes. The network took "
        f"{answer.output.seconds:.2f} s, once, and has {len(answer.anchors):,} anchors of its own: "
        "those in the sidebar do not change it."
    ]
    if not len(scene.sample.target):
        lines.append(
            "Verdicts, precision and recall need objects: draw them on the Matching page, each with a class."
        )
    facts(key="verdict", lines=lines)


def downloads(scene: Scene, predictor: Predictor, selection: Selection) -> None:
    """The detections as they are on the screen, for other tools."""
    from ssd import exports
    from ssd.figures.colours import class_colours

    config, (width, height) = predictor.config, scene.size_wh
    classes = exports.Classes(config.class_names, config.ids)
    result = exports.ImageResult(scene.name, width, height, selection.detections)
    chips = class_colours(config.class_names)
    colours = [chips[name] for name in config.class_names]
    picture = scene.sample.picture
    offers = (
        ("COCO JSON", "detections.json", lambda: exports.results_to_json([result], classes=classes)),
        ("CSV", "detections.csv", lambda: exports.results_to_csv([result], classes=classes)),
        ("VOC XML", "detections.xml", lambda: exports.results_to_voc(result, classes=classes)),
        (
            "Drawn picture",
            "detections.png",
            lambda: exports.draw_detections(picture, selection.detections, classes=classes, colours=colours),
        ),
    )
    with st.container(horizontal=True):
        for label, name, make in offers:
            st.download_button(label, make, file_name=name, on_click="ignore", icon=":material/download:")
