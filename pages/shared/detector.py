"""The detector of the Detections page: which model, whether it knows the picture, what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.shared import scene as scenes
from pages.shared import show, state
from pages.shared.scene import Scene
from pages.shared.sources import CAMERA, LESSONS, PHOTOGRAPHS, SYNTHETIC, UPLOAD
from ssd.config import SELECTION_PRESETS, SelectionConfig
from ssd.errors import SSDError

if TYPE_CHECKING:
    from ssd.detections import Selection
    from ssd.prediction import PictureOutput, Predictor

FITTING = "the one that fits"
FLOOR = 0.01  # lowest score threshold of the canvas's slider
PRESETS = ("display", "evaluation")
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
    if asked != FITTING:
        return asked if asked not in TORCHVISION_NAMES or _is_fetched(asked) else _offer_fetch(asked)
    return next(
        (name for name in names if name not in TORCHVISION_NAMES and knows(name, scene)), None
    ) or next((name for name in TORCHVISION_NAMES if _is_fetched(name) and knows(name, scene)), None)


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
    if scene.source in (UPLOAD, CAMERA):
        return st.session_state.get("claimed", {}).get(scene.digest) == name
    return scene.source != PHOTOGRAPHS and fits(
        scene.class_names, scenes.predictor_of(name).config.class_names
    )


def explain_misfit(scene: Scene) -> None:
    """Say why nothing is shown, and where to go instead."""
    with st.container(border=True):
        st.markdown("**No model here knows this picture**, so no boxes are shown: they would mean nothing.")
        for name in model_names()[:2]:
            try:
                classes = ", ".join(scenes.predictor_of(name).config.class_names)
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
    state.keep("model", name)


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
    usual = SelectionConfig()
    name = st.segmented_control(
        "Limits",
        PRESETS,
        default="display",
        key="preset",
        bind="query-params",
        on_change=_use_preset,
        required=True,
    )
    nms = st.slider(
        "NMS threshold", 0.05, 0.95, usual.nms_threshold, 0.05, key="nms", bind="query-params", width=190
    )
    with st.popover("Top-k, classes"):
        top_k = st.number_input(
            "Top-k of each class", 1, 1000, usual.top_k, 50, key="topk", bind="query-params"
        )
        agnostic = st.toggle("NMS among all classes together", key="agnostic", bind="query-params")
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


def draw(scene: Scene, predictor: Predictor, selection: Selection) -> None:
    """All candidates on the canvas, with their fates and what they are worth."""
    from ssd.figures.blobs import candidates_blob
    from ssd.figures.findings import outcomes

    names = predictor.config.class_names
    hidden = state.kept_indices("classes", below=len(names))
    worth = None
    if len(scene.sample.target):
        worth = outcomes(
            selection,
            scene.sample.target,
            scene_classes=scene.class_names,
            model_classes=names,
            size_wh=scene.size_wh,
        )
    show.scene_canvas(
        scene,
        mode="detections",
        candidates=candidates_blob(selection, class_names=names, floor=FLOOR),
        selected_detection=state.kept_index("detection", below=len(selection.scores)),
        selected_anchor=None,
        score=score(),
        outcomes=worth,
        hidden_classes=[names[index] for index in hidden],
        editable=False,
        panel=True,
        max_height_px=480,
    )


def verdict(
    scene: Scene, predictor: Predictor, selection: Selection, candidates: Selection, output: PictureOutput
) -> None:
    """The numbers that need Python: the funnel, and which objects were found."""
    from ssd.figures.findings import found_objects, funnel

    stages = funnel(selection, num_anchors=len(predictor.anchors))
    left, right = st.columns(2, gap="large")
    with left:
        st.caption(
            f"Score {score():.2f} keeps {len(selection.detections)} of {len(selection.scores)} candidates. "
            f"The network took {output.seconds:.2f} s, once. It has {len(predictor.anchors):,} anchors "
            "of its own: anchors and matching rule in the sidebar do not change it. A candidate is one of "
            f"them with one of {len(predictor.config.class_names)} classes."
        )
        show.chart("funnel_figure", stages, alt=", ".join(f"{name}: {count}" for name, count in stages))
    with right:
        if not len(scene.objects.labels):
            st.caption("Precision and recall need objects: draw them on the Matching page.")
            return
        names = predictor.config.class_names
        found = found_objects(
            selection,
            scene.sample.target,
            scene_classes=scene.class_names,
            model_classes=names,
            size_wh=scene.size_wh,
            candidates=candidates,
        )
        show.sentences(found.sentences)


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
    from dataclasses import replace

    from ssd.figures.findings import candidate_sentence
    from ssd.figures.inspector import prediction_stages

    names = predictor.config.class_names
    index = state.kept_index("detection", below=len(selection.scores))
    if index is None:
        st.caption(
            "Click a box to see who suppressed it and to follow its anchor through the whole pipeline."
        )
        return
    st.text(candidate_sentence(selection, index, class_names=names))
    anchor = int(selection.anchors[index])
    more = prediction_stages(
        anchor, output=output, selection=selection, class_names=names, size_wh=scene.size_wh
    )
    own = replace(scene, config=predictor.config.anchors, coder=predictor.config.coder)
    show.inspector(own, anchor, more)
