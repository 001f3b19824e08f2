// Mouse, pen and touch: hover, click, drag, resize, draw, pan, pinch.

const STILL_PX = 4; // less movement than this is a click

function pointOf(c, event) {
  const rect = c.canvas.getBoundingClientRect();
  return [event.clientX - rect.left, event.clientY - rect.top];
}

function listenToPointer(c) {
  const { canvas } = c;
  const pointers = new Map();
  canvas.addEventListener("pointerdown", (event) => pointerDown(c, pointers, event));
  canvas.addEventListener("pointermove", (event) => pointerMove(c, pointers, event));
  for (const name of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(name, (event) => pointerUp(c, pointers, event, name === "pointercancel"));
  }
  canvas.addEventListener("lostpointercapture", () => c.press && cancelDrag(c));
  canvas.addEventListener("pointerleave", () => {
    c.hover = null;
    c.request();
  });
  canvas.addEventListener("wheel", (event) => wheel(c, event), { passive: false });
  canvas.addEventListener("touchstart", (event) => claimTouch(c, event), { passive: false });
  canvas.addEventListener("dblclick", () => c.view.zoom > 1 && !c.payload.editable && c.resetZoom());
}

// A finger on an object moves the object; elsewhere it scrolls the page.
function claimTouch(c, event) {
  if (event.touches.length > 1) event.preventDefault();
  else if (whatToDrag(c, ...pointOf(c, event.touches[0]), { touch: true, pan: false })) event.preventDefault();
}

function wheel(c, event) {
  if (!event.ctrlKey && !event.metaKey) return;
  event.preventDefault();
  c.view.zoomBy(Math.exp(-event.deltaY / 300), ...pointOf(c, event));
  c.request(event.timeStamp);
}

// What a drag from here would do: resize, move, draw or pan.
function whatToDrag(c, x, y, { touch, pan }) {
  if (c.payload.static || c.hideBoxes && !pan) return null;
  if (pan || c.tool === "pan") return c.view.zoom > 1 ? { act: "pan" } : null;
  const [ux, uy] = c.view.toUnit(x, y);
  const inside = ux >= 0 && ux <= 1 && uy >= 0 && uy <= 1;
  const room = c.payload.editable && inside && c.objects.length < c.payload.max_objects;
  if (c.tool === "draw") return room ? { act: "draw", from: [ux, uy] } : null;
  const handle = handleAt(c, x, y, touch ? 2 * REACH : REACH);
  if (handle) return { act: "resize", ...handle, box: [...c.objects[handle.index].box], from: [ux, uy] };
  const chosen = c.selectedObject;
  const own = chosen !== null && c.canEdit(chosen) && holds(c.objects[chosen].box, 0, ux, uy);
  const object = own ? { index: chosen } : smallestObject(c, ux, uy, (i) => c.canEdit(i));
  if (object) return { act: "move", index: object.index, box: [...c.objects[object.index].box], from: [ux, uy] };
  if (c.view.zoom > 1) return { act: "pan" };
  return room && !touch ? { act: "draw", from: [ux, uy] } : null;
}

function pointerDown(c, pointers, event) {
  if (c.payload.static || event.button > 1) return;
  pointers.set(event.pointerId, pointOf(c, event));
  c.canvas.focus({ preventScroll: true });
  if (pointers.size === 2) {
    cancelDrag(c);
    c.pinch = pinchOf(pointers);
    return;
  }
  const [x, y] = pointOf(c, event);
  c.press = { at: [x, y], moved: false };
  const pan = event.button === 1 || event.shiftKey;
  c.press.drag = whatToDrag(c, x, y, { touch: event.pointerType === "touch", pan });
  c.canvas.setPointerCapture(event.pointerId);
}

function pinchOf(pointers) {
  const [a, b] = [...pointers.values()];
  return { span: Math.hypot(a[0] - b[0], a[1] - b[1]), middle: [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2] };
}

