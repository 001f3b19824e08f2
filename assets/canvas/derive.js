// From what is given to what is drawn: match, states, who is visible, counts.

function derive(c) {
  c.live = [];
  const ignored = [];
  c.slots = c.objects.map((each, i) => {
    if (each.ignored) {
      ignored.push(each.box);
      return -1;
    }
    c.live.push(i);
    return c.live.length - 1;
  });
  const names = numbered(c.live.map((i) => c.objects[i].name));
  c.titles = c.objects.map((each, i) => (each.ignored ? each.name : names[c.slots[i]]));
  c.numObjects = c.live.length;
  const matching = c.payload.matching && { ...c.payload.matching, threshold: c.threshold };
  c.match = matching && c.anchors ? c.anchors.table.match(c.live.map((i) => c.objects[i].box), ignored, matching) : null;
  c.sentences = c.objects.map((each, i) => sentenceOf(c, each, i, names));
  c.orphans = c.match ? c.match.counts.filter((count) => count === 0).length : 0;
  if (c.payload.mode === "detections") deriveDetections(c);
  else deriveAnchors(c);
}

function sentenceOf(c, each, i, names) {
  if (each.ignored) return filled(SENTENCES.ignored, { name: each.name });
  return c.match ? objectSentence(c.match, c.anchors.level, names, c.slots[i]) : "";
}

// The state byte of every anchor: from Python, from the live match, or plain.
function fillStates(c) {
  const { count } = c.anchors;
  if (c.costs || c.givenStates) {
    c.states = c.costs ? mine(c.costs, c.mining) : c.givenStates;
    return;
  }
  if (c.states?.length !== count || c.states === c.lastGiven || c.states === c.lastMined) c.states = new Uint8Array(count);
  if (!c.match || c.payload.mode === "anchors") {
    c.states.fill(STATE.plain);
    return;
  }
  const { matched, forced, ignored } = c.match;
  for (let a = 0; a < count; a += 1) {
    c.states[a] = matched[a] >= 0 ? (forced[a] ? STATE.forced : STATE.positive) : ignored[a] ? STATE.ignored : STATE.negative;
  }
}

function deriveAnchors(c) {
  c.counts = { positive: 0, forced: 0, ignored: 0, negative: 0, hard_negative: 0, plain: 0, cell: 0, hidden: 0 };
  c.groups = {};
  c.numVisible = 0;
  c.crowd = { kind: "negative", count: 0, indices: c.crowd?.indices ?? new Int32Array(0) };
  if (!c.anchors) {
    c.crowdKey = "none";
    return;
  }
  fillStates(c);
  const { count, level } = c.anchors;
  if (c.visible?.length !== count) c.visible = new Int32Array(count);
  if (c.crowd.indices.length !== count) c.crowd.indices = new Int32Array(count);
  const onLevel = c.anchors.perLevel.map((_, k) => !c.hiddenLevels.has(k));
  const shown = STATES.map((name) => name !== "hidden" && c.isShown(name));
  const crowdState = c.payload.mode === "anchors" ? STATE.plain : STATE.negative;
  const wholeCrowd = crowdState === STATE.negative && !c.givenStates; // recoloured while dragging
  const sameCell = cellFilter(c);
  const lists = STATES.map(() => []);
  const totals = new Array(STATES.length).fill(0);
  for (let a = 0; a < count; a += 1) {
    const state = c.states[a];
    totals[state] += 1;
    if (!onLevel[level[a]] || !shown[state] || !sameCell(a) || classHidden(c, a)) continue;
    c.visible[c.numVisible] = a;
    c.numVisible += 1;
    if (state === crowdState || (wholeCrowd && shown[crowdState])) {
      c.crowd.indices[c.crowd.count] = a;
      c.crowd.count += 1;
    }
    if (state !== crowdState) lists[state].push(a);
  }
  STATES.forEach((name, i) => {
    c.counts[name] = totals[i];
    if (lists[i].length) c.groups[name] = lists[i];
  });
  c.crowd.kind = STATES[crowdState];
  const cell = c.payload.cell_only ? c.selectedAnchor : "";
  const moving = wholeCrowd ? "live" : `${c.statesVersion}`;
  c.crowdKey = [c.payload.anchors, c.payload.mode, [...c.hiddenLevels].sort(), shown[crowdState], cell, moving, [...c.hiddenClasses], c.payload.costs].join("/");
}

function classHidden(c, a) {
  if (!c.hiddenClasses.size || !c.match || c.match.matched[a] < 0) return false;
  return c.hiddenClasses.has(c.objects[c.live[c.match.matched[a]]].name);
}

function cellFilter(c) {
  const at = c.selectedAnchor;
  if (!c.payload.cell_only || at === null || at >= c.anchors.count) return () => true;
  const { level, row, column: across } = c.anchors;
  return (a) => level[a] === level[at] && row[a] === row[at] && across[a] === across[at];
}

// The fates at the limits of this moment: worked out here, or Python's where there are too many
// candidates for a frame or no limits to move.
function deriveEnds(c, above) {
  const { candidates, limits } = c;
  const live = Boolean(limits) && above <= LIVE_CANDIDATES;
  c.asPython = !limits || Object.entries(LIMITS).every(([theirs, own]) => limits[own] === c.payload[theirs]);
  const { nms_kind: kind, cap } = c.payload;
  const soft = (live ? limits.kind : kind) === "soft";
  const key = [c.payload.candidates, above, live, soft && c.score, ...Object.values(limits ?? {})].join();
  c.stale = !live && !c.asPython;
  c.fromBrowser = live;
  if (c.endsKey !== key || c.endsOf !== candidates) {
    if (c.nmsTable?.of !== candidates.boxes) c.nmsTable = null;
    if (live) c.nmsTable ??= Object.assign(new NmsTable(candidates), { of: candidates.boxes });
    c.ends = live
      ? suppressAgain(candidates, c.nmsTable, above, { ...limits, score: c.score })
      : pythonsEnds(candidates, above, { kind, cap, score: c.score });
    c.endsKey = key;
    c.endsOf = candidates;
    c.steps = null;
  }
  const answers = c.answers && judged(c.ends, c.answers, c.objects.map((each) => each.ignored));
  if (answers) c.outcomes = answers.outcomes;
  c.found = answers ? answers.found : new Set();
  if (!answers) for (const [i, g] of c.payload.hits ?? []) if (i < above) c.found.add(g);
}

function deriveDetections(c) {
  const { candidates } = c;
  const above = countAbove(candidates.scores, c.score);
  deriveEnds(c, above);
  c.counts = countFates(candidates, above, c.outcomes, c.ends.fate);
  c.groups = { kept: [], beyond_top_k: [], suppressed: [], beyond_cap: [], below: [] };
  const hidden = candidates.names.map((name) => c.hiddenClasses.has(name));
  const shown = FATES.map((kind) => c.isShown(kind));
  for (let i = 0; i < candidates.count; i += 1) {
    const fate = i < above ? c.ends.fate[i] : BELOW;
    if (shown[fate] && !hidden[candidates.labels[i] - 1]) c.groups[FATES[fate]].push(i);
  }
  c.shownDetections = Object.values(c.groups).flat();
  c.numVisible = c.shownDetections.length;
  c.crowdKey = "detections";
  c.crowd = { kind: "below", count: 0, indices: new Int32Array(0) };
}
