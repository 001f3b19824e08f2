// One frame: the picture and the crowd from a kept layer, then everything that may change.

// The layer below is painted anew only when the window or the crowd changes.
function paintBase(c) {
  const key = [c.view.key, c.crowdKey, c.picture?.ready, c.ratio, c.hideBoxes].join("|");
  if (c.baseKey === key) return;
  c.baseKey = key;
  const pen = c.base.getContext("2d", { alpha: false });
  pen.setTransform(c.ratio, 0, 0, c.ratio, 0, 0);
  pen.fillStyle = c.backdrop;
  pen.fillRect(0, 0, c.view.width, c.view.height);
  if (c.picture?.ready) {
    const { ox, oy, sx, sy } = c.view;
    pen.imageSmoothingQuality = "high";
    pen.imageSmoothingEnabled = sx / c.picture.width < 4;
    pen.drawImage(c.picture.image, ox, oy, sx, sy);
  }
  if (!c.hideBoxes) paintCrowd(pen, c);
}

// Negatives, or all anchors: those that a drag does not recolour one by one.
function paintCrowd(pen, c) {
  if (c.anchors && c.crowd.count) {
    strokeBoxes(pen, c.view, c.anchors.boxes, c.crowd.indices, LINES[c.crowd.kind], { count: c.crowd.count });
  }
}

function paintFrame(c) {
  paintBase(c);
  const pen = c.canvas.getContext("2d", { alpha: false });
  pen.setTransform(1, 0, 0, 1, 0, 0);
  pen.drawImage(c.base, 0, 0);
  pen.setTransform(c.ratio, 0, 0, c.ratio, 0, 0);
  pen.lineJoin = "miter";
  if (c.hideBoxes) return;
  const { payload } = c;
  if (payload.grid_level !== null && c.anchors?.grids[payload.grid_level]) {
    drawGrid(pen, c.view, c.anchors.grids[payload.grid_level], c.anchors.steps[payload.grid_level], LINES.grid);
  }
  if (payload.mode === "detections" && !c.stepState) paintDetections(pen, c);
  else if (payload.mode !== "detections") paintAnchors(pen, c);
  if (payload.receptive_field) drawBox(pen, c.view, payload.receptive_field, LINES.field);
  paintSelectedAnchor(pen, c);
  const labels = new Labels(pen, c.view);
  for (const { box, name } of c.objects) if (!c.hiddenClasses.has(name)) labels.keepOff(box);
  paintObjects(pen, c, labels);
  if (c.stepState) paintSteps(pen, c, labels);
  else if (payload.mode === "detections") paintKept(pen, c, labels);
  paintFollowed(pen, c, labels);
  paintVerdict(pen, c, labels);
  labels.paint();
  paintHover(pen, c);
  if (c.draft) drawBox(pen, c.view, c.draft, { ...LINES.object, dash_px: [6, 4] });
}

function paintAnchors(pen, c) {
  if (!c.anchors) return;
  const { boxes } = c.anchors;
  for (const kind of ["ignored", "hard_negative", "positive", "forced", "cell"]) {
    const group = c.groups[kind];
    if (!group) continue;
    if (c.costs) {
      paintPriced(pen, c, kind, group);
      continue;
    }
    if (c.selectedObject === null || !c.match) {
      strokeBoxes(pen, c.view, boxes, group, LINES[kind]);
      continue;
    }
    const mine = [], others = [], g = c.slots[c.selectedObject];
    for (const a of group) (c.match.matched[a] === g || c.match.bestAnchor[g] === a ? mine : others).push(a);
    strokeBoxes(pen, c.view, boxes, others, LINES[kind], { fade: 0.3 });
    strokeBoxes(pen, c.view, boxes, mine, LINES[kind]);
  }
  if (c.costs && c.isShown("heat")) paintHeat(pen, c);
  if (c.payload.centres) drawCentres(pen, c.view, c.anchors, c.visible.subarray(0, c.numVisible));
}

function paintDetections(pen, c) {
  for (const kind of ["below", "beyond_top_k", "beyond_cap", "suppressed"]) {
    const group = c.groups[kind];
    const line = LINES[kind === "below" && c.payload.settling ? "positive" : kind]; // those that learn
    if (group?.length) strokeBoxes(pen, c.view, c.candidates.boxes, group, line);
  }
}

function lineOfDetection(c, i) {
  const outcome = c.outcomes ? OUTCOMES[c.outcomes[i]] : "";
  return LINES[outcome] ? outcome : "kept";
}

const MANY_KEPT = 60;

