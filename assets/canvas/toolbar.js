// The row above the canvas: score slider, chips that are legend and switch, tools.

const STATE_CHIPS = {
  anchors: [],
  matching: ["positive", "forced", "ignored", "negative"],
  assignment: ["positive", "forced", "ignored", "hard_negative", "negative"],
  loss: ["positive", "forced", "ignored", "hard_negative", "negative"],
  detections: ["kept", "suppressed", "beyond_top_k", "beyond_cap", "below"],
};
const HIDDEN_AT_FIRST = { matching: ["negative"], loss: ["negative"], detections: ["below", "beyond_top_k", "beyond_cap"] };
const SHORT = {
  positive: "over threshold", forced: "forced", ignored: "ignored", negative: "negative", hard_negative: "hard negative",
  kept: "kept", suppressed: "suppressed", beyond_top_k: "beyond top-k", beyond_cap: "beyond cap", below: "below score",
};
const MAX_CLASS_CHIPS = 12;

// Rebuilt only when its structure changes; texts and counts follow each frame.
function buildToolbar(c) {
  const key = JSON.stringify([c.payload.mode, c.payload.editable, c.payload.class_names, c.anchors?.perLevel ?? 0, !c.givenStates, classesShown(c), c.mining === null, c.costs?.top, c.payload.level_chips, c.limits?.kind, c.payload.threshold_slider && c.payload.matching !== null]);
  if (c.toolbarKey === key) return;
  c.toolbarKey = key;
  c.bar.replaceChildren();
  c.chips = new Map();
  c.sliders = [];
  if (c.payload.mode === "detections") buildScore(c);
  if (c.payload.mode === "detections" && c.limits) buildLimits(c);
  if (c.payload.threshold_slider && c.payload.matching) buildThreshold(c);
  if (c.costs) buildRatio(c);
  buildStateChips(c);
  if (c.payload.mode !== "detections" && c.anchors && c.payload.level_chips) buildLevelChips(c);
  buildClassChips(c);
  if (c.payload.mode === "detections" && c.limits) buildNmsSwitches(c);
  if (c.costs) buildHeat(c);
  buildTools(c);
}

function buildScore(c) {
  buildSlider(c, "Score threshold", {
    most: 1,
    step: 0.01,
    digits: 2,
    field: "score",
    read: () => c.score,
    write: (value) => {
      c.score = Math.max(value, c.candidates.floor);
    },
  });
}

function buildThreshold(c) {
  buildSlider(c, "Match threshold, live", {
    least: 0.05,
    most: 0.95,
    step: 0.01,
    digits: 2,
    field: "threshold",
    read: () => c.threshold,
    write: (value) => {
      c.threshold = value;
    },
  });
}

const TOP_KS = [1, 2, 3, 4, 5, 7, 10, 15, 20, 30, 40, 50, 75, 100, 150, 200, 300, 400, 500, 700, 1000];

// The limits after the score: they act while they move, up to so many candidates.
function buildLimits(c) {
  const { limits } = c;
  const own = (name) => ({
    read: () => limits[name],
    write: (value) => {
      limits[name] = value;
    },
  });
  if (limits.kind === "soft") {
    buildSlider(c, "Soft-NMS sigma", { least: 0.05, most: 2, step: 0.05, digits: 2, field: "sigma", ...own("sigma") });
  } else {
    buildSlider(c, "NMS threshold", { least: 0.05, most: 0.95, step: 0.01, digits: 2, field: "nms", ...own("nms") });
  }
  const place = (value) => TOP_KS.findLastIndex((each) => each <= value);
  buildSlider(c, "Top-k of each class", {
    most: TOP_KS.length - 1,
    step: 1,
    digits: 0,
    field: "top_k",
    read: () => limits.topK,
    write: (at) => {
      limits.topK = TOP_KS[at];
    },
    place,
  });
}

