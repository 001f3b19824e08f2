"""``summary``: a network layer by layer, as the lecture prints it."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from ssd.cli.parsing import Command, choice, whole_number
from ssd.errors import ConfigError
from ssd.limits import MAX_CLASSES
from ssd.model_presets import MODEL_PRESETS, model_preset

if TYPE_CHECKING:
    from ssd.models.summary import Summary

__all__ = ["SUMMARY"]

_CLASSES = 20  # Pascal VOC's


def _add_summary(parser: argparse.ArgumentParser) -> None:
    """Options of ``summary``."""
    names = ", ".join(MODEL_PRESETS)
    parser.add_argument("--preset", type=choice(MODEL_PRESETS), required=True, metavar="NAME", help=names)
    parser.add_argument(
        "--classes", type=whole_number, default=_CLASSES, metavar="N", help="number of classes (%(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def _run_summary(options: argparse.Namespace) -> int:
    """Build the network and let one empty picture through it."""
    if options.classes > MAX_CLASSES:
        raise ConfigError(f"--classes must lie in 1–{MAX_CLASSES:,}, got {options.classes:,}.")
    from ssd.models.network import build_model
    from ssd.models.summary import summarise

    config = model_preset(options.preset, tuple(f"class {k}" for k in range(1, options.classes + 1)))
    found = summarise(build_model(config), config.contract.size_wh)
    if options.json:
        print(json.dumps({"preset": options.preset, "classes": options.classes, **asdict(found)}))
    else:
        print(f"{options.preset}: {MODEL_PRESETS[options.preset].summary} ({options.classes} classes)")
        print("\n".join(_table(found)))
    return 0


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
