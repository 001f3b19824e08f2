"""Augmentation: boxes move along, proven by painting rectangles and finding them again."""

from __future__ import annotations

import pytest
import torch

from ssd.boxes import to_pixels
from ssd.data.augment import Augmentation, AugmentConfig
from ssd.data.records import Sample, make_target
from ssd.errors import ConfigError

COLOURS = [(255, 0, 0), (0, 255, 0), (0, 0, 255)]


def painted(width: int = 200, height: int = 120) -> Sample:
    """Three rectangles of pure colours, boxes exact."""
    boxes_px = torch.tensor(
        [[10.0, 10.0, 60.0, 50.0], [120.0, 20.0, 190.0, 70.0], [40.0, 70.0, 100.0, 110.0]]
    )
    picture = torch.full((3, height, width), 128, dtype=torch.uint8)
    for (x1, y1, x2, y2), colour in zip(boxes_px.int().tolist(), COLOURS, strict=True):
        picture[:, y1:y2, x1:x2] = torch.tensor(colour, dtype=torch.uint8)[:, None, None]
    boxes = boxes_px / torch.tensor([width, height, width, height])
    return Sample(picture, make_target(boxes, torch.tensor([1, 2, 3])), "painted")


def extent_px(picture: torch.Tensor, label: int) -> torch.Tensor | None:
    """Where the colour of a label is in the picture."""
    colour = torch.tensor(COLOURS[label - 1])[:, None, None]
    ys, xs = ((picture.int() - colour).abs().amax(dim=0) < 100).nonzero(as_tuple=True)
    if len(xs) == 0:
        return None
    return torch.tensor([xs.min(), ys.min(), xs.max() + 1, ys.max() + 1], dtype=torch.float32)


@pytest.mark.parametrize(
    "config",
    [
        AugmentConfig(flip=0.0),
        AugmentConfig(flip=1.0),
        AugmentConfig(flip=0.0, upside_down=1.0),
        AugmentConfig(flip=0.5, zoom_out=1.0, zoom_out_max=1.6),
        AugmentConfig(flip=0.5, crop=1.0),
        AugmentConfig(flip=0.5, upside_down=0.5, zoom_out=0.5, crop=0.5),
    ],
    ids=["resize", "mirror", "upside-down", "zoom-out", "crop", "all"],
)
@pytest.mark.parametrize("size_wh", [(160, 160), (240, 96)], ids=["square", "wide"])
def test_every_box_still_frames_its_own_rectangle(config: AugmentConfig, size_wh: tuple[int, int]) -> None:
    change, seen = Augmentation(config, size_wh=size_wh), 0

    for seed in range(12):
        changed = change(painted(), seed=seed)
        boxes = to_pixels(changed.target.boxes, width_px=size_wh[0], height_px=size_wh[1])
        for box, label in zip(boxes, changed.target.labels.tolist(), strict=True):
            if float((box[2:] - box[:2]).min()) < 6:
                continue
            found = extent_px(changed.picture, label)
            assert found is not None
            torch.testing.assert_close(found, box, atol=2.1, rtol=0)
            seen += 1

    assert seen >= 12


def test_the_same_seed_gives_the_same_change_and_another_seed_another() -> None:
    change = Augmentation(AugmentConfig(crop=1.0, photometric=1.0), size_wh=(64, 48))

    first, again, other = change(painted(), seed=5), change(painted(), seed=5), change(painted(), seed=6)

    assert torch.equal(first.picture, again.picture) and torch.equal(first.target.boxes, again.target.boxes)
    assert not torch.equal(first.picture, other.picture)


def test_the_callers_random_numbers_are_left_alone() -> None:
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)

    Augmentation(AugmentConfig(flip=0.5), size_wh=(32, 32))(painted(), seed=9)

    assert torch.equal(torch.rand(1), expected)


def test_flags_stay_with_their_objects() -> None:
    sample = painted()
    target = make_target(
        sample.target.boxes,
        sample.target.labels,
        difficult=torch.tensor([False, True, False]),
        ignore=torch.tensor([False, False, True]),
    )
    change = Augmentation(AugmentConfig(crop=1.0), size_wh=(96, 96))

    for seed in range(20):
        changed = change(Sample(sample.picture, target, "flags"), seed=seed).target
        assert torch.equal(changed.difficult, changed.labels == 2)
        assert torch.equal(changed.ignore, changed.labels == 3)


def test_a_picture_without_objects_passes() -> None:
    empty = Sample(painted().picture, make_target(torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64)), "e")

    changed = Augmentation(AugmentConfig(crop=1.0, zoom_out=1.0), size_wh=(64, 64))(empty, seed=0)

    assert len(changed.target) == 0 and changed.picture.shape == (3, 64, 64)


def test_a_probability_above_one_is_refused() -> None:
    with pytest.raises(ConfigError, match="flip"):
        AugmentConfig(flip=1.5)
