"""``download``: Pascal VOC, for people who are online."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from ssd.cli.fetch import TenthsTold
from ssd.cli.parsing import Command, choice

__all__ = ["DOWNLOAD"]

_NAMES = ("voc2007", "voc2012")


def _add_download(parser: argparse.ArgumentParser) -> None:
    """Options of ``download``."""
    parser.add_argument("name", type=choice(_NAMES), metavar="NAME", help=", ".join(_NAMES))
    parser.add_argument("--out", type=Path, metavar="DIR", help="a new folder (default: NAME)")
    parser.add_argument("--force", action="store_true", help="replace a data set that is there")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def _run_download(options: argparse.Namespace) -> int:
    """Fetch, check, unpack; then count what is there."""
    from ssd.data.folders import open_dataset
    from ssd.data.published import download_dataset

    path = options.out if options.out is not None else Path(options.name)
    download_dataset(options.name, path, force=options.force, progress=TenthsTold())
    count = len(open_dataset(path))
    if options.json:
        print(json.dumps({"path": str(path), "name": options.name, "num_pictures": count}))
    else:
        print(f"{path}: {count:,} annotated pictures")
    return 0


DOWNLOAD = Command("download", "download a published data set and unpack it", _add_download, _run_download)
