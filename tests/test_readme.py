"""What the README and the documents promise can be run and be opened."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
COMMANDS = re.findall(r"^\.venv/bin/python -m ssd ((?:anchors|match) .*--json)$", README, flags=re.MULTILINE)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_to_a_file_leads_to_one(document):
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", document.read_text())

    assert [link for link in links if not (document.parent / link).exists()] == []


@pytest.mark.slow
@pytest.mark.parametrize("code", re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL))
def test_the_python_of_the_readme_runs(code):
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert run.stderr == ""
    assert run.stdout.startswith("tensor([")


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_readme_runs(command):
    arguments = [sys.executable, "-m", "ssd", *shlex.split(command)]

    run = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, check=False)

    assert (run.returncode, run.stderr) == (0, "")
    assert isinstance(json.loads(run.stdout), dict)


def test_the_readme_shows_both_commands():
    assert len(COMMANDS) == 2


def test_both_ways_to_start_install_the_same_pins():
    pair = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if line.startswith("torch")]

    assert " ".join(pair) in README
    assert ".venv/bin/pip install -r requirements.txt" in README
