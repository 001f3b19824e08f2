"""The camera, with a picture that Chromium makes up: taken, shown, matched, and kept from the link."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks.serving import FLAGS, chromium_path
from tests.browser.test_canvas import Canvas

CAMERA = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]


@pytest.fixture
def camera_tab(chromium, app_url) -> Iterator[object]:
    """The Matching page in a browser that has a camera, and may use it."""
    browser = chromium.browser_type.launch(executable_path=chromium_path(), args=FLAGS + CAMERA)
    tab = browser.new_page(viewport={"width": 1280, "height": 900})
    tab.set_default_timeout(60_000)
    tab.goto(f"{app_url}/matching?source=camera")
    yield tab
    browser.close()


@pytest.mark.slow
def test_a_shot_of_the_camera_becomes_the_scene(camera_tab):
    canvas = Canvas(camera_tab)
    before = canvas.data("scene")

    camera_tab.get_by_test_id("stCameraInputButton").first.click()
    camera_tab.wait_for_selector(f"canvas.ssd-canvas:not([data-scene='{before}'])")
    camera_tab.wait_for_timeout(800)
    canvas.drag((0.2, 0.2), (0.6, 0.8))
    canvas.wait("objects", 1)

    assert int(canvas.data("positive")) > 0
    assert min(canvas.size()) >= 350  # not as narrow as the sidebar
    assert "objects=" not in camera_tab.url
    assert camera_tab.locator("[data-testid=stException]").count() == 0
