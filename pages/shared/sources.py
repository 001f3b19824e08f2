"""Where scenes come from: names for the picker, and one way to load each. Nothing is cached here."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ssd.data.folders import DataSet
    from ssd.data.records import Sample

SYNTHETIC, LESSONS, PHOTOGRAPHS = "synthetic", "lesson scenes", "photographs"
UPLOAD, CAMERA = "upload", "camera"
OWN = (UPLOAD, CAMERA)  # these pictures never leave the visitor's session
NAMED = {LESSONS: "lesson", PHOTOGRAPHS: "photograph"}  # source → key of its picker
NUMBERED = {SYNTHETIC: "seed"}  # every other source is numbered by "image"
RUNS = Path(__file__).resolve().parents[2] / "runs"  # where `python -m ssd train` is told to write
START_SEED = 37  # six shapes of six sizes side by side: what Home opens on
LAST_SEED = 9_999  # the test scenes of the shipped weights begin at 10,000
FREE_CLASSES = ("object",)  # what is drawn on a picture that has no classes


@dataclass(frozen=True)
class Loaded:
    """A picture with its objects, and the settings that its scene asks for (lesson scenes only)."""

    sample: Sample
    class_names: tuple[str, ...]
    point: str = ""
    settings: dict[str, Any] = field(default_factory=dict)


def folder_paths() -> dict[str, Path]:
    """Data sets by name: the folders in each root of ``SSD_DATA_ROOTS``. A link names one, never a path."""
    roots = [Path(part) for part in os.environ.get("SSD_DATA_ROOTS", "").split(os.pathsep) if part]
    folders = [child for root in roots if root.is_dir() for child in sorted(root.iterdir())]
    return {child.name: child for child in reversed(folders) if child.is_dir() and child.name.isprintable()}


def run_paths() -> dict[str, Path]:
    """Training runs by name, the latest first: folders in each root of ``SSD_RUN_ROOTS``, or in ``runs/``."""
    from ssd.training.run_state import is_run, last_written

    roots = [Path(part) for part in os.environ.get("SSD_RUN_ROOTS", str(RUNS)).split(os.pathsep) if part]
    folders = [child for root in roots if root.is_dir() for child in root.iterdir()]
    known = [child for child in folders if child.name.isprintable() and is_run(child)]
    by_name = {child.name: child for child in reversed(known)}
    return dict(sorted(by_name.items(), key=lambda item: (-last_written(item[1]), item[0])))


def source_names() -> tuple[str, ...]:
    """What the picker offers; the first is the default."""
    built_in = (SYNTHETIC, LESSONS, PHOTOGRAPHS)
    return (*built_in, *(name for name in sorted(folder_paths()) if name not in (*built_in, *OWN)), *OWN)


def scene_names(source: str) -> tuple[str, ...]:
    """Names of the scenes of a source whose scenes have names; empty for numbered ones."""
    if source == LESSONS:
        from ssd.data.lessons import LESSON_SCENES

        return LESSON_SCENES
    if source == PHOTOGRAPHS:
        from ssd.data.samples import sample_names

        return sample_names()
    return ()


def first_number(source: str) -> int:
    """Where a numbered source opens."""
    return START_SEED if source == SYNTHETIC else 1


def load_synthetic(seed: int) -> Loaded:
    """The scene of a seed."""
    from ssd.data.shapes import SHAPE_CLASSES
    from ssd.data.synthetic import synthetic_scene

    return Loaded(synthetic_scene(seed), SHAPE_CLASSES)


def load_named(source: str, name: str) -> Loaded:
    """A lesson scene or a photograph."""
    if source == LESSONS:
        from ssd.data.lessons import lesson_scene

        lesson = lesson_scene(name)
        settings = {key: getattr(lesson, key) for key in ("anchors", "rule", "threshold", "strict")}
        return Loaded(lesson.sample, lesson.class_names, lesson.point, settings)
    from ssd.data.samples import SAMPLE_CLASSES, sample_scene

    return Loaded(sample_scene(name), SAMPLE_CLASSES)


def open_folder(name: str) -> DataSet:
    """The data set of that name."""
    from ssd.data.folders import open_dataset

    return open_dataset(folder_paths()[name])


def load_from_folder(dataset: DataSet, number: int) -> Loaded:
    """A picture of a data set by its number, from 1."""
    return Loaded(dataset.sample(number - 1), dataset.classes)


def load_own(content: bytes, name: str) -> Loaded:
    """A picture of the visitor; ``DataError`` says in a sentence why not."""
    from ssd.data.images import read_picture
    from ssd.data.records import Sample, Target

    picture = read_picture(content, name=name)
    return Loaded(Sample(picture.pixels, Target.empty(), name), FREE_CLASSES, picture.note or "")
