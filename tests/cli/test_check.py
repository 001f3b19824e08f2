"""``check``: what people read, what programs read, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ssd.cli import main
from tests.checks.builders import CAT, NUM, devkit, fingerprint, picture_bytes, write_xml
from tests.data.test_voc import an_object

ROOT = Path(__file__).parents[2]
KEYS = [
    "data", "kind", "split", "size_px", "num_pictures", "num_objects", "num_read", "num_empty", "errors",
    "warnings", "notes", "counts", "problems", "classes", "by_split", "passed_over",
]  # fmt: skip


@pytest.fixture
def root(tmp_path):
    return devkit(tmp_path / "street")


def run(capsys, *words):
    """Exit code, stdout, stderr."""
    code = main(["check", *map(str, words)])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_a_clean_set_is_two_lines_and_exit_0(capsys, root):
    code, out, err = run(capsys, root)

    assert (code, err) == (0, "")
    assert out.splitlines() == [
        f"street: {NUM} pictures ({NUM} opened, 0 without objects), {2 * NUM} objects of 2 classes",
        "0 errors, 0 warnings, 0 notes",
    ]


def test_problems_are_grouped_with_rule_and_remedy_and_exit_3(capsys, root):
    for number in range(5):
        write_xml(root / "Annotations" / f"p{number:02}.xml", CAT, an_object("dog", (30, 9, 11, 40)))

    code, out, _ = run(capsys, root, "--list", 2)

    assert code == 3
    lines = out.splitlines()
    assert lines[1] == "5 errors, 1 warnings, 0 notes"  # seven dogs are left
    assert lines[2:6] == [
        "error inverted (5): a box must have its right and bottom edges after its left and top ones; "
        "swap the corners",
        "  p00.xml: object 2: a box must have its right and bottom edges after its left and top ones, "
        "got [30, 9, 11, 40] (dog)",
        "  p01.xml: object 2: a box must have its right and bottom edges after its left and top ones, "
        "got [30, 9, 11, 40] (dog)",
        "  … and 3 more",
    ]


def test_the_json_is_strict_and_has_every_problem(capsys, root):
    for number in range(5):
        write_xml(root / "Annotations" / f"p{number:02}.xml", CAT, an_object("dog", ("nan", 9, "inf", 40)))

    code, out, _ = run(capsys, root, "--json", "--size", 600)

    answer = json.loads(out, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
    assert code == 3
    assert list(answer) == KEYS
    assert (answer["errors"], answer["warnings"], answer["size_px"]) == (5, 1, 600)
    assert answer["problems"][0]["values"] == ["nan", 9, "inf", 40]
    assert [each["num_objects"] for each in answer["classes"]] == [NUM, NUM - 5]


def test_a_warning_alone_is_exit_0(capsys, root):
    (root / "JPEGImages" / "p03.png").write_bytes(picture_bytes(2))

    code, out, _ = run(capsys, root)

    assert code == 0
    assert "warning duplicate-picture (1)" in out


def test_classes_that_are_given_settle_the_names(capsys, root):
    assert run(capsys, root, "--classes", "cat, dog")[0] == 0
    code, out, _ = run(capsys, root, "--classes", "cat,cow", "--list", 1)
    assert code == 3
    assert f"error unknown-class ({NUM})" in out and "warning no-objects (1)" in out


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_l14_a_stop_in_the_middle_is_one_line_and_leaves_data_and_no_child(tmp_path, number, code):
    root = devkit(tmp_path / "street")
    first = root / "JPEGImages" / "p00.png"
    for copy in range(4000):
        os.link(first, root / "JPEGImages" / f"copy{copy}.png")
    before = fingerprint(root)
    slow = (
        "import sys, ssd.checks.pictures as p; look, said = p.look_at, []\n"
        "def tell(path):\n"
        "    if not said and path.name.startswith('copy'): said.append(print('go', flush=True))\n"
        "    return look(path)\n"
        "p.look_at = tell; from ssd.cli import main; sys.exit(main())"
    )
    with subprocess.Popen(
        [sys.executable, "-c", slow, "check", str(root)],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        said = process.stdout.readline()
        sent = time.monotonic()
        process.send_signal(number)
        out, err = process.communicate(timeout=60)  # a child that lived on would hold the pipes open

    assert said == "go\n"
    assert time.monotonic() - sent < 10  # on a busy machine
    assert (process.returncode, out) == (code, "")
    assert len(err.splitlines()) == 1 and err.startswith("Stopped by ")
    assert fingerprint(root) == before
