"""A real Chromium, a real server: fixtures for every test in this folder.

Where Chromium is not to be had these tests skip with a reason; with ``SSD_REQUIRE_ALL=1``
the skip is a failure (``tests/conftest.py``). Whatever a page writes to the browser's
console as an error fails the test that opened it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmarks.serving import FLAGS, chromium_path, served

WARNINGS = {"PYTHONWARNINGS": "default"}
# A page opened by its address first looks for the server below that address: a 404 each.
HARMLESS = ("/_stcore/", "Unrecognized feature:", "favicon", "was preloaded using link preload")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here drives a browser."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


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


@pytest.fixture(scope="session")
def profiles(chromium) -> Iterator[dict[str, object]]:
    """A profile for each set of options: it keeps Streamlit's scripts compiled, and nothing of a visitor."""
    found: dict[str, object] = {}
    yield found
    for context in found.values():
        context.close()


@pytest.fixture
def open_tab(chromium, profiles) -> Iterator[Callable]:
    """A function that opens a tab; errors in its console fail the test."""
    tabs, complaints = [], []

    def hear(message) -> None:
        where = message.location.get("url", "")
        if message.type == "error" and not any(word in f"{message.text} {where}" for word in HARMLESS):
            complaints.append(f"{message.text} ({where})")

    def open_one(url: str = "about:blank", *, width: int = 1280, height: int = 900, **options):
        options["viewport"] = {"width": width, "height": height}
        key = repr(sorted(options.items()))
        if key not in profiles:
            profiles[key] = chromium.new_context(**options)
        tab = profiles[key].new_page()
        tabs.append(tab)
        tab.on("console", hear)
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        tab.set_default_timeout(30_000)
        tab.goto(url)
        return tab

    yield open_one
    for tab in tabs:
        if not tab.is_closed() and tab.url.startswith("http"):
            tab.evaluate("localStorage.clear()")
        tab.close()
    for profile in profiles.values():
        profile.clear_cookies()
    assert complaints == []


@pytest.fixture
def tab(open_tab):
    """An empty tab."""
    return open_tab()


@pytest.fixture(scope="session")
def app_url(tmp_path_factory) -> Iterator[str]:
    """The explorer itself."""
    with served(log=tmp_path_factory.mktemp("app") / "server.log", environment=WARNINGS) as server:
        yield server.url


@pytest.fixture(scope="session")
def canvas_url(tmp_path_factory) -> Iterator[str]:
    """A page with one canvas and nothing else."""
    log = tmp_path_factory.mktemp("canvas") / "server.log"
    with served("tests/browser/canvas_app.py", log=log, environment=WARNINGS) as server:
        yield server.url
