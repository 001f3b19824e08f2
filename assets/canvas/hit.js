// What lies under the cursor: a handle, then the smallest box that holds the point.

const REACH = 9; // screen pixels around a handle
const EDGE_CURSORS = { "0,0": "nwse", "1,1": "nwse", "1,0": "nesw", "0,1": "nesw" };

function handleAt(c, x, y, reach = REACH) {
  const i = c.selectedObject;
  if (i === null || !c.canEdit(i)) return null;
  const [x1, y1, x2, y2] = c.view.toScreen(c.objects[i].box);
  let best = null, nearest = reach;
  for (const [u, v] of HANDLES) {
    const away = Math.max(Math.abs(x - (x1 + u * (x2 - x1))), Math.abs(y - (y1 + v * (y2 - y1))));
    if (away < nearest) {
      nearest = away;
      const cursor = EDGE_CURSORS[`${u},${v}`] ?? (u === 0.5 ? "ns" : "ew");
      best = { kind: "handle", index: i, u, v, cursor: `${cursor}-resize` };
    }
  }
  return best;
}

function holds(box, k, x, y) {
  return x >= box[k] && x <= box[k + 2] && y >= box[k + 1] && y <= box[k + 3];
}

function smallestObject(c, x, y, wanted = () => true) {
  let found = null, least = Infinity;
  c.objects.forEach(({ box, name }, index) => {
    if (c.hiddenClasses.has(name) || !wanted(index) || !holds(box, 0, x, y) || boxArea(box) >= least) return;
    least = boxArea(box);
    found = { kind: "object", index, area: least };
  });
  return found;
}

function smallestOf(kind, boxes, indices, count, x, y) {
  let index = -1, least = Infinity;
  for (let j = 0; j < count; j += 1) {
    const k = 4 * indices[j];
    if (!holds(boxes, k, x, y)) continue;
    const area = (boxes[k + 2] - boxes[k]) * (boxes[k + 3] - boxes[k + 1]);
    if (area < least) {
      least = area;
      index = indices[j];
    }
  }
  return index < 0 ? null : { kind, index, area: least };
}

// Where only the anchors of one cell of a grid are drawn, a point names a cell of that grid.
function choosesCells(c) {
  const { payload, anchors, selectedAnchor: at } = c;
  return payload.cell_only && payload.grid_level !== null && anchors !== null && at !== null && at < anchors.count;
}

// The anchor of the selected one's shape and level, in another cell.
function anchorInCell(c, column, row) {
  const { anchors, selectedAnchor: at } = c;
  const level = anchors.level[at], shape = anchors.shape[at];
  const [columns, rows] = anchors.grids[level];
  if (column < 0 || row < 0 || column >= columns || row >= rows) return -1;
  for (let a = 0; a < anchors.count; a += 1) {
    const isThere = anchors.row[a] === row && anchors.column[a] === column;
    if (isThere && anchors.level[a] === level && anchors.shape[a] === shape) return a;
  }
  return -1;
}

// An anchor of the cell whose outline is under the point; nothing within the selected cell, whose
// anchors all lie there; elsewhere the cell itself.
function cellAnchorAt(c, screenX, screenY) {
  const { anchors, selectedAnchor: at } = c;
  const [x, y] = c.view.toUnit(screenX, screenY);
  if (x < 0 || y < 0 || x >= 1 || y >= 1) return null;
  const [stepX, stepY] = anchors.steps[anchors.level[at]];
  const column = Math.floor(x / stepX), row = Math.floor(y / stepY);
  if (column === anchors.column[at] && row === anchors.row[at]) return null;
  for (const a of c.visible.subarray(0, c.numVisible)) {
    if (onOutline(c.view.toScreen(boxAt(anchors.boxes, a)), screenX, screenY)) return { kind: "anchor", index: a };
  }
  const index = anchorInCell(c, column, row);
  return index < 0 ? null : { kind: "anchor", index };
}

function onOutline([x1, y1, x2, y2], x, y) {
  const near = REACH / 2;
  if (x < x1 - near || x > x2 + near || y < y1 - near || y > y2 + near) return false;
  return Math.min(Math.abs(x - x1), Math.abs(x - x2), Math.abs(y - y1), Math.abs(y - y2)) <= near;
}

// The smallest box under the point among everything that is drawn.
function thingAt(c, screenX, screenY) {
  if (c.hideBoxes) return null;
  if (choosesCells(c)) {
    const chosen = cellAnchorAt(c, screenX, screenY);
    if (chosen) return chosen;
  }
  const [x, y] = c.view.toUnit(screenX, screenY);
  const found = [smallestObject(c, x, y)];
  if (c.payload.mode === "detections") {
    const shown = c.shownDetections;
    found.push(smallestOf("detection", c.candidates.boxes, shown, shown.length, x, y));
  } else if (c.anchors) {
    found.push(smallestOf("anchor", c.anchors.boxes, c.visible, c.numVisible, x, y));
  }
  return found.filter(Boolean).sort((a, b) => a.area - b.area)[0] ?? null;
}
