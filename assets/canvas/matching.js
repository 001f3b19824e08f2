// Matching as ssd/matching.py does it, equal to it value by value (tests/browser/test_parity.py).

const SMALLEST_OVERLAP = 1e-6; // Caffe-SSD, MatchBBox

// Keeps the jaccard table, so that a dragged object costs one new row.
class MatchTable {
  constructor(boxes) {
    this.boxes = boxes;
    this.areas = areas(boxes);
    this.count = this.areas.length;
    this.rows = [];
    this.keys = [];
  }

  row(index, box) {
    const key = box.join();
    if (this.keys[index] !== key) {
      this.rows[index] ??= new Float32Array(this.count);
      jaccardRow(box, this.boxes, this.areas, this.rows[index]);
      this.keys[index] = key;
    }
    return this.rows[index];
  }

  match(boxes, ignoredBoxes, { rule, threshold, strict }) {
    const rows = boxes.map((box, i) => this.row(i, box));
    const found = bestOfAnchors(rows, this.count, f32(threshold), strict);
    Object.assign(found, bestOfObjects(rows));
    const byThreshold = found.matched.slice();
    (rule === "bipartite" ? takeBestPairs : takeInTurn)(rows, found);
    markForced(found, byThreshold, boxes.length);
    markIgnored(found, ignoredBoxes.map((box, i) => this.row(boxes.length + i, box)));
    return found;
  }
}

// Best object of every anchor (the lower index among equals), and who passes the threshold.
function bestOfAnchors(rows, count, threshold, strict) {
  const overlap = rows.length ? rows[0].slice() : new Float32Array(count);
  const best = new Int32Array(count);
  for (let g = 1; g < rows.length; g += 1) {
    const row = rows[g];
    for (let a = 0; a < count; a += 1) {
      if (row[a] > overlap[a]) {
        overlap[a] = row[a];
        best[a] = g;
      }
    }
  }
  const matched = new Int32Array(count).fill(-1);
  for (let a = 0; a < count && rows.length; a += 1) {
    if (strict ? overlap[a] > threshold : overlap[a] >= threshold) matched[a] = best[a];
  }
  return { overlap, best, matched };
}

function firstMaximum(row, taken) {
  let at = -1, value = -1;
  for (let a = 0; a < row.length; a += 1) {
    if (row[a] > value && !taken?.[a]) {
      value = row[a];
      at = a;
    }
  }
  return { at, value };
}

function bestOfObjects(rows) {
  const bests = rows.map((row) => firstMaximum(row));
  return { bestAnchor: bests.map((b) => b.at), bestOverlap: bests.map((b) => Math.max(b.value, 0)) };
}

// The best free pair of all, again and again; ties: the lower object, then the lower anchor.
function takeBestPairs(rows, found) {
  const taken = new Uint8Array(found.matched.length);
  const bests = found.bestAnchor.map((at, g) => ({ at, value: at < 0 ? -1 : found.bestOverlap[g] }));
  for (let left = Math.min(rows.length, taken.length); left > 0; left -= 1) {
    let g = 0;
    for (let i = 1; i < bests.length; i += 1) if (bests[i].value > bests[g].value) g = i;
    const { at, value } = bests[g];
    if (!(value > SMALLEST_OVERLAP)) return;
    found.matched[at] = g;
    taken[at] = 1;
    bests[g] = { at: -1, value: -1 };
    bests.forEach((b, i) => {
      if (b.at === at) bests[i] = firstMaximum(rows[i], taken);
    });
  }
}

// Each object takes its best anchor in turn, from whoever had it: "overwrite", and
// "torchvision" too, whose one indexed write keeps the last duplicate on the CPU.
function takeInTurn(rows, found) {
  found.bestAnchor.forEach((at, g) => {
    if (at >= 0) found.matched[at] = g;
  });
}

function markForced(found, byThreshold, objects) {
  const { matched } = found;
  found.forced = new Uint8Array(matched.length);
  found.counts = new Array(objects).fill(0);
  found.forcedCounts = new Array(objects).fill(0);
  found.numPositive = 0;
  found.numForced = 0;
  for (let a = 0; a < matched.length; a += 1) {
    const g = matched[a];
    if (g < 0) continue;
    found.numPositive += 1;
    found.counts[g] += 1;
    if (g !== byThreshold[a]) {
      found.forced[a] = 1;
      found.forcedCounts[g] += 1;
      found.numForced += 1;
    }
  }
}

function markIgnored(found, rows) {
  found.ignored = new Uint8Array(found.matched.length);
  found.numIgnored = 0;
  for (const row of rows) {
    for (let a = 0; a < row.length; a += 1) {
      if (row[a] >= IGNORE_JACCARD && found.matched[a] < 0 && !found.ignored[a]) {
        found.ignored[a] = 1;
        found.numIgnored += 1;
      }
    }
  }
}
