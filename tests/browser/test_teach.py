"""Teach it this picture, in Chromium: it is learned, a broken rule shows, a lesson can be stopped.

The real child trains here. Nothing is measured: on a busy machine a lesson may take a minute.
"""

from __future__ import annotations

import re

import pytest

from tests.browser.waiting import expect

PATIENCE_MS = 240_000
DOG = "learning?source=lesson+scenes"
LONG = "learning?source=lesson+scenes&lesson=crowded&broken=no+variances"  # takes all its steps
PAIR = "learning?source=lesson+scenes&lesson=orphan+pair"


@pytest.fixture
def learning(open_tab, app_url):
    """Open the page; ready when the button can be pressed."""

    def opened(path: str, **options):
        tab = open_tab(f"{app_url}/{path}", **options)
        tab.set_default_timeout(PATIENCE_MS)
        tab.wait_for_selector("canvas.ssd-canvas[data-ver]")
        tab.wait_for_selector("[data-testid=stStatusWidget]", state="detached")
        return tab

    return opened


def button(tab, name: str):
    return tab.get_by_role("button", name=name)


def begin(tab) -> None:
    button(tab, "Teach it this picture").click()
    button(tab, "Stop").wait_for()


def wait_for_the_end(tab) -> None:
    button(tab, "Teach it this picture").wait_for()
    tab.wait_for_selector("[data-testid=stStatusWidget]", state="detached")


def said(tab, pattern: str):
    return tab.get_by_text(re.compile(pattern)).first


def test_a_scene_is_taught_and_its_objects_are_found(learning):
    tab = learning(DOG)
    begin(tab)
    tab.wait_for_selector("canvas[data-mode=detections]")
    canvas = tab.locator("canvas.ssd-canvas").first
    waiting, painted = int(canvas.get_attribute("data-n")), int(canvas.get_attribute("data-ver"))
    wait_for_the_end(tab)

    for name in ("dog", "ball", "bird"):
        said(tab, rf"^{name}: found at jaccard 0\.9\d after \d+ steps\.$").wait_for()
    said(tab, "the network finds 3 of 3").wait_for()
    tab.wait_for_selector("canvas[data-kept='3']")
    assert waiting > 0
    reports = int(tab.locator("[data-testid=stMetricValue]").first.inner_text()) // 2
    assert int(canvas.get_attribute("data-ver")) - painted > reports  # the boxes glide from look to look


def test_a_broken_rule_stands_beside_the_one_that_works(learning):
    tab = learning(PAIR)
    begin(tab)
    wait_for_the_end(tab)
    said(tab, r"^kayak: found at").wait_for()

    tab.get_by_text("overwrite", exact=True).last.click()
    said(tab, "the later one takes it").wait_for()
    begin(tab)
    wait_for_the_end(tab)

    said(tab, r"^kayak: not found: no anchor answers for it; paddle took its best\.$").wait_for()
    said(tab, r"^kayak: found at").wait_for()  # the lesson before
    expect(tab.locator("canvas.ssd-canvas")).to_have_count(2)
    for number, kept in enumerate(("1", "2")):
        expect(tab.locator("canvas.ssd-canvas").nth(number)).to_have_attribute("data-kept", kept)
    assert tab.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth - innerWidth") <= 0


def test_a_lesson_is_stopped_and_the_next_visitor_waits_visibly(learning):
    first, second = learning(LONG), learning(DOG)
    begin(first)
    button(second, "Teach it this picture").click()
    said(second, "1 visitor before you").wait_for()
    button(first, "Stop").click()
    said(first, r"^Stopped").wait_for()
    wait_for_the_end(first)

    wait_for_the_end(second)
    said(second, r"^dog: found at").wait_for()


def test_closing_the_tab_frees_the_network(learning):
    first, second = learning(LONG), learning(DOG)
    begin(first)
    button(second, "Teach it this picture").click()
    said(second, "1 visitor before you").wait_for()
    first.close()

    wait_for_the_end(second)
    said(second, r"^dog: found at").wait_for()
