"""The detector of the Detections page: which model, whether it knows the picture, what it says."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.shared import scene as scenes
from pages.shared import show, snippets, state
from pages.shared.facts import facts
from pages.shared.scene import Scene
from pages.shared.sources import FREE_CLASSES, LESSONS, OWN, PHOTOGRAPHS, SYNTHETIC
from pages.shared.takeaway import lesson_button
from ssd.config import SELECTION_PRESETS, SelectionConfig
from ssd.errors import SSDError

if TYPE_CHECKING:
    from ssd.detections import Selection
    from ssd.figures.canvas import CanvasView
    from ssd.prediction import PictureOutput, Predictor

FITTING = "the one that fits"
FLOOR = 0.01  # lowest score threshold of the canvas's slider
PRESETS = ("display", "evaluation")
PHOTOGRAPH_MODELS = ("voc5",)  # shipped ones that were trained on photographs of everyday things
_DRAWN = (SYNTHETIC, LESSONS)  # no photographs


def model_names() -> tuple[str, ...]:
    """Every model that may be asked for, by name."""
    from ssd.checkpoints import TORCHVISION_NAMES
    from ssd.checkpoints import model_names as shipped

    return (*shipped(), *TORCHVISION_NAMES)


def model_picker(scene: Scene) -> str | None:
    """The model to be used; nothing where none that is here knows the picture."""
    from ssd.checkpoints import TORCHVISION_NAMES

    names = model_names()
    asked = state.kept().get("model", FITTING)
    if asked != FITTING and asked not in names:
        state.forget(["model"])
        state.note("This link asks for a model that is not here; the one that fits stands in.")
        asked = FITTING
    st.session_state["model_choice"] = asked
    st.selectbox("Model", (FITTING, *names), key="model_choice", on_change=_keep_model, width=230)
    if asked == FITTING:
        return fitting(scene)
    return asked if asked not in TORCHVISION_NAMES or _is_fetched(asked) else _offer_fetch(asked)


def fitting(scene: Scene) -> str | None:
    """The model for this picture: a shipped one first, then one that was fetched; or none."""
    from ssd.checkpoints import TORCHVISION_NAMES
    from ssd.checkpoints import model_names as shipped

    here = (*shipped(), *(name for name in TORCHVISION_NAMES if _is_fetched(name)))
    return next((name for name in here if knows(name, scene)), None)


def _keep_model() -> None:
    choice = st.session_state["model_choice"]
    state.keep("model", None if choice == FITTING else choice)
    state.forget(["detection", "classes"])


def knows(name: str, scene: Scene) -> bool:
    """Whether a model was made for pictures like this one."""
    from ssd.checkpoints import TORCHVISION_NAMES
    from ssd.figures.findings import fits

    if name in TORCHVISION_NAMES:
        return scene.source not in _DRAWN  # trained on photographs of everyday things
    classes, named = scenes.classes_of_model(name), set(scene.object_names) - set(FREE_CLASSES)
    if scene.source == PHOTOGRAPHS:
        return name in PHOTOGRAPH_MODELS and not named.isdisjoint(classes)
    if scene.source not in OWN:
        return fits(scene.class_names, classes)
    claimed = st.session_state.get("claimed", {}).get(scene.digest)
    if claimed is not None:
        return name == claimed
    return fits(sorted(named), classes) if named else name in PHOTOGRAPH_MODELS


def body_of(scene: Scene) -> None:
    """The page's own part: controls, the picture with all candidates, and what became of them."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="controls"):
        model = model_picker(scene)
        config = limits()
    if model is None or not knows(model, scene):
        _show_without_model(scene)
        return
    predictor, output = scenes.predictor_of(model), scenes.output_of(scene, model=model)
    shown = replace(config, score_threshold=score())
    candidates, selection = predictor.select(output, config), predictor.select(output, shown)
    view = draw(scene, predictor, candidates)
    verdict(scene, predictor, selection, candidates, output)
    stages(scene, predictor, candidates, output)
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


def explain_misfit(scene: Scene) -> None:
    """Say why nothing is shown, and where to go instead."""
    from ssd.checkpoints import model_names as shipped

    with st.container(border=True):
        st.markdown("**No model here knows this picture**, so no boxes are shown: they would mean nothing.")
        for name in shipped():
            try:
                classes = ", ".join(scenes.classes_of_model(name))
            except SSDError:
                continue
            st.text(f"{name} knows: {classes}.")
            if not scene.travels:
                st.button(
                    f"My picture shows {classes}: use {name}", on_click=_claim, args=(scene.digest, name)
                )
        st.markdown("Anchors, matching and assignment need no model and work on this picture:")
        with st.container(horizontal=True):
            for page in ("anchors", "matching", "assignment"):
                st.page_link(f"pages/{page}.py", label=page.capitalize(), icon=":material/arrow_forward:")
        st.markdown(
            "torchvision's detectors, trained on photographs, can be fetched with the model picker above."
        )


