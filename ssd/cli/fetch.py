"""``fetch``: the weights that torchvision publishes, when a person asks for them."""

from __future__ import annotations

import argparse
import sys

from ssd.cli.parsing import Command
from ssd.models.published import BACKBONE_NAMES, TORCHVISION_NAMES

__all__ = ["FETCH", "TenthsTold"]


def _add_fetch(parser: argparse.ArgumentParser) -> None:
    """Options of ``fetch``."""
    names = f"{', '.join(TORCHVISION_NAMES)} (COCO); {', '.join(BACKBONE_NAMES)} (ImageNet)"
    parser.add_argument("name", metavar="NAME", help=names)


def _run_fetch(options: argparse.Namespace) -> int:
    """Download with progress on stderr; where the file is goes to stdout."""
    from ssd.checkpoints import fetch_torchvision

    path = fetch_torchvision(options.name, progress=TenthsTold())
    print(path)
    return 0


class TenthsTold:
    """A line on stderr for each tenth of a download."""

    def __init__(self) -> None:
        self.tenth = -1

    def __call__(self, arrived: int, total: int) -> None:
        """Tell when another tenth has arrived."""
        tenth = 10 * arrived // max(total, 1)
        if tenth != self.tenth:  # also where a second file begins
            self.tenth = tenth
            print(f"{arrived / 2**20:.0f} of {total / 2**20:.0f} MB", file=sys.stderr)


FETCH = Command("fetch", "download weights that torchvision publishes", _add_fetch, _run_fetch)
