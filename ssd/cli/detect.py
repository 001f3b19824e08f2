"""``detect``: pictures, folders and patterns in; detections as JSON, CSV or VOC XML out."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ssd.cli.outputs import FORMATS, Outputs
from ssd.cli.parsing import (
    Command,
    choice,
    number_above_zero,
    share,
    share_above_zero,
    suggestion,
    whole_number,
)
from ssd.cli.pictures import Found, find_pictures
from ssd.config import NMS_KINDS, SELECTION_PRESETS, SelectionConfig
from ssd.errors import CheckpointError, ConfigError, DataError
from ssd.training.signals import Stop, stoppable

if TYPE_CHECKING:
    from ssd.checkpoints import Loaded
    from ssd.exports import ImageResult
    from ssd.prediction import Predictor

__all__ = ["DETECT", "load_detector"]


def _add_detect(parser: argparse.ArgumentParser) -> None:
    """Options of ``detect``."""
    usual = SELECTION_PRESETS["display"]
    add = parser.add_argument
    add("pictures", nargs="+", metavar="PICTURE", help="files, folders or patterns; -- before a name with -")
    add("--model", metavar="NAME|FILE", help="a shipped model, a weights file, or a torchvision detector")
    add("--weights", type=Path, metavar="FILE", help="state dict for a torchvision detector")
    add(
        "--score",
        type=share,
        metavar="S",
        default=usual.score_threshold,
        help="score threshold (%(default)s)",
    )
    add("--nms", type=share_above_zero, metavar="N", help="NMS threshold (default: the model's)")
    add(
        "--top-k",
        type=whole_number,
        metavar="K",
        help="candidates of a class before NMS (default: the model's)",
    )
    add("--max", type=whole_number, metavar="M", help="detections in a picture (default: the model's)")
    add("--agnostic", action="store_true", help="NMS among all classes instead of within each")
    add("--nms-kind", type=choice(NMS_KINDS), metavar="KIND", help="hard or soft (default: the model's)")
    add(
        "--sigma",
        type=number_above_zero,
        metavar="S",
        help="of soft NMS: less lowers more (default: the model's)",
    )
    add("--json", action="store_true", help="one JSON array in COCO's results form on stdout")
    add("--format", type=choice(FORMATS), metavar="FORMAT", help=f"also write files: {', '.join(FORMATS)}")
    add("--out", type=Path, metavar="DIR", help="folder for --format")
    add("--force", action="store_true", help="replace files that exist")


def _run_detect(options: argparse.Namespace) -> int:
    """Detect on every picture; the bad ones are told at the end and make the exit code 3.

    Ctrl-C keeps the pictures that are done.
    """
    found = find_pictures(options.pictures)
    for note in found.notes:
        _say(f"note: {note}")
    outputs = Outputs.planned(options, found.paths)
    loaded = load_detector(options.model, options.weights)
    for note in loaded.notes:
        _say(f"note: {note}")
    from ssd.exports import Classes
    from ssd.prediction import Predictor

    predictor = Predictor(loaded.model, sha256=loaded.sha256)
    config = _selection(options, loaded.config.selection)
    outcome = _Outcome(found)
    with stoppable() as stop:
        outcome.detect_all(predictor, config, stop)
    classes = Classes(names=loaded.config.class_names, ids=loaded.config.ids)
    outputs.write(outcome.results, classes=classes)
    code = outcome.report()
    if not stop:
        return code
    _say(f"Stopped by {stop.words}; the {len(outcome.results)} picture(s) done so far are kept.")
    return stop.exit_code


def _selection(options: argparse.Namespace, own: SelectionConfig) -> SelectionConfig:
    """The model's limits where nothing else was asked for."""
    return SelectionConfig(
        score_threshold=options.score,
        nms_threshold=own.nms_threshold if options.nms is None else options.nms,
        top_k=options.top_k or own.top_k,
        max_detections=options.max or own.max_detections,
        class_agnostic=options.agnostic or own.class_agnostic,
        nms_kind=options.nms_kind or own.nms_kind,
        soft_sigma=options.sigma or own.soft_sigma,
    )


def load_detector(model: str | None, weights: Path | None = None) -> Loaded:
    """A shipped model, a torchvision detector, or a file.

    Args:
        model: its name or file.
        weights: state dict, for a torchvision detector.

    Returns:
        Network and what travelled with it.

    Raises:
        ConfigError: no model is named, or the two do not go together.
        CheckpointError: there is no such model or file, or it cannot be used.
    """
    from ssd.checkpoints import TORCHVISION_NAMES, find_model, model_names, read_torchvision, read_weights

    shipped = model_names()
    if model is None:
        known = ", ".join((*shipped, *TORCHVISION_NAMES))
        raise ConfigError(f"detect needs --model with a name or a weights file; names: {known}.")
    if model in TORCHVISION_NAMES:
        return read_torchvision(model, weights)
    if weights is not None:
        raise ConfigError(
            f"--weights goes with one of {', '.join(TORCHVISION_NAMES)}, got --model {model[:80]!r}; "
            "give a weights file of this project as --model."
        )
    if model in shipped:
        return read_weights(find_model(model))
    path = Path(model)
    if path.suffix or path.exists() or len(path.parts) > 1:
        return read_weights(path)
    near = suggestion(model, (*shipped, *TORCHVISION_NAMES))
    names = ", ".join((*shipped, *TORCHVISION_NAMES))
    raise CheckpointError(f"There is no model and no file {model[:80]!r}{near}; models: {names}.")


class _Outcome:
    """Results and failures as they come in."""

    def __init__(self, found: Found) -> None:
        self.paths = found.paths
        self.results: dict[Path, ImageResult] = {}
        self.failures = list(found.problems)

    def detect_all(self, predictor: Predictor, config: SelectionConfig, stop: Stop) -> None:
        """One picture after the other; only the detections stay in memory."""
        for number, path in enumerate(self.paths, start=1):
            if stop:
                return
            try:
                self.results[path] = _detect(path, predictor, config)
            except DataError as error:
                self.failures.append(str(error))
            _progress(number, len(self.paths))

    def report(self) -> int:
        """Tell the bad ones, and give the exit code."""
        if not self.failures:
            return 0
        if len(self.failures) == 1 and not self.results:
            _say(f"error: {self.failures[0]}")
        else:
            _say(
                f"error: {len(self.failures)} of {len(self.failures) + len(self.results)} could not be used:"
            )
            for failure in self.failures:
                _say(f"  {failure}")
        return DataError.exit_code


def _detect(path: Path, predictor: Predictor, config: SelectionConfig) -> ImageResult:
    """The detections of one file."""
    from ssd.data.images import read_picture, shown_name
    from ssd.exports import ImageResult

    picture = read_picture(path, name=path.name)
    output = predictor.predict(picture.pixels)
    if output.num_not_finite:
        _say(f"note: {shown_name(path.name)}: {output.num_not_finite} anchors were not finite, left out")
    detections = predictor.select(output, config).detections
    return ImageResult(name=path.name, width=picture.width, height=picture.height, detections=detections)


def _progress(number: int, total: int) -> None:
    """One line for each picture, or for each twentieth of many."""
    if total > 1 and (total <= 20 or number == total or number * 20 // total != (number - 1) * 20 // total):
        _say(f"{number} of {total} pictures")


def _say(text: str) -> None:
    """One line on stderr."""
    print(text, file=sys.stderr)


DETECT = Command("detect", "detect objects on pictures", _add_detect, _run_detect)
