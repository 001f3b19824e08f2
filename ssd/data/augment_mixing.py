"""Changes that need other pictures: pasted objects, mosaic, mixup."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from ssd.boxes import area, from_pixels, jaccard, to_pixels
from ssd.data.augment_config import AugmentConfig
from ssd.data.augment_report import Followed, follow, joined
from ssd.data.augment_views import View, crop, render
from ssd.data.records import Sample, Target, make_target

Others = Callable[[int], Sample]  # any whole number → a sample of the same data
_LOOKS = 10  # pictures looked at for an object of the class
_PLACES = 8  # positions tried for a piece
_MIN_PIECE_PX = 6
_MAX_JACCARD, _MAX_COVER = 0.15, 0.3  # with another object; of another object's area
_SPLIT = (0.3, 0.7)  # where the tiles of a mosaic meet
_TILE_ZOOM = 1.3  # a tile's picture is at most so much larger than the tile
_BLEND = (0.4, 0.6)


class Draw:
    """Random numbers of one sample: everything comes from one seed."""

    def __init__(self, seed: int) -> None:
        self.generator = torch.Generator().manual_seed(seed)

    def chance(self, probability: float) -> bool:
        """True as often as the probability says; asks for no number where it is 0."""
        return probability > 0 and self.share() < probability

    def share(self) -> float:
        """A number in 0–1."""
        return float(torch.rand((), generator=self.generator))

    def between(self, low: float, high: float) -> float:
        """A number from ``low`` to ``high``."""
        return low + self.share() * (high - low)

    def whole(self, count: int) -> int:
        """One of 0..count-1."""
        return int(torch.randint(count, (), generator=self.generator))

    def other(self, others: Others) -> Sample:
        """A sample by chance."""
        return others(self.whole(2**31 - 1))


@dataclass(frozen=True)
class _Piece:
    """An object cut out of its picture."""

    picture: UInt8[Tensor, "3 h w"]
    label: int


def paste(sample: Sample, *, config: AugmentConfig, draw: Draw, others: Others) -> Sample:
    """Put objects of other pictures into a picture, where they cover little of its own.

    The edge of a piece is a soft ellipse, so that no straight seam gives it away.

    Source:
        Dwibedi et al., Cut, paste and learn, ICCV 2017 (blending against seams).
    """
    target, picture = sample.target, sample.picture.clone()
    for _ in range(1 + draw.whole(config.paste_max)):
        piece = _find_piece(config, draw, others)
        place = None if piece is None else _find_place(piece, picture, target, draw)
        if piece is None or place is None:
            continue
        _blend(picture, piece, place, gain=draw.between(0.93, 1.07))
        height, width = piece.picture.shape[-2:]
        box = torch.tensor([[place[0], place[1], place[0] + width, place[1] + height]], dtype=torch.float32)
        box = from_pixels(box, width_px=picture.shape[2], height_px=picture.shape[1])
        target = joined([target, make_target(box, torch.tensor([piece.label]))])
    return replace(sample, picture=picture, target=target)


def _find_piece(config: AugmentConfig, draw: Draw, others: Others) -> _Piece | None:
    """An object of a chosen class, whole, inside its picture; none after ten pictures."""
    label = config.paste_classes[draw.whole(len(config.paste_classes))] if config.paste_classes else None
    for _ in range(_LOOKS):
        sample = draw.other(others)
        boxes = _whole_objects(sample, label)
        if len(boxes):
            chosen = draw.whole(len(boxes))
            x1, y1, x2, y2, found = boxes[chosen]
            piece = sample.picture[:, y1:y2, x1:x2]
            if draw.chance(config.paste_turned):
                piece = torch.rot90(piece, draw.whole(4), (1, 2))
                piece = piece.flip(2) if draw.chance(0.5) else piece
            return _Piece(piece, found)
    return None


def _whole_objects(sample: Sample, label: int | None) -> list[list[int]]:
    """x1, y1, x2, y2, label in whole pixels of the objects that the border does not cut."""
    height, width = sample.picture.shape[-2:]
    boxes = to_pixels(sample.target.boxes, width_px=width, height_px=height).round().to(torch.int64)
    low, high = boxes[:, :2], boxes[:, 2:]
    usable = (low > 1).all(dim=1) & (high < boxes.new_tensor([width - 1, height - 1])).all(dim=1)
    usable &= ((high - low) >= _MIN_PIECE_PX).all(dim=1) & ~sample.target.ignore & ~sample.target.difficult
    if label is not None:
        usable &= sample.target.labels == label
    found: list[list[int]] = torch.cat([boxes, sample.target.labels[:, None]], dim=1)[usable].tolist()
    return found


def _find_place(piece: _Piece, picture: Tensor, target: Target, draw: Draw) -> tuple[int, int] | None:
    """x, y of the first of eight random places where the piece covers little."""
    free_wh = torch.tensor(
        [picture.shape[2] - piece.picture.shape[2], picture.shape[1] - piece.picture.shape[1]]
    )
    if int(free_wh.min()) <= 0:
        return None
    low = (torch.rand(_PLACES, 2, generator=draw.generator) * free_wh).to(torch.int64)
    high = low + torch.tensor([piece.picture.shape[2], piece.picture.shape[1]])
    places = torch.cat([low, high], dim=1).to(torch.float32)
    objects = to_pixels(target.boxes, width_px=picture.shape[2], height_px=picture.shape[1])
    fits = torch.ones(_PLACES, dtype=torch.bool)
    if len(objects):
        fits &= jaccard(places, objects).amax(dim=1) < _MAX_JACCARD
        fits &= _cover(places, objects).amax(dim=1) < _MAX_COVER
    first = fits.nonzero()
    return (int(low[first[0], 0]), int(low[first[0], 1])) if len(first) else None


def _cover(a: Float[Tensor, "m 4"], b: Float[Tensor, "n 4"]) -> Float[Tensor, "m n"]:
    """Share of each box in ``b`` that each box in ``a`` covers."""
    low, high = torch.maximum(a[:, None, :2], b[:, :2]), torch.minimum(a[:, None, 2:], b[:, 2:])
    return (high - low).clamp(min=0).prod(dim=2) / area(b).clamp(min=1e-9)


def _blend(picture: Tensor, piece: _Piece, place: tuple[int, int], *, gain: float) -> None:
    """Paint a piece into a picture, opaque within an ellipse, gone in the corners."""
    height, width = piece.picture.shape[-2:]
    down, across = torch.linspace(-1, 1, height)[:, None], torch.linspace(-1, 1, width)[None]
    alpha = ((1.12 - (down**2 + across**2).sqrt()) / 0.2).clamp(0, 1)  # (h, w); .6 amid each side
    under = picture[:, place[1] : place[1] + height, place[0] : place[0] + width]
    over = (piece.picture.to(torch.float32) * gain).clamp(0, 255)
    under.copy_((under * (1 - alpha) + over * alpha).round().to(torch.uint8))


def mosaic(
    tiles: list[tuple[View, Target]], *, config: AugmentConfig, size_wh: tuple[int, int], draw: Draw
) -> Followed:
    """Four views as tiles of one picture; the first is the sample, the others bring objects in.

    Each tile shows a part of its view at a random place and enlargement.

    Source:
        Bochkovskiy et al., YOLOv4, 2020, section 3.3 ("Mosaic").
    """
    width, height = size_wh
    x, y = (round(side * draw.between(*_SPLIT)) for side in size_wh)
    corners = ((0, 0, x, y), (x, 0, width, y), (0, y, x, height), (x, y, width, height))
    picture = torch.empty(3, height, width, dtype=torch.uint8)
    parts = []
    for (view, target), (x1, y1, x2, y2) in zip(tiles, corners, strict=True):
        part = _tile_part(((x2 - x1) / width, (y2 - y1) / height), draw)
        rendered = render(crop(view, part=part), size_wh=(x2 - x1, y2 - y1))
        picture[:, y1:y2, x1:x2] = rendered.picture
        parts.append(follow(rendered, target, config=config, size_wh=size_wh, place=(x1, y1)))
    others = joined([part.survivors for part in parts[1:]])
    applied = (*parts[0].applied, "set as one of four tiles")
    return replace(parts[0], picture=picture, others=others, applied=applied)


def _tile_part(share_wh: tuple[float, float], draw: Draw) -> tuple[float, float, float, float]:
    """The part of a view that a tile shows: not smaller than the tile asks for, at a random place."""
    zoom = max(share_wh) * draw.between(1.0, _TILE_ZOOM)
    width, height = share_wh[0] / zoom, share_wh[1] / zoom
    left, top = draw.share() * (1 - width), draw.share() * (1 - height)
    return (left, top, left + width, top + height)


def mixup(first: Followed, second: Followed, *, draw: Draw) -> Followed:
    """Two pictures laid over each other, about half and half, with the objects of both.

    Source:
        Zhang et al., Bag of freebies for object detection, 2019, section 3.1. Near one half
        both sets of objects can be seen, so none needs a weight.
    """
    share = draw.between(*_BLEND)
    picture = (first.picture * share + second.picture * (1 - share)).round().to(torch.uint8)
    others = joined([first.others, second.survivors])
    return replace(first, picture=picture, others=others, applied=(*first.applied, f"mixed {share:.0%}"))
