// The canvas itself: mountCanvas(root, payload, events, store) → { update, destroy }.
//
// events.view(snapshot) and events.step(±1) are called on release only. Each action
// raises `revision`; a payload whose revision is older than ours is Python's echo of an
// earlier state, and what the visitor has touched since then stays as it is.

const behaviour = {
  ...editing,
  ...stepping,

  isShown(kind) {
    return this.payload.settling || !this.switchedOff[this.payload.mode]?.has(kind);
  },

  toggleShown(kind) {
    this.switchedOff[this.payload.mode] ??= new Set();
    toggleIn(this.switchedOff[this.payload.mode], kind);
  },

  kindOf(i) {
    if (i >= this.counts.above) return "below";
    return this.ends.fate[i] === KEPT ? lineOfDetection(this, i) : FATES[this.ends.fate[i]];
  },

  kindOfObject(i) {
    if (this.objects[i].ignored) return "ignored_object";
    if (this.payload.mode === "detections" && (this.payload.hits || this.answers)) return this.found.has(i) ? "object" : "missed";
    return this.match && this.match.counts[this.slots[i]] === 0 ? "orphan" : "object";
  },

  chipOf(i) {
    const title = this.titles[i], g = this.slots[i];
    if (g < 0) return `${title} · ignored`;
    if (this.kindOfObject(i) === "missed") return `${title} · missed`;
    if (!this.match || this.payload.mode === "detections" || this.payload.mode === "anchors") return title;
    const count = this.match.counts[g], forced = this.match.forcedCounts[g];
    if (count === 0) return `${title} · orphan`;
    return `${title} · ${count}${forced === count ? " forced" : ""}`;
  },

  colourOf(name) {
    return this.colours.get(name) ?? CLASS_COLOURS[0];
  },

  cellOf(a) {
    const { level, row, column: across, count } = this.anchors;
    const found = [];
    for (let i = 0; i < count; i += 1) {
      if (level[i] === level[a] && row[i] === row[a] && across[i] === across[a]) found.push(i);
    }
    return found;
  },

  setTool(tool) {
    this.tool = this.tool === tool ? "select" : tool;
    this.request();
  },

  toggleBoxes() {
    this.hideBoxes = !this.hideBoxes;
    this.hover = null;
    this.request();
  },

  zoomBy(factor) {
    this.view.zoomBy(factor);
    if (this.view.zoom === 1) this.tool = this.tool === "pan" ? "select" : this.tool;
    this.request();
  },

  resetZoom() {
    this.view.reset();
    if (this.tool === "pan") this.tool = "select";
    this.request();
  },

  // Tells Python what the visitor has done; fields stay marked until Python answers.
  report(...fields) {
    this.revision += 1;
    fields.forEach((name) => this.changed.add(name));
    const snapshot = { scene: this.payload.scene, revision: this.revision, changed: [...this.changed] };
    for (const [name, read] of Object.entries(FIELDS)) snapshot[name] = read(this);
    this.events.view?.(snapshot);
    this.request();
  },

  // Asks for one frame; several requests before it are answered by one.
  request(since = null) {
    if (since !== null) this.since = Math.min(this.since ?? since, since);
    if (this.frame || this.gone) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      if (!this.gone) render(this);
    });
  },

  adoptPending() {
    if (!this.pending) return;
    const payload = this.pending;
    this.pending = null;
    adopt(this, payload);
  },
};

function render(c) {
  if (!c.payload || c.view.width < 2) return;
  const since = c.since;
  c.since = null;
  derive(c);
  deriveSteps(c);
  buildToolbar(c);
  updateToolbar(c);
  glide(c);
  paintFrame(c);
  updatePanel(c);
  updatePlayer(c);
  updateFollow(c);
  updateTooltip(c);
  publish(c);
  clearTimeout(c.resting);
  c.resting = setTimeout(() => !c.gone && describe(c), c.painted ? 400 : 0);
  c.painted = (c.painted ?? 0) + 1;
  if (since !== null) requestAnimationFrame(() => c.told(performance.now() - since));
}

