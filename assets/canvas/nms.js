// Top-k, NMS and cap as ssd/detections.py and ssd/nms.py have them, equal to them value by
// value (tests/browser/test_parity.py). Candidates stand best first.

const KEPT = 0, BEYOND_TOP_K = 1, SUPPRESSED = 2, BEYOND_CAP = 3;
const WAITING = 9; // has had no turn yet

// Rows of the jaccard table, each computed when its box has its first turn: a dragged
// threshold only compares.
class NmsTable {
  constructor(candidates) {
    this.count = Math.min(candidates.count, LIVE_CANDIDATES);
    this.boxes = candidates.boxes.subarray(0, 4 * this.count);
    this.areas = areas(this.boxes);
    this.rows = [];
  }

  row(i) {
    this.rows[i] ??= jaccardRow(boxAt(this.boxes, i), this.boxes, this.areas, new Float32Array(this.count));
    return this.rows[i];
  }
}

// What becomes of the first `above` candidates. `log` hears of every turn and what it does.
function suppressAgain(candidates, table, above, limits, log = null) {
  const ends = {
    fate: new Uint8Array(above).fill(WAITING),
    by: new Int32Array(above).fill(-1),
    overlap: new Float32Array(above),
    decayed: candidates.scores.slice(0, above),
    decayedBy: new Int32Array(above).fill(-1),
    kept: [],
  };
  const groups = groupsOf(candidates.labels, above, limits, ends.fate);
  for (const members of groups) {
    (limits.kind === "soft" ? soften : suppress)(members, table, limits, ends, log);
  }
  cutByCap(ends, limits.cap);
  return ends;
}

// The members of each class (or all together) that are within top-k of their class.
function groupsOf(labels, above, { topK, agnostic }, fate) {
  const groups = new Map(), ranks = new Map();
  for (let i = 0; i < above; i += 1) {
    const rank = ranks.get(labels[i]) ?? 0;
    ranks.set(labels[i], rank + 1);
    if (rank >= topK) {
      fate[i] = BEYOND_TOP_K;
      continue;
    }
    const name = agnostic ? 0 : labels[i];
    if (!groups.has(name)) groups.set(name, []);
    groups.get(name).push(i);
  }
  return [...groups.values()];
}

function suppress(members, table, { nms }, ends, log) {
  const { fate, by, overlap } = ends;
  for (let at = 0; at < members.length; at += 1) {
    const i = members[at];
    if (fate[i] !== WAITING) continue;
    fate[i] = KEPT;
    log?.turn(i);
    const row = table.row(i);
    for (let later = at + 1; later < members.length; later += 1) {
      const j = members[later];
      if (fate[j] !== WAITING || !(row[j] > nms)) continue;
      fate[j] = SUPPRESSED;
      by[j] = i;
      overlap[j] = row[j];
      log?.event(j, row[j], ends.decayed[j], ends.decayed[j], true);
    }
  }
}

// Gaussian soft-NMS. The factor is computed in float64; factors and scores are float32.
function soften(members, table, { sigma, score }, ends, log) {
  const { fate, by, overlap, decayed, decayedBy } = ends;
  const least = new Map();
  let waiting = members;
  while (waiting.length) {
    let at = 0;
    for (let k = 1; k < waiting.length; k += 1) if (decayed[waiting[k]] > decayed[waiting[at]]) at = k;
    const i = waiting[at], row = table.row(i), rest = [];
    fate[i] = KEPT;
    log?.turn(i);
    for (let k = 0; k < waiting.length; k += 1) {
      const j = waiting[k];
      if (k === at) continue;
      const factor = row[j] > 0 ? f32(Math.exp(-(row[j] * row[j]) / sigma)) : 1;
      const before = decayed[j];
      if (factor < 1) decayed[j] *= factor;
      if (factor < (least.get(j) ?? 1)) {
        least.set(j, factor);
        decayedBy[j] = i;
      }
      const stays = decayed[j] > score;
      if (factor < 1) log?.event(j, row[j], before, decayed[j], !stays);
      if (stays) {
        rest.push(j);
        continue;
      }
      fate[j] = SUPPRESSED;
      by[j] = i;
      overlap[j] = row[j];
    }
    waiting = rest;
  }
}

// The best `cap` of those that stayed, by falling score after NMS.
function cutByCap(ends, cap) {
  const { fate, decayed } = ends;
  const stayed = [];
  for (let i = 0; i < fate.length; i += 1) if (fate[i] === KEPT) stayed.push(i);
  stayed.sort((a, b) => decayed[b] - decayed[a] || a - b);
  for (const i of stayed.slice(cap)) fate[i] = BEYOND_CAP;
  ends.kept = stayed.slice(0, cap);
}

// Python's own answer, made at the lowest score: exact for hard NMS at any score above, and
// for soft NMS in who is kept.
function pythonsEnds(candidates, above, { kind, score, cap }) {
  const ends = { kept: [] };
  for (const name of ["fate", "by", "overlap", "decayed", "decayedBy"]) ends[name] = candidates[name].slice(0, above);
  if (kind === "soft") {
    for (let i = 0; i < above; i += 1) {
      const stayed = ends.fate[i] === KEPT || ends.fate[i] === BEYOND_CAP;
      if (stayed) ends.fate[i] = ends.decayed[i] > score ? KEPT : SUPPRESSED;
    }
    cutByCap(ends, cap);
    return ends;
  }
  for (let i = 0; i < above; i += 1) if (ends.fate[i] === KEPT) ends.kept.push(i);
  return ends;
}

// By falling score each kept box takes the object it lies on; a second one is wrong.
function judged(ends, answers, ignored) {
  const outcomes = new Uint8Array(ends.fate.length), found = new Set();
  for (const i of ends.kept) {
    const g = answers[i];
    if (g >= 0 && ignored[g]) outcomes[i] = OUTCOME.dropped;
    else if (g >= 0 && !found.has(g)) {
      outcomes[i] = OUTCOME.true_positive;
      found.add(g);
    } else outcomes[i] = OUTCOME.false_positive;
  }
  return { outcomes, found };
}
