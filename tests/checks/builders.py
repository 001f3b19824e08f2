"""Small data sets without a fault, in which a test plants one; and a fingerprint of a folder."""

from __future__ import annotations

import hashlib
import io
import json
import os
import stat
from pathlib import Path

import numpy as np
from PIL import Image

from tests.data.test_voc import an_object, voc

WIDTH, HEIGHT = 60, 40
CAT, DOG = an_object("cat", (1, 1, 30, 20)), an_object("dog", (11, 11, 60, 40))
NUM = 12  # pictures of a good set: as many cats and dogs, of both some in either split


def picture_bytes(seed, *, width=WIDTH, height=HEIGHT, kind="PNG", exif=None):
    """A picture that no other seed gives, in pixels that JPEG keeps apart too."""
    cells = np.random.default_rng(seed).integers(0, 256, (4, 6, 3), dtype=np.uint8)
    image = Image.fromarray(cells).resize((width, height), Image.Resampling.NEAREST)
    buffer = io.BytesIO()
    image.save(buffer, kind, **({"exif": exif} if exif else {}))
    return buffer.getvalue()


def turned_exif(orientation=6):
    """EXIF that turns the picture by a quarter."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif.tobytes()


def write_picture(path, seed, **more):
    """A picture file in the format of its ending."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kind = "JPEG" if path.suffix.lower() in (".jpg", ".jpeg") else "PNG"
    path.write_bytes(picture_bytes(seed, kind=kind, **more))


def write_xml(path, *objects, size=(WIDTH, HEIGHT), **more):
    """A VOC annotation."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(voc(*objects, size=size, **more))


def devkit(root: Path, num=NUM) -> Path:
    """Pictures p00 … with a cat and a dog each, every fifth in val."""
    names = [f"p{number:02}" for number in range(num)]
    for number, name in enumerate(names):
        write_picture(root / "JPEGImages" / f"{name}.png", number)
        write_xml(root / "Annotations" / f"{name}.xml", CAT, DOG)
    lists = root / "ImageSets" / "Main"
    lists.mkdir(parents=True)
    (lists / "val.txt").write_text("\n".join(names[::5]))
    (lists / "train.txt").write_text("\n".join(name for name in names if name not in names[::5]))
    (lists / "trainval.txt").write_text("\n".join(names))
    return root


def coco_content(num=NUM, first=0):
    """Images and annotations with ids that have gaps, start at 0 and go beyond 90."""
    images = [{"id": 7 * k, "file_name": f"p{k:02}.png", "width": WIDTH, "height": HEIGHT}
              for k in range(first, first + num)]  # fmt: skip
    rows = [{"image_id": image["id"], "category_id": c, "bbox": [3 * bool(c), 2, 30, 20.5], "iscrowd": 0}
            for image in images for c in (0, 117)]  # fmt: skip
    for number, row in enumerate(rows):
        row["id"] = number
    categories = [{"id": 117, "name": "dog"}, {"id": 0, "name": "cat"}]
    return {"images": images, "annotations": rows, "categories": categories}


def coco(root: Path, content=None, *, split="train2017", first=0) -> Path:
    """One split with its pictures."""
    content = coco_content(first=first) if content is None else content
    for image in content["images"]:
        number = int(image["file_name"][1:-4])
        write_picture(root / split / image["file_name"], number)
    (root / "annotations").mkdir(exist_ok=True)
    (root / "annotations" / f"instances_{split}.json").write_text(json.dumps(content))
    return root


def fingerprint(root: Path):
    """Every entry below a folder: what it is, its bytes or its target, and when it was changed."""
    found = {}
    for folder, folders, names in os.walk(root):
        for name in [*folders, *names]:
            path = os.path.join(folder, name)
            status = os.lstat(path)
            content = b""
            if stat.S_ISLNK(status.st_mode):
                content = os.readlink(path)
            elif stat.S_ISREG(status.st_mode):
                with open(path, "rb") as stream:
                    content = hashlib.sha256(stream.read()).hexdigest()
            found[path] = (status.st_mode, status.st_mtime_ns, content)
    return found