// What tests and other scripts on the page may read.
function publish(c) {
  const { counts } = c;
  const data = {
    n: c.hideBoxes ? 0 : c.numVisible,
    mode: c.payload.mode,
    positive: (counts.positive ?? 0) + (counts.forced ?? 0),
    forced: counts.forced ?? 0,
    ignored: counts.ignored ?? 0,
    orphans: c.orphans,
    kept: counts.kept ?? 0,
    above: counts.above ?? 0,
    count: c.payload.mode === "detections" ? c.candidates.count : (c.anchors?.count ?? 0),
    objects: c.objects.length,
    missed: c.objects.filter((_, i) => c.kindOfObject(i) === "missed").length,
    selectedObject: c.selectedObject ?? "",
    selectedAnchor: c.selectedAnchor ?? "",
    selectedDetection: c.selectedDetection ?? "",
    score: c.score,
    threshold: c.threshold ?? "",
    blamed: chosenVerdict(c)?.boxes.length ?? 0,
    travel: c.travel,
    ...(c.limits ? publishedLimits(c) : {}),
    ...(c.costs ? { ratio: c.mining ?? "", mined: c.costs.sums.count, loss: lossAt(c.costs).total } : {}),
    zoom: c.view.zoom.toFixed(2),
    revision: c.revision,
    answered: c.answered,
    scene: c.payload.scene,
    width: c.payload.width,
    height: c.payload.height,
    tool: c.tool,
  };
  for (const [name, value] of Object.entries(data)) {
    if (c.canvas.dataset[name] !== String(value)) c.canvas.dataset[name] = value;
  }
  c.canvas.dataset.ver = Number(c.canvas.dataset.ver ?? 0) + 1;
}

function publishedLimits(c) {
  const { nms, topK, agnostic, kind, sigma } = c.limits;
  const follow = { steps: c.steps?.count ?? "", step: c.stepAt ?? "", playing: Boolean(c.playing) };
  return { nms, topK, agnostic, nmsKind: kind, sigma, live: c.fromBrowser, stale: c.stale, ...follow };
}

// Takes a payload over. Its heavy parts are in the store by now.
function adopt(c, payload) {
  const first = c.payload === null;
  const otherScene = !first && (payload.scene !== c.payload.scene || payload.picture !== c.payload.picture);
  if (!otherScene && (c.press || c.nudge)) {
    c.pending = payload;
    return;
  }
  if (otherScene) forget(c);
  const answered = payload.revision >= c.revision || first || otherScene;
  c.payload = payload;
  c.answered = payload.revision;
  c.revision = Math.max(c.revision, payload.revision);
  if (answered) c.changed.clear();
  c.limits = (payload.nms ?? null) === null ? null : (c.limits ?? {});
  takeBlobs(c, payload);
  for (const [name, set] of Object.entries(ADOPT)) if (!c.changed.has(name)) set(c, payload[name]);
  keepInRange(c);
  const own = c.objects.map((each) => each.name);
  c.colours = classColours([...payload.class_names, ...(c.candidates?.names ?? []), ...own]);
  c.root.classList.toggle("ssd-static", payload.static);
  c.root.classList.toggle("ssd-with-panel", payload.panel && !payload.static);
  layout(c);
}

// Another picture: nothing of the last one is left to undo, drag or zoom.
function forget(c) {
  cancelDrag(c);
  c.nudge = null;
  c.pending = null;
  c.undo = [];
  c.hover = null;
  c.sliding = false;
  c.stopPlaying();
  clearTimeout(c.stepResting);
  c.stepMoving = false;
  c.view.reset();
  c.changed.clear();
}

function takeBlobs(c, payload) {
  c.picture = payload.picture && c.store.get(payload.picture);
  c.anchors = payload.anchors && c.store.get(payload.anchors);
  const last = c.candidates;
  c.candidates = payload.candidates && c.store.get(payload.candidates);
  startGlide(c, last);
  c.lastMined = c.costs?.mined ?? null;
  c.costs = payload.costs ? c.store.get(payload.costs) : null;
  c.givenStates = payload.states ? column(payload.states, Uint8Array) : null;
  c.lastGiven = c.givenStates;
  c.statesVersion += 1;
  c.outcomes = payload.outcomes ? column(payload.outcomes, Uint8Array) : null;
  c.answers = payload.answers ? column(payload.answers, Int16Array) : null;
  c.hover = null;
  c.picture?.loaded.then(() => c.request());
}

function keepInRange(c) {
  const within = (value, count) => (value === null || value === undefined || value >= count ? null : value);
  c.selectedObject = within(c.selectedObject, c.objects.length);
  c.selectedAnchor = within(c.selectedAnchor, c.anchors?.count ?? Infinity);
  c.selectedDetection = within(c.selectedDetection, c.candidates?.count ?? 0);
  if (c.candidates) c.score = Math.max(c.score, c.candidates.floor);
}

