"""The Your data page in a real browser: a folder, its verdict, and the doors behind it."""

from __future__ import annotations

import re

import pytest

from benchmarks.serving import served
from tests.browser.waiting import still
from tests.pages.test_your_data import write_small

pytestmark = pytest.mark.slow
PATIENCE_MS = 60_000  # a busy machine is no bug


@pytest.fixture(scope="module")
def your_data_url(tmp_path_factory):
    """The explorer on a small folder with two faults."""
    folder = tmp_path_factory.mktemp("your_data")
    write_small(folder / "roots" / "small")
    environment = {"SSD_DATA_ROOTS": str(folder / "roots"), "SSD_PRESET_ROOTS": str(folder / "presets")}
    with served(log=folder / "server.log", environment=environment) as server:
        yield f"{server.url}/your_data"


@pytest.fixture
def opened(open_tab, your_data_url):
    """The page with the parts of a link, its verdict read by the doctor."""

    def at(query="", **size):
        tab = open_tab(f"{your_data_url}?source=small{query}", **size)
        tab.set_default_timeout(PATIENCE_MS)
        tab.get_by_text("One box has no area").wait_for()
        return tab

    return at


def search(tab) -> str:
    return tab.evaluate("decodeURIComponent(location.search)")


def test_the_verdict_is_read_and_an_entry_of_the_doctor_opens_its_object(opened):
    tab = opened()
    verdict = tab.locator(".st-key-verdict").inner_text()
    assert "one dog smaller than 16 px at 300 px" in verdict

    tab.get_by_role("tab", name="doctor").click()
    tab.get_by_text("small", exact=True).last.click()
    tab.get_by_text("p03.xml: object 2").wait_for()
    still(tab)
    tab.get_by_text("Open", exact=True).first.click()

    tab.get_by_role("heading", name="Matching").wait_for()
    tab.wait_for_selector('canvas.ssd-canvas[data-selected-object="1"]')
    assert "source=small" in search(tab) and "image=4" in search(tab)


def test_the_worst_object_opens_matching_with_its_anchors(opened):
    tab = opened("&ytab=coverage&yanchors=ssd300-coco&yrule=overwrite&ythreshold=0.6&yby=class")
    tab.locator(".st-key-groups_class path.box").first.wait_for(state="attached")

    still(tab)
    tab.get_by_text("Open", exact=True).first.click()

    tab.get_by_role("heading", name="Matching").wait_for()
    tab.wait_for_selector('canvas.ssd-canvas[data-selected-object="1"]')
    for part in ("anchors=ssd300-coco", "rule=overwrite", "threshold=0.6", "object=1", "image=4"):
        assert part in search(tab)
    sidebar = tab.get_by_test_id("stSidebar")
    assert sidebar.get_by_role("combobox", name="Anchors").input_value() == "ssd300-coco"
    assert sidebar.get_by_role("combobox", name="Matching rule").input_value() == "overwrite"


def test_the_optimiser_runs_a_few_steps_is_stopped_and_keeps_the_best(opened):
    tab = opened("&ytab=fit+anchors&ybudget=long%3A+200")
    tab.get_by_role("button", name="Start").click()
    tab.get_by_text(re.compile(r"^Generation [1-9]\d* of 200$")).wait_for()
    tab.get_by_text("configurations measured").wait_for()

    tab.get_by_role("button", name="Stop").click()

    tab.get_by_text("Stopped after generation").wait_for()
    tab.get_by_text("Before and after on val").wait_for()
    tab.get_by_text("Fitted anchors would").wait_for()
    assert tab.get_by_role("button", name="Start").is_enabled()


def test_a_phone_has_the_verdict_on_its_first_screen(opened):
    tab = opened(width=400, height=800)

    box = tab.locator(".st-key-verdict").bounding_box()
    assert box["y"] + box["height"] < 800
    assert tab.evaluate("document.documentElement.scrollWidth") <= 400
