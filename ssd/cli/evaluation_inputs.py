"""What ``evaluate`` and ``missed`` start from: a detector, a data set, and what the one says of the other."""

from __future__ import annotations

import argparse
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ssd.cli.detect import load_detector
from ssd.cli.progress import say
from ssd.cli.training_data import side_by_side
from ssd.errors import ConfigError, DataError

if TYPE_CHECKING:
    from ssd.data.folders import DataSet
    from ssd.evaluation import RawOutputs

__all__ = ["PicturesBar", "add_input_options", "raw_outputs_of", "tell_left_out"]

_LISTED = 20  # problems that are told one by one
_LINE_SECONDS = 5.0  # from line to line, where there is no terminal


def add_input_options(parser: argparse.ArgumentParser, *, usual: str = "val") -> None:
    """Options that name a detector and its pictures.

    Args:
        parser: of the command.
        usual: what the help says of the split that is taken without ``--split``.
    """
    add = parser.add_argument
    add("--model", metavar="NAME|FILE", help="a shipped model, a weights file, or a torchvision detector")
    add("--weights", type=Path, metavar="FILE", help="state dict for a torchvision detector")
    add("--data", type=Path, metavar="DIR", help="a data set")
    add("--split", metavar="S", help=f"of the data set; all takes every picture ({usual})")
    add("--cache", type=Path, metavar="DIR", help="folder of raw outputs (in the user's cache)")


def raw_outputs_of(options: argparse.Namespace) -> RawOutputs:
    """Run the detector over the pictures, or take what it said of them before.

    Args:
        options: of the command.

    Returns:
        The raw outputs, in the order of the data set.

    Raises:
        ConfigError: an option is missing, the model is no detector, or the cache lies in the data set.
        CheckpointError: there is no such model, or it cannot be used.
        DataError: there is no such data set or split, none of its classes is the model's, or a
            picture cannot be used.
        ResourceError: the cache cannot be written.
    """
    if options.model is None or options.data is None:
        raise ConfigError(f"{options.command.name} needs --model and --data; see --help.")
    loaded = load_detector(options.model, options.weights)
    for note in loaded.notes:
        say(f"note: {note}")
    from ssd.contract import PICTURE_ARCHITECTURES
    from ssd.data.folders import open_dataset
    from ssd.evaluation import raw_outputs
    from ssd.prediction import Predictor

    if loaded.config.architecture in PICTURE_ARCHITECTURES:
        raise ConfigError(
            f"{options.command.name} needs a detector, {options.model} answers for whole pictures; "
            "choose another --model."
        )
    data = open_dataset(options.data, split=options.split or "val")
    tell_left_out(data)
    predictor = Predictor(loaded.model, sha256=loaded.sha256)
    known = _labelled(data, loaded.config.class_names)
    with closing(PicturesBar("network")) as bar:
        return raw_outputs(predictor, known, cache=options.cache, progress=bar)


def tell_left_out(data: DataSet) -> None:
    """A line for each thing of a data set that does not count.

    Args:
        data: that was opened.
    """
    for problem in data.problems[:_LISTED]:
        say(f"left out: {problem}")
    if len(data.problems) > _LISTED:
        say(f"left out: {len(data.problems) - _LISTED} more")


def _labelled(data: DataSet, class_names: tuple[str, ...]) -> DataSet:
    """The data with the model's labels: objects of other classes are ignored."""
    common = [name for name in class_names if name in data.classes]
    if not common:
        say(side_by_side(class_names, data.classes, titles=("model", "data")))
        raise DataError(
            "No class of the data is one of the model's; evaluate on data with the same class names."
        )
    missing = [name for name in class_names if name not in data.classes]
    if missing:
        say(f"note: the data has no object of {', '.join(missing[:_LISTED])}; no AP for them.")
    others = [name for name in data.classes if name not in class_names]
    if others:
        say(f"note: the model does not know {', '.join(others[:_LISTED])}; those objects are ignored.")
    return replace(data, classes=class_names, category_ids=None)


class PicturesBar:
    """How many pictures are done: a bar on a terminal, a line now and then elsewhere.

    Args:
        what: is done to them.
    """

    def __init__(self, what: str) -> None:
        from tqdm import tqdm

        tqdm.monitor_interval = 0  # no thread beside the work
        self.what, self.told = what, time.monotonic()
        self.bar: Any = tqdm(desc=what, unit="picture", delay=0.5, leave=False, file=sys.stderr, disable=None)

    def __call__(self, done: int, total: int) -> None:
        """One more picture.

        Args:
            done: how many there are now.
            total: how many there will be.
        """
        if not self.bar.disable:
            self.bar.total = total
            self.bar.update(done - self.bar.n)
        elif time.monotonic() - self.told >= _LINE_SECONDS:
            say(f"{self.what}: {done} of {total} pictures")
            self.told = time.monotonic()

    def close(self) -> None:
        """Take the bar away."""
        self.bar.close()
