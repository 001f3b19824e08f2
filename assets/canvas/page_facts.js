
// Numbers, sentences and cards as one element of the page: text only, never markup.

const shown = new WeakMap();

function add(parent, tag, name, text = "") {
  const node = document.createElement(tag);
  if (name) node.className = name;
  if (text) node.textContent = text;
  parent.appendChild(node);
  return node;
}

export default function ({ data, parentElement }) {
  const text = JSON.stringify(data);
  let root = shown.get(parentElement);
  if (root?.dataset.text === text) return;
  if (!root) {
    root = add(parentElement, "div", "ssd-facts");
    shown.set(parentElement, root);
  }
  root.dataset.text = text;
  root.replaceChildren();
  const numbers = data.numbers.length ? add(root, "div", "ssd-facts-numbers") : null;
  for (const { label, value, meaning } of data.numbers) {
    const cell = add(numbers, "div", "");
    cell.title = meaning;
    add(cell, "b", "", value);
    add(cell, "span", "", label);
  }
  for (const line of data.lines) add(root, "p", "", line);
  const cards = data.cards.length ? add(root, "div", "ssd-facts-cards") : null;
  for (const { title, lines } of data.cards) {
    const card = add(cards, "section", "");
    add(card, "h4", "", title);
    for (const line of lines) add(card, "p", "", line);
  }
}
