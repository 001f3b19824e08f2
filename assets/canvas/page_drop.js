
// Files cross one at a time as trigger values: the next one leaves when Python has answered.

const zones = new WeakMap();

function build(parent) {
  const zone = document.createElement("label");
  zone.className = "ssd-drop";
  const input = document.createElement("input");
  input.type = "file";
  input.multiple = true;
  input.accept = "image/jpeg,image/png,image/webp,image/bmp";
  const title = document.createElement("b");
  title.textContent = "Choose pictures or drop them here";
  const hint = document.createElement("span");
  hint.textContent = `JPEG, PNG, WebP, BMP · up to ${MAX_FILES} at a time, ${MAX_BYTES / 1e6} MB each · stays in this session`;
  const said = document.createElement("span");
  said.className = "ssd-drop-said";
  said.setAttribute("role", "status");
  zone.append(input, title, hint, said);
  parent.appendChild(zone);
  const state = { zone, input, said, queue: [], number: 0, answered: 0, busy: false };
  input.addEventListener("change", () => {
    take(state, [...input.files]);
    input.value = "";
  });
  for (const name of ["dragenter", "dragover"]) {
    zone.addEventListener(name, (event) => {
      event.preventDefault();
      zone.classList.add("over");
    });
  }
  for (const name of ["dragleave", "drop"]) zone.addEventListener(name, () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    take(state, [...event.dataTransfer.files]);
  });
  return state;
}

function take(state, files) {
  if (state.queue.length) return;
  if (files.length > MAX_FILES) state.queue = [{ name: `${files.length} files`, refusal: "too many", position: 1, total: 1 }];
  else state.queue = files.map((file, i) => ({ file, name: file.name, position: i + 1, total: files.length }));
  sendNext(state);
}

async function sendNext(state) {
  if (state.busy || !state.queue.length) return;
  state.busy = true;
  const { file, ...entry } = state.queue[0];
  state.said.textContent = entry.total > 1 ? `${entry.name} (${entry.position} of ${entry.total}) …` : `${entry.name} …`;
  if (file && file.size > MAX_BYTES) entry.refusal = "too large";
  else if (file) await read(file, entry);
  state.number += 1;
  state.send({ ...entry, number: state.number });
}

async function read(file, entry) {
  try {
    const uri = await new Promise((done, failed) => {
      const reader = new FileReader();
      reader.onload = () => done(reader.result);
      reader.onerror = () => failed(reader.error);
      reader.readAsDataURL(file);
    });
    entry.content = uri.slice(uri.indexOf(",") + 1);
    if (!file.size) entry.content = "";
  } catch {
    entry.refusal = "unreadable";
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  const state = zones.get(parentElement) ?? build(parentElement);
  if (!zones.has(parentElement)) {
    zones.set(parentElement, state);
    state.number = data.answered;
  }
  state.send = (value) => setTriggerValue("file", value);
  if (state.busy && data.answered >= state.number) {
    state.busy = false;
    state.said.textContent = state.queue[0].name;
    state.queue.shift();
    sendNext(state);
  }
}
