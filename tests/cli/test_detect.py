"""``detect``: pictures in, detections out, and a plain word about every picture that is bad."""

import csv
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import unicodedata
from pathlib import Path

import pytest
import torch

from ssd.checkpoints import read_weights, write_weights
from ssd.cli import main
from ssd.config import SelectionConfig
from ssd.data.images import picture_to_png, read_picture
from ssd.data.voc import read_voc
from ssd.prediction import Predictor
from tests.small_models import FORBIDDEN, lively_torchvision, small_model

ROOT = Path(__file__).parents[2]
WIDTH, HEIGHT = 150, 90


def make_png(seed=0):
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randint(0, 256, (3, HEIGHT, WIDTH), dtype=torch.uint8, generator=generator)
    return picture_to_png(noise)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "small.safetensors"
    write_weights(path, small_model("circle", "star"), card={}, half=True)
    return path


@pytest.fixture
def folder(tmp_path):
    """Two pictures, one in a folder inside."""
    (tmp_path / "in" / "more").mkdir(parents=True)
    (tmp_path / "in" / "a.png").write_bytes(make_png(1))
    (tmp_path / "in" / "more" / "b.PNG").write_bytes(make_png(2))
    (tmp_path / "in" / "notes.txt").write_text("no picture")
    (tmp_path / "in" / ".hidden.png").write_bytes(make_png(3))
    return tmp_path / "in"


@pytest.fixture
def run(capsys, weights):
    """Run detect in this process, with the small model unless the words name another."""

    def detect(*words, score=0.4):
        extra = [] if "--model" in words else ["--model", str(weights)]
        code = main(["detect", *extra, "--score", str(score), *map(str, words)])
        captured = capsys.readouterr()
        assert not FORBIDDEN.search(captured.err)
        return code, captured.out, captured.err

    return detect


def wanted_rows(weights, path, config):
    """What the package says, put together by hand."""
    loaded = read_weights(weights)
    predictor = Predictor(loaded.model, sha256="")
    picture = read_picture(path, name=path.name)
    found = predictor.select(predictor.predict(picture.pixels), config).detections
    for box, label, score in zip(found.boxes, found.labels, found.scores, strict=True):
        x1, y1, x2, y2 = (box * torch.tensor([WIDTH, HEIGHT, WIDTH, HEIGHT])).tolist()
        yield path.name, int(label), ("circle", "star")[label - 1], [x1, y1, x2 - x1, y2 - y1], float(score)


def test_json_is_one_array_of_what_the_package_detects(run, folder, weights):
    code, out, err = run(folder / "a.png", "--nms", ".3", "--top-k", "50", "--max", "30", "--json")

    rows = json.loads(out)
    limits = SelectionConfig(score_threshold=0.4, nms_threshold=0.3, top_k=50, max_detections=30)
    wanted = list(wanted_rows(weights, folder / "a.png", limits))
    assert (code, err) == (0, "")
    assert len(rows) == len(wanted) == 30
    for row, (name, label, category, bbox, score) in zip(rows, wanted, strict=True):
        assert list(row) == ["image_id", "category_id", "category", "bbox", "score"]
        assert (row["image_id"], row["category_id"], row["category"]) == (name, label, category)
        assert row["bbox"] == pytest.approx(bbox, abs=1e-3)
        assert row["score"] == pytest.approx(score, abs=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "changed"),
    [
        (["--nms", "0.1"], {"nms_threshold": 0.1}),
        (["--top-k", "3"], {"top_k": 3}),
        (["--max", "4"], {"max_detections": 4}),
        (["--agnostic"], {"class_agnostic": True}),
        (["--nms-kind", "soft"], {"nms_kind": "soft"}),
        (["--nms-kind", "soft", "--sigma", "0.1"], {"nms_kind": "soft", "soft_sigma": 0.1}),
        ([], {}),
    ],
)
def test_each_limit_is_the_models_unless_it_is_given(run, folder, weights, words, changed):
    _, out, _ = run(folder / "a.png", "--json", *words)

    wanted = list(
        wanted_rows(weights, folder / "a.png", SelectionConfig(**{"score_threshold": 0.4, **changed}))
    )
    assert len(json.loads(out)) == len(wanted)
    assert [row["score"] for row in json.loads(out)] == pytest.approx([row[-1] for row in wanted], abs=1e-6)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--nms-kind", "sofd"], "did you mean soft"),
        (["--sigma", "0"], "must be a number above 0"),
        (["--sigma", "nan"], "must be a number above 0"),
    ],
)
def test_a_kind_of_nms_that_is_none_is_refused(run, folder, words, said):
    code, out, err = run(folder / "a.png", "--json", *words)

    assert (code, out) == (2, "")
    assert said in err


