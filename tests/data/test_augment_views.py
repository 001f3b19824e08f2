"""Views and crops: where points go, against torchvision's own boxes; SSD's constraint fires."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torchvision import tv_tensors
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import functional

from ssd.boxes import area, jaccard, to_pixels
from ssd.data.augment_config import AugmentConfig
from ssd.data.augment_crop import MIN_JACCARDS, crop_part, jaccard_crop
from ssd.data.augment_report import follow
from ssd.data.augment_views import (
    FILL,
    boxes_in_window,
    crop,
    mapped,
    mirror,
    render,
    rotate,
    start,
    turn,
    zoom_out,
)
from tests.data.painted import extents_px, painted
from tests.strategies import boxes

WIDTH, HEIGHT = 200, 120


def as_torchvision(shares: torch.Tensor) -> tv_tensors.BoundingBoxes:
    """Boxes as torchvision moves them, never clamped."""
    pixels = to_pixels(shares, width_px=WIDTH, height_px=HEIGHT)
    return tv_tensors.BoundingBoxes(pixels, format="XYXY", canvas_size=(HEIGHT, WIDTH), clamping_mode=None)


def enclosing(matrix: torch.Tensor, shares: torch.Tensor) -> torch.Tensor:
    """Boxes in pixels as a view moves them."""
    corners = mapped(matrix, shares)
    return torch.cat([corners.amin(dim=1), corners.amax(dim=1)], dim=1).float()


@given(boxes(min_size=1), st.floats(-180, 180))
def test_a_rotation_moves_boxes_as_torchvision_does(shares, degrees):
    view = rotate(start(painted().picture), degrees=degrees)

    expected = functional.rotate(as_torchvision(shares), degrees)

    torch.testing.assert_close(enclosing(view.matrix, shares), torch.Tensor(expected), atol=2e-3, rtol=0)


@pytest.mark.parametrize("degrees", [-30.0, 3.0, 45.0, 170.0])
def test_a_rotation_moves_pixels_as_torchvision_does(degrees):
    picture = painted().picture
    bilinear, fill = InterpolationMode.BILINEAR, [float(colour) for colour in FILL]

    made = render(rotate(start(picture), degrees=degrees), size_wh=(WIDTH, HEIGHT)).picture

    expected = functional.rotate(picture, degrees, interpolation=bilinear, fill=fill)
    assert float((made.float() - expected.float()).abs().mean()) < 0.6  # the frame's edge is softer here


def test_what_a_rotation_pushes_out_of_the_frame_comes_back_on_a_larger_canvas():
    sample = painted(boxes_px=[(90.0, 0.0, 110.0, 10.0)])  # at the upper edge, in the middle
    view = zoom_out(rotate(start(sample.picture), degrees=90.0), factor=2.0, left=0.5, top=0.5)

    rendered = render(view, size_wh=(200, 120))
    found = follow(rendered, sample.target, config=AugmentConfig(), size_wh=(200, 120))

    assert found.survivors.labels.tolist() == [1] and float(found.visible) == 1.0
    seen = extents_px(rendered.picture, 1)
    box = to_pixels(found.survivors.boxes, width_px=200, height_px=120)[0]
    torch.testing.assert_close(seen, box, atol=1.1, rtol=0)


@given(boxes(min_size=1))
def test_mirrors_move_boxes_as_torchvision_does(shares):
    view = start(painted().picture)

    across, down = mirror(view), mirror(view, upside_down=True)

    torch.testing.assert_close(
        enclosing(across.matrix, shares), torch.Tensor(functional.horizontal_flip(as_torchvision(shares))),
        atol=1e-4, rtol=0,
    )  # fmt: skip
    torch.testing.assert_close(
        enclosing(down.matrix, shares), torch.Tensor(functional.vertical_flip(as_torchvision(shares))),
        atol=1e-4, rtol=0,
    )  # fmt: skip


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_a_turn_moves_pictures_as_torchvision_does_and_comes_back_after_four(quarters):
    picture = painted().picture

    view = turn(start(picture), quarters=quarters)

    shares = torch.tensor([[0.1, 0.2, 0.4, 0.9]])
    boxes_px = functional.rotate(as_torchvision(shares), 90.0 * quarters, expand=True)
    assert torch.equal(view.picture, functional.rotate(picture, 90.0 * quarters, expand=True))
    torch.testing.assert_close(enclosing(view.matrix, shares), torch.Tensor(boxes_px), atol=1e-3, rtol=0)
    back = turn(view, quarters=4 - quarters)
    assert torch.equal(back.picture, picture)
    torch.testing.assert_close(back.matrix, start(picture).matrix)


@given(boxes(min_size=1, min_side=0.05), st.integers(0, 200))
def test_what_is_cropped_and_zoomed_is_mapped_exactly_to_whole_pixels(shares, seed):
    random = torch.rand(7, generator=torch.Generator().manual_seed(seed)).tolist()
    view = zoom_out(start(painted().picture), factor=1 + random[0], left=random[1], top=random[2])
    x, y = random[3] * 0.6, random[4] * 0.6
    view = crop(view, part=(x, y, x + 0.3 + random[5] * 0.1, y + 0.4))

    rendered = render(view, size_wh=(96, 160))

    x1, y1, x2, y2 = rendered.seen
    part = rendered.picture[:, y1:y2, x1:x2]
    outside = rendered.picture.clone().int()
    outside[:, y1:y2, x1:x2] = torch.tensor(FILL)[:, None, None].int()
    assert bool((outside == torch.tensor(FILL)[:, None, None]).all())
    assert part.numel() == 0 or bool((part[:, :, 0] != torch.tensor(FILL)[:, None]).any())
    window = boxes_in_window(view, shares) * torch.tensor([96, 160, 96, 160])
    torch.testing.assert_close(enclosing(rendered.matrix, shares), window, atol=2.5, rtol=0.05)


def test_the_visible_share_is_the_share_of_the_area_inside():
    sample = painted(boxes_px=[(80.0, 30.0, 120.0, 90.0), (0.0, 0.0, 20.0, 20.0)])
    view = crop(start(sample.picture), part=(0.5, 0.5, 1.0, 1.0))  # from (100, 60) on

    found = follow(render(view, size_wh=(50, 30)), sample.target, config=AugmentConfig(), size_wh=(50, 30))

    torch.testing.assert_close(found.visible, torch.tensor([0.25, 0.0]))
    assert found.survivors.labels.tolist() == [1] and not bool(found.survivors.ignore.any())
    torch.testing.assert_close(found.survivors.boxes, torch.tensor([[0.0, 0.0, 0.2, 0.5]]))


@given(boxes(min_size=1, max_size=4, min_side=0.1), st.integers(0, 500), st.sampled_from(MIN_JACCARDS[1:]))
def test_a_part_has_an_object_with_the_jaccard_that_was_asked_for(shares, seed, least):
    generator = torch.Generator().manual_seed(seed)

    part = crop_part(shares, min_jaccard=least, generator=generator)

    if part is not None:
        assert float(jaccard(part[None], shares).max()) >= least


def test_the_constraint_fires():
    """Most parts that are drawn freely would break it: it is not met by chance."""
    objects = torch.tensor([[0.1, 0.1, 0.5, 0.7]])
    free, bound = [], []

    for seed in range(200):
        generator = torch.Generator().manual_seed(seed)
        free.append(crop_part(objects, min_jaccard=None, generator=generator))
        bound.append(crop_part(objects, min_jaccard=0.5, generator=generator))

    found = torch.stack([part for part in bound if part is not None])
    assert len(found) > 150
    assert float((jaccard(torch.stack(free), objects) >= 0.5).float().mean()) < 0.25
    assert bool((jaccard(found, objects) >= 0.5).all())


def test_sides_and_ratios_are_those_of_the_original():
    drawn = [
        crop_part(torch.zeros(0, 4), min_jaccard=None, generator=torch.Generator().manual_seed(seed))
        for seed in range(600)
    ]
    parts = torch.stack(drawn)
    width, height = (parts[:, 2:] - parts[:, :2]).unbind(dim=1)

    assert bool(((parts >= 0) & (parts <= 1 + 1e-6)).all())
    assert bool((width / height >= 0.5 - 1e-4).all() and (width / height <= 2 + 1e-3).all())
    scale = area(parts).sqrt()
    assert bool((scale >= 0.3 - 1e-4).all()) and float(scale.min()) < 0.33 and float(scale.max()) > 0.95


def test_a_constraint_that_cannot_be_met_gives_nothing():
    speck = torch.tensor([[0.5, 0.5, 0.51, 0.51]])

    assert crop_part(speck, min_jaccard=0.5, generator=torch.Generator().manual_seed(0)) is None


@pytest.mark.slow
def test_each_of_the_seven_choices_is_as_likely():
    objects, counts = torch.tensor([[0.0, 0.0, 1.0, 1.0]]), {}

    for seed in range(350):
        view = jaccard_crop(start(painted().picture), objects, generator=torch.Generator().manual_seed(seed))
        words = view.applied[0].partition("(")[2] if view.applied else "whole"
        counts[words] = counts.get(words, 0) + 1

    assert len(counts) == 7
    assert min(counts.values()) > 25 and max(counts.values()) < 85


def test_without_objects_the_crop_is_free_or_whole():
    none, words = torch.zeros(0, 4), set()

    for seed in range(40):
        view = jaccard_crop(start(painted().picture), none, generator=torch.Generator().manual_seed(seed))
        words |= {text.partition("(")[2] for text in view.applied} or {"whole"}

    assert words == {"whole", "any part)"}
