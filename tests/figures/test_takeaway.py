"""One-file lessons: what is in the file, what is not, and what it lets run."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ssd.config import SelectionConfig, anchor_preset
from ssd.data.images import read_picture
from ssd.data.records import make_target
from ssd.data.samples import SAMPLE_CLASSES, sample_names, sample_scene, sample_source
from ssd.detections import select
from ssd.errors import ResourceError
from ssd.figures.blobs import Blob, anchors_blob, candidates_blob, picture_blob
from ssd.figures.canvas import CanvasObject, CanvasView, LiveMatching
from ssd.figures.scene_views import canvas_objects
from ssd.figures.takeaway import LessonWords, lesson_file, level_guides
from ssd.figures.takeaway_candidates import left_out, live_view
from ssd.figures.takeaway_words import (
    KEYS,
    LESSON_PAGES,
    RULES,
    detection_settings,
    lesson_name,
    matching_settings,
)
from ssd.limits import MAX_LESSON_BYTES
from ssd.models.receptive import LAYERS, receptive_field

HOSTILE = "</script><img src=x onerror=alert(1)>"
WORDS = LessonWords("Matching", "a dog", "Drag it.", ("Rule: bipartite.",), "drawn here.")
SVG = "http://www.w3.org/2000/svg"  # the name of a kind of element; nothing is asked there


def blob_of(preset="ssd300-voc"):
    return anchors_blob(anchor_preset(preset).anchors)


def view_of(width, height, *, preset="ssd300-voc", **more):
    settings = {
        "mode": "matching",
        "scene": "0123456789abcdef",
        "picture": picture_blob(b"as it came", width_px=width, height_px=height, alt="a dog"),
        "anchors": blob_of(preset),
        "objects": [CanvasObject((0.1, 0.2, 0.5, 0.9), "dog")],
        "class_names": ("dog",),
        "matching": LiveMatching(),
        "editable": True,
    }
    return CanvasView(**{**settings, **more})


def noise(width, height):
    dice = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (3, height, width), dtype=torch.uint8, generator=dice)


class Elements(HTMLParser):
    """Every element of a file with its attributes, and the text inside scripts and styles."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts, self.words, self.inside = [], [], [], None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.inside = (tag, dict(attrs)) if tag in ("script", "style") else None

    def handle_endtag(self, tag):
        self.inside = None

    def handle_data(self, data):
        if self.inside is not None:
            self.texts.append((*self.inside, data))
        else:
            self.words.append(data)

    def of(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]

    def data(self):
        texts = [text for _, attrs, text in self.texts if attrs.get("id") == "lesson"]
        return json.loads("".join(texts))


@pytest.fixture(scope="module")
def plain():
    """A file of a small picture, as text."""
    return lesson_file(view_of(60, 40), picture=noise(60, 40), words=WORDS).decode()


def picture_in(text):
    """The picture that lies in a file, with what the canvas is told of its size."""
    data = Elements(text).data()
    blob = next(each for each in data["blobs"] if each["kind"] == "picture")
    return base64.b64decode(blob["uri"].split(",")[1]), (blob["width"], blob["height"])


def test_nothing_in_the_file_points_outside(plain):
    assert set(re.findall(r"\b[a-z]{2,9}://[^\s\"'`]*", plain)) == {SVG}
    assert re.findall(r"url\(|@import|\bfetch\(|XMLHttpRequest|WebSocket|sendBeacon", plain) == []
    named = [attrs[key] for _, attrs in Elements(plain).tags for key in ("src", "href") if key in attrs]
    assert named == ["data:,"]


@pytest.mark.parametrize("text", ["<img src='https://x/y.png'>", "body { background: url(x.png) }"])
def test_something_that_points_outside_would_be_seen(plain, text):
    with pytest.raises(AssertionError):
        test_nothing_in_the_file_points_outside(plain.replace("</main>", f"{text}</main>"))


def test_the_policy_lets_run_exactly_the_script_of_the_file(plain):
    found = Elements(plain)
    policy = next(
        attrs["content"] for attrs in found.of("meta") if attrs.get("http-equiv") == "Content-Security-Policy"
    )
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    script = "".join(text for tag, attrs, text in found.texts if tag == "script" and not attrs)
    style = "".join(text for tag, _, text in found.texts if tag == "style")

    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == hashed(script)
    assert hashed(style) in rules["style-src"].split()
    assert rules["img-src"] == "data:"
    assert "unsafe" not in policy
    assert not [attrs for _, attrs in found.tags if any(name.startswith("on") for name in attrs)]
    assert not [attrs for _, attrs in found.tags if "style" in attrs]


def hashed(text):
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


