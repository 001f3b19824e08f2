"""SSD's crop: a part of the picture in which at least one object overlaps the part enough."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from ssd.boxes import jaccard
from ssd.data.augment_views import View, boxes_in_window, crop

MIN_JACCARDS = (None, 0.1, 0.3, 0.5, 0.7, 0.9)  # Caffe-SSD, batch_sampler; None: no constraint
_TRIALS = 50  # Caffe-SSD, max_trials of each constraint
_SIDES = (0.3, 1.0)  # Caffe-SSD, min_scale and max_scale
_RATIOS = (0.5, 2.0)  # Caffe-SSD, min_aspect_ratio and max_aspect_ratio


def jaccard_crop(view: View, objects: Float[Tensor, "g 4"], *, generator: torch.Generator) -> View:
    """The whole view, or a part under one of six constraints; each of the seven is as likely.

    A constraint that no part of fifty fulfils is passed over for another.

    Args:
        view: what is seen so far.
        objects: xyxy in [0, 1] of the sample.
        generator: of the random numbers.

    Source:
        Liu et al., SSD, ECCV 2016, section 2.2 ("Data augmentation"); Caffe-SSD,
        batch_sampler.cpp. Caffe takes one of the constraints that could be fulfilled; trying
        them in a random order gives each the same chance.
    """
    boxes = boxes_in_window(view, objects)
    for choice in torch.randperm(len(MIN_JACCARDS) + 1, generator=generator).tolist():
        if choice == len(MIN_JACCARDS):
            return view
        least = MIN_JACCARDS[choice]
        part = crop_part(boxes, min_jaccard=least, generator=generator)
        if part is not None:
            x1, y1, x2, y2 = part.tolist()
            rule = f"an object at jaccard ≥ {least}" if least else "any part"
            words = f"cropped to {x2 - x1:.0%} × {y2 - y1:.0%} ({rule})"
            return crop(view, part=(x1, y1, x2, y2), words=words)
    return view


def crop_part(
    boxes: Float[Tensor, "g 4"], *, min_jaccard: float | None, generator: torch.Generator
) -> Float[Tensor, "4"] | None:
    """A random part that fulfils a constraint.

    Args:
        boxes: xyxy of the objects in [0, 1] of what is seen.
        min_jaccard: at least one object must overlap the part by this jaccard; ``None``:
            none need.
        generator: of the random numbers.

    Returns:
        xyxy in [0, 1], scale .3–1 with a ratio of .5–2, or ``None`` where none of fifty fits.

    Source:
        Caffe-SSD, sampler.cpp (SampleBBox, SatisfySampleConstraint).

    Example:
        >>> crop_part(torch.zeros(0, 4), min_jaccard=0.5, generator=torch.Generator()) is None
        True
    """
    random = torch.rand(_TRIALS, 4, generator=generator)
    scale = _SIDES[0] + random[:, 0] * (_SIDES[1] - _SIDES[0])
    narrow, wide = scale.square().clamp(min=_RATIOS[0]), scale.square().reciprocal().clamp(max=_RATIOS[1])
    root = (narrow + random[:, 1] * (wide - narrow)).sqrt()
    size = torch.stack([scale * root, scale / root], dim=1).clamp(max=1.0)
    low = random[:, 2:] * (1 - size)
    parts = torch.cat([low, low + size], dim=1)  # (50, 4)
    if min_jaccard is None:
        return parts[0]
    fits = (jaccard(parts, boxes) >= min_jaccard).any(dim=1).nonzero()
    return parts[int(fits[0])] if len(fits) else None
