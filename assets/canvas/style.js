// From the table of lines to the canvas's pen.

const HALO = "rgb(12, 16, 22)";
const CROWD = 160; // from this many boxes of one kind on, they are drawn as a crowd

function snapped(value) {
  return Math.round(value) + 0.5; // one crisp pixel instead of two grey ones
}

function addRect(pen, view, boxes, i) {
  const k = 4 * i;
  const x1 = snapped(boxes[k] * view.sx + view.ox), y1 = snapped(boxes[k + 1] * view.sy + view.oy);
  const x2 = snapped(boxes[k + 2] * view.sx + view.ox), y2 = snapped(boxes[k + 3] * view.sy + view.oy);
  pen.rect(x1, y1, x2 - x1, y2 - y1);
}

// Boxes of one kind: a halo under all of them, then the lines.
function strokeBoxes(pen, view, boxes, indices, line, { count = indices.length, fade = 1, thicker = 0 } = {}) {
  if (!count) return;
  if (count > CROWD) {
    (view.crowd ??= new Crowd()).draw(pen, view, boxes, indices, count, line, fade);
    return;
  }
  pen.beginPath();
  for (let j = 0; j < count; j += 1) addRect(pen, view, boxes, indices[j]);
  strokePath(pen, line, { fade, thicker });
}

// The path drawn twice: halo, line.
function strokePath(pen, line, { fade = 1, thicker = 0, halo = line.halo } = {}) {
  const width = line.width_px + thicker;
  if (halo) {
    pen.globalAlpha = line.alpha * fade * halo;
    pen.setLineDash([]);
    pen.strokeStyle = HALO;
    pen.lineWidth = width + 2;
    pen.stroke();
  }
  pen.globalAlpha = line.alpha * fade;
  pen.setLineDash(line.dash_px);
  pen.strokeStyle = line.colour;
  pen.lineWidth = width;
  pen.stroke();
  pen.setLineDash([]);
  pen.globalAlpha = 1;
}
