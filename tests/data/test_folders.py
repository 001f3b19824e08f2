"""Data sets in their three layouts: recognised, split, opened; what is bad is named and left out."""

from __future__ import annotations

import io
import itertools
import json
import os

import pytest
import torch
from PIL import Image

from ssd.config import BACKGROUND
from ssd.data.folders import open_dataset
from ssd.data.images import read_picture
from ssd.data.records import validate_target
from ssd.errors import ConfigError, DataError
from tests.data.test_voc import an_object, voc


def write_picture(path, width=60, height=40, exif=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    kind = "JPEG" if path.suffix.lower() in (".jpg", ".jpeg") else "PNG"
    Image.new("RGB", (width, height), "teal").save(buffer, kind, **({"exif": exif} if exif else {}))
    path.write_bytes(buffer.getvalue())


def write_xml(path, *objects, size=(60, 40), **more):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(voc(*objects, size=size, **more))


CAT, DOG = an_object("cat", (1, 1, 30, 20)), an_object("dog", (11, 11, 60, 40))


@pytest.fixture
def flat(tmp_path):
    root = tmp_path / "cards"
    for number in range(100):
        write_picture(root / f"c{number:03}.{'JPG' if number % 2 else 'png'}")
        write_xml(root / f"c{number:03}.xml", CAT if number % 3 else DOG)
    return root


@pytest.fixture
def devkit(tmp_path):
    root = tmp_path / "voc" / "VOCdevkit" / "VOC2007"
    for number in range(10):
        write_picture(root / "JPEGImages" / f"{number:06}.jpg")
        write_xml(root / "Annotations" / f"{number:06}.xml", CAT, *([DOG] if number == 7 else []))
    (root / "ImageSets" / "Main").mkdir(parents=True)
    (root / "ImageSets" / "Main" / "train.txt").write_text("000003\n000001\n\n")
    (root / "ImageSets" / "Main" / "cat_val.txt").write_text("000002  1\n000004 -1\n")
    return root


def write_coco(root, split, file_names, first_id=1):
    images = [
        {"id": first_id + k, "file_name": name, "width": 60, "height": 40}
        for k, name in enumerate(file_names)
    ]
    annotations = [
        {
            "id": 2 * k + c,
            "image_id": image["id"],
            "category_id": c * 90,
            "bbox": [0, 0, 30, 20],
            "iscrowd": c,
        }
        for k, image in enumerate(images)
        for c in (0, 1)
    ]
    categories = [{"id": 90, "name": "dog"}, {"id": 0, "name": "cat"}]
    (root / "annotations").mkdir(parents=True, exist_ok=True)
    (root / "annotations" / f"instances_{split}.json").write_text(
        json.dumps({"images": images, "annotations": annotations, "categories": categories})
    )


@pytest.fixture
def coco(tmp_path):
    root = tmp_path / "coco"
    for split, names in {"train2017": ["a.jpg", "b.jpg"], "val2017": ["c.jpg"]}.items():
        write_coco(root, split, names)
        for name in names:
            write_picture(root / split / name)
    return root


def test_a_devkit_opens_at_its_root_and_above_the_official_folder(devkit):
    for path in (devkit, devkit.parents[1], str(devkit)):
        data = open_dataset(path)

        assert (data.kind, len(data), data.classes, data.problems) == ("voc", 10, ("cat", "dog"), ())
    assert data.names == tuple(f"{number:06}" for number in range(10))


def test_split_files_decide_order_and_membership(devkit):
    assert open_dataset(devkit, split="train").names == ("000003", "000001")
    assert open_dataset(devkit, split="cat_val").names == ("000002", "000004")


def test_classes_are_those_of_the_data_set_not_of_the_split(devkit):
    assert open_dataset(devkit, split="train").classes == ("cat", "dog")
    assert open_dataset(devkit, split="train", classes=("dog",)).classes == ("dog",)


def test_a_split_that_is_missing_lists_those_there_are(devkit, flat, coco):
    with pytest.raises(DataError, match=r"no split 'val'; choose one of all, cat_val, train\."):
        open_dataset(devkit, split="val")
    with pytest.raises(DataError, match=r"no split 'test'; choose one of all, train, val\."):
        open_dataset(flat, split="test")
    with pytest.raises(DataError, match=r"no single split 'test'; choose one of all, train2017, val2017\."):
        open_dataset(coco, split="test")


def test_a_devkit_without_split_files_gives_every_fifth_picture_to_val(devkit):
    for path in (devkit / "ImageSets" / "Main").iterdir():
        path.unlink()

    train, val = open_dataset(devkit, split="train"), open_dataset(devkit, split="val")

    assert val.names == ("000004", "000009")
    assert sorted(train.names + val.names) == list(open_dataset(devkit).names)


def test_a_flat_folder_is_split_in_blocks_of_neighbours(flat):
    train, val = open_dataset(flat, split="train"), open_dataset(flat, split="val")

    assert [int(name[1:]) for name in val.names] == [*range(40, 50), *range(90, 100)]
    assert sorted(train.names + val.names) == list(open_dataset(flat).names)


def test_a_flat_folder_opens_also_from_one_level_above(flat):
    (flat.parent / "README.txt").touch()

    assert len(open_dataset(flat.parent)) == len(open_dataset(flat)) == 100


def test_boxes_are_shares_of_a_non_square_picture(devkit):
    data = open_dataset(devkit)

    sample = data.sample(7)

    assert sample.name == "000007"
    assert sample.picture.shape == (3, 40, 60)
    expected = torch.tensor([[0, 0, 0.5, 0.5], [10 / 60, 10 / 40, 1, 1]])
    torch.testing.assert_close(sample.target.boxes, expected)
    assert sample.target.labels.tolist() == [1, 2]
    assert torch.equal(data.target(7).boxes, sample.target.boxes)


def test_classes_left_out_are_ignored_and_the_others_numbered_as_asked(devkit):
    target = open_dataset(devkit, classes=("dog",)).target(7)
    both = open_dataset(devkit, classes=("dog", "cat")).target(7)

    assert target.labels.tolist() == [BACKGROUND, 1]
    assert target.ignore.tolist() == [True, False]
    assert both.labels.tolist() == [2, 1]
    validate_target(target, name="x", num_classes=1)


@pytest.mark.parametrize(
    ("classes", "sentence"),
    [
        (("dgo",), "'dgo'; did you mean dog?"),
        (("zebra",), "'zebra'; choose from cat, dog"),
        (("dog", "dog"), "each once"),
        (("",), "none empty"),
        (("Background",), "none 'background'"),
        ((), "got none"),
    ],
)
def test_a_list_of_classes_that_cannot_be_is_refused(devkit, classes, sentence):
    with pytest.raises(ConfigError) as caught:
        open_dataset(devkit, classes=classes)

    assert sentence in str(caught.value)


def test_coco_pictures_are_found_for_one_split_a_prefix_and_all(coco):
    assert open_dataset(coco, split="val2017").names == ("c",)
    assert open_dataset(coco, split="train").names == ("a", "b")
    everything = open_dataset(coco)
    assert everything.names == ("a", "b", "c")
    assert (everything.kind, everything.classes, everything.category_ids) == ("coco", ("cat", "dog"), (0, 90))
    assert everything.target(2).labels.tolist() == [1, 2]
    assert everything.target(2).ignore.tolist() == [False, True]
    assert everything.sample(2).picture.shape == (3, 40, 60)


def test_category_ids_follow_the_classes_that_were_asked_for(coco):
    data = open_dataset(coco, classes=("dog",))

    assert (data.classes, data.category_ids) == (("dog",), (90,))
    assert data.target(0).labels.tolist() == [BACKGROUND, 1]


def test_a_coco_file_can_be_opened_by_its_own_path(coco):
    assert open_dataset(coco / "annotations" / "instances_train2017.json").names == ("a", "b")


def test_splits_of_different_categories_are_not_mixed(coco):
    path = coco / "annotations" / "instances_val2017.json"
    path.write_text(path.read_text().replace('"dog"', '"wolf"'))

    with pytest.raises(DataError, match="every split must name the same categories; open one split"):
        open_dataset(coco)
    assert open_dataset(coco, split="val2017").classes == ("cat", "wolf")


@pytest.mark.parametrize("name", ["../../secret.jpg", "/etc/passwd", "..\\x.jpg"])
def test_a_coco_file_name_that_leads_outside_is_refused(coco, name):
    write_picture(coco.parent / "secret.jpg")
    write_coco(coco, "train2017", ["a.jpg", name])

    data = open_dataset(coco, split="train2017")

    assert data.names == ("a",)
    assert data.problems[0].startswith("image 2: a file name must stay inside the data set")


def test_d1_the_wrong_level_is_refused_and_the_right_one_named(devkit, tmp_path):
    with pytest.raises(DataError, match=r"^VOCdevkit: .* found VOC2007 one level below; open that folder"):
        open_dataset(devkit.parent)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"^empty: a data set needs Annotations and JPEGImages"):
        open_dataset(tmp_path / "empty")
    with pytest.raises(DataError, match=r"^nothing: a data set must be a folder that exists"):
        open_dataset(tmp_path / "nothing")


