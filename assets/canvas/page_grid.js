
// The jaccard table: objects down, anchors across; a square for each row's maximum, bold for each column's.

const grids = new WeakMap();

function put(parent, tag, text, name = "") {
  const node = document.createElement(tag);
  node.textContent = text;
  if (name) node.className = name;
  parent.appendChild(node);
  return node;
}

function cell(row, value, text, best, bold) {
  const node = put(row, "td", text, `${best ? "best" : ""} ${bold ? "bold" : ""}`.trim());
  node.style.setProperty("--share", String(value));
  node.title = value.toFixed(4) + (best ? ", the object's best anchor" : "") + (bold ? ", the anchor's best object" : "");
}

export default function ({ data, parentElement }) {
  const text = JSON.stringify(data);
  const known = grids.get(parentElement);
  if (known?.text === text) return;
  known?.node.remove();
  const node = document.createElement("div");
  node.className = "ssd-grid";
  node.tabIndex = 0;
  parentElement.appendChild(node);
  grids.set(parentElement, { text, node });
  const table = put(node, "table", "");
  const head = put(put(table, "thead", ""), "tr", "");
  put(head, "th", "jaccard with anchor");
  for (const anchor of data.anchors) put(head, "th", String(anchor)).scope = "col";
  const body = put(table, "tbody", "");
  data.rows.forEach(({ name, values, texts, best }, r) => {
    const row = put(body, "tr", "");
    put(row, "th", name).scope = "row";
    values.forEach((value, c) => cell(row, value, texts[c], best === c, data.column_best[c] === r));
  });
}
