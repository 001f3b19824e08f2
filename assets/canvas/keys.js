// The keyboard: everything the pointer can do to objects, and the steps between pictures.

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function listenToKeys(c) {
  c.canvas.addEventListener("keydown", (event) => {
    if (c.payload.static || !pressed(c, event)) return;
    event.preventDefault();
    event.stopPropagation();
  });
  c.canvas.addEventListener("keyup", (event) => {
    if (event.key in ARROWS) finishNudge(c);
  });
  c.canvas.addEventListener("blur", () => finishNudge(c));
}

// True where the key was ours.
function pressed(c, event) {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z") return done(c.takeBack());
  if (event.ctrlKey || event.metaKey) return false;
  if (stepKey(c, event)) return true;
  if (event.key in ARROWS) return arrow(c, event);
  if (event.key === "Tab") return cycle(c, event.shiftKey ? -1 : 1);
  const plain = {
    h: () => c.toggleBoxes(),
    s: () => c.toggleSteps(),
    d: () => c.payload.editable && c.setTool("draw"),
    n: () => c.addObject([0.35, 0.35, 0.65, 0.65]),
    "+": () => c.zoomBy(1.4),
    "=": () => c.zoomBy(1.4),
    "-": () => c.zoomBy(1 / 1.4),
    0: () => c.resetZoom(),
    Delete: () => c.removeSelected(),
    Backspace: () => c.removeSelected(),
    Escape: () => escape(c),
  }[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  return plain ? done(plain()) : false;
}

function done() {
  return true;
}

function escape(c) {
  if (c.drag) cancelDrag(c);
  else if (c.tool !== "select") c.setTool("select");
  else c.select(null, null);
}

// Arrows move the selected object (Shift: ten pixels, Alt: its far corner); else Shift goes from cell
// to cell where one is shown, and left and right step.
function arrow(c, event) {
  const [dx, dy] = ARROWS[event.key];
  const i = c.selectedObject;
  if (event.shiftKey && choosesCells(c)) return stepCell(c, dx, dy);
  if (i === null || !c.canEdit(i)) {
    if (!dx || event.repeat) return dx !== 0;
    c.events.step?.(dx);
    return true;
  }
  c.nudge ??= { before: copied(c.objects) };
  const by = event.shiftKey ? 10 : 1;
  const x = (dx * by) / c.payload.width, y = (dy * by) / c.payload.height;
  const { box } = c.objects[i];
  c.setBox(i, event.altKey ? resizedBox(box, { u: 1, v: 1 }, x, y, c.payload) : movedBox(box, x, y));
  c.request(event.timeStamp);
  return true;
}

function stepCell(c, dx, dy) {
  const { anchors, selectedAnchor: at } = c;
  const next = anchorInCell(c, anchors.column[at] + dx, anchors.row[at] + dy);
  if (next >= 0) c.select("anchor", next);
  return true;
}

function finishNudge(c) {
  if (!c.nudge) return;
  const { before } = c.nudge;
  c.nudge = null;
  if (sameObjects(before, c.objects)) return;
  c.remember(before);
  c.report("objects");
}

// Tab walks through the objects and then leaves the canvas.
function cycle(c, by) {
  const next = c.selectedObject === null ? (by > 0 ? 0 : c.objects.length - 1) : c.selectedObject + by;
  if (next < 0 || next >= c.objects.length) return false;
  c.select("object", next);
  return true;
}
