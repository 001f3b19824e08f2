"""COCO files: ids with gaps, crowds, and every surprise of Python's json."""

from __future__ import annotations

import json
import re

import pytest

from ssd.data.coco import parse_coco, read_coco
from ssd.errors import DataError

FORBIDDEN = r"Traceback|site-packages|File \"/|0x[0-9a-f]{6,}|weights_only"
IMAGES = [
    {"id": 8193, "file_name": "a.jpg", "width": 640, "height": 449},
    {"id": 5, "file_name": "b.jpg", "width": 100, "height": 60},
]
CATEGORIES = [{"id": 90, "name": "toothbrush"}, {"id": 0, "name": "person"}, {"id": 200, "name": "kite"}]


def box(number=0, image=8193, category=0, bbox=(10, 20, 30, 40), **more):
    return {"id": number, "image_id": image, "category_id": category, "bbox": list(bbox), **more}


def coco(annotations=(), images=IMAGES, categories=CATEGORIES):
    return json.dumps({"images": images, "annotations": list(annotations), "categories": categories}).encode()


def parse(data):
    return parse_coco(data, name="instances.json")


def test_classes_follow_category_ids_with_gaps_and_zero():
    content = parse(coco([box(0, category=200), box(1, category=0), box(2, category=90)]))

    assert content.classes == ("person", "toothbrush", "kite")
    assert content.category_ids == (0, 90, 200)
    assert [each.name for each in content.pictures[0].annotation.objects] == ["kite", "person", "toothbrush"]


def test_boxes_are_width_and_height_from_a_corner_on_continuous_edges():
    content = parse(coco([box(bbox=(10.5, 20, 30, 40.25))]))

    assert content.pictures[0].annotation.objects[0].box_px == (10.5, 20, 40.5, 60.25)
    assert (content.pictures[0].annotation.width, content.pictures[0].annotation.height) == (640, 449)


def test_annotations_find_their_picture_and_pictures_keep_their_order():
    content = parse(coco([box(1, image=5), box(2), box(3, image=5)]))

    assert [each.image_id for each in content.pictures] == [8193, 5]
    assert [len(each.annotation.objects) for each in content.pictures] == [1, 2]


def test_a_crowd_keeps_its_flag_and_a_missing_flag_is_zero():
    content = parse(coco([box(1, iscrowd=1), box(2, iscrowd=0), box(3)]))

    assert [each.crowd for each in content.pictures[0].annotation.objects] == [True, False, False]


def test_a_picture_without_annotations_is_valid_and_empty():
    assert [each.annotation.objects for each in parse(coco()).pictures] == [(), ()]


def test_a_byte_order_mark_is_accepted(tmp_path):
    path = tmp_path / "instances.json"
    path.write_bytes(b"\xef\xbb\xbf" + coco([box()]))

    assert len(read_coco(path).pictures[0].annotation.objects) == 1


BAD_OBJECTS = {
    "A3 NaN": (box(bbox=(float("nan"), 1, 2, 3)), "x1 is NaN"),
    "A3 infinite": (box(bbox=(1, 1, float("inf"), 3)), "x2 is infinite"),
    "A4 negative width": (box(bbox=(50, 50, -20, 9)), "after its left and top ones, got [50, 50, 30, 59]"),
    "no height": (box(bbox=(50, 50, 20, 0)), "must have an area"),
    "A9 a tenth of a pixel": (box(bbox=(50, 50, 0.1, 9)), "at least 1 px"),
    "A6 outside": (box(bbox=(700, 50, 20, 9)), "wholly outside"),
    "A7 two pixels outside": (box(bbox=(600, 50, 42, 9)), "2 px outside"),
    "A10 three numbers": (box(bbox=(1, 2, 3)), "bbox must be 4 numbers, got [1, 2, 3]"),
    "A10 five numbers": (box(bbox=(1, 2, 3, 4, 5)), "bbox must be 4 numbers"),
    "A10 strings": (box(bbox=("1", "2", "3", "4")), "bbox must be 4 numbers"),
    "A10 true": (box(bbox=(True, 2, 3, 4)), "bbox must be 4 numbers"),
    "A10 nested": (box(bbox=([1, 2], 2, 3, 4)), "bbox must be 4 numbers"),
    "A10 null": ({**box(), "bbox": None}, "bbox must be 4 numbers, got None"),
    "a number beyond floats": (box(bbox=(10**400, 2, 3, 4)), "bbox must be 4 numbers"),
    "A16 category": (box(category=7), "category_id 7 is not among the categories"),
    "category is true": (box(category=False), "category_id False is not among the categories"),
    "A27 double id": (box(1), "its id is that of an earlier annotation"),
    "crowd is two": (box(iscrowd=2), "iscrowd must be 0 or 1, got 2"),
}


