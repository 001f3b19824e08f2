"""Reading a run from its folder while another process writes it: by bytes, never in the way.

A page may ask every second: only what was added since is read. Files of a run may be cut off,
replaced or made by a stranger; whatever cannot be read is left out and counted.
"""

from __future__ import annotations

import json
import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "COLUMNS",
    "EMPTY_HISTORY",
    "Finding",
    "RunHistory",
    "Tail",
    "Validation",
    "follow",
    "read_finding",
    "read_validations",
    "tail",
]

_CHUNK_BYTES = 4_000_000  # read at once
_MAX_FILE_BYTES = 400_000_000  # of steps.jsonl: about two million steps
COLUMNS = ("loss", "localisation", "confidence", "learning_rate", "seconds", "num_pictures")
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Tail:
    """What was added to a file of JSON lines.

    Attributes:
        records: one a whole line, in order.
        offset: where the next reading starts; a line without its end is left for it.
        file: which file it was: another number means that it was replaced.
        restarted: the file is not the one of before, or shorter: this begins anew.
        skipped: lines that hold no JSON object.
    """

    records: tuple[Mapping[str, Any], ...] = ()
    offset: int = 0
    file: int = 0
    restarted: bool = False
    skipped: int = 0


def tail(path: Path, offset: int = 0, *, file: int = 0) -> Tail:
    """The lines that were added to a file since it was last read.

    Args:
        path: of JSON lines; a file that is not there reads as an empty one.
        offset: bytes that were read before.
        file: ``Tail.file`` of the last reading, 0 at first.

    Returns:
        The new lines, and where to go on.

    Example:
        >>> tail(Path("no such file")).records
        ()
    """
    try:
        with path.open("rb") as handle:
            size, number = _identity(handle.fileno())
            restarted = offset > 0 and (size < offset or (file != 0 and number != file))
            start = 0 if restarted else offset
            handle.seek(start)
            read = handle.read(min(_CHUNK_BYTES, max(0, _MAX_FILE_BYTES - start)))
    except OSError:
        return Tail(restarted=offset > 0)
    whole = read[: read.rfind(b"\n") + 1]
    if not whole and len(read) == _CHUNK_BYTES:
        whole = read  # a line longer than a chunk is no line of ours
    lines = [line for line in whole.split(b"\n") if line.strip()]
    records = tuple(record for record in map(_record, lines) if record is not None)
    return Tail(records, start + len(whole), number, restarted, len(lines) - len(records))


def _identity(descriptor: int) -> tuple[int, int]:
    """Size and number of an open file."""
    import os

    facts = os.fstat(descriptor)
    return facts.st_size, facts.st_ino


