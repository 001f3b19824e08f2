"""Decoded samples in memory that several processes share, up to a limit.

One stretch of anonymous memory, filled from the front by whichever process decodes a
picture first. It needs no file and no free space in a shared-memory folder.
"""

from __future__ import annotations

import itertools
import mmap
import multiprocessing
import os
from typing import Any

import torch
from jaxtyping import UInt8
from torch import Tensor

from ssd.data.records import Sample, Target

__all__ = ["SampleCache", "shrunk"]

_ABSENT, _RESERVED = 0, -1
_WORD = 8  # bytes; every entry begins at a multiple


def shrunk(sample: Sample, *, side_px: int) -> Sample:
    """A sample whose picture is no larger than asked for; its boxes, in [0, 1], stay.

    Args:
        sample: a picture and its objects.
        side_px: the shorter side of a larger picture becomes this long.

    Returns:
        The sample itself where its shorter side is not longer.

    Example:
        >>> sample = Sample(torch.zeros(3, 40, 60, dtype=torch.uint8), Target.empty(), "grey")
        >>> shrunk(sample, side_px=20).picture.shape
        torch.Size([3, 20, 30])
    """
    height, width = sample.picture.shape[-2:]
    ratio = side_px / min(height, width)
    if ratio >= 1:
        return sample
    from torchvision.transforms.v2 import functional

    size = [max(round(height * ratio), 1), max(round(width * ratio), 1)]
    return Sample(functional.resize(sample.picture, size, antialias=True), sample.target, sample.name)


class SampleCache:
    """Samples by number, kept as long as there is room; nothing is ever thrown out.

    Processes that are forked share one memory; one that is started afresh begins with an
    empty cache of its own.

    Args:
        count: numbers run from 0 to ``count - 1``.
        limit_bytes: most memory for all processes together. At most a quarter of the
            machine's memory is taken.

    Example:
        >>> cache = SampleCache(2, limit_bytes=1_000_000)
        >>> cache.put(1, Sample(torch.zeros(3, 4, 6, dtype=torch.uint8), Target.empty(), "grey"))
        True
        >>> cache.get(0) is None, cache.get(1).name
        (True, 'grey')
    """

    def __init__(self, count: int, *, limit_bytes: int) -> None:
        self._count, self._limit = count, limit_bytes
        room = min(limit_bytes, _quarter_of_memory()) // _WORD * _WORD
        self._memory = _shared(room)
        self._table = _shared((2 * count + 1) * _WORD).view(torch.int64)  # last: bytes used
        self._lock = multiprocessing.Lock()

    def __getstate__(self) -> dict[str, int]:
        """What a process started afresh needs."""
        return {"count": self._count, "limit_bytes": self._limit}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """An empty cache of its own."""
        self.__init__(state["count"], limit_bytes=state["limit_bytes"])  # type: ignore[misc]

    @property
    def used_bytes(self) -> int:
        """How much is taken."""
        return int(self._table[-1])

    def get(self, index: int) -> Sample | None:
        """A sample that was kept.

        Args:
            index: its number.

        Returns:
            The sample, whose tensors nobody may change, or ``None``.
        """
        with self._lock:
            at, length = self._table[2 * index : 2 * index + 2].tolist()
        if length in (_ABSENT, _RESERVED):
            return None
        return _unpacked(self._memory[at : at + length])

    def put(self, index: int, sample: Sample) -> bool:
        """Keep a sample, unless it is there already or does not fit.

        Args:
            index: its number.
            sample: what is kept.

        Returns:
            Whether it was kept now.
        """
        packed = _packed(sample)
        with self._lock:
            at = int(self._table[-1])
            if int(self._table[2 * index + 1]) != _ABSENT or at + len(packed) > len(self._memory):
                return False
            self._table[2 * index + 1] = _RESERVED
            self._table[-1] = at + len(packed)
        self._memory[at : at + len(packed)] = packed
        with self._lock:
            self._table[2 * index], self._table[2 * index + 1] = at, len(packed)
        return True


def _shared(length: int) -> Tensor:
    """Zeroed memory that forked processes see too; taken from the machine as it is written."""
    return torch.frombuffer(mmap.mmap(-1, max(length, _WORD)), dtype=torch.uint8)


def _quarter_of_memory() -> int:
    """Of this machine, in bytes."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 4


def _packed(sample: Sample) -> UInt8[Tensor, "n"]:
    """A sample as bytes: sizes, boxes, labels, flags, name, picture; a multiple of a word long."""
    target, name = sample.target, sample.name.encode("utf-8", errors="surrogateescape")
    sizes = torch.tensor([*sample.picture.shape[-2:], len(target), len(name)])
    parts = [sizes.view(torch.uint8), target.boxes.contiguous().view(torch.uint8).flatten()]
    parts += [target.labels.contiguous().view(torch.uint8)]
    parts += [target.difficult.to(torch.uint8), target.ignore.to(torch.uint8)]
    parts += [torch.tensor(list(name), dtype=torch.uint8), sample.picture.flatten()]
    length = sum(len(part) for part in parts)
    return torch.cat([*parts, torch.zeros(-length % _WORD, dtype=torch.uint8)])


def _unpacked(data: UInt8[Tensor, "n"]) -> Sample:
    """The sample of :func:`_packed`, in the same memory."""
    height, width, count, letters = data[: 4 * _WORD].view(torch.int64).tolist()
    lengths = [4 * _WORD, 16 * count, 8 * count, count, count, letters, 3 * height * width]
    ends = list(itertools.accumulate(lengths))
    parts = [data[end - length : end] for end, length in zip(ends, lengths, strict=True)]
    target = Target(
        boxes=parts[1].view(torch.float32).reshape(-1, 4),
        labels=parts[2].view(torch.int64),
        difficult=parts[3].to(torch.bool),
        ignore=parts[4].to(torch.bool),
    )
    name = bytes(parts[5].tolist()).decode("utf-8", errors="surrogateescape")
    return Sample(parts[6].reshape(3, height, width), target, name)
