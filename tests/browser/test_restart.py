"""The server goes away and comes back: an open tab takes up where it was."""

from __future__ import annotations

import pytest

from benchmarks.serving import Server
from tests.browser.test_canvas import Canvas
from tests.browser.waiting import expect


@pytest.mark.slow
def test_an_open_tab_survives_a_restart_of_the_server(chromium, tmp_path):
    server = Server("app.py", tmp_path / "server.log")
    server.start()
    try:
        tab = chromium.new_page(viewport={"width": 1280, "height": 900})
        tab.set_default_timeout(90_000)
        tab.goto(f"{server.url}/matching?source=lesson+scenes")
        canvas = Canvas(tab)
        canvas.drag((0.29, 0.58), (0.55, 0.45))
        tab.wait_for_url("**objects=*")
        tab.wait_for_timeout(1000)
        wanted = [canvas.data(name) for name in ("positive", "forced", "objects", "scene")]

        server.stop()
        tab.wait_for_timeout(1500)
        server.start()
        tab.wait_for_selector("[data-testid=stConnectionStatus]", state="detached")
        tab.wait_for_timeout(3000)
        after = [canvas.data(name) for name in ("positive", "forced", "objects", "scene")]
        tab.locator("[data-testid=stSidebar] label:has(input[type=checkbox])").click()
        tab.wait_for_url("**strict=*")

        assert after == wanted
        assert tab.locator("[data-testid=stException]").count() == 0
        expect(tab.get_by_text("dog and ball · edited")).to_have_count(1)
        tab.close()
    finally:
        server.stop()
