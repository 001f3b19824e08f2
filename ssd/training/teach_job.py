"""What a lesson is given and what it answers: records, and the bytes between two processes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import torch

from ssd.config import MatchingRule
from ssd.data.records import Sample, Target
from ssd.errors import DataError

__all__ = [
    "FOUND_JACCARD",
    "Look",
    "TeachJob",
    "TeachReport",
    "TeachRules",
    "Told",
    "bytes_to_job",
    "job_to_bytes",
    "line_to_report",
    "report_to_line",
]

FOUND_JACCARD = 0.9  # from here on an object counts as found
Negatives = Literal["3 : 1", "none", "all"]
Confidence = Literal["softmax", "focal", "bce"]
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class TeachRules:
    """The rules of a lesson; the defaults are those that work, the others are there to be broken.

    Attributes:
        matching: the matching rule.
        negatives: mined for each positive; only softmax mines.
        loss: of the classes.
        variances: whether targets are divided by the variances.
        augmentation: whether every second picture is seen in a mirror.
    """

    matching: MatchingRule = "bipartite"
    negatives: Negatives = "3 : 1"
    loss: Confidence = "softmax"
    variances: bool = True
    augmentation: bool = True


@dataclass(frozen=True)
class TeachJob:
    """One lesson.

    Attributes:
        sample: the picture and its objects.
        class_names: of labels 1..C.
        rules: by which it is taught.
        steps: at most; fewer where every object is found before.
    """

    sample: Sample
    class_names: tuple[str, ...]
    rules: TeachRules = TeachRules()
    steps: int = 120


@dataclass(frozen=True)
class Told:
    """What the anchors are told about one object before the lesson begins.

    Attributes:
        anchors: that answer for it.
        taker: the object that its best anchor answers for instead, where it has none.
    """

    anchors: int
    taker: int | None = None


@dataclass(frozen=True)
class Look:
    """What the network says of the picture: candidates best first, then the anchors that are to learn.

    Attributes:
        anchors: index of each box's anchor.
        labels: class 1..C.
        scores: in 0–1, falling.
        boxes: decoded, xyxy in [0, 1].
        fates: a :class:`ssd.detections.Fate` of each.
        suppressed_by: place of the box that suppressed it, or ``UNMATCHED``.
        best: of each object, the jaccard of the best kept box of its class; 0 without one.
        top_score: of each object, the highest score of its class among boxes near it.
        extra: kept boxes that belong to no object.
    """

    anchors: tuple[int, ...]
    labels: tuple[int, ...]
    scores: tuple[float, ...]
    boxes: tuple[Box, ...]
    fates: tuple[int, ...]
    suppressed_by: tuple[int, ...]
    best: tuple[float, ...]
    top_score: tuple[float, ...]
    extra: int

    @property
    def found(self) -> int:
        """How many objects are found."""
        return sum(value >= FOUND_JACCARD for value in self.best)


@dataclass(frozen=True)
class TeachReport:
    """One step of a lesson; step 0 comes before the first.

    Attributes:
        step: from 1.
        loss: total; as its parts 0 in step 0.
        localisation: its part on boxes.
        confidence: its part on classes.
        seconds: since the lesson began.
        look: where the picture was looked at in this step.
        told: of each object; with step 0 only.
        mirrored: ``best`` of the picture seen in a mirror; with the last step only.
    """

    step: int
    loss: float
    localisation: float
    confidence: float
    seconds: float
    look: Look | None = None
    told: tuple[Told, ...] = ()
    mirrored: tuple[float, ...] | None = None

    @property
    def is_last(self) -> bool:
        """Whether the lesson ended with this step."""
        return self.mirrored is not None


def job_to_bytes(job: TeachJob) -> bytes:
    """One line that describes the lesson, then the pixels.

    Args:
        job: the lesson.

    Returns:
        Bytes for :func:`bytes_to_job`; nothing of them is meant to lie on a disk.
    """
    target = job.sample.target
    head = {
        "shape": list(job.sample.picture.shape),
        "boxes": target.boxes.tolist(),
        "labels": target.labels.tolist(),
        "difficult": target.difficult.tolist(),
        "ignore": target.ignore.tolist(),
        "class_names": list(job.class_names),
        "rules": asdict(job.rules),
        "steps": job.steps,
    }
    return json.dumps(head).encode() + b"\n" + job.sample.picture.contiguous().numpy().tobytes()


def bytes_to_job(line: bytes, *, read: Callable[[int], bytes]) -> TeachJob:
    """The lesson that a line describes.

    Args:
        line: the first line.
        read: gives as many of the bytes that follow as it is asked for.

    Returns:
        The lesson; its picture has no name.

    Raises:
        DataError: the bytes end within the picture.
    """
    head = json.loads(line)
    shape = tuple(head["shape"])
    content = read(int(np.prod(shape)))
    if len(content) < int(np.prod(shape)):
        raise DataError(f"A picture of {shape} values was announced, got {len(content)}; send it again.")
    picture = torch.from_numpy(np.frombuffer(content, dtype=np.uint8).reshape(shape).copy())
    target = Target(
        boxes=torch.tensor(head["boxes"], dtype=torch.float32).reshape(-1, 4),
        labels=torch.tensor(head["labels"], dtype=torch.int64),
        difficult=torch.tensor(head["difficult"], dtype=torch.bool),
        ignore=torch.tensor(head["ignore"], dtype=torch.bool),
    )
    names, rules = tuple(head["class_names"]), TeachRules(**head["rules"])
    return TeachJob(Sample(picture, target, "the picture"), names, rules, head["steps"])


def report_to_line(report: TeachReport) -> str:
    """A report as one line of JSON.

    Args:
        report: of a step.

    Returns:
        The line, without its end.

    Example:
        >>> line_to_report(report_to_line(TeachReport(1, 2.0, 0.5, 1.5, 0.1))).confidence
        1.5
    """
    return json.dumps(asdict(report), separators=(",", ":"))


def line_to_report(line: str) -> TeachReport:
    """The report of a line.

    Args:
        line: of :func:`report_to_line`.

    Returns:
        The report.
    """
    values: dict[str, Any] = {name: _tuples(value) for name, value in json.loads(line).items()}
    look, told = values.pop("look"), values.pop("told")
    return TeachReport(
        **values,
        look=None if look is None else Look(**look),
        told=tuple(Told(**each) for each in told),
    )


def _tuples(value: object) -> Any:
    """Lists become tuples, all the way down."""
    if isinstance(value, list):
        return tuple(_tuples(item) for item in value)
    return {name: _tuples(item) for name, item in value.items()} if isinstance(value, dict) else value
