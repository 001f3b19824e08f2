"""The doctor as a whole: what is planted is found, what is good is left alone, nothing is written."""

from __future__ import annotations

import random
import re
import shutil
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ssd.checks import RULES, check_dataset, grouped
from ssd.errors import ConfigError
from tests.checks.builders import NUM, devkit, fingerprint, picture_bytes, write_picture, write_xml
from tests.data.test_voc import an_object

PICTURES, OBJECTS, WIDTH, HEIGHT = 25, 40, 200, 120
CLASSES = ("bus", "car", "cat", "person")
DEFECTS = {  # of an object: the corners as the file has them, from a good box
    "inverted": lambda x1, y1, x2, y2: (x2, y1, x1, y2),
    "no-area": lambda x1, y1, x2, y2: (x1, y1, x1, y2),
    "outside": lambda x1, y1, x2, y2: (x1, y1, WIDTH + 2, y2),
    "not-finite": lambda x1, y1, x2, y2: (x1, "nan", x2, y2),
    "no-number": lambda x1, y1, x2, y2: (x1, y1, "wide", y2),
    "too-small": lambda x1, y1, x2, y2: (x1, y1, x2, y1 + 0.5),
    "clipped": lambda x1, y1, x2, y2: (0, y1, x2, y2),
    "small": lambda x1, y1, x2, y2: (x1, y1, x1 + 2, y1 + 2),
    "decimals": lambda x1, y1, x2, y2: (x1, y1, x2 - 0.25, y2),
}
SPOILT = {  # of a picture
    "bad-picture": lambda path, other: path.write_bytes(path.read_bytes()[:-20]),
    "wrong-suffix": lambda path, other: path.rename(path.with_suffix(".jpg")),
    "duplicate-picture": lambda path, other: path.write_bytes(other.read_bytes()),
    "no-picture": lambda path, other: path.unlink(),
    "size-mismatch": lambda path, other: path.write_bytes(turned(path)),
}


def turned(path):
    """A picture of its own with the sides of the others swapped."""
    return picture_bytes(900 + int(path.stem[1:]), width=HEIGHT, height=WIDTH)


def good_boxes(number):
    """Whole corners, all different, none small at training size, none on the border."""
    draw = random.Random(number)
    found = {}
    while len(found) < OBJECTS:
        x1, y1 = draw.randint(2, 150), draw.randint(2, 80)
        found[x1, y1, draw.randint(x1 + 20, WIDTH), draw.randint(y1 + 12, HEIGHT)] = None
    return list(found)


def name_of(number):
    return f"s{number:02}"


@pytest.fixture(scope="module")
def thousand(tmp_path_factory):
    """A flat folder with a thousand good objects."""
    root = tmp_path_factory.mktemp("thousand") / "set"
    for number in range(PICTURES):
        write_picture(root / f"{name_of(number)}.png", number, width=WIDTH, height=HEIGHT)
        write_xml(root / f"{name_of(number)}.xml", *objects_of(number, {}), size=(WIDTH, HEIGHT))
    return root


def objects_of(number, defects):
    """The objects of a picture, some of them spoilt."""
    boxes = good_boxes(number)
    return [
        an_object(CLASSES[k % 4], DEFECTS[defects[k]](*box) if k in defects else box)
        for k, box in enumerate(boxes)
    ]


@pytest.mark.slow
def test_a_thousand_good_objects_raise_no_alarm(thousand):
    before = fingerprint(thousand)

    report = check_dataset(thousand)

    assert (report.num_pictures, report.num_objects, report.num_read) == (PICTURES, 1000, PICTURES)
    assert (report.problems, report.counts, report.is_clean) == ((), {}, True)
    assert fingerprint(thousand) == before


@pytest.mark.slow
@settings(max_examples=10)
@given(
    defects=st.dictionaries(
        st.tuples(st.integers(0, 19), st.integers(0, OBJECTS - 1)),
        st.sampled_from(sorted(DEFECTS)),
        max_size=40,
    ),
    spoilt=st.dictionaries(st.integers(20, PICTURES - 1), st.sampled_from(sorted(SPOILT)), max_size=4),
)
def test_what_is_planted_is_found_and_nothing_else(thousand, tmp_path_factory, defects, spoilt):
    root = tmp_path_factory.mktemp("planted") / "set"
    shutil.copytree(thousand, root)
    for number in {number for number, _ in defects}:
        bad = {k: kind for (of, k), kind in defects.items() if of == number}
        write_xml(root / f"{name_of(number)}.xml", *objects_of(number, bad), size=(WIDTH, HEIGHT))
    for number, kind in spoilt.items():
        SPOILT[kind](root / f"{name_of(number)}.png", root / "s07.png")
    before = fingerprint(root)

    report = check_dataset(root)

    found = [(p.rule, p.picture, p.object) for p in report.problems]
    wanted = [(kind, name_of(number), k + 1) for (number, k), kind in defects.items()]
    wanted += [(kind, name_of(number), None) for number, kind in spoilt.items()]
    assert sorted(found, key=str) == sorted(wanted, key=str)
    assert fingerprint(root) == before
    shutil.rmtree(root.parent)


