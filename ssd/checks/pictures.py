"""Every picture of a data set opened once, one at a time, on two cores where there are many."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, cast

from ssd.checks.records import Progress
from ssd.data.images import read_picture, read_picture_bytes
from ssd.data.picture_headers import picture_format
from ssd.errors import DataError

__all__ = ["PictureFacts", "check_pictures", "look_at", "serve"]

_WORTH_A_CHILD = 800  # pictures; fewer are read in the time that a second process takes to start
_PATIENCE_S = 30.0  # for the child's last picture; after that it is read here
_READY = b"ready\n"
_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class PictureFacts:
    """What a picture file is, without its pixels.

    Attributes:
        width: pixels across, after EXIF rotation; 0 where it cannot be read.
        height: likewise.
        turned: EXIF rotation swapped width and height.
        format: of the content: ``JPEG``, ``PNG``, ``WEBP``, ``BMP``.
        digest: of the upright pixels: a copy has the same, whatever its name, format or EXIF.
        problem: why it cannot be used; empty where it can.
    """

    width: int = 0
    height: int = 0
    turned: bool = False
    format: str = ""
    digest: str = ""
    problem: str = ""


def look_at(path: Path) -> PictureFacts:
    """Open one picture as training would, and forget its pixels.

    Args:
        path: a file.

    Returns:
        What it is; a problem instead of an error.
    """
    try:
        data = read_picture_bytes(path, name=path.name)
        picture = read_picture(data, name=path.name)
    except DataError as error:
        return PictureFacts(problem=str(error))
    pixels = hashlib.sha256(f"{picture.width}×{picture.height}".encode())
    pixels.update(picture.pixels.numpy().data)
    kind = picture_format(data) or ""
    return PictureFacts(picture.width, picture.height, picture.turned, kind, pixels.hexdigest())


def check_pictures(files: Iterable[Path], *, progress: Progress | None = None) -> dict[Path, PictureFacts]:
    """Open every picture once.

    This process and, where there are many pictures, one child take them from one queue; each
    holds one picture at a time.

    Args:
        files: the pictures.
        progress: told after each picture how many are done, of how many. What it raises ends
            the check.

    Returns:
        The facts of each file.
    """
    waiting = deque(dict.fromkeys(files))
    total = len(waiting)
    found: dict[Path, PictureFacts] = {}
    with _helped(waiting, found, total=total):
        for path in _taken(waiting):
            found[path] = look_at(path)
            if progress is not None:
                progress(min(len(found), total), total)
    for path in _taken(waiting):  # what a child left behind
        found[path] = look_at(path)
    if progress is not None and total:
        progress(total, total)
    return found


def _taken(waiting: deque[Path]) -> Iterator[Path]:
    """One file after another; two threads may take from one queue."""
    while True:
        try:
            yield waiting.popleft()
        except IndexError:
            return


@contextmanager
def _helped(waiting: deque[Path], found: dict[Path, PictureFacts], *, total: int) -> Iterator[None]:
    """A child process that takes from the queue too; it is ended when something goes wrong here."""
    if total < _WORTH_A_CHILD:
        yield
        return
    child = subprocess.Popen(
        [sys.executable, "-m", "ssd.checks.child"],
        cwd=_ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is for this process; the child ends with its input
    )
    helper = threading.Thread(target=_ask, args=(child, waiting, found), daemon=True)
    helper.start()
    try:
        yield
        if len(found) < total:  # the child has a picture in hand
            helper.join(_PATIENCE_S)
    finally:
        child.kill()
        child.wait()
        helper.join()
        for stream in (child.stdin, child.stdout):
            with suppress(OSError):
                cast(IO[bytes], stream).close()


def _ask(child: subprocess.Popen[bytes], waiting: deque[Path], found: dict[Path, PictureFacts]) -> None:
    """Give the child one picture after another; one that it does not answer for goes back."""
    asks, answers = cast(IO[bytes], child.stdin), cast(IO[bytes], child.stdout)
    if answers.readline() != _READY:
        return
    for path in _taken(waiting):
        try:
            asks.write(json.dumps(os.fspath(path.absolute())).encode() + b"\n")
            asks.flush()
            found[path] = PictureFacts(**json.loads(answers.readline()))
        except (OSError, ValueError):
            waiting.append(path)
            return


def serve(asks: Iterable[bytes]) -> Iterator[bytes]:
    """The child's side: a path a line comes in, the facts of that picture go out.

    Args:
        asks: JSON strings, a line each.

    Yields:
        That it is ready; then a line with a JSON object for each picture.
    """
    yield _READY
    for line in asks:
        yield json.dumps(asdict(look_at(Path(json.loads(line))))).encode() + b"\n"
