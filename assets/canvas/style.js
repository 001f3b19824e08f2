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
    strokeCrowd(pen, view, boxes, indices, line, count, fade);
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

// Hundreds of boxes: solid, thin and faint, edge by edge, so that overlaps build up.
function strokeCrowd(pen, view, boxes, indices, line, count, fade) {
  const { sx, sy, ox, oy, width, height } = view;
  const thin = count > 1500 ? 1 : Math.max(1, Math.round(line.width_px));
  pen.globalAlpha = crowdAlpha(line, view, boxes, indices, count, thin) * fade;
  pen.fillStyle = line.colour;
  for (let j = 0; j < count; j += 1) {
    const k = 4 * indices[j];
    const x1 = limited(Math.round(boxes[k] * sx + ox), -2, width + 2);
    const y1 = limited(Math.round(boxes[k + 1] * sy + oy), -2, height + 2);
    const w = limited(Math.round(boxes[k + 2] * sx + ox), -2, width + 2) - x1;
    const h = limited(Math.round(boxes[k + 3] * sy + oy), -2, height + 2) - y1;
    pen.fillRect(x1, y1, w, thin);
    pen.fillRect(x1, y1 + h, w + thin, thin);
    pen.fillRect(x1, y1 + thin, thin, h - thin);
    pen.fillRect(x1 + w, y1 + thin, thin, h - thin);
  }
  pen.globalAlpha = 1;
}

// So faint that all of them together hide no more than `cover` of the picture.
function crowdAlpha(line, view, boxes, indices, count, thin) {
  let length = 0;
  const step = Math.max(1, Math.floor(count / 500)); // a sample tells enough
  let seen = 0;
  for (let j = 0; j < count; j += step, seen += 1) {
    const k = 4 * indices[j];
    length += 2 * ((boxes[k + 2] - boxes[k]) * view.sx + (boxes[k + 3] - boxes[k + 1]) * view.sy);
  }
  const layers = ((length / seen) * count * thin) / (view.sx * view.sy);
  return limited(1 - (1 - line.cover) ** (1 / Math.max(layers, 0.05)), 0.02, line.alpha);
}
