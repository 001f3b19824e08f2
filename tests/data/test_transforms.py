"""The evaluation transform, held against torchvision's own and against hand-made pictures."""

import pytest
import torch
from torchvision.models.detection.transform import GeneralizedRCNNTransform

from ssd.data.transforms import evaluation_input

MEAN, STD = (0.4, 0.5, 0.6), (0.2, 0.25, 0.5)
PLAIN = {"mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0)}


def make_picture(*, width, height, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (3, height, width), dtype=torch.uint8, generator=generator)


@pytest.mark.parametrize("size_wh", [(500, 353), (353, 500), (300, 300), (40, 30)])
def test_bilinear_is_torchvisions_transform(size_wh):
    picture = make_picture(width=size_wh[0], height=size_wh[1])
    theirs = GeneralizedRCNNTransform(
        300, 300, list(MEAN), list(STD), size_divisible=1, fixed_size=(300, 200)
    )

    found = evaluation_input(picture, size_wh=(300, 200), mean=MEAN, std=STD, resize="bilinear")

    wanted = theirs([picture / 255])[0].tensors[0]
    assert found.shape == (3, 200, 300)
    torch.testing.assert_close(found, wanted, atol=1e-6, rtol=0)


def test_antialias_averages_what_bilinear_skips():
    picture = torch.zeros(3, 80, 120, dtype=torch.uint8)
    picture[:, ::8] = 240  # one bright row in eight

    even = evaluation_input(picture, size_wh=(15, 10), resize="antialias", **PLAIN)
    skipping = evaluation_input(picture, size_wh=(15, 10), resize="bilinear", **PLAIN)

    torch.testing.assert_close(even[:, 2:-2], torch.full((3, 6, 15), 240 / 255 / 8), atol=0.03, rtol=0)
    assert skipping.abs().max() == 0  # samples between rows 3 and 4 of each eight


@pytest.mark.parametrize("resize", ["antialias", "bilinear"])
def test_a_picture_of_the_right_size_is_only_normalised(resize):
    picture = make_picture(width=6, height=4)

    found = evaluation_input(picture, size_wh=(6, 4), mean=MEAN, std=STD, resize=resize)

    for colour in range(3):
        wanted = (picture[colour] / 255 - MEAN[colour]) / STD[colour]
        torch.testing.assert_close(found[colour], wanted, atol=1e-6, rtol=0)


@pytest.mark.parametrize("resize", ["antialias", "bilinear"])
def test_a_mirrored_picture_gives_a_mirrored_input_and_stays_as_it_was(resize):
    picture = make_picture(width=90, height=50)
    before = picture.clone()

    found = evaluation_input(picture, size_wh=(32, 24), mean=MEAN, std=STD, resize=resize)
    mirrored = evaluation_input(picture.flip(2), size_wh=(32, 24), mean=MEAN, std=STD, resize=resize)

    torch.testing.assert_close(mirrored, found.flip(2), atol=2 / 255 / 0.2, rtol=0)  # uint8 rounds
    assert torch.equal(picture, before)
