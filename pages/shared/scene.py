"""The scene: chosen once in the sidebar, shared by every page, rebuilt from the link.

The only caches of the pages are here. Public things (drawn scenes, library photographs,
data folders) are cached for all visitors by name; whatever comes from an upload or the
camera lives in the visitor's own session and nowhere else.
"""

from __future__ import annotations

import gc
import hashlib
import importlib
import threading
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.shared import back, links, sources, state
from pages.shared.queue import turn
from pages.shared.sources import NUMBERED, OWN, SYNTHETIC, Loaded
from ssd.config import AnchorConfig, CoderConfig, GridAnchors, MatchingRule, anchor_preset
from ssd.errors import ConfigError, DataError, SSDError

if TYPE_CHECKING:
    from torch import Tensor

    from pages.shared.widgets import Cell
    from ssd.anchors import Anchors
    from ssd.contract import ModelConfig
    from ssd.data.drawn import DrawnObject, MatchableObjects
    from ssd.data.folders import DataSet
    from ssd.data.records import Sample
    from ssd.figures.blobs import Blob
    from ssd.matching import Assignment, Match
    from ssd.models.receptive import ReceptiveField
    from ssd.prediction import PictureOutput, Predictor
    from ssd.training.run_state import Checkpoint

CUSTOM = "custom"  # the anchors of the knobs
DEFAULTS: dict[str, Any] = {"anchors": "ssd300-voc", "rule": "bipartite", "threshold": 0.5, "strict": False}
THRESHOLDS = (0.05, 0.95)  # lowest and highest match threshold
_HEAD_START_S = 0.15  # the first page's title leaves the server before the imports take the lock
_HEAVY = ("torch", "torchvision", "PIL.Image", "pandas", "plotly.graph_objects")
_MAX_SIDE_PX = 1600  # of the picture that crosses to the browser
_SMALL_PX = 360  # of thumbnails
_MAX_OUTPUTS = 32  # answers of networks to public pictures, kept for everybody
_OUTPUTS: dict[tuple[str, str, str | int], PictureOutput] = {}
_FALLBACK = (SYNTHETIC, sources.START_SEED)


@dataclass(frozen=True)
class Scene:
    """What every page looks at.

    Attributes:
        source: where the picture comes from.
        which: its name or number there.
        name: of the picture; a visitor may have written it, so show it with ``st.text``.
        digest: names the picture.
        sample: picture and objects, as the visitor left them.
        objects: those that are matched, and the ignored boxes.
        class_names: of labels 1..C.
        point: what a lesson scene shows.
        edited: the visitor changed the objects.
        anchors_name: preset, or ``custom``.
        config: the anchor configuration.
        coder: how its source codes boxes.
        rule: matching rule.
        threshold: match threshold.
        strict: the jaccard must be greater.
        anchor: the selected anchor.
        object: the selected object, among all of the sample: as on the canvas.
    """

    source: str
    which: str | int
    name: str
    digest: str
    sample: Sample
    objects: MatchableObjects
    class_names: tuple[str, ...]
    point: str
    edited: bool
    anchors_name: str
    config: AnchorConfig
    coder: CoderConfig
    rule: MatchingRule
    threshold: float
    strict: bool
    anchor: int | None
    object: int | None

    @property
    def size_wh(self) -> tuple[int, int]:
        """Of the picture, in pixels."""
        return int(self.sample.picture.shape[2]), int(self.sample.picture.shape[1])

    @property
    def object_names(self) -> tuple[str, ...]:
        """Class of each object that is matched."""
        return tuple(self.class_names[label - 1] for label in self.objects.labels.tolist())

    @property
    def matched_object(self) -> int | None:
        """The selected object among those that are matched; nothing where it is an ignored one."""
        if self.object is None:
            return None
        out = (self.sample.target.difficult | self.sample.target.ignore).tolist()
        return None if out[self.object] else self.object - sum(out[: self.object])

    @property
    def travels(self) -> bool:
        """Whether a link rebuilds the picture."""
        return self.source not in OWN


@dataclass(frozen=True)
class OwnPicture:
    """A picture of the visitor, as it came; it stays in the session."""

    name: str
    content: bytes


@dataclass(frozen=True)
class _Decoded:
    """The visitor's picture that is on the screen."""

    content: bytes
    loaded: Loaded
    blob: Blob
    small: bytes


@st.cache_resource(show_spinner=False)
def warm_up() -> threading.Thread:
    """Import the heavy libraries beside the first page; afterwards keep them out of every collection."""
    thread = threading.Thread(target=_import_heavy, daemon=True)
    thread.start()
    return thread


