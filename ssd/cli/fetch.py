"""``fetch``: torchvision's COCO weights, when a person asks for them."""

from __future__ import annotations

import argparse
import sys

from ssd.cli.parsing import Command

__all__ = ["FETCH"]


def _add_fetch(parser: argparse.ArgumentParser) -> None:
    """Options of ``fetch``."""
    parser.add_argument("name", metavar="NAME", help="ssd300_vgg16 or ssdlite320_mobilenet_v3_large")


def _run_fetch(options: argparse.Namespace) -> int:
    """Download with progress on stderr; where the file is goes to stdout."""
    from ssd.checkpoints import fetch_torchvision

    path = fetch_torchvision(options.name, progress=_Progress())
    print(path)
    return 0


class _Progress:
    """One line for each tenth."""

    def __init__(self) -> None:
        self.tenth = -1

    def __call__(self, arrived: int, total: int) -> None:
        """Tell when another tenth has arrived."""
        tenth = 10 * arrived // max(total, 1)
        if tenth > self.tenth:
            self.tenth = tenth
            print(f"{arrived / 2**20:.0f} of {total / 2**20:.0f} MB", file=sys.stderr)


FETCH = Command("fetch", "download torchvision's COCO weights", _add_fetch, _run_fetch)
