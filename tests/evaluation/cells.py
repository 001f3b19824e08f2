"""A small data set on disk, and a detector that is no good but quick."""

from __future__ import annotations

from pathlib import Path

import torch

from ssd.data.folders import DataSet, open_dataset
from ssd.data.images import picture_to_png
from ssd.prediction import Predictor
from tests.data.test_voc import an_object, voc
from tests.small_models import small_model

NAMES = ("circle", "star")
SIZE = (60, 40)


def write_cells(root: Path, count: int = 5, *, seed: int = 0) -> Path:
    """A devkit of noise: a circle in each picture, a star in every second, a difficult one in the third."""
    chance = torch.Generator().manual_seed(seed)
    for folder in ("JPEGImages", "Annotations"):
        (root / folder).mkdir(parents=True)
    for number in range(count):
        noise = torch.randint(256, (3, SIZE[1], SIZE[0]), generator=chance).to(torch.uint8)
        (root / "JPEGImages" / f"{number:03}.png").write_bytes(picture_to_png(noise))
        objects = [an_object("circle", (5 + number, 5, 30, 30))]
        objects += [an_object("star", (20, 11, 50, 38))] if number % 2 == 0 else []
        objects += [an_object("star", (1, 1, 12, 12), "<difficult>1</difficult>")] if number == 2 else []
        (root / "Annotations" / f"{number:03}.xml").write_bytes(voc(*objects, size=SIZE))
    return root


def cells(root: Path, split: str = "all") -> DataSet:
    return open_dataset(root, split=split, classes=NAMES)


def predictor(sha256: str = "ab" * 32, seed: int = 0) -> Predictor:
    return Predictor(small_model(*NAMES, seed=seed), sha256=sha256)


class Counting(Predictor):
    """A predictor that counts how often the network runs."""

    runs = 0

    def predict(self, picture):
        self.runs += 1
        return super().predict(picture)


def counting(sha256: str = "ab" * 32, seed: int = 0) -> Counting:
    return Counting(small_model(*NAMES, seed=seed), sha256=sha256)
