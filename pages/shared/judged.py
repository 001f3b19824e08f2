"""A detector over a whole data set, for the Results page: asked once, judged as often as a slider moves.

Data sets, runs and shipped models belong to the machine, not to a visitor, so what was found
is kept for everybody; a picture of a visitor never comes here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.shared import scene as scenes
from pages.shared import sources
from pages.shared.kept import Kept
from pages.shared.queue import turn
from pages.shared.sources import SYNTHETIC
from ssd.errors import ConfigError, DataError

if TYPE_CHECKING:
    from ssd.config import SelectionConfig
    from ssd.data.folders import DataSet
    from ssd.evaluation import MissedReport, MissedTable, RawOutputs
    from ssd.evaluation.results import Pictures
    from ssd.metrics import ApReport, Metric, Pairing, PictureResult
    from ssd.prediction import Predictor

SCENES = "100 drawn scenes"
FIRST_SCENE, NUM_SCENES = 9_900, 100  # no training run begins below 1,000,000
SPLITS = ("val", "test", "train", "trainval", "all")
RUN_PREFIX = "run · "
_DIAGNOSED_AT_ONCE = 120  # pictures; a diagnosis takes some 20 ms of each
_KEPT = Kept(most=24)


@dataclass(frozen=True)
class Subject:
    """Whose detections are judged, and over what: all by name, as a link has them."""

    data: str
    split: str
    model: str


@dataclass(frozen=True)
class Judged:
    """A detector's answers to every picture, after its own selection or another NMS threshold."""

    subject: Subject
    raw: RawOutputs
    config: SelectionConfig
    pairing: Pairing

    @property
    def results(self) -> list[PictureResult]:
        """One for each picture."""
        return list(self.pairing.results)

    @property
    def class_names(self) -> tuple[str, ...]:
        """Of labels 1..C."""
        return self.raw.class_names


def data_names() -> tuple[str, ...]:
    """Data sets of this machine, and scenes that are always there."""
    return (*sorted(sources.folder_paths()), SCENES)


def model_names() -> tuple[str, ...]:
    """Detectors that are here: shipped, fetched, and runs that keep weights."""
    from ssd.checkpoints import TORCHVISION_NAMES, fetched_file
    from ssd.checkpoints import model_names as shipped
    from ssd.training.run_state import checkpoints_of

    fetched = [name for name in TORCHVISION_NAMES if fetched_file(name) is not None]
    runs = [RUN_PREFIX + name for name, path in sources.run_paths().items() if checkpoints_of(path)]
    return (*shipped(), *fetched, *runs)


def usual_model(data: str, split: str) -> str | None:
    """The first detector that knows a class of the data."""
    names = model_names()
    known = set(pictures_of(data, split)[1])
    return next((name for name in names if known & set(class_names_of(name))), next(iter(names), None))


def class_names_of(model: str) -> tuple[str, ...]:
    """What a detector finds; nothing where its file cannot be read (asking it says why)."""
    if not model.startswith(RUN_PREFIX):
        return scenes.classes_of_model(model)
    from ssd.training.run_reader import EMPTY_HISTORY
    from ssd.training.run_state import read_state

    path = sources.run_paths().get(model.removeprefix(RUN_PREFIX))
    return () if path is None else tuple(read_state(path, EMPTY_HISTORY).class_names)


def pictures_of(data: str, split: str) -> tuple[Pictures, tuple[str, ...]]:
    """The pictures of a data set, and its class names."""
    if data == SCENES:
        from ssd.data.shapes import SHAPE_CLASSES
        from ssd.training.loader import SyntheticSource

        return SyntheticSource(length=NUM_SCENES, first_seed=FIRST_SCENE), SHAPE_CLASSES
    opened: DataSet = _KEPT.take(("data", data, split), lambda: _open(data, split))
    return opened, opened.classes


def _open(data: str, split: str) -> DataSet:
    from ssd.data.folders import open_dataset

    return open_dataset(sources.folder_paths()[data], split=split)


def predictor_of(model: str) -> Predictor:
    """A detector by its name on the page."""
    if not model.startswith(RUN_PREFIX):
        return scenes.predictor_of(model)
    from ssd.training.run_state import checkpoints_of

    folder = sources.run_paths().get(model.removeprefix(RUN_PREFIX))
    kept = () if folder is None else checkpoints_of(folder)
    if folder is None or not kept:
        raise ConfigError("This run keeps no weights any more; choose another detector.")
    best = next((each for each in kept if each.kind == "best"), kept[-1])
    return _KEPT.take(("run", str(folder), best.file, best.version), lambda: _read(folder / best.file))