def test_names_of_a_visitor_stay_text():
    words = LessonWords(HOSTILE, HOSTILE, HOSTILE, (HOSTILE,), HOSTILE, HOSTILE)
    objects = [CanvasObject((0.1, 0.1, 0.9, 0.9), HOSTILE)]
    view = view_of(60, 40, objects=objects, class_names=(HOSTILE, "<!--<script>"))
    text = lesson_file(view, picture=noise(60, 40), words=words).decode()

    found = Elements(text)

    assert [attrs.get("type") for attrs in found.of("script")] == ["application/json", None]
    assert found.of("img") == []
    assert HOSTILE not in text
    assert "<!--" not in text
    assert found.data()["light"]["objects"][0]["name"] == HOSTILE
    assert found.data()["light"]["class_names"] == [HOSTILE, "<!--<script>"]


def test_a_file_name_that_is_no_text_breaks_nothing():
    text = lesson_file(
        view_of(60, 40), picture=noise(60, 40), words=replace(WORDS, scene="a\udcff.jpg")
    ).decode()

    assert "a\\udcff.jpg" in text


def test_a_visitors_picture_is_there_without_what_its_camera_wrote():
    buffer = io.BytesIO()
    exif = Image.Exif()
    exif[0x0110] = "A Camera"  # Model
    exif.get_ifd(0x8825)[1] = "N"  # GPS
    Image.fromarray(noise(64, 48).permute(1, 2, 0).numpy()).save(buffer, "JPEG", exif=exif, quality=95)
    read = read_picture(buffer.getvalue(), name="p.jpg")
    view = view_of(
        64, 48, picture=picture_blob(buffer.getvalue(), width_px=64, height_px=48, alt="my picture")
    )

    text = lesson_file(view, picture=read.pixels, words=WORDS).decode()
    encoded, _ = picture_in(text)

    assert b"A Camera" in buffer.getvalue()
    assert b"A Camera" not in encoded
    assert b"Exif" not in encoded
    assert base64.b64encode(buffer.getvalue()).decode() not in text
    assert "0123456789abcdef" not in text  # the digest of the visitor's own file
    assert len(Image.open(io.BytesIO(encoded), formats=("JPEG",)).getexif()) == 0


def test_a_heavy_picture_is_scaled_and_its_boxes_stay_where_they_are():
    view = view_of(3000, 2000)
    data = lesson_file(view, picture=noise(3000, 2000), words=WORDS, max_bytes=900_000)
    encoded, told = picture_in(data.decode())
    with Image.open(io.BytesIO(encoded), formats=("JPEG",)) as image:
        size = image.size

    assert len(data) <= 900_000 < MAX_LESSON_BYTES
    assert told == (3000, 2000)
    assert size[0] < 1600
    assert size[0] / size[1] == pytest.approx(1.5, abs=0.01)
    assert Elements(data.decode()).data()["light"]["objects"][0]["box"] == pytest.approx([0.1, 0.2, 0.5, 0.9])


def test_the_largest_sample_with_the_most_anchors_stays_below_two_megabytes():
    samples = [sample_scene(name) for name in sample_names()]
    sample = max(samples, key=lambda each: each.picture[0].numel())
    height, width = sample.picture.shape[1:]
    objects = canvas_objects(sample.target, class_names=SAMPLE_CLASSES)
    view = view_of(width, height, preset="ssd512-voc", objects=objects, class_names=SAMPLE_CLASSES)

    data = lesson_file(view, picture=sample.picture, words=WORDS)

    assert len(data) < 2_000_000
    with Image.open(io.BytesIO(picture_in(data.decode())[0]), formats=("JPEG",)) as image:
        assert image.size == (width, height)  # small enough to keep every pixel


def test_a_view_that_does_not_fit_even_without_its_picture_says_what_to_do():
    with pytest.raises(ResourceError, match=r"0\.1 MB, got 0\.\d MB before the picture; raise the score"):
        lesson_file(view_of(60, 40), picture=noise(60, 40), words=WORDS, max_bytes=100_000)


