"""What a network said of one picture, as a file: whole or not at all, and known to be ours.

A file begins with a line of its own, the length and checksum of a header in JSON, and the
header: whose weights, which picture (SHA-256 of its bytes), how large, how many numbers. Then
come the numbers, float32 and int32, in two parts with a checksum each: codes and logits of
every anchor, and the few candidates above a low score, from which selection starts.
"""

from __future__ import annotations

import json
import mmap
import os
import struct
import zlib
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Int32
from torch import Tensor

from ssd.prediction import PictureOutput
from ssd.storage import write_file

__all__ = [
    "SCORE_FLOOR",
    "CacheError",
    "CachedPicture",
    "Candidates",
    "Header",
    "cached_path",
    "make_room",
    "read_cached",
    "write_cached",
]

SCORE_FLOOR = 0.01  # the evaluation preset's score threshold: candidates above it are kept ready
_MAGIC = b"SSD-RAW2"  # another number where transform, decoding or layout change
_START = struct.Struct("<8sII")  # magic, length of the header, its CRC-32
_WORD = 4  # bytes of a number
_MAX_HEADER = 4_096
_SHORT = 32  # hex digits of a SHA-256 in a name
_OTHERS_BYTES = 8_000_000_000  # on disk; SSD300 on VOC2007 test: 4,952 × 8,732 × 25 numbers, 4.3 GB


class CacheError(Exception):
    """A file of the cache is missing, damaged or another's; it is computed again, never shown."""


@dataclass(frozen=True)
class Header:
    """What a file holds, and of what.

    Attributes:
        weights: SHA-256 of the weights.
        picture: SHA-256 of the picture.
        width: of the picture in pixels.
        height: likewise.
        anchors: rows of codes and logits.
        columns: of the logits.
        classes: columns of the scores.
        floor: candidates have a greater score.
        rows: anchors with a candidate.
        pairs: candidates: pairs of anchor and class.
        raw_crc: CRC-32 of codes and logits.
        candidates_crc: of the rest.
    """

    weights: str
    picture: str
    width: int
    height: int
    anchors: int
    columns: int
    classes: int
    floor: float
    rows: int
    pairs: int
    raw_crc: int
    candidates_crc: int

    @property
    def raw_bytes(self) -> int:
        """Length of codes and logits."""
        return self.anchors * (4 + self.columns) * _WORD

    @property
    def candidates_bytes(self) -> int:
        """Length of the candidates."""
        return (self.rows * 5 + self.pairs * 3) * _WORD


@dataclass(frozen=True)
class Candidates:
    """The few rows of an output that a selection above the floor can take anything from.

    Attributes:
        anchors: of each row.
        boxes: decoded xyxy boxes in [0, 1] units, not clipped.
        scores: of classes 1..C; 0 at or below the floor.
        floor: a selection at a score threshold of at least this finds here all that it
            would find among all anchors.
    """

    anchors: Int32[Tensor, "r"]
    boxes: Float[Tensor, "r 4"]
    scores: Float[Tensor, "r k"]
    floor: float


@dataclass(frozen=True)
class CachedPicture:
    """A file of the cache, mapped into memory: nothing is read before it is asked for.

    Attributes:
        header: what it holds.
        start: where the numbers begin.
        memory: the whole file.
    """

    header: Header
    start: int
    memory: mmap.mmap

    def raw(self) -> tuple[Tensor, Tensor]:
        """Codes and logits.

        Raises:
            CacheError: the checksum is wrong.
        """
        head = self.header
        self._require_crc(self.start, head.raw_bytes, head.raw_crc)
        codes = self._numbers(self.start, head.anchors * 4, torch.float32).reshape(-1, 4)
        place = self.start + head.anchors * 4 * _WORD
        logits = self._numbers(place, head.anchors * head.columns, torch.float32)
        return codes, logits.reshape(-1, head.columns)

    def candidates(self) -> Candidates:
        """The candidates above the floor.

        Raises:
            CacheError: the checksum is wrong.
        """
        head, place = self.header, self.start + self.header.raw_bytes
        self._require_crc(place, head.candidates_bytes, head.candidates_crc)
        parts: list[Tensor] = []
        kinds = (torch.int32, torch.float32, torch.int32, torch.int32, torch.float32)
        lengths = (head.rows, head.rows * 4, head.pairs, head.pairs, head.pairs)
        for kind, length in zip(kinds, lengths, strict=True):
            parts.append(self._numbers(place, length, kind))
            place += length * _WORD
        anchors, boxes, row, column, score = parts
        scores = torch.zeros(head.rows, head.classes)
        scores[row.long(), column.long()] = score
        return Candidates(anchors, boxes.reshape(-1, 4), scores, head.floor)

    def _require_crc(self, place: int, length: int, wanted: int) -> None:
        """A stretch of the file is as it was written."""
        with memoryview(self.memory) as view:
            found = zlib.crc32(view[place : place + length])
        if found != wanted:
            raise CacheError("a checksum is wrong")

    def _numbers(self, place: int, length: int, kind: torch.dtype) -> Tensor:
        """A stretch of the file, copied: who cuts off a mapped file ends the process that reads it."""
        if length == 0:
            return torch.zeros(0, dtype=kind)
        return torch.frombuffer(self.memory, dtype=kind, count=length, offset=place).clone()


