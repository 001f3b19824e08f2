"""``coverage``: the promised keys, the gate, and plain text lists."""

from __future__ import annotations

import json

import pytest

from ssd.cli import main

LINES = "000001.jpg 48 240 195 371 11 8 12 352 498 14\n000002.jpg 139 200 207 301 18\n"
SIZES = "000001 500 353\n"


@pytest.fixture
def lists(tmp_path):
    """A folder of text lists like that of VOC: sizes of some pictures, flags that are no list."""
    (tmp_path / "test.txt").write_text(LINES)
    (tmp_path / "test_name_size.txt").write_text(SIZES)
    (tmp_path / "test_difficult.txt").write_text("000001.jpg 0 0 0 0 0\n")
    (tmp_path / "pairs.txt").write_text("a/000001.jpg a/000001.xml\n")
    return tmp_path


def run(capsys, *words):
    """Exit code, stdout, stderr."""
    code = main([str(word) for word in words])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_the_json_has_the_promised_keys_and_the_golden_jaccards(capsys, lists):
    code, out, err = run(capsys, "coverage", lists, "--preset", "ssd300-voc", "--split", "test", "--json")

    answer = json.loads(out)
    assert (code, err) == (0, "")
    assert list(answer) == [
        "num_objects", "recall_at_threshold", "mean_best_jaccard", "forced_only", "orphans",
        "by_size", "by_class", "by_level", "size_unknown",
    ]  # fmt: skip
    assert (answer["num_objects"], answer["recall_at_threshold"], answer["size_unknown"]) == (2, 1.0, 1)
    assert answer["mean_best_jaccard"] == pytest.approx((0.68220 + 0.96456) / 2, abs=1e-5)  # facts.md
    assert answer["by_class"]["dog"] == {"num_objects": 1, "recall": 1.0}
    assert answer["by_class"]["cat"] == {"num_objects": 0, "recall": None}
    assert answer["by_level"]["2"]["num_objects"] == 1 and answer["by_level"]["5"]["num_objects"] == 1
    assert answer["by_size"]["<128"]["num_objects"] == answer["by_size"][">=256"]["num_objects"] == 1


def test_without_unknown_sizes_the_keys_are_exactly_those_of_the_promise(capsys, lists):
    (lists / "test_name_size.txt").write_text("000001 500 353\n000002 500 335\n")

    _, out, _ = run(capsys, "coverage", lists, "--preset", "ssd300-voc", "--json")

    assert list(json.loads(out))[-1] == "by_level" and json.loads(out)["num_objects"] == 3


@pytest.mark.parametrize(("least", "code"), [("1", 0), ("0.5", 0)])
def test_the_gate_lets_enough_through(capsys, lists, least, code):
    assert run(capsys, "coverage", lists, "--preset", "ssd300-voc", "--min-recall", least)[0] == code


def test_the_gate_stops_too_little_and_still_answers(capsys, lists):
    words = ("--preset", "ssd300-voc", "--threshold", ".7", "--min-recall", ".6", "--json")

    code, out, _ = run(capsys, "coverage", lists, *words)

    assert code == 1 and json.loads(out)["recall_at_threshold"] == 0.5


def test_the_threshold_and_the_size_are_the_presets_unless_given(capsys, lists):
    _, own, _ = run(capsys, "coverage", lists, "--preset", "lesson-multi")
    _, other, _ = run(capsys, "coverage", lists, "--preset", "ssd300-voc", "--size", "512")

    assert "jaccard 0.4" in own and "224 × 224" in own
    assert "512 × 512" in other


def test_the_answer_for_people_says_how_many_have_no_anchor(capsys, lists):
    _, out, _ = run(capsys, "coverage", lists, "--preset", "ssd300-voc", "--threshold", ".7")

    assert out.startswith("2 objects in 1 pictures under ssd300-voc at 300 × 300 px\n")
    assert "50.0% (1) have no anchor at jaccard 0.7" in out
    assert "1 more lie in pictures whose size is not known" in out


def test_sizes_come_from_another_data_set(capsys, lists, tmp_path):
    voc = tmp_path / "voc"
    (voc / "Annotations").mkdir(parents=True)
    (voc / "JPEGImages").mkdir()
    (voc / "JPEGImages" / "000002.jpg").write_bytes(b"never opened")
    (voc / "Annotations" / "000002.xml").write_text(
        "<annotation><size><width>335</width><height>500</height></size></annotation>"
    )

    _, out, _ = run(capsys, "coverage", lists, "--preset", "ssd300-voc", "--sizes", voc, "--json")

    assert json.loads(out)["num_objects"] == 3


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("000001.jpg 50 60 50 90 3\n", "must have an area"),
        ("000001.jpg 50 60 nan 90 3\n", "NaN"),
        ("000001.jpg 50 60 70 900 3\n", "outside"),
        ("000001.jpg 50 60 70 90 20\n", "must be 0–19"),
        ("000001.jpg 50 60 70 90 -1\n", "must be 0–19"),
        ("000001.jpg 50 60 70 90\n", "five numbers"),
    ],
)
def test_a_bad_line_is_named_and_the_rest_counts(capsys, lists, line, words):
    (lists / "test.txt").write_text(LINES + line)

    code, out, err = run(capsys, "coverage", lists, "--preset", "ssd300-voc", "--split", "test", "--json")

    assert code == 0 and "test, line 3" in err and words in err
    assert json.loads(out)["num_objects"] == 2


def test_a_line_that_comes_again_counts_again(capsys, lists):
    (lists / "test.txt").write_text(LINES * 3)

    _, out, _ = run(capsys, "coverage", lists, "--preset", "ssd300-voc", "--json")

    assert (json.loads(out)["num_objects"], json.loads(out)["size_unknown"]) == (6, 3)


def test_a_float_coordinate_is_read(capsys, lists):
    (lists / "test.txt").write_text("000001.jpg 48.5 240.2 195 371 11\n")

    _, out, _ = run(capsys, "coverage", lists, "--preset", "ssd300-voc", "--json")

    assert json.loads(out)["num_objects"] == 1


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("--preset", "ssd300-vok"), 2, "did you mean"),
        (("--preset", "ssd300-voc", "--split", "tset"), 3, "there is no single split 'tset'"),
        (("--preset", "ssd300-voc", "--min-recall", "2"), 2, "0–1"),
        (("--preset", "ssd300-voc", "--size", "0"), 2, "above 0"),
        (("--preset", "ssd300-voc", "--rule", "best"), 2, "bipartite"),
    ],
)
def test_a_wrong_word_is_one_sentence(capsys, lists, words, code, message):
    found, out, err = run(capsys, "coverage", lists, *words)

    assert (found, out, err.count("\n")) == (code, "", 1) and message in err


def test_a_folder_without_anything_is_refused(capsys, tmp_path):
    code, out, err = run(capsys, "coverage", tmp_path, "--preset", "ssd300-voc")

    assert (code, out) == (3, "") and "data set" in err


@pytest.mark.data
@pytest.mark.slow
def test_all_boxes_of_voc2007_test_are_counted(capsys, shared_data):
    code, out, err = run(
        capsys, "coverage", shared_data / "voc_annotations", "--preset", "ssd300-voc",
        "--split", "voc07_test", "--json",
    )  # fmt: skip

    answer = json.loads(out)
    assert (code, err, answer["num_objects"]) == (0, "", 14_976)
    assert sum(group["num_objects"] for group in answer["by_class"].values()) == 14_976
    assert "size_unknown" not in answer