@pytest.mark.parametrize(("bad", "rule"), BAD_OBJECTS.values(), ids=BAD_OBJECTS)
def test_an_object_that_breaks_a_rule_is_left_out_and_listed(bad, rule):
    content = parse(coco([box(1), {**bad, "id": bad["id"] or 2}, box(3)]))

    annotation = content.pictures[0].annotation
    assert len(annotation.objects) == 2
    assert len(annotation.problems) == 1
    assert annotation.problems[0].startswith("object 2: ")
    assert rule in annotation.problems[0]


def test_an_annotation_for_an_unknown_image_is_listed():
    content = parse(coco([box(7, image=99), box(8, image="5"), box(9)]))

    assert [problem[:42] for problem in content.problems] == [
        "object 1: image_id 99 is not among the ima",
        "object 2: image_id '5' is not among the im",
    ]
    assert len(content.pictures[0].annotation.objects) == 1


def test_up_to_a_pixel_outside_is_clipped_and_counted():
    annotation = parse(coco([box(bbox=(600, 20, 40.5, 40))])).pictures[0].annotation

    assert annotation.objects[0].box_px == (600, 20, 640, 60)
    assert annotation.clipped == 1


def test_a_corner_of_ours_counts_only_where_it_agrees_with_the_box():
    content = parse(coco([box(1, corner=[40.0000000001, 60]), box(2, corner=[99, 60]), box(3, corner="x")]))

    edges = [each.box_px for each in content.pictures[0].annotation.objects]
    assert edges == [(10, 20, 40.0000000001, 60), (10, 20, 40, 60), (10, 20, 40, 60)]


def test_a_sum_that_misses_the_border_by_a_rounding_is_no_clipping():
    annotation = parse(coco([box(bbox=(612.6, 20, 27.400000000000002, 40))])).pictures[0].annotation

    assert annotation.objects[0].box_px[2] <= 640
    assert annotation.clipped == 0


REFUSED = {
    "A33 truncated": (coco([box()])[:-20], "not well-formed JSON at line 1, column "),
    "A33 empty": (b"", "not well-formed JSON at line 1, column 1"),
    "A33 nested": (b"[" * 100_000 + b"]" * 100_000, "nested so deeply"),
    "A33 digits": (b'{"images": ' + b"9" * 5000 + b"}", "too many digits"),
    "A33 double key": (b'{"images": [], "images": []}', "'images' stands twice"),
    "not UTF-8": (b'{"a": "\xff"}', "JSON must be UTF-8, byte 8 is not"),
    "a list": (b"[1, 2]", "got a list; choose the annotation file"),
    "no categories": (
        b'{"images": [], "annotations": []}',
        "'categories' must be a list of objects, got None",
    ),
    "numbers for images": (coco(images=[1, 2]), "'images' must be a list of objects"),
    "A16 double category id": (coco(categories=[*CATEGORIES, {"id": 90, "name": "x"}]), "must be unique"),
    "A16 double category name": (
        coco(categories=[*CATEGORIES, {"id": 91, "name": "kite"}]),
        "must be unique",
    ),
    "a category called background": (
        coco(categories=[{"id": 1, "name": "Background"}]),
        "no name 'background'",
    ),
    "a category without name": (
        coco(categories=[{"id": 1}]),
        "a whole id and a name are needed, got 1, None",
    ),
    "a category id in words": (
        coco(categories=[{"id": "1", "name": "x"}]),
        "a whole id and a name are needed",
    ),
    "A27 double image id": (
        coco(images=[IMAGES[0], IMAGES[0]]),
        "image 2: a whole id that no other image has",
    ),
    "an image without size": (
        coco(images=[{"id": 1, "file_name": "a"}]),
        "must be whole pixels, got None and None",
    ),
    "an image without width": (
        coco(images=[{**IMAGES[0], "width": 0}]),
        "width and height must be whole pixels, got 0 and 449",
    ),
    "an image without name": (coco(images=[{**IMAGES[0], "file_name": 7}]), "file_name must be text, got 7"),
}


@pytest.mark.parametrize(("data", "sentence"), REFUSED.values(), ids=REFUSED)
def test_a_file_that_cannot_be_used_is_refused(data, sentence):
    with pytest.raises(DataError) as caught:
        parse(data)

    assert str(caught.value).startswith("instances.json")
    assert sentence in str(caught.value)
    assert not re.search(FORBIDDEN, str(caught.value))


def test_numbers_that_json_accepts_and_nobody_else_are_refused():
    data = coco([box(1)]).replace(b"[10, 20, 30, 40]", b"[1e999, 20, 30, NaN]")

    assert "x1 is infinite" in parse(data).pictures[0].annotation.problems[0]
