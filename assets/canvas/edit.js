// Changes to objects. Boxes are float32 values, ordered, inside the picture.

const SMALLEST_PX = 4; // of the original picture: no smaller box can be drawn
const UNDO_STEPS = 50;

function tidyBox(box, { width, height }) {
  const [a, b, c, d] = box.map((value) => limited(value, 0, 1));
  let [x1, x2] = a <= c ? [a, c] : [c, a];
  let [y1, y2] = b <= d ? [b, d] : [d, b];
  const dx = Math.min(1, SMALLEST_PX / width), dy = Math.min(1, SMALLEST_PX / height);
  if (x2 - x1 < dx) [x1, x2] = x1 + dx <= 1 ? [x1, x1 + dx] : [1 - dx, 1];
  if (y2 - y1 < dy) [y1, y2] = y1 + dy <= 1 ? [y1, y1 + dy] : [1 - dy, 1];
  return [x1, y1, x2, y2].map(f32);
}

function movedBox(box, dx, dy) {
  const [x1, y1, x2, y2] = box;
  const x = limited(dx, -x1, 1 - x2), y = limited(dy, -y1, 1 - y2);
  return [x1 + x, y1 + y, x2 + x, y2 + y].map(f32);
}

function resizedBox(box, { u, v }, dx, dy, size) {
  const next = [...box];
  if (u === 0) next[0] += dx;
  if (u === 1) next[2] += dx;
  if (v === 0) next[1] += dy;
  if (v === 1) next[3] += dy;
  return tidyBox(next, size);
}

function copied(objects) {
  return objects.map((each) => ({ ...each, box: [...each.box] }));
}

function sameObjects(a, b) {
  return a.length === b.length && a.every((each, i) => each.name === b[i].name && each.box.join() === b[i].box.join());
}

const editing = {
  canEdit(i) {
    return this.payload.editable && !this.payload.static && this.objects[i]?.editable !== false;
  },

  remember(before) {
    this.undo.push(before);
    if (this.undo.length > UNDO_STEPS) this.undo.shift();
  },

  takeBack() {
    const before = this.undo.pop();
    if (!before) return;
    this.objects = before;
    if (this.selectedObject !== null && this.selectedObject >= before.length) this.selectedObject = null;
    this.report("objects", "selected_object");
  },

  addObject(box) {
    if (this.objects.length >= this.payload.max_objects || !this.payload.editable) return;
    this.remember(copied(this.objects));
    const name = this.nameSelect?.value ?? this.payload.class_names[0] ?? "object";
    this.objects.push({ box: tidyBox(box, this.payload), name, ignored: false, editable: true });
    this.selectedObject = this.objects.length - 1;
    this.selectedAnchor = null;
    this.report("objects", "selected_object", "selected_anchor");
  },

  removeSelected() {
    const i = this.selectedObject;
    if (i === null || !this.canEdit(i)) return;
    this.remember(copied(this.objects));
    this.objects.splice(i, 1);
    this.selectedObject = null;
    this.report("objects", "selected_object");
  },

  rename(name) {
    const i = this.selectedObject;
    if (i === null || !this.canEdit(i) || this.objects[i].name === name) return;
    this.remember(copied(this.objects));
    this.objects[i] = { ...this.objects[i], name };
    this.report("objects");
  },

  setBox(i, box) {
    this.objects[i] = { ...this.objects[i], box };
  },

  // One thing is selected at a time: object, anchor or detection.
  select(kind, index) {
    const before = [this.selectedObject, this.selectedAnchor, this.selectedDetection];
    this.selectedObject = kind === "object" ? index : null;
    this.selectedAnchor = kind === "anchor" ? index : null;
    this.selectedDetection = kind === "detection" ? index : null;
    if (this.nameSelect && kind === "object") this.nameSelect.value = this.objects[index].name;
    const names = ["selected_object", "selected_anchor", "selected_detection"];
    const now = [this.selectedObject, this.selectedAnchor, this.selectedDetection];
    const changed = names.filter((_, i) => before[i] !== now[i]);
    if (changed.length) this.report(...changed);
    this.request();
  },
};
