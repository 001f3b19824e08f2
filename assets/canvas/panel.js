// Words that follow each frame: the status line, the panel, the tooltip, the text alternative.

function statusText(c) {
  const { payload, counts } = c;
  if (payload.mode === "anchors") {
    return `${withCommas(c.numVisible)} of ${plural(c.anchors.count, "anchor")} drawn`;
  }
  if (payload.mode === "detections") {
    const wanted = `${counts.kept} kept of ${withCommas(counts.above)} above ${c.score.toFixed(2)}`;
    if (c.stale) return filled(SENTENCES.nms_release, { count: withCommas(counts.above), most: withCommas(LIVE_CANDIDATES) });
    return c.outcomes ? `${wanted} · ${outcomeText(c)}` : wanted;
  }
  if (c.costs) return lossStatus(c);
  if (!c.objects.length) return SENTENCES.empty;
  if (c.selectedObject !== null && c.sentences[c.selectedObject]) return c.sentences[c.selectedObject];
  const parts = [`${withCommas(counts.positive + counts.forced)} positive of ${plural(c.anchors?.count ?? 0, "anchor")}`];
  if (counts.forced) parts.push(`${counts.forced} of them forced`);
  if (c.orphans) parts.push(plural(c.orphans, "orphan"));
  return parts.join(" · ");
}

function outcomeText(c) {
  const { true_positive: hits, false_positive: wrong } = c.counts;
  return `${hits} found · ${wrong} wrong · ${c.numObjects - hits} missed`;
}

function bigNumbers(c) {
  const { counts } = c;
  if (c.costs) return lossNumbers(c);
  if (c.payload.mode === "detections" && c.outcomes) {
    const { precision, recall, f1 } = rates(counts.true_positive, counts.false_positive, c.numObjects);
    return [["precision", precision], ["recall", recall], ["F1", f1]].map(([word, v]) => [v === null ? "–" : v.toFixed(2), word]);
  }
  if (c.payload.mode === "detections") {
    return [[counts.kept, "kept"], [counts.suppressed, "suppressed"], [counts.above, "above the score"]];
  }
  if (c.payload.mode === "anchors") {
    return [[c.numVisible, "drawn"], [c.anchors.count, "anchors"], [c.anchors.perLevel.length, "levels"]];
  }
  return [[counts.positive + counts.forced, "positive"], [counts.forced, "forced"], [c.orphans, c.orphans === 1 ? "orphan" : "orphans"]];
}

function panelLines(c) {
  if (showsVerdicts(c)) return verdictLines(c);
  if (c.payload.mode === "detections") {
    const kept = c.groups.kept ?? [];
    return kept.slice(0, 12).map((i) => ({
      text: detectionTitle(c, i), kind: lineOfDetection(c, i), name: c.candidates.names[c.candidates.labels[i] - 1], at: ["detection", i],
    }));
  }
  if (c.costs) return lossLines(c);
  if (!c.objects.length) return [{ text: SENTENCES.empty, kind: null }];
  return c.sentences.map((text, i) => ({ text, kind: c.kindOfObject(i), name: c.objects[i].name, at: ["object", i] }));
}

// How many boxes each limit leaves, at the score of this moment.
function funnelStages(c) {
  const { above, beyond_top_k: cut, suppressed, kept } = c.counts;
  return [
    ["anchors", c.payload.num_anchors],
    ["above the score", above],
    ["within top-k", above - cut],
    ["after NMS", above - cut - suppressed],
    [c.limits ? `kept, cap ${withCommas(c.limits.cap)}` : "kept", kept],
  ];
}

function updateFunnel(c) {
  const shown = c.payload.mode === "detections" && Boolean(c.payload.num_anchors);
  c.funnel.hidden = !shown;
  if (!shown) return;
  const stages = funnelStages(c);
  const most = Math.log1p(Math.max(...stages.map(([, count]) => count)));
  while (c.funnelRows.length < stages.length) {
    const row = element("div", "", c.funnel);
    c.funnelRows.push({ row, word: element("span", "", row), bar: element("i", "", row), count: element("b", "", row) });
  }
  stages.forEach(([word, count], i) => {
    const { row, word: said, bar, count: shownCount } = c.funnelRows[i];
    say(said, word);
    say(shownCount, withCommas(count));
    bar.style.setProperty("--share", String(most ? Math.log1p(count) / most : 0));
    row.className = i === stages.length - 1 ? "ssd-last" : "";
  });
}

