// Chips beside boxes, placed so that they do not cover each other.

const CHIP = { height: 20, pad: 6, font: '600 12px system-ui, -apple-system, "Segoe UI", sans-serif' };
const SMALL_CHIP = { height: 16, pad: 4, font: CHIP.font.replace("12px", "10.5px") };

class Labels {
  constructor(pen, view) {
    this.pen = pen;
    this.view = view;
    this.placed = [];
    this.chips = []; // painted last, so that no line of a box goes through a word
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
    this.chips.push({ spot, shown, background, colour, edge, fade, box: this.view.toScreen(box) });
  }

  paint() {
    for (const chip of this.chips) this.lead(chip);
    for (const chip of this.chips) this.paintChip(chip);
  }

  // A line to the box, where a chip found no room beside it.
  lead({ spot: [x, y, width, height], box: [x1, y1, x2, y2], background, edge, fade }) {
    const to = [limited(x + width / 2, x1, x2), limited(y + height / 2, y1, y2)];
    const from = [limited(to[0], x, x + width), limited(to[1], y, y + height)];
    if (Math.hypot(to[0] - from[0], to[1] - from[1]) < 8) return;
    const { pen } = this;
    pen.globalAlpha = fade;
    for (const [colour, width_px] of [[edge, 3.5], [background, 2]]) {
      pen.beginPath();
      pen.moveTo(...from);
      pen.lineTo(...to);
      pen.lineWidth = width_px;
      pen.strokeStyle = colour;
      pen.stroke();
    }
    pen.globalAlpha = 1;
  }

  paintChip({ spot: [x, y, width, height], shown, background, colour, edge, fade }) {
    const { pen } = this;
    pen.font = this.size.font;
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
