// A network that learns: its boxes glide from where they were to where they are now.

const GLIDE_MS = 260; // about the time until the next report

const boxKey = (candidates, i) => candidates.anchors[i] * 65536 + candidates.labels[i];

// Called when candidates were taken over; `last` are those that were on the screen.
function startGlide(c, last) {
  c.glide = null;
  const next = c.candidates;
  const still = globalThis.matchMedia?.("(prefers-reduced-motion: reduce)").matches;
  if (!c.payload.settling || !last || !next || still) return;
  const places = new Map();
  for (let i = 0; i < last.count; i += 1) places.set(boxKey(last, i), i);
  const start = Float32Array.from(next.boxes);
  for (let i = 0; i < next.count; i += 1) {
    const place = places.get(boxKey(next, i));
    if (place !== undefined) start.set(boxAt(last.boxes, place), 4 * i);
  }
  c.glide = { start, end: next.boxes, since: performance.now() };
}

// Moves the boxes on, once a frame, until they have arrived.
function glide(c) {
  if (!c.glide) return;
  const { start, end, since } = c.glide;
  const share = Math.min((performance.now() - since) / GLIDE_MS, 1);
  const boxes = share < 1 ? end.map((value, i) => start[i] + (value - start[i]) * share) : end;
  c.candidates = { ...c.candidates, boxes };
  if (share < 1) c.request();
  else c.glide = null;
}
