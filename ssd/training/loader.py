"""From a source of samples to batches: order and augmentation depend on the seed alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import UInt8
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from ssd.data.augment import Augmentation
from ssd.data.records import Sample, Target
from ssd.data.synthetic import synthetic_scene
from ssd.errors import ConfigError
from ssd.training.config import TrainConfig

__all__ = ["Batch", "SampleSource", "SyntheticSource", "batches", "synthetic_source"]

_SCENES_OF_A_RUN = 1_000_000  # the fixed test scenes 10000–10499 lie below every run's scenes


@runtime_checkable
class SampleSource(Protocol):
    """Anything that gives samples by number: a folder, a list, a generator."""

    def __len__(self) -> int:
        """How many samples an epoch has."""
        ...

    def sample(self, index: int) -> Sample:
        """One sample."""
        ...


@dataclass(frozen=True)
class SyntheticSource:
    """Synthetic scenes without end: no scene comes twice.

    Attributes:
        length: scenes of an epoch.
        first_seed: seed of scene 0.
    """

    length: int = _SCENES_OF_A_RUN
    first_seed: int = _SCENES_OF_A_RUN

    def __len__(self) -> int:
        return self.length

    def sample(self, index: int) -> Sample:
        """The scene of seed ``first_seed + index``."""
        return synthetic_scene(self.first_seed + index)


def synthetic_source(*, seed: int) -> SyntheticSource:
    """The scenes of a run: those of two seeds have none in common.

    Args:
        seed: of the run.

    Returns:
        A source whose first scene has the seed ``1_000_000 · (1 + seed)``.

    Raises:
        ConfigError: the seed is below 0, where the test scenes are.

    Example:
        >>> synthetic_source(seed=1).first_seed
        2000000
    """
    if seed < 0:
        raise ConfigError(f"A run's seed must be at least 0, got {seed}.")
    return SyntheticSource(first_seed=_SCENES_OF_A_RUN * (1 + seed))


@dataclass(frozen=True)
class Batch:
    """Pictures of one size and their objects.

    Attributes:
        pictures: RGB 0..255 at training size.
        targets: objects of each picture.
        names: of the pictures, for messages.
    """

    pictures: UInt8[Tensor, "b 3 h w"]
    targets: list[Target]
    names: list[str] = field(default_factory=list)


class _Changed(Dataset[Sample]):
    """Item ``n`` of a run: the sample that the order names, changed by the seed that ``n`` gives."""

    def __init__(self, source: SampleSource, config: TrainConfig) -> None:
        self.source, self.config = source, config
        self.augmentation = Augmentation(config.augment, size_wh=(config.size_px, config.size_px))
        self._kept: dict[int, Sample] = {}

    def __getitem__(self, position: int) -> Sample:
        """The sample at a position of the whole run."""
        epoch, place = divmod(position, len(self.source))
        order = _order(len(self.source), epoch, self.config.seed)
        sample = self._read(order(place))
        return self.augmentation(sample, seed=self.config.seed * 1_000_003 + position)

    def _read(self, index: int) -> Sample:
        """Decoded pictures of small sets are kept."""
        if len(self.source) > 2_000:
            return self.source.sample(index)
        if index not in self._kept:
            self._kept[index] = self.source.sample(index)
        return self._kept[index]


def _order(length: int, epoch: int, seed: int) -> Any:
    """The permutation of an epoch, as a function; endless sources run in their own order."""
    if length > 100_000:
        return lambda place: place
    generator = torch.Generator().manual_seed(seed * 7_919 + epoch)
    return torch.randperm(length, generator=generator).tolist().__getitem__


def _collate(samples: list[Sample]) -> Batch:
    """Stack pictures; targets stay a list."""
    return Batch(
        pictures=torch.stack([sample.picture for sample in samples]),
        targets=[sample.target for sample in samples],
        names=[sample.name for sample in samples],
    )


def batches(
    source: SampleSource, config: TrainConfig, *, first_step: int = 0, num_workers: int = 0
) -> Iterator[Batch]:
    """The batches of a run from ``first_step`` on.

    Args:
        source: the samples.
        config: batch size, steps, augmentation, seed.
        first_step: where to begin; the batches are those of an uninterrupted run.
        num_workers: processes that prepare batches.

    Returns:
        An iterator of ``config.steps - first_step`` batches.

    Raises:
        ConfigError: the source is empty.

    Example:
        >>> config = TrainConfig(batch_size=2, size_px=64, steps=1)
        >>> next(batches(SyntheticSource(), config)).pictures.shape
        torch.Size([2, 3, 64, 64])
    """
    if len(source) == 0:
        raise ConfigError("Training needs at least one picture, got none; choose another folder or split.")
    positions = range(first_step * config.batch_size, config.steps * config.batch_size)
    loader: DataLoader[Any] = DataLoader(
        _Changed(source, config),
        batch_size=config.batch_size,
        sampler=positions,
        collate_fn=_collate,
        num_workers=num_workers,
        persistent_workers=False,
    )
    return iter(loader)
