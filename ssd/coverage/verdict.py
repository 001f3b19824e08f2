"""Can SSD learn this data set? Three sentences, every number of them computed."""

from __future__ import annotations

from collections import Counter

from jaxtyping import Bool
from torch import Tensor

from ssd.coverage.records import SIDES_PX, Coverage

__all__ = ["verdict"]

_SMALL_NUMBERS = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")
_TELLING = 0.25  # a border is told where at least this share of the covered objects lies beyond it
_MOST = 0.8  # share from which "most of them" is said


def verdict(
    found: Coverage,
    *,
    preset: str,
    without_area: int = 0,
    problems: int | None = None,
    fitted: Coverage | None = None,
    larger: Coverage | None = None,
) -> tuple[str, ...]:
    """What a person reads first about a data set.

    Args:
        found: its coverage.
        preset: name of the anchors.
        without_area: boxes that have no area; they are not among the objects.
        problems: everything that the data doctor found, those boxes included; ``None``:
            it was not asked.
        fitted: coverage of the same objects by fitted anchors.
        larger: coverage at a larger training size, for where nothing was fitted yet.

    Returns:
        Up to three sentences: what is there and what no anchor covers; what is broken; what
        would help.

    Example:
        >>> import torch
        >>> from ssd.config import anchor_preset
        >>> from ssd.coverage.sizes import preset_coverage
        >>> from ssd.data.object_table import object_table
        >>> from ssd.data.records import make_target
        >>> tiny = make_target(torch.tensor([[0.10, 0.10, 0.15, 0.15]]), torch.tensor([1]))
        >>> found = preset_coverage(object_table([tiny], class_names=("cat",)), anchor_preset("ssd300-voc"))
        >>> for sentence in verdict(found, preset="ssd300-voc", without_area=2):
        ...     print(sentence)
        1 object in 1 picture; 100 % have no anchor at jaccard .5 under ssd300-voc: one cat smaller than 16 px at 300 px.
        Two boxes have no area.
    """  # noqa: E501
    if len(found.objects) == 0:
        return (_empty(found), *_broken(without_area, problems))
    sentences = [_covered(found, preset), *_broken(without_area, problems)]
    return (*sentences, *_remedy(found, fitted, larger))


def _empty(found: Coverage) -> str:
    """A data set without objects."""
    pictures = _count(found.objects.num_pictures, "picture")
    return f"No object that counts in {pictures}: there is nothing to learn."


def _covered(found: Coverage, preset: str) -> str:
    """What is there, and what no anchor covers."""
    missed, objects = ~found.covered, found.objects
    start = f"{_count(len(objects), 'object')} in {_count(objects.num_pictures, 'picture')}; "
    jaccard = f"jaccard {_short(found.threshold)} under {preset}"
    count = int(missed.sum())
    if count == 0:
        worst = _short(round(float(found.best_jaccard.min()), 2))
        return f"{start}every one has an anchor at {jaccard}, the worst reaches {worst}."
    return f"{start}{_percent(count, len(objects))} have no anchor at {jaccard}{_who(found)}."


def _who(found: Coverage) -> str:
    """Which objects are not covered: their class and how large they are, where that can be said."""
    missed = ~found.covered
    labels = found.objects.labels[missed].tolist()
    label, count = Counter(labels).most_common(1)[0]
    name, size = found.objects.class_names[label - 1], _sizes(found)
    if len(labels) == 1:
        return f": one {name}{size}"
    if count == len(labels):
        return f", all of them {name}{size}"
    if count >= _MOST * len(labels):
        return f"; {count:,} of these {len(labels):,} are {name}{size and f', and all are{size}'}"
    return size and f", all of them{size}"


def _sizes(found: Coverage) -> str:
    """A border that the sides of all objects without an anchor lie below, or above."""
    sides = found.side_px[~found.covered]
    at = f"px at {min(found.size_wh)} px"
    below = next((limit for limit in SIDES_PX if bool((sides < limit).all())), None)
    above = next((limit for limit in reversed(SIDES_PX) if bool((sides >= limit).all())), None)
    others = found.side_px[found.covered]
    if below is not None and _share(others >= below) >= _TELLING:
        return f" smaller than {below} {at}"
    if above is not None and _share(others < above) >= _TELLING:
        return f" of {above} {at} and more"
    return ""


def _share(which: Bool[Tensor, "n"]) -> float:
    """Share that is true; 1 of nothing, where any border tells something."""
    return float(which.float().mean()) if len(which) else 1.0


def _broken(without_area: int, problems: int | None) -> list[str]:
    """What is broken."""
    rest = (problems or 0) - without_area
    area = f"{_word(without_area, 'box', 'boxes')} {'has' if without_area == 1 else 'have'} no area"
    if without_area and rest > 0:
        return [f"{area}, and the doctor lists {_count(rest, 'other problem')}."]
    if without_area:
        return [f"{area}."]
    if rest > 0:
        return [f"The doctor lists {_count(rest, 'problem')}."]
    return [] if problems is None else ["The doctor found nothing to mend."]


def _remedy(found: Coverage, fitted: Coverage | None, larger: Coverage | None) -> list[str]:
    """What would help, as far as it was measured."""
    before, mean = int((~found.covered).sum()), float(found.best_jaccard.mean())
    if fitted is not None:
        after = int((~fitted.covered).sum())
        if before == 0 or after >= before:
            raised = f"the mean best jaccard from {_short(round(mean, 3))} to "
            return [
                f"Fitted anchors would move {raised}{_short(round(float(fitted.best_jaccard.mean()), 3))}."
            ]
        return [f"Fitted anchors would cover {'all' if after == 0 else f'all but {after:,}'}."]
    if larger is not None and before:
        after = int((~larger.covered).sum())
        left = "all would have one" if after == 0 else f"all but {after:,} would have one"
        return [f"Trained at {min(larger.size_wh)} px, {left}."]
    return []


def _count(number: int, noun: str) -> str:
    """A number and its noun."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _word(number: int, one: str, many: str) -> str:
    """A number at the start of a sentence, small ones in letters."""
    shown = _SMALL_NUMBERS[number] if number < len(_SMALL_NUMBERS) else f"{number:,}"
    return f"{shown} {one if number == 1 else many}"


def _percent(part: int, whole: int) -> str:
    """A share in percent, never 0 where there is something."""
    share = 100 * part / whole
    return f"{share:.0f} %" if share >= 10 else f"{share:.1f} %" if share >= 0.05 else "under 0.1 %"


def _short(number: float) -> str:
    """A share as papers print it: .5, not 0.5."""
    text = f"{number:g}"
    return text.removeprefix("0") if text.startswith("0.") else text
