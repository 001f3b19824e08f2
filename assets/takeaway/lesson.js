// The page of a one-file lesson: the canvas, the controls around it, and Python's part in their talk.
//
// On a page the canvas reports on release and Python answers with the next payload. Here `state`
// is that payload: reports go into it, controls change it, and the canvas gets it back.

const lesson = JSON.parse(document.getElementById("lesson").textContent);
const { guides } = lesson;
const store = new globalThis.ssdCanvas.BlobStore();
for (const blob of lesson.blobs) store.put(blob.digest, blob);
const anchors = lesson.light.anchors && store.get(lesson.light.anchors);
const place = document.getElementById("canvas"), beside = document.getElementById("beside");
const rows = new ResizeObserver(answerSoon); // above and below the picture: it takes the room they leave
let state, canvas, answering = 0;
let follow = () => {}; // what another cell or level brings with it
const painters = []; // of the controls

function node(tag, className, parent, text = "", attributes = {}) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text) made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  parent.appendChild(made);
  return made;
}

// The canvas as high as the window leaves room for, on a wall as on a desk; on a phone one scrolls.
function roomBelow() {
  const stage = place.querySelector(".ssd-stage");
  const top = stage ? stage.getBoundingClientRect().top + scrollY : 200;
  const under = stage ? stage.parentNode.getBoundingClientRect().bottom - stage.getBoundingClientRect().bottom : 30;
  const rest = under + document.querySelector("footer").offsetHeight + 40;
  const least = innerHeight * (innerWidth < 820 ? 0.7 : 0.45);
  return Math.round(Math.min(Math.max(innerHeight - top - rest, least, 260), 1600));
}

// What Python said about the scene holds where the scene stands as it was exported, and nowhere else.
const LIMITS = ["score", "nms", "top_k", "agnostic", "nms_kind", "sigma", "cap"];
const SELECTED = ["selected_anchor", "selected_object", "selected_detection"];

function keepTrue() {
  const asExported = (names) => names.every((name) => state[name] === lesson.light[name]);
  state.verdicts = asExported(LIMITS) ? lesson.light.verdicts : null;
  state.follow = asExported(SELECTED) ? lesson.light.follow : null;
}

function answer() {
  answering = 0;
  canvas.update({ ...state, max_height_px: roomBelow() });
  painters.forEach((paint) => paint());
}

function answerSoon() {
  if (!answering) answering = setTimeout(answer, 0);
}

const events = {
  view({ scene: _scene, changed: _changed, ...fields }) {
    Object.assign(state, fields);
    follow();
    keepTrue();
    answerSoon();
  },
};

function start() {
  canvas?.destroy();
  state = { ...lesson.light, revision: 0 };
  follow();
  canvas = globalThis.ssdCanvas.mountCanvas(place, { ...state, max_height_px: roomBelow() }, events, store);
  rows.disconnect();
  for (const row of place.querySelectorAll(".ssd-bar, .ssd-player")) rows.observe(row);
}

function change(values) {
  Object.assign(state, values);
  answer();
}

// One of several: buttons side by side.
function choice(parent, label, options, read, write) {
  const box = node("div", "choice", parent, "", { role: "group", "aria-label": label });
  if (options.length > 1) node("span", "", box, label);
  const pills = node("span", "pills", box);
  const buttons = options.map(([value, text, title]) => {
    const button = node("button", "", pills, text, { type: "button", ...(title ? { title } : {}) });
    button.addEventListener("click", () => write(value));
    return [value, button];
  });
  painters.push(() => {
    for (const [value, button] of buttons) button.setAttribute("aria-pressed", String(read() === value));
  });
}

// On or off.
function toggle(parent, label, read, write) {
  choice(parent, label, [[true, label]], read, () => write(!read()));
}

function buildMatching(row, remark) {
  const rules = Object.entries(lesson.rules);
  const set = (values) => change({ matching: { ...state.matching, ...values } });
  choice(row, "Rule", rules.map(([rule, words]) => [rule, rule, words]), () => state.matching.rule, (rule) => set({ rule }));
  const signs = [[false, "≥", "positive from the threshold on"], [true, ">", "positive above the threshold only"]];
  choice(row, "Jaccard", signs, () => state.matching.strict, (strict) => set({ strict }));
  painters.push(() => {
    remark.textContent = `${state.matching.rule}: ${lesson.rules[state.matching.rule]}`;
  });
}