def _claim(digest: str, name: str) -> None:
    """The visitor says that a model knows the picture."""
    st.session_state.setdefault("claimed", {})[digest] = name
    state.forget(["model"])


def _is_fetched(name: str) -> bool:
    from ssd.checkpoints import fetched_file

    return fetched_file(name) is not None


def _offer_fetch(name: str) -> None:
    """Size, source and progress of torchvision's weights; offline a sentence."""
    from ssd.checkpoints import fetch_torchvision
    from ssd.models.published import published_weights

    published = published_weights(name)
    host = published.address.split("/")[2]
    with st.container(border=True):
        st.text(
            f"{name} with COCO weights: {published.size_mb:.0f} MB from {host}, kept in your cache folder."
        )
        if st.button("Fetch the weights", icon=":material/download:"):
            bar = st.progress(0.0, "Asking for the file …")
            with show.errors():
                fetch_torchvision(
                    name,
                    progress=lambda n, total: bar.progress(min(n / max(total, 1), 1.0), f"{n / 1e6:.0f} MB"),
                )
                st.rerun()


def limits() -> SelectionConfig:
    """NMS, top-k and cap as the controls have them; the score threshold at its floor."""
    usual, kept = SelectionConfig(), {"bind": "query-params", "persist_state": "session"}
    name = st.segmented_control(
        "Limits", PRESETS, default="display", key="preset", on_change=_use_preset, required=True, **kept
    )
    nms = st.slider("NMS threshold", 0.05, 0.95, usual.nms_threshold, 0.05, key="nms", width=190, **kept)
    with st.popover("Top-k, classes"):
        top_k = st.number_input("Top-k of each class", 1, 1000, usual.top_k, 50, key="topk", **kept)
        agnostic = st.toggle("NMS among all classes together", key="agnostic", **kept)
    cap = SELECTION_PRESETS[name].max_detections
    return SelectionConfig(FLOOR, nms_threshold=nms, top_k=top_k, max_detections=cap, class_agnostic=agnostic)


def _use_preset() -> None:
    """The named limits of papers (evaluation) or of people who look (display)."""
    preset = SELECTION_PRESETS[st.session_state["preset"]]
    state.keep("score", f"{preset.score_threshold:g}")
    st.session_state.update(nms=preset.nms_threshold, topk=preset.top_k, agnostic=preset.class_agnostic)


def score() -> float:
    """The score threshold of the canvas's slider."""
    return max(state.kept_share("score", default=SELECTION_PRESETS["display"].score_threshold), FLOOR)


def draw(scene: Scene, predictor: Predictor, selection: Selection) -> CanvasView:
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
        selected_detection=state.kept_index("detection", below=len(selection.scores)),
        selected_anchor=None,
        score=score(),
        outcomes=None if worth is None else worth.outcomes,
        hits=None if worth is None else worth.hits,
        hidden_classes=[names[index] for index in hidden],
        editable=False,
        panel=True,
        max_height_px=480,
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


def verdict(
    scene: Scene, predictor: Predictor, selection: Selection, candidates: Selection, output: PictureOutput
) -> None:
    """What needs Python: how long the network took, and which objects were found."""
    from ssd.figures.findings import found_objects

    lines = [
        f"Score {score():.2f} keeps {len(selection.detections)} of {len(selection.scores)} candidates. "
        f"The network took {output.seconds:.2f} s, once. It has {len(predictor.anchors):,} anchors "
        "of its own: anchors and matching rule in the sidebar do not change it. A candidate is one of "
        f"them with one of {len(predictor.config.class_names)} classes."
    ]
    if len(scene.objects.labels):
        found = found_objects(
            selection, scene.sample.target, **_names(scene, predictor), candidates=candidates
        )
        lines += found.sentences
    else:
        lines.append("Precision and recall need objects: draw them on the Matching page, each with a class.")
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


def stages(scene: Scene, predictor: Predictor, selection: Selection, output: PictureOutput) -> None:
    """The selected candidate: who sent it away, and its anchor through the whole pipeline."""
    from ssd.figures.findings import candidate_sentence
    from ssd.figures.inspector import prediction_stages

    names = predictor.config.class_names
    index = state.kept_index("detection", below=len(selection.scores))
    if index is None:
        st.caption(
            "Click a box to see who suppressed it and to follow its anchor through the whole pipeline."
        )
        return
    facts(key="fate", lines=[candidate_sentence(selection, index, class_names=names)])
    anchor = int(selection.anchors[index])
    more = prediction_stages(
        anchor, output=output, selection=selection, class_names=names, size_wh=scene.size_wh
    )
    own = replace(scene, config=predictor.config.anchors, coder=predictor.config.coder)
    show.inspector(own, anchor, more)
