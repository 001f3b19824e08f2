"""``anchors`` and ``match``: the golden numbers, under the keys that were promised."""

import json

import pytest

from ssd.anchors import make_anchors
from ssd.cli import main
from ssd.config import MATCHING_RULES, anchor_preset

A, B = (0.20, 0.22, 0.52, 0.28), (0.20, 0.21, 0.52, 0.28)  # the orphan pair of facts.md


def run(capsys, *words):
    """Exit code, stdout, stderr."""
    code = main(list(words))
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def as_boxes(*boxes, width=300, height=300):
    to_px = (width, height, width, height)
    return ";".join(
        ",".join(repr(edge * side) for edge, side in zip(box, to_px, strict=True)) for box in boxes
    )


# (count, per level, Σx1, Σx2): facts.md, computed independently
GOLDEN = {
    "ssd300-voc": (8732, [5776, 2166, 600, 150, 36, 4], 3688.7320, 5199.1613),
    "ssd300-coco": (8732, [5776, 2166, 600, 150, 36, 4], 3857.9628, 5029.9305),
    "ssd512-voc": (24564, [16384, 6144, 1536, 384, 96, 16, 4], 10708.9292, 13855.0708),
    "ssdlite320-coco": (3234, [2400, 600, 150, 54, 24, 6], 1159.2991, 2074.7009),
    "paper": (8732, [5776, 2166, 600, 150, 36, 4], 3607.5933, 5124.4067),
    "lesson-multi": (189, [144, 36, 9], 68.25, 120.75),
    "lesson-4x4": (16, [16], 6.0, 10.0),
}


@pytest.mark.parametrize("preset", GOLDEN)
def test_anchors_prints_the_golden_sums(capsys, preset):
    code, out, err = run(capsys, "anchors", "--preset", preset, "--json")

    answer = json.loads(out)
    count, per_level, low, high = GOLDEN[preset]
    assert (code, err) == (0, "")
    assert list(answer) == ["preset", "count", "per_level", "sum_xyxy"]
    assert (answer["preset"], answer["count"], answer["per_level"]) == (preset, count, per_level)
    assert answer["sum_xyxy"] == pytest.approx([low, low, high, high], abs=1e-3)


def test_no_clip_gives_the_unclipped_sums(capsys):
    _, out, _ = run(capsys, "anchors", "--preset", "ssd300-coco", "--no-clip", "--json")

    low, high = 3857.8476, 5030.0457
    assert json.loads(out)["sum_xyxy"] == pytest.approx([low, low, high, high], abs=1e-3)


def test_anchors_for_people_tells_each_level(capsys):
    code, out, _ = run(capsys, "anchors", "--preset", "ssdlite320-coco")

    assert code == 0
    assert "3,234 anchors" in out
    assert "level 5: 1 × 1 cells × 6 anchors = 6" in out


def test_match_on_picture_000001_gives_the_golden_numbers(capsys):
    boxes = "47,239,195,371;7,11,352,498"

    code, out, err = run(
        capsys, "match", "--boxes", boxes, "--size", "353,500", "--preset", "ssd300-voc",
        "--rule", "bipartite", "--threshold", ".5", "--json",
    )  # fmt: skip

    answer = json.loads(out)
    dog, person = answer["objects"]
    assert (code, err, list(answer)) == (0, "", ["num_positive", "objects"])
    assert list(dog) == ["best_anchor", "best_jaccard", "anchors", "forced", "orphan"]
    assert (dog["best_anchor"], len(dog["anchors"]), dog["forced"], dog["orphan"]) == (8262, 15, False, False)
    assert dog["best_jaccard"] == pytest.approx(0.68220, abs=1e-5)
    assert (person["best_anchor"], len(person["anchors"])) == (8729, 8)
    assert person["best_jaccard"] == pytest.approx(0.96456, abs=1e-5)
    assert answer["num_positive"] == 23


def test_with_torchvisions_anchors_there_are_eight_and_six(capsys):
    _, out, _ = run(
        capsys, "match", "--boxes", "47,239,195,371;7,11,352,498", "--size", "353,500",
        "--preset", "ssd300-coco", "--json",
    )  # fmt: skip

    dog, person = json.loads(out)["objects"]
    assert (dog["best_anchor"], len(dog["anchors"])) == (8262, 8)
    assert (person["best_anchor"], len(person["anchors"])) == (8729, 6)
    assert dog["best_jaccard"] == pytest.approx(0.73378, abs=1e-5)
    assert person["best_jaccard"] == pytest.approx(0.95963, abs=1e-5)


