/** Stage: paints photo, depth, cross, divider and brush on one canvas, whenever asked. */

import { View } from './view.js';

export class Stage {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext('2d');
    this.view = new View();
    /** @type {CanvasImageSource | null} */
    this.original = null;
    /** @type {CanvasImageSource | null} */
    this.picture = null;
    /** @type {{image: CanvasImageSource, box: any} | null} */
    this.patch = null;
    /** @type {HTMLCanvasElement | null} */
    this.depth = null;
    /** @type {HTMLCanvasElement | null} */
    this.peaking = null;
    /** @type {{x: number, y: number, certain: boolean} | null} */
    this.cross = null;
    this.holdOriginal = false;
    /** @type {number | null} where the divider stands, 0..1 of the photo */
    this.divider = null;
    /** @type {{x: number, y: number, radius: number} | null} */
    this.brush = null;
    /** @type {{left: number, top: number, right: number, bottom: number} | null} */
    this.box = null;
    this.waiting = false;
    this.ring = 0;
    this.onpaint = () => {};
    new ResizeObserver(() => this.resize()).observe(canvas.parentElement ?? canvas);
  }

  resize() {
    const box = (this.canvas.parentElement ?? this.canvas).getBoundingClientRect();
    if (!box.width || !box.height) return;
    const ratio = globalThis.devicePixelRatio || 1;
    this.canvas.width = Math.round(box.width * ratio);
    this.canvas.height = Math.round(box.height * ratio);
    this.view.resize(box.width, box.height);
    this.paint();
  }

  /** Keep the photo above something that lies over the lower end of the stage. @param {number} below in CSS pixels */
  leaveRoom(below) {
    this.view.margin.bottom = this.view.margin.top + below;
    this.canvas.parentElement?.style.setProperty('--below', `${below}px`);
    this.resize();
  }

  /** Let go of a photo that is closed. */
  clear() {
    this.original = this.picture = this.patch = this.depth = this.peaking = this.cross = null;
  }

  /** Paint at the next frame. */
  ask() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => { this.waiting = false; this.paint(); });
  }

  paint() {
    const { context: c, view } = this;
    if (!c) return;
    const ratio = globalThis.devicePixelRatio || 1;
    c.setTransform(ratio, 0, 0, ratio, 0, 0);
    c.clearRect(0, 0, view.width, view.height);
    const [w, h] = [view.photo.width * view.scale, view.photo.height * view.scale];
    c.imageSmoothingEnabled = view.scale < 2 * view.fullScale;
    c.imageSmoothingQuality = 'high';
    const draw = (image) => image && c.drawImage(image, view.x, view.y, w, h);
    c.save();
    c.shadowColor = 'rgb(0 0 0 / .35)';
    c.shadowBlur = 30;
    draw(this.original);
    c.restore();
    if (!this.holdOriginal) this.paintResult(draw, w, h);
    if (this.cross && !this.holdOriginal) this.paintCross();
    if (this.brush) this.paintBrush();
    if (this.box) this.paintBox();
    this.onpaint();
  }

  paintResult(draw, w, h) {
    const { context: c, view } = this;
    c.save();
    if (this.divider !== null) {
      const x = view.x + this.divider * w;
      c.beginPath();
      c.rect(x, view.y - 1, view.x + w - x + 1, h + 2);
      c.clip();
    }
    draw(this.depth ?? this.picture);
    if (!this.depth && this.patch) {
      const { box, image } = this.patch;
      const a = view.toScreen(box.left, box.top);
      const b = view.toScreen(box.right, box.bottom);
      c.drawImage(image, a.x, a.y, b.x - a.x, b.y - a.y);
    }
    if (this.peaking) draw(this.peaking);
    c.restore();
  }

  paintCross() {
    const { context: c, view } = this;
    const { x, y } = view.toScreen(this.cross.x, this.cross.y);
    const r = 17 + 16 * this.ring;
    for (const [colour, width] of [['rgb(0 0 0 / .55)', 4], [this.cross.certain ? '#ffb454' : '#fff', 1.8]]) {
      c.strokeStyle = colour;
      c.lineWidth = width;
      c.globalAlpha = 1 - this.ring * 0.8;
      c.beginPath();
      for (const [sx, sy] of [[-1, -1], [1, -1], [1, 1], [-1, 1]]) {
        c.moveTo(x + sx * r, y + sy * (r - 9));
        c.lineTo(x + sx * r, y + sy * r);
        c.lineTo(x + sx * (r - 9), y + sy * r);
      }
      if (!this.cross.certain) {
        c.moveTo(x - 6, y); c.lineTo(x + 6, y);
        c.moveTo(x, y - 6); c.lineTo(x, y + 6);
      }
      c.stroke();
      c.globalAlpha = 1;
    }
  }

  paintBrush() {
    const { context: c, view } = this;
    const { x, y } = view.toScreen(this.brush.x, this.brush.y);
    const r = this.brush.radius * Math.max(view.photo.width, view.photo.height) * view.scale;
    for (const [colour, width] of [['rgb(0 0 0 / .6)', 3.5], ['#fff', 1.5]]) {
      c.strokeStyle = colour;
      c.lineWidth = width;
      c.beginPath();
      c.arc(x, y, Math.max(2, r), 0, 7);
      c.stroke();
    }
  }

  paintBox() {
    const { context: c, view } = this;
    const a = view.toScreen(this.box.left, this.box.top);
    const b = view.toScreen(this.box.right, this.box.bottom);
    c.strokeStyle = '#ffb454';
    c.lineWidth = 2;
    c.setLineDash([6, 4]);
    c.strokeRect(a.x, a.y, b.x - a.x, b.y - a.y);
    c.setLineDash([]);
  }
}
