"""The Results page in a real browser: every number is a door to its pictures."""

from __future__ import annotations

import pytest

from benchmarks.serving import served
from ssd.checkpoints import model_names
from tests.browser.waiting import expect, still
from tests.pages.test_results import write_scenes

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif("shapes" not in model_names(), reason="the model `shapes` is not shipped here"),
]
PATIENCE_MS = 90_000  # a busy machine is no bug


@pytest.fixture(scope="module")
def results_url(tmp_path_factory):
    """The explorer on a small data set, with a cache of its own."""
    folder = tmp_path_factory.mktemp("results")
    write_scenes(folder / "roots" / "scenes", range(40, 44))
    environment = {"SSD_DATA_ROOTS": str(folder / "roots"), "XDG_CACHE_HOME": str(folder / "cache")}
    with served(log=folder / "server.log", environment=environment) as server:
        yield f"{server.url}/results?rsplit=all"


def test_a_click_on_the_funnel_shows_its_pictures_and_a_picture_opens_with_its_object(results_url, open_tab):
    tab = open_tab(f"{results_url}&rscore=0.9&verdict=found")
    tab.set_default_timeout(PATIENCE_MS)
    bars = tab.locator(".st-key-funnel_chart .barlayer .point path")
    bars.first.wait_for()
    counts = [int(text) for text in tab.locator(".st-key-funnel_chart .barlayer text").all_text_contents()]
    tab.get_by_text("Training cover of all missed objects").wait_for()

    bars.nth(len(counts) - 2).click(force=True)  # the chart listens above its bars

    tab.get_by_text("Open", exact=True).first.wait_for()
    expect(tab.get_by_text("Open", exact=True)).to_have_count(min(8, counts[-2]))
    still(tab)
    tab.get_by_text("Open", exact=True).first.click()
    tab.get_by_role("heading", name="Detections").wait_for()
    tab.locator("canvas").first.wait_for()
    tab.wait_for_url("**/detections?**")
    tab.wait_for_function("location.search.includes('source=scenes') && location.search.includes('object=')")
    tab.wait_for_function("location.search.includes('score=0.9')")


def test_a_cell_of_the_confusion_matrix_opens_its_pictures(results_url, open_tab):
    tab = open_tab(f"{results_url}&results=confusion&rscore=0.3", height=1300)
    tab.set_default_timeout(PATIENCE_MS)
    squares = tab.locator(".st-key-confusion_chart .scatterlayer .point")
    squares.first.wait_for()
    first = tab.locator(".st-key-confusion_chart .scatterlayer text").first  # found, on the diagonal
    count = int(first.text_content())

    first.click(force=True)

    tab.get_by_text(f"{count} objects of class").wait_for()
    expect(tab.get_by_text("Open", exact=True)).to_have_count(min(8, count))
    assert "rthere=" in tab.evaluate("location.search")


@pytest.mark.parametrize("way", ["a step back", "a link"])
def test_coming_back_from_a_picture_finds_the_page_as_it_was_left(results_url, open_tab, way):
    tab = open_tab(f"{results_url}&rscore=0.3", height=1300)
    tab.set_default_timeout(PATIENCE_MS)
    tab.get_by_role("tab", name="confusion").click()
    still(tab)
    tab.get_by_text("Open", exact=True).first.click()
    tab.wait_for_function("location.pathname == '/detections' && location.search.includes('source=scenes')")
    tab.locator("canvas").first.wait_for()
    tab.wait_for_timeout(1500)  # so that the address has all of it

    if way == "a link":
        tab.get_by_test_id("stTopNavLink").filter(has_text="Results").click()
    for _ in range(
        6 if way == "a step back" else 0
    ):  # Streamlit gives each part that it adds to the address a step of its own
        tab.go_back()
        tab.wait_for_timeout(500)
        if "/results" in tab.url:
            break

    tab.wait_for_url("**/results?**")
    expect(tab.get_by_role("tab", name="confusion")).to_have_attribute("aria-selected", "true")
    expect(tab.locator("[data-testid=stSlider]").filter(has_text="Score")).to_contain_text("0.30")
    expect(tab.get_by_label("Split")).to_have_value("all")
    tab.wait_for_function("location.search.includes('results=confusion')")


def test_another_score_changes_the_numbers_and_asks_no_network(results_url, open_tab):
    tab = open_tab(f"{results_url}&results=F1+by+score")
    tab.set_default_timeout(PATIENCE_MS)
    tab.locator(".st-key-f1_chart .scatterlayer").wait_for()
    before = tab.get_by_text("F1 is").inner_text()

    tab.get_by_role("slider", name="Score").first.press("End")

    tab.wait_for_function("before => !document.body.innerText.includes(before)", arg=before)
    tab.get_by_text("F1 is").wait_for()
    expect(tab.get_by_text("The network looks at")).to_have_count(0)
