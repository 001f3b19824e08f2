"""A tiny network, a tiny data set and a child process, for tests of ``train`` and ``lr-find``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import torch

from ssd.checkpoints import read_run_state, read_weights
from ssd.data.images import picture_to_png
from tests.training.tiny import CLASSES, Squares

ROOT = Path(__file__).parents[2]
SETTINGS = """
model = "tiny"
size_px = 64
steps = 7
batch_size = 3
schedule = "multi-step"
milestones = [0.8]
warm_up = 0.0
learning_rate = 1e-2
validate_every = 3
[augment]
flip = 0.5
photometric = 0.5
"""


def write_settings(folder: Path, *, text: str = SETTINGS) -> Path:
    """The settings as a file."""
    (folder / "tiny.toml").write_text(text)
    return folder / "tiny.toml"


def write_squares(folder: Path, *, count: int = 5, first: int = 0, names: tuple[str, ...] = CLASSES) -> Path:
    """A data set of the VOC kind without split files: every fifth picture is for validation."""
    for kind in ("JPEGImages", "Annotations"):
        (folder / kind).mkdir(parents=True, exist_ok=True)
    source = Squares(1000)
    for index in range(first, first + count):
        sample = source.sample(index)
        (folder / "JPEGImages" / f"{index:03}.png").write_bytes(picture_to_png(sample.picture))
        height, width = sample.picture.shape[-2:]
        edges = (sample.target.boxes * torch.tensor([width, height, width, height])).round().int().tolist()
        objects = "".join(
            f"<object><name>{names[label - 1]}</name><bndbox><xmin>{x1 + 1}</xmin><ymin>{y1 + 1}</ymin>"
            f"<xmax>{x2}</xmax><ymax>{y2}</ymax></bndbox></object>"
            for (x1, y1, x2, y2), label in zip(edges, sample.target.labels.tolist(), strict=True)
        )
        size = f"<size><width>{width}</width><height>{height}</height><depth>3</depth></size>"
        (folder / "Annotations" / f"{index:03}.xml").write_text(f"<annotation>{size}{objects}</annotation>")
    return folder


def start(*words: object, limit: str = "") -> subprocess.Popen[str]:
    """``python -m ssd …`` in a process of its own, which knows the tiny network; ``limit``: for ulimit."""
    command = [sys.executable, "-m", "tests.cli.tiny_cli", *map(str, words)]
    if limit:
        command = ["sh", "-c", f'ulimit {limit}; exec "$@"', "sh", *command]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def steps_of(run: Path) -> list[dict]:
    """The lines of a run, without the time that each took."""
    path = run / "steps.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    return [{k: v for k, v in json.loads(line).items() if k != "seconds"} for line in lines]


def wait_for_steps(run: Path, count: int, process: subprocess.Popen[str]) -> None:
    """Until a run has written that many lines."""
    path, until = run / "steps.jsonl", time.monotonic() + 120
    while not path.exists() or path.read_bytes().count(b"\n") < count:
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < until
        time.sleep(0.002)


def digests(folder: Path) -> dict[str, bytes]:
    """Every file of a folder."""
    return {os.fspath(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def leaves(value: object, where: str = "") -> dict[str, object]:
    """Every value of a nested state by its place."""
    if isinstance(value, dict | list | tuple):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        return {k: v for key, inner in pairs for k, v in leaves(inner, f"{where}.{key}").items()}
    return {where: value}


def assert_same_run(run: Path, other: Path) -> None:
    """Two runs that nothing distinguishes but their clocks."""
    assert steps_of(run) == steps_of(other)
    assert_same_values(*(read_run_state(folder / "last.ckpt") for folder in (run, other)))
    for name in ("raw.safetensors", "averaged.safetensors", "best.safetensors"):
        assert_same_values(*(read_weights(folder / name).model.state_dict() for folder in (run, other)))


def assert_same_values(one: object, other: object) -> None:
    """To the last bit."""
    mine, theirs = leaves(one), leaves(other)
    assert mine.keys() == theirs.keys()
    for where, value in mine.items():
        same = torch.equal(value, theirs[where]) if torch.is_tensor(value) else value == theirs[where]
        assert same, where
