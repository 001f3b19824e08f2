"""What a visitor leaves behind: nothing, a minute after the tab was closed."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from benchmarks.serving import served

SCRIPT = """
import builtins
import weakref

import streamlit as st

from pages.shared import privacy

privacy.watch()


class Picture:
    pass


if "own" not in st.session_state:
    picture = Picture()
    picture.itself = picture
    weakref.finalize(picture, builtins.print, "FORGOTTEN", flush=True)
    st.session_state["own"] = picture
st.title("A page with a picture of mine")
"""


@pytest.fixture
def log(tmp_path) -> Path:
    """What the server printed."""
    return tmp_path / "server.log"


@pytest.fixture
def url(tmp_path, log):
    """A page that keeps a picture in the session, as the explorer does."""
    script = tmp_path / "page.py"
    script.write_text(SCRIPT)
    with served(str(script), log=log) as server:
        yield server.url


@pytest.mark.slow
def test_a_picture_is_forgotten_within_a_minute_of_the_closed_tab(chromium, url, log):
    tab = chromium.new_page()
    tab.goto(url)
    tab.get_by_text("A page with a picture of mine").wait_for()
    tab.reload()  # a reload is no departure
    tab.get_by_text("A page with a picture of mine").wait_for()
    before = log.read_text()

    tab.close()
    closed = time.monotonic()
    while "FORGOTTEN" not in log.read_text() and time.monotonic() - closed < 60:
        time.sleep(1)

    assert before.count("FORGOTTEN") == 0
    assert log.read_text().count("FORGOTTEN") == 2  # the session before the reload, and the one after