def test_each_entry_can_open_its_picture_and_mark_its_box(tmp_path):
    root = devkit(tmp_path / "set")
    write_xml(
        root / "Annotations" / "p03.xml", an_object("cat", (30, 5, 10, 20)), an_object("dog", (1, 1, 30, 20))
    )
    write_xml(
        root / "Annotations" / "p04.xml",
        an_object("cat", (11.5, 2, 30, 20)),
        an_object("dog", ("nan", 1, 9, 9)),
    )

    problems = {problem.rule: problem for problem in check_dataset(root).problems}

    inverted, decimals = problems["inverted"], problems["decimals"]
    assert (inverted.picture, inverted.path) == ("p03", root / "JPEGImages" / "p03.png")
    assert (inverted.values, inverted.box_px) == ((30, 5, 10, 20), (9, 4, 30, 20))
    assert (decimals.values, decimals.box_px) == ((10.5, 1, 30, 20), (10.5, 1, 30, 20))
    assert problems["not-finite"].box_px is None and problems["not-finite"].path is not None


def test_the_report_counts_what_the_page_draws(tmp_path):
    root = devkit(tmp_path / "set")
    write_xml(
        root / "Annotations" / "p00.xml",
        an_object("cat", (1, 1, 30, 20)),
        an_object("dog", (11, 11, 60, 40), "<difficult>1</difficult>"),
    )
    write_xml(root / "Annotations" / "p01.xml")

    report = check_dataset(root, size_px=600)

    cat, dog = report.classes
    assert (cat.name, cat.num_objects, cat.counted, cat.num_pictures) == ("cat", NUM - 1, NUM - 1, NUM - 1)
    assert (dog.name, dog.num_objects, dog.num_difficult, dog.counted) == ("dog", NUM - 1, 1, NUM - 2)
    assert cat.by_split == {"train": 8, "trainval": 11, "val": 3}
    assert report.by_split == {"train": 9, "trainval": 12, "val": 3}
    assert (report.num_empty, report.num_objects, report.name) == (1, 2 * NUM - 2, "set")
    torch.testing.assert_close(report.wh_px[:2], torch.tensor([[300.0, 300.0], [500.0, 450.0]]))
    assert report.labels[:4].tolist() == [1, 2, 1, 2]
    assert report.wh_px.shape == (2 * NUM - 2, 2)


def test_progress_counts_every_picture_and_what_it_raises_ends_the_check(tmp_path):
    root = devkit(tmp_path / "set")
    told = []

    check_dataset(root, progress=lambda done, total: told.append((done, total)))

    assert sorted(set(told)) == [(number, NUM) for number in range(1, NUM + 1)]

    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check_dataset(root, progress=stop)


def test_problems_come_grouped_with_errors_first(tmp_path):
    root = devkit(tmp_path / "set")
    write_xml(
        root / "Annotations" / "p03.xml", an_object("cat", (30, 5, 10, 20)), an_object("dog", (0, 1, 30, 20))
    )
    write_xml(
        root / "Annotations" / "p01.xml", an_object("cat", (30, 5, 9, 20)), an_object("dog", (0, 1, 30, 20))
    )

    groups = grouped(check_dataset(root).problems)

    assert [(group.rule, group.severity, len(group.problems)) for group in groups] == [
        ("inverted", "error", 2), ("clipped", "note", 2),
    ]  # fmt: skip
    assert [problem.picture for problem in groups[0].problems] == ["p01", "p03"]


def test_a_training_size_of_nothing_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="above 0, got 0"):
        check_dataset(tmp_path, size_px=0)


READERS = ("annotations", "scanned", "voc", "coco", "yolo", "text_lists", "lesson_tables", "voc_folders",
           "coco_folders", "index")  # fmt: skip


def test_every_rule_that_a_reader_knows_stands_in_the_table():
    package = Path(__file__).parents[2] / "ssd"
    files = [*(package / "data" / f"{name}.py" for name in READERS), *(package / "checks").glob("*.py")]
    pattern = re.compile(r'(?:Fault\(\s*|rule=|writer\.\w+\(\s*)"([a-z-]+)"')
    raised = {name for path in files for name in pattern.findall(path.read_text())}

    assert {"no-area", "row", "leak", "bad-picture"} <= raised <= set(RULES)
    assert all(rule.title and rule.remedy for rule in RULES.values())
