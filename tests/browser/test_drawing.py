"""What the canvas puts on the screen: every line where it belongs, no chip over another."""

from __future__ import annotations

import numpy as np
import pytest

from ssd.figures.canvas_source import canvas_script

WIDTH, HEIGHT = 90, 50


@pytest.fixture
def scripted(tab):
    """A tab that knows the canvas's functions."""
    tab.add_script_tag(content=canvas_script())
    return tab


def layers_by_hand(boxes: np.ndarray) -> np.ndarray:
    """How many lines cross each pixel: four edges a box, corners belong to the horizontal ones."""
    count = np.zeros((HEIGHT, WIDTH), dtype=int)
    corners = np.floor(boxes.astype(np.float64) * [WIDTH, HEIGHT, WIDTH, HEIGHT] + 0.5).astype(int)
    for x1, y1, x2, y2 in corners:
        for y in (y1, y2):
            if 0 <= y < HEIGHT:
                count[y, max(x1, 0) : max(x2 + 1, 0)] += 1
        for x in (x1, x2):
            if 0 <= x < WIDTH:
                count[max(y1 + 1, 0) : max(y2, 0), x] += 1
    return count


@pytest.mark.parametrize("seed", range(4))
def test_a_crowd_puts_every_edge_on_its_pixels(scripted, seed):
    dice = np.random.default_rng(seed)
    boxes = np.sort(dice.random((300, 2, 2)) * 1.6 - 0.3, axis=1).reshape(-1, 4).astype(np.float32)
    boxes[:5, 2:] = boxes[:5, :2]  # without extent

    seen = scripted.evaluate(
        """({ boxes, width, height }) => {
          const crowd = new ssdCanvas.Crowd(), view = new ssdCanvas.View();
          view.resize(width, height, width, height);
          crowd.resize(width, height);
          crowd.addEdges(view, new Float32Array(boxes), Int32Array.from(boxes.keys()), boxes.length / 4);
          crowd.fillPixels(Uint32Array.from({ length: 256 }, (_, layers) => layers));
          return Array.from(crowd.pixels);
        }""",
        {"boxes": boxes.reshape(-1).tolist(), "width": WIDTH, "height": HEIGHT},
    )

    assert np.array_equal(np.array(seen).reshape(HEIGHT, WIDTH), np.minimum(layers_by_hand(boxes), 255))


@pytest.mark.parametrize("count", [2, 12, 40])
def test_chips_never_cover_each_other(scripted, count):
    dice = np.random.default_rng(count)
    boxes = np.sort(dice.random((count, 2, 2)) * 0.9, axis=1).reshape(-1, 4)

    spots = scripted.evaluate(
        """(boxes) => {
          const view = new ssdCanvas.View();
          view.resize(600, 400, 600, 400);
          const labels = new ssdCanvas.Labels(document.createElement("canvas").getContext("2d"), view);
          return boxes.map((box, i) => labels.place(box, `object ${i}`, false)).filter(Boolean);
        }""",
        boxes.tolist(),
    )

    assert len(spots) >= min(count, 10)
    for i, (x1, y1, w1, h1) in enumerate(spots):
        assert 0 <= x1 <= 600 - w1
        assert 0 <= y1 <= 400 - h1
        for x2, y2, w2, h2 in spots[:i]:
            assert x1 >= x2 + w2 or x2 >= x1 + w1 or y1 >= y2 + h2 or y2 >= y1 + h1


@pytest.mark.parametrize("size", [(640, 480), (480, 640)], ids=["wide", "tall"])
def test_screen_and_picture_convert_into_each_other_at_any_zoom(scripted, size):
    faults = scripted.evaluate(
        """([width, height]) => {
          const view = new ssdCanvas.View();
          view.resize(700, 420, width, height);
          const faults = [];
          let seed = 1;
          const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
          for (let turn = 0; turn < 200; turn += 1) {
            const x = random() * 700, y = random() * 420;
            const before = view.toUnit(x, y);
            const zoomed = view.zoom;
            view.zoomBy(1 + random(), x, y);
            const after = view.toUnit(x, y);
            const inside = view.zoom > zoomed && view.sx > 700 && view.sy > 420;
            const still = Math.hypot(before[0] - after[0], before[1] - after[1]) < 1e-6;
            const box = view.toScreen([...after, ...after]);
            if (Math.hypot(box[0] - x, box[1] - y) > 1e-6) faults.push("back");
            if (view.ox > 1e-6 && view.sx > 700) faults.push("gap");
            if (inside && !still && zoomed > 3) faults.push("moved");
            if (turn % 20 === 19) view.reset();
          }
          return faults;
        }""",
        size,
    )

    assert faults == []
