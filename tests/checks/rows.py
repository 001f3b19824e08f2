"""The rows of the list of bad inputs that a data set can hold, each built on a good set."""

from __future__ import annotations

import json
import os
import shutil
import socket
import unicodedata
from dataclasses import dataclass

from tests.checks.builders import (
    CAT,
    DOG,
    NUM,
    picture_bytes,
    turned_exif,
    write_picture,
    write_xml,
)
from tests.data.test_voc import EXTERNAL, LAUGHS, PARAMETER, an_object, voc

XML, PICTURE = "Annotations/p03.xml", "JPEGImages/p03.png"
JSON = "annotations/instances_train2017.json"


@dataclass(frozen=True)
class Row:
    """A bad input: how it is built on a good data set, and what must be said about it.

    Attributes:
        build: changes the good set.
        counts: problems by rule, all of them.
        sentence: a part of one of them.
        objects: good objects that are left, of 24.
        kind: of the good set.
        words: more words of the command.
    """

    build: object
    counts: dict[str, int]
    sentence: str = ""
    objects: int = 2 * NUM
    kind: str = "voc"
    words: tuple[str, ...] = ()


def xml(*objects, **more):
    """The annotation of p03 holds exactly these objects."""
    return lambda root: write_xml(root / XML, *objects, **more)


def raw(data, name=XML):
    """A file with exactly these bytes."""
    return lambda root: (root / name).write_bytes(data)


def box(*edges, name="dog"):
    """p03 has its cat, and this box."""
    return xml(CAT, an_object(name, edges))


def edited(change):
    """The COCO file, changed."""

    def build(root):
        content = json.loads((root / JSON).read_text())
        change(content)
        (root / JSON).write_text(json.dumps(content))

    return build


def bbox(*numbers):
    """The second annotation of the COCO file has this box."""
    return edited(lambda content: content["annotations"][1].update(bbox=list(numbers)))


def renamed(root, name):
    """Picture and annotation p03 get another name."""
    for folder, suffix in (("JPEGImages", ".png"), ("Annotations", ".xml")):
        source = root / folder / f"p03{suffix}"
        source.rename(os.path.join(os.fsencode(source.parent), os.fsencode(name + suffix)).decode(
            "utf-8", "surrogateescape"))  # fmt: skip
    for split in ("train", "trainval"):
        path = root / "ImageSets" / "Main" / f"{split}.txt"
        path.write_text("\n".join(line for line in path.read_text().split("\n") if line != "p03"))


def linked_out(root, name):
    """A file lies elsewhere, and a link leads to it."""
    outside = root.parent / "outside"
    outside.mkdir()
    shutil.move(root / name, outside / "file")
    (root / name).symlink_to(outside / "file")


def special_files(root):
    """A pipe, a socket and links to nowhere and to a device, where files are expected."""
    os.mkfifo(root / "Annotations" / "pipe.xml")
    os.mkfifo(root / "JPEGImages" / "pipe.png")
    os.mkfifo(root / "ImageSets" / "Main" / "pipe.txt")
    (root / "JPEGImages" / "nowhere.png").symlink_to(root / "gone.png")
    (root / "JPEGImages" / "device.png").symlink_to("/dev/zero")
    here = os.getcwd()
    os.chdir(root / "JPEGImages")  # the name of a socket may have 107 bytes
    with socket.socket(socket.AF_UNIX) as made:
        made.bind("socket.png")
    os.chdir(here)


def gone(*files):
    """Files are deleted."""
    return lambda root: [(root / file).unlink() for file in files]


def listed(*names):
    """val.txt lists more names."""

    def build(root):
        path = root / "ImageSets" / "Main" / "val.txt"
        path.write_text("\n".join([path.read_text(), *names]))

    return build


def header_only(width, height):
    """A PNG whose header promises so many pixels."""
    data = bytearray(picture_bytes(3))
    data[16:24] = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    return bytes(data)


def turned(root):
    """p03 is a photograph held upright; its boxes were drawn on the stored pixels."""
    (root / PICTURE).unlink()
    write_picture(root / "JPEGImages" / "p03.jpg", 3, exif=turned_exif())


ONE_LESS = 2 * NUM - 1
WHOLE = 2 * NUM - 2  # good objects where p03 cannot be used
UNREADABLE = {"xml": 1}
LATIN = '<?xml version="1.0" encoding="utf-8"?>\n<annotation><name>\xfc</name></annotation>'.encode("latin-1")
UTF7 = b'<?xml version="1.0" encoding="utf-7"?><annotation/>'
LOST = {"json": 1}  # a COCO file that cannot be read

