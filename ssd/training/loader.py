"""From a source of samples to batches: order and augmentation depend on the seed alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import UInt8
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from ssd.data.augment import Augmentation, calm
from ssd.data.augment_colours import change_colours, colour_change
from ssd.data.records import Sample, Target
from ssd.data.sample_cache import SampleCache, shrunk
from ssd.data.synthetic import SYNTHETIC_CONFIGS, synthetic_scene
from ssd.errors import ConfigError, ResourceError, SSDError
from ssd.limits import MAX_SAMPLE_CACHE_BYTES
from ssd.training.config import TrainConfig
from ssd.training.workers import Failure, explained, set_up_worker, unwarned

__all__ = ["Batch", "SampleSource", "SyntheticSource", "batches", "coloured", "synthetic_source"]

_SCENES_OF_A_RUN = 1_000_000  # the fixed test scenes 10000–10499 lie below every run's scenes
_ENDLESS = 100_000  # a source this long is not shuffled, and nothing of it is kept
_SHARPNESS = 1.5  # kept pictures have their shorter side so many training sides long: for crops


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
        kind: what is hard about the scenes, one of ``SYNTHETIC_CONFIGS``.
    """

    length: int = _SCENES_OF_A_RUN
    first_seed: int = _SCENES_OF_A_RUN
    kind: str = "default"

    def __post_init__(self) -> None:
        if self.kind not in SYNTHETIC_CONFIGS:
            raise ConfigError(
                f"There is no kind of scenes {self.kind!r}; choose one of {', '.join(SYNTHETIC_CONFIGS)}."
            )

    def __len__(self) -> int:
        return self.length

    def sample(self, index: int) -> Sample:
        """The scene of seed ``first_seed + index``."""
        return synthetic_scene(self.first_seed + index, config=SYNTHETIC_CONFIGS[self.kind])


def synthetic_source(*, seed: int, kind: str = "default") -> SyntheticSource:
    """The scenes of a run: those of two seeds have none in common.

    Args:
        seed: of the run.
        kind: what is hard about them.

    Returns:
        A source whose first scene has the seed ``1_000_000 · (1 + seed)``.

    Raises:
        ConfigError: the seed is below 0, where the test scenes are, or there is no such kind.

    Example:
        >>> synthetic_source(seed=1).first_seed
        2000000
    """
    if seed < 0:
        raise ConfigError(f"A run's seed must be at least 0, got {seed}.")
    return SyntheticSource(first_seed=_SCENES_OF_A_RUN * (1 + seed), kind=kind)


@dataclass(frozen=True)
class Batch:
    """Pictures of one size and their objects.

    Attributes:
        pictures: RGB 0..255 at training size.
        targets: objects of each picture.
        names: of the pictures, for messages.
        seeds: of each picture's changes; :func:`coloured` needs them.
    """

    pictures: UInt8[Tensor, "b 3 h w"]
    targets: list[Target]
    names: list[str] = field(default_factory=list)
    seeds: list[int] = field(default_factory=list)


class _Steps(Dataset["Batch | Failure"]):
    """The batch of each step of one process."""

    def __init__(
        self, source: SampleSource, config: TrainConfig, *, rank: int, world_size: int, colours: bool
    ) -> None:
        self.source, self.config, self.colours = source, config, colours
        self.rank, self.world_size = rank, world_size
        self._change(0)  # what changes pictures is loaded before workers are forked
        largest = max([config.size_px, *(side for _, side in config.sizes)]) * (1 + config.size_jitter)
        self.side_px = round(largest * _SHARPNESS)
        endless = len(source) > _ENDLESS
        self.cache = None if endless else SampleCache(len(source), limit_bytes=MAX_SAMPLE_CACHE_BYTES)

    def __getitem__(self, step: int) -> Batch | Failure:
        """A batch, or the error that stands for it."""
        try:
            return self._batch(step)
        except SSDError as error:
            return Failure(error)
        except MemoryError:
            return Failure(ResourceError("Memory ran out while pictures were read; use smaller batches."))

    def _batch(self, step: int) -> Batch:
        """This process's share of a step."""
        config, count = self.config, self.config.batch_size
        change = self._change(step)
        first = (step * self.world_size + self.rank) * count
        seeds = [config.seed * 1_000_003 + position for position in range(first, first + count)]
        samples = [
            change(self._at(position), seed=seed, others=self._other)
            for position, seed in zip(range(first, first + count), seeds, strict=True)
        ]
        return Batch(
            pictures=torch.stack([sample.picture for sample in samples]),
            targets=[sample.target for sample in samples],
            names=[sample.name for sample in samples],
            seeds=seeds,
        )

    def _change(self, step: int) -> Augmentation:
        """What happens to the pictures of a step."""
        side = self.config.size_at(step)
        augment = calm(self.config.augment) if self.config.is_clean(step) else self.config.augment
        return Augmentation(augment, size_wh=(side, side), colours=self.colours)

    def _at(self, position: int) -> Sample:
        """The sample at a position of the whole run."""
        epoch, place = divmod(position, len(self.source))
        return self._read(_order(len(self.source), epoch, self.config.seed)(place))

    def _other(self, number: int) -> Sample:
        """Any whole number → a sample."""
        return self._read(number % len(self.source))

    def _read(self, index: int) -> Sample:
        """A sample of the source at the size at which it is kept, whether it was kept or not."""
        kept = self.cache.get(index) if self.cache else None
        if kept is not None:
            return kept
        sample = shrunk(self.source.sample(index), side_px=self.side_px)
        if self.cache:
            self.cache.put(index, sample)
        return sample


