"""``summary``: a network layer by layer, as the lecture prints it."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from ssd.cli.detect import load_detector
from ssd.cli.parsing import Command, choice, whole_number
from ssd.errors import ConfigError
from ssd.limits import MAX_CLASSES
from ssd.model_presets import MODEL_PRESETS, model_preset

if TYPE_CHECKING:
    from ssd.contract import ModelConfig
    from ssd.models.summary import Summary

__all__ = ["SUMMARY"]

_CLASSES = 20  # Pascal VOC's


def _add_summary(parser: argparse.ArgumentParser) -> None:
    """Options of ``summary``."""
    names = ", ".join(MODEL_PRESETS)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--preset", type=choice(MODEL_PRESETS), metavar="NAME", help=names)
    which.add_argument("--model", metavar="NAME|FILE", help="a trained network: shipped, or a weights file")
    parser.add_argument(
        "--classes", type=whole_number, metavar="N",
        help=f"number of classes of a preset ({_CLASSES}); a trained network has its own",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def _run_summary(options: argparse.Namespace) -> int:
    """Build the network, or read it, and let one empty picture through it."""
    from ssd.models.network import build_model
    from ssd.models.summary import summarise

    if options.model is None:
        config = _preset_config(options.preset, _CLASSES if options.classes is None else options.classes)
        network, said = build_model(config), {"preset": options.preset}
        head = f"{options.preset}: {MODEL_PRESETS[options.preset].summary}"
    elif options.classes is None:
        loaded = load_detector(options.model)
        config, network, said = loaded.config, loaded.model, {"model": options.model}
        head = f"{options.model}: {', '.join(config.class_names)}"
    else:
        raise ConfigError("--classes goes with --preset; a trained network has its own. Leave it out.")
    found = summarise(network, config.contract.size_wh)
    num_classes = len(config.class_names)
    if options.json:
        print(json.dumps({**said, "classes": num_classes, **asdict(found)}))
    else:
        print(f"{head} ({num_classes} classes)")
        print("\n".join(_table(found)))
    return 0


def _preset_config(name: str, num_classes: int) -> ModelConfig:
    """A preset's network for so many classes."""
    if num_classes > MAX_CLASSES:
        raise ConfigError(f"--classes must lie in 1–{MAX_CLASSES:,}, got {num_classes:,}.")
    return model_preset(name, tuple(f"class {k}" for k in range(1, num_classes + 1)))


def _table(found: Summary) -> list[str]:
    """A line for each layer and the totals, in columns."""
    rows = [("layer", "kind", "output shape", "parameters")]
    rows.append(("pictures", "", str(list(found.input_shape)), ""))
    for layer in found.layers:
        rows.append((layer.name, layer.kind, str(list(layer.output_shape)), f"{layer.parameters:,}"))
    rows += [(name, "output", str(list(shape)), "") for name, shape in found.output_shapes.items()]
    name, kind, shape, count = (max(len(row[column]) for row in rows) for column in range(4))
    lines = [f"{a:<{name}}  {b:<{kind}}  {c:<{shape}}  {d:>{count}}".rstrip() for a, b, c, d in rows]
    return [*lines, f"parameters: {found.parameters:,}, of which {found.trainable:,} are trained"]


SUMMARY = Command("summary", "print every layer of a network", _add_summary, _run_summary)