// Switches between two kinds of NMS, and the way through it step by step.
function buildNmsSwitches(c) {
  const group = element("div", "ssd-group", c.bar, { role: "group", "aria-label": "NMS" });
  const turn = (name, id, label, title, on, off) => {
    chip(c, group, id, label, {
      pressed: () => c.limits[name] === on,
      onToggle: () => {
        c.limits[name] = c.limits[name] === on ? off : on;
        c.report({ kind: "nms_kind", agnostic: "agnostic" }[name]);
      },
    });
    const { button } = c.chips.get(id);
    button.title = title;
    button.classList.add("ssd-switch");
  };
  turn("agnostic", "nms-agnostic", "across classes", "NMS among all classes instead of within each", true, false);
  turn("kind", "nms-soft", "soft NMS", "Lower the score of a box that is close to a better one, instead of dropping it", "soft", "hard");
  c.stepsButton = element("button", "ssd-chip ssd-switch", group, { type: "button", "data-chip": "nms-steps" });
  icon("steps", c.stepsButton);
  element("span", "", c.stepsButton).textContent = "step by step";
  c.stepsButton.addEventListener("click", () => c.toggleSteps());
}

// One slider that acts while it moves and tells Python on release.
function buildSlider(c, title, { least = 0, most, step, digits, field, read, write, place = (value) => value }) {
  const label = element("label", "ssd-score", c.bar);
  element("span", "", label).textContent = title;
  const slider = element("input", "", label, { type: "range", min: least, max: most, step, "aria-label": title });
  const shown = element("output", "", label);
  c.sliders.push(() => {
    const value = read(), at = place(value);
    if (!c.sliding) slider.value = String(at);
    slider.style.setProperty("--at", `${((at - least) / (most - least)) * 100}%`);
    say(shown, value.toFixed(value < 0.01 && value > 0 ? 3 : digits));
    mark(slider, "aria-valuetext", shown.textContent);
  });
  slider.addEventListener("input", (event) => {
    c.sliding = true;
    write(Number(slider.value));
    c.request(event.timeStamp);
  });
  slider.addEventListener("change", () => {
    c.sliding = false;
    c.report(field);
  });
  for (const name of ["pointerup", "keyup", "blur"]) {
    slider.addEventListener(name, () => {
      c.sliding = false; // back where it started: no change to report
    });
  }
}

function chip(c, parent, id, label, { kind = null, colour = null, pressed, onToggle }) {
  const button = element("button", "ssd-chip", parent, { type: "button", "data-chip": id });
  if (kind) swatch(button, kind);
  if (colour) element("i", "ssd-dot", button).style.background = colour;
  element("span", "", button).textContent = label;
  const count = element("b", "", button);
  button.addEventListener("click", () => {
    onToggle();
    c.request();
  });
  c.chips.set(id, { button, count, pressed });
}

function buildStateChips(c) {
  const kinds = STATE_CHIPS[c.payload.mode].filter((kind) => kind !== "hard_negative" || c.givenStates || (c.costs && c.mining !== null));
  if (!kinds.length) return;
  const group = element("div", "ssd-group", c.bar, { role: "group", "aria-label": "What is drawn" });
  for (const kind of kinds) {
    chip(c, group, kind, SHORT[kind], {
      kind,
      pressed: () => c.isShown(kind),
      onToggle: () => c.toggleShown(kind),
    });
  }
}

function toggleIn(set, value) {
  if (!set.delete(value)) set.add(value);
}

function buildLevelChips(c) {
  const group = element("div", "ssd-group ssd-levels", c.bar, { role: "group", "aria-label": "Levels" });
  element("span", "ssd-word", group).textContent = "Level";
  c.anchors.perLevel.forEach((count, level) => {
    const [columns, rows] = c.anchors.grids[level];
    chip(c, group, `level-${level}`, String(level), {
      pressed: () => !c.hiddenLevels.has(level),
      onToggle: () => {
        toggleIn(c.hiddenLevels, level);
        c.report("hidden_levels");
      },
    });
    const { button } = c.chips.get(`level-${level}`);
    button.title = `Level ${level}: ${columns} × ${rows} cells, ${withCommas(count)} anchors`;
    button.setAttribute("aria-label", button.title);
  });
}