@pytest.mark.parametrize("rule", MATCHING_RULES)
def test_the_orphan_pair_loses_an_object_under_every_rule_but_bipartite(capsys, rule):
    _, out, _ = run(capsys, "match", "--boxes", as_boxes(A, B), "--size", "300,300", "--rule", rule, "--json")

    a, b = json.loads(out)["objects"]
    assert (a["best_anchor"], b["best_anchor"]) == (6272, 6272)  # before any rule
    assert a["best_jaccard"] == pytest.approx(0.47972, abs=1e-5)
    assert b["best_jaccard"] == pytest.approx(0.55965, abs=1e-5)
    if rule == "bipartite":
        assert (a["anchors"], a["forced"], a["orphan"]) == ([6278], True, False)
    else:
        assert (a["anchors"], a["forced"], a["orphan"]) == ([], False, True)
    assert (b["anchors"], b["forced"], b["orphan"]) == ([6272], False, False)


def test_the_order_of_the_boxes_is_the_order_of_processing(capsys):
    words = ("--size", "300,300", "--rule", "overwrite", "--json")

    _, out, _ = run(capsys, "match", "--boxes", as_boxes(B, A), *words)

    b, a = json.loads(out)["objects"]
    assert (b["orphan"], a["anchors"], a["forced"]) == (True, [6272], True)


def test_strict_asks_for_more_than_the_threshold(capsys):
    cell = as_boxes((0.25, 0.5, 0.5, 0.75), width=400, height=200)  # exactly one anchor: jaccard 1
    words = ("--boxes", cell, "--size", "400,200", "--preset", "lesson-4x4", "--threshold", "1", "--json")

    _, at_least, _ = run(capsys, "match", *words)
    _, more, _ = run(capsys, "match", *words, "--strict")

    (loose,), (strict,) = json.loads(at_least)["objects"], json.loads(more)["objects"]
    assert (loose["anchors"], loose["forced"]) == ([6], False)  # column 1, row 2 of 4
    assert (strict["anchors"], strict["forced"]) == ([6], True)


def test_without_objects_nothing_is_positive(capsys):
    code, out, _ = run(capsys, "match", "--boxes", "", "--size", "10,10", "--json")

    assert (code, json.loads(out)) == (0, {"num_positive": 0, "objects": []})


def test_the_threshold_is_the_presets_unless_given(capsys):
    _, out, _ = run(capsys, "match", "--boxes", "1,1,5,9", "--size", "10,10", "--preset", "lesson-multi")

    assert "jaccard ≥ 0.4" in out
    assert f"of {len(make_anchors(anchor_preset('lesson-multi').anchors))} anchors" in out


def test_match_for_people_names_forced_and_orphan(capsys):
    words = ("--boxes", as_boxes(A, B), "--size", "300,300")

    _, bipartite, _ = run(capsys, "match", *words)
    _, overwrite, _ = run(capsys, "match", *words, "--rule", "overwrite")

    assert "object 0: best anchor 6272 (jaccard 0.4797); 1 anchor, forced: 6278" in bipartite
    assert "object 0: best anchor 6272 (jaccard 0.4797); orphan" in overwrite


@pytest.mark.parametrize(
    ("boxes", "size", "code", "words"),
    [
        ("1,2,3", "9,9", 2, "x1,y1,x2,y2"),
        ("1,2,3,x", "9,9", 2, "x1,y1,x2,y2"),
        ("1,2,3,4,5", "9,9", 2, "x1,y1,x2,y2"),
        ("5,2,3,4", "9,9", 3, "Object 0 must have x1 < x2"),
        ("1,2,3,4;1,4,3,4", "9,9", 3, "Object 1 must have x1 < x2 and y1 < y2, got (1, 4, 3, 4)"),
        ("nan,2,3,4", "9,9", 3, "finite"),
        ("1,2,1e999,4", "9,9", 3, "finite"),
        ("1,2,3,9.5", "10,9", 3, "inside the picture of 10 × 9 pixels"),
        ("1,2,9.5,4", "9,10", 3, "inside the picture of 9 × 10 pixels"),
        ("1,-2,3,4", "9,9", 3, "inside"),
        ("1,2,3,4", "9", 2, "--size"),
        ("1,2,3,4", "0,9", 2, "--size"),
        ("1,2,3,4", "nan,9", 2, "--size"),
    ],
)
def test_bad_boxes_and_sizes_are_refused_in_one_sentence(capsys, boxes, size, code, words):
    found, out, err = run(capsys, "match", "--boxes", boxes, "--size", size, "--json")

    assert (found, out) == (code, "")
    assert words in err
    assert err.count("\n") == 1