def cached_path(folder: Path, *, weights: str, picture: str) -> Path:
    """Where the file of a picture lies.

    Args:
        folder: of the cache.
        weights: SHA-256 of the weights; each has a folder of its own.
        picture: SHA-256 of the picture.

    Returns:
        The file's path.
    """
    return folder / weights[:_SHORT] / f"{picture[:_SHORT]}.raw"


def make_room(folder: Path, *, weights: str, limit_bytes: int = _OTHERS_BYTES) -> int:
    """Remove the files of the weights that were asked for longest ago, until the rest fits.

    What is removed can be computed again, and a process that still reads it does so.

    Args:
        folder: of the cache; need not exist.
        weights: SHA-256 of those that are asked for now; they stay, and are the newest from now on.
        limit_bytes: how much all others may hold together.

    Returns:
        How many bytes were freed.
    """
    own = folder / weights[:_SHORT]
    with suppress(OSError):
        os.utime(own)
    others = []
    for one in folder.glob("[0-9a-f]" * _SHORT):
        if one != own and one.is_dir() and not one.is_symlink():
            with suppress(OSError):
                sizes = {file: file.stat().st_size for file in one.glob("*.raw")}
                others.append((one.stat().st_mtime, one, sizes))
    held, freed = sum(sum(sizes.values()) for _, _, sizes in others), 0
    for _, one, sizes in sorted(others, key=lambda other: other[:2]):
        if held - freed <= limit_bytes:
            break
        with suppress(OSError):
            for file, size in sizes.items():
                file.unlink(missing_ok=True)
                freed += size
            one.rmdir()
    return freed


def write_cached(
    path: Path, output: PictureOutput, *, weights: str, picture: str, size_px: tuple[int, int], floor: float
) -> None:
    """Write what a network said of a picture, whole or not at all.

    Args:
        path: the final name; its folder is made where missing.
        output: what it said.
        weights: SHA-256 of the weights.
        picture: SHA-256 of the picture.
        size_px: width and height of the picture.
        floor: candidates with a greater score are kept ready for selection.

    Raises:
        ResourceError: the disk is full or the folder cannot be written.
    """
    score = torch.where(output.scores.isfinite(), output.scores, 0.0)
    row, column = (score.to(torch.float64) > floor).nonzero(as_tuple=True)
    anchors, place = torch.unique_consecutive(row, return_inverse=True)  # rows come in order
    raw = _bytes(output.codes, output.logits)
    whole = (anchors.int(), output.boxes[anchors], place.int(), column.int(), score[row, column])
    candidates = _bytes(*whole)
    header = Header(
        weights=weights,
        picture=picture,
        width=size_px[0],
        height=size_px[1],
        anchors=len(output.codes),
        columns=output.logits.shape[1],
        classes=output.scores.shape[1],
        floor=floor,
        rows=len(anchors),
        pairs=len(row),
        raw_crc=zlib.crc32(raw),
        candidates_crc=zlib.crc32(candidates),
    )
    text = json.dumps(asdict(header)).encode("ascii")
    text += b" " * (-(_START.size + len(text)) % 64)
    write_file(path, _START.pack(_MAGIC, len(text), zlib.crc32(text)) + text + raw + candidates)


def read_cached(path: Path, *, weights: str, picture: str) -> CachedPicture:
    """Open a file of the cache.

    Args:
        path: the file.
        weights: whose it must be.
        picture: which one it must be about.

    Returns:
        The file in memory; the checksums of its numbers are looked at when they are read.

    Raises:
        CacheError: it is missing, cut off, damaged, or another's.
    """
    try:
        with path.open("rb") as file:
            memory = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    except (OSError, ValueError) as error:  # an empty file cannot be mapped
        raise CacheError("it cannot be opened") from error
    header, start = _header(memory)
    if (header.weights, header.picture) != (weights, picture):
        raise CacheError("it is of other weights or of another picture")
    if len(memory) != start + header.raw_bytes + header.candidates_bytes:
        raise CacheError("it is cut off")
    return CachedPicture(header, start, memory)


def _header(memory: mmap.mmap) -> tuple[Header, int]:
    """The header, and where the numbers begin."""
    if len(memory) < _START.size:
        raise CacheError("it is cut off")
    magic, length, crc = _START.unpack(memory[: _START.size])
    text = memory[_START.size : _START.size + min(length, _MAX_HEADER)]
    if magic != _MAGIC or zlib.crc32(text) != crc:
        raise CacheError("it is another's, or damaged")
    try:
        fields: dict[str, Any] = json.loads(text)
        return Header(**fields), _START.size + length
    except (ValueError, TypeError) as error:
        raise CacheError("it is of another version") from error


def _bytes(*parts: Tensor) -> bytes:
    """Tensors one after another, as they lie in memory."""
    return b"".join(part.detach().cpu().contiguous().numpy().tobytes() for part in parts)