function updatePanel(c) {
  say(c.status, statusText(c));
  if (!c.payload.panel || c.payload.static) return;
  updateFunnel(c);
  bigNumbers(c).forEach(([value, word], i) => {
    say(c.numbers[i].value, typeof value === "number" ? withCommas(value) : value);
    say(c.numbers[i].word, word);
  });
  const lines = panelLines(c);
  c.list.classList.toggle("ssd-stale", showsVerdicts(c) && isStale(c));
  while (c.lines.length < lines.length) c.lines.push(panelLine(c));
  followChosen(c, lines);
  c.lines.forEach((line, i) => {
    line.node.hidden = i >= lines.length;
    line.help.hidden = !lines[i]?.note;
    line.knob.hidden = !lines[i]?.knob;
    if (i >= lines.length) return;
    say(line.title, lines[i].title ?? "");
    say(line.text, lines[i].text);
    say(line.note, lines[i].note ?? "");
    say(line.knob, lines[i].knob ?? "");
    line.wish = lines[i].wish;
    line.at = lines[i].at;
    line.dot.hidden = !lines[i].name;
    line.dot.style.background = lines[i].name ? c.colourOf(lines[i].name) : "";
    const { kind } = lines[i];
    line.node.style.borderLeftColor = !kind || kind === "object" ? "" : LINES[kind].colour;
    const chosen = lines[i].at?.[0] === "object" ? c.selectedObject : c.selectedDetection;
    mark(line.node, "aria-pressed", lines[i].at !== undefined && lines[i].at[1] === chosen);
  });
}

// Where something was selected on the picture, its line comes into sight; the page stays where it is.
function followChosen(c, lines) {
  const key = `${c.selectedObject}/${c.selectedDetection}`;
  if (c.chosenKey === key) return;
  c.chosenKey = key;
  const [kind, index] = c.selectedObject !== null ? ["object", c.selectedObject] : ["detection", c.selectedDetection];
  const line = c.lines[lines.findIndex(({ at }) => at?.[0] === kind && at[1] === index)];
  if (!line) return;
  const top = line.node.offsetTop - c.list.offsetTop;
  if (top < c.list.scrollTop || top + line.node.offsetHeight > c.list.scrollTop + c.list.clientHeight) c.list.scrollTop = top - 4;
}

function panelLine(c) {
  const node = element("button", "ssd-line", c.list, { type: "button" });
  const dot = element("i", "ssd-dot", node), words = element("span", "", node);
  const line = { node, dot, title: element("b", "", words), text: element("span", "", words), at: undefined };
  line.help = element("div", "ssd-help", c.list);
  line.knob = element("button", "ssd-knob", line.help, { type: "button" });
  line.note = element("span", "ssd-note", line.help);
  line.knob.addEventListener("click", () => moveLimits(c, line.wish));
  node.addEventListener("click", () => line.at && c.select(...line.at));
  return line;
}

function buildPanel(c) {
  const big = element("div", "ssd-numbers", c.panel);
  c.numbers = [0, 1, 2].map(() => {
    const cell = element("div", "", big);
    return { value: element("b", "", cell), word: element("span", "", cell) };
  });
  c.funnel = element("div", "ssd-funnel", c.panel, { role: "img", "aria-label": "How many boxes each limit leaves" });
  c.funnel.hidden = true;
  c.funnelRows = [];
  c.list = element("div", "ssd-lines", c.panel);
  c.lines = [];
}

function detectionTitle(c, i) {
  return `${c.candidates.names[c.candidates.labels[i] - 1] ?? "?"} ${twoDecimals(scoreNow(c, i))}`;
}

// The score after NMS: soft NMS lowers it.
function scoreNow(c, i) {
  return c.ends && i < c.ends.decayed.length ? c.ends.decayed[i] : c.candidates.scores[i];
}

const FATE_WORDS = ["kept", "beyond top-k of its class", "suppressed", "beyond the cap per picture"];