def _read(path: Path) -> Predictor:
    from ssd.checkpoints import read_weights
    from ssd.prediction import Predictor

    loaded = read_weights(path)
    if not hasattr(loaded.model, "anchors"):
        raise ConfigError(f"{loaded.config.architecture} has no anchors; choose a run of a detector.")
    return Predictor(loaded.model, sha256=loaded.sha256)


def judged(subject: Subject, *, nms: float | None = None) -> Judged:
    """Ask the network about every picture that it was not asked about, select, and pair up.

    Every step shows a bar with its count; whatever else the visitor clicks stops it, and what
    was done by then is kept.
    """
    predictor = predictor_of(subject.model)
    pictures, names = pictures_of(subject.data, subject.split)
    own = predictor.config.class_names
    if not set(own) & set(names):
        raise DataError(
            f"{subject.model} knows {', '.join(own[:8])}; this data has {', '.join(names[:8])}. "
            "Choose a detector and data with the same class names."
        )
    raw = _KEPT.take(
        ("raw", predictor.sha256, subject.data, subject.split), lambda: _ask(predictor, pictures, own)
    )
    config = predictor.config.selection
    config = config if nms is None else replace(config, nms_threshold=nms)
    key = ("results", predictor.sha256, subject.data, subject.split, config)
    return Judged(subject, raw, config, _KEPT.take(key, lambda: _select(raw, config)))


def _ask(predictor: Predictor, pictures: Pictures, class_names: tuple[str, ...]) -> RawOutputs:
    """The slow part, one visitor after another."""
    from ssd.data.folders import DataSet
    from ssd.evaluation import raw_outputs

    if isinstance(pictures, DataSet):
        pictures = replace(pictures, classes=class_names, category_ids=None)
    with turn("inference"), _bar("The network looks at picture") as tell:
        return raw_outputs(predictor, pictures, cache=None, progress=tell)


def _select(raw: RawOutputs, config: SelectionConfig) -> Pairing:
    from ssd.metrics import pair_up

    with _bar("Selection in picture") as tell:
        return pair_up(raw.results(config, progress=tell))


def missed_of(found: Judged, *, score: float, evaluation_iou: float) -> MissedReport:
    """One verdict for each missed object, at any thresholds: every picture is looked at once."""
    return _KEPT.take(_table_key(found), lambda: _table(found)).report(
        score=score, evaluation_iou=evaluation_iou
    )


def _table(found: Judged) -> MissedTable:
    from ssd.evaluation import MissedTable

    with _bar("Why missed? Picture") as tell:
        return MissedTable(found.raw, config=found.config, progress=tell)


def told_at_once(found: Judged) -> bool:
    """Whether the verdicts are there already, or the pictures so few that nobody waits for them."""
    return len(found.raw) <= _DIAGNOSED_AT_ONCE or _table_key(found) in _KEPT


def _table_key(found: Judged) -> tuple[Any, ...]:
    subject = found.subject
    return "missed", found.raw.predictor.sha256, subject.data, subject.split, found.config


def report_of(found: Judged, *, metric: Metric, evaluation_iou: float) -> ApReport:
    """AP over all detections of the selection, whatever the score slider says."""
    from ssd.data.folders import DataSet
    from ssd.evaluation import image_ids
    from ssd.metrics import average_precision

    subject, iou = found.subject, 0.5 if metric == "coco" else evaluation_iou
    key = ("ap", found.raw.predictor.sha256, subject.data, subject.split, found.config, metric, iou)
    data = found.raw.data
    return _KEPT.take(
        key,
        lambda: average_precision(
            found.pairing, class_names=found.class_names, metric=metric, evaluation_iou=iou,
            image_ids=image_ids(data) if isinstance(data, DataSet) else None,
        ),
    )  # fmt: skip


def scene_of(found: Judged, picture: int) -> tuple[str, int]:
    """Source and number under which the sidebar knows a picture of the data set."""
    if found.subject.data == SCENES:
        return SYNTHETIC, FIRST_SCENE + picture
    everything = scenes.open_folder(found.subject.data)
    return found.subject.data, everything.names.index(found.raw.name(picture)) + 1


class _bar:
    """A progress bar with a count that goes when the work is done."""

    def __init__(self, words: str) -> None:
        self.words, self.slot = words, st.empty()

    def __enter__(self) -> Callable[[int, int], None]:
        return self._tell

    def __exit__(self, *_: object) -> None:
        self.slot.empty()

    def _tell(self, done: int, total: int) -> None:
        if done == total or done % max(1, total // 100) == 0:
            self.slot.progress(done / max(total, 1), f"{self.words} {done:,} of {total:,}")