// The canvas takes the width it is given and the height that the picture then needs.
function layout(c) {
  const { payload } = c;
  const width = Math.floor(c.stage.clientWidth);
  if (!width) return;
  const height = Math.max(40, Math.min(Math.round((width * payload.height) / payload.width), payload.max_height_px));
  const ratio = limited(globalThis.devicePixelRatio || 1, 1, 2);
  const key = [width, height, ratio, payload.width, payload.height].join();
  if (c.layoutKey !== key) {
    c.layoutKey = key;
    c.ratio = ratio;
    c.stage.style.height = `${height}px`;
    c.root.style.setProperty("--ssd-stage", `${height}px`);
    for (const each of [c.canvas, c.base]) {
      each.width = Math.round(width * ratio);
      each.height = Math.round(height * ratio);
    }
    c.view.resize(width, height, payload.width, payload.height);
    c.baseKey = null;
  }
  const style = getComputedStyle(c.root);
  c.backdrop = style.getPropertyValue("--ssd-backdrop").trim() || "#e9ecef";
  c.request();
}

function build(root) {
  const bar = element("div", "ssd-bar", root, { role: "toolbar", "aria-label": "Canvas" });
  const main = element("div", "ssd-main", root);
  const stage = element("div", "ssd-stage", main);
  const canvas = element("canvas", "ssd-canvas", stage, { tabindex: 0, role: "img", "aria-label": "Picture" });
  const tooltip = element("div", "ssd-tooltip", stage, { "aria-hidden": "true" });
  const player = element("div", "ssd-player", main, { role: "group", "aria-label": "NMS step by step" });
  const status = element("div", "ssd-status", main);
  const followPlace = element("div", "", main);
  const panel = element("div", "ssd-panel", root);
  const spoken = element("ul", "ssd-spoken", root);
  const liveRegion = element("div", "ssd-spoken", root, { "aria-live": "polite" });
  return { bar, stage, canvas, tooltip, player, status, followPlace, panel, spoken, liveRegion };
}

function mountCanvas(host, payload, events, store) {
  const root = element("div", "ssd-root", host);
  const style = element("style", "", root);
  style.textContent = CSS;
  const c = Object.assign(Object.create(behaviour), build(root), {
    root, events, store, payload: null, pending: null, view: new View(), base: document.createElement("canvas"),
    objects: [], selectedObject: null, selectedAnchor: null, selectedDetection: null, score: 0.5, threshold: null, mining: null, costs: null, travel: 1,
    hiddenLevels: new Set(), hiddenClasses: new Set(), changed: new Set(), undo: [], chips: new Map(),
    limits: null, answers: null, ends: null, steps: null, stepAt: null, stepState: null, stepMoving: false, playing: null,
    revision: 0, answered: 0, statesVersion: 0, tool: "select", hideBoxes: false, hover: null, hoverAt: [0, 0],
    drag: null, draft: null, press: null, pinch: null, nudge: null, frame: 0, since: null, gone: false,
    switchedOff: Object.fromEntries(Object.entries(HIDDEN_AT_FIRST).map(([mode, kinds]) => [mode, new Set(kinds)])),
  });
  c.told = (latency) => c.canvas.dispatchEvent(new CustomEvent("ssd:painted", { bubbles: true, composed: true, detail: { latency } }));
  buildPanel(c);
  buildPlayer(c);
  buildFollow(c, c.followPlace);
  listenToPointer(c);
  listenToKeys(c);
  const watch = new ResizeObserver(() => c.payload && layout(c));
  watch.observe(c.stage);
  const update = (next, hear = c.events) => {
    c.events = hear;
    const digests = [next.picture, next.anchors, next.candidates, next.costs].filter(Boolean);
    c.wanted = next;
    store.whenPresent(digests, () => c.wanted === next && !c.gone && adopt(c, next));
  };
  const destroy = () => {
    c.gone = true;
    watch.disconnect();
    clearTimeout(c.resting);
    clearTimeout(c.stepResting);
    clearInterval(c.playing);
    cancelAnimationFrame(c.frame);
    root.remove();
  };
  update(payload);
  return { update, destroy, state: c };
}

globalThis.ssdCanvas = {
  mountCanvas, BlobStore, MatchTable, countAbove, countFates, makeAnchors, configLevels, countOf, middleAnchor, MAX_ANCHORS, objectSentence, numbered, readBlob, twoDecimals,
  classColours, jaccardRow, areas, STATES, decodedAt, Crowd, Labels, View, mine, lossAt,
  NmsTable, NmsSteps, suppressAgain, pythonsEnds, judged,
};
