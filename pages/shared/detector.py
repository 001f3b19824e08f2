"""Which model looks at the scene: the picker, whether it knows the picture, what to fetch."""

from __future__ import annotations

import streamlit as st

from pages.shared import scene as scenes
from pages.shared import show, state
from pages.shared.scene import Scene
from pages.shared.sources import FREE_CLASSES, LESSONS, OWN, PHOTOGRAPHS, SYNTHETIC
from ssd.errors import SSDError

FITTING = "the one that fits"
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
    st.selectbox("Model", (FITTING, *names), key="model_choice", on_change=_keep_model, width=175)
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
