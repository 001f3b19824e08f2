"""Augmented pictures as SVG: the boxes that moved along, the corners of rotated ones, and the wrong way."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from xml.sax.saxutils import escape

from jaxtyping import Float
from torch import Tensor

from ssd.data.augment_report import AugmentationReport, ObjectFate
from ssd.figures.colours import line
from ssd.figures.thumbnails import picture_jpeg

__all__ = ["augmented_svg", "fate_lines"]

_KINDS = {"kept": "object", "ignored": "ignored_object", "dropped": "orphan"}
_TURNED = 1e-3  # corners that far from their box's are those of a rotated box


def augmented_svg(
    told: AugmentationReport, *, unmoved: Float[Tensor, "g 4"] | None = None, title: str = ""
) -> str:
    """One changed picture with its boxes.

    Args:
        told: the picture, and what became of each object.
        unmoved: boxes as they were before the change: the wrong way, drawn instead of the right
            boxes.
        title: what it shows, for people who cannot see it.

    Returns:
        The text of an SVG file, in pixels of the changed picture.

    Example:
        >>> from ssd.data.augment import AugmentConfig, Augmentation
        >>> from ssd.data.synthetic import synthetic_scene
        >>> change = Augmentation(AugmentConfig(flip=1.0), size_wh=(64, 48))
        >>> augmented_svg(change.explain(synthetic_scene(0), seed=0))[:4]
        '<svg'
    """
    height, width = told.sample.picture.shape[-2:]
    jpeg = base64.b64encode(picture_jpeg(told.sample.picture, max_side_px=max(width, height))).decode("ascii")
    body = [f'<image href="data:image/jpeg;base64,{jpeg}" width="{width}" height="{height}"/>']
    if unmoved is not None:
        body += [_drawn(_corners(box), "false_positive", width, height) for box in unmoved.tolist()]
    else:
        body += [_fate(fate, width, height) for fate in told.fates]
        brought = told.sample.target.boxes[len(told.sample.target) - told.added :]
        body += [_drawn(_corners(box), "plain", width, height) for box in brought.tolist()]
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    head = f"<title>{escape(title)}</title>"
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">{head}{"".join(body)}</svg>'


def _fate(fate: ObjectFate, width: int, height: int) -> str:
    """One object: its box where it is still there, and its turned corners beside it."""
    parts = []
    straight = _corners(fate.box)
    if _is_turned(fate.corners) and fate.outcome != "dropped":
        parts.append(_drawn(fate.corners, "forced", width, height))
    if fate.outcome == "dropped":
        parts.append(_drawn(fate.corners, "orphan", width, height))
    else:
        parts.append(_drawn(straight, _KINDS[fate.outcome], width, height))
    return "".join(parts)


def _is_turned(corners: Sequence[tuple[float, float]]) -> bool:
    """Whether the sides are no longer upright."""
    (x1, y1), (x2, y2) = corners[0], corners[1]
    return min(abs(x2 - x1), abs(y2 - y1)) > _TURNED


def _corners(box: Sequence[float]) -> list[tuple[float, float]]:
    """The corners of an upright box."""
    x1, y1, x2, y2 = box
    return [(x1, y1), (x2, y1), (x2, y2), (x1, y2)]


def _drawn(corners: Sequence[tuple[float, float]], kind: str, width: int, height: int) -> str:
    """A closed line through the corners, with its halo."""
    style = line(kind)
    path = "M" + "L".join(f"{x * width:.1f} {y * height:.1f}" for x, y in corners) + "Z"
    dash = f' stroke-dasharray="{" ".join(f"{d:g}" for d in style.dash_px)}"' if style.dash_px else ""
    thick = max(1.5, style.width_px * 0.75)
    halo = f'<path d="{path}" fill="none" stroke="#000" stroke-opacity="{style.halo:g}" '
    return (
        f'{halo}stroke-width="{thick + 2:g}"/>'
        f'<path d="{path}" fill="none" stroke="{style.colour}" stroke-width="{thick:g}"{dash}/>'
    )


def fate_lines(told: AugmentationReport, *, names: Sequence[str]) -> tuple[str, ...]:
    """What was done, and a line for each object that is no longer an object to be found.

    Args:
        told: the changed picture's report.
        names: class of each object before the change.

    Returns:
        Sentences; class names may hold anything, so show them as text.

    Example:
        >>> from ssd.data.augment import AugmentConfig, Augmentation
        >>> from ssd.data.synthetic import synthetic_scene
        >>> change = Augmentation(AugmentConfig(flip=1.0), size_wh=(64, 48))
        >>> fate_lines(change.explain(synthetic_scene(0), seed=0), names=["disc"] * 9)
        ('mirrored left to right',)
    """
    lines = [", ".join(told.applied) or "nothing changed"]
    lines += [
        f"{names[fate.index]} {fate.outcome}: {fate.reason} ({fate.visible:.0%} visible)"
        for fate in told.fates
        if fate.outcome != "kept"
    ]
    return (*lines, *([f"{told.added} objects from other pictures"] if told.added else []))
