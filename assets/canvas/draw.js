// What is drawn over the picture, each kind in its own line.

function rectPath(pen, view, box) {
  const [x1, y1, x2, y2] = view.toScreen(box).map(snapped);
  pen.beginPath();
  pen.rect(x1, y1, x2 - x1, y2 - y1);
  return [x1, y1, x2, y2];
}

function drawBox(pen, view, box, line, options) {
  const corners = rectPath(pen, view, box);
  strokePath(pen, line, options);
  return corners;
}

// Four short diagonals in the corner of an object that no anchor answers for.
function hatchCorner(pen, [x1, y1, x2, y2], line) {
  const side = Math.min(30, (x2 - x1) * 0.5, (y2 - y1) * 0.5);
  pen.save();
  pen.beginPath();
  pen.moveTo(x2 - side, y1);
  pen.lineTo(x2, y1);
  pen.lineTo(x2, y1 + side);
  pen.closePath();
  pen.clip();
  pen.globalAlpha = 0.45;
  pen.fillStyle = "#14181f";
  pen.fill();
  pen.beginPath();
  for (let at = 4; at < 2 * side; at += 6) {
    pen.moveTo(x2 - side + at - side, y1);
    pen.lineTo(x2 - side + at, y1 + side);
  }
  pen.globalAlpha = 1;
  pen.lineWidth = 2;
  pen.strokeStyle = line.colour;
  pen.stroke();
  pen.restore();
}

function drawCross(pen, [x1, y1, x2, y2], line) {
  const half = limited(Math.min(x2 - x1, y2 - y1) / 8, 3, 8);
  const x = x2 - half - 4, y = y1 + half + 4;
  pen.beginPath();
  pen.moveTo(x - half, y - half);
  pen.lineTo(x + half, y + half);
  pen.moveTo(x + half, y - half);
  pen.lineTo(x - half, y + half);
  strokePath(pen, { ...line, dash_px: [] });
}

const HANDLES = [[0, 0], [0.5, 0], [1, 0], [1, 0.5], [1, 1], [0.5, 1], [0, 1], [0, 0.5]];

function drawHandles(pen, [x1, y1, x2, y2]) {
  for (const [u, v] of HANDLES) {
    if ((u === 0.5 && x2 - x1 < 40) || (v === 0.5 && y2 - y1 < 40)) continue;
    pen.beginPath();
    pen.roundRect(x1 + u * (x2 - x1) - 4.5, y1 + v * (y2 - y1) - 4.5, 9, 9, 2);
    pen.fillStyle = "#fff";
    pen.fill();
    pen.lineWidth = 1.5;
    pen.strokeStyle = "#14181f";
    pen.stroke();
  }
}

// The cells of one level: centres lie at (i + .5) · step, so borders lie at i · step.
function drawGrid(pen, view, grid, step, line) {
  const [columns, rows] = grid, [dx, dy] = step;
  pen.beginPath();
  for (let i = 0; i <= columns; i += 1) {
    const x = snapped(i * dx * view.sx + view.ox);
    pen.moveTo(x, view.oy);
    pen.lineTo(x, view.oy + rows * dy * view.sy);
  }
  for (let i = 0; i <= rows; i += 1) {
    const y = snapped(i * dy * view.sy + view.oy);
    pen.moveTo(view.ox, y);
    pen.lineTo(view.ox + columns * dx * view.sx, y);
  }
  strokePath(pen, { ...line, alpha: columns > 24 ? line.cover : line.alpha }, { halo: columns <= 24 ? line.halo : 0 });
}

function drawCentres(pen, view, anchors, indices) {
  const size = indices.length > 3000 ? 2 : 3;
  for (const [colour, side] of [[HALO, size + 2], [LINES.cell.colour, size]]) {
    pen.fillStyle = colour;
    for (const a of indices) {
      if (anchors.shape[a] !== 0) continue;
      const x = ((anchors.boxes[4 * a] + anchors.boxes[4 * a + 2]) / 2) * view.sx + view.ox;
      const y = ((anchors.boxes[4 * a + 1] + anchors.boxes[4 * a + 3]) / 2) * view.sy + view.oy;
      pen.fillRect(Math.round(x - side / 2), Math.round(y - side / 2), side, side);
    }
  }
}

// An arrow of thought from a suppressed box to the one that sent it away.
function drawLink(pen, view, from, to, line) {
  const a = view.toScreen(from), b = view.toScreen(to);
  pen.beginPath();
  pen.moveTo((a[0] + a[2]) / 2, (a[1] + a[3]) / 2);
  pen.lineTo((b[0] + b[2]) / 2, (b[1] + b[3]) / 2);
  strokePath(pen, { ...line, width_px: 1.5, dash_px: [3, 4], halo: 0.6 });
}