@lru_cache(maxsize=4)
def _order(length: int, epoch: int, seed: int) -> Callable[[int], int]:
    """The permutation of an epoch, as a function; endless sources run in their own order."""
    if length > _ENDLESS:
        return lambda place: place
    generator = torch.Generator().manual_seed(seed * 7_919 + epoch)
    order: list[int] = torch.randperm(length, generator=generator).tolist()
    return order.__getitem__


def _as_it_is(batch: Any) -> Any:
    """A step's batch is whole already."""
    return batch


def batches(
    source: SampleSource,
    config: TrainConfig,
    *,
    first_step: int = 0,
    num_workers: int = 0,
    rank: int = 0,
    world_size: int = 1,
    colours: bool = True,
) -> Iterator[Batch]:
    """The batches of a run from ``first_step`` on.

    Args:
        source: the samples.
        config: batch size, steps, the size of each step, augmentation, seed.
        first_step: where to begin; the batches are those of an uninterrupted run.
        num_workers: processes that prepare batches; their number changes nothing else.
        rank: which of several training processes this is.
        world_size: how many there are. Their batches of a step are, joined in the order of
            ranks, the batch that one process with ``world_size`` times the batch size sees.
        colours: whether colours change here, or later with :func:`coloured`.

    Returns:
        An iterator of ``config.steps - first_step`` batches.

    Raises:
        ConfigError: the source is empty, or there is no such rank.
        ResourceError: while iterating, when a worker process dies.

    Example:
        >>> config = TrainConfig(batch_size=2, size_px=64, steps=1)
        >>> next(batches(SyntheticSource(), config)).pictures.shape
        torch.Size([2, 3, 64, 64])
    """
    if len(source) == 0:
        raise ConfigError("Training needs at least one picture, got none; choose another folder or split.")
    if not 0 <= rank < world_size:
        raise ConfigError(f"A rank must lie in 0–{world_size - 1}, got {rank}; start the processes again.")
    steps = _Steps(source, config, rank=rank, world_size=world_size, colours=colours)
    with unwarned():
        loader: DataLoader[Batch | Failure] = DataLoader(
            steps,
            batch_size=None,
            sampler=range(first_step, config.steps),
            collate_fn=_as_it_is,
            num_workers=num_workers,
            worker_init_fn=set_up_worker,
        )
    return explained(loader)


def coloured(batch: Batch, config: TrainConfig) -> Batch:
    """Change a batch's colours on the device where its pictures are.

    Args:
        batch: made without ``colours``.
        config: of the run.

    Returns:
        The batch that ``colours`` would have made, to the rounding of the device.

    Example:
        >>> config = TrainConfig(batch_size=1, size_px=64, steps=1)
        >>> batch = next(batches(SyntheticSource(), config, colours=False))
        >>> coloured(batch, config).pictures.shape
        torch.Size([1, 3, 64, 64])
    """
    changes = [colour_change(config.augment, seed=seed) for seed in batch.seeds]
    return replace(batch, pictures=change_colours(batch.pictures, changes))