def test_a_higher_score_threshold_gives_fewer(run, folder):
    counts = [len(json.loads(run(folder / "a.png", "--json", score=score)[1])) for score in (0.35, 0.45, 1.0)]

    assert counts[0] > counts[1] > counts[2] == 0


def test_a_folder_means_its_pictures_also_further_down_but_not_hidden_ones(run, folder):
    code, out, err = run(folder, "--json")

    assert code == 0
    assert list(dict.fromkeys(row["image_id"] for row in json.loads(out))) == ["a.png", "b.PNG"]
    assert err == "1 of 2 pictures\n2 of 2 pictures\n"


def test_a_pattern_means_its_files_and_each_file_counts_once(run, folder):
    pattern, path = folder / "*.png", folder / "a.png"

    once, twice = run(pattern, "--json"), run(pattern, path, path, folder / "**/[a]*", "--json")

    assert json.loads(once[1]) == json.loads(twice[1]) != []
    assert twice[0] == 0


def test_bad_pictures_are_listed_at_the_end_and_good_ones_kept(run, folder):
    (folder / "0.jpg").write_bytes(b"hello, no picture")
    (folder / "c.png").write_bytes(make_png()[:-20])

    code, out, err = run(folder, folder / "gone.png", "--json")

    assert code == 3
    assert {row["image_id"] for row in json.loads(out)} == {"a.png", "b.PNG"}
    listed = err.splitlines()
    assert listed[:4] == [f"{n} of 4 pictures" for n in (1, 2, 3, 4)]
    assert listed[4] == "error: 3 of 5 could not be used:"
    assert sorted(line.split(":")[0].strip() for line in listed[6:]) == ["0.jpg", "c.png"]
    assert "No pictures under" in listed[5]
    assert "gone.png" in listed[5]


def test_one_bad_picture_alone_is_one_sentence(run, tmp_path):
    (tmp_path / "bad.jpg").write_bytes(b"hello")

    code, out, err = run(tmp_path / "bad.jpg", "--json")

    assert (code, json.loads(out), err.count("\n")) == (3, [], 1)
    assert err.startswith("error: bad.jpg:")


@pytest.mark.parametrize("word", ["nothing/*.jpg", "gone", "empty", "nul\0.png", "x" * 5000])
def test_no_pictures_says_where_it_looked(run, tmp_path, monkeypatch, word):
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)

    code, out, err = run(word, "--json")

    assert (code, out, err.count("\n")) == (3, "", 1)
    assert "No pictures under" in err


def test_a_pipe_a_socket_and_a_dangling_link_are_counted_and_do_not_block(run, folder):
    os.mkfifo(folder / "pipe.png")
    os.mkfifo(folder / "more" / "pipe")
    (folder / "link.png").symlink_to(folder / "nowhere")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(folder / "socket"))

    code, out, err = run(folder, "--json")

    assert code == 0
    assert list(dict.fromkeys(row["image_id"] for row in json.loads(out))) == ["a.png", "b.PNG"]
    noted = "note: 4 left out, no plain file: 1 link that leads nowhere, 2 pipe, 1 socket."
    assert err.splitlines()[0] == noted
    assert run(folder / "pipe.png", "--json")[0] == 3
    assert run(folder / "link.png", "--json")[0] == 3


