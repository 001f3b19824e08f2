"""What ``lesson-file`` is about: a picture file with typed objects, or a scene by its name."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ssd.cli.geometry import read_boxes
from ssd.config import MatchingRule
from ssd.errors import ConfigError
from ssd.limits import MAX_CLASS_NAME_CHARS, MAX_DRAWN_OBJECTS

if TYPE_CHECKING:
    from ssd.data.records import Sample

__all__ = ["SYNTHETIC", "Subject", "read_subject"]

SYNTHETIC = "synthetic:"


@dataclass(frozen=True)
class Subject:
    """Picture and objects, whose it is, and the settings that a lesson scene asks for.

    Attributes:
        sample: picture and objects.
        class_names: of labels 1..C.
        source: whose picture it is, and under which terms.
        privacy: a sentence where the picture is somebody's own.
        preset: anchors.
        rule: matching rule.
        threshold: match threshold.
        strict: the jaccard must be greater.
    """

    sample: Sample
    class_names: tuple[str, ...]
    source: str
    privacy: str = ""
    preset: str = "ssd300-voc"
    rule: MatchingRule = "bipartite"
    threshold: float = 0.5
    strict: bool = False


def read_subject(options: argparse.Namespace) -> Subject:
    """What PICTURE means: a file first, then a name.

    Args:
        options: with ``picture``, ``boxes`` and ``names``.

    Returns:
        The subject of the lesson.

    Raises:
        ConfigError: there is no such file or scene, or boxes and names do not fit.
        DataError: the file is no usable picture.
    """
    from ssd.data.lessons import LESSON_SCENES, lesson_scene
    from ssd.data.samples import SAMPLE_CLASSES, sample_names, sample_scene, sample_source
    from ssd.data.shapes import SHAPE_CLASSES
    from ssd.data.synthetic import synthetic_scene
    from ssd.figures.takeaway_words import DRAWN_HERE

    name = options.picture
    own = Path(name).exists()
    if (options.boxes or options.names) and not own:
        raise ConfigError(f"--boxes and --names go with a picture file, got {name[:80]!r}; leave them out.")
    if own:
        return _own_picture(options)
    if name.startswith(SYNTHETIC):
        return Subject(synthetic_scene(_seed(name)), SHAPE_CLASSES, DRAWN_HERE)
    if name in sample_names():
        return Subject(sample_scene(name), SAMPLE_CLASSES, sample_source(name))
    if name in LESSON_SCENES:
        scene = lesson_scene(name)
        wanted = (scene.anchors, scene.rule, scene.threshold, scene.strict)
        return Subject(scene.sample, scene.class_names, DRAWN_HERE, "", *wanted)
    known = ", ".join((*sample_names(), *LESSON_SCENES, f"{SYNTHETIC}SEED"))
    raise ConfigError(f"There is no picture file and no scene {name[:80]!r}; scenes: {known}.")


def _seed(name: str) -> int:
    """The number behind ``synthetic:``."""
    text = name.removeprefix(SYNTHETIC)
    if not (text.isascii() and text.isdecimal() and len(text) <= 9):
        raise ConfigError(f"A synthetic scene is {SYNTHETIC}SEED with a whole number, got {name[:80]!r}.")
    return int(text)


def _own_picture(options: argparse.Namespace) -> Subject:
    """A picture file, with the objects that were typed."""
    import torch

    from ssd.data.images import read_picture
    from ssd.data.records import Sample, make_target
    from ssd.figures.takeaway_words import OWN_PICTURE, PRIVACY

    path = Path(options.picture)
    picture = read_picture(path, name=path.name)
    boxes = read_boxes(options.boxes, size_wh=(picture.width, picture.height))
    names = _names(options.names, count=len(boxes))
    classes = tuple(dict.fromkeys(names)) or ("object",)
    labels = torch.tensor([classes.index(name) + 1 for name in names], dtype=torch.int64)
    sample = Sample(picture.pixels, make_target(boxes, labels), path.name)
    return Subject(sample, classes, OWN_PICTURE, PRIVACY)


def _names(text: str, *, count: int) -> list[str]:
    """A class for each object."""
    names = [part.strip() for part in text.split(",") if part.strip()] or ["object"]
    if count > MAX_DRAWN_OBJECTS:
        raise ConfigError(f"--boxes takes up to {MAX_DRAWN_OBJECTS} objects, got {count}; leave some out.")
    if len(names) not in (1, count) or max(map(len, names)) > MAX_CLASS_NAME_CHARS:
        raise ConfigError(
            f"--names must be one class for each of {count} boxes, or one for all, each of at most "
            f"{MAX_CLASS_NAME_CHARS} characters, got {len(names)}; correct --names."
        )
    return names * count if len(names) == 1 else names
