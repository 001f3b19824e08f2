
// A canvas on a page follows the page's widgets at once, as `data.ahead` says; Python hears of
// them too, and its answer shows the same.

const SEEN = ["value", "aria-checked", "aria-expanded", "aria-valuetext", "data-selected"];

// What a widget of the page shows; null where there is none, or while a choice is being made.
function shownBy(key) {
  const widget = document.querySelector(`.st-key-${key}`);
  const input = widget?.querySelector("input");
  if (input?.type === "range") return Number(input.value);
  if (input?.type === "checkbox") return input.checked;
  if (input) return input.getAttribute("aria-expanded") === "true" ? null : input.value;
  return widget?.querySelector("[role=radio][aria-checked=true]")?.textContent ?? null;
}

// What a value changes in the payload: a number goes into the setting that is named, anything
// else is looked up.
function patchOf(way, value) {
  return typeof way === "string" ? { [way]: value, matching: { [way]: value } } : (way[value] ?? {});
}

class Follower {
  constructor(host, store, data, events) {
    this.told = 0;
    this.shown = new Map();
    this.moved = new Map();
    this.canvas = globalThis.ssdCanvas.mountCanvas(host, data, {}, store);
    this.take(data, events);
    this.watch = new MutationObserver(() => this.look() && this.update());
    this.watch.observe(document.body, { subtree: true, attributes: true, attributeFilter: SEEN });
  }

  // Python's word. What was done on the canvas is newer than what the widgets show.
  take(data, { view, step }) {
    this.data = data;
    const report = (snapshot) => {
      this.moved.clear();
      view(snapshot);
    };
    this.events = { view: report, step };
    this.told += 1;
    this.look();
    this.update();
  }

  // Whether a widget was moved since the last look; the first look only learns how they stand.
  look() {
    let moved = false;
    for (const key of Object.keys(this.data.ahead ?? {})) {
      const value = shownBy(key);
      if (value === null || value === this.shown.get(key)) continue;
      if (this.shown.has(key)) {
        this.moved.set(key, value);
        moved = true;
      }
      this.shown.set(key, value);
    }
    return moved;
  }

  update() {
    const payload = { ...this.data };
    for (const [key, value] of this.moved) {
      const way = this.data.ahead?.[key];
      const { matching, ...rest } = way === undefined ? {} : patchOf(way, value);
      Object.assign(payload, rest);
      if (matching && payload.matching) payload.matching = { ...payload.matching, ...matching };
    }
    this.canvas.state.canvas.dataset.told = this.told;
    this.canvas.update(payload, this.events);
  }

  destroy() {
    this.watch.disconnect();
    this.canvas.destroy();
  }
}

const hub = (globalThis.ssdHub ??= { library: null, waiting: [] });
hub.library = { ...globalThis.ssdCanvas, Follower, store: hub.library?.store ?? new globalThis.ssdCanvas.BlobStore() };
hub.waiting.splice(0).forEach((act) => act(hub.library));

export default function () {}
