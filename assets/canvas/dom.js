// Small helpers for the page's elements. Text goes in as text, never as HTML.

function element(tag, className, parent, attributes = {}) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  parent?.appendChild(made);
  return made;
}

function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function mark(node, name, value) {
  const text = String(value);
  if (node.getAttribute(name) !== text) node.setAttribute(name, text);
}

const SVG = "http://www.w3.org/2000/svg";
const ICONS = {
  draw: "M4 4h5M4 4v5M20 4h-5M20 4v5M4 20h5M4 20v-5M15 18h6M18 15v6",
  bin: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13M10 11v6M14 11v6",
  undo: "M9 7L4 12l5 5M4 12h10a6 6 0 0 1 6 6",
  eye: "M2 12s4-7 10-7 10 7 10 7-4 7-10 7S2 12 2 12zM12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6z",
  plus: "M12 5v14M5 12h14",
  minus: "M5 12h14",
  first: "M6 5v14M18 6l-8 6 8 6z",
  last: "M18 5v14M6 6l8 6-8 6z",
  back: "M15 6l-7 6 7 6z",
  on: "M9 6l7 6-7 6z",
  turnBack: "M19 7l-6 5 6 5M11 7l-6 5 6 5",
  turnOn: "M5 7l6 5-6 5M13 7l6 5-6 5",
  play: "M7 4l13 8-13 8z",
  pause: "M8 5v14M16 5v14",
  close: "M6 6l12 12M18 6L6 18",
  steps: "M3 18h5v-5h5V8h5V3M16 18l4-3-4-3z",
  fit: "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5",
  hand: "M12 3v18M3 12h18M12 3l-3 3M12 3l3 3M12 21l-3-3M12 21l3-3M3 12l3-3M3 12l3 3M21 12l-3-3M21 12l-3 3",
};

function icon(name, parent) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  svg.appendChild(path);
  parent.appendChild(svg);
}

function iconButton(parent, name, label, onClick) {
  const button = element("button", "ssd-icon", parent, { type: "button", "aria-label": label, title: label });
  icon(name, button);
  button.addEventListener("click", onClick);
  return button;
}

// A line as the canvas draws it, so that a chip is also the legend.
function swatch(parent, kind) {
  const line = LINES[kind];
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "ssd-swatch");
  svg.setAttribute("viewBox", "0 0 26 12");
  svg.setAttribute("aria-hidden", "true");
  const lines = [[`rgb(12 16 22 / ${line.halo})`, line.width_px + 2.5, ""], [line.colour, line.width_px + 0.5, line.dash_px.join(" ")]];
  for (const [colour, width, dash] of lines) {
    const stroke = document.createElementNS(SVG, "path");
    stroke.setAttribute("d", "M2 6h22");
    stroke.setAttribute("stroke", colour);
    stroke.setAttribute("stroke-width", width);
    if (dash) stroke.setAttribute("stroke-dasharray", dash);
    svg.appendChild(stroke);
  }
  parent.appendChild(svg);
}
