// The loss lab: what each anchor costs, and which negatives count at the ratio of the slider.
//
// Python ranks the negatives once; here a rank is only held against the number wanted.

function readCosts(data) {
  const costs = {
    count: data.count,
    confidence: column(data.confidence, Float32Array),
    localisation: column(data.localisation, Float32Array),
    rank: column(data.rank, Uint16Array),
    states: column(data.states, Uint8Array),
    matched: column(data.matched, Int16Array),
    said: column(data.said, Uint16Array),
    names: data.names,
    lines: data.lines,
    positives: data.positives,
    minimum: data.minimum,
    divisor: data.divisor,
    top: data.top,
    mined: new Uint8Array(data.count),
    wanted: -1,
  };
  const { confidence, localisation, states } = costs;
  costs.fixed = { confidence: 0, localisation: 0 };
  for (let a = 0; a < costs.count; a += 1) {
    costs.fixed.localisation += localisation[a];
    if (states[a] === STATE.positive || states[a] === STATE.forced) costs.fixed.confidence += confidence[a];
  }
  mine(costs, null); // a status may be asked for before the ratio has been looked at
  return costs;
}

// As ssd.losses has it: the ratio times the positives, rounded down, and never below the minimum.
function minedCount(costs, ratio) {
  return Math.max(Math.floor(f32(f32(costs.positives) * f32(ratio))), costs.minimum);
}

// State bytes in which the mined negatives are told apart; without a ratio every negative counts.
function mine(costs, ratio) {
  const wanted = ratio === null ? costs.count : minedCount(costs, ratio);
  if (costs.wanted === wanted) return costs.mined;
  const { rank, states, mined, confidence } = costs;
  let sum = 0, count = 0, cheapest = Infinity;
  for (let a = 0; a < costs.count; a += 1) {
    mined[a] = states[a];
    if (states[a] !== STATE.negative || (ratio !== null && rank[a] >= wanted)) continue;
    if (ratio !== null) mined[a] = STATE.hard_negative;
    sum += confidence[a];
    count += 1;
    cheapest = Math.min(cheapest, confidence[a]);
  }
  costs.wanted = wanted;
  costs.sums = { negatives: sum / costs.divisor, count, cheapest: count ? cheapest : 0 };
  return mined;
}

function lossAt(costs) {
  const positive = costs.fixed.confidence / costs.divisor, boxes = costs.fixed.localisation / costs.divisor;
  return { positive, boxes, negatives: costs.sums.negatives, total: positive + boxes + costs.sums.negatives };
}

// How much of the colours' range a cost takes; the root tells small costs apart.
function heatOf(costs, a) {
  return Math.sqrt(Math.min((costs.confidence[a] + costs.localisation[a]) / costs.top, 1));
}

// Boxes of one kind in four strengths: what costs much stands out. A selected object's own come first.
const STRENGTHS = [[0.15, 0.12], [0.32, 0.35], [0.6, 0.75], [2, 1]]; // up to this heat, this opacity

function paintPriced(pen, c, kind, group) {
  const g = c.selectedObject === null ? null : c.slots[c.selectedObject];
  const lists = STRENGTHS.map(() => []);
  for (const a of group) {
    const heat = heatOf(c.costs, a), other = g !== null && c.costs.matched[a] !== g;
    lists[other ? 0 : STRENGTHS.findIndex(([most]) => heat < most)].push(a);
  }
  lists.forEach((list, i) => {
    const fade = STRENGTHS[i][1];
    strokeBoxes(pen, c.view, c.anchors.boxes, list, { ...LINES[kind], halo: fade < 0.5 ? 0 : LINES[kind].halo }, { fade });
  });
}

// The costliest anchor of every cell of the levels that are switched on, cheapest first.
function hotCells(c) {
  const { costs, anchors } = c;
  const key = [c.payload.costs, ...c.hiddenLevels].join();
  if (costs.cellsKey === key) return costs.cells;
  const cells = new Map();
  for (let a = 0; a < anchors.count; a += 1) {
    const heat = heatOf(costs, a);
    if (c.hiddenLevels.has(anchors.level[a]) || heat < 0.07) continue;
    const cell = (anchors.level[a] * 65536 + anchors.row[a]) * 65536 + anchors.column[a];
    const known = cells.get(cell);
    if (known === undefined || heat > known.heat) cells.set(cell, { heat, level: anchors.level[a], row: anchors.row[a], column: anchors.column[a] });
  }
  costs.cellsKey = key;
  costs.cells = [...cells.values()].sort((a, b) => a.heat - b.heat);
  return costs.cells;
}

