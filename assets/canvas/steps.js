// NMS step by step: each turn of a box, then each thing it does to another, in the order of scores.

class StepLog {
  constructor() {
    this.turns = [];
    Object.assign(this, { of: [], jaccard: [], before: [], after: [], leaves: [] });
  }

  turn(i) {
    this.turns.push({ i, from: this.of.length, to: this.of.length });
  }

  event(j, jaccard, before, after, leaves) {
    this.of.push(j);
    this.jaccard.push(jaccard);
    this.before.push(before);
    this.after.push(after);
    this.leaves.push(leaves);
    this.turns[this.turns.length - 1].to += 1;
  }
}

// The steps: a start, what top-k cuts (if it does), the turns, an end.
class NmsSteps {
  constructor(candidates, table, above, limits) {
    this.log = new StepLog();
    this.limits = limits;
    this.scores = candidates.scores.slice(0, above);
    this.ends = suppressAgain(candidates, table, above, limits, this.log);
    this.cut = this.ends.fate.filter((fate) => fate === BEYOND_TOP_K).length;
    const { decayed } = this.ends;
    this.turns = this.log.turns.sort((a, b) => decayed[b.i] - decayed[a.i] || a.i - b.i);
    let at = this.cut ? 2 : 1;
    this.starts = this.turns.map((turn) => {
      const start = at;
      at += 1 + turn.to - turn.from;
      return start;
    });
    this.count = at + 1;
  }

  // The turn that a step belongs to; -1 before the first.
  turnOf(step) {
    let low = 0, high = this.starts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.starts[middle] <= step) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  at(step) {
    if (step >= this.count - 1) return { act: "end" };
    const t = this.turnOf(step);
    if (t < 0) return { act: step === 0 ? "start" : "cut" };
    const { i, from } = this.turns[t], { of, jaccard, before, after, leaves } = this.log;
    const k = from + step - this.starts[t] - 1;
    if (k < from) return { act: "stay", i };
    return { act: leaves[k] ? "leave" : "fall", i, j: of[k], jaccard: jaccard[k], before: before[k], after: after[k] };
  }

  // Who waits, stays and has left after a step, and the scores that are left.
  stateAt(step) {
    const fate = new Uint8Array(this.scores.length).fill(WAITING), scores = this.scores.slice();
    const { of, after, leaves } = this.log;
    if (step >= 1) this.ends.fate.forEach((end, i) => end === BEYOND_TOP_K && (fate[i] = end));
    for (let t = 0; t < this.turns.length && this.starts[t] <= step; t += 1) {
      const { i, from, to } = this.turns[t];
      fate[i] = KEPT;
      const last = Math.min(to, from + step - this.starts[t]);
      for (let k = from; k < last; k += 1) {
        scores[of[k]] = after[k];
        if (leaves[k]) fate[of[k]] = SUPPRESSED;
      }
    }
    if (step >= this.count - 1) fate.set(this.ends.fate);
    return { fate, scores };
  }
}

function stepSentence(c) {
  const step = c.steps.at(c.stepAt), { limits, ends } = c.steps;
  const name = (i, score) => `${c.candidates.names[c.candidates.labels[i] - 1] ?? "?"} ${twoDecimals(score)}`;
  const stayed = c.steps.turns.length, kept = ends.kept.length;
  if (step.act === "start") return filled(SENTENCES.nms_start, { above: plural(c.counts.above, "candidate"), score: shortNumber(c.score) });
  if (step.act === "cut") return filled(SENTENCES.nms_cut, { cut: plural(c.steps.cut, "candidate"), top_k: withCommas(limits.topK) });
  if (step.act === "end" && stayed > kept) return filled(SENTENCES.nms_capped, { stayed: withCommas(stayed), kept: withCommas(kept) });
  if (step.act === "end") return filled(SENTENCES.nms_end, { kept: withCommas(kept), above: plural(c.counts.above, "candidate") });
  if (step.act === "stay") return filled(SENTENCES.nms_stay, { name: name(step.i, ends.decayed[step.i]) });
  const soft = limits.kind === "soft";
  const close = !soft && twoDecimals(step.jaccard) === limits.nms.toFixed(2);
  return filled(SENTENCES[soft ? (step.act === "leave" ? "nms_fade" : "nms_fall") : "nms_leave"], {
    name: name(step.j, step.before),
    by: name(step.i, ends.decayed[step.i]),
    jaccard: close ? step.jaccard.toFixed(6) : twoDecimals(step.jaccard),
    threshold: shortNumber(limits.nms),
    after: twoDecimals(step.after),
    score: shortNumber(c.score),
  });
}

function shortNumber(value) {
  return String(Number(value.toPrecision(6)));
}

// While NMS is followed: who waits, who stays, who has left, and the two this step is about.
function paintSteps(pen, c, labels) {
  const { boxes } = c.candidates, { fate } = c.stepState, step = c.steps.at(c.stepAt);
  const shown = c.shownInSteps;
  const of = (...wanted) => shown.filter((i) => wanted.includes(fate[i]));
  const gone = of(SUPPRESSED, BEYOND_TOP_K, BEYOND_CAP);
  if (c.isShown("suppressed")) strokeBoxes(pen, c.view, boxes, gone, LINES.suppressed, { fade: 0.4 });
  strokeBoxes(pen, c.view, boxes, of(WAITING), LINES.waiting);
  strokeBoxes(pen, c.view, boxes, of(KEPT), LINES.kept, { fade: step.i === undefined ? 1 : 0.75 });
  if (step.i === undefined) return;
  if (step.j !== undefined) {
    drawLink(pen, c.view, boxAt(boxes, step.j), boxAt(boxes, step.i), LINES.suppressed);
    const line = { ...LINES[step.act === "leave" ? "suppressed" : "waiting"], alpha: 1, halo: 0.6 };
    drawBox(pen, c.view, boxAt(boxes, step.j), line, { thicker: 2 });
  }
  drawBox(pen, c.view, boxAt(boxes, step.i), LINES.kept, { thicker: 2 });
  for (const i of step.j === undefined ? [step.i] : [step.i, step.j]) {
    const name = c.candidates.names[c.candidates.labels[i] - 1] ?? "";
    const score = i === step.j ? c.stepState.scores[i] : c.steps.ends.decayed[i];
    labels.draw(boxAt(boxes, i), `${name} ${twoDecimals(score)}`, { background: c.colourOf(name), needed: true });
  }
}
