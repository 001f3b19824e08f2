// Verdicts as Python found them: lines of the panel, and on the picture the boxes that they name.

// Whatever was moved since Python last answered may have changed them.
const HARMLESS = /^(selected_|hidden_|travel|nms_step)/;
const isStale = (c) => Boolean(c.sliding) || [...c.changed].some((name) => !HARMLESS.test(name));

const showsVerdicts = (c) => Boolean(c.payload.verdicts?.length);

function verdictLines(c) {
  return c.payload.verdicts.map((each) => ({
    ...(each.kind === "object" || each.kind === "ignored_object"
      ? { title: "", text: `${each.title}: ${each.verdict} ${each.text}` }
      : { title: `${each.title} · ${each.verdict}`, text: each.text }),
    note: each.effect, kind: each.kind, name: each.name,
    at: each.at, knob: each.button, wish: each.remedy,
  }));
}

const CONTROLS = { nms_threshold: "nms", top_k: "top_k", max_detections: "cap", class_agnostic: "agnostic", nms_kind: "nms_kind" };

// Does what a verdict's button says: the same controls, moved the same way.
function moveLimits(c, wish) {
  const moved = [];
  if (wish.score_threshold !== undefined) {
    c.score = wish.score_threshold;
    moved.push("score");
  }
  for (const [theirs, field] of Object.entries(CONTROLS)) {
    if (wish[theirs] === undefined || !c.limits) continue;
    c.limits[LIMITS[field]] = wish[theirs];
    moved.push(field);
  }
  c.report(...moved);
}

// The verdict on what is selected.
function chosenVerdict(c) {
  if (!c.payload.verdicts || isStale(c)) return null;
  const kind = c.selectedObject !== null ? "object" : "detection";
  const index = c.selectedObject ?? c.selectedDetection;
  return c.payload.verdicts.find(({ at }) => at[0] === kind && at[1] === index) ?? null;
}

// The boxes to blame over everything else, each with its word.
function paintVerdict(pen, c, labels) {
  const chosen = chosenVerdict(c);
  if (!chosen || c.payload.static) return;
  const own = chosen.at[0] === "object" ? c.objects[chosen.at[1]].box : boxAt(c.candidates.boxes, chosen.at[1]);
  for (const { box, kind } of chosen.boxes) {
    const line = LINES[kind];
    drawBox(pen, c.view, box, { ...line, width_px: Math.max(line.width_px, 2), alpha: 1, halo: 0.7 }, { thicker: 0.5 });
    drawLink(pen, c.view, own, box, line);
  }
  for (const { box, kind, word } of chosen.boxes) {
    if (kind === "object") continue; // it has its own chip
    labels.draw(box, word, { background: "rgba(18, 22, 30, 0.92)", edge: LINES[kind].colour, needed: true });
  }
}