function classesShown(c) {
  const names = new Set(c.objects.map((each) => each.name));
  if (c.candidates) for (const i of firstKept(c.candidates, 60)) names.add(c.candidates.names[c.candidates.labels[i] - 1]);
  for (const name of c.hiddenClasses) names.add(name);
  return [...names].slice(0, MAX_CLASS_CHIPS);
}

function firstKept(candidates, limit) {
  const kept = [];
  for (let i = 0; i < candidates.count && kept.length < limit; i += 1) if (candidates.fate[i] === 0) kept.push(i);
  return kept;
}

function buildClassChips(c) {
  const names = classesShown(c);
  if (names.length < 2 || c.costs) return;
  const group = element("div", "ssd-group", c.bar, { role: "group", "aria-label": "Classes" });
  for (const name of names) {
    chip(c, group, `class-${name}`, name, {
      colour: c.colourOf(name),
      pressed: () => !c.hiddenClasses.has(name),
      onToggle: () => {
        toggleIn(c.hiddenClasses, name);
        c.report("hidden_classes");
      },
    });
  }
}

function buildTools(c) {
  const tools = element("div", "ssd-tools", c.bar, { role: "group", "aria-label": "Tools" });
  if (c.payload.editable) {
    if (c.payload.class_names.length) {
      c.nameSelect = element("select", "ssd-name", tools, { "aria-label": "Class of a drawn object", title: "Class of a drawn object" });
      for (const name of c.payload.class_names) element("option", "", c.nameSelect, { value: name }).textContent = name;
      c.nameSelect.addEventListener("change", () => c.rename(c.nameSelect.value));
    }
    c.drawButton = iconButton(tools, "draw", "Draw an object (d)", () => c.setTool("draw"));
    c.binButton = iconButton(tools, "bin", "Delete the selected object (Delete)", () => c.removeSelected());
    c.undoButton = iconButton(tools, "undo", "Undo (Ctrl+Z)", () => c.takeBack());
  }
  c.eyeButton = iconButton(tools, "eye", "Hide the boxes (h)", () => c.toggleBoxes());
  c.panButton = iconButton(tools, "hand", "Move the picture", () => c.setTool("pan"));
  iconButton(tools, "minus", "Zoom out (−)", () => c.zoomBy(1 / 1.4));
  iconButton(tools, "plus", "Zoom in (+)", () => c.zoomBy(1.4));
  iconButton(tools, "fit", "Whole picture (0)", () => c.resetZoom());
}

function updateToolbar(c) {
  for (const [id, { button, count, pressed }] of c.chips) {
    mark(button, "aria-pressed", pressed());
    if (c.counts && id in c.counts) say(count, withCommas(c.counts[id]));
  }
  for (const shows of c.sliders) shows();
  if (c.stepsButton?.isConnected) {
    mark(c.stepsButton, "aria-pressed", c.stepAt !== null);
    c.stepsButton.disabled = c.stepAt === null && !c.canStep();
    c.stepsButton.title = c.stepsButton.disabled ? cannotStep(c) : "Follow NMS box by box (s)";
  }
  if (c.drawButton) {
    mark(c.drawButton, "aria-pressed", c.tool === "draw");
    c.drawButton.disabled = c.objects.length >= c.payload.max_objects;
    c.binButton.disabled = c.selectedObject === null || !c.canEdit(c.selectedObject);
    c.undoButton.disabled = !c.undo.length;
  }
  mark(c.eyeButton, "aria-pressed", c.hideBoxes);
  mark(c.panButton, "aria-pressed", c.tool === "pan");
  c.panButton.hidden = c.view.zoom <= 1;
}
