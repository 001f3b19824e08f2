"""What a run was trained on: a digest of its data, and what training and validation have in common."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from ssd.data.folders import DataSet
from ssd.errors import ConfigError
from ssd.training.loader import SampleSource

__all__ = ["Manifest", "manifest_of", "overlap_warning", "require_batches"]

_SHOWN = 3  # names in one message


@dataclass(frozen=True)
class Manifest:
    """The data of a run, so that another run can tell whether it has the same.

    Attributes:
        split: which part of the data set.
        count: pictures.
        digest: SHA-256 over all pictures and annotations, in their order.
        pictures: SHA-256 of each picture's file, by name; empty for made scenes.
    """

    split: str
    count: int
    digest: str
    pictures: dict[str, str] = field(default_factory=dict, repr=False)

    def summary(self) -> dict[str, str | int]:
        """What goes into ``run.json``."""
        return {"split": self.split, "count": self.count, "digest": self.digest}


def manifest_of(
    source: SampleSource, *, split: str, watch: Callable[[Iterable[int]], Iterable[int]] = iter
) -> Manifest:
    """Read every picture's bytes once, and add them up.

    Args:
        source: a data set, or a generator of scenes (known by its numbers).
        split: what the part is called.
        watch: is given the numbers of the pictures and hands them on, for a progress bar.

    Returns:
        The manifest.

    Raises:
        DataError: a picture's file cannot be read.

    Example:
        >>> from ssd.training.loader import SyntheticSource
        >>> manifest_of(SyntheticSource(length=5), split="synthetic").count
        5
    """
    if not isinstance(source, DataSet):
        digest = hashlib.sha256(repr(source).encode()).hexdigest()
        return Manifest(split=split, count=len(source), digest=digest)
    total = hashlib.sha256(repr(source.classes).encode("utf-8", "surrogatepass"))
    pictures: dict[str, str] = {}
    for index in watch(range(len(source))):
        entry = source.entries[index]
        content = hashlib.sha256(source.picture_bytes(index)).hexdigest()
        pictures[entry.name] = content
        line = f"{content} {entry.name} {entry.annotation}\n"
        total.update(line.encode("utf-8", "surrogatepass"))
    return Manifest(split=split, count=len(source), digest=total.hexdigest(), pictures=pictures)


def overlap_warning(train: Manifest, validation: Manifest) -> str | None:
    """Say how many pictures are in both parts, whatever they are called.

    Args:
        train: what is trained on.
        validation: what is measured on.

    Returns:
        A sentence with the count, or ``None`` where they have nothing in common.

    Example:
        >>> a, b = (Manifest(split, 1, "", {"cat": "9f"}) for split in ("train", "val"))
        >>> overlap_warning(a, b)
        'warning: 1 of 1 pictures of val are also in train (cat); their AP says little about new pictures.'
    """
    seen = set(train.pictures.values())
    both = [name for name, content in validation.pictures.items() if content in seen]
    if not both:
        return None
    more = f" and {len(both) - _SHOWN} more" if len(both) > _SHOWN else ""
    return (
        f"warning: {len(both)} of {validation.count} pictures of {validation.split} are also in "
        f"{train.split} ({', '.join(both[:_SHOWN])}{more}); their AP says little about new pictures."
    )


def require_batches(count: int, *, batch_size: int) -> None:
    """Raise where an epoch does not fill one batch.

    Args:
        count: pictures.
        batch_size: pictures of a step.

    Raises:
        ConfigError: there are fewer pictures than a batch takes.

    Example:
        >>> require_batches(16, batch_size=16)
    """
    if count < batch_size:
        raise ConfigError(
            f"An epoch has 0 batches: the data has {count} picture(s), a batch takes {batch_size}; "
            f"add pictures or set batch_size={max(count, 1)} or less."
        )
