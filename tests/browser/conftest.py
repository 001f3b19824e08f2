"""A real Chromium, a real server: fixtures for every test in this folder.

Where Chromium is not to be had these tests skip with a reason; with ``SSD_REQUIRE_ALL=1``
the skip is a failure (``tests/conftest.py``). Whatever a page writes to the browser's
console as an error fails the test that opened it.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
START_SECONDS = 90
# A page opened by its address first looks for the server below that address: a 404 each.
HARMLESS = ("/_stcore/", "Unrecognized feature:", "favicon", "was preloaded using link preload")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here drives a browser."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


def chromium_path() -> str | None:
    """Where Chromium lies: the environment says so, or the usual places."""
    named = os.environ.get("SSD_CHROMIUM")
    return (
        named or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    )


@pytest.fixture(scope="session")
def chromium() -> Iterator[object]:
    """One browser for the session."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = chromium_path()
    if path is None:
        pytest.skip("Chromium is not installed; install it or set SSD_CHROMIUM to its path")
    with api.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def open_tab(chromium) -> Iterator[Callable]:
    """A function that opens a tab; errors in its console fail the test."""
    contexts, complaints = [], []

    def hear(message) -> None:
        where = message.location.get("url", "")
        if message.type == "error" and not any(word in f"{message.text} {where}" for word in HARMLESS):
            complaints.append(f"{message.text} ({where})")

    def open_one(url: str = "about:blank", *, width: int = 1280, height: int = 900, **options):
        context = chromium.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        tab = context.new_page()
        tab.on("console", hear)
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        tab.set_default_timeout(30_000)
        tab.goto(url)
        return tab

    yield open_one
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def tab(open_tab):
    """An empty tab."""
    return open_tab()


def _free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _is_up(url: str) -> bool:
    """Whether the server answers."""
    try:
        with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


def serve(script: str, log: Path) -> Iterator[str]:
    """Run a Streamlit script on a free port until the session ends; yields its address."""
    port = _free_port()
    url = f"http://localhost:{port}"
    command = [sys.executable, "-m", "streamlit", "run", script]
    command += ["--server.headless=true", f"--server.port={port}"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "default"}
    with log.open("wb") as out:
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=out)
    try:
        limit = time.monotonic() + START_SECONDS
        while not _is_up(url):
            if server.poll() is not None or time.monotonic() > limit:
                pytest.fail(f"the server did not start: {log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.2)
        yield url
    finally:
        server.terminate()
        try:
            server.wait(timeout=10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


@pytest.fixture(scope="session")
def app_url(tmp_path_factory) -> Iterator[str]:
    """The explorer itself."""
    yield from serve("app.py", tmp_path_factory.mktemp("app") / "server.log")


@pytest.fixture(scope="session")
def canvas_url(tmp_path_factory) -> Iterator[str]:
    """A page with one canvas and nothing else."""
    yield from serve("tests/browser/canvas_app.py", tmp_path_factory.mktemp("canvas") / "server.log")
