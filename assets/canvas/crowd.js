// Thousands of boxes in one pass over the pixels, whatever their number.
//
// Each edge is a +1 where it starts and a −1 behind its end; running sums along rows and
// columns then tell how many lines cross a pixel, and a table how much they hide there.

const MOST_LAYERS = 255;

class Crowd {
  constructor() {
    this.canvas = document.createElement("canvas");
    this.width = 0;
    this.height = 0;
  }

  resize(width, height) {
    if (this.width === width && this.height === height) return;
    Object.assign(this, { width, height });
    this.canvas.width = width;
    this.canvas.height = height;
    this.pen = this.canvas.getContext("2d");
    this.image = this.pen.createImageData(width, height);
    this.pixels = new Uint32Array(this.image.data.buffer);
    this.across = new Int16Array((width + 1) * (height + 1));
    this.down = new Int16Array((width + 1) * (height + 1));
    this.running = new Int32Array(width);
  }

  draw(pen, view, boxes, indices, count, line, fade) {
    this.resize(view.width, view.height);
    this.across.fill(0);
    this.down.fill(0);
    this.running.fill(0);
    const length = this.addEdges(view, boxes, indices, count);
    const alpha = alphaFor(line, length / (view.sx * view.sy)) * fade;
    this.fillPixels(layersTable(line.colour, alpha));
    this.pen.putImageData(this.image, 0, 0);
    pen.imageSmoothingEnabled = false;
    pen.drawImage(this.canvas, 0, 0, view.width, view.height);
    pen.imageSmoothingEnabled = true;
  }

  // Adds four edges a box; returns their length in pixels of the screen.
  addEdges(view, boxes, indices, count) {
    const { width, height, across, down } = this;
    const { sx, sy, ox, oy } = view;
    const stride = width + 1;
    let length = 0;
    for (let j = 0; j < count; j += 1) {
      const k = 4 * indices[j];
      const x1 = Math.round(boxes[k] * sx + ox), y1 = Math.round(boxes[k + 1] * sy + oy);
      const x2 = Math.round(boxes[k + 2] * sx + ox), y2 = Math.round(boxes[k + 3] * sy + oy);
      const left = x1 < 0 ? 0 : x1, right = x2 >= width ? width - 1 : x2;
      const top = y1 + 1 < 0 ? 0 : y1 + 1, bottom = y2 > height ? height : y2;
      if (left <= right) {
        if (y1 >= 0 && y1 < height) across[y1 * stride + left] += 1, across[y1 * stride + right + 1] -= 1;
        if (y2 >= 0 && y2 < height) across[y2 * stride + left] += 1, across[y2 * stride + right + 1] -= 1;
        length += 2 * (right - left);
      }
      if (top < bottom) {
        if (x1 >= 0 && x1 < width) down[top * stride + x1] += 1, down[bottom * stride + x1] -= 1;
        if (x2 >= 0 && x2 < width) down[top * stride + x2] += 1, down[bottom * stride + x2] -= 1;
        length += 2 * (bottom - top);
      }
    }
    return length;
  }

  fillPixels(table) {
    const { width, height, across, down, running, pixels } = this;
    for (let y = 0, at = 0, from = 0; y < height; y += 1, from += width + 1) {
      let along = 0;
      for (let x = 0; x < width; x += 1, at += 1) {
        along += across[from + x];
        running[x] += down[from + x];
        const layers = along + running[x];
        pixels[at] = table[layers < MOST_LAYERS ? layers : MOST_LAYERS];
      }
    }
  }
}

// So faint that all lines together hide no more than `cover` of the picture.
function alphaFor(line, layers) {
  return limited(1 - (1 - line.cover) ** (1 / Math.max(layers, 0.05)), 0.015, line.alpha);
}

// Colour of a pixel under n lines: each hides `alpha` of what is left.
function layersTable(colour, alpha) {
  const [red, green, blue] = [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16));
  const solid = (blue << 16) | (green << 8) | red;
  return Uint32Array.from({ length: MOST_LAYERS + 1 }, (_, n) => (solid | (Math.round(255 * (1 - (1 - alpha) ** n)) << 24)) >>> 0);
}