def _import_heavy() -> None:
    time.sleep(_HEAD_START_S)
    for name in _HEAVY:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()


@st.cache_resource(max_entries=32, show_spinner=False)
def _public(source: str, which: str | int) -> Loaded:
    """A scene that everybody may see."""
    if isinstance(which, str):
        return sources.load_named(source, which)
    if source == SYNTHETIC:
        return sources.load_synthetic(which)
    return sources.load_from_folder(open_folder(source), which)


@st.cache_resource(max_entries=32, show_spinner=False)
def _public_blob(source: str, which: str | int) -> Blob:
    """What the browser draws of a public picture."""
    return _picture_blob(_public(source, which))


@st.cache_resource(max_entries=64, show_spinner=False)
def _public_small(source: str, which: str | int) -> bytes:
    """A public picture for thumbnails."""
    return _small_jpeg(_public(source, which))


def public_small(source: str, which: str | int) -> tuple[bytes, tuple[int, int]]:
    """A public picture for thumbnails, and its width and height in pixels."""
    picture = _public(source, which).sample.picture
    return _public_small(source, which), (int(picture.shape[2]), int(picture.shape[1]))


@st.cache_resource(max_entries=8, show_spinner="Reading the data set …")
def open_folder(name: str) -> DataSet:
    """A data set of this machine, by name."""
    return sources.open_folder(name)


def forget_folder(name: str) -> None:
    """Read a data set's files again when they are asked for next."""
    open_folder.clear(name)
    for kept in (_public, _public_blob, _public_small):
        kept.clear()


@lru_cache(
    maxsize=16
)  # asked for twenty times a run: Streamlit's own cache takes 1 ms to name a configuration
def anchors_of(config: AnchorConfig) -> Anchors:
    """The anchors of a configuration."""
    from ssd.anchors import make_anchors

    return make_anchors(config)


@lru_cache(maxsize=64)
def anchors_blob_of(config: AnchorConfig) -> Blob:
    """The anchors as the browser takes them."""
    from ssd.figures.blobs import anchors_blob

    return anchors_blob(config)


@st.cache_resource(max_entries=6, show_spinner=False)
def predictor_of(model: str) -> Predictor:
    """A detector by name: shipped, or torchvision's where its weights were fetched."""
    from ssd.checkpoints import TORCHVISION_NAMES, find_model, read_torchvision, read_weights
    from ssd.prediction import Predictor

    loaded = read_torchvision(model) if model in TORCHVISION_NAMES else read_weights(find_model(model))
    return Predictor(loaded.model, sha256=loaded.sha256)


@dataclass(frozen=True)
class Answer:
    """What weights say about a picture, and whose weights they are."""

    config: ModelConfig
    anchors: Anchors
    output: PictureOutput
    sha256: str


@st.cache_resource(max_entries=64, show_spinner=False)
def _run_answer(path: str, version: str, source: str, which: str | int) -> Answer:
    """The answer of a run's weights to a public picture, as long as the file stays the same."""
    return _answer_of(Path(path), _public(source, which).sample)


def _answer_of(path: Path, sample: Sample) -> Answer:
    """Weights from their file, asked once."""
    from ssd.checkpoints import read_weights
    from ssd.prediction import Predictor

    loaded = read_weights(path)
    if not hasattr(loaded.model, "anchors"):
        raise ConfigError(f"{loaded.config.architecture} has no anchors; choose a run of a detector.")
    predictor = Predictor(loaded.model, sha256=loaded.sha256)
    return Answer(predictor.config, predictor.anchors, predictor.predict(sample.picture), loaded.sha256)


def answer_of(scene: Scene, *, model: str) -> Answer:
    """What a detector says about the scene."""
    predictor = predictor_of(model)
    return Answer(predictor.config, predictor.anchors, output_of(scene, model=model), predictor.sha256)


def run_answer_of(scene: Scene, *, run: str, checkpoint: Checkpoint) -> Answer:
    """What a run's weights say about the scene; for a picture of the visitor nothing is kept."""
    path = sources.run_paths()[run] / checkpoint.file
    if scene.travels:
        return _run_answer(str(path), checkpoint.version, scene.source, scene.which)
    return _answer_of(path, scene.sample)


def classes_of_model(name: str) -> tuple[str, ...]:
    """What a shipped model finds; nothing where its file cannot be read (asking it says why)."""
    try:
        return predictor_of(name).config.class_names
    except SSDError:
        return ()


def _own_classes() -> tuple[str, ...]:
    """What an object on a visitor's picture may be called: what some shipped model finds, or no class."""
    from ssd.checkpoints import model_names

    known = [each for name in model_names() for each in classes_of_model(name)]
    return (*sources.FREE_CLASSES, *dict.fromkeys(known))