ROWS: dict[str, Row] = {
    "A1 no object": Row(xml(), {}, objects=WHOLE),
    "A1 no annotation": Row(
        edited(lambda c: c["annotations"].__delitem__(slice(0, 2))), {}, "", WHOLE, "coco"
    ),
    "A3 NaN": Row(box("nan", 1, 20, 20), {"not-finite": 1}, "p03.xml: object 2: x1 is NaN", ONE_LESS),
    "A3 infinite": Row(box(1, 1, "inf", 20), {"not-finite": 1}, "object 2: x2 is infinite", ONE_LESS),
    "A3 JSON NaN": Row(bbox(float("nan"), 1, 20, 20), {"not-finite": 1}, "x1 is NaN", ONE_LESS, "coco"),
    "A3 JSON 1e999": Row(
        lambda root: (root / JSON).write_text((root / JSON).read_text().replace("[3, 2,", "[1e999, 2,", 1)),
        {"not-finite": 1},
        "x1 is infinite",
        ONE_LESS,
        "coco",
    ),
    "A4 inverted": Row(box(30, 1, 10, 20), {"inverted": 1}, "got [30, 1, 10, 20] (dog)", ONE_LESS),
    "A4 negative width": Row(bbox(30, 1, -20, 20), {"inverted": 1}, "got [30, 1, 10, 21]", ONE_LESS, "coco"),
    "no area on the raw numbers": Row(
        box(9, 9, 9, 30), {"no-area": 1}, "must have an area, got [9, 9, 9, 30]", ONE_LESS
    ),
    "A6 wholly outside": Row(box(70, 1, 90, 20), {"outside": 1}, "[70, 1, 90, 20], wholly outside", ONE_LESS),
    "A7 one pixel outside": Row(box(11, 11, 61, 40), {"clipped": 1}, "clipped to [10, 10, 60, 40]"),
    "A7 more than one": Row(
        box(11, 11, 63, 40), {"outside": 1}, "60 × 40 px, got [11, 11, 63, 40], 3 px outside", ONE_LESS
    ),
    "A9 a tenth of a pixel": Row(
        box(5, 5, 5.1, 30), {"too-small": 1}, "at least 1 px wide and high", ONE_LESS
    ),
    "A10 three numbers": Row(
        bbox(1, 2, 3), {"no-number": 1}, "bbox must be 4 numbers, got [1, 2, 3]", ONE_LESS, "coco"
    ),
    "A10 five numbers": Row(
        bbox(1, 2, 3, 4, 5), {"no-number": 1}, "bbox must be 4 numbers", ONE_LESS, "coco"
    ),
    "A10 strings": Row(
        bbox("1", "2", "3", "4"), {"no-number": 1}, "bbox must be 4 numbers", ONE_LESS, "coco"
    ),
    "A10 null": Row(
        edited(lambda c: c["annotations"][1].update(bbox=None)),
        {"no-number": 1},
        "bbox must be 4 numbers, got None",
        ONE_LESS,
        "coco",
    ),
    "A10 nested": Row(bbox([1], 2, 3, 4), {"no-number": 1}, "bbox must be 4 numbers", ONE_LESS, "coco"),
    "A10 a comma in XML": Row(
        box("1,5", 1, 20, 20), {"no-number": 1}, "must be a number, got '1,5'", ONE_LESS
    ),
    "A12 xmin = 0": Row(box(0, 11, 60, 40), {"clipped": 1}, "reached up to a pixel outside"),
    "A12 xmax = width": Row(box(12, 12, 60, 40), {}),
    "A13 aeroplan": Row(
        box(11, 11, 60, 40, name="aeroplan"),
        {"unknown-class": 1},
        "class 'aeroplan' is not known; did you mean aeroplane?",
    ),
    "A13 not among --classes": Row(
        box(11, 11, 60, 40, name="dgo"),
        {"unknown-class": 1},
        "did you mean dog?",
        words=("--classes", "cat,dog"),
    ),
    "A13 another case": Row(
        box(11, 11, 60, 40, name="Dog"), {"class-variant": 1}, "class 'Dog' (1) is also spelt 'dog' (11)"
    ),
    "A15 ids with gaps, 0, above 90": Row(lambda root: None, {}, kind="coco"),
    "A16 no such category": Row(
        edited(lambda c: c["annotations"][1].update(category_id=5)),
        {"category": 1},
        "category_id 5 is not among the categories",
        ONE_LESS,
        "coco",
    ),
    "A16 category id twice": Row(
        edited(lambda c: c["categories"].append({"id": 0, "name": "cow"})),
        LOST,
        "category 3: ids and names must be unique",
        0,
        "coco",
    ),
    "A16 category name twice": Row(
        edited(lambda c: c["categories"].append({"id": 3, "name": "cat"})),
        LOST,
        "category 3: ids and names must be unique",
        0,
        "coco",
    ),
    "A18 another size": Row(
        xml(CAT, size=(90, 70)),
        {"size-mismatch": 1},
        "p03.png: the annotation says 90×70; picture is 60×40",
        ONE_LESS,
    ),
    "A18 width and height exchanged": Row(
        xml(CAT, size=(40, 60)), {"size-mismatch": 1}, "says 40×60; picture is 60×40.", ONE_LESS
    ),
    "A18 before rotation": Row(
        turned,
        {"size-unrotated": 1},
        "says 60×40; picture is 40×60 after EXIF rotation: boxes were drawn on the unrotated picture",
    ),
    "size 0×0": Row(
        xml(CAT, DOG, size=(0, 0)), {"size-zero": 1}, "p03.xml: no size, or 0×0; the picture has 60×40"
    ),
    "size 0×0 and a box outside": Row(
        xml(CAT, an_object(box=(1, 1, 99, 20)), size=(0, 0)),
        {"size-zero": 1, "outside": 1},
        "inside the picture of 60 × 40 px",
        ONE_LESS,
    ),
    "A19 billion laughs": Row(
        raw(voc(head=LAUGHS)), {"xml-entities": 1}, "XML with entity definitions is not accepted.", WHOLE
    ),
    "A21 external entity": Row(raw(voc(head=EXTERNAL, filename="&x;")), {"xml-entities": 1}, "", WHOLE),
    "A21 parameter entity": Row(raw(voc(head=PARAMETER)), {"xml-entities": 1}, "", WHOLE),
    "A22 a harmless DOCTYPE": Row(
        raw(voc(CAT, head="<!DOCTYPE annotation>")), {"xml-doctype": 1}, "delete the line", WHOLE
    ),
    "A24 cut off": Row(raw(voc(CAT)[:90]), UNREADABLE, "not well-formed XML at line 1, column ", WHOLE),
    "A24 empty": Row(raw(b""), UNREADABLE, "not well-formed XML at line 1, column 1", WHOLE),
    "A24 HTML": Row(raw(b"<html>\n<p>404<br></html>"), UNREADABLE, "XML at line 2, column ", WHOLE),
    "A24 JSON": Row(raw(b'{"images": []}'), UNREADABLE, "XML at line 1, column 1", WHOLE),
    "A24 NUL": Row(raw(voc(an_object("d\0og"))), UNREADABLE, "XML at line 1, column ", WHOLE),
    "A24 latin-1 said UTF-8": Row(raw(LATIN), UNREADABLE, "XML at line 2, column ", WHOLE),
    "A24 UTF-7": Row(raw(UTF7), UNREADABLE, "line 1, column 1", WHOLE),
    "A24 UTF-16": Row(
        raw(
            voc(CAT, DOG, size=(60, 40), head='<?xml version="1.0" encoding="utf-16"?>')
            .decode()
            .encode("utf-16")
        ),
        {},
    ),
    "A24 cp1251": Row(
        raw(
            voc(
                CAT, DOG, size=(60, 40), filename="снимок.jpg", head='<?xml version="1.0" encoding="cp1251"?>'
            )
            .decode()
            .encode("cp1251")
        ),
        {},
    ),
    "A25 <filename> upwards": Row(
        xml(CAT, filename="../../etc/passwd"),
        {"file-name": 1},
        "must stay inside the data set, got '../../etc/passwd'",
        WHOLE,
    ),
    "A25 file_name absolute": Row(
        edited(lambda c: c["images"][3].update(file_name="/etc/passwd")),
        {"file-name": 1},
        "must stay inside the data set",
        WHOLE,
        "coco",
    ),
    "A25 file_name upwards": Row(
        edited(lambda c: c["images"][3].update(file_name="../../x.png")),
        {"file-name": 1},
        "must stay inside the data set",
        WHOLE,
        "coco",
    ),
    "A27 image id twice": Row(
        edited(lambda c: c["images"][1].update(id=0)),
        LOST,
        "image 2: a whole id that no other image has",
        0,
        "coco",
    ),
    "A27 annotation id twice": Row(
        edited(lambda c: c["annotations"][3].update(id=0)),
        {"double-id": 1},
        "its id is that of an earlier annotation",
        ONE_LESS,
        "coco",
    ),
    "A27 unknown image": Row(
        edited(lambda c: c["annotations"][1].update(image_id=1)),
        {"image": 1},
        "instances_train2017.json: object 2: image_id 1 is not among the images",
        ONE_LESS,
        "coco",
    ),
    "A28 annotation ids from 0": Row(lambda root: None, {}, kind="coco"),
    "A31 no flags": Row(edited(lambda c: [row.pop("iscrowd") for row in c["annotations"]]), {}, kind="coco"),
    "A33 cut off": Row(
        lambda root: raw((root / JSON).read_bytes()[:-40], JSON)(root),
        LOST,
        "not well-formed JSON at line 1, column ",
        0,
        "coco",
    ),
    "A33 byte order mark": Row(
        lambda root: raw(b"\xef\xbb\xbf" + (root / JSON).read_bytes(), JSON)(root), {}, kind="coco"
    ),
    "A33 nested lists": Row(raw(b"[" * 100_000 + b"]" * 100_000, JSON), LOST, "nested so deeply", 0, "coco"),
    "A33 5000 digits": Row(
        raw(b'{"images": ' + b"9" * 5000 + b"}", JSON), LOST, "too many digits", 0, "coco"
    ),
    "A33 a key twice": Row(
        raw(b'{"images": [], "images": []}', JSON), LOST, "'images' stands twice", 0, "coco"
    ),
    "a flag in words": Row(
        xml(CAT, an_object("dog", (11, 11, 60, 40), "<difficult>no</difficult>")),
        {"flag": 1},
        "<difficult> must be 0 or 1, got 'no'",
        ONE_LESS,
    ),
    "no name": Row(
        xml(CAT, an_object("", (11, 11, 60, 40))), {"class-name": 1}, "the name of a class, got ''", ONE_LESS
    ),
    "background": Row(
        xml(CAT, an_object("Background", (11, 11, 60, 40))), {"class-name": 1}, "got 'Background'", ONE_LESS
    ),
    "no bndbox": Row(
        xml(CAT, "<object><name>dog</name></object>"), {"no-box": 1}, "<bndbox> is missing (dog)", ONE_LESS
    ),
    "decimals": Row(box(11.5, 11, 60, 40), {"decimals": 1}, "not whole pixels: [10.5, 10, 60, 40]"),
    "a box twice": Row(
        xml(CAT, CAT, DOG),
        {"identical-box": 1},
        "object 2: has the same box [0, 0, 30, 20] as object 1",
        2 * NUM + 1,
    ),
    "a box of two classes": Row(
        xml(CAT, an_object("dog", (1, 1, 30, 20))), {"identical-box": 1}, "as object 1, a cat (dog)"
    ),
    "small at training size": Row(
        box(11, 11, 12, 13), {"small": 1}, "10.0 × 22.5 px at training size 300 (dog)"
    ),
    "difficult": Row(
        xml(CAT, an_object("dog", (11, 11, 60, 40), "<difficult>1</difficult>")),
        {"difficult": 1},
        "1 of 24 objects (4.2%) are difficult",
    ),
    "a crowd": Row(
        edited(lambda c: c["annotations"][1].update(iscrowd=1)),
        {"crowd": 1},
        "1 of 24 objects (4.2%) are crowd",
        kind="coco",
    ),
    "a crowd of a few pixels": Row(
        edited(lambda c: c["annotations"][1].update(iscrowd=1, bbox=[3, 2, 2, 2])), {"crowd": 1}, kind="coco"
    ),
    "PNG bytes named .jpg": Row(
        lambda root: (root / PICTURE).rename(root / "JPEGImages/p03.jpg"),
        {"wrong-suffix": 1},
        "p03.jpg: the content is PNG, not '.jpg'",
    ),
    "a picture that is cut off": Row(
        raw(picture_bytes(3)[:-30], PICTURE), {"bad-picture": 1}, "p03.png: The picture is cut off"
    ),
    "a picture of 0 bytes": Row(raw(b"", PICTURE), {"bad-picture": 1}, "p03.png: The file is empty."),
    "a picture that is text": Row(
        raw(b"hello", PICTURE), {"bad-picture": 1}, "the content starts with 'hell'"
    ),
    "a picture that is missing": Row(gone(PICTURE), {"no-picture": 1}, "p03: its picture is missing", WHOLE),
    "a picture that is missing, COCO": Row(
        gone("train2017/p03.png"),
        {"no-picture": 1},
        "'p03.png': there is no picture of that name",
        WHOLE,
        "coco",
    ),
    "an annotation that is missing": Row(
        gone(XML), {"no-annotation": 1}, "p03: its annotation is missing", WHOLE
    ),
    "a picture that nobody names": Row(
        raw(picture_bytes(99), "JPEGImages/new.png"),
        {"stray-picture": 1},
        "new.png: no annotation and no split names this picture",
    ),
    "the same picture, within a split": Row(
        raw(picture_bytes(2), PICTURE),
        {"duplicate-picture": 1},
        "p03.png: shows the same as p02.png, in split 'train'",
    ),
    "the same picture in two splits": Row(
        raw(picture_bytes(0), PICTURE),
        {"leak": 1},
        "(split 'train'): shows the same as p00.png (split 'val')",
    ),
    "the same name in two splits": Row(
        listed("p03"), {"leak": 1}, "p03.png: is in split 'train' and in split 'val'"
    ),
    "D3 names without files": Row(
        listed("q1", "q2", "q3"),
        {"no-picture": 3},
        "q2: split 'val' names it, and neither picture nor annotation is there",
    ),
    "D4 a picture elsewhere": Row(
        lambda root: linked_out(root, PICTURE),
        {"no-picture": 1, "passed-over": 1},
        "passed over: 1 link(s) that leave the folder",
        WHOLE,
    ),
    "D4 an annotation elsewhere": Row(
        lambda root: linked_out(root, XML),
        {"no-annotation": 1, "passed-over": 1},
        "passed over: 1 link(s) that leave the folder",
        WHOLE,
    ),
    "D4 a COCO picture elsewhere": Row(
        lambda root: linked_out(root, "train2017/p03.png"),
        {"file-name": 1},
        "'p03.png' is a link that leaves the data set",
        WHOLE,
        "coco",
    ),
    "D6 pipe, socket, links to nowhere": Row(
        special_files,
        {"passed-over": 1},
        "1 link(s) that lead nowhere, 1 link(s) that leave the folder, 3 pipe(s), socket(s) or device(s)",
    ),
    "D6 a pipe for a COCO file": Row(
        lambda root: ((root / JSON).unlink(), os.mkfifo(root / JSON)),
        {"unreadable": 1},
        "must be a plain file",
        0,
        "coco",
    ),
    "D7 composed and decomposed": Row(
        lambda root: (
            renamed(root, unicodedata.normalize("NFC", "café")),
            (root / "JPEGImages" / "café.png").rename(
                root / "JPEGImages" / unicodedata.normalize("NFD", "café.png")
            ),
        ),
        {"passed-over": 1},
        "1 name(s) matched in Unicode's composed form",
    ),
    "D7 spaces, signs, emoji": Row(lambda root: renamed(root, "a #1 100% 😀"), {}),
    "D7 250 characters": Row(lambda root: renamed(root, "x" * 250), {}),
    "D7 upper case": Row(lambda root: (root / PICTURE).rename(root / "JPEGImages/p03.PNG"), {}),
    "L10 a dash, a space, a new line": Row(lambda root: renamed(root, "-rf a\nb"), {}),
    "L10 bytes that are no text": Row(
        lambda root: renamed(root, b"p\xff03".decode("utf-8", "surrogateescape")), {}
    ),
    "D16 one picture of 400 megapixels": Row(
        raw(header_only(20_000, 20_000), PICTURE),
        {"bad-picture": 1},
        "p03.png: 400.0 megapixels; the limit is 25",
    ),
    "D18 a class without objects": Row(
        edited(lambda c: c["categories"].append({"id": 9, "name": "horse"})),
        {"no-objects": 1},
        "class 'horse' has no object",
        kind="coco",
    ),
    "D18 a class with one object": Row(
        box(11, 11, 60, 40, name="horse"),
        {"few-objects": 1, "split-without": 1},
        "class 'horse' has 1 object(s) that count",
    ),
    "D18 one class only": Row(
        lambda root: [write_xml(path, CAT) for path in (root / "Annotations").iterdir()],
        {"one-class": 1},
        "cat is the only class",
        NUM,
    ),
}
# Rules whose problems are no error.
MILD = {
    "clipped",
    "decimals",
    "small",
    "difficult",
    "crowd",
    "one-class",
    "size-zero",
    "identical-box",
    "wrong-suffix",
    "stray-picture",
    "duplicate-picture",
    "leak",
    "passed-over",
    "no-objects",
    "few-objects",
    "split-without",
}
