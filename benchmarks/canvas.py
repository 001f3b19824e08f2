"""From input to painted, in Chromium. Run it with ``python -m benchmarks.canvas``.

Drags over the anchors of ssd300-voc, 8,732 of them: the score slider with every box drawn,
one of 20 objects with exact matching in each frame, and the limit of hard and soft NMS over
the best 2,000 boxes as candidates of one class. A latency runs from the
time stamp of the input event to the first frame after the one that drew it, so that
what the drawing left to the compositor counts too.
"""

from __future__ import annotations

import argparse
import statistics
from dataclasses import dataclass, replace

from benchmarks.pictures import random_objects, scene_picture, scored_everywhere
from benchmarks.serving import FLAGS, chromium_path
from ssd.anchors import make_anchors
from ssd.config import NMS_KINDS, SelectionConfig, anchor_preset
from ssd.figures.canvas import (
    CanvasObject,
    CanvasPayload,
    CanvasView,
    LiveMatching,
    anchors_blob,
    candidates_blob,
    canvas_payload,
)
from ssd.figures.canvas_source import canvas_script
from ssd.limits import MAX_LIVE_CANDIDATES

MOUNT = """
({ blobs, light }) => {
  const store = new ssdCanvas.BlobStore();
  blobs.forEach(([digest, data]) => store.put(digest, data));
  const host = document.body.appendChild(document.createElement("div"));
  host.style.width = "800px";
  window.latencies = [];
  document.addEventListener("ssd:painted", (event) => window.latencies.push(event.detail.latency));
  window.canvas = ssdCanvas.mountCanvas(host, { ...light, revision: 0 }, {}, store);
}
"""


@dataclass(frozen=True)
class Latencies:
    """Milliseconds from input to painted."""

    name: str
    values_ms: tuple[float, ...]

    def share(self, percent: int) -> float:
        """The value that this percentage of inputs does not exceed."""
        return statistics.quantiles(self.values_ms, n=100, method="inclusive")[percent - 1]

    def __str__(self) -> str:
        p50, p95 = self.share(50), self.share(95)
        return f"{self.name:<46} {len(self.values_ms):4} inputs   p50 {p50:5.1f} ms   p95 {p95:5.1f} ms"


def twenty_objects() -> list[CanvasObject]:
    """Objects of many sizes, the first one in the middle."""
    return [CanvasObject((0.3, 0.3, 0.7, 0.7), "dog"), *random_objects(19, seed=2, names=("cat",))]


def score_payload() -> CanvasPayload:
    """8,732 candidates, every one of them drawn."""
    anchors = make_anchors(anchor_preset("ssd300-voc").anchors)
    selection = scored_everywhere(anchors, config=SelectionConfig(score_threshold=0.01))
    blob = candidates_blob(selection, class_names=["dog"], floor=0.01)
    return canvas_payload(CanvasView(mode="detections", picture=scene_picture(1), candidates=blob))


def nms_payload(kind: str) -> CanvasPayload:
    """2,000 candidates of one class, suppressed anew at every move of the slider."""
    anchors = make_anchors(anchor_preset("ssd300-voc").anchors)
    most = MAX_LIVE_CANDIDATES
    config = SelectionConfig(0.01, top_k=most, max_detections=most, nms_kind=kind)
    scores = scored_everywhere(anchors, config=config).scores
    config = replace(config, score_threshold=float(scores[most]))
    blob = candidates_blob(
        scored_everywhere(anchors, config=config), class_names=["dog"], floor=config.score_threshold
    )
    view = CanvasView(
        mode="detections", picture=scene_picture(1), candidates=blob, limits=config, score=0.0, panel=True
    )
    return canvas_payload(view)


def drag_payload(mode: str) -> CanvasPayload:
    """20 objects over 8,732 anchors, matched live; in ``assignment`` every anchor is drawn."""
    view = CanvasView(
        mode=mode,
        picture=scene_picture(1),
        anchors=anchors_blob(anchor_preset("ssd300-voc").anchors),
        objects=twenty_objects(),
        class_names=["dog", "cat"],
        matching=LiveMatching(),
        selected_object=0,
        editable=True,
        panel=True,
    )
    return canvas_payload(view)