// The first anchor of the cell in the middle of a level.
function centralAnchor(level) {
  const [columns, rows] = anchors.grids[level];
  const row = Math.floor(rows / 2), across = Math.floor(columns / 2);
  for (let a = 0; a < anchors.count; a += 1) {
    if (anchors.level[a] === level && anchors.row[a] === row && anchors.column[a] === across) return a;
  }
  return 0;
}

function levelOnly() {
  const shown = guides.map((_, k) => k).filter((k) => !state.hidden_levels.includes(k));
  if (shown.length === guides.length) return "all";
  return shown.length === 1 ? shown[0] : null;
}

// The receptive field of the selected cell: what its column sees across, its row down.
function fieldOf(at) {
  const { columns, rows } = guides[anchors.level[at]];
  const [x1, x2] = columns[anchors.column[at]], [y1, y2] = rows[anchors.row[at]];
  return [x1, y1, x2, y2];
}

function followCell() {
  const only = levelOnly();
  state.selected_anchor ??= centralAnchor(Number.isInteger(only) ? only : Math.min(2, guides.length - 1));
  state.grid_level = anchors.level[state.selected_anchor];
  if (state.receptive_field) state.receptive_field = fieldOf(state.selected_anchor);
}

function buildAnchors(row) {
  follow = followCell;
  const levels = guides.map((_, k) => [k, String(k), `Level ${k}: ${anchors.grids[k].join(" × ")} cells`]);
  choice(row, "Level", [["all", "all"], ...levels], levelOnly, (level) => {
    state.hidden_levels = level === "all" ? [] : guides.map((_, k) => k).filter((k) => k !== level);
    state.selected_anchor = null;
    followCell();
    answer();
  });
  const ways = [[true, "one cell"], [false, "whole level"]];
  choice(row, "Show", ways, () => state.cell_only, (only) => change({ cell_only: only }));
  toggle(row, "Centres", () => state.centres, (centres) => change({ centres }));
  if (guides.every(({ columns }) => columns.length)) {
    toggle(row, "Receptive field", () => Boolean(state.receptive_field), (on) => {
      change({ receptive_field: on ? fieldOf(state.selected_anchor) : null });
    });
  }
  beside.hidden = false;
  document.getElementById("stage").className = "wide";
  painters.push(tellLevel);
}

const share = (value) => value.toFixed(2);

// Beside the anchors: how many there are, and the shapes of the cell that is selected.
function tellLevel() {
  const at = state.selected_anchor, level = anchors.level[at];
  const { shapes } = guides[level];
  beside.replaceChildren();
  const big = node("div", "big", beside);
  const count = (value) => String(value).replace(/\B(?=(\d{3})+$)/g, ",");
  for (const [value, word] of [[anchors.count, "anchors"], [anchors.perLevel[level], `on level ${level}`], [shapes.length, "a cell"]]) {
    const cell = node("div", "", big);
    node("b", "", cell, count(value));
    node("span", "", cell, word);
  }
  const [columns, rows] = anchors.grids[level];
  node("p", "", beside, `Level ${level}: ${columns} × ${rows} cells. Selected: row ${anchors.row[at]}, column ${anchors.column[at]}.`);
  const table = node("table", "", beside);
  const head = node("tr", "", node("thead", "", table));
  for (const word of ["shape", "width", "height"]) node("th", "", head, word, { scope: "col" });
  const body = node("tbody", "", table);
  shapes.forEach(([width, height], k) => {
    const row = node("tr", "", body);
    for (const text of [String(k), share(width), share(height)]) node("td", "", row, text);
  });
  node("p", "remark", beside, "Sizes are shares of the picture.");
}

function buildControls() {
  const controls = document.getElementById("controls");
  const row = node("div", "row", controls, "", { role: "toolbar", "aria-label": "Settings of the lesson" });
  const { mode, matching } = lesson.light;
  if (mode === "anchors") buildAnchors(row);
  if (matching && mode !== "detections") buildMatching(row, node("p", "remark", row));
  const bare = document.documentElement.classList.contains("bare"); // without a title
  const home = row.firstChild || bare ? row : document.querySelector(".top"); // detections: the rest is on the canvas
  node("button", "again", home, "Start again", { type: "button", title: "Everything as it was exported" }).addEventListener("click", start);
  controls.hidden = home !== row;
}

globalThis.ssdLesson = () => structuredClone(state); // for a page around this one, and for tests
document.documentElement.classList.toggle("bare", location.hash === "#bare");
buildControls();
start();
addEventListener("resize", answerSoon);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  canvas.state.baseKey = null; // what lies beside the picture is painted with it
  answerSoon();
});
