// Chips beside boxes, placed so that they do not cover each other.

const CHIP = { height: 20, pad: 6, font: '600 12px system-ui, -apple-system, "Segoe UI", sans-serif' };
const SMALL_CHIP = { height: 16, pad: 4, font: CHIP.font.replace("12px", "10.5px") };

class Labels {
  constructor(pen, view) {
    this.pen = pen;
    this.view = view;
    this.placed = [];
    this.small = []; // boxes that a chip would hide: chips keep off them as long as there is room elsewhere
    this.size = view.width < 480 ? SMALL_CHIP : CHIP;
  }

  keepOff(box) {
    const [x1, y1, x2, y2] = this.view.toScreen(box), { height } = this.size;
    if (y2 - y1 < 2.5 * height || x2 - x1 < 2.5 * height) this.small.push([x1, y1, x2 - x1, y2 - y1]);
  }

  // Tries above, inside and below the box on both sides, then further down its left edge;
  // a chip that finds no room is left out, unless it is needed.
  place(box, text, needed) {
    if (!this.placed.length) this.pen.font = this.size.font;
    const [x1, y1, x2, y2] = this.view.toScreen(box);
    const width = Math.ceil(this.pen.measureText(text).width) + 2 * this.size.pad, { height } = this.size;
    const right = x2 - width;
    const spots = [
      [x1 - 1, y1 - height - 2], [right + 1, y1 - height - 2], [x1 + 3, y1 + 3], [right - 3, y1 + 3],
      [x1 - 1, y2 + 3], [right + 1, y2 + 3], [x1 + 3, y2 - height - 3], [right - 3, y2 - height - 3],
      [x2 + 4, y1], [x1 - width - 4, y1], [x2 + 4, y2 - height], [x1 - width - 4, y2 - height],
    ];
    for (let step = 1; step <= 6; step += 1) spots.push([x1 + 3, y1 + 3 + step * (height + 2)]);
    const boxes = spots.map(([x, y]) => this.inside(x, y, width, height));
    const alone = boxes.filter((spot) => this.placed.every((other) => !overlapping(spot, other)));
    const free = alone.find((spot) => this.small.every((other) => !overlapping(spot, other))) ?? alone[0];
    const spot = free ?? (needed ? boxes[0] : null);
    if (spot) this.placed.push(spot);
    return spot;
  }

  inside(x, y, width, height) {
    const left = limited(Math.round(x), 2, Math.max(2, this.view.width - width - 2));
    return [left, limited(Math.round(y), 2, Math.max(2, this.view.height - height - 2)), width, height];
  }

  draw(box, text, { background, colour = "#fff", edge = "rgba(255,255,255,.55)", fade = 1, needed = false }) {
    const shown = text.length > 34 ? `${text.slice(0, 33)}…` : text;
    const spot = this.place(box, shown, needed);
    if (!spot) return;
    const [x, y, width, height] = spot;
    const { pen } = this;
    pen.globalAlpha = fade;
    pen.beginPath();
    pen.roundRect(x, y, width, height, 5);
    pen.fillStyle = background;
    pen.fill();
    pen.lineWidth = 1;
    pen.strokeStyle = edge;
    pen.stroke();
    pen.fillStyle = colour;
    pen.textBaseline = "middle";
    pen.fillText(shown, x + this.size.pad, y + height / 2 + 0.5);
    pen.globalAlpha = 1;
  }
}

function overlapping(a, b) {
  return a[0] < b[0] + b[2] + 2 && b[0] < a[0] + a[2] + 2 && a[1] < b[1] + b[3] + 1 && b[1] < a[1] + a[3] + 1;
}
