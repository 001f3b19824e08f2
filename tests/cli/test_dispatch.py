"""Exit codes, help, suggestions, and ways to stop."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ssd.cli import main
from ssd.cli.dispatch import COMMANDS
from ssd.errors import (
    BoxError,
    CheckpointError,
    ConfigError,
    DataError,
    NumericError,
    ResourceError,
)
from tests.small_models import FORBIDDEN

ROOT = Path(__file__).parents[2]


def run(capsys, *words):
    code = main(list(words))
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def start(*words):
    """The command line in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "ssd", *words],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip


def test_without_arguments_there_is_help_and_exit_2(capsys):
    code, out, err = run(capsys)

    assert (code, out) == (2, "")
    for command in COMMANDS:
        assert command.name in err


@pytest.mark.parametrize(
    ("words", "nearest"),
    [
        (["detct", "a.jpg"], "did you mean detect?"),
        (["anchors", "--preset", "paper", "--jsn"], "did you mean --json?"),
        (["anchors", "--preset=paper", "--noclip"], "did you mean --no-clip?"),
        (["anchors", "--preset", "papr"], "did you mean paper?"),
        (["match", "--boxes", "", "--size", "9,9", "--rule", "bipartit"], "did you mean bipartite?"),
        (["match", "--boxes", "", "--size", "9,9", "--treshold=.5"], "did you mean --threshold?"),
        (["detect", "a.jpg", "--format", "cvs"], "did you mean csv?"),
    ],
)
def test_a_word_that_is_nearly_right_gets_a_suggestion(capsys, words, nearest):
    code, out, err = run(capsys, *words)

    assert (code, out) == (2, "")
    assert nearest in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "words",
    [
        ["anchors"],
        ["anchors", "--preset"],
        ["anchors", "--preset", "paper", "more"],
        ["match", "--boxes", "", "--size", "9,9", "--threshold", "1.5"],
        ["match", "--boxes", "", "--size", "9,9", "--threshold", "nan"],
        ["detect"],
        ["detect", "a.jpg", "--score", "-0.1"],
        ["detect", "a.jpg", "--nms", "1.01"],
        ["detect", "a.jpg", "--top-k", "0"],
        ["detect", "a.jpg", "--max", "-1"],
        ["detect", "a.jpg", "--max", "9" * 5000],
        ["--json"],
    ],
)
def test_a_mistake_is_one_sentence_and_exit_2(capsys, words):
    code, out, err = run(capsys, *words)

    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert not FORBIDDEN.search(err)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("x"), 2),
        (DataError("x"), 3),
        (BoxError("x"), 3),
        (CheckpointError("x"), 4),
        (NumericError("x"), 5),
        (ResourceError("x"), 6),
        (MemoryError(), 6),
        (OSError(28, "No space left on device"), 6),
        (KeyboardInterrupt(), 130),
        (ValueError("secret at 0x7ffffff"), 1),
    ],
    ids=lambda thing: type(thing).__name__,
)
def test_each_kind_of_error_has_its_exit_code_and_one_line(capsys, monkeypatch, error, code):
    def fail(options):
        raise error

    monkeypatch.setattr("ssd.cli.dispatch._run", fail)

    found, out, err = run(capsys, "anchors")

    assert (found, out, err.count("\n")) == (code, "", 1)
    assert not FORBIDDEN.search(err)


def test_debug_shows_the_traceback_and_nothing_else_does(capsys):
    words = ("match", "--boxes", "9,9,1,1", "--size", "9,9")

    _, _, plain = run(capsys, *words)
    code, _, debug = run(capsys, *words, "--debug")

    assert code == 3
    assert "Traceback" not in plain
    assert "Traceback" in debug
    assert debug.endswith(plain)


@pytest.mark.slow
def test_the_process_answers_as_the_function_does():
    done = start("anchors", "--preset", "lesson-multi", "--json")
    wrong = start("anchors", "--preset", "lesson")

    out, err = done.communicate()
    assert (done.returncode, err) == (0, "")
    assert out.startswith(
        '{"preset": "lesson-multi", "count": 189, "per_level": [144, 36, 9], "sum_xyxy": [68.2'
    )
    out, err = wrong.communicate()
    assert (wrong.returncode, out, err.count("\n")) == (2, "", 1)


def test_help_and_mistakes_do_not_wait_for_torch():
    code = (
        "import sys; from ssd.cli import main\n"
        "codes = [main([]), main(['anchors', '--preset', 'x']), main(['detct'])]\n"
        "print(codes, sorted({'torch', 'numpy', 'PIL'} & set(sys.modules)))"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )

    assert done.stdout == "[2, 2, 2] []\n"


@pytest.fixture
def slow_torch(tmp_path, monkeypatch):
    """A torch that never finishes being imported, so that a signal surely arrives meanwhile."""
    (tmp_path / "torch.py").write_text(
        "import sys, time; print('here', file=sys.stderr, flush=True); time.sleep(60)"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_during_the_import_ends_it_in_one_line_and_two_seconds(slow_torch, number, code):
    process = start("anchors", "--preset", "paper")
    assert process.stderr.readline() == "here\n"

    sent = time.monotonic()
    process.send_signal(number)
    out, err = process.communicate(timeout=60)

    assert time.monotonic() - sent < 2
    assert (process.returncode, out, err.count("\n")) == (code, "", 1)
    assert err.startswith("Stopped by")
