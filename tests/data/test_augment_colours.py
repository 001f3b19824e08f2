"""Colours: the original's numbers, hue and saturation against colorsys, batches as one by one."""

from __future__ import annotations

import colorsys

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ssd.data.augment import Augmentation
from ssd.data.augment_colours import ColourChange, change_colours, colour_change
from ssd.data.augment_config import AugmentConfig
from tests.data.painted import painted

BYTES = st.integers(0, 255)


def pixel(*rgb: int) -> torch.Tensor:
    """A batch of one picture of one pixel."""
    return torch.tensor(rgb, dtype=torch.uint8).reshape(1, 3, 1, 1)


def changed(rgb: tuple[int, ...], **changes: float) -> list[int]:
    """One pixel after a change."""
    return change_colours(pixel(*rgb), [ColourChange(**changes)]).flatten().tolist()


@given(BYTES, BYTES, BYTES, st.floats(0.5, 1.5), st.floats(-18, 18))
def test_saturation_and_hue_are_those_of_hsv(red, green, blue, saturation, hue):
    h, s, v = colorsys.rgb_to_hsv(red / 255, green / 255, blue / 255)
    expected = colorsys.hsv_to_rgb((h + hue / 360) % 1, min(s * saturation, 1.0), v)

    found = changed((red, green, blue), saturation=saturation, hue_deg=hue)

    assert found == pytest.approx([255 * value for value in expected], abs=1.0)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"brightness": 32.0}, [132, 232, 255]),
        ({"brightness": -32.0}, [68, 168, 208]),
        ({"contrast": 1.5}, [150, 255, 255]),
        ({"contrast": 0.5}, [50, 100, 120]),
        ({"light": 25.5}, [126, 226, 255]),
        ({"light_contrast": 0.5}, [140, 190, 210]),  # the mean, 180, stays
    ],
    ids=str,
)
def test_brightness_and_contrast_by_hand(changes, expected):
    assert changed((100, 200, 240), **changes) == pytest.approx(expected, abs=1)


def test_the_order_of_contrast_and_saturation_matters_where_values_end():
    early = changed((200, 100, 50), contrast=1.5, saturation=1.5)
    late = changed((200, 100, 50), contrast=1.5, saturation=1.5, contrast_first=False)

    assert early != late


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [("brightness", -32, 32), ("contrast", 0.5, 1.5), ("saturation", 0.5, 1.5), ("hue_deg", -18, 18)],
)
def test_each_is_drawn_half_of_the_time_over_the_originals_range(name, low, high):
    config, still = AugmentConfig(photometric=0.5), getattr(ColourChange(), name)

    drawn = [getattr(colour_change(config, seed=seed), name) for seed in range(800)]

    values = [value for value in drawn if value != still]
    assert 340 < len(values) < 460
    assert low <= min(values) < low + 0.05 * (high - low) and high - 0.05 * (high - low) < max(values) <= high


def test_the_lessons_lighting_stays_within_its_strength():
    drawn = [colour_change(AugmentConfig(lighting=0.05), seed=seed) for seed in range(300)]

    assert 0.045 < max(change.light / 255 for change in drawn) <= 0.05
    assert 0.95 <= min(change.light_contrast for change in drawn) < 0.955
    assert all(change.contrast == 1 and change.brightness == 0 for change in drawn)


def test_a_batch_changes_as_its_pictures_do_one_by_one():
    config = AugmentConfig(photometric=0.5, lighting=0.1)
    pictures = torch.randint(0, 256, (12, 3, 20, 30), dtype=torch.uint8, generator=torch.Generator())
    changes = [colour_change(config, seed=seed) for seed in range(12)]

    together = change_colours(pictures, changes)

    alone = torch.cat([change_colours(p[None], [c]) for p, c in zip(pictures, changes, strict=True)])
    assert int((together.int() - alone.int()).abs().max()) <= 1
    assert not torch.equal(together, pictures)


def test_pictures_that_do_not_change_are_the_same_bytes():
    pictures = torch.randint(0, 256, (2, 3, 9, 7), dtype=torch.uint8, generator=torch.Generator())

    assert change_colours(pictures, [ColourChange(), ColourChange()]) is pictures
    moved = change_colours(pictures, [ColourChange(), ColourChange(hue_deg=9.0)])
    assert torch.equal(moved[0], pictures[0])


def test_colours_that_change_later_are_those_that_would_have_changed_here():
    config = AugmentConfig(flip=0.5, photometric=0.5, lighting=0.05)

    for seed in range(6):
        here = Augmentation(config, size_wh=(40, 30))(painted(), seed=seed)
        plain = Augmentation(config, size_wh=(40, 30), colours=False)(painted(), seed=seed)
        later = change_colours(plain.picture[None], [colour_change(config, seed=seed)])[0]
        assert torch.equal(here.picture, later)


def test_words_say_what_changes_and_nothing_else():
    assert ColourChange().words == ()
    assert ColourChange(brightness=-12.0, hue_deg=7.6).words == ("brightness -12", "hue +8°")