function fateText(c, i) {
  if (i >= c.counts.above) return "below the score threshold";
  const { fate, by, overlap } = c.ends;
  if (fate[i] === SUPPRESSED && by[i] >= 0) return `suppressed by ${detectionTitle(c, by[i])} at jaccard ${twoDecimals(overlap[i])}`;
  return FATE_WORDS[fate[i]] + (fate[i] === 0 && c.outcomes?.[i] ? `, ${LINES[OUTCOMES[c.outcomes[i]]]?.word ?? "not counted"}` : "");
}

function decayText(c, i) {
  if (i >= c.counts.above || !(c.ends.decayedBy[i] >= 0)) return "";
  return `scored ${twoDecimals(c.candidates.scores[i])}; lowered most by ${detectionTitle(c, c.ends.decayedBy[i])}`;
}

function tooltipLines(c, { kind, index }) {
  const { width, height } = c.payload;
  if (kind === "object") {
    return [c.titles[index], sizeInPixels(c.objects[index].box, width, height), c.sentences[index] ?? ""];
  }
  if (kind === "detection") {
    const size = sizeInPixels(boxAt(c.candidates.boxes, index), width, height);
    return [detectionTitle(c, index), decayText(c, index), `anchor ${withCommas(c.candidates.anchors[index])} · ${size}`, fateText(c, index)];
  }
  const { level, row, column: across, boxes } = c.anchors;
  const lines = [
    `Anchor ${withCommas(index)}`,
    `level ${level[index]} · row ${row[index]}, column ${across[index]} · ${sizeInPixels(boxAt(boxes, index), width, height)}`,
  ];
  const state = LINES[STATES[c.states[index]]];
  if (c.match && c.match.counts.length && c.payload.mode !== "anchors") {
    const owner = c.match.matched[index] >= 0 ? c.match.matched[index] : c.match.best[index];
    const kept = c.live[owner];
    const value = c.match.matched[index] >= 0 && c.match.matched[index] !== c.match.best[index]
      ? c.anchors.table.row(owner, c.objects[kept].box)[index] : c.match.overlap[index];
    lines.push(`jaccard ${twoDecimals(value)} with ${c.titles[kept]}`);
  }
  if (c.costs) lines.push(...lossTooltip(c, index));
  if (c.payload.mode !== "anchors" && state) lines.push(state.word);
  return lines;
}

function updateTooltip(c) {
  const shown = c.hover && c.hover.kind !== "handle" && !c.drag && !c.payload.static;
  c.tooltip.hidden = !shown;
  if (!shown) return;
  const lines = tooltipLines(c, c.hover).filter(Boolean);
  while (c.tooltip.children.length < lines.length) element("div", "", c.tooltip);
  [...c.tooltip.children].forEach((node, i) => {
    say(node, lines[i] ?? "");
    node.hidden = i >= lines.length;
  });
  const { offsetWidth: width, offsetHeight: height } = c.tooltip;
  const x = c.hoverAt[0] + 16 + width > c.view.width ? c.hoverAt[0] - width - 12 : c.hoverAt[0] + 16;
  const y = c.hoverAt[1] + 18 + height > c.view.height ? c.hoverAt[1] - height - 10 : c.hoverAt[1] + 18;
  c.tooltip.style.transform = `translate(${Math.max(2, Math.round(x))}px, ${Math.max(2, Math.round(y))}px)`;
}

// What the canvas shows, for those who cannot see it; spoken once it has come to rest.
function describe(c) {
  const { alt } = c.picture ?? { alt: "" };
  mark(c.canvas, "aria-label", `${alt || "Picture"}. ${plural(c.objects.length, "object")}. ${statusText(c)}.`);
  const words = c.payload.mode === "detections" ? panelLines(c).map(({ title, text }) => (title ? `${title}. ${text}` : text)) : c.sentences;
  const rows = c.objects.map((each, i) => {
    const [x1, y1, x2, y2] = each.box;
    const px = [x1 * c.payload.width, y1 * c.payload.height, x2 * c.payload.width, y2 * c.payload.height].map(Math.round);
    return `${c.titles[i]}: from ${px[0]}, ${px[1]} to ${px[2]}, ${px[3]} pixels`;
  });
  const texts = [...rows, ...words.filter(Boolean)];
  while (c.spoken.children.length > texts.length) c.spoken.lastChild.remove();
  while (c.spoken.children.length < texts.length) element("li", "", c.spoken);
  texts.forEach((text, i) => say(c.spoken.children[i], text));
  say(c.liveRegion, statusText(c));
}