def _record(line: bytes) -> Mapping[str, Any] | None:
    """A line's JSON object, or nothing."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


@dataclass(frozen=True)
class RunHistory:
    """Every step of a run that has been read so far.

    Attributes:
        steps: numbers of the steps, rising.
        columns: a number for each step, by the names of ``COLUMNS``; NaN where a line
            does not say it.
        offset: bytes of ``steps.jsonl`` that are read.
        file: which file that was.
        skipped: lines that could not be read.
    """

    steps: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    columns: Mapping[str, Floats] = field(default_factory=lambda: {name: np.zeros(0) for name in COLUMNS})
    offset: int = 0
    file: int = 0
    skipped: int = 0

    def __len__(self) -> int:
        """Steps that were read."""
        return len(self.steps)

    @property
    def last_step(self) -> int:
        """Number of the last step; 0 before the first."""
        return int(self.steps[-1]) if len(self.steps) else 0


EMPTY_HISTORY = RunHistory()


def follow(folder: Path, known: RunHistory = EMPTY_HISTORY) -> RunHistory:
    """The history of a run, with what was added since.

    A run that was taken up again writes some steps a second time; what comes later holds.

    Args:
        folder: of the run.
        known: what was read before.

    Returns:
        The longer history; ``known`` itself where nothing is new.

    Example:
        >>> len(follow(Path("no such folder")))
        0
    """
    while True:
        new = tail(folder / "steps.jsonl", known.offset, file=known.file)
        if new.restarted:
            known = EMPTY_HISTORY
        if new.offset == known.offset:
            return known
        known = _extended(known, new)


def _extended(known: RunHistory, new: Tail) -> RunHistory:
    """A history and the lines that follow it."""
    numbers: list[int] = []
    told: list[Mapping[str, Any]] = []
    for record in new.records:
        step = record.get("step")
        if isinstance(step, int) and 0 < step < 2**53 and not isinstance(step, bool):
            at = bisect_left(numbers, step)
            del numbers[at:], told[at:]
            numbers.append(step)
            told.append(record)
    steps = np.array(numbers, dtype=np.int64)
    kept = known.steps < steps[0] if len(steps) else np.ones(len(known), dtype=bool)
    columns = {name: np.concatenate([known.columns[name][kept], _column(told, name)]) for name in COLUMNS}
    return replace(
        known,
        steps=np.concatenate([known.steps[kept], steps]),
        columns=columns,
        offset=new.offset,
        file=new.file,
        skipped=known.skipped + new.skipped,
    )


def _column(records: Iterable[Mapping[str, Any]], name: str) -> Floats:
    """One number of each record, NaN where it is none."""
    return np.array([_number(record.get(name)) for record in records], dtype=np.float64)


def _number(value: object) -> float:
    """A finite number, or NaN."""
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 1e300:
        return math.nan
    return float(value)


@dataclass(frozen=True)
class Validation:
    """What a run reached on its validation pictures at one step.

    Attributes:
        step: of the weights.
        value: of the metric, higher is better: average precision at an evaluation IoU
            of .5, or what a network without boxes is measured by.
        ap: average precision over evaluation IoUs; ``None`` where it was not measured.
        metric: the full name of ``value``.
    """

    step: int
    value: float
    ap: float | None
    metric: str


def read_validations(folder: Path) -> tuple[Validation, ...]:
    """What validation said so far.

    Args:
        folder: of the run.

    Returns:
        One record a validation, by step; of two of one step the later.

    Example:
        >>> read_validations(Path("no such folder"))
        ()
    """
    found: dict[int, Validation] = {}
    for record in tail(folder / "validation.jsonl").records:
        step, ap = record.get("step"), _number(record.get("ap"))
        value = _number(record.get("value", record.get("ap50")))
        if isinstance(step, int) and math.isfinite(value):
            metric = str(record.get("metric") or "average precision")[:80]
            found[step] = Validation(step, value, ap if math.isfinite(ap) else None, metric)
    return tuple(found[step] for step in sorted(found))


@dataclass(frozen=True)
class Finding:
    """What the learning-rate finder saw.

    Attributes:
        rates: learning rates that were tried, rising.
        losses: the loss at each.
        suggestion: where to start; ``None`` where the finder has none.
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    suggestion: float | None


def read_finding(folder: Path) -> Finding | None:
    """The learning-rate finder's curve, where there is one.

    Args:
        folder: of the run.

    Returns:
        The curve; nothing where ``finder.json`` is missing or holds none.

    Example:
        >>> read_finding(Path("no such folder"))
    """
    values = read_object(folder / "finder.json")
    rates, losses = (_numbers(values.get(name)) for name in ("rates", "losses"))
    pairs = [(r, v) for r, v in zip(rates, losses, strict=False) if r > 0 and math.isfinite(v)]
    suggestion = _number(values.get("suggestion"))
    if not pairs:
        return None
    return Finding(
        tuple(rate for rate, _ in pairs),
        tuple(value for _, value in pairs),
        suggestion if suggestion > 0 else None,
    )


def _numbers(values: object) -> Sequence[float]:
    """A list's numbers, or none."""
    return [_number(value) for value in values[:100_000]] if isinstance(values, list) else []


def read_object(path: Path) -> Mapping[str, Any]:
    """The JSON object in a small file; empty where there is none."""
    try:
        with path.open("rb") as handle:
            return _record(handle.read(_CHUNK_BYTES)) or {}
    except OSError:
        return {}