def output_of(scene: Scene, *, model: str) -> PictureOutput:
    """The network's answer: once for each pair of weights and picture, one visitor after another.

    The answer for a picture of the visitor stays in the session.
    """
    predictor = predictor_of(model)
    own = st.session_state.setdefault("own_output", {})
    key = (predictor.sha256, scene.source, scene.which) if scene.travels else (predictor.sha256, scene.digest)
    kept = _OUTPUTS if scene.travels else own
    if key not in kept:
        with turn("inference"), st.spinner("The network looks at the picture, once …"):
            found = kept[key] if key in kept else predictor.predict(scene.sample.picture)  # asked by two
        while len(kept) >= (_MAX_OUTPUTS if scene.travels else 1):
            kept.pop(next(iter(kept)), None)
        kept[key] = found
    return kept[key]


def picture_of(scene: Scene) -> Blob:
    """The scene's picture as the browser takes it."""
    if scene.travels:
        return _public_blob(scene.source, scene.which)
    return _decoded(scene.source, int(scene.which)).blob


def small_of(scene: Scene) -> bytes:
    """The scene's picture for thumbnails, as JPEG."""
    if scene.travels:
        return _public_small(scene.source, scene.which)
    return _decoded(scene.source, int(scene.which)).small


def match_of(scene: Scene, *, rule: MatchingRule | None = None) -> Match:
    """The match of the scene's objects, by its own rule or another."""
    from ssd.matching import match

    return match(
        scene.objects.boxes,
        anchors_of(scene.config).boxes,
        rule=rule or scene.rule,
        threshold=scene.threshold,
        strict=scene.strict,
        ignored_boxes=scene.objects.ignored_boxes,
    )


def assignment_of(scene: Scene, *, coder: CoderConfig | None = None) -> Assignment:
    """What each anchor is told to predict, by the scene's coder or another."""
    from ssd.matching import assign

    objects = scene.objects
    return assign(
        match_of(scene),
        anchors_of(scene.config),
        gt_boxes=objects.boxes,
        gt_labels=objects.labels,
        coder=coder or scene.coder,
    )


def overlaps_of(scene: Scene) -> Tensor:
    """Jaccard of each object with each anchor."""
    from ssd.boxes import jaccard

    return jaccard(scene.objects.boxes, anchors_of(scene.config).boxes)


def field_of(scene: Scene, cell: Cell) -> ReceptiveField | None:
    """What a cell of the preset's own network sees; nothing for free anchors."""
    from ssd.models.receptive import LAYERS, receptive_field

    if scene.anchors_name not in LAYERS:
        return None
    return receptive_field(scene.anchors_name, level=cell.level, column=cell.column, row=cell.row)


def own_pictures(source: str) -> tuple[OwnPicture, ...]:
    """The visitor's pictures of that kind, in this session."""
    return st.session_state.get("own", {}).get(source, ())


def keep_own_pictures(source: str, pictures: tuple[OwnPicture, ...]) -> None:
    """Keep these pictures of the visitor in the session, and no others."""
    st.session_state.setdefault("own", {})[source] = pictures


def picked() -> tuple[str, str | int]:
    """Source, and name or number, as the sidebar has them."""
    source = st.session_state.get("source", SYNTHETIC)
    if source in sources.NAMED:
        return source, st.session_state[sources.NAMED[source]]
    return source, int(st.session_state.get(NUMBERED.get(source, "image"), sources.first_number(source)))


def load(source: str, which: str | int) -> Loaded:
    """The scene of that name or number; ``SSDError`` where it cannot be had."""
    return _decoded(source, int(which)).loaded if source in OWN else _public(source, which)


def current() -> Scene:
    """The scene as sidebar, canvas and link have it. The heavy imports end here on the first page."""
    warm_up().join()
    source, which = picked()
    try:
        loaded = load(source, which)
    except SSDError as error:
        if source in OWN and not own_pictures(source):
            state.note("Your picture goes into the sidebar; until then a drawn scene stands here.")
        else:
            st.session_state["scene_error"] = str(error)
        (source, which), loaded = _FALLBACK, load(*_FALLBACK)
    scene = _build(source, which, loaded)
    state.write_link(travels=scene.travels)
    shared = (*DEFAULTS, "source", *sources.NAMED.values(), *NUMBERED.values(), "image")
    back.remember(apart_from=(*state.KEYS, *shared))
    st.session_state["scene"] = scene
    return scene