function pointerMove(c, pointers, event) {
  const [x, y] = pointOf(c, event);
  if (pointers.has(event.pointerId)) pointers.set(event.pointerId, [x, y]);
  if (c.pinch && pointers.size === 2) return pinch(c, pinchOf(pointers), event);
  if (!c.press) return hoverAt(c, x, y, event);
  const [fromX, fromY] = c.press.at;
  if (!c.press.moved && Math.hypot(x - fromX, y - fromY) < STILL_PX) return undefined;
  if (!c.press.moved) startDrag(c);
  if (c.drag) dragTo(c, x, y, event);
  return undefined;
}

function pinch(c, now, event) {
  c.view.panBy(now.middle[0] - c.pinch.middle[0], now.middle[1] - c.pinch.middle[1]);
  c.view.zoomBy(now.span / Math.max(c.pinch.span, 1), ...now.middle);
  c.pinch = now;
  c.request(event.timeStamp);
}

function hoverAt(c, x, y, event) {
  if (c.payload.static || event.pointerType === "touch") return;
  const before = c.hover && `${c.hover.kind}${c.hover.index}`;
  const handle = c.tool === "select" ? handleAt(c, x, y) : null;
  c.hover = handle ?? thingAt(c, x, y);
  c.hoverAt = [x, y];
  c.canvas.style.cursor = cursorFor(c, x, y, handle);
  if (before !== (c.hover && `${c.hover.kind}${c.hover.index}`)) c.request();
  else updateTooltip(c);
}

function cursorFor(c, x, y, handle) {
  if (handle) return handle.cursor;
  const drag = whatToDrag(c, x, y, { touch: false, pan: false });
  if (drag?.act === "move") return c.selectedObject === drag.index ? "move" : "pointer";
  if (c.hover) return "pointer";
  return { draw: "crosshair", pan: "grab" }[drag?.act] ?? "default";
}

function startDrag(c) {
  c.press.moved = true;
  c.drag = c.press.drag;
  if (!c.drag) return;
  c.hover = null;
  c.drag.before = copied(c.objects);
  c.drag.last = c.press.at;
  if (c.drag.act === "move" || c.drag.act === "resize") {
    c.drag.selectedBefore = c.selectedObject;
    c.selectedObject = c.drag.index;
    c.selectedAnchor = null;
    c.selectedDetection = null;
  }
}

function dragTo(c, x, y, event) {
  const { drag } = c;
  const [ux, uy] = c.view.toUnit(x, y);
  const [dx, dy] = drag.from ? [ux - drag.from[0], uy - drag.from[1]] : [0, 0];
  if (drag.act === "move") c.setBox(drag.index, movedBox(drag.box, dx, dy));
  if (drag.act === "resize") c.setBox(drag.index, resizedBox(drag.box, drag, dx, dy, c.payload));
  if (drag.act === "draw") c.draft = tidyBox([...drag.from, ux, uy], c.payload);
  if (drag.act === "pan") c.view.panBy(x - drag.last[0], y - drag.last[1]);
  drag.last = [x, y];
  c.request(event.timeStamp);
}

function cancelDrag(c) {
  if (c.drag?.before) c.objects = c.drag.before;
  c.drag = null;
  c.draft = null;
  c.press = null;
  c.request();
}

function pointerUp(c, pointers, event, cancelled) {
  pointers.delete(event.pointerId);
  if (c.pinch) {
    if (pointers.size < 2) c.pinch = null;
    c.press = null;
    return;
  }
  if (!c.press) return;
  if (cancelled) {
    cancelDrag(c);
    return;
  }
  const { press, drag } = c;
  c.press = null;
  c.drag = null;
  if (!press.moved) click(c, ...press.at);
  else if (drag) release(c, drag);
  c.adoptPending();
  c.request();
}

// A click on what is drawn selects it; a click on the selected thing looks beneath it.
function click(c, x, y) {
  if (c.tool === "draw") return;
  const thing = thingAt(c, x, y);
  c.select(thing?.kind ?? null, thing?.index ?? null);
}

function release(c, drag) {
  if (drag.act === "draw") {
    const box = c.draft;
    c.draft = null;
    c.setTool("select");
    if (box) c.addObject(box);
  } else if (drag.act !== "pan" && !sameObjects(drag.before, c.objects)) {
    c.remember(drag.before);
    c.report("objects", "selected_object", "selected_anchor", "selected_detection");
  }
}