def test_d3_every_name_of_a_split_without_picture_or_annotation_is_listed(devkit):
    (devkit / "ImageSets" / "Main" / "train.txt").write_text("000001\n000002\n000003\nghost\n")
    (devkit / "JPEGImages" / "000002.jpg").unlink()
    (devkit / "Annotations" / "000003.xml").unlink()

    data = open_dataset(devkit, split="train")

    assert data.names == ("000001",)
    assert [problem.split(";")[0] for problem in data.problems] == [
        "000002: its picture is missing",
        "000003: its annotation is missing",
        "ghost: its annotation is missing",
    ]
    with pytest.raises(
        DataError, match=r"000002: its picture .* 000003: its annotation .* ghost: its annotation"
    ):
        open_dataset(devkit, split="train", skip_bad=False)


def test_a_bad_object_is_left_out_and_a_bad_file_leaves_its_picture_out(flat):
    write_xml(flat / "c001.xml", CAT, an_object(box=(5, 5, 5, 5)))
    (flat / "c002.xml").write_bytes(b"<annotation>")
    write_xml(flat / "c003.xml", CAT, filename="../../etc/passwd")
    write_xml(flat / "c004.xml", an_object("cat", (0, 5, 61, 30)))

    data = open_dataset(flat)

    assert len(data) == 98
    assert len(data.target(data.names.index("c001"))) == 1
    assert data.problems[0] == "c001.xml: object 2: a box must have an area, got [5, 5, 5, 5] (dog)"
    assert data.problems[1].startswith("c002.xml: not well-formed XML")
    assert data.problems[2].startswith("c003.xml: <filename>: a file name must stay inside")
    assert data.problems[3].startswith("1 box(es) reached up to a pixel outside")
    with pytest.raises(DataError, match=r"^cards: c001.xml: object 2.*; c002.xml: .*; c003.xml"):
        open_dataset(flat, skip_bad=False)