function paintKept(pen, c, labels) {
  const kept = c.groups.kept ?? [];
  const dim = c.selectedDetection !== null || chosenVerdict(c) !== null;
  const few = kept.length <= 40;
  const many = kept.length > MANY_KEPT; // in one stroke a kind: it costs the same as one box
  for (const kind of many ? ["false_positive", "true_positive", "kept"] : []) {
    const same = kept.filter((i) => lineOfDetection(c, i) === kind);
    strokeBoxes(pen, c.view, c.candidates.boxes, same, { ...LINES[kind], dash_px: [] }, { fade: dim ? 0.5 : 0.8 });
  }
  for (let j = many ? -1 : kept.length - 1; j >= 0; j -= 1) {
    const kind = lineOfDetection(c, kept[j]);
    const corners = drawBox(pen, c.view, boxAt(c.candidates.boxes, kept[j]), LINES[kind], { fade: dim ? 0.5 : 1 });
    if (kind === "false_positive") drawCross(pen, corners, LINES[kind]);
  }
  for (const i of kept.slice(0, few && !chosenVerdict(c) && (!c.payload.static || c.payload.settling) ? 40 : 0)) {
    const name = c.candidates.names[c.candidates.labels[i] - 1] ?? "";
    labels.draw(boxAt(c.candidates.boxes, i), `${name} ${twoDecimals(scoreNow(c, i))}`, {
      background: c.colourOf(name),
      fade: dim ? 0.6 : 1,
    });
  }
  if (c.selectedDetection !== null) paintSelectedDetection(pen, c);
}

// The selected detection, who sent it away, and whom it sent away.
function paintSelectedDetection(pen, c) {
  const i = c.selectedDetection, { boxes } = c.candidates, { by } = c.ends;
  const own = boxAt(boxes, i);
  if (i < c.counts.above) {
    const sent = [];
    for (let j = 0; j < c.counts.above; j += 1) if (by[j] === i) sent.push(j);
    strokeBoxes(pen, c.view, boxes, sent, { ...LINES.suppressed, halo: 0.6 });
    if (by[i] >= 0) {
      drawBox(pen, c.view, boxAt(boxes, by[i]), LINES[lineOfDetection(c, by[i])], { thicker: 1 });
      drawLink(pen, c.view, own, boxAt(boxes, by[i]), LINES.suppressed);
    }
  }
  drawBox(pen, c.view, own, { ...LINES[c.kindOf(i)], halo: 0.6 }, { thicker: 2.5 });
  drawBox(pen, c.view, own, { ...LINES.selected, width_px: 1.2 }, { halo: 0 });
}

function paintObjects(pen, c, labels) {
  const order = c.objects.map((_, i) => i).filter((i) => !c.hiddenClasses.has(c.objects[i].name));
  if (c.selectedObject !== null) order.sort((a, b) => (a === c.selectedObject) - (b === c.selectedObject));
  const corners = new Map();
  for (const i of order) {
    const kind = c.kindOfObject(i), selected = i === c.selectedObject;
    corners.set(i, drawBox(pen, c.view, c.objects[i].box, LINES[kind], { thicker: selected ? 1.5 : 0 }));
    if (kind === "orphan") hatchCorner(pen, corners.get(i), LINES.orphan);
  }
  if (!c.payload.static) {
    for (const i of [...order].reverse()) labels.draw(c.objects[i].box, c.chipOf(i), chipStyle(c, i));
  }
  const chosen = c.selectedObject;
  if (chosen !== null && corners.has(chosen) && c.canEdit(chosen)) drawHandles(pen, corners.get(chosen));
}

function chipStyle(c, i) {
  const background = c.colourOf(c.objects[i].name);
  const kind = c.kindOfObject(i);
  const edge = kind === "object" ? "rgba(255,255,255,.75)" : LINES[kind].colour;
  const fade = c.selectedObject === null || c.selectedObject === i ? 1 : 0.75;
  return { background, edge, fade, needed: c.selectedObject === i };
}

function paintSelectedAnchor(pen, c) {
  const a = c.selectedAnchor;
  if (a === null || !c.anchors || a >= c.anchors.count || c.payload.mode === "detections") return;
  if (c.payload.mode === "anchors") strokeBoxes(pen, c.view, c.anchors.boxes, c.cellOf(a), LINES.cell);
  const box = boxAt(c.anchors.boxes, a);
  const line = LINES[c.payload.mode === "anchors" ? "cell" : STATES[c.states[a]]] ?? LINES.plain;
  drawBox(pen, c.view, box, { ...line, alpha: 1, halo: 0.6 }, { thicker: 3 });
  drawBox(pen, c.view, box, { ...LINES.selected, width_px: 1.2 }, { halo: 0 });
}

function paintHover(pen, c) {
  if (!c.hover || c.drag) return;
  if (c.hover.kind === "anchor") {
    const line = LINES[STATES[c.states[c.hover.index]]] ?? LINES.plain;
    drawBox(pen, c.view, boxAt(c.anchors.boxes, c.hover.index), { ...line, alpha: 1, halo: 0.6 }, { thicker: 1 });
  } else if (c.hover.kind === "detection") {
    const own = boxAt(c.candidates.boxes, c.hover.index), by = c.ends.by[c.hover.index] ?? -1;
    const line = LINES[c.kindOf(c.hover.index)];
    if (by >= 0 && c.hover.index < c.counts.above) {
      drawLink(pen, c.view, own, boxAt(c.candidates.boxes, by), LINES.suppressed);
    }
    drawBox(pen, c.view, own, { ...line, alpha: 1, halo: 0.6 }, { thicker: 1 });
  }
}

function boxAt(boxes, i) {
  return boxes.subarray(4 * i, 4 * i + 4);
}
