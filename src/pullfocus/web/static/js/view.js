/** View: where the photo lies in the window; zoom, pan, and fractions under a finger. */

export class View {
  constructor() {
    this.width = 1;
    this.height = 1;
    this.photo = { width: 1, height: 1 };
    this.scale = 1;
    this.x = 0;
    this.y = 0;
    this.fitted = true;
    this.margin = { left: 18, top: 18, right: 18, bottom: 18 };
  }

  /** Screen pixels (CSS) per photo pixel at which everything is seen. */
  get fitScale() {
    const { left, right, top, bottom } = this.margin;
    const across = Math.max(40, this.width - left - right) / this.photo.width;
    return Math.min(across, Math.max(40, this.height - top - bottom) / this.photo.height, 3);
  }

  /** One photo pixel on one screen pixel. */
  get fullScale() {
    return 1 / (globalThis.devicePixelRatio || 1);
  }

  /** @param {number} width @param {number} height */
  resize(width, height) {
    this.width = width;
    this.height = height;
    if (this.fitted) this.fit();
    else this.clamp();
  }

  /** @param {{width: number, height: number}} photo */
  show(photo) {
    this.photo = photo;
    this.fit();
  }

  fit() {
    this.fitted = true;
    this.scale = this.fitScale;
    this.x = (this.width - this.photo.width * this.scale) / 2;
    this.y = (this.height + this.margin.top - this.margin.bottom - this.photo.height * this.scale) / 2;
  }

  /** Zoom by a factor, the point under (px, py) staying where it is. */
  zoom(factor, px = this.width / 2, py = this.height / 2) {
    const smallest = Math.min(this.fitScale, this.fullScale);
    const largest = Math.max(4 * this.fullScale, this.fitScale);
    const scale = Math.min(largest, Math.max(smallest, this.scale * factor));
    if (scale <= this.fitScale * 1.001 && factor < 1) return this.fit();
    const k = scale / this.scale;
    this.x = px - (px - this.x) * k;
    this.y = py - (py - this.y) * k;
    this.scale = scale;
    this.fitted = false;
    this.clamp();
  }

  pan(dx, dy) {
    this.x += dx;
    this.y += dy;
    this.fitted = false;
    this.clamp();
  }

  clamp() {
    const [w, h] = [this.photo.width * this.scale, this.photo.height * this.scale];
    const limit = (at, size, room) =>
      size <= room ? (room - size) / 2 : Math.min(40, Math.max(room - size - 40, at));
    this.x = limit(this.x, w, this.width);
    this.y = limit(this.y, h, this.height);
  }

  /** Fractions of the photo under a place in the window. */
  toPhoto(px, py) {
    return {
      x: (px - this.x) / (this.photo.width * this.scale),
      y: (py - this.y) / (this.photo.height * this.scale),
    };
  }

  /** Place in the window of fractions of the photo. */
  toScreen(x, y) {
    return { x: this.x + x * this.photo.width * this.scale, y: this.y + y * this.photo.height * this.scale };
  }

  /** The part of the photo that is seen, in fractions, a little more than fits. */
  get seen() {
    const a = this.toPhoto(0, 0);
    const b = this.toPhoto(this.width, this.height);
    const inside = (v) => Math.min(1, Math.max(0, v));
    return { left: inside(a.x), top: inside(a.y), right: inside(b.x), bottom: inside(b.y) };
  }
}
