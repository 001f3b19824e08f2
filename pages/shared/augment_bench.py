"""The augmentation bench: each transform before and after, as a strip of repeats, with the wrong way."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from pages.shared import scene as scenes
from pages.shared.scene import Scene

if TYPE_CHECKING:
    from ssd.data.augment import AugmentationReport, AugmentConfig
    from ssd.data.records import Sample

REPEATS = 7
_SIDE_PX = 300
_COLUMNS = 4
_ONE = {  # one transform by itself, always
    "rotate": {"rotate": 1.0},
    "flip": {"flip": 1.0},
    "upside down": {"upside_down": 1.0},
    "turn": {"dihedral": 1.0},
    "zoom out": {"zoom_out": 1.0},
    "crop": {"crop": 1.0},
    "colours": {"photometric": 1.0},
    "light": {"lighting": 0.2},
    "mosaic": {"mosaic": 1.0},
    "mixup": {"mixup": 1.0},
    "paste": {"paste": 1.0},
}
STRENGTHS = {
    "rotate": ("Up to, in degrees", 1.0, 180.0, 30.0),
    "zoom out": ("Up to, × the side", 1.1, 6.0, 3.0),
}
SAYS = {
    "flip": "Every box is mirrored with its picture.",
    "rotate": "Orange: where the corners went. White: the upright box around them, looser at large angles.",
    "zoom out": "The canvas grows, so objects become small: SSD's way to learn small objects.",
    "crop": "A part that keeps a minimum jaccard with some object; whoever's centre left is ignored.",
    "colours": "Colours move no box.",
    "light": "Light moves no box.",
}


def augment_tab(scene: Scene) -> None:
    """The whole tab."""
    from ssd.data.augment import AUGMENT_PRESETS

    presets = tuple(f"preset {name}" for name in AUGMENT_PRESETS if name != "none")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox("Transform", (*_ONE, *presets), key="ytransform", bind="query-params", width=200)
        config = _config(name)
        wrong = st.toggle("The wrong way", key="ywrong", bind="query-params",
                          help="The picture is changed and its boxes are not")  # fmt: skip
        throw = int(st.number_input("Throw", 0, 9_999, 0, key="ythrow", bind="query-params", width=130))
    _words(name, wrong)
    sample = scene.sample
    names = [scene.class_names[label - 1] if label else "left out" for label in sample.target.labels.tolist()]
    _strip(sample, config, throw=throw, wrong=wrong, names=names)


def _config(name: str) -> AugmentConfig:
    """A preset of training, or one transform by itself at a chosen strength."""
    from ssd.data.augment import AUGMENT_PRESETS, AugmentConfig

    if name not in _ONE:
        return AUGMENT_PRESETS[name.removeprefix("preset ")]
    config = replace(AugmentConfig(flip=0.0), **_ONE[name])
    if name not in STRENGTHS:
        return config
    label, low, high, usual = STRENGTHS[name]
    strength = st.slider(label, low, high, usual, key=f"ystrength_{name[:4]}", bind="query-params", width=200)
    return replace(
        config, **{"rotate": {"rotate_deg": strength}, "zoom out": {"zoom_out_max": strength}}[name]
    )


def _words(name: str, wrong: bool) -> None:
    """What to look at."""
    if wrong:
        st.text(
            "⚠ The picture moves and the boxes stay: no error is raised, the loss even falls, and the "
            "network learns to point beside every object."
        )
    elif name in SAYS:
        st.caption(SAYS[name])


def _strip(sample: Sample, config: AugmentConfig, *, throw: int, wrong: bool, names: list[str]) -> None:
    """The picture before, and several throws of the same transform."""
    from ssd.data.augment import Augmentation

    width, height = sample.picture.shape[2], sample.picture.shape[1]
    scale = _SIDE_PX / max(width, height)
    size_wh = (max(round(width * scale), 1), max(round(height * scale), 1))
    change, still = Augmentation(config, size_wh=size_wh), Augmentation(_nothing(), size_wh=size_wh)
    panels = [("before", still.explain(sample, seed=0))]
    for number in range(REPEATS):
        seed = 1000 * throw + number
        panels.append((f"throw {seed}", change.explain(sample, seed=seed, others=_other)))
    for row in range(0, len(panels), _COLUMNS):
        for column, (title, told) in zip(st.columns(_COLUMNS), panels[row : row + _COLUMNS], strict=False):
            with column:
                _panel(title, told, sample, wrong=wrong and title != "before", names=names)


def _panel(title: str, told: AugmentationReport, sample: Sample, *, wrong: bool, names: list[str]) -> None:
    """One picture and what became of its objects."""
    from ssd.figures.augmentation import augmented_svg, fate_lines

    unmoved = sample.target.boxes if wrong else None
    lines = fate_lines(told, names=names)
    st.image(augmented_svg(told, unmoved=unmoved, title=f"{title}: {lines[0]}"), alt=f"{title}: {lines[0]}")
    st.text("\n".join([f"{title}: {lines[0]}", *lines[1:6]]))
    if len(lines) > 6:
        st.caption(f"… and {len(lines) - 6:,} more objects")


def _nothing() -> AugmentConfig:
    from ssd.data.augment import AUGMENT_PRESETS

    return AUGMENT_PRESETS["none"]


def _other(number: int) -> Sample:
    """Another picture for those transforms that mix two: of the same folder, or a drawn scene."""
    source, _ = scenes.picked()
    if source in scenes.sources.folder_paths():
        count = len(scenes.open_folder(source))
        return scenes.load(source, number % count + 1).sample
    return scenes.load(scenes.SYNTHETIC, number % 100 + 1).sample