@pytest.mark.slow
@pytest.mark.parametrize(("here", "typed"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_a_name_is_found_in_the_other_unicode_spelling_and_that_is_noted(run, tmp_path, here, typed):
    folder = tmp_path / unicodedata.normalize(here, "Fußgänger")
    folder.mkdir()
    (folder / unicodedata.normalize(here, "é.png")).write_bytes(make_png())
    word = tmp_path / unicodedata.normalize(typed, "Fußgänger") / unicodedata.normalize(typed, "é.png")

    code, out, err = run(word, "--json")

    assert code == 0
    assert {row["image_id"] for row in json.loads(out)} == {unicodedata.normalize(here, "é.png")}
    assert err.startswith("note: ")
    assert "another Unicode spelling" in err
    assert run(word.parent, "--json")[0] == run(word.with_name(f"{word.stem}*.png"), "--json")[0] == 0
    assert run(word.with_name("e.png"), "--json")[0] == 3


@pytest.mark.parametrize(
    "name", ["-x.png", "a b.png", "new\nline.png", os.fsdecode(b"\xff\xfe.png"), "é😀[1].png"]
)
@pytest.mark.parametrize("form", ["json", "lines", "csv", "voc", "coco"])
def test_odd_file_names_are_processed(run, tmp_path, monkeypatch, name, form):
    monkeypatch.chdir(tmp_path)
    Path(name).write_bytes(make_png())
    words = {"json": ["--json"], "lines": []}.get(form, ["--format", form, "--out", "out"])

    code, out, err = run(*words, "--", name)

    assert (code, err) == (0, "")
    if form == "json":
        assert {row["image_id"] for row in json.loads(out)} == {name}
    if form == "coco":
        assert {row["image_id"] for row in json.loads(Path("out/detections.json").read_text())} == {name}
    if form == "csv":
        assert os.fsencode(name) in Path("out/detections.csv").read_bytes()
    if form == "voc":
        assert os.listdir("out") == [name.removesuffix(".png") + ".xml"]


@pytest.mark.slow
def test_the_files_hold_what_json_prints(run, folder, tmp_path):
    printed = json.loads(run(folder, "--json")[1])

    for form in ("coco", "csv", "voc"):
        assert run(folder, "--format", form, "--out", tmp_path / "out")[0] == 0

    assert json.loads((tmp_path / "out/detections.json").read_text()) == printed
    table = list(csv.DictReader((tmp_path / "out/detections.csv").read_text().splitlines()))
    assert [[float(line[key]) for key in ("x", "y", "width", "height")] for line in table] == [
        row["bbox"] for row in printed
    ]
    assert sorted(os.listdir(tmp_path / "out")) == ["a.xml", "b.xml", "detections.csv", "detections.json"]


def test_voc_files_are_read_by_our_reader(run, folder, tmp_path):
    words = ("--nms", "0.01", "--max", "5")
    printed = json.loads(run(folder / "a.png", "--json", *words)[1])
    run(folder / "a.png", "--format", "voc", "--out", tmp_path / "out", *words)

    objects = read_voc(tmp_path / "out/a.xml").objects

    assert len(objects) == len(printed) > 0
    for item, row in zip(objects, printed, strict=True):
        x, y, width, height = row["bbox"]
        assert item.box_px == pytest.approx((x, y, x + width, y + height), abs=1e-6)
        assert item.name == row["category"]


def test_pictures_of_one_name_get_files_of_their_own(run, folder, tmp_path):
    (folder / "a.bmp").write_bytes(make_png(5))  # the content decides
    (folder / "more" / "a.png").write_bytes(make_png(6))

    assert run(folder, "--format", "voc", "--out", tmp_path / "out")[0] == 0

    assert sorted(os.listdir(tmp_path / "out")) == ["2-a.png.xml", "3-a.png.xml", "a.bmp.xml", "b.xml"]


@pytest.mark.parametrize(
    ("form", "name"), [("coco", "detections.json"), ("csv", "detections.csv"), ("voc", "a.xml")]
)
def test_an_existing_file_is_only_replaced_with_force(run, folder, tmp_path, form, name):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / name).write_text("old")
    words = (folder / "a.png", "--format", form, "--out", tmp_path / "out")

    code, out, err = run(*words)

    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "--force" in err
    assert (tmp_path / "out" / name).read_text() == "old"

    assert run(*words, "--force")[0] == 0
    assert (tmp_path / "out" / name).read_text() != "old"


def test_existing_files_are_noticed_before_the_first_picture_and_before_the_model(run, folder, tmp_path):
    (tmp_path / "detections.csv").write_text("old")

    code, _, err = run(folder, "--format", "csv", "--out", tmp_path, "--model", "no such model")

    assert code == 2
    assert "1 of 2" not in err


@pytest.mark.parametrize("words", [["--format", "csv"], ["--out", "there"]])
def test_format_and_out_go_together(run, folder, words):
    code, out, err = run(folder, *words)

    assert (code, out) == (2, "")
    assert "--format and --out go together" in err


def test_out_must_be_a_folder(run, folder, tmp_path):
    (tmp_path / "file").touch()

    assert run(folder, "--format", "csv", "--out", tmp_path / "file")[0] == 2
    code, _, err = run(folder, "--format", "csv", "--out", tmp_path / "file" / "further")
    assert code == 6
    assert "could not be written" in err


def test_for_people_there_is_a_line_for_each_picture_and_detection(run, folder):
    code, out, _ = run(folder / "a.png", "--max", "1")

    first, second = out.splitlines()
    assert code == 0
    assert first == "a.png (150 × 90): 1 detection"
    assert second.split()[1] in ("circle", "star")


@pytest.mark.parametrize(
    ("model", "code", "words"),
    [
        ("nothing", 4, "There is no model and no file 'nothing'"),
        ("ssd300_vgg1", 4, "did you mean ssd300_vgg16?"),
        ("nothing.safetensors", 4, "nothing.safetensors is missing"),
        ("../../etc/passwd", 4, "is missing"),
        ("ssd300_vgg16", 4, "fetch them with"),
    ],
)
def test_a_model_that_is_not_there_is_exit_4(run, folder, tmp_path, monkeypatch, model, code, words):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)

    found, out, err = run(folder, "--model", model)

    assert (found, out, err.count("\n")) == (code, "", 1)
    assert words in err


