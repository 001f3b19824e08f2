"""How long a folder of many annotation files takes to read, and how much memory.

    python -m benchmarks.index
    python -m benchmarks.index --files 20000 --objects 3

A devkit of made XML files, with a picture file that is empty beside each, is opened twice: the
first time every file is parsed, the second time each is found in the index by the digest of its
content. Seconds are those of the processor, so that a busy machine is no excuse; memory is what
the process has grown by, at its highest. No picture is opened.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

CLASSES = ("aeroplane", "bicycle", "cat", "dog", "person")
MEASURE = """
import json, resource, sys, time
from ssd.data.folders import open_dataset
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
started = time.process_time()
data = open_dataset(sys.argv[1])
seconds = time.process_time() - started
grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
objects = sum(len(entry.annotation.objects) for entry in data.entries)
print(json.dumps({"pictures": len(data), "objects": objects, "cpu_seconds": round(seconds, 2),
                  "grown_mb": round(grown, 1)}))
"""


def write_devkit(root: Path, *, files: int, objects: int) -> None:
    """A devkit whose pictures have no bytes."""
    chance = random.Random(0)
    for name in ("Annotations", "JPEGImages"):
        (root / name).mkdir(parents=True)
    for number in range(files):
        found = "".join(_object(chance) for _ in range(objects))
        text = (
            f"<annotation><folder>VOC2007</folder><filename>{number:06}.jpg</filename>"
            "<source><database>made</database></source>"
            f"<size><width>500</width><height>375</height><depth>3</depth></size>{found}</annotation>"
        )
        (root / "Annotations" / f"{number:06}.xml").write_text(text)
        (root / "JPEGImages" / f"{number:06}.jpg").touch()


def _object(chance: random.Random) -> str:
    """One object of VOC's form."""
    x, y = chance.randint(1, 400), chance.randint(1, 300)
    corners = (x, y, x + chance.randint(10, 90), y + chance.randint(10, 70))
    box = "".join(
        f"<{key}>{value}</{key}>"
        for key, value in zip(("xmin", "ymin", "xmax", "ymax"), corners, strict=True)
    )
    return (
        f"<object><name>{chance.choice(CLASSES)}</name><pose>Unspecified</pose><truncated>0</truncated>"
        f"<difficult>0</difficult><bndbox>{box}</bndbox></object>"
    )


def measured(root: Path, cache: Path) -> dict[str, float]:
    """One opening in a process of its own."""
    words = [sys.executable, "-c", MEASURE, str(root)]
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=True)
    answer: dict[str, float] = json.loads(done.stdout)
    return answer


def main(arguments: list[str] | None = None) -> None:
    """Measure and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--objects", type=int, default=3, help="in each file")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        root, cache = Path(folder) / "devkit", Path(folder) / "cache"
        write_devkit(root, files=options.files, objects=options.objects)
        answer = {name: measured(root, cache) for name in ("first", "indexed")}
        index = sum(path.stat().st_size for path in cache.rglob("*.json"))
    print(json.dumps({**answer, "index_mb": round(index / 1e6, 3)}, indent=2))


if __name__ == "__main__":
    main()
