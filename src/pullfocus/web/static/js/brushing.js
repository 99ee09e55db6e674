/** Brushing: the palette of the depth brush, its strokes and their undo. */

import { cut, dabOn, fillBox, join, paste } from './brush.js';
import { h } from './dom.js';
import { t } from './strings.js';

const TOOLS = ['nearer', 'farther', 'smooth', 'snap', 'fill'];

export class Brushing {
  /** @param {HTMLElement} parent @param {any} app */
  constructor(parent, app) {
    this.app = app;
    this.on = false;
    this.tool = 'nearer';
    this.radius = 0.05;
    this.force = 0.5;
    this.stroke = null;
    this.guides = new WeakMap();
    this.buttons = TOOLS.map((tool) => h('button', { type: 'button', role: 'radio', 'data-tool': tool, onclick: () => this.choose(tool) }, t(`brush_${tool}`)));
    const range = (label, name, min, max, step) => h('label', {}, label, h('input', { type: 'range', min, max, step, value: this[name], 'aria-label': label,
      oninput: (event) => { this[name] = Number(event.target.value); fill(event.target); } }));
    const fill = (input) => input.style.setProperty('--part', `${((input.value - input.min) / (input.max - input.min)) * 100}%`);
    this.palette = h('div', { class: 'chip brush', hidden: true, role: 'group', 'aria-label': t('brush') },
      h('div', { role: 'radiogroup', 'aria-label': t('brush') }, ...this.buttons),
      range(t('brushSize'), 'radius', 0.008, 0.2, 0.002), range(t('brushForce'), 'force', 0.05, 1, 0.05),
      h('button', { type: 'button', class: 'edge', onclick: () => this.clear() }, t('brushClear')),
      h('button', { type: 'button', class: 'main', onclick: () => app.looks.toggleBrush() }, t('brushDone')));
    parent.append(this.palette);
    for (const input of this.palette.querySelectorAll('input')) fill(input);
    this.choose('nearer');
  }

  choose(tool) {
    this.tool = tool;
    this.buttons.forEach((button, k) => button.setAttribute('aria-checked', String(TOOLS[k] === tool)));
  }

  show(on) {
    this.on = on;
    this.palette.hidden = !on;
    if (!on) this.app.stage.brush = null;
  }

  /** The photo's own pixels at the size of its depth, to find edges by. */
  guide(photo) {
    if (!this.guides.has(photo)) {
      const canvas = new OffscreenCanvas(photo.depth.width, photo.depth.height);
      const context = canvas.getContext('2d', { willReadFrequently: true });
      context.drawImage(photo.image, 0, 0, canvas.width, canvas.height);
      this.guides.set(photo, context.getImageData(0, 0, canvas.width, canvas.height));
    }
    return this.guides.get(photo);
  }

  hover(at) {
    this.app.stage.brush = this.tool === 'fill' ? null : { ...at, radius: this.radius };
    this.app.stage.ask();
  }

  touch(at, phase) {
    const { photo } = this.app;
    if (!photo?.depth) return;
    if (phase === 'start') this.stroke = { before: photo.depth.data.slice(), box: null, from: at, last: null };
    if (!this.stroke) return;
    if (phase === 'cancel') return this.cancel(photo);
    if (this.tool === 'fill') this.dragBox(photo, at, phase);
    else if (phase !== 'end') this.dab(photo, at);
    if (phase === 'end') this.finish(photo);
  }

  dab(photo, at) {
    const { last } = this.stroke;
    const gap = this.radius * 0.3;
    const far = last ? Math.hypot(at.x - last.x, at.y - last.y) : 0;
    const dabs = last ? Math.max(0, Math.floor(far / gap)) : 1;
    for (let k = 1; k <= dabs; k++) {
      const part = last ? k / dabs : 1;
      const x = last ? last.x + (at.x - last.x) * part : at.x;
      const y = last ? last.y + (at.y - last.y) * part : at.y;
      const dab = { x, y, radius: this.radius, force: this.force };
      const box = dabOn(photo.depth, this.tool, dab, photo.histogram, this.tool === 'snap' ? this.guide(photo) : null);
      this.stroke.box = join(this.stroke.box, box);
      photo.depthChanged(box);
    }
    if (dabs) this.stroke.last = at;
    this.app.stage.ask();
  }

  dragBox(photo, at, phase) {
    const { from } = this.stroke;
    const inside = (v) => Math.min(1, Math.max(0, v));
    const box = { left: inside(Math.min(from.x, at.x)), right: inside(Math.max(from.x, at.x)), top: inside(Math.min(from.y, at.y)), bottom: inside(Math.max(from.y, at.y)) };
    this.app.stage.box = phase === 'end' ? null : box;
    if (phase === 'end') {
      const { width: w, height: hh } = photo.depth;
      const pixels = { left: Math.floor(box.left * w), right: Math.ceil(box.right * w), top: Math.floor(box.top * hh), bottom: Math.ceil(box.bottom * hh) };
      if (pixels.right - pixels.left > 2 && pixels.bottom - pixels.top > 2) {
        fillBox(photo.depth, pixels, this.guide(photo));
        this.stroke.box = pixels;
      }
    }
    this.app.stage.ask();
  }

  /** Take back a stroke that was none. */
  cancel(photo) {
    photo.depth.data.set(this.stroke.before);
    this.stroke = this.app.stage.box = null;
    photo.depthChanged();
    this.app.stage.ask();
  }

  finish(photo) {
    const { before, box } = this.stroke;
    this.stroke = null;
    if (!box) return;
    const size = { width: photo.depth.width, height: photo.depth.height };
    const old = cut({ ...size, data: before }, box);
    const made = cut(photo.depth, box);
    const put = (piece) => { paste(photo.depth, box, piece); this.changed(photo); };
    photo.edit.remember(() => put(old), () => put(made));
    this.changed(photo);
  }

  changed(photo) {
    photo.depthChanged();
    photo.unsent = true;
    this.app.depths.edited(photo);
  }

  clear() {
    const { photo } = this.app;
    if (!photo?.base) return;
    this.stroke = { before: photo.depth.data.slice(), box: { left: 0, top: 0, right: photo.depth.width, bottom: photo.depth.height } };
    photo.depth.data.set(photo.base);
    this.finish(photo);
  }
}
