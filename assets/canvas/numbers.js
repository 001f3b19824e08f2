// Numbers as Python has them: float32 arithmetic, base64 columns, two decimals.

const f32 = Math.fround;
const SMALLEST_NORMAL = 1.1754943508222875e-38; // torch.finfo(torch.float32).tiny

function bytesFromBase64(text) {
  const raw = atob(text);
  const bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i += 1) bytes[i] = raw.charCodeAt(i);
  return bytes;
}

function column(text, Kind) {
  return new Kind(bytesFromBase64(text).buffer);
}

// Two decimals, halves to the even digit, as Python's format does for a float32 value.
function twoDecimals(value) {
  const scaled = value * 100; // exact for a float32 value
  const low = Math.floor(scaled);
  const up = scaled - low > 0.5 || (scaled - low === 0.5 && low % 2 === 1);
  return ((low + (up ? 1 : 0)) / 100).toFixed(2);
}

function withCommas(count) {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}

function limited(value, low, high) {
  return Math.min(Math.max(value, low), high);
}

function boxArea(box) {
  return (box[2] - box[0]) * (box[3] - box[1]);
}

// Area of every box, rounded to float32 after each step.
function areas(boxes) {
  const out = new Float32Array(boxes.length / 4);
  for (let i = 0, k = 0; i < out.length; i += 1, k += 4) {
    out[i] = f32(f32(boxes[k + 2] - boxes[k]) * f32(boxes[k + 3] - boxes[k + 1]));
  }
  return out;
}

// Jaccard of one box with every box, in the order of operations of ssd.boxes.
function jaccardRow(box, boxes, boxAreas, out) {
  const x1 = f32(box[0]), y1 = f32(box[1]), x2 = f32(box[2]), y2 = f32(box[3]);
  const own = f32(f32(x2 - x1) * f32(y2 - y1));
  for (let i = 0, k = 0; i < out.length; i += 1, k += 4) {
    const left = boxes[k] > x1 ? boxes[k] : x1;
    const top = boxes[k + 1] > y1 ? boxes[k + 1] : y1;
    const right = boxes[k + 2] < x2 ? boxes[k + 2] : x2;
    const bottom = boxes[k + 3] < y2 ? boxes[k + 3] : y2;
    const width = right > left ? f32(right - left) : 0;
    const height = bottom > top ? f32(bottom - top) : 0;
    const shared = f32(width * height);
    const union = f32(f32(own + boxAreas[i]) - shared);
    out[i] = union > 0 ? f32(shared / (union > SMALLEST_NORMAL ? union : SMALLEST_NORMAL)) : 0;
  }
  return out;
}
