"""A network of a few thousand parameters and pictures of 64 pixels, for tests that train anything."""

from __future__ import annotations

from dataclasses import replace

import torch

from ssd.config import caffe_anchors
from ssd.contract import InputContract, ModelConfig, SmallConfig
from ssd.data.augment import AugmentConfig
from ssd.data.records import Sample, make_target
from ssd.model_presets import MODEL_PRESETS, ModelPreset
from ssd.training.config import TrainConfig

CLASSES = ("red", "green", "blue")
_ANCHORS = caffe_anchors(grids=(8, 4), min_px=(10, 20), max_px=(20, 40), ratios=((2.0,), (2.0,)), side_px=64)
_SMALL = SmallConfig(stem=8, stages=(8, 8, 8), blocks=(1, 1, 1), top_down=8)
_LARGE = caffe_anchors(grids=(16, 8), min_px=(10, 20), max_px=(20, 40), ratios=((2.0,), (2.0,)), side_px=128)
_CONFIG = ModelConfig("ssd-small", ("object",), _ANCHORS, InputContract(size_wh=(64, 64)), small=_SMALL)
PRESETS = {
    "tiny": ModelPreset("tiny", _CONFIG, "for tests", "tests"),
    "tiny-128": ModelPreset("tiny-128", replace(_CONFIG, anchors=_LARGE), "the same at 128 px", "tests"),
}
TINY = TrainConfig(model="tiny", size_px=64, steps=4, batch_size=2, augment=AugmentConfig(flip=0.5, crop=0.5))


class Squares:
    """Pictures by number: two squares of one colour each on grey; every fifth picture is empty."""

    def __init__(self, count: int = 8) -> None:
        self.count = count

    def __len__(self) -> int:
        return self.count

    def sample(self, index: int) -> Sample:
        """The picture of a number."""
        generator = torch.Generator().manual_seed(index)
        picture = torch.full((3, 64, 80), 128, dtype=torch.uint8)
        boxes, labels = [], []
        for _ in range(0 if index % 5 == 4 else 2):
            side = int(torch.randint(12, 30, (1,), generator=generator))
            x, y = (int(torch.randint(0, limit - side, (1,), generator=generator)) for limit in (80, 64))
            colour = int(torch.randint(0, 3, (1,), generator=generator))
            picture[:, y : y + side, x : x + side] = 0
            picture[colour, y : y + side, x : x + side] = 255
            boxes.append([x / 80, y / 64, (x + side) / 80, (y + side) / 64])
            labels.append(colour + 1)
        target = make_target(torch.tensor(boxes).reshape(-1, 4), torch.tensor(labels, dtype=torch.int64))
        return Sample(picture, target, f"squares-{index}")


def add_tiny() -> None:
    """Make the presets known; the fixture of conftest.py takes them away again."""
    MODEL_PRESETS.update(PRESETS)