def test_a_picture_beside_no_annotation_is_named(flat):
    write_picture(flat / "new.png")

    data = open_dataset(flat)

    assert len(data) == 100
    assert data.problems == ("new: its annotation is missing; add it or take the name out.",)


def test_nothing_to_use_is_an_error_that_says_why(tmp_path):
    write_xml(tmp_path / "one" / "a.xml", CAT)

    with pytest.raises(
        DataError, match=r"^one: split 'all' must hold a picture to use, got none \(a: its picture is"
    ):
        open_dataset(tmp_path / "one")


def test_a_cause_that_all_pictures_share_is_not_said_for_each(tmp_path):
    for number in range(9):
        write_xml(tmp_path / "one" / f"a{number}.xml", CAT)

    with pytest.raises(DataError, match=r"\(a0: .*; a1: .*; a2: .*; and 6 more\)\.$") as caught:
        open_dataset(tmp_path / "one")

    assert "a3" not in str(caught.value)


def test_many_problems_are_counted_not_all_shown(flat):
    for path in sorted(flat.glob("*.xml"))[:90]:
        path.write_bytes(b"")

    with pytest.raises(DataError, match="and 70 more") as caught:
        open_dataset(flat, skip_bad=False)

    assert len(str(caught.value)) < 4000


def test_a_size_that_the_file_does_not_say_is_read_from_the_picture(flat):
    write_xml(flat / "c000.xml", DOG, size=(0, 0))

    target = open_dataset(flat).target(0)

    torch.testing.assert_close(target.boxes, torch.tensor([[10 / 60, 10 / 40, 1, 1]]))


def test_a18_a_picture_of_another_size_is_refused_when_it_is_opened(flat):
    write_picture(flat / "c000.png", 61, 40)

    data = open_dataset(flat)

    with pytest.raises(DataError, match=r"^c000.png: the annotation says 60×40; picture is 61×40; correct"):
        data.sample(0)
    assert len(data.sample(1).target) == 1