def mounted(browser, payload: CanvasPayload):
    """A tab with nothing but the canvas."""
    tab = browser.new_page(viewport={"width": 1280, "height": 900})
    tab.add_script_tag(content=canvas_script())
    blobs = [[blob.digest, dict(blob.data)] for blob in payload.blobs]
    tab.evaluate(MOUNT, {"blobs": blobs, "light": dict(payload.light)})
    tab.wait_for_selector("canvas[data-ver]")
    tab.wait_for_timeout(400)
    return tab


def sweep(tab, start: tuple[float, float], end: tuple[float, float], inputs: int) -> tuple[float, ...]:
    """Drag from start to end and back, an input every 40 ms; what each took."""
    tab.mouse.move(*start)
    tab.mouse.down()
    for turn in range(inputs):
        there = 1 - abs(1 - 2 * turn / inputs)
        tab.mouse.move(*(a + (b - a) * there for a, b in zip(start, end, strict=True)))
        tab.wait_for_timeout(40)
    tab.mouse.up()
    return tuple(tab.evaluate("window.latencies"))


def measure_score(browser, *, inputs: int) -> Latencies:
    """The score slider over 8,732 boxes."""
    tab = mounted(browser, score_payload())
    for kind in ("below", "beyond_top_k", "beyond_cap"):
        tab.locator(f"button[data-chip={kind}]").click()
    tab.wait_for_selector("canvas[data-n='8732']")
    box = tab.locator("input[aria-label='Score threshold']").bounding_box()
    y = box["y"] + box["height"] / 2
    tab.evaluate("window.latencies.length = 0")
    taken = sweep(tab, (box["x"] + box["width"] * 0.5, y), (box["x"] + box["width"] * 0.95, y), inputs)
    tab.close()
    return Latencies("score slider, 8,732 boxes drawn", taken)


def measure_nms(browser, kind: str, *, inputs: int) -> Latencies:
    """The NMS threshold, or sigma, over as many candidates as are live."""
    tab = mounted(browser, nms_payload(kind))
    tab.wait_for_selector(f"canvas[data-above='{MAX_LIVE_CANDIDATES}'][data-live=true]")
    label = {"hard": "NMS threshold", "soft": "Soft-NMS sigma"}[kind]
    box = tab.locator(f"input[type=range][aria-label='{label}']").bounding_box()
    y = box["y"] + box["height"] / 2
    tab.evaluate("window.latencies.length = 0")
    taken = sweep(tab, (box["x"] + box["width"] * 0.1, y), (box["x"] + box["width"] * 0.95, y), inputs)
    tab.close()
    return Latencies(f"{kind} NMS, {MAX_LIVE_CANDIDATES:,} candidates of one class", taken)


def measure_drag(browser, mode: str, *, inputs: int) -> Latencies:
    """One of 20 objects dragged over 8,732 anchors."""
    tab = mounted(browser, drag_payload(mode))
    box = tab.locator("canvas.ssd-canvas").bounding_box()
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    tab.evaluate("window.latencies.length = 0")
    taken = sweep(tab, middle, (middle[0] + 90, middle[1] + 60), inputs)
    tab.close()
    return Latencies(f"object drag, 20 objects × 8,732 anchors, {mode}", taken)


def measure(browser, *, inputs: int = 150) -> list[Latencies]:
    """All of them."""
    drags = [measure_drag(browser, mode, inputs=inputs) for mode in ("matching", "assignment")]
    suppressed = [measure_nms(browser, kind, inputs=inputs) for kind in NMS_KINDS]
    return [measure_score(browser, inputs=inputs), *drags, *suppressed]


def main() -> None:
    """Print the table."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=150)
    options = parser.parse_args()
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium_path(), args=FLAGS)
        for latencies in measure(browser, inputs=options.inputs):
            print(latencies)
        browser.close()


if __name__ == "__main__":
    main()
