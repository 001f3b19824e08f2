"""What ``detect`` prints and which files it writes."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ssd.errors import ConfigError

if TYPE_CHECKING:
    from ssd.exports import Classes, ImageResult

__all__ = ["FORMATS", "Outputs"]

FORMATS = ("coco", "csv", "voc")
_ONE_FILE = {"coco": "detections.json", "csv": "detections.csv"}


@dataclass(frozen=True)
class Outputs:
    """Where the results go.

    Attributes:
        json: one array on stdout instead of lines for people.
        format: of the files, or ``None`` for no files.
        folder: of the files.
        force: replace files that exist.
        names: for VOC, the file of each picture.
    """

    json: bool
    format: str | None
    folder: Path
    force: bool
    names: dict[Path, str]

    @staticmethod
    def planned(options: argparse.Namespace, pictures: Sequence[Path]) -> Outputs:
        """Look at the options before any work is done.

        Args:
            options: of ``detect``.
            pictures: all that will be read.

        Returns:
            The plan.

        Raises:
            ConfigError: ``--format`` and ``--out`` do not come together, or a file is
                there already and ``--force`` is not given.
        """
        if (options.format is None) != (options.out is None):
            raise ConfigError("--format and --out go together; give both, or use --json for stdout.")
        folder = options.out if options.out is not None else Path()
        plan = Outputs(options.json, options.format, folder, options.force, _voc_names(pictures))
        if plan.format is not None:
            plan._require_room()
        return plan

    def _require_room(self) -> None:
        """Nothing is overwritten unasked, and that is known before the first picture."""
        if self.folder.exists() and not self.folder.is_dir():
            raise ConfigError(f"--out must be a folder, {self.folder} is a file; choose another name.")
        wanted = [_ONE_FILE[self.format]] if self.format in _ONE_FILE else list(self.names.values())
        present = [name for name in wanted if (self.folder / name).exists()]
        if present and not self.force:
            more = f" and {len(present) - 1} more" if len(present) > 1 else ""
            raise ConfigError(
                f"Nothing is overwritten unasked: {self.folder / present[0]}{more} would be; "
                "add --force to replace, or choose another --out."
            )

    def write(self, done: Mapping[Path, ImageResult], *, classes: Classes) -> None:
        """Files first, so that nothing is promised on stdout that could not be kept.

        Args:
            done: results of all good pictures, by their file.
            classes: names and ids of the labels.

        Raises:
            ConfigError: a file has appeared in the meantime.
            ResourceError: a file could not be written.
        """
        from ssd.exports import results_to_csv, results_to_json, results_to_voc, write_new

        texts: dict[str, str] = {}
        results = list(done.values())
        if self.format == "coco":
            texts[_ONE_FILE["coco"]] = results_to_json(results, classes=classes) + "\n"
        elif self.format == "csv":
            texts[_ONE_FILE["csv"]] = results_to_csv(results, classes=classes)
        elif self.format == "voc":
            texts = {
                self.names[path]: results_to_voc(result, classes=classes) for path, result in done.items()
            }
        for name, text in texts.items():
            write_new(self.folder / name, text.encode("utf-8", "surrogateescape"), force=self.force)
        if self.json:
            print(results_to_json(results, classes=classes))
        else:
            _print_lines(results, classes)


def _voc_names(pictures: Sequence[Path]) -> dict[Path, str]:
    """picture.jpg → picture.xml; where that is not unique picture.jpg.xml, or with a number before."""
    stems, names = Counter(path.stem for path in pictures), Counter(path.name for path in pictures)
    found: dict[Path, str] = {}
    for number, path in enumerate(pictures, start=1):
        plain = path.stem if stems[path.stem] == 1 else path.name
        found[path] = f"{plain}.xml" if names[path.name] == 1 else f"{number}-{plain}.xml"
    return found


def _print_lines(results: Sequence[ImageResult], classes: Classes) -> None:
    """For people: one line a picture, one a detection."""
    from ssd.data.images import shown_name
    from ssd.exports import result_rows

    for result in results:
        rows = result_rows(result, classes=classes)
        count = "1 detection" if len(rows) == 1 else f"{len(rows)} detections"
        print(f"{shown_name(result.name)} ({result.width} × {result.height}): {count}")
        for row in rows:
            x, y, width, height = row["bbox"]
            print(
                f"  {row['score']:.3f}  {row['category']}  x {x:.1f}  y {y:.1f}  {width:.1f} × {height:.1f}"
            )
