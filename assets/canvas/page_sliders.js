
// Sliders that act while they move: one report is under way at a time, the last position is never lost.

const mounted = new WeakMap();

function build(parent, sliders) {
  const root = document.createElement("div");
  root.className = "ssd-sliders";
  const state = { root, rows: [], number: 0, busy: false, waiting: false };
  for (const { name, label, low, most, step } of sliders) {
    const row = document.createElement("label");
    const title = document.createElement("span");
    title.textContent = label;
    const input = document.createElement("input");
    Object.assign(input, { type: "range", min: low, max: most, step });
    input.setAttribute("aria-label", label);
    const shown = document.createElement("output");
    row.append(title, shown, input);
    root.appendChild(row);
    state.rows.push({ name, input, shown, low, most, held: false });
    const entry = state.rows.at(-1);
    input.addEventListener("input", () => {
      entry.held = true;
      paint(entry);
      state.waiting = true;
      send(state);
    });
    for (const kind of ["change", "blur"]) {
      input.addEventListener(kind, () => {
        entry.held = false;
      });
    }
  }
  parent.appendChild(root);
  return state;
}

function paint({ input, shown, low, most }) {
  const value = Number(input.value);
  shown.textContent = value.toFixed(2);
  input.style.setProperty("--at", `${((value - low) / (most - low)) * 100}%`);
}

function send(state) {
  if (state.busy || !state.waiting) return;
  state.waiting = false;
  state.busy = true;
  state.number += 1;
  const values = Object.fromEntries(state.rows.map(({ name, input }) => [name, Number(input.value)]));
  state.report({ number: state.number, values });
}

export default function ({ data, parentElement, setStateValue }) {
  let state = mounted.get(parentElement);
  if (!state) {
    state = build(parentElement, data.sliders);
    mounted.set(parentElement, state);
    state.number = data.answered;
  }
  state.report = (value) => setStateValue("values", value);
  const answered = data.answered >= state.number;
  if (answered) state.busy = false;
  for (const [i, { value }] of data.sliders.entries()) {
    const row = state.rows[i];
    if (answered && !state.waiting && !row.held) row.input.value = String(value);
    paint(row);
  }
  state.root.dataset.answered = data.answered;
  send(state);
}