// A disc for each cell: the larger and darker, the more its costliest anchor costs.
function paintHeat(pen, c) {
  const largest = limited(c.view.width / 30, 8, 22);
  pen.lineWidth = 1;
  for (const { heat, level, row, column: across } of hotCells(c)) {
    const [dx, dy] = c.anchors.steps[level];
    const x = (across + 0.5) * dx * c.view.sx + c.view.ox, y = (row + 0.5) * dy * c.view.sy + c.view.oy;
    pen.beginPath();
    pen.arc(x, y, Math.max(1.5, largest * heat), 0, 2 * Math.PI);
    pen.globalAlpha = 0.5 + 0.4 * heat;
    pen.fillStyle = rampColour(heat);
    pen.fill();
    pen.globalAlpha = 0.25 + 0.6 * heat;
    pen.strokeStyle = HALO;
    pen.stroke();
  }
  pen.globalAlpha = 1;
}

// A colour of the ramp of ssd/figures/colours.py, between its steps.
function rampColour(share) {
  const at = share * (RAMP.length - 1), low = Math.min(Math.floor(at), RAMP.length - 2);
  const parts = [1, 3, 5].map((i) => {
    const [a, b] = [RAMP[low], RAMP[low + 1]].map((colour) => parseInt(colour.slice(i, i + 2), 16));
    return Math.round(a + (b - a) * (at - low));
  });
  return `rgb(${parts.join(" ")})`;
}

// The slider of the ratio, as the score's: it acts while it moves and tells Python on release.
function buildRatio(c) {
  if (c.mining === null) return;
  buildSlider(c, "Hard negatives for each positive", {
    most: MOST_RATIO,
    step: 0.5,
    digits: 1,
    field: "ratio",
    read: () => c.mining,
    write: (value) => {
      c.mining = value;
    },
  });
}

// The discs' switch is their legend too.
function buildHeat(c) {
  const group = element("div", "ssd-group", c.bar);
  chip(c, group, "heat", "loss of a cell", { pressed: () => c.isShown("heat"), onToggle: () => c.toggleShown("heat") });
  const { button, count } = c.chips.get("heat");
  const ramp = element("i", "ssd-ramp", null);
  ramp.style.background = `linear-gradient(to right, ${RAMP.join(",")})`;
  button.insertBefore(ramp, count);
  count.textContent = `0–${c.costs.top}`;
  button.title = "A disc for each cell: the larger and darker, the more its costliest anchor costs";
}

function lossNumbers(c) {
  const { total } = lossAt(c.costs);
  const word = c.mining === null ? "negatives, all count" : "hard negatives";
  return [[c.costs.positives, "positive"], [c.costs.sums.count, word], [total.toFixed(2), "loss"]];
}

function lossLines(c) {
  const { costs } = c, { positive, boxes, negatives } = lossAt(costs);
  const lines = [
    { text: `Boxes of positives ${boxes.toFixed(2)} + their classes ${positive.toFixed(2)} + negatives ${negatives.toFixed(2)}`, kind: null },
  ];
  if (c.mining !== null && costs.sums.count) {
    lines.push({ text: `The cheapest negative that counts costs ${costs.sums.cheapest.toFixed(2)}`, kind: "hard_negative" });
  }
  if (!c.numObjects) lines.push({ text: filled(SENTENCES.empty_loss, { count: costs.sums.count }), kind: null });
  c.live.forEach((i, g) => {
    if (costs.lines[g]) lines.push({ text: costs.lines[g], kind: "positive", name: c.objects[i].name, at: ["object", i] });
  });
  return lines;
}

function lossStatus(c) {
  const { total } = lossAt(c.costs);
  const mined = c.mining === null ? "every negative counts" : `${withCommas(c.costs.sums.count)} hard negatives count`;
  return `Loss ${total.toFixed(2)} · ${plural(c.costs.positives, "positive anchor")} · ${mined}`;
}

function lossTooltip(c, index) {
  const { costs } = c, state = c.states[index];
  const lines = [`class ${costs.confidence[index].toFixed(2)}${costs.localisation[index] ? ` + box ${costs.localisation[index].toFixed(2)}` : ""}`];
  if (costs.matched[index] >= 0) lines.push(`told ${c.titles[c.live[costs.matched[index]]] ?? "an object"}`);
  else lines.push(state === STATE.ignored ? "told nothing" : `told background; says ${costs.names[costs.said[index] - 1]} before other classes`);
  if (costs.rank[index] < 65535 && c.mining !== null) lines.push(`${ordinal(costs.rank[index] + 1)} costliest negative${state === STATE.hard_negative ? "" : ": not mined"}`);
  return lines;
}

function ordinal(n) {
  const word = n % 100 > 10 && n % 100 < 14 ? "th" : ["th", "st", "nd", "rd"][n % 10] ?? "th";
  return `${withCommas(n)}${word}`;
}
