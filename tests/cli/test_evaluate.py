"""``evaluate`` and ``missed``: the promised options, keys and exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ssd.checkpoints import write_weights
from ssd.cli import main
from tests.data.test_folders import write_coco, write_picture
from tests.data.test_voc import voc
from tests.evaluation.cells import NAMES, write_cells
from tests.small_models import FORBIDDEN, small_model

KEYS = ["metric", "ap", "ap50", "per_class", "num_pictures", "num_objects"]
MISSED_KEYS = ["num_objects", "found", "missed", "cover", "objects"]
OBJECT_KEYS = ["image_id", "object", "category", "verdict", "by", "cover", "best_jaccard", "score"]


def run(capsys, *words):
    """Exit code, stdout, stderr."""
    code = main([str(word) for word in words])
    captured = capsys.readouterr()
    assert not FORBIDDEN.search(captured.err)
    return code, captured.out, captured.err


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "model.safetensors"
    write_weights(path, small_model(*NAMES), card={}, half=False)
    return path


@pytest.fixture
def root(tmp_path):
    return write_cells(tmp_path / "cells")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))


def found(root, rows):
    """A results file beside the data."""
    path = root.parent / "found.json"
    path.write_text(json.dumps(rows))
    return path


@pytest.mark.slow
@pytest.mark.parametrize("metric", ["voc07", "voc12", "coco"])
def test_a_model_is_judged_with_the_promised_keys(capsys, model, root, metric):
    words = ("evaluate", "--model", model, "--data", root, "--split", "all", "--metric", metric, "--json")

    code, out, _ = run(capsys, *words)
    again = run(capsys, *words)

    answer = json.loads(out)
    assert (code, list(answer), answer["metric"]) == (0, KEYS, metric)
    assert (answer["num_pictures"], answer["num_objects"]) == (5, 8)
    assert list(answer["per_class"]) == list(NAMES)
    assert 0 <= answer["ap"] <= answer["ap50"] <= 1
    assert metric == "coco" or answer["ap"] == answer["ap50"]
    assert again[:2] == (code, out)


@pytest.mark.slow
def test_the_network_does_not_run_again(capsys, model, root, tmp_path, monkeypatch):
    words = (
        "evaluate",
        "--model",
        model,
        "--data",
        root,
        "--split",
        "all",
        "--cache",
        tmp_path / "c",
        "--json",
    )
    first = run(capsys, *words)

    def never(self, picture):
        raise AssertionError("the network ran")

    monkeypatch.setattr("ssd.prediction.Predictor.predict", never)
    assert run(capsys, *words)[1] == first[1]
    assert run(capsys, "missed", *words[1:])[0] == 0
    assert not (tmp_path / "home").exists()


def test_the_files_go_to_the_users_cache_and_the_data_stays(capsys, model, root, tmp_path):
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}

    run(capsys, "evaluate", "--model", model, "--data", root, "--split", "all")

    assert len(list((tmp_path / "home" / "ssd-explorer" / "raw").rglob("*.raw"))) == 5
    assert {path: path.read_bytes() for path in root.rglob("*") if path.is_file()} == before


def test_detections_of_another_tool_are_judged(capsys, root):
    circles = [
        {"image_id": n + 1, "category_id": 1, "bbox": [4 + n, 4, 26 - n, 26], "score": 0.9} for n in range(4)
    ]
    stars = [{"image_id": "000", "category": "star", "bbox": [19, 10, 31, 28], "score": 0.8},
             {"image_id": "002.png", "category": "star", "bbox": [19, 10, 31, 28], "score": 0.7},
             {"image_id": 3, "category": "star", "bbox": [0, 0, 12, 12], "score": 0.95}]  # fmt: skip
    path = found(root, circles + stars)  # four of five circles, two of three stars; one on a difficult star

    code, out, err = run(
        capsys, "evaluate", "--detections", path, "--ground-truth", root, "--metric", "voc07", "--json"
    )

    answer = json.loads(out)
    assert (code, err, list(answer)) == (0, "", KEYS)
    assert answer["per_class"]["circle"] == pytest.approx(9 / 11, abs=1e-12)  # recalls 0 … .8
    assert answer["per_class"]["star"] == pytest.approx(7 / 11, abs=1e-12)  # 0 … .6
    assert answer["ap"] == answer["ap50"] == pytest.approx(8 / 11, abs=1e-12)
    assert (answer["num_pictures"], answer["num_objects"]) == (5, 8)


def test_an_instances_file_is_ground_truth_without_its_pictures(capsys, tmp_path):
    write_coco(tmp_path / "coco", "val", ["a.jpg", "b.jpg"], first_id=70)
    truth = tmp_path / "coco" / "annotations" / "instances_val.json"
    path = found(truth, [{"image_id": 70, "category_id": 0, "bbox": [0, 0, 30, 20], "score": 1}])

    code, out, err = run(capsys, "evaluate", "--detections", path, "--ground-truth", truth, "--json")

    answer = json.loads(out)
    assert (code, err) == (0, "")
    assert answer["per_class"] == {"cat": pytest.approx(51 / 101), "dog": None}
    assert answer["num_objects"] == 2


def test_no_detections_are_an_ap_of_0_and_a_note(capsys, root):
    code, out, err = run(
        capsys, "evaluate", "--detections", found(root, []), "--ground-truth", root, "--json"
    )

    assert (code, json.loads(out)["ap"]) == (0, 0.0)
    assert err == "note: no detections.\n"


def test_unknown_ids_are_an_error(capsys, root):
    path = found(root, [{"image_id": 6, "category_id": 1, "bbox": [1, 1, 2, 2], "score": 1}])

    code, out, err = run(capsys, "evaluate", "--detections", path, "--ground-truth", root)

    assert (code, out, err.count("\n")) == (3, "", 1)
    assert "detection 1: image_id 6 is no picture" in err


def test_the_answer_for_people_names_the_metric(capsys, model, root):
    _, out, _ = run(
        capsys, "evaluate", "--model", model, "--data", root, "--split", "all", "--metric", "voc12"
    )
    _, coco, _ = run(capsys, "evaluate", "--model", model, "--data", root, "--split", "all")

    assert out.startswith("8 objects in 5 pictures\nVOC12 AP 0.") and "\n  circle  0." in out
    assert "\nCOCO AP 0." in coco and "\nCOCO AP50 0." in coco


@pytest.mark.parametrize("command", ["evaluate", "missed"])
def test_without_a_split_it_is_val(capsys, model, root, command):
    _, out, _ = run(capsys, command, "--model", model, "--data", root, "--json")

    assert json.loads(out)["num_objects"] == 2  # the fifth picture


def test_missed_has_the_promised_keys_and_adds_up(capsys, model, root):
    code, out, err = run(
        capsys, "missed", "--model", model, "--data", root, "--split", "all", "--score", ".9", "--json"
    )

    answer = json.loads(out)
    assert (code, err, list(answer)) == (0, "", MISSED_KEYS)
    assert answer["num_objects"] == 8 == answer["found"] + sum(answer["missed"].values())
    assert len(answer["objects"]) == sum(answer["missed"].values()) == sum(answer["cover"].values()) > 0
    for each in answer["objects"]:
        assert list(each) == OBJECT_KEYS
        assert each["verdict"] in answer["missed"] and each["cover"] in answer["cover"]
        assert (each["by"] is not None) == (each["verdict"] in ("suppressed", "claimed"))


def test_missed_for_people_lists_verdicts_and_false_positives(capsys, model, root):
    _, out, _ = run(capsys, "missed", "--model", model, "--data", root, "--split", "all", "--score", ".9")

    assert " of 8 objects found, " in out
    assert "\ntraining cover of the missed: " in out and "\nfalse positives: " in out
    assert "\n  000.png, object 0, circle: " in out


def test_classes_that_only_one_side_knows_are_told(capsys, model, tmp_path):
    write_coco(tmp_path / "coco", "val", ["a.png"])
    write_picture(tmp_path / "coco" / "val" / "a.png")
    other = tmp_path / "other.safetensors"
    write_weights(other, small_model("dog", "star"), card={}, half=False)

    code, _, err = run(capsys, "evaluate", "--model", other, "--data", tmp_path / "coco", "--split", "val")
    none = run(capsys, "evaluate", "--model", model, "--data", tmp_path / "coco", "--split", "val")

    assert code == 0
    assert "no object of star" in err and "does not know cat" in err
    assert none[0] == 3 and "model" in none[2] and "circle" in none[2] and "cat" in none[2]


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("evaluate",), 2, "evaluate needs --model and --data, or --detections and --ground-truth"),
        (("evaluate", "--model", "MODEL"), 2, "evaluate needs --model and --data"),
        (("evaluate", "--detections", "x.json"), 2, "evaluate needs --model and --data"),
        (("evaluate", "--model", "MODEL", "--data", "DIR", "--detections", "x"), 2, "one pair"),
        (("evaluate", "--model", "MODEL", "--data", "DIR", "--metric", "map"), 2, "voc07"),
        (("evaluate", "--model", "MODEL", "--data", "DIR", "--metric", "voc70"), 2, "did you mean voc07?"),
        (("evaluate", "--model", "MODEL", "--data", "DIR", "--split", "tset"), 3, "no split 'tset'"),
        (("evaluate", "--model", "MODEL", "--data", "nowhere"), 3, "data set"),
        (("evaluate", "--model", "nothing", "--data", "DIR"), 4, "no model"),
        (("evaluate", "--model", "MODEL", "--data", "DIR", "--cache", "DIR"), 2, "may not lie in the data"),
        (("evaluate", "--detections", "x.json", "--ground-truth", "DIR"), 3, "x.json"),
        (("missed", "--model", "MODEL"), 2, "missed needs --model and --data"),
        (("missed", "--model", "MODEL", "--data", "DIR", "--iou", "0"), 2, "above 0"),
        (("missed", "--model", "MODEL", "--data", "DIR", "--rule", "best"), 2, "bipartite"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_sentence_with_its_exit_code(capsys, model, root, words, code, message):
    known = {"MODEL": model, "DIR": root}

    found_code, out, err = run(capsys, *(known.get(word, word) for word in words))

    assert (found_code, out, err.count("\n")) == (code, "", 1) and message in err


@pytest.mark.slow
def test_a_network_for_whole_pictures_is_no_detector(capsys, tmp_path, root):
    from ssd.model_presets import model_preset
    from ssd.models.network import build_model

    path = tmp_path / "whole.safetensors"
    write_weights(path, build_model(model_preset("largest-class", NAMES)), card={}, half=True)

    code, _, err = run(capsys, "evaluate", "--model", path, "--data", root)

    assert code == 2 and "needs a detector" in err


@pytest.mark.slow
def test_the_document_says_what_bccd_reaches(capsys, shared_data, tmp_path):
    document = (Path(__file__).parents[2] / "docs" / "results.md").read_text()
    words = (
        "--model",
        "bccd",
        "--data",
        shared_data / "bccd",
        "--split",
        "val",
        "--cache",
        tmp_path / "c",
        "--json",
    )
    names = {"voc07": "VOC07 11-point AP", "voc12": "VOC12 AP", "coco": "COCO AP"}

    for metric, name in names.items():
        answer = json.loads(run(capsys, "evaluate", *words, "--metric", metric)[1])
        numbers = [answer["ap"], *answer["per_class"].values()]
        assert f"| {name} | {' | '.join(f'{number:.4f}' for number in numbers)} |" in document
    assert f"COCO AP50 {answer['ap50']:.4f}" in document
    for score, written in (("0.01", ".01"), ("0.5", ".5")):
        said = json.loads(run(capsys, "missed", *words, "--score", score)[1])
        verdicts = [
            said["missed"][key] for key in ("no_box", "low_score", "beyond_top_k", "suppressed", "claimed")
        ]
        row = " | ".join(str(count) for count in verdicts)
        assert f"| {written} | {said['found']:,} | {row} |" in document


@pytest.mark.parametrize("metric", ["voc07", "coco"])
def test_data_without_any_object_has_no_ap_and_says_so(capsys, tmp_path, metric):
    write_picture(tmp_path / "bare" / "JPEGImages" / "a.png")
    (tmp_path / "bare" / "Annotations").mkdir()
    (tmp_path / "bare" / "Annotations" / "a.xml").write_bytes(voc(size=(60, 40)))
    words = ("evaluate", "--detections", found(tmp_path / "bare", []), "--ground-truth", tmp_path / "bare")

    code, out, err = run(capsys, *words, "--metric", metric)
    _, answer, _ = run(capsys, *words, "--metric", metric, "--json")

    assert code == 0 and "–" in out and "no object counts" in err
    assert json.loads(answer) == {
        "metric": metric, "ap": None, "ap50": None, "per_class": {}, "num_pictures": 1, "num_objects": 0
    }  # fmt: skip
