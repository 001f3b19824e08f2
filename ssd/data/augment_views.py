"""One picture on its way to training size: turned, zoomed, cropped, and where each point goes.

No step moves a box. Each notes where the points of the picture went; the objects follow
once, at the end, so that a box grows only by what the whole way asks for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

FILL = (124, 116, 104)  # mean colour of ImageNet: what SSD fills a larger canvas with


@dataclass(frozen=True)
class View:
    """A picture, what of it will be seen, and what was done to it so far.

    Attributes:
        picture: RGB, 0..255.
        window: x1, y1, x2, y2 of what is seen, in pixels of ``picture``; it may reach outside.
        matrix: points of the sample in [0, 1], as (x, y, 1) columns → pixels of ``picture``,
            rotated.
        applied: a few words for each change.
        degrees: by how much the picture is still to be rotated about its middle.
    """

    picture: UInt8[Tensor, "3 h w"]
    window: tuple[int, int, int, int]
    matrix: Float[Tensor, "3 3"]
    applied: tuple[str, ...] = ()
    degrees: float = 0.0


@dataclass(frozen=True)
class Rendered:
    """A view at its final size.

    Attributes:
        picture: RGB, 0..255.
        matrix: points of the sample in [0, 1] → pixels of ``picture``.
        seen: x1, y1, x2, y2 in pixels of ``picture``: where the sample is; the rest is filled.
        applied: a few words for each change.
    """

    picture: UInt8[Tensor, "3 h w"]
    matrix: Float[Tensor, "3 3"]
    seen: tuple[int, int, int, int]
    applied: tuple[str, ...]


def start(picture: UInt8[Tensor, "3 h w"]) -> View:
    """The view of a whole, unchanged picture."""
    height, width = picture.shape[-2:]
    return View(picture, (0, 0, width, height), _matrix([[width, 0, 0], [0, height, 0], [0, 0, 1]]))


def mapped(matrix: Float[Tensor, "3 3"], boxes: Float[Tensor, "g 4"]) -> Float[Tensor, "g 4 2"]:
    """Where the corners of boxes go: upper left, upper right, lower right, lower left, float64.

    Example:
        >>> mapped(torch.eye(3, dtype=torch.float64), torch.tensor([[0.0, 0.5, 1.0, 0.75]]))[0, 2].tolist()
        [1.0, 0.75]
    """
    corners = boxes[:, [[0, 1], [2, 1], [2, 3], [0, 3]]].to(torch.float64)
    return corners @ matrix[:2, :2].T + matrix[:2, 2]


def mirror(view: View, *, upside_down: bool = False) -> View:
    """Left becomes right, or top becomes bottom.

    Example:
        >>> mirror(start(torch.arange(12, dtype=torch.uint8).reshape(3, 2, 2))).picture[0].tolist()
        [[1, 0], [3, 2]]
    """
    height, width = view.picture.shape[-2:]
    x1, y1, x2, y2 = view.window
    if upside_down:
        step = _matrix([[1, 0, 0], [0, -1, height], [0, 0, 1]])
        window, words = (x1, height - y2, x2, height - y1), "mirrored top to bottom"
    else:
        step = _matrix([[-1, 0, width], [0, 1, 0], [0, 0, 1]])
        window, words = (width - x2, y1, width - x1, y2), "mirrored left to right"
    picture = view.picture.flip(1 if upside_down else 2)
    return View(picture, window, step @ view.matrix, (*view.applied, words))


def turn(view: View, *, quarters: int) -> View:
    """Turn a whole picture by 90° steps, counter-clockwise; an odd number swaps width and height.

    Example:
        >>> turn(start(torch.zeros(3, 4, 6, dtype=torch.uint8)), quarters=1).window
        (0, 0, 4, 6)
    """
    picture, matrix = view.picture, view.matrix
    for _ in range(quarters):
        matrix = (
            _matrix([[0, 1, 0], [-1, 0, picture.shape[2]], [0, 0, 1]]) @ matrix
        )  # (x, y) → (y, width − x)
        picture = torch.rot90(picture, 1, (1, 2))
    words = (f"turned by {90 * quarters}°",) if quarters else ()
    return View(picture, start(picture).window, matrix, (*view.applied, *words))


def rotate(view: View, *, degrees: float) -> View:
    """Rotate about the middle, counter-clockwise, within a frame as wide and high as before.

    It comes after mirrors and turns; the pixels are moved by :func:`render`.

    Example:
        >>> rotate(start(torch.zeros(3, 4, 6, dtype=torch.uint8)), degrees=3.0).applied
        ('rotated by 3.0°',)
    """
    step = _rotation(view.picture, degrees)
    applied = (*view.applied, f"rotated by {degrees:.1f}°")
    return replace(view, degrees=degrees, matrix=step @ view.matrix, applied=applied)


def zoom_out(view: View, *, factor: float, left: float, top: float) -> View:
    """Place what is seen on a canvas of ``factor`` sides, by shares of the free width and height.

    Nothing is painted before :func:`render`.

    Source:
        Liu et al., SSD, ECCV 2016, section 3.6 ("zoom out").

    Example:
        >>> zoom_out(start(torch.zeros(3, 4, 6, dtype=torch.uint8)), factor=2.0, left=0.5, top=1.0).window
        (-3, -4, 9, 4)
    """
    x1, y1, x2, y2 = view.window
    width, height = round((x2 - x1) * factor), round((y2 - y1) * factor)
    x, y = x1 - round((width - x2 + x1) * left), y1 - round((height - y2 + y1) * top)
    words = f"zoomed out {factor:.2f}×"
    return replace(view, window=(x, y, x + width, y + height), applied=(*view.applied, words))


def crop(view: View, *, part: tuple[float, float, float, float], words: str = "") -> View:
    """See only a part, xyxy in [0, 1] of the window; at least one pixel.

    Example:
        >>> crop(start(torch.zeros(3, 4, 6, dtype=torch.uint8)), part=(0.0, 0.5, 0.5, 1.0)).window
        (0, 2, 3, 4)
    """
    x1, y1, x2, y2 = view.window
    width, height = x2 - x1, y2 - y1
    left, top = x1 + min(round(width * part[0]), width - 1), y1 + min(round(height * part[1]), height - 1)
    right, bottom = max(x1 + round(width * part[2]), left + 1), max(y1 + round(height * part[3]), top + 1)
    applied = (*view.applied, words) if words else view.applied
    return replace(view, window=(left, top, right, bottom), applied=applied)


def boxes_in_window(view: View, boxes: Float[Tensor, "g 4"]) -> Float[Tensor, "g 4"]:
    """Boxes of the sample in [0, 1] of what is seen, not clipped."""
    corners = mapped(view.matrix, boxes)
    x1, y1, x2, y2 = view.window
    inside = (corners - corners.new_tensor([x1, y1])) / corners.new_tensor([x2 - x1, y2 - y1])
    return torch.cat([inside.amin(dim=1), inside.amax(dim=1)], dim=1).to(torch.float32)


def render(view: View, *, size_wh: tuple[int, int]) -> Rendered:
    """Cut out what is seen and stretch it to its final size.

    Where the window reaches outside the picture the result is filled.

    Example:
        >>> render(start(torch.zeros(3, 4, 6, dtype=torch.uint8)), size_wh=(3, 8)).picture.shape
        torch.Size([3, 8, 3])
    """
    if view.degrees:
        return _render_rotated(view, size_wh)
    across = _place(view.window[0::2], view.picture.shape[2], size_wh[0])
    down = _place(view.window[1::2], view.picture.shape[1], size_wh[1])
    step = _matrix([[across.scale, 0, across.shift], [0, down.scale, down.shift], [0, 0, 1]])
    seen = (across.low, down.low, across.high, down.high)
    canvas = torch.tensor(FILL, dtype=torch.uint8)[:, None, None].repeat(1, size_wh[1], size_wh[0])
    if across.high > across.low and down.high > down.low:  # else a crop of the empty canvas
        cut = view.picture[:, down.first : down.last, across.first : across.last]
        shape = (down.high - down.low, across.high - across.low)
        canvas[:, down.low : down.high, across.low : across.high] = _resized(cut, shape)
    return Rendered(canvas, step @ view.matrix, seen, view.applied)


def _render_rotated(view: View, size_wh: tuple[int, int]) -> Rendered:
    """The same for a rotated picture: each pixel of the result is looked up in the picture.

    The picture is first made as small as the result asks for, so that nothing is skipped;
    rotating it at its own size costs five times as much.
    """
    x1, y1, x2, y2 = view.window
    height, width = view.picture.shape[-2:]
    scale_x, scale_y = size_wh[0] / (x2 - x1), size_wh[1] / (y2 - y1)
    shape = (round(height * min(scale_y, 1.0)), round(width * min(scale_x, 1.0)))
    small = _resized(view.picture, (max(shape[0], 1), max(shape[1], 1))).to(torch.float32)
    to_result = _matrix([[scale_x, 0, -x1 * scale_x], [0, scale_y, -y1 * scale_y], [0, 0, 1]])
    rotated = to_result @ _rotation(view.picture, view.degrees)
    look_up = _unit(width, height) @ torch.linalg.inv(rotated) @ torch.linalg.inv(_unit(*size_wh))
    fill = torch.tensor(FILL, dtype=torch.float32)[:, None, None]
    grid = affine_grid(
        look_up[None, :2].to(torch.float32), [1, 3, size_wh[1], size_wh[0]], align_corners=False
    )
    found = grid_sample((small - fill)[None], grid, mode="bilinear", align_corners=False)[0] + fill
    picture = found.round().clamp(0, 255).to(torch.uint8)
    return Rendered(picture, to_result @ view.matrix, (0, 0, *size_wh), view.applied)


def _resized(picture: Tensor, shape: tuple[int, int]) -> Tensor:
    """Height and width changed, averaging over what a smaller picture leaves out."""
    from torchvision.transforms.v2 import functional

    return functional.resize(picture.contiguous(), list(shape), antialias=True)  # type: ignore[no-any-return]


def _rotation(picture: Tensor, degrees: float) -> Tensor:
    """Points of a picture → where they are after a rotation about its middle."""
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    x, y = picture.shape[2] / 2, picture.shape[1] / 2
    return _matrix([[cos, sin, x - cos * x - sin * y], [-sin, cos, y + sin * x - cos * y], [0, 0, 1]])


def _unit(width: int, height: int) -> Tensor:
    """Pixels → −1 to 1 from edge to edge."""
    return _matrix([[2 / width, 0, -1], [0, 2 / height, -1], [0, 0, 1]])


@dataclass(frozen=True)
class _Place:
    """Along one side: which pixels of the picture (first..last) fill which of the result (low..high)."""

    first: int
    last: int
    low: int
    high: int
    scale: float
    shift: float


def _place(window: tuple[int, ...], length: int, size: int) -> _Place:
    """The visible part of a window, rounded to whole pixels of the result and scaled exactly to them."""
    start_px, end_px = window
    first, last = max(start_px, 0), min(end_px, length)
    ratio = size / (end_px - start_px)
    if last <= first:
        return _Place(0, 0, 0, 0, ratio, -start_px * ratio)
    low = min(round((first - start_px) * ratio), size - 1)
    high = max(round((last - start_px) * ratio), low + 1)
    scale = (high - low) / (last - first)
    return _Place(first, last, low, high, scale, low - first * scale)


def _matrix(rows: list[list[float]]) -> Tensor:
    """In float64: a chain of changes must not move a box."""
    return torch.tensor(rows, dtype=torch.float64)