@pytest.mark.parametrize("preset", ["ssd300-voc", "lesson-multi", "ssdlite320-coco"])
def test_the_receptive_field_of_a_cell_is_its_columns_span_by_its_rows(preset):
    config = anchor_preset(preset).anchors
    guides = level_guides(config, network=preset)

    for level, guide in enumerate(guides):
        columns, rows = config.levels()[level].grid_wh
        assert (len(guide.columns), len(guide.rows)) == (columns, rows)
        for column, row in {(0, rows - 1), (columns // 2, rows // 3), (columns - 1, 0)}:
            seen = receptive_field(preset, level=level, column=column, row=row).box
            (x1, x2), (y1, y2) = guide.columns[column], guide.rows[row]
            assert (x1, y1, x2, y2) == seen


def test_free_anchors_have_no_receptive_field():
    assert "my own" not in LAYERS
    assert all(
        guide.columns == () and guide.shapes
        for guide in level_guides(anchor_preset("lesson-multi").anchors, network="my own")
    )


@given(st.text(max_size=60))
def test_a_name_of_a_file_holds_small_letters_digits_and_hyphens(name):
    assert re.fullmatch(r"matching(-[a-z0-9]+)*\.html", lesson_name("matching", name))
    assert len(lesson_name("matching", name)) <= 60


def test_the_settings_say_which_way_a_value_on_the_threshold_goes():
    strict = matching_settings(rule="overwrite", threshold=0.4, strict=True, objects=())

    assert strict == ("Rule: overwrite, jaccard > 0.40.", "Objects: none.")


def test_soft_nms_is_told_by_its_sigma():
    config = SelectionConfig(0.2, nms_kind="soft", soft_sigma=0.3, class_agnostic=True)
    _, limits = detection_settings(
        model="shapes", sha256="0" * 64, num_anchors=10, class_names=("disc",), config=config
    )

    assert "Gaussian soft-NMS, sigma 0.30, among all classes" in limits


def test_every_page_and_rule_has_its_words():
    assert set(LESSON_PAGES) == {"anchors", "matching", "assignment", "detections"}
    assert set(RULES) == {"bipartite", "overwrite", "torchvision"}
    assert set(KEYS) == {"editable", "anchors", "detections", "fixed"}


def test_every_photograph_says_whose_it_is():
    assert all(sample_source(name).endswith(".") for name in sample_names())


def test_objects_that_do_not_count_are_ignored_and_still_named():
    target = make_target(
        torch.tensor([[0.0, 0.0, 0.5, 0.25]] * 3),
        torch.tensor([1, 2, 0]),
        difficult=torch.tensor([True, False, False]),
        ignore=torch.tensor([False, False, True]),
    )

    objects = canvas_objects(target, class_names=("dog", "cat"))

    assert [(each.name, each.ignored) for each in objects] == [
        ("dog", True),
        ("cat", False),
        ("left out", True),
    ]


def crowd(count, *, floor=0.01, config=None):
    """A view of that many candidates of two classes, and the selection behind it."""
    dice = torch.Generator().manual_seed(3)
    corner, size = (
        torch.rand(count, 2, generator=dice) * 0.6,
        torch.rand(count, 2, generator=dice) * 0.3 + 0.05,
    )
    boxes = torch.cat([corner, corner + size], dim=1)
    scores = torch.rand(count, 2, generator=dice) * 0.9 + 0.05
    limits = config or SelectionConfig(floor, top_k=100, max_detections=50)
    picked = select(boxes, scores, config=limits)
    blob = candidates_blob(picked, class_names=("dog", "cat"), floor=floor)
    outcomes = torch.zeros(len(picked.scores), dtype=torch.uint8)
    view = view_of(
        60, 40, mode="detections", candidates=blob, matching=None, editable=False, outcomes=outcomes
    )
    return replace(view, score=0.9), boxes, scores


def numbers(blob, name, kind):
    return np.frombuffer(base64.b64decode(blob.data[name]), dtype=kind)


def test_too_many_candidates_are_cut_to_a_selection_of_their_own():
    view, boxes, scores = crowd(200)

    best = live_view(view, most=150)
    floor = best.candidates.data["floor"]
    anew = select(boxes, scores, config=SelectionConfig(floor, top_k=100, max_detections=50))

    assert best.candidates.data["count"] == len(anew.scores) <= 150
    assert numbers(best.candidates, "scores", "<f4").tolist() == anew.scores.tolist()
    assert numbers(best.candidates, "fate", "u1").tolist() == anew.fate.tolist()
    assert numbers(best.candidates, "by", "<i4").tolist() == anew.suppressed_by.tolist()
    assert best.candidates.data["num_below"] == anew.num_below
    assert len(best.outcomes) == len(anew.scores)
    assert best.score == 0.9
    assert "best 150 of 400 candidates" in left_out(view, most=150)


def test_a_lower_score_rises_to_where_the_file_begins_and_verdicts_made_there_go():
    view, _, _ = crowd(200)
    low = replace(view, score=0.05, verdicts=({"title": "dog"},), selected_detection=399, nms_step=7)

    best = live_view(low, most=150)

    assert best.score == best.candidates.data["floor"] > 0.05
    assert (best.verdicts, best.selected_detection, best.nms_step) == (None, None, None)


def test_equal_scores_at_the_cut_go_together():
    view, _, _ = crowd(4)
    data = {
        **view.candidates.data,
        "scores": base64.b64encode(np.float32([9, 8, 7, 7, 7, 6, 5, 4]) / 10).decode(),
    }

    best = live_view(replace(view, candidates=Blob("x", data)), most=4)

    assert best.candidates.data["count"] == 2
    assert best.candidates.data["floor"] == np.float32(0.7)


def test_a_view_with_few_candidates_stays_as_it_is():
    view, _, _ = crowd(20)

    assert live_view(view) is view
    assert left_out(view) == ""


def test_the_file_says_what_it_leaves_out():
    view, _, _ = crowd(1_100)
    text = lesson_file(view, picture=noise(60, 40), words=WORDS).decode()

    assert re.search(
        r"This file holds the best 2,000 of 2,200 candidates, those above score 0\.\d{3}\.", text
    )
