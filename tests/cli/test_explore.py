"""``explore``: refuses before anything starts; serves one data set by name; leaves nothing behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from benchmarks.serving import free_port
from ssd.cli import main
from ssd.cli.explore import _offered, page_address
from tests.data.test_voc import an_object

ROOT = Path(__file__).parents[2]
XML = "<annotation><size><width>40</width><height>30</height></size>{}</annotation>"


@pytest.fixture
def cells(tmp_path):
    """A devkit with one annotation; what lies beside it must not be offered."""
    root = tmp_path / "my cells"
    for name in ("Annotations", "JPEGImages"):
        (root / name).mkdir(parents=True)
    (root / "Annotations" / "a.xml").write_text(XML.format(an_object("cell", (2, 2, 20, 20))))
    (root / "JPEGImages" / "a.jpg").write_bytes(b"never opened")
    (tmp_path / "private").mkdir()
    return root


def refused(capsys, *words):
    """Exit code and the one line on stderr."""
    code = main(["explore", *map(str, words)])
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.count("\n") == 1
    return code, captured.err


def test_a_folder_that_is_no_data_set_is_refused_before_anything_starts(capsys, tmp_path):
    code, said = refused(capsys, tmp_path)

    assert code == 3 and "data set" in said


def test_a_model_that_there_is_not_is_refused(capsys, cells):
    code, said = refused(capsys, cells, "--model", "bcdd")

    assert code == 4 and "did you mean bccd" in said


def test_a_port_in_use_is_refused(capsys, cells):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        code, said = refused(capsys, cells, "--port", taken.getsockname()[1])

    assert code == 6 and "in use" in said


def test_the_link_names_the_data_set_and_never_its_path():
    assert page_address(1, source="a&b/c") == "http://localhost:1/your_data?source=a%26b%2Fc"


def test_only_the_data_set_is_offered_under_its_name(cells, monkeypatch):
    from pages.shared import sources

    with _offered(cells) as root:
        monkeypatch.setenv("SSD_DATA_ROOTS", str(root))
        assert list(sources.folder_paths()) == ["my cells"]
        assert len(sources.open_folder("my cells")) == 1

    assert not root.exists() and (cells / "Annotations" / "a.xml").is_file()


@pytest.mark.parametrize("name", ["upload", "a\nb"])
def test_a_name_that_the_pages_cannot_use_is_replaced(tmp_path, name):
    (tmp_path / name).mkdir()

    with _offered(tmp_path / name) as root:
        assert [child.name for child in root.iterdir()] == ["data"]


@pytest.mark.slow
def test_the_server_runs_until_ctrl_c_and_leaves_nothing(cells, tmp_path):
    port, temporary = free_port(), tmp_path / "temporary"
    temporary.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "ssd", "explore", str(cells), "--no-browser", "--port", str(port)],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "TMPDIR": str(temporary)},
    )  # fmt: skip
    try:
        line = process.stdout.readline()
        with urllib.request.urlopen(f"http://localhost:{port}/_stcore/health", timeout=10) as answer:
            up = answer.status == 200
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()

    assert up and page_address(port, source="my cells") in line
    assert process.returncode == 130 and "Traceback" not in said
    assert not list(temporary.glob("ssd-explore-*"))
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0