def test_a18_boxes_drawn_before_the_picture_was_turned_are_refused(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    write_picture(tmp_path / "phone" / "a.jpg", 60, 40, exif=exif)
    write_xml(tmp_path / "phone" / "a.xml", CAT, size=(60, 40))

    with pytest.raises(
        DataError,
        match="says 60×40; picture is 40×60 after EXIF rotation: boxes were drawn on the unrotated picture",
    ):
        open_dataset(tmp_path / "phone").sample(0)


def test_a_damaged_picture_is_named_when_it_is_opened(flat):
    (flat / "c001.JPG").write_bytes((flat / "c001.JPG").read_bytes()[:-2])

    with pytest.raises(DataError, match=r"^c001.JPG: The picture is cut off"):
        open_dataset(flat).sample(1)


def test_the_bytes_of_a_picture_go_through_the_door(flat):
    data = open_dataset(flat)

    assert read_picture(data.picture_bytes(0), name="x").width == 60
    os.truncate(flat / "c000.png", 10_000_001)
    with pytest.raises(DataError, match="The limit is 10 MB"):
        data.picture_bytes(0)


def test_pipes_and_links_that_leave_are_passed_over(flat):
    os.mkfifo(flat / "pipe.xml")
    (flat / "link.png").symlink_to("/etc/hostname")
    (flat / "dangling.png").symlink_to(flat / "nothing")

    data = open_dataset(flat)

    told = "1 link(s) that lead nowhere, 1 link(s) that leave the folder, 1 pipe(s), socket(s) or device(s)"
    assert (len(data), data.problems) == (100, (f"passed over: {told}.",))
    assert len(open_dataset(flat, skip_bad=False)) == 100


def test_nothing_in_a_data_set_is_written(flat):
    (flat / "c002.xml").write_bytes(b"<annotation>")
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in flat.iterdir()}

    data = open_dataset(flat)
    for index in range(len(data)):
        data.sample(index)

    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in flat.iterdir()} == before


COUNTS = {  # the counts of the data's own README
    ("voc5", "train"): (846, None, 20),
    ("voc5", "val"): (150, None, 20),
    ("voc5", "trainval"): (996, None, 20),
    ("voc5", "test"): (506, None, 20),
    ("bccd", "train"): (205, 2804, 3),
    ("bccd", "val"): (87, 1137, 3),
    ("bccd", "all"): (292, 3941, 3),
    ("cards", "all"): (296, 527, 6),
    ("coco40", "all"): (40, 332, 80),
    ("coco40", "train"): (40, 332, 80),
}


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "split"),
    [pytest.param(*key, id="-".join(key), marks=[pytest.mark.slow] * (key[0] != "coco40")) for key in COUNTS],
)
def test_real_data_has_the_counts_that_its_readme_says(shared_data, name, split):
    pictures, boxes, classes = COUNTS[name, split]

    data = open_dataset(shared_data / name, split=split)

    assert (len(data), len(data.classes)) == (pictures, classes)
    targets = [data.target(index) for index in range(len(data))]
    assert boxes in (None, sum(len(target) for target in targets))
    for target in targets:
        validate_target(target, name=name, num_classes=classes)


@pytest.mark.data
def test_the_two_boxes_without_area_of_the_blood_cells_are_listed(shared_data):
    problems = open_dataset(shared_data / "bccd").problems

    assert problems == (
        "BloodImage_00338.xml: object 13: a box must have an area, got [504, 337, 504, 337] (RBC)",
        "BloodImage_00343.xml: object 4: a box must have an area, got [181, 329, 181, 329] (RBC)",
    )


@pytest.mark.data
def test_bursts_of_one_scene_do_not_leak_between_the_cards_splits(shared_data):
    everything = open_dataset(shared_data / "cards")
    val = open_dataset(shared_data / "cards", split="val").names
    train = open_dataset(shared_data / "cards", split="train").names

    assert sorted(train + val) == list(everything.names)
    assert 0.15 < len(val) / len(everything) < 0.25
    inside = [name in set(val) for name in everything.names]
    assert sum(a != b for a, b in itertools.pairwise(inside)) <= 12


@pytest.mark.data
def test_crowds_of_coco_are_ignored_and_their_ids_kept(shared_data):
    data = open_dataset(shared_data / "coco40")

    ignored = sum(int(data.target(index).ignore.sum()) for index in range(len(data)))
    assert ignored > 0
    assert (data.category_ids[0], data.category_ids[-1], data.classes[0]) == (1, 90, "person")


@pytest.mark.data
@pytest.mark.slow
def test_five_classes_are_objects_and_the_other_fifteen_are_ignored(shared_data):
    wanted = ("bus", "car", "cat", "person", "train")

    data = open_dataset(shared_data / "voc5", split="test", classes=wanted)

    targets = [data.target(index) for index in range(len(data))]
    labels = torch.cat([target.labels for target in targets])
    ignored = torch.cat([target.ignore for target in targets])
    assert data.classes == wanted
    assert torch.equal(labels == BACKGROUND, ignored)
    assert 0 < ignored.sum() < len(ignored) / 2
    assert any(target.difficult.any() for target in targets)


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.parametrize("name", ["voc5", "bccd", "cards", "coco40"])
def test_every_real_picture_opens_and_has_the_size_that_its_annotation_says(shared_data, name):
    data = open_dataset(shared_data / name)

    for index in range(len(data)):
        assert data.sample(index).picture.shape[0] == 3
