// The window on the picture: units of the picture to pixels of the screen, zoom and pan.

const MAX_ZOOM = 16;

class View {
  constructor() {
    this.zoom = 1;
    this.centre = [0.5, 0.5];
    this.resize(1, 1, 1, 1);
  }

  resize(width, height, pictureWidth, pictureHeight) {
    Object.assign(this, { width, height, pictureWidth, pictureHeight });
    this.fit = Math.min(width / pictureWidth, height / pictureHeight);
    this.settle();
  }

  settle() {
    this.zoom = limited(this.zoom, 1, MAX_ZOOM);
    this.sx = this.fit * this.zoom * this.pictureWidth; // screen pixels for the width of the picture
    this.sy = this.fit * this.zoom * this.pictureHeight;
    const room = [Math.max(0, 0.5 - this.width / this.sx / 2), Math.max(0, 0.5 - this.height / this.sy / 2)];
    this.centre = this.centre.map((value, i) => limited(value, 0.5 - room[i], 0.5 + room[i]));
    this.ox = this.width / 2 - this.centre[0] * this.sx;
    this.oy = this.height / 2 - this.centre[1] * this.sy;
    this.key = [this.width, this.height, this.sx, this.sy, this.ox, this.oy].map((v) => v.toFixed(2)).join();
  }

  toUnit(x, y) {
    return [(x - this.ox) / this.sx, (y - this.oy) / this.sy];
  }

  toScreen(box) {
    return [
      box[0] * this.sx + this.ox,
      box[1] * this.sy + this.oy,
      box[2] * this.sx + this.ox,
      box[3] * this.sy + this.oy,
    ];
  }

  // Zooms so that the point under (x, y) stays where it is.
  zoomBy(factor, x = this.width / 2, y = this.height / 2) {
    const [ux, uy] = this.toUnit(x, y);
    this.zoom = limited(this.zoom * factor, 1, MAX_ZOOM);
    const sx = this.fit * this.zoom * this.pictureWidth, sy = this.fit * this.zoom * this.pictureHeight;
    this.centre = [ux - (x - this.width / 2) / sx, uy - (y - this.height / 2) / sy];
    this.settle();
  }

  panBy(dx, dy) {
    this.centre = [this.centre[0] - dx / this.sx, this.centre[1] - dy / this.sy];
    this.settle();
  }

  reset() {
    this.zoom = 1;
    this.centre = [0.5, 0.5];
    this.settle();
  }
}
