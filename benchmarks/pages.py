"""From a control to the repainted picture, and from a cold start to Home. Run ``python -m benchmarks.pages``.

A latency runs from the browser's click or key to the frame after the next painting of the
canvas. Where the canvas follows a control by itself, Python's answer comes later; the second
pair of numbers runs to the frame after that was painted: the whole way through the server and
back. A cold start runs from the
launch of the server's process to the first paint of Home's title, and to its pictures.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from dataclasses import dataclass
from typing import Any

from benchmarks.serving import FLAGS, chromium_path, served

KNOBS = "s!300_300!38_38*19_19*10_10!30_60_111!60_111_162!2*2_3*2_3!!none"  # three levels of SSD300
WATCH = """
() => {
  window.latencies = [];
  window.answers = [];
  let clicked = null, asked = null;
  const start = (event) => { if (event.isTrusted) clicked = asked = event.timeStamp; };
  addEventListener("click", start, true);
  addEventListener("keydown", start, true);
  const canvas = document.querySelector("canvas.ssd-canvas") ?? [...document.querySelectorAll("*")]
    .map((node) => node.shadowRoot?.querySelector("canvas.ssd-canvas")).find(Boolean);
  let painted = canvas.dataset.ver, told = canvas.dataset.told;
  const keep = (list, since) => requestAnimationFrame(() => list.push(performance.now() - since));
  new MutationObserver(() => {
    if (canvas.dataset.ver === painted) return;
    painted = canvas.dataset.ver;
    if (clicked !== null) keep(window.latencies, clicked);
    clicked = null;
    if (asked !== null && canvas.dataset.told !== told) {
      keep(window.answers, asked);
      asked = null;
    }
    told = canvas.dataset.told;
  }).observe(canvas, { attributes: true, attributeFilter: ["data-ver"] });
}
"""


@dataclass(frozen=True)
class Latencies:
    """Milliseconds of each move, to the painted canvas and to Python's answer on it."""

    painted: list[float]
    answered: list[float]


@dataclass(frozen=True)
class Control:
    """One control of one page, and how it is moved again and again.

    Attributes:
        name: of the control.
        page: and the link's parts.
        selector: of what is clicked, or focused for ``keys``.
        keys: pressed in turn.
        options: of a select box, chosen in turn.
    """

    name: str
    page: str
    selector: str
    keys: tuple[str, ...] = ()
    options: tuple[str, ...] = ()


_SIDEBAR, _MAIN, _ARROWS = "[data-testid=stSidebar]", "[data-testid=stMain]", ("ArrowRight", "ArrowLeft")
_SELECT = f"{_SIDEBAR} [data-testid=stSelectbox]:has-text"
_SLIDER = f"{_MAIN} [data-testid=stSlider] input"
CONTROLS = (
    Control(
        "strictly greater: matches anew", "matching?seed=4", f"{_SIDEBAR} label:has(input[type=checkbox])"
    ),
    Control("match threshold", "matching?seed=4", f"{_SIDEBAR} [data-testid=stSlider] input", _ARROWS),
    Control(
        "matching rule",
        "matching?seed=4",
        f"{_SELECT}('Matching rule') input",
        options=("overwrite", "bipartite"),
    ),
    Control(
        "match threshold, with the targets",
        "assignment?seed=4",
        f"{_SIDEBAR} [data-testid=stSlider] input",
        _ARROWS,
    ),
    Control(
        "preset of anchors",
        "matching?seed=4",
        f"{_SELECT}('Anchors') input",
        options=("ssd300-coco", "ssd300-voc"),
    ),
    Control("level of the anchors", "anchors?seed=4", f"{_MAIN} [data-testid=stButtonGroup] button"),
    Control(
        "knob: size of a level", "anchors?seed=4&side=knobs&anchors=custom&knobs=" + KNOBS, _SLIDER, _ARROWS
    ),
    Control("NMS threshold: selects anew", "detections?seed=4", "[aria-label='NMS threshold']", _ARROWS),
)


def cold_start(browser: Any) -> tuple[float, float]:
    """Seconds from launch to Home's title, and to its pictures."""
    with served() as server:
        tab = browser.new_page(viewport={"width": 1280, "height": 900})
        tab.set_default_timeout(120_000)
        tab.goto(server.url, wait_until="commit")
        tab.wait_for_selector("h1")
        title = time.perf_counter() - server.launched
        tab.wait_for_selector("[data-testid=stMain] img")
        pictures = time.perf_counter() - server.launched
        tab.close()
    return title, pictures


def latencies(profile: Any, url: str, control: Control, *, moves: int) -> Latencies:
    """Milliseconds of each move of a control."""
    tab = profile.new_page()
    tab.set_default_timeout(120_000)
    tab.goto(f"{url}/{control.page}")
    tab.wait_for_selector("canvas.ssd-canvas[data-ver]")
    tab.wait_for_timeout(1500)
    tab.evaluate(WATCH)
    handles = tab.locator(control.selector)
    for move in range(moves):
        seen = tab.evaluate("latencies.length")
        if control.options:
            handles.first.click()
            tab.get_by_role("option", name=control.options[move % 2], exact=True).click()
        elif control.keys:
            handles.first.focus()
            tab.keyboard.press(control.keys[move % len(control.keys)])
        else:
            handles.nth(1 + move % 2 if handles.count() > 2 else 0).click()
        tab.wait_for_function("seen => latencies.length > seen", arg=seen)
        tab.wait_for_timeout(700)  # for Python's answer, where it comes later
    tab.wait_for_timeout(700)
    found = Latencies(tab.evaluate("latencies"), tab.evaluate("answers"))
    tab.close()
    return found


def report(name: str, found: Latencies) -> str:
    """One line of the table."""
    line = f"{name:<42} {len(found.painted):3} moves   {_shares(found.painted)}"
    return f"{line}   Python's answer {_shares(found.answered)}" if found.answered else line


def _shares(values: list[float]) -> str:
    p95 = statistics.quantiles(values, n=20, method="inclusive")[-1] if len(values) > 1 else values[0]
    return f"p50 {statistics.median(values):6.0f} ms   p95 {p95:6.0f} ms"


def main(arguments: list[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--moves", type=int, default=40, help="of each control")
    parser.add_argument("--only", default="", help="controls whose name holds this word")
    parser.add_argument("--starts", type=int, default=3, help="cold starts")
    options = parser.parse_args(arguments)
    from playwright.sync_api import sync_playwright

    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium_path(), args=FLAGS)
        for _ in range(options.starts):
            title, pictures = cold_start(browser)
            print(f"cold start: Home's title after {title:.1f} s, its pictures after {pictures:.1f} s")
        profile = browser.new_context(viewport={"width": 1280, "height": 900})
        with served() as server:
            for control in (each for each in CONTROLS if options.only in each.name):
                print(report(control.name, latencies(profile, server.url, control, moves=options.moves)))
        browser.close()


if __name__ == "__main__":
    main()