def _build(source: str, which: str | int, loaded: Loaded) -> Scene:
    """Put everything together; what does not fit is dropped with a note."""
    from ssd.data.drawn import split_target

    digest = _digest(source, which)
    _forget_other_picture(digest)
    names = _own_classes() if source in OWN else loaded.class_names
    sample, edited = _with_drawn_objects(loaded, names)
    objects = split_target(sample.target)
    name, config = _anchor_config()
    values = st.session_state
    return Scene(
        source=source,
        which=which,
        name=sample.name,
        digest=digest,
        sample=sample,
        objects=objects,
        class_names=names,
        point=loaded.point,
        edited=edited,
        anchors_name=name,
        config=config,
        coder=CoderConfig(kind="tanh") if isinstance(config, GridAnchors) else CoderConfig(),
        rule=values["rule"],
        threshold=float(values["threshold"]),
        strict=bool(values["strict"]),
        anchor=state.kept_index("anchor", below=len(anchors_of(config))),
        object=state.kept_index("object", below=len(sample.target)),
    )


def _digest(source: str, which: str | int) -> str:
    """Names a picture: by its name where it is public, by its bytes where it is the visitor's."""
    content = own_pictures(source)[int(which) - 1].content if source in OWN else f"{source}/{which}".encode()
    return hashlib.sha256(content).hexdigest()[:16]


def _forget_other_picture(digest: str) -> None:
    """What was drawn or selected on another picture goes, unless it came with the link."""
    known, from_link = st.session_state.get("digest"), st.session_state.pop("from_link", False)
    if known is not None and known != digest and not from_link:
        state.forget(state.OF_THE_PICTURE)
    st.session_state["digest"] = digest


def _with_drawn_objects(loaded: Loaded, names: tuple[str, ...]) -> tuple[Sample, bool]:
    """The sample, with the visitor's objects where there are any."""
    from dataclasses import replace

    from ssd.data.drawn import text_to_drawn, with_drawn

    text = state.kept().get("objects")
    if text is None:
        return loaded.sample, False
    try:
        drawn = text_to_drawn(text, num_classes=len(names))
    except DataError as error:
        state.forget(["objects", "object"])
        state.note(str(error))
        return loaded.sample, False
    return replace(loaded.sample, target=with_drawn(loaded.sample.target, drawn)), True


def _anchor_config() -> tuple[str, AnchorConfig]:
    """The preset, or the knobs."""
    name = st.session_state["anchors"]
    if name != CUSTOM:
        return name, anchor_preset(name).anchors
    try:
        config = links.text_to_knobs(state.kept().get("knobs", ""))
        anchors_of(config)
    except ConfigError as error:
        state.note(f"{error} The preset {DEFAULTS['anchors']} stands in.")
        return DEFAULTS["anchors"], anchor_preset(DEFAULTS["anchors"]).anchors
    return CUSTOM, config


def _decoded(source: str, number: int) -> _Decoded:
    """A picture of the visitor, decoded once while it is on the screen."""
    pictures = own_pictures(source)
    if not pictures:
        raise DataError("There is no picture of yours yet; drop one into the sidebar.")
    own = pictures[min(number, len(pictures)) - 1]
    known = st.session_state.get("decoded")
    if known is None or known.content is not own.content:
        loaded = sources.load_own(own.content, own.name)
        known = st.session_state["decoded"] = _Decoded(
            own.content, loaded, _picture_blob(loaded), _small_jpeg(loaded)
        )
    return known


def _picture_blob(loaded: Loaded) -> Blob:
    from ssd.figures.blobs import picture_blob
    from ssd.figures.thumbnails import picture_jpeg

    picture = loaded.sample.picture
    names = [loaded.class_names[label - 1] for label in loaded.sample.target.labels.tolist() if label]
    return picture_blob(
        picture_jpeg(picture, max_side_px=_MAX_SIDE_PX),
        width_px=picture.shape[2],
        height_px=picture.shape[1],
        alt=f"The picture of this scene; its objects: {', '.join(names) or 'none'}.",
    )


def _small_jpeg(loaded: Loaded) -> bytes:
    from ssd.figures.thumbnails import picture_jpeg

    return picture_jpeg(loaded.sample.picture, max_side_px=_SMALL_PX, quality=80)


def drawn_text(objects: list[tuple[str, tuple[float, float, float, float]]]) -> str:
    """Objects as the canvas reports them (class name and box), as the text that is kept."""
    from ssd.data.drawn import DrawnObject, drawn_to_text

    names = st.session_state["scene"].class_names
    drawn: list[DrawnObject] = [
        DrawnObject(names.index(name) + 1, box) for name, box in objects if name in names
    ]
    return drawn_to_text(drawn)
