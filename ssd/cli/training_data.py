"""The data of ``train`` and ``lr-find``: opened, counted, and looked at before anything starts."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ssd.cli.progress import counted, say
from ssd.errors import ConfigError, DataError

if TYPE_CHECKING:
    from ssd.data.folders import DataSet
    from ssd.training.loader import SampleSource
    from ssd.training.manifest import Manifest

__all__ = ["TrainingData", "add_data_options", "open_training_data", "side_by_side"]

_LISTED = 20  # problems that are told one by one
_SYNTHETIC = "synthetic scenes"
_VALIDATION_SCENES, _FIRST_VALIDATION_SCENE = 50, 30_000  # apart from the fixed test scenes 10000–10499


@dataclass(frozen=True)
class TrainingData:
    """What is trained on.

    Attributes:
        source: the samples.
        class_names: of labels 1..C.
        manifest: what the samples are.
        validation: pictures to measure on, where there are any.
        validation_manifest: what those are.
        path: of the data set; empty for synthetic scenes.
        scenes: kind of the synthetic scenes; empty for a data set.
    """

    source: SampleSource
    class_names: tuple[str, ...]
    manifest: Manifest
    validation: SampleSource | None
    validation_manifest: Manifest | None
    path: str
    scenes: str = ""

    def summary(self) -> dict[str, Any]:
        """What goes into ``run.json``."""
        measured = self.validation_manifest
        return {
            **self.manifest.summary(),
            "path": self.path,
            "scenes": self.scenes,
            "validation": None if measured is None else measured.summary(),
        }


def add_data_options(parser: argparse.ArgumentParser) -> None:
    """Options that say what to train on.

    Args:
        parser: of the command.
    """
    add = parser.add_argument
    add("--data", type=Path, metavar="DIR", help="a data set; without it, synthetic scenes")
    add("--scenes", metavar="KIND", help="what is hard about the synthetic scenes (default)")
    add("--split", default="train", help="of the data set (train)")
    add("--classes", metavar="A,B,…", help="classes to learn, in the order of labels (all of the data)")


def open_training_data(
    options: argparse.Namespace, *, seed: int, classes: tuple[str, ...] | None = None, validate: bool = False
) -> TrainingData:
    """Open the data, and say what is odd about it.

    Args:
        options: of the command.
        seed: of the run; synthetic scenes depend on it.
        classes: names in label order, where ``--classes`` does not say; ``None``: all.
        validate: also open the validation pictures (``--val``, ``--val-data``).

    Returns:
        The data.

    Raises:
        ConfigError: a class that the data does not have, or no such kind of scenes.
        DataError: there is no data set or split, or no picture that can be used.
    """
    from ssd.training.manifest import manifest_of, overlap_warning

    if options.classes is not None:
        classes = tuple(name.strip() for name in options.classes.split(","))
    if options.data is None:
        return _synthetic(seed, classes, kind=options.scenes or "default")
    if options.scenes is not None:
        raise ConfigError("--scenes is for synthetic scenes; leave it or --data out.")
    data = _opened(options.data, options.split, classes)
    _warn_of_classes(data)
    manifest = manifest_of(data, split=options.split, watch=counted)
    measured = _validation(options, data.classes) if validate else None
    measured_manifest = None
    if measured is not None:
        measured_manifest = manifest_of(measured, split=measured.split, watch=counted)
        if warning := overlap_warning(manifest, measured_manifest):
            say(warning)
    path = str(options.data.resolve())
    return TrainingData(data, data.classes, manifest, measured, measured_manifest, path)


def _synthetic(seed: int, classes: tuple[str, ...] | None, *, kind: str) -> TrainingData:
    """Scenes without end to learn from, and a few others to measure on."""
    from ssd.data.shapes import SHAPE_CLASSES
    from ssd.training.loader import SyntheticSource, synthetic_source
    from ssd.training.manifest import manifest_of

    if classes is not None and classes != SHAPE_CLASSES:
        raise ConfigError(
            f"Synthetic scenes have the classes {', '.join(SHAPE_CLASSES)}; leave --classes out."
        )
    source = synthetic_source(seed=seed, kind=kind)
    measured = SyntheticSource(length=_VALIDATION_SCENES, first_seed=_FIRST_VALIDATION_SCENE)
    manifests = [manifest_of(scenes, split=_SYNTHETIC) for scenes in (source, measured)]
    return TrainingData(source, SHAPE_CLASSES, manifests[0], measured, manifests[1], path="", scenes=kind)


def _opened(path: Path, split: str, classes: tuple[str, ...] | None) -> DataSet:
    """A data set, with a line for each thing that was left out."""
    from ssd.data.folders import open_dataset

    data = open_dataset(path, split=split, classes=classes)
    for problem in data.problems[:_LISTED]:
        say(f"left out: {problem}")
    if len(data.problems) > _LISTED:
        say(f"left out: {len(data.problems) - _LISTED} more")
    return data


def _warn_of_classes(data: DataSet) -> None:
    """A class without objects is learnt to be absent; that may be meant."""
    present = {int(label) for index in range(len(data)) for label in data.target(index).labels}
    missing = [name for label, name in enumerate(data.classes, start=1) if label not in present]
    if missing:
        say(f"warning: no object of {', '.join(missing)} in {data.split}; it will not be learnt.")
    if len(data.classes) == 1:
        say(f"warning: {data.classes[0]} is the only class; the scores only tell it from background.")


def _validation(options: argparse.Namespace, classes: tuple[str, ...]) -> DataSet | None:
    """The pictures to measure on: as asked for, or the split ``val`` where there is one."""
    asked = options.val is not None or options.val_data is not None
    split = options.val or ("all" if options.val_data is not None else "val")
    try:
        data = _opened(options.val_data or options.data, split, None)
    except DataError:
        if asked:
            raise
        return None
    if not set(data.classes) & set(classes):
        say(side_by_side(classes, data.classes, titles=("training", "validation")))
        raise DataError(
            f"{split} has no object of the classes that are learnt; measure on data with the same names."
        )
    return replace(data, classes=classes, category_ids=None)  # it may lack some, and have others: ignored


def side_by_side(left: tuple[str, ...], right: tuple[str, ...], *, titles: tuple[str, str]) -> str:
    """Two lists of classes as a table by label.

    Args:
        left: names of labels 1..C.
        right: other names.
        titles: of the two columns.

    Returns:
        Lines; a star marks the labels that differ.

    Example:
        >>> print(side_by_side(("cat", "dog"), ("cat",), titles=("weights", "data")))
          label  weights  data
              1  cat      cat
        *     2  dog      –
    """
    width = max(len(name) for name in (*left, titles[0]))
    lines = [f"  label  {titles[0]:<{width}}  {titles[1]}"]
    for label in range(1, max(len(left), len(right)) + 1):
        a, b = (names[label - 1] if label <= len(names) else "–" for names in (left, right))
        lines.append(f"{' ' if a == b else '*'} {label:>5}  {a:<{width}}  {b}")
    return "\n".join(lines)
