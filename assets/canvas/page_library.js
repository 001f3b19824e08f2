
// A canvas on a page follows the page's widgets at once, as `data.ahead` says; Python hears of
// them too, and its answer shows the same.

const SEEN = ["value", "aria-checked", "aria-expanded", "aria-pressed", "aria-valuetext", "data-selected"];

// What a widget of the page shows; null where there is none, or while a choice is being made.
function shownBy(key) {
  const widget = document.querySelector(`.st-key-${key}`);
  const input = widget?.querySelector("input");
  if (input?.type === "range") return Number(input.value);
  if (input?.type === "number") return input.validity.valid ? input.value && Number(input.value) : null;
  if (input?.type === "checkbox") return input.checked;
  if (input) return input.getAttribute("aria-expanded") === "true" ? null : input.value;
  const pills = [...(widget?.querySelectorAll("button[aria-pressed]") ?? [])];
  if (pills.length) return pills.filter((each) => each.ariaPressed === "true").map((each) => each.textContent).join(" ");
  return widget?.querySelector("[role=radio][aria-checked=true]")?.textContent ?? null;
}

// Numbers that stand apart by blanks; null where one is none, or not above 0.
function numbersIn(text) {
  const found = text.split(/\s+/).filter(Boolean).map(Number);
  return found.every((each) => each > 0 && each < Infinity) ? found : null;
}

function pairsIn(text) {
  const found = text.split(/\s+/).filter(Boolean).map((part) => part.split(":").map(Number));
  return found.every((pair) => pair.length === 2 && pair.every((each) => each > 0 && each < Infinity)) ? found : null;
}

// How the value of a knob reads; null where it says nothing.
const KNOBS = {
  clip: (value) => (value ? "size" : "none"),
  grids_wh: (value) => value && [value, value],
  ratios: (value, level) => (level === undefined ? pairsIn(value) : numbersIn(value)?.sort((a, b) => a - b)),
  grids: (value) => numbersIn(value)?.map(Math.trunc),
  zooms: numbersIn,
};

// The numbers behind the anchors after a knob was moved.
function turned(knobs, { knob, level }, value) {
  const read = (KNOBS[knob] ?? ((same) => same))(value, level) || null;
  if (knob === "steps_px" && read === null) return { ...knobs, steps_px: null };
  if (read === null || read.length === 0 && level === undefined) return knobs;
  if (level === undefined) return { ...knobs, [knob]: read };
  const before = knobs[knob] ?? knobs.grids_wh.map(([columns]) => knobs.picture_wh[0] / columns); // even steps
  return { ...knobs, [knob]: before.map((old, k) => (k === level ? read : old)) };
}

// What a value changes in the payload: a number goes into the setting that is named, a knob turns
// the numbers behind the anchors, anything else is looked up.
function patchOf(way, value, knobs) {
  if (way.knob) return knobs ? { knobs: turned(knobs, way, value) } : {};
  return typeof way === "string" ? { [way]: value, matching: { [way]: value } } : (way[value] ?? {});
}

class Follower {
  constructor(host, store, data, events) {
    this.told = 0;
    this.shown = new Map();
    this.moved = new Map();
    this.store = store;
    this.name = null;
    this.canvas = globalThis.ssdCanvas.mountCanvas(host, data, {}, store);
    this.take(data, events);
    this.watch = new MutationObserver(() => this.look() && this.update());
    this.watch.observe(document.body, { subtree: true, attributes: true, attributeFilter: SEEN });
    this.typed = () => this.look() && this.update();
    document.addEventListener("input", this.typed);
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
        this.moved.delete(key); // the last one that was moved has the last word
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
      if (this.data.heard?.[key] === value) continue; // Python knew: what it says is newer
      const way = this.data.ahead?.[key];
      const { matching, ...rest } = way === undefined ? {} : patchOf(way, value, payload.knobs);
      Object.assign(payload, rest);
      if (matching && payload.matching) payload.matching = { ...payload.matching, ...matching };
    }
    if (payload.knobs !== this.data.knobs) Object.assign(payload, this.made(payload));
    this.canvas.state.canvas.dataset.told = this.told;
    this.canvas.update(payload, this.events);
  }

  // The anchors of turned knobs, in the place of the last ones that were made here. Where their
  // number changes, the cell in the middle is the one that is shown.
  made({ knobs, grid_level: shown, anchors, selected_anchor: selected }) {
    const { configLevels, countOf, middleAnchor, MAX_ANCHORS } = globalThis.ssdCanvas;
    const name = JSON.stringify(knobs), levels = configLevels(knobs), columnFirst = !knobs.sizes_px;
    if (countOf(levels) > MAX_ANCHORS) return {};
    if (this.name && this.name !== name) this.store.drop(this.name);
    this.store.put(name, { kind: "anchors", levels, column_first: columnFirst });
    this.name = name;
    if (countOf(levels) === this.store.get(anchors)?.count) return { anchors: name, selected_anchor: selected };
    const level = Math.min(shown, levels.length - 1);
    return { anchors: name, grid_level: level, selected_anchor: middleAnchor(levels, level, columnFirst) };
  }

  destroy() {
    if (this.name) this.store.drop(this.name);
    document.removeEventListener("input", this.typed);
    this.watch.disconnect();
    this.canvas.destroy();
  }
}

const hub = (globalThis.ssdHub ??= { library: null, waiting: [] });
hub.library = { ...globalThis.ssdCanvas, Follower, store: hub.library?.store ?? new globalThis.ssdCanvas.BlobStore() };
hub.waiting.splice(0).forEach((act) => act(hub.library));

export default function () {}