def test_without_a_model_the_names_are_listed(capsys, folder):
    code = main(["detect", str(folder)])

    err = capsys.readouterr().err
    assert code == 2
    assert "ssdlite320_mobilenet_v3_large" in err


def test_weights_go_with_torchvisions_names_only(run, folder, weights):
    code, _, err = run(folder, "--weights", weights, "--model", weights)

    assert code == 2
    assert "--weights goes with one of ssd300_vgg16" in err


def test_a_damaged_model_is_exit_4_and_a_missing_checksum_a_note(run, folder, weights, tmp_path):
    copy = tmp_path / "copy.safetensors"
    copy.write_bytes(weights.read_bytes())

    code, _, err = run(folder / "a.png", "--model", copy)

    assert code == 0
    assert err.startswith("note: copy.safetensors was not verified")
    copy.write_bytes(weights.read_bytes()[:-1])
    assert run(folder / "a.png", "--model", copy)[0] == 4


@pytest.mark.slow
def test_a_torchvision_state_dict_gives_torchvisions_detections_with_coco_ids(folder, tmp_path, capsys):
    network = lively_torchvision(
        "ssdlite320_mobilenet_v3_large", read_picture(folder / "a.png", name="a").pixels
    )
    torch.save(network.state_dict(), tmp_path / "lite.pth")
    words = ["--model", "ssdlite320_mobilenet_v3_large", "--weights", str(tmp_path / "lite.pth")]

    code = main(["detect", str(folder / "a.png"), *words, "--score", ".2", "--json"])
    rows = json.loads(capsys.readouterr().out)

    network.score_thresh = 0.2
    picture = read_picture(folder / "a.png", name="a").pixels / 255
    with torch.no_grad():
        (wanted,) = network([picture])
    assert code == 0
    assert len(rows) == len(wanted["scores"]) > 10
    assert sorted(row["category_id"] for row in rows) == sorted(wanted["labels"].tolist())
    found = torch.tensor([row["bbox"] for row in rows])
    found[:, 2:] += found[:, :2]
    far = (found[:, None] - wanted["boxes"]).abs().amax(dim=2).min(dim=0).values
    assert far.max() < 1e-4 * HEIGHT


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stop_keeps_the_pictures_that_are_done(tmp_path, weights, number, code):
    first = tmp_path / "0.png"
    first.write_bytes(make_png())
    for copy in range(1, 400):
        os.link(first, tmp_path / f"{copy}.png")
    process = subprocess.Popen(
        [sys.executable, "-m", "ssd", "detect", str(tmp_path), "--model", str(weights), "--json", "--max=1"],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr.readline() == "20 of 400 pictures\n"

    sent = time.monotonic()
    process.send_signal(number)
    out, err = process.communicate(timeout=60)

    assert time.monotonic() - sent < 15  # one more picture and what is printed, on a busy machine
    assert process.returncode == code
    done = {row["image_id"] for row in json.loads(out)}
    assert 20 <= len(done) < 400
    said = err.splitlines()[-1]
    assert said.startswith("Stopped by ")
    assert said.endswith(f"; the {len(done)} picture(s) done so far are kept.")


@pytest.mark.slow
def test_the_process_prints_the_array_alone_also_where_the_locale_is_plain_ascii(folder, weights):
    (folder / "é\n.png").write_bytes(make_png(8))
    words = ["detect", str(folder), "--model", str(weights), "--score", ".45"]
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"}
    environment = {**os.environ, **plain}

    started = [
        subprocess.Popen(
            [sys.executable, "-m", "ssd", *words, *more],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment,
        )
        for more in (["--json"], [])
    ]  # fmt: skip
    (array, _), (_, said) = (process.communicate() for process in started)

    assert [process.returncode for process in started] == [0, 0]
    assert {row["image_id"].isascii() for row in json.loads(array)} == {True, False}
    assert b"3 of 3 pictures" in said


@pytest.mark.parametrize(
    ("option", "value"), [("--nms", "0"), ("--nms", "1.01"), ("--nms", "nan"), ("--score", "-0.1")]
)
def test_a_threshold_out_of_range_is_refused_with_its_range(run, folder, option, value):
    code, out, err = run(folder, f"{option}={value}")

    assert (code, out, err.count("\n")) == (2, "", 1)
    assert re.search("0–1|above 0 and at most 1", err)
